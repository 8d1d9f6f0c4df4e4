"""How a command fails: one line on standard error, an exit code, no traceback."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec, TypeVar

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.errors import LamppostError, StoreError
from lamppost.base.logging import redact

P = ParamSpec("P")
R = TypeVar("R")


def one_line_errors(command: Callable[P, R]) -> Callable[P, R]:
    """Turn a `LamppostError` of `command` into its line and its exit code.

    So is an `OSError` that names a file: a disk or a permission may fail at any
    place, and is no bug. Anything else is one, and keeps its traceback.
    """

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> R:
        try:
            return command(*args, **kwargs)
        except LamppostError as error:
            tell_error(error)
            raise typer.Exit(error.exit_code) from None
        except OSError as error:
            if error.filename is None:
                raise
            failure = StoreError(f"{error.filename}: {error.strerror}", remedy="may this user use it, and is the disk healthy?")
            tell_error(failure)
            raise typer.Exit(failure.exit_code) from None

    return run


def tell_error(error: LamppostError) -> None:
    """Print `error` on standard error, secrets cut out."""
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    console.print(f"[bold red]lamppost:[/] {escape(redact(str(error)))}")
