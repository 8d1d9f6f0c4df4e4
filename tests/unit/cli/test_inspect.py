"""`config check` and `camera list` say what is so: what is wrong, what is exposed, what is not masked."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.cli import inspect
from lamppost.pipeline.preflight import Concern

Lamppost = Callable[..., Result]
CANARY = "kanarienvogel-42"


@pytest.fixture
def write(here: Path, recipients: tuple[str, ...]) -> Callable[..., None]:
    def write(text: str = "", trial: bool = False) -> None:
        sealing = f"[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\ntrial = {json.dumps(trial)}\n"
        (here / "lamppost.toml").write_text(f"{sealing}{text}\n")

    return write


@pytest.fixture(autouse=True)
def a_machine_that_fits(monkeypatch: pytest.MonkeyPatch) -> None:
    """What of this machine does not fit is no matter of these tests."""
    monkeypatch.setattr(inspect, "look", lambda _settings: ())


def test_what_does_not_fit_is_a_warning_also_in_json(
    lamppost: Lamppost, write: Callable[..., None], monkeypatch: pytest.MonkeyPatch
) -> None:
    concern = Concern("it is not synchronised", "the clock", "run a time service")
    monkeypatch.setattr(inspect, "look", lambda _settings: (concern,))
    write(camera())
    result = lamppost("config", "check")
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, f"warning: {concern}")
    assert json.loads(lamppost("config", "check", "--json").output)["warnings"] == [str(concern)]


def camera(name: str = "gate", url: str = "rtsp://192.0.2.1/s", more: str = "") -> str:
    return f'[[camera]]\nname = "{name}"\nurl = "{url}"\n{more}\n'


def test_a_good_configuration_is_called_that(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write(camera())
    result = lamppost("config", "check")
    assert result.exit_code == 0
    assert result.output == "lamppost.toml can be used: 1 camera(s), any 2 of 3 custodians open originals.\n"


def test_what_init_writes_passes_with_a_warning_of_trial_keys(lamppost: Lamppost, here: Path) -> None:
    lamppost("init")
    result = lamppost("config", "check", "--json")
    report = json.loads(result.output)
    assert (result.exit_code, report["cameras"]) == (0, 1)
    assert any("trial keys" in warning for warning in report["warnings"])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no camera is configured"),
        (camera(more=f'password = "{CANARY}"'), "camera gate: its password stands in this file"),
        (camera(url=f"rtsp://op:{CANARY}@192.0.2.1/s"), "camera gate: its password stands in this file"),
    ],
    ids=["no camera", "password", "password in the URL"],
)
def test_what_is_risky_is_a_warning_without_the_secret(lamppost: Lamppost, write: Callable[..., None], text: str, said: str) -> None:
    write(text)
    result = lamppost("config", "check")
    assert result.exit_code == 0
    assert said in result.output
    assert CANARY not in result.output


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (camera(url=f"rtsp://op:{CANARY}@:554/s"), "camera gate"),
        (camera(url=f"rtsp://op:{CANARY} x@192.0.2.1/s"), "camera[1].url: white space"),
        (camera(url=f"rtsp://op:{CANARY}'x@192.0.2.1/s"), "camera[1].url: white space"),
        (camera(url="file:a%00b"), "camera gate: the address file: holds the character NUL"),
        (camera(more='password_file = "a\\u0000b"'), "camera[1].password_file: no file name"),
        (camera(more='password_file = "absent"'), "camera gate: its password_file"),
        (camera(more=f'pasword = "{CANARY}"'), "did you mean 'password'?"),
    ],
    ids=[
        "no host",
        "space in the address",
        "quote in the address",
        "NUL in the address",
        "NUL in a name",
        "no password file",
        "unknown key",
    ],
)
def test_what_cannot_be_used_has_exit_code_2_and_a_line(lamppost: Lamppost, write: Callable[..., None], text: str, said: str) -> None:
    write(text)
    for command in (("config", "check"), ("serve",)):
        result = lamppost(*command)
        assert result.exit_code == 2
        assert said in result.output
        assert CANARY not in result.output
        assert "Traceback" not in result.output


def test_a_password_that_stands_in_the_path_is_not_shown(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write(camera(url=f"rtsp://192.0.2.1/user=admin_password={CANARY}_channel=1.sdp"))
    assert CANARY not in lamppost("camera", "list").output + lamppost("camera", "list", "--json").output
    assert "its password stands in this file" in lamppost("config", "check").output


def test_the_list_says_what_is_masked_and_what_is_not(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write(camera(url=f"rtsp://op:{CANARY}@[fe80::1]/s") + camera("yard", more='preset = "all"'))
    result = lamppost("camera", "list")
    assert result.exit_code == 0
    assert "rtsp://op:***@[fe80::1]/s" in result.output
    assert "faces that are seen, and everything that moves" in result.output
    assert "the whole frame" in result.output
    assert "stood still" in result.output
    assert CANARY not in result.output


def test_the_list_for_scripts_holds_the_same(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write(camera(url=f"rtsp://op:{CANARY}@192.0.2.1/s") + camera("yard", more='preset = "all"'))
    gate, yard = json.loads(lamppost("camera", "list", "--json").output)
    assert (gate["name"], gate["preset"], gate["url"]) == ("gate", "motion", "rtsp://op:***@192.0.2.1/s")
    assert "person model" in gate["caveat"]
    assert "caveat" not in yard


def test_where_everything_is_covered_nothing_needs_a_caveat(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write('[masking]\npreset = "all"\n' + camera())
    assert "stood still" not in lamppost("camera", "list").output


def test_an_empty_list_says_how_to_fill_it(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write()
    assert "[[camera]]" in lamppost("camera", "list").output


@pytest.mark.parametrize("length", ["0s", "-5s", "soon", "5 s", "5d", ""])
def test_serve_refuses_what_is_no_length_of_time(lamppost: Lamppost, here: Path, length: str) -> None:
    lamppost("init")
    result = lamppost("serve", "--for", length)
    assert result.exit_code == 2
    assert "--for" in result.output


def test_serve_needs_a_data_folder(lamppost: Lamppost, write: Callable[..., None]) -> None:
    write(camera())
    result = lamppost("serve", "--for", "1s")
    assert (result.exit_code, "is not a data folder" in result.output) == (2, True)
