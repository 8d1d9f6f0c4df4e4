"""A folder to work in, and the commands without the process around them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
import structlog
from typer.testing import CliRunner, Result

RECIPIENTS = (
    "age1dlyrzmflglgun8wg27pw0jrcuk55tjgyg3ccg0p6sp59evhvrveq78aury",
    "age1cy8su7y90zyy3r9ryryr8txk5vw0xe05m5ka88vtn7xu508fsazs9s5vlk",
    "age107qh38p33mke0fj6mlwp9xtwnt3jtmzhp4f5u6g8jg45s3euwp4st9v9se",
)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty working directory."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def lamppost(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Result]]:
    """Run a command: `lamppost("init", "--custodians", "2")`."""
    from lamppost.cli.main import app

    for name in ("NO_COLOR", "TERM", "COLUMNS"):
        monkeypatch.setenv(name, {"NO_COLOR": "1", "TERM": "dumb", "COLUMNS": "200"}[name])
    monkeypatch.delenv("LAMPPOST_CAMERA", raising=False)
    runner = CliRunner()
    yield lambda *arguments, stdin=None: runner.invoke(app, [str(argument) for argument in arguments], input=stdin)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def recipients() -> tuple[str, ...]:
    """Three public keys; their secret halves exist nowhere here."""
    return RECIPIENTS
