"""A failure is one line on standard error and an exit code; a bug keeps its traceback."""

from __future__ import annotations

import pytest
import typer

from lamppost.base.errors import CameraRefused, ConfigError, LamppostError, NotEnoughShares, StoreError
from lamppost.cli.errors import one_line_errors

CANARY = "kanarienvogel-42"


def fail_with(error: Exception) -> int:
    @one_line_errors
    def command() -> None:
        raise error

    with pytest.raises(typer.Exit) as caught:
        command()
    assert caught.value.__cause__ is None
    return caught.value.exit_code


@pytest.mark.parametrize(
    ("kind", "code"), [(ConfigError, 2), (StoreError, 1), (CameraRefused, 1), (NotEnoughShares, 1), (LamppostError, 1)]
)
def test_every_error_has_its_exit_code_and_one_line(capsys: pytest.CaptureFixture[str], kind: type[LamppostError], code: int) -> None:
    assert fail_with(kind("it is broken", remedy="mend it")) == code
    output = capsys.readouterr()
    assert output.out == ""
    assert output.err == "lamppost: it is broken — mend it\n"


def test_a_long_line_is_not_broken(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "20")
    fail_with(StoreError("a very long line about " + "one thing " * 20))
    assert len(capsys.readouterr().err.splitlines()) == 1


@pytest.mark.parametrize("text", ["rtsp://[fe80::1]/s", "[bold]x[/]", "[/nothing]", "a [red] b"])
def test_brackets_stay_as_they_are(capsys: pytest.CaptureFixture[str], text: str) -> None:
    fail_with(StoreError(text))
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(
    "text",
    [f"rtsp://op:{CANARY}@192.0.2.1/s", f"password={CANARY}", f"password: '{CANARY}'", f"AGE-SECRET-KEY-1{'Q' * 58}"],
)
def test_secrets_are_cut_out(capsys: pytest.CaptureFixture[str], text: str) -> None:
    fail_with(CameraRefused(f"trouble: {text}", remedy=text))
    error = capsys.readouterr().err
    assert "trouble" in error
    assert CANARY not in error
    assert "QQQQ" not in error


def test_a_file_that_may_not_be_used_is_no_bug(capsys: pytest.CaptureFixture[str]) -> None:
    assert fail_with(PermissionError(13, "Permission denied", "data/keys")) == 1
    assert capsys.readouterr().err.startswith("lamppost: data/keys: Permission denied — ")


def test_a_bug_keeps_its_traceback() -> None:
    @one_line_errors
    def command() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        command()


def test_what_a_command_is_called_and_returns_passes_through() -> None:
    @one_line_errors
    def command(number: int) -> int:
        """Doubles."""
        return number * 2

    assert command(4) == 8
    assert command.__doc__ == "Doubles."
