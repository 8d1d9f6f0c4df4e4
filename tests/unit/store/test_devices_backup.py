"""What is known of devices comes back from a backup with its passwords, and never without the key that reads them."""

from __future__ import annotations

import shutil
import sqlite3
import stat
from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest

from backup_members import members, rewrite, scribbled
from lamppost.base.clock import ManualClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import StoreError
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.model.origin import Origin
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store import backup as backup_module
from lamppost.store import devices_backup
from lamppost.store.backup import create_backup
from lamppost.store.backup_file import CAMERA_KEY, DEVICES
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_tables import VERSION
from lamppost.store.devices_backup import DevicesCopied, DevicesRestored
from lamppost.store.journal import JournalWriter
from lamppost.store.restore import restore_backup

CANARY = "kanarienvogel-42"


class Node:
    """A data folder that something is in the index of, with an origin and a password."""

    def __init__(self, root: Path, origin: str = "Dahua", password: str = CANARY) -> None:
        self.root, self.folder, self.clock = root, DataFolder(root / "data"), ManualClock()
        self.config, self.backups = root / "lamppost.toml", root / "backups"
        self.backups.mkdir(parents=True)
        self.config.write_bytes(b"# ours\n")
        self.folder.keys.mkdir(parents=True)
        for name in ("recorder.key", "recorder.pub"):
            write_durable(self.folder.keys / name, b"of one recorder\n")
        with JournalWriter(self.folder.journal / "supervisor", clock=self.clock) as journal:
            journal.append(Act("a1", "started", self.clock.wall_us(), "lamppost serve", "node", "{}"))
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()
        with DeviceBook(self.folder) as book:
            book.set_origin("plaza", Origin(vendor=origin))
        self.password = password
        with CredentialKeeper(self.folder) as keeper:
            self.credential = keeper.keep("plaza", password)

    def back_up(self, *, with_access: bool = True) -> Path:
        self.clock.advance(60)
        return create_backup(self.folder, self.backups, clock=self.clock, version="1", config=self.config, with_access=with_access).path

    def is_in(self, folder: DataFolder) -> bool:
        """Whether what is known in `folder` is what was known here."""
        with DeviceBook(folder) as book, CredentialKeeper(folder) as keeper:
            assert keeper.password(self.credential, "plaza") == self.password
            return book.origin("plaza").revision >= 1


@pytest.fixture
def node(tmp_path: Path) -> Node:
    return Node(tmp_path / "node")


def forget(folder: DataFolder) -> None:
    shutil.rmtree(folder.devices.parent)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_on_a_new_machine_devices_and_passwords_are_as_before(node: Node, tmp_path: Path) -> None:
    backup, new = node.back_up(), DataFolder(tmp_path / "new")
    restored = restore_backup(new, backup, clock=node.clock, force=False)
    assert (restored.devices, restored.devices_set_aside) == (DevicesRestored.PUT_BACK, "")
    assert (mode(new.devices.parent), mode(new.devices), mode(new.camera_key)) == (0o700, 0o600, 0o600)
    assert node.is_in(new)


def test_no_backup_holds_a_password_in_the_clear_and_one_without_access_none_at_all(node: Node) -> None:
    with CredentialKeeper(node.folder) as keeper:
        gone = keeper.keep("gate", "gone with the wind")
        (sealed,) = [each.sealed for each in keeper.kept() if each.credential_id == gone]
        keeper.forget(gone)
    content = node.back_up().read_bytes()
    assert CANARY.encode() not in content
    assert sealed not in content, "what was deleted is not in it"
    names = members(node.back_up(with_access=False))
    assert not {DEVICES, CAMERA_KEY} & set(names)


