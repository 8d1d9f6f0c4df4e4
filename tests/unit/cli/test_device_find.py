"""`lamppost camera find` and `camera add --device`: found without a password, filled in by the device, and mistakes are one line."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tomllib
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

import lamppost.cli.device_find as find_command
from device_server import served
from discovered import HERE, free_port, offers_of
from lamppost.cameras.discovery import search
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.store.journal import journal_files, scan_journal
from onvif_devices import BareServer, reply
from self_signed import Certificate

Lamppost = Callable[..., Result]
PASSWORD = "kanarienvogel-geheim-1"


@pytest.fixture
def port(monkeypatch: pytest.MonkeyPatch) -> int:
    """A port of discovery of our own."""
    found = free_port()
    monkeypatch.setattr(find_command, "search", partial(search, port=found))
    return found


@pytest.fixture
def config(lamppost: Lamppost, here: Path) -> Path:
    lamppost("init", "--camera", "gate=sim://plaza?seed=1")
    path = here / "lamppost.toml"
    path.write_text(path.read_text().replace("[devices]\n", '[devices]\nnetworks = ["127.0.0.0/8"]\n'))
    return path


def cameras(config: Path) -> dict[str, dict[str, Any]]:
    return {camera["name"]: camera for camera in tomllib.loads(config.read_text())["camera"]}


def add(lamppost: Lamppost, device: str, *more: str) -> Result:
    return lamppost("camera", "add", "park", "--device", device, "--username", "admin", *more)


def one_line(result: Result, exit_code: int) -> str:
    assert result.exit_code == exit_code, result.output
    lines = [line for line in result.output.splitlines() if not line.startswith("warning:")]
    assert len(lines) == 1, lines
    assert PASSWORD not in result.output
    return str(lines[0])


def test_devices_are_listed_and_the_search_is_on_the_record(
    lamppost: Lamppost, config: Path, port: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    offered = offers_of(monkeypatch)
    with SimulatedCamera("axis", address=f"{HERE}.101", discovery_port=port) as camera:
        arguments = ("camera", "find", "--range", f"{HERE}.101/32", "--interface", "127.0.0.1", "--timeout", "1")
        result = lamppost(*arguments, "--json")
        assert result.exit_code == 0, result.output
        assert [(each["device_url"], each["vendor"], each["mac"]) for each in json.loads(result.output)] == [
            (camera.base, "AXIS", camera.identity.mac)
        ]
        listed = lamppost(*arguments)
        assert camera.base in listed.output
    assert offered == []
    folder = config.parent / tomllib.loads(config.read_text())["data"]
    assert _kinds(folder).count("cameras_searched") == 2


def _kinds(folder: Path) -> list[str]:
    return [
        str(getattr(record, "kind", ""))
        for each in (folder / "journal").iterdir()
        for path in journal_files(each)
        for record in scan_journal(path, 0).records
    ]


def test_nothing_found_is_a_failure_that_says_what_to_do(lamppost: Lamppost, here: Path, port: int) -> None:
    result = lamppost("camera", "find", "--interface", "127.0.0.1", "--timeout", "1")
    assert result.exit_code == 1
    assert "--range" in result.output
    assert not list(here.iterdir()), "without a configuration nothing is written"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--range", "10.0.0.0/8"), "4096"),
        (("--range", "198.51.100.0/24"), "networks"),
        (("--range", "gate"), "no range"),
        (("--interface", "198.51.100.1"), "no address of this machine"),
        (("--config", "gone.toml"), "gone.toml"),
    ],
)
def test_what_cannot_be_searched_is_one_line(lamppost: Lamppost, here: Path, port: int, arguments: tuple[str, ...], words: str) -> None:
    assert words in one_line(lamppost("camera", "find", *arguments), 2)


def test_a_camera_is_added_by_what_its_device_says(lamppost: Lamppost, config: Path) -> None:
    (config.parent / "password").write_text(PASSWORD)
    with SimulatedCamera("dahua", password=PASSWORD) as camera:
        result = add(lamppost, camera.base, "--password-file", "password")
        assert result.exit_code == 0, result.output
        assert "without encryption" in result.output
    made = cameras(config)["park"]
    assert (made["device_url"], made["username"], made["password_file"]) == (camera.base, "admin", "password")
    assert made["url"].startswith("rtsp://127.0.0.1/cam/realmonitor")
    assert "subtype=1" in made["sub_url"]
    assert lamppost("config", "check").exit_code == 0
    told = json.loads(lamppost("camera", "firmware", "--json").output)["items"]
    said = camera.identity
    assert [(each["vendor"], each["model"], each["firmware"]) for each in told if each["camera"] == "park"] == [
        (said.vendor, said.model, said.firmware)
    ], "what it said of itself is known at once"


@pytest.mark.parametrize("encoding", ["", "H264"])
def test_a_server_that_says_little_is_added_by_what_it_says(lamppost: Lamppost, config: Path, encoding: str) -> None:
    with served(BareServer(reply(b"", 400), encoding)) as url:
        result = lamppost("camera", "add", "park", "--device", url)
        assert result.exit_code == 0, result.output
        assert "who it is" in result.output
    assert cameras(config)["park"]["url"] == "rtsp://127.0.0.1:8554/gate"


def test_a_server_with_pictures_alone_is_not_added(lamppost: Lamppost, config: Path) -> None:
    with served(BareServer(reply(b"", 400), "JPEG")) as url:
        assert "H.264" in one_line(lamppost("camera", "add", "park", "--device", url), 1)
    assert "park" not in cameras(config)


def test_what_can_be_set_of_a_device_is_told_as_it_is_set(lamppost: Lamppost, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`camera adjust` takes names and tokens that nothing else tells; and no sentence is broken where a terminal is narrow."""
    monkeypatch.setenv("COLUMNS", "40")
    (config.parent / "password").write_text(PASSWORD)
    with SimulatedCamera("onvif", password=PASSWORD) as camera:
        assert add(lamppost, camera.base, "--password-file", "password").exit_code == 0
        lines = [line.split(maxsplit=1) for line in lamppost("camera", "device", "park").output.splitlines()]
        (picture,) = [words[1] for words in lines if words[0] == "picture"]
        outputs = [words[1] for words in lines if words[0] == "output"]
        setting = next(each for each in picture.split(", ") if each.startswith("brightness="))
        set_so = lamppost("camera", "adjust", "park", "--picture", setting, "--output", f"{outputs[0]}=on")
        assert set_so.exit_code == 0, set_so.output
        told = json.loads(lamppost("camera", "device", "park", "--json").output)
    assert told["outputs"] == outputs
    assert f"brightness={told['picture']['brightness']:g}" == setting
    assert any(words[0] == "warning" and len(words[1]) > 60 for words in lines)


