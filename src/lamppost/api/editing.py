"""Changes the configuration for who asks: what they saw must still be so, all of it is checked, and it goes on the record."""

from __future__ import annotations

import functools
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Final, TypeVar

from pydantic import BaseModel, ValidationError

from lamppost.api.context import Context
from lamppost.api.problems import Mistake, Problem
from lamppost.base.errors import ConfigChanged, StoreError
from lamppost.model import mistakes as wrong
from lamppost.model.mistakes import Place, mistakes_of
from lamppost.model.settings import FILLED_IN
from lamppost.pipeline.config_file import ConfigFile

_ATTEMPTS: Final = 3

Changed = TypeVar("Changed")


def etag_of(revision: str) -> str:
    """A strong entity tag."""
    return f'"{revision}"'


def config_path(context: Context) -> Path:
    """The file of the configuration; raises 409 where there is none."""
    if context.config is None:
        raise Problem(
            HTTPStatus.CONFLICT,
            "this node runs without a configuration file",
            kind="no-configuration",
            remedy="start it with a file, made by `lamppost init`, to change it while it runs",
        )
    return context.config


def change_configuration(
    context: Context, change: Callable[[ConfigFile], Changed], *, first: Callable[[Changed], object] | None = None
) -> Changed:
    """What `change` makes of the file, checked whole and durable on return.

    `first` puts it on the record: it is called with what `change` made when that is on the disk and not yet in its place.
    Asked again where somebody else was faster: `change` compares anew what its caller saw. Raises problems, `ConfigError`
    among them for what `serve` would refuse; then nothing was written.
    """
    path = config_path(context)
    for _ in range(_ATTEMPTS):
        file = ConfigFile(path)
        changed = change(file)
        try:
            file.replace(first=on_record(functools.partial(first, changed)) if first is not None else None)
        except ConfigChanged:
            continue
        except StoreError as error:
            raise _read_only(path, error) from error
        return changed
    raise Problem(HTTPStatus.CONFLICT, "others are changing the configuration just now", kind="changed", remedy="try again in a moment")


def on_record(put: Callable[[], object]) -> Callable[[], None]:
    """`put`, of which a `StoreError` is told as that of the record, and not of the file that is to be changed."""

    def first() -> None:
        try:
            put()
        except StoreError as error:
            raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, error.problem, kind="store", remedy=error.remedy) from error

    return first


def write_beside(path: Path, write: Callable[[], None]) -> None:
    """`write` something of the configuration at `path`; raises a problem that says why it cannot be written."""
    try:
        write()
    except StoreError as error:
        raise _read_only(path, error) from error


def check_body(model: type[BaseModel], fields: dict[str, object], *, at: Place = ("body",)) -> None:
    """Raises 422 with each mistake at its place where `fields` are no `model`."""
    try:
        model.model_validate(fields)
    except ValidationError as error:
        raise invalid(error, model, at=at) from error


def invalid(error: ValidationError, model: type[BaseModel], *, at: Place, noun: str = "a setting") -> Problem:
    """Every mistake in a part of the body, at its place there; values are not shown."""
    mistakes = [told(at, each) for each in mistakes_of(error, model, noun=noun, hidden=FILLED_IN)]
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=mistakes)


def told(at: Place, mistake: wrong.Mistake) -> Mistake:
    """A mistake at its place in the request, such as `body.line.0.points`: who reads that is a program, and counts from 0.

    A form shows what is wrong beside its field, which need not be named again.
    """
    where, _, what = mistake.text.partition(": ")
    problem = what if what and wrong.dotted(mistake.place).startswith(where) else mistake.text
    return Mistake(at=".".join(str(part) for part in (*at, *mistake.place)), problem=problem)


def _read_only(path: Path, error: StoreError) -> Problem:
    return Problem(
        HTTPStatus.CONFLICT,
        f"{error.problem}; nothing was changed",
        kind="read-only",
        remedy=f"let Lamppost's user write the folder {path.parent}, or change it there by hand: it is taken over within seconds",
    )