def test_what_can_be_read_stays_unless_forced(node: Node) -> None:
    backup = node.back_up()
    with DeviceBook(node.folder) as book:
        book.set_origin("plaza", Origin(vendor="Axis"))
    shutil.rmtree(node.folder.index.parent)
    restored = restore_backup(node.folder, backup, clock=node.clock, force=False)
    assert restored.devices is DevicesRestored.LEFT
    with DeviceBook(node.folder) as book:
        assert book.origin("plaza").origin.vendor == "Axis"
    node.clock.advance(60)
    restored = restore_backup(node.folder, backup, clock=node.clock, force=True)
    assert restored.devices is DevicesRestored.PUT_BACK
    with DeviceBook(node.folder) as book:
        assert book.origin("plaza").origin.vendor == "Dahua"
    assert node.folder.devices.with_name(f"devices.db{restored.devices_set_aside}").is_file()


def test_the_key_of_a_book_that_stays_comes_back(node: Node) -> None:
    backup = node.back_up()
    node.folder.camera_key.unlink()
    shutil.rmtree(node.folder.index.parent)
    assert restore_backup(node.folder, backup, clock=node.clock, force=False).devices is DevicesRestored.LEFT
    assert node.is_in(node.folder)


def test_a_damaged_or_empty_book_is_replaced_without_asking_and_kept(node: Node) -> None:
    backup = node.back_up()
    for path in node.folder.devices.parent.glob("*-*"):
        path.unlink()
    node.folder.devices.write_bytes(b"no database" * 1000)
    shutil.rmtree(node.folder.index.parent)
    assert restore_backup(node.folder, backup, clock=node.clock, force=False).devices is DevicesRestored.PUT_BACK
    assert node.is_in(node.folder)
    forget(node.folder)
    node.folder.camera_key.unlink()
    DeviceBook(node.folder).close()
    shutil.rmtree(node.folder.index.parent)
    assert restore_backup(node.folder, backup, clock=node.clock, force=False).devices is DevicesRestored.PUT_BACK
    assert node.is_in(node.folder)


def test_without_passwords_no_key_is_needed(node: Node, tmp_path: Path) -> None:
    with CredentialKeeper(node.folder) as keeper:
        keeper.forget(node.credential)
    node.folder.camera_key.unlink()
    backup = node.back_up()
    assert CAMERA_KEY not in members(backup)
    new = DataFolder(tmp_path / "new")
    assert restore_backup(new, backup, clock=node.clock, force=False).devices is DevicesRestored.PUT_BACK
    forget(node.folder)
    assert DEVICES not in members(node.back_up())


def test_a_book_without_its_key_and_a_damaged_one_are_not_backed_up(node: Node) -> None:
    key = node.folder.camera_key.read_bytes()
    node.folder.camera_key.unlink()
    with pytest.raises(StoreError, match=r"cameras\.key is missing"):
        node.back_up()
    node.folder.camera_key.write_bytes(key)
    with closing(sqlite3.connect(node.folder.devices)) as connection:
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    node.folder.devices.write_bytes(scribbled(node.folder.devices.read_bytes()))
    with pytest.raises(StoreError, match="device book") as told:
        node.back_up()
    assert "\n" not in str(told.value)
    assert list(node.backups.iterdir()) == []


def changed(database: bytes, statement: str, folder: Path) -> bytes:
    path = folder / "changed.db"
    path.write_bytes(database)
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute(statement)
    return path.read_bytes()


@dataclass(frozen=True)
class Refused:
    """A backup that must not be restored, and why."""

    change: Callable[[dict[str, bytes], Path], object]
    why: str


