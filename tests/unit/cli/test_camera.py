"""Cameras come, change and go in the file; what is wrong is told, and then nothing was written."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

import lamppost.cli.camera as camera_commands
from lamppost.base.errors import ConfigError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.probing import StreamReport

Lamppost = Callable[..., Result]
CANARY = "kanarienvogel-42"


@pytest.fixture
def config(lamppost: Lamppost, here: Path) -> Path:
    lamppost("init", "--camera", "gate=sim://plaza?seed=1")
    path = here / "lamppost.toml"
    text = path.read_text().replace("[log]", "# mine, and it stays\n[log]")
    path.write_text(text.replace("[devices]\n", '[devices]\nnetworks = ["10.0.0.0/8", "192.0.2.0/24"]\n'))
    return path


def cameras(config: Path) -> list[dict[str, object]]:
    return tomllib.loads(config.read_text()).get("camera", [])


def test_a_camera_is_added_with_its_settings_and_comments_stay(lamppost: Lamppost, config: Path) -> None:
    before = config.read_text()
    result = lamppost(
        *("camera", "add", "park", "rtsp://192.0.2.7/main", "--sub-url", "rtsp://192.0.2.7/sub", "--transport", "udp"),
        *("--username", "op", "--preset", "all", "--schedule", "mon-fri 06:00-20:00", "--schedule", "sat 08:00-12:00", "--max-gb", "20"),
    )
    assert result.exit_code == 0, result.output
    assert config.read_text().startswith(before.rstrip())
    assert "# mine, and it stays" in config.read_text()
    assert cameras(config)[1] == {
        "name": "park", "url": "rtsp://192.0.2.7/main", "sub_url": "rtsp://192.0.2.7/sub", "transport": "udp", "username": "op",
        "preset": "all", "schedule": ["mon-fri 06:00-20:00", "sat 08:00-12:00"], "max_gb": 20.0,
    }  # fmt: skip


def test_a_camera_is_changed_and_a_setting_is_taken_out(lamppost: Lamppost, config: Path) -> None:
    assert lamppost("camera", "set", "gate", "--preset", "all", "--transport", "udp").exit_code == 0
    assert cameras(config) == [{"name": "gate", "url": "sim://plaza?seed=1", "preset": "all", "transport": "udp"}]
    assert lamppost("camera", "set", "gate", "--refuse-basic").exit_code == 0
    assert cameras(config)[0]["allow_basic"] is False
    assert lamppost("camera", "set", "gate", "--unset", "allow_basic").exit_code == 0
    assert lamppost("camera", "set", "gate", "--unset", "preset", "--url", "sim://plaza?seed=2").exit_code == 0
    assert cameras(config) == [{"name": "gate", "url": "sim://plaza?seed=2", "transport": "udp"}]


def test_the_last_camera_can_go_and_another_can_come(lamppost: Lamppost, config: Path) -> None:
    assert lamppost("camera", "remove", "gate").exit_code == 0
    assert cameras(config) == []
    assert lamppost("camera", "add", "park", "sim://plaza").exit_code == 0
    assert [camera["name"] for camera in cameras(config)] == ["park"]
    assert lamppost("config", "check").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("add", "gate", "sim://plaza"), "already"),
        (("add", "No Name", "sim://plaza"), "cannot be used"),
        (("add", "park", "http://192.0.2.1/"), "is not read"),
        (("add", "park", f"rtsp://op:{CANARY}@[bad/"), "URL"),
        (("add", "park", "sim://nowhere"), ""),
        (("add", "park", "rtsp://192.0.2.1/s", "--schedule", "whenever"), "schedule"),
        (("add", "park", "rtsp://192.0.2.1/s", "--certificate-sha256", "abc"), "64 hexadecimal digits"),
        (("add", "park", "rtsp://192.0.2.1/s", "--password-file", "gone.txt"), "password_file"),
        (("add", "park", "rtsps://192.0.2.1/s", "--transport", "udp"), "not be encrypted"),
        (("add", "park", "rtsp://192.0.2.1/s", "--certificate-sha256", "0" * 64), "there is no certificate"),
        (("test", f"rtsp://op:{CANARY}@192.0.2.1/s", "--certificate-sha256", "abc"), "64 hexadecimal digits"),
        (("test", f"rtsps://op:{CANARY}@192.0.2.1/s", "--transport", "udp"), "not be encrypted"),
        (("add", "park", "file:gone.mp4", "--test"), "does not exist"),
        (("set", "park", "--preset", "all"), "has no camera"),
        (("add", "park", "sim://plaza", "--rules", "gone.toml"), "there is no rules file"),
        (("set", "gate", "--rules", "."), "is a folder"),
        (("set", "gate", "--unset", "rules"), "no such setting"),
        (("set", "gate"), "nothing to change"),
        (("set", "gate", "--password-stdin"), "the password is empty"),
        (("set", "gate", "--password-stdin", "--password-file", "lamppost.toml"), "were both given"),
        (("set", "park", "--password-stdin"), "the password is empty"),
        (("password",), "nothing to do was given"),
        (("set", "gate", "--unset", "name"), "no such setting"),
        (("remove", "park"), "it has: gate"),
    ],
)
def test_what_is_wrong_is_told_in_one_line_and_nothing_is_written(
    lamppost: Lamppost, config: Path, arguments: tuple[str, ...], words: str
) -> None:
    before = config.read_bytes()
    result = lamppost("camera", *arguments)
    if not words:
        assert result.exit_code in (0, 2)
        return
    assert result.exit_code in (1, 2), result.output
    assert words in result.output
    assert "Traceback" not in result.output
    assert CANARY not in result.output
    assert config.read_bytes() == before


def test_a_file_that_is_wrong_already_is_not_touched(lamppost: Lamppost, config: Path) -> None:
    config.write_text(config.read_text() + "\nsegmnt = 3\n")
    before = config.read_bytes()
    assert lamppost("camera", "add", "park", "sim://plaza").exit_code == 2
    assert config.read_bytes() == before


def test_what_somebody_else_wrote_meanwhile_is_not_lost(config: Path) -> None:
    one, other = ConfigFile(config), ConfigFile(config)
    one.add("park", {"url": "sim://plaza"})
    other.add("bridge", {"url": "sim://plaza"})
    one.replace()
    with pytest.raises(ConfigError, match="somebody else"):
        other.replace()
    assert [camera["name"] for camera in cameras(config)] == ["gate", "park"]


def test_mode_and_link_of_the_file_stay(lamppost: Lamppost, config: Path) -> None:
    real = config.with_name("real.toml")
    config.rename(real)
    config.symlink_to(real)
    real.chmod(0o600)
    assert lamppost("camera", "add", "park", "sim://plaza").exit_code == 0
    assert config.is_symlink()
    assert real.stat().st_mode & 0o777 == 0o600
    assert len(cameras(real)) == 2


def test_a_camera_is_tried_by_name_and_by_address(lamppost: Lamppost, config: Path) -> None:
    lamppost("camera", "set", "gate", "--url", "sim://plaza?seed=1&width=320&height=180&fps=30&people=1&vehicles=0")
    result = lamppost("camera", "test", "gate", "--seconds", "1", "--json")
    assert result.exit_code == 0, result.output
    report = json.loads(result.output)["main"]
    assert (report["codec"], report["width_px"], report["height_px"], report["holes"]) == ("h264", 320, 180, 0)
    assert report["fps"] == pytest.approx(30, abs=1)
    assert report["frames"] >= 20
    missing = lamppost("camera", "test", "file:gone.mp4")
    assert missing.exit_code == 1
    assert "does not exist" in missing.output


def test_a_camera_gets_rules_and_loses_them_again(lamppost: Lamppost, config: Path) -> None:
    rules = config.with_name("gate.rules.toml")
    rules.write_text('[[line]]\nname = "door"\npoints = [[0.1, 0.5], [9, 0.5]]\n')
    refused = lamppost("camera", "set", "gate", "--rules", rules.name)
    assert refused.exit_code == 2
    assert "gate.rules.toml: line 3: line[1].points: " in refused.output
    rules.write_text('[[line]]\nname = "door"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n')
    assert lamppost("camera", "set", "gate", "--rules", rules.name).exit_code == 0
    assert cameras(config)[0]["rules_file"] == "gate.rules.toml"
    assert lamppost("camera", "set", "gate", "--unset", "rules_file").exit_code == 0
    assert "rules_file" not in cameras(config)[0]


def kept(here: Path) -> dict[str, str]:
    """The passwords that are kept, in the clear, by number."""
    with CredentialKeeper(DataFolder(here / "lamppost-data")) as keeper:
        return {each.credential_id: keeper.password(each.credential_id, each.camera) for each in keeper.kept()}


def test_a_password_on_standard_input_is_kept_encrypted_and_replaced(lamppost: Lamppost, config: Path, here: Path) -> None:
    added = lamppost(*["camera", "add", "park", "rtsp://192.0.2.7/main", "--username", "op", "--password-stdin"], stdin=f"{CANARY}\n")
    assert added.exit_code == 0, added.output
    assert kept(here) == {str(cameras(config)[1]["credential"]): CANARY}
    changed = lamppost(*["camera", "set", "park", "--password-stdin"], stdin="another one\n")
    assert changed.exit_code == 0, changed.output
    assert kept(here) == {str(cameras(config)[1]["credential"]): "another one"}
    files = [path for path in here.rglob("*") if path.is_file()]
    assert [path for path in files if CANARY.encode() in path.read_bytes() or b"another one" in path.read_bytes()] == []
    (here / "own.txt").write_text("mine\n")
    assert lamppost(*["camera", "set", "park", "--password-file", "own.txt"]).exit_code == 0
    assert kept(here) == {}
    assert "credential" not in cameras(config)[1]
    lamppost(*["camera", "set", "park", "--password-stdin"], stdin=f"{CANARY}\n")
    assert "password_file" not in cameras(config)[1]
    assert lamppost("camera", "remove", "park").exit_code == 0
    assert kept(here) == {}
    assert (here / "own.txt").exists()


def test_a_password_whose_change_fails_is_not_kept(lamppost: Lamppost, config: Path, here: Path) -> None:
    before = config.read_bytes()
    for command in (
        "set park --password-stdin",
        "set gate --password-stdin --preset all --unset nothing",
        "add gate sim://plaza --password-stdin",
    ):
        result = lamppost("camera", *command.split(), stdin=f"{CANARY}\n")
        assert result.exit_code == 2, result.output
        assert CANARY not in result.output
    assert config.read_bytes() == before
    assert kept(here) == {}


def test_a_kept_password_is_what_a_camera_is_tried_with(lamppost: Lamppost, config: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str | None] = []

    def probe(camera: CameraSettings, *_: object, **__: object) -> StreamReport:
        asked.append(camera.resolved_password())
        return StreamReport("H264", 640, 360, 25.0, 2.0, 1000, 100, 0.1, 0, ())

    monkeypatch.setattr(camera_commands, "probe_stream", probe)
    lamppost(*["camera", "add", "park", "rtsp://192.0.2.7/main", "--username", "op", "--password-stdin", "--test"], stdin=f"{CANARY}\n")
    result = lamppost("camera", "test", "park")
    assert result.exit_code == 0, result.output
    assert asked == [CANARY, CANARY]


def test_the_key_is_changed_and_a_lost_one_is_given_up_on_order_alone(lamppost: Lamppost, config: Path, here: Path) -> None:
    lamppost(*["camera", "set", "gate", "--password-stdin"], stdin=f"{CANARY}\n")
    folder = DataFolder(here / "lamppost-data")
    before = folder.camera_key.read_bytes()
    changed = json.loads(lamppost("camera", "password", "--change-key", "--json").output)
    assert changed == {"passwords": 1, "forgotten": 0}
    assert folder.camera_key.read_bytes() != before
    assert list(kept(here).values()) == [CANARY]
    folder.camera_key.unlink()
    refused = lamppost("camera", "password", "--change-key")
    assert refused.exit_code == 1
    assert "cameras.key is missing" in refused.output
    assert "Traceback" not in refused.output
    concerns = lamppost("config", "check").output
    assert "cameras.key is missing" in concerns
    assert lamppost("camera", "password", "--change-key", "--forget").exit_code == 0
    assert kept(here) == {}
    assert "is not in the device book" in lamppost("config", "check").output
    lamppost(*["camera", "set", "gate", "--password-stdin"], stdin=f"{CANARY}\n")
    assert list(kept(here).values()) == [CANARY]
    acts = b"".join(path.read_bytes() for path in folder.journal.rglob("*.jsonl"))
    assert acts.count(b"credential_key_changed") == 2, "the one that was refused changed nothing"


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("rtsp://203.0.113.5/x", "203.0.113.5: that address is in no camera network"),
        ("rtsp://169.254.169.254/x", "where clouds keep their keys"),
        ("rtsp://[::1]/x", "this machine itself"),
        ("rtsp://0x7f.1/x", "0x7f.1 is no address and no name"),
        ("rtsp://bücher.example/x", "no name in ASCII"),
    ],
)
def test_a_camera_where_nothing_connects_to_is_refused_as_an_import_refuses_it(
    lamppost: Lamppost, config: Path, url: str, words: str
) -> None:
    """It could never be recorded."""
    before = config.read_text()
    for arguments in (("add", "park", url), ("add", "park", "rtsp://10.0.0.5/x", "--sub-url", url), ("set", "gate", "--url", url)):
        result = lamppost("camera", *arguments)
        assert result.exit_code == 2, result.output
        assert words in " ".join(result.output.split())
        assert "[devices] networks" in " ".join(result.output.split())
    assert config.read_text() == before
    assert lamppost("camera", "add", "park", "rtsp://10.0.0.5/x").exit_code == 0
    assert lamppost("camera", "add", "name", "rtsp://camera.example/x").exit_code == 0, "names are judged when they are looked up"


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        ((), "nothing to do was given"),
        (("gate",), "nothing to do with camera 'gate' was given"),
        (("gate", "--rotate", "--settle"), "--rotate and --settle were given together"),
        (("gate", "--change-key"), "--change-key is for the passwords of all cameras"),
        (("--rotate",), "--rotate was given without a camera"),
        (("gate", "--settle", "--password-stdin"), "--password-stdin was given without --rotate"),
        (("--change-key", "--password-stdin"), "--password-stdin was given without --rotate"),
        (("gate", "--rotate", "--forget"), "--forget was given without --change-key"),
    ],
)
def test_what_is_wanted_of_a_password_is_one_thing_and_the_line_says_which_is_missing(
    lamppost: Lamppost, config: Path, arguments: tuple[str, ...], line: str
) -> None:
    refused = lamppost("camera", "password", *arguments, stdin="seven-quiet-lanterns\n")
    assert refused.exit_code == 2, refused.output
    assert line in refused.output
    assert len(refused.output.strip().splitlines()) == 1
