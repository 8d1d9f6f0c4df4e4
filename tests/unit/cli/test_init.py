"""`lamppost init` makes a node that can start at once, keeps keys apart, and leaves nothing where it refuses."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.cli.init import TRIAL_FOLDER
from lamppost.pipeline.configuration import check_cameras, load_settings
from lamppost.seal.custodians import read_key_file
from lamppost.seal.notes import NoteSigner

Lamppost = Callable[..., Result]
CANARY = "kanarienvogel-42"


def everything(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*")}


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_a_folder_a_configuration_and_three_trial_keys(lamppost: Lamppost, here: Path) -> None:
    result = lamppost("init")
    assert result.exit_code == 0, result.output
    assert everything(here) == {
        "lamppost.toml",
        "lamppost-data",
        *(f"lamppost-data/{part}" for part in ("index", "journal", "vault", "keys", "run", "keys/recorder.key", "keys/recorder.pub")),
        TRIAL_FOLDER,
        *(f"{TRIAL_FOLDER}/custodian-{number}.key" for number in (1, 2, 3)),
    }
    settings = load_settings(here / "lamppost.toml")
    check_cameras(settings)
    assert settings.data == here / "lamppost-data"
    assert (len(settings.sealing.custodians), settings.sealing.threshold, settings.sealing.trial) == (3, 2, True)
    assert settings.camera[0].url.startswith("sim://plaza")
    keys = [read_key_file(here / TRIAL_FOLDER / f"custodian-{number}.key")[0].recipient for number in (1, 2, 3)]
    assert tuple(keys) == settings.sealing.custodians
    NoteSigner.load(settings.data / "keys" / "recorder.key")
    assert "TRIAL KEYS" in result.output
    assert "lamppost serve" in result.output


def test_secrets_are_readable_by_their_owner_alone(lamppost: Lamppost, here: Path) -> None:
    umask = os.umask(0)
    try:
        assert lamppost("init").exit_code == 0
    finally:
        os.umask(umask)
    secrets = [here / "lamppost-data" / "keys" / "recorder.key", *(here / TRIAL_FOLDER).iterdir()]
    assert {mode(path) for path in secrets} == {0o600}
    assert mode(here / TRIAL_FOLDER) == 0o700
    assert mode(here / "lamppost-data") & 0o007 == 0


def test_no_secret_is_printed_or_written_elsewhere(lamppost: Lamppost, here: Path) -> None:
    result = lamppost("init")
    assert "AGE-SECRET-KEY-1" not in result.output
    for path in here.rglob("*"):
        if path.is_file() and path.parent.name != TRIAL_FOLDER:
            assert b"AGE-SECRET-KEY-1" not in path.read_bytes()


@pytest.mark.parametrize("data", ["deep/er/data", "data", "./x/../data"])
def test_trial_keys_lie_beside_the_data_folder_and_never_inside(lamppost: Lamppost, here: Path, data: str) -> None:
    assert lamppost("init", "--data", data).exit_code == 0
    root = (here / data).resolve()
    assert (root.parent / TRIAL_FOLDER / "custodian-1.key").is_file()
    assert not any(TRIAL_FOLDER in name or name.endswith("-1.key") for name in everything(root))
    assert load_settings(here / "lamppost.toml").data == root


def test_real_custodians_get_no_trial_keys_and_no_warning(lamppost: Lamppost, here: Path, recipients: tuple[str, ...]) -> None:
    named = [part for recipient in recipients for part in ("--custodian", recipient)]
    result = lamppost("init", *named, "--threshold", "3")
    assert result.exit_code == 0, result.output
    assert not (here / TRIAL_FOLDER).exists()
    settings = load_settings(here / "lamppost.toml")
    assert (settings.sealing.custodians, settings.sealing.threshold, settings.sealing.trial) == (recipients, 3, False)
    assert "TRIAL" not in result.output


def test_cameras_and_numbers_of_the_command_line_are_written(lamppost: Lamppost, here: Path) -> None:
    url = "rtsp://op:x=y@192.0.2.1/s?a=b"
    result = lamppost("init", "--custodians", 5, "-k", 3, "--camera", f"gate={url}", "--camera", "sim=sim://plaza", "-c", "etc/node.toml")
    assert result.exit_code == 0, result.output
    settings = load_settings(here / "etc" / "node.toml")
    assert [(camera.name, camera.url) for camera in settings.camera] == [("gate", url), ("sim", "sim://plaza")]
    assert (len(settings.sealing.custodians), settings.sealing.threshold) == (5, 3)
    assert settings.data == here / "lamppost-data"


def test_names_with_brackets_are_told_as_they_are(lamppost: Lamppost, here: Path) -> None:
    result = lamppost("init", "--data", "x[bold]y[/z]")
    assert result.exit_code == 0, result.output
    assert "x[bold]y[/z]" in result.output


def test_an_empty_folder_that_exists_is_used(lamppost: Lamppost, here: Path) -> None:
    (here / "lamppost-data").mkdir()
    assert lamppost("init").exit_code == 0


# Refused


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--threshold", "1"], "--threshold must be 2 to 3"),
        (["--threshold", "0"], "--threshold must be 2 to 3"),
        (["--threshold", "4"], "--threshold must be 2 to 3"),
        (["--custodians", "5", "--threshold", "6"], "--threshold must be 2 to 5"),
        (["--custodians", "1"], "2 to 16 custodians"),
        (["--custodians", "0"], "2 to 16 custodians"),
        (["--custodians", "17"], "2 to 16 custodians"),
        (["--custodian", "age1nonsense"], "not an age recipient"),
        (["--custodian", "R0"], "1 custodians"),
        (["--custodian", "R0", "--custodian", "R0"], "twice"),
        (["--custodian", "R0", "--custodian", "R1", "--threshold", "3"], "threshold"),
        (["--custodian", "R0", "--custodian", "R1", "--threshold", "1"], "threshold"),
        (["--custodian", "R0", "--custodian", "R1", "--custodians", "3"], "give one of the two"),
        (["--custodian", "R0", "--custodian", "R1", "--custodians", "0"], "give one of the two"),
        (["--camera", "rtsp://192.0.2.1/s"], "NAME=URL"),
        (["--camera", "rtsp://192.0.2.1/s?a=b"], "NAME=URL"),
        (["--camera", f"=rtsp://op:{CANARY}@192.0.2.1/s"], "NAME=URL"),
        (["--camera", f"Gate=rtsp://op:{CANARY}@192.0.2.1/s"], "camera name"),
        (["--camera", f"gate=http://op:{CANARY}@192.0.2.1/s"], "scheme"),
        (["--camera", f"gate=rtsp://op:{CANARY}@/s"], "no valid host"),
        (["--camera", f"gate=rtsp://op:{CANARY}@h/\x07"], "characters"),
        (["--camera", "gate=rtsp://h/1", "--camera", "gate=rtsp://h/2"], "twice"),
        (["--data", "a\nb"], "data folder"),
    ],
    ids=lambda part: " ".join(part) if isinstance(part, list) else "",
)
def test_a_refusal_is_one_line_and_leaves_nothing(
    lamppost: Lamppost, here: Path, recipients: tuple[str, ...], arguments: list[str], said: str
) -> None:
    given = [recipients[int(part[1])] if part in ("R0", "R1") else part for part in arguments]
    result = lamppost("init", *given)
    assert result.exit_code == 2
    assert said in result.output
    assert CANARY not in result.output
    assert len(result.output.strip().splitlines()) == 1
    assert everything(here) == set()


def test_a_new_disk_and_the_mount_point_of_the_vault_are_no_used_folder(lamppost: Lamppost, here: Path) -> None:
    for name in ("lost+found", "vault"):
        (here / "lamppost-data" / name).mkdir(parents=True)
    assert lamppost("init").exit_code == 0


def test_a_vault_with_shares_in_it_is_not_taken_over(lamppost: Lamppost, here: Path) -> None:
    (here / "lamppost-data" / "vault" / "plaza").mkdir(parents=True)
    result = lamppost("init")
    assert (result.exit_code, "not empty" in result.output) == (2, True)


@pytest.mark.parametrize(
    ("occupy", "said"),
    [
        (lambda here: (here / "lamppost.toml").write_text("mine"), "lamppost.toml exists already"),
        (lambda here: [(here / "lamppost-data").mkdir(), (here / "lamppost-data" / "mine").write_text("mine")], "not empty"),
        (lambda here: (here / "lamppost-data").write_text("mine"), "cannot be used"),
        (lambda here: (here / TRIAL_FOLDER).mkdir(), f"{TRIAL_FOLDER} exists already"),
    ],
    ids=["configuration", "folder", "file", "trial keys"],
)
def test_what_is_there_stays_as_it_is(lamppost: Lamppost, here: Path, occupy: Callable[[Path], object], said: str) -> None:
    occupy(here)
    before = everything(here)
    result = lamppost("init")
    assert result.exit_code == 2
    assert said in result.output
    assert everything(here) == before


def test_a_second_init_changes_nothing(lamppost: Lamppost, here: Path) -> None:
    assert lamppost("init").exit_code == 0
    before = {path: path.read_bytes() for path in here.rglob("*") if path.is_file()}
    assert lamppost("init").exit_code == 2
    assert {path: path.read_bytes() for path in here.rglob("*") if path.is_file()} == before


def test_a_secret_key_as_custodian_is_refused_and_never_echoed(lamppost: Lamppost, here: Path) -> None:
    body = "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7LQPZRY9X8GF2TVDW0S3JN54KHCE"
    for key in (f"AGE-SECRET-KEY-1{body}", f" age-secret-key-1{body.lower()}", body):
        result = lamppost("init", "--custodian", key, "--custodian", key)
        assert result.exit_code == 2
        assert body[:4] not in result.output.upper()
    assert everything(here) == set()


def test_where_the_configuration_cannot_be_written_no_key_is_made(lamppost: Lamppost, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.access
    monkeypatch.setattr(os, "access", lambda path, mode, **options: path != here / "etc" and real(path, mode, **options))
    result = lamppost("init", "-c", "etc/lamppost.toml")
    assert result.exit_code == 2
    assert "cannot be written" in result.output
    assert sorted(here.rglob("*")) == [here / "etc"]