@pytest.mark.parametrize(
    "case",
    [
        Refused(lambda found, _: found.pop(DEVICES), "holds no devices/devices.db"),
        Refused(lambda found, _: found.pop(CAMERA_KEY), "holds no keys/cameras.key that reads its passwords"),
        Refused(lambda found, _: found.update({CAMERA_KEY: b"0" * 64}), "holds no keys/cameras.key that reads its passwords"),
        Refused(lambda found, _: found.update({DEVICES: scribbled(found[DEVICES])}), "device book in .* is damaged"),
        Refused(lambda found, _: found.update({DEVICES: b"no database" * 500}), "device book in .* is damaged"),
        Refused(
            lambda found, place: found.update({DEVICES: changed(found[DEVICES], f"PRAGMA user_version = {VERSION + 1}", place)}),
            "newer version",
        ),
        Refused(lambda found, place: found.update({DEVICES: changed(found[DEVICES], "DROP TABLE credentials", place)}), "damaged"),
    ],
    ids=["no database", "no key", "another key", "scribbled", "no SQLite", "newer", "no table"],
)
def test_a_backup_whose_devices_cannot_be_used_is_refused_with_nothing_touched(node: Node, tmp_path: Path, case: Refused) -> None:
    backup = rewrite(node.back_up(), lambda found: case.change(found, tmp_path))
    before = {path: path.read_bytes() for path in (node.folder.devices, node.folder.camera_key, node.folder.index)}
    with pytest.raises(StoreError, match=case.why) as told:
        restore_backup(node.folder, backup, clock=node.clock, force=True)
    assert "\n" not in str(told.value)
    assert {path: path.read_bytes() for path in before} == before
    assert node.is_in(node.folder)


def test_a_password_that_is_changed_meanwhile_is_in_the_backup_as_the_configuration_names_it(
    node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the copy and the configuration, somebody gives another password."""
    node.config.write_text(f'credential = "{node.credential}"\n')
    copy, changes = backup_module.copy_devices, list[str]()

    def and_change(folder: DataFolder, target: Path) -> DevicesCopied | None:
        made = copy(folder, target)
        if not changes:
            with CredentialKeeper(folder) as keeper:
                changes.append(keeper.keep("plaza", "new"))
                node.config.write_text(f'credential = "{changes[0]}"\n')
                keeper.forget(node.credential)
        return made

    monkeypatch.setattr(backup_module, "copy_devices", and_change)
    backup, new = node.back_up(), DataFolder(tmp_path / "new")
    restore_backup(new, backup, clock=node.clock, force=False)
    with CredentialKeeper(new) as keeper:
        assert keeper.password(changes[0]) == "new"


def test_a_backup_while_the_key_is_changed_has_the_key_that_fits(node: Node, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    copy_database, changes = devices_backup.copy_database, list[str]()

    def change(how_often: int) -> None:
        with CredentialKeeper(node.folder) as keeper:
            for _ in range(how_often):
                keeper.change_key()

    def copied(source: Path, copy: Path, what: str, *, remedy: str) -> None:
        """The first time, the key of then is gone before and after; the second time, it was changed just after."""
        changes.append(what)
        change(1 if len(changes) == 1 else 0)
        copy_database(source, copy, what, remedy=remedy)
        change(2 if len(changes) == 1 else 1 if len(changes) == 2 else 0)

    monkeypatch.setattr(devices_backup, "copy_database", copied)
    backup, new = node.back_up(), DataFolder(tmp_path / "new")
    assert len(changes) == 2
    restore_backup(new, backup, clock=node.clock, force=False)
    assert node.is_in(new)


class CutOff(BaseException):
    """The process ends here."""


def test_cut_off_anywhere_a_book_has_its_own_key_and_the_next_run_ends_it(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The machine is another one: it has devices, and a key, of its own."""
    backup = node.back_up()
    other = Node(node.root / "other", "Axis", "another word")
    rename, steps, is_done = Path.rename, 0, False
    while not is_done:
        folder, left = DataFolder(shutil.copytree(other.folder.root, node.root / f"cut-{steps}")), steps

        def cut(path: Path, target: Path) -> Path:
            nonlocal left
            if not left:
                raise CutOff
            left -= 1
            return rename(path, target)

        monkeypatch.setattr(Path, "rename", cut)
        try:
            restore_backup(folder, backup, clock=node.clock, force=True)
            is_done = True
        except CutOff:
            pass
        monkeypatch.setattr(Path, "rename", rename)
        if folder.devices.is_file():
            with DeviceBook(folder) as book:
                whose = {"Dahua": node, "Axis": other}[book.origin("plaza").origin.vendor]
            assert whose.is_in(folder)
        restore_backup(folder, backup, clock=node.clock, force=True)
        assert node.is_in(folder)
        steps += 1
    assert steps > 4