def test_a_password_from_standard_input_is_kept_encrypted_and_a_certificate_is_pinned(lamppost: Lamppost, config: Path) -> None:
    certificate = Certificate(config.parent)
    with SimulatedCamera("onvif", password=PASSWORD, tls=certificate.context) as camera:
        arguments = ("camera", "add", "park", "--device", camera.base, "--username", "admin", "--password-stdin")
        assert certificate.sha256 in one_line(lamppost(*arguments, stdin=f"{PASSWORD}\n"), 1), "to compare it, and pin it"
        assert camera.requests == ()
        result = lamppost(
            *arguments,
            *("--device-certificate-sha256", certificate.sha256),
            stdin=f"{PASSWORD}\n",
        )
        assert result.exit_code == 0, result.output
    made = cameras(config)["park"]
    assert made["device_certificate_sha256"] == certificate.sha256
    assert len(made["credential"]) == 16
    assert PASSWORD not in config.read_text()


def test_a_camera_that_speaks_https_alone_is_found_shown_pinned_and_watched(lamppost: Lamppost, config: Path, port: int) -> None:
    """From the command that plays it to the picture, with the words that are printed on the way."""
    address = f"{HERE}.105"
    play = ("-m", "lamppost.cli.main", "simulate", "camera", "--no-discovery", "--json", "--tls", "--address", address)
    street = ("--port", "8443", "--rtsp-port", "0", "--street", "sim://plaza?people=0&vehicles=0&width=320&height=180&fps=5")
    environment = os.environ | {"LAMPPOST_SIMULATED_PASSWORD": PASSWORD}
    with subprocess.Popen([sys.executable, *play, *street], stdout=subprocess.PIPE, text=True, env=environment) as process:
        try:
            assert process.stdout is not None
            told = json.loads(process.stdout.readline())
            listed = lamppost("camera", "find", "--range", f"{address}/32", "--interface", "127.0.0.1", "--timeout", "3")
            assert f"https://{address}:8443 --device-certificate-sha256 {told['certificate_sha256']}" in listed.output
            assert "Nobody has checked" in listed.output
            arguments = ("camera", "add", "park", "--device", f"https://{address}:8443", "--username", "admin", "--password-stdin")
            wrong = "0" * 64
            for pin in ((), ("--device-certificate-sha256", wrong)):
                assert told["certificate_sha256"] in one_line(lamppost(*arguments, *pin, stdin=f"{PASSWORD}\n"), 1)
            added = lamppost(*arguments, "--device-certificate-sha256", told["certificate_sha256"], stdin=f"{PASSWORD}\n")
            assert added.exit_code == 0, added.output
            watched = lamppost("camera", "test", "park", "--seconds", "1")
            assert watched.exit_code == 0, watched.output
            assert "320x180" in watched.output
        finally:
            process.terminate()
    made = cameras(config)["park"]
    assert (made["device_url"], made["device_certificate_sha256"]) == (f"https://{address}:8443", told["certificate_sha256"])


