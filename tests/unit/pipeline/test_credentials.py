"""Passwords of cameras are unreadable without the key, come back with it, and survive a change of key that is cut off anywhere."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError, LamppostError, StoreError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper, naming, take_over_files, with_passwords
from lamppost.store import camera_key

CANARY = "kanarienvogel-42"
KEY = "0" * 64 + "\n"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    (tmp_path / "data").mkdir()
    return DataFolder(tmp_path / "data")


@pytest.fixture
def keeper(folder: DataFolder) -> Iterator[CredentialKeeper]:
    with CredentialKeeper(folder) as keeper:
        yield keeper


def files_with(folder: DataFolder, word: bytes) -> list[Path]:
    return [path for path in folder.root.rglob("*") if path.is_file() and word in path.read_bytes()]


def test_a_password_comes_back_and_stands_nowhere(folder: DataFolder, keeper: CredentialKeeper) -> None:
    assert not folder.devices.exists(), "nothing is made where nothing is kept"
    credential = keeper.keep("plaza", CANARY)
    assert (len(credential), int(credential, 16) >= 0) == (16, True)
    assert keeper.password(credential, "plaza") == CANARY
    assert files_with(folder, CANARY.encode()) == []
    assert stat.S_IMODE(folder.camera_key.stat().st_mode) == 0o600
    key = folder.camera_key.read_text().strip()
    assert [path for path in files_with(folder, key.encode()) if path != folder.camera_key] == []
    assert files_with(folder, bytes.fromhex(key)) == []
    (kept,) = keeper.kept()
    assert CANARY not in repr(kept)
    keeper.forget(credential)
    keeper.forget(credential)
    with pytest.raises(StoreError, match="not in the device book"):
        keeper.password(credential, "plaza")


@given(st.text(st.characters(exclude_categories=("Cs", "Cc", "Cf", "Z", "Co", "Cn")), min_size=1, max_size=200))
@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_printable_password_comes_back(keeper: CredentialKeeper, password: str) -> None:
    assert keeper.password(keeper.keep("plaza", password)) == password


@pytest.mark.parametrize("password", ["", " x", "x ", "two\nlines", "a\0b", "ü" * 600])
def test_what_is_no_password_is_refused_without_telling_it(folder: DataFolder, keeper: CredentialKeeper, password: str) -> None:
    with pytest.raises(ConfigError) as told:
        keeper.keep_all({"plaza": "good", "gate": password})
    assert len(password) < 2 or password not in str(told.value)
    assert not folder.devices.exists()


def test_two_of_the_same_password_do_not_look_the_same_nor_tell_their_length(keeper: CredentialKeeper) -> None:
    keeper.keep_all({"plaza": "x", "gate": "x", "park": "a longer one, of many words"})
    sealed = [each.sealed for each in keeper.kept()]
    assert len(set(sealed)) == 3
    assert len({len(each) for each in sealed}) == 1


def change_row(folder: DataFolder, statement: str, *values: object) -> None:
    with closing(sqlite3.connect(folder.devices)) as connection, connection:
        connection.execute(statement, values)


def test_a_password_opens_under_its_own_number_and_for_its_own_camera_alone(folder: DataFolder, keeper: CredentialKeeper) -> None:
    mine, other = keeper.keep("plaza", CANARY), keeper.keep("gate", "another")
    with pytest.raises(StoreError, match="camera gate is not in the device book"):
        keeper.password(mine, "gate")
    change_row(folder, "UPDATE credentials SET camera = 'gate' WHERE credential_id = ?", mine)
    with pytest.raises(StoreError, match="it is not what was kept"):
        keeper.password(mine, "gate")
    change_row(folder, "UPDATE credentials SET sealed = (SELECT sealed FROM credentials WHERE credential_id = ?)", other)
    with pytest.raises(StoreError, match="it is not what was kept") as told:
        keeper.password(mine)
    assert CANARY not in str(told.value)
    assert keeper.password(other) == "another"


@pytest.mark.parametrize(
    ("spoil", "words"),
    [
        (lambda path: path.unlink(), "is missing"),
        (lambda path: path.write_text(KEY), "is not the key that"),
        (lambda path: path.write_text("no key"), "holds no key"),
        (lambda path: path.write_bytes(b""), "holds no key"),
    ],
)
def test_a_lost_or_wrong_key_is_told_in_one_line_and_nothing_is_kept_with_another(
    folder: DataFolder, keeper: CredentialKeeper, spoil: Callable[[Path], Any], words: str
) -> None:
    credential, whole = keeper.keep("plaza", CANARY), folder.camera_key.read_bytes()
    spoil(folder.camera_key)
    before = folder.camera_key.read_bytes() if folder.camera_key.exists() else None
    for ask in (lambda: keeper.password(credential), lambda: keeper.keep("gate", "x"), keeper.change_key):
        with pytest.raises(StoreError, match=words) as told:
            ask()
        assert "\n" not in str(told.value)
        assert "put it back from a backup" in told.value.remedy
    assert (folder.camera_key.read_bytes() if folder.camera_key.exists() else None) == before
    # Put back, all is as it was; given up, one may begin anew.
    folder.camera_key.write_bytes(whole)
    assert keeper.password(credential) == CANARY
    spoil(folder.camera_key)
    assert keeper.change_key(forget=True) == 0
    assert keeper.kept() == ()
    assert keeper.password(keeper.keep("gate", "x")) == "x"


def test_a_key_that_reads_nothing_any_more_is_made_anew(folder: DataFolder, keeper: CredentialKeeper) -> None:
    keeper.forget(keeper.keep("plaza", CANARY))
    folder.camera_key.unlink()
    assert keeper.password(keeper.keep("plaza", "x")) == "x"


def test_the_key_is_changed_and_the_one_before_reads_nothing(folder: DataFolder, keeper: CredentialKeeper, tmp_path: Path) -> None:
    kept = keeper.keep_all({f"camera-{number}": f"{CANARY} {number}" for number in range(5)})
    before, told = folder.camera_key.read_bytes(), list[str]()
    with CredentialKeeper(folder) as other:
        assert keeper.change_key(first=lambda: told.append("on record")) == 5
        assert [other.password(credential, camera) for camera, credential in kept.items()] == [f"{CANARY} {n}" for n in range(5)]
    assert told == ["on record"]
    assert folder.camera_key.read_bytes() != before
    assert list(folder.keys.iterdir()) == [folder.camera_key]
    assert stat.S_IMODE(folder.camera_key.stat().st_mode) == 0o600
    folder.camera_key.write_bytes(before)
    with pytest.raises(StoreError, match="is not the key"):
        keeper.password(kept["camera-1"])


def test_a_change_of_key_that_is_not_put_on_the_record_changes_nothing(folder: DataFolder, keeper: CredentialKeeper) -> None:
    credential, before = keeper.keep("plaza", CANARY), folder.camera_key.read_bytes()

    def refuse() -> None:
        raise StoreError("the journal is full")

    with pytest.raises(StoreError, match="full"):
        keeper.change_key(first=refuse)
    assert folder.camera_key.read_bytes() == before
    assert keeper.password(credential) == CANARY
    assert keeper.change_key() == 1
    assert list(folder.keys.iterdir()) == [folder.camera_key]


class CutOff(BaseException):
    """The process ends here."""


def test_cut_off_anywhere_every_password_can_be_read_and_the_next_change_tidies(
    folder: DataFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    with CredentialKeeper(folder) as keeper:
        kept = keeper.keep_all({"plaza": "one", "gate": "two"})
    rename, steps, is_done = Path.rename, 0, False
    while not is_done:
        copy, left = DataFolder(shutil.copytree(folder.root, folder.root.parent / f"cut-{steps}")), steps

        def cut(path: Path, target: Path) -> Path:
            """Before or after each new name."""
            nonlocal left
            if left == 0:
                raise CutOff
            left -= 1
            renamed = rename(path, target)
            if left == 0:
                raise CutOff
            left -= 1
            return renamed

        monkeypatch.setattr(Path, "rename", cut)
        try:
            with CredentialKeeper(copy) as keeper:
                keeper.change_key()
            is_done = True
        except CutOff:
            pass
        monkeypatch.setattr(Path, "rename", rename)
        with CredentialKeeper(copy) as keeper:
            assert {camera: keeper.password(credential) for camera, credential in kept.items()} == {"plaza": "one", "gate": "two"}
            third = keeper.keep("park", "three")
            assert keeper.change_key() == 3
            assert keeper.password(third) == "three"
            assert list(copy.keys.iterdir()) == [copy.camera_key]
        steps += 1
    assert steps >= 4, "two names, cut before and after"


def test_a_key_changed_between_the_row_and_its_key_is_found_again(keeper: CredentialKeeper, monkeypatch: pytest.MonkeyPatch) -> None:
    credential, find = keeper.keep("plaza", CANARY), camera_key.CameraKeys.find
    asked: list[str] = []

    def late(keys: camera_key.CameraKeys, key_id: str) -> bytes | None:
        asked.append(key_id)
        return None if len(asked) == 1 else find(keys, key_id)

    monkeypatch.setattr(camera_key.CameraKeys, "find", late)
    assert keeper.password(credential) == CANARY
    assert len(asked) == 2


def settings_of(folder: DataFolder, *cameras: CameraSettings) -> Settings:
    sealing = SealingSettings(custodians=tuple("age1" + "q" * 57 + letter for letter in "qpz"), threshold=2)
    return Settings(data=folder.root, sealing=sealing, camera=cameras)


def test_one_camera_without_its_password_keeps_no_other_from_being_recorded(folder: DataFolder, keeper: CredentialKeeper) -> None:
    good = CameraSettings(name="plaza", url="rtsp://10.0.0.1/s", credential=keeper.keep("plaza", CANARY))
    lost = CameraSettings(name="gate", url="rtsp://10.0.0.2/s", credential="0" * 16)
    plain = CameraSettings(name="park", url="sim://plaza")
    troubles: list[tuple[str, LamppostError]] = []
    whole = with_passwords(settings_of(folder, good, lost, plain), lambda camera, error: troubles.append((camera, error)))
    assert [camera.resolved_password() for camera in whole.camera] == [CANARY, None, None]
    assert [camera.credential for camera in whole.camera] == [None, None, None]
    assert CANARY not in repr(whole)
    ((camera, error),) = troubles
    assert camera == "gate"
    assert "lamppost camera set --password-stdin" in error.remedy


def test_where_nothing_is_encrypted_no_book_is_made(folder: DataFolder) -> None:
    plain = CameraSettings(name="park", url="sim://plaza")
    assert with_passwords(settings_of(folder, plain), lambda *_: None).camera == (plain,)
    assert not folder.devices.exists()


def test_a_change_that_fails_forgets_the_password_again(keeper: CredentialKeeper) -> None:
    def change() -> None:
        with naming(keeper, "plaza", CANARY) as fields:
            assert keeper.password(str(fields["credential"])) == CANARY
            raise ConfigError("no such camera")

    with pytest.raises(ConfigError, match="no such camera"):
        change()
    assert keeper.kept() == ()


def test_files_of_an_older_version_are_taken_over(folder: DataFolder, keeper: CredentialKeeper, tmp_path: Path) -> None:
    ours, own = folder.camera_passwords / "plaza.0123abcd.password", tmp_path / "own.txt"
    folder.camera_passwords.mkdir(parents=True)
    ours.write_text(f"{CANARY}\n")
    own.write_text("mine\n")
    custodians = ", ".join(f'"age1{"q" * 57}{letter}"' for letter in "qpz")
    config = tmp_path / "lamppost.toml"
    config.write_text(
        f'data = "data"\n[sealing]\ncustodians = [{custodians}]\nthreshold = 2\n'
        f'# the square\n[[camera]]\nname = "plaza"\nurl = "rtsp://10.0.0.1/s"\npassword_file = "{ours}"\n'
        f'[[camera]]\nname = "gate"\nurl = "rtsp://10.0.0.2/s"\npassword_file = "{own}"\n'
    )
    assert take_over_files(folder, keeper, config) == ("plaza",)
    plaza, gate = ConfigFile(config).before.camera
    assert keeper.password_of(plaza) == CANARY
    assert keeper.password_of(gate) == "mine"
    assert (ours.exists(), own.exists(), plaza.password_file) == (False, True, None)
    assert "# the square" in config.read_text()
    assert take_over_files(folder, keeper, config) == ()
