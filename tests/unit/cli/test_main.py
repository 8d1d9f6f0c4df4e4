"""`lamppost` tells what it can do, and every command tells its options."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import Result

from lamppost import __version__
from lamppost.base.logging import get_logger
from lamppost.cli.main import app

Lamppost = Callable[..., Result]
ROOT = typer.main.get_command(app)
LAMPPOST = Path(sys.executable).with_name("lamppost")


def commands(group: Any = ROOT, words: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    yield words, group
    for name, command in getattr(group, "commands", {}).items():
        yield from commands(command, (*words, name))


COMMANDS = dict(commands())
GROUPS = [words for words, command in COMMANDS.items() if hasattr(command, "commands")]
WORKING = [(words, command) for words, command in COMMANDS.items() if not hasattr(command, "commands")]


def test_the_commands_are_those_that_others_build_on() -> None:
    names = {" ".join(words) for words, _ in WORKING}
    assert names >= {"init", "serve", "mask", "release open", "check", "camera list", "config check"}


@pytest.mark.parametrize("options", [["--version"], ["--version", "serve"]])
def test_the_version_is_told(lamppost: Lamppost, options: list[str]) -> None:
    result = lamppost(*options)
    assert (result.exit_code, result.output) == (0, f"lamppost {__version__}\n")


@pytest.mark.parametrize(("words", "command"), WORKING, ids=[" ".join(words) for words, _ in WORKING])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_teaches_every_option(lamppost: Lamppost, words: tuple[str, ...], command: Any, option: str) -> None:
    result = lamppost(*words, option)
    assert result.exit_code == 0
    flat = " ".join(re.sub(r"[│╭╮╰╯─]", " ", result.output).split())
    assert f"lamppost {' '.join(words)}" in flat
    for parameter in command.params:
        names = [name for name in parameter.opts if name.startswith("--")] or [parameter.metavar or parameter.name]
        assert any(name in flat or name.lower() in flat for name in names), parameter.name
        assert parameter.help, f"{parameter.name} is not explained"
    assert command.help
    assert " ".join(command.help.split(".")[0].split()) in flat


@pytest.mark.parametrize("words", GROUPS, ids=lambda words: " ".join(words) or "lamppost")
def test_a_group_without_a_command_lists_its_commands(lamppost: Lamppost, words: tuple[str, ...]) -> None:
    result = lamppost(*words)
    assert "Usage" in result.output
    for name in COMMANDS[words].commands:
        assert re.search(rf"^\W*{name}\s+\w", result.output, re.MULTILINE), f"{name} stands there without a word"


def test_what_is_not_known_is_refused_with_a_hint(lamppost: Lamppost) -> None:
    assert lamppost("serv").exit_code == 2
    assert "serve" in lamppost("serv").output
    assert lamppost("serve", "--fro", "30s").exit_code == 2


def test_locals_never_get_into_a_traceback() -> None:
    # They may hold a password.
    assert app.pretty_exceptions_show_locals is False


def test_what_is_logged_goes_to_standard_error(lamppost: Lamppost, here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Whoever reads the JSON of a command reads nothing else there."""
    lamppost("config", "check", "-c", here / "none.toml")
    get_logger("store").warning("mended what was cut off")
    output = capfd.readouterr()
    assert output.out == ""
    assert "mended what was cut off" in output.err


def test_the_installed_command_starts() -> None:
    run = subprocess.run([LAMPPOST, "--version"], capture_output=True, text=True, timeout=60, check=False)
    assert (run.returncode, run.stdout, run.stderr) == (0, f"lamppost {__version__}\n", "")


def test_the_installed_command_fails_in_one_line(tmp_path: Path) -> None:
    run = subprocess.run([LAMPPOST, "serve"], cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert run.returncode == 2
    assert run.stdout == ""
    assert run.stderr == "lamppost: there is no configuration at lamppost.toml — run `lamppost init`, or name one with -c\n"