def test_a_found_device_that_is_a_camera_already_is_listed_as_that_with_its_firmware(lamppost: Lamppost, config: Path, port: int) -> None:
    (config.parent / "password").write_text(PASSWORD)
    with SimulatedCamera("onvif", password=PASSWORD, address=f"{HERE}.102", discovery_port=port) as camera:
        assert add(lamppost, camera.base, "--password-file", "password").exit_code == 0
        arguments = ("camera", "find", "--range", f"{HERE}.102/32", "--interface", "127.0.0.1", "--timeout", "1")
        (told,) = json.loads(lamppost(*arguments, "--json").output)
        assert (told["known_as"], told["has_moved"], told["firmware"]) == ("park", False, camera.identity.firmware)
        listed = lamppost(*arguments).output
    assert "firmware" in listed
    assert "park" in listed


def test_one_address_is_wanted_and_not_two(lamppost: Lamppost, config: Path) -> None:
    before = config.read_text()
    assert "--device" in one_line(lamppost("camera", "add", "park"), 2)
    assert "--device" in one_line(lamppost("camera", "add", "park", "sim://plaza", "--device", "http://127.0.0.1"), 2)
    assert "https://" in one_line(add(lamppost, f"http://admin:{PASSWORD}@127.0.0.1"), 2)
    assert config.read_text() == before


def test_a_device_that_does_not_say_is_one_line_and_nothing_is_written(lamppost: Lamppost, config: Path) -> None:
    before = config.read_text()
    (config.parent / "password").write_text(PASSWORD)
    with SimulatedCamera("dahua", password="another-one-1") as camera:
        one_line(add(lamppost, camera.base, "--password-file", "password"), 1)
        assert [asked.status for asked in camera.requests] == [401, 401], "it was offered once"
        gone = camera.base
    one_line(add(lamppost, gone, "--password-file", "password"), 1)
    assert "password_file" in one_line(add(lamppost, gone, "--password-file", "nowhere"), 2)
    assert config.read_text() == before
