"""A device book of an older version is brought up to this one with all that is in it, or stays as it is."""

from __future__ import annotations

import dataclasses
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from kept_audits import audit_of
from lamppost.base.errors import StoreError
from lamppost.model.devices import Level, Outcome
from lamppost.model.layout import DataFolder
from lamppost.store import device_upgrade
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_tables import VERSION
from lamppost.store.devices_backup import is_readable

FIRST = Path(__file__).parents[2] / "assets" / "device_book_1.sql"


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    """With a book of the first version: five audits of two cameras, a device, a disarm."""
    made = DataFolder(tmp_path)
    made.devices.parent.mkdir()
    with closing(sqlite3.connect(made.devices)) as connection:
        connection.executescript(FIRST.read_text(encoding="utf-8"))
    return made


def test_all_that_was_in_it_is_in_it(folder: DataFolder) -> None:
    assert is_readable(folder.devices), "as a restore looks at it"
    with DeviceBook(folder) as book:
        for number, level in ((1, Level.NO), (2, Level.YES), (3, Level.NO)):
            kept = book.audit(f"a00000{number}")
            assert kept is not None
            assert kept.audit == audit_of(number, recognise=level)
            assert kept.drift == (("it is able to recognise faces",) if number == 2 else ())
        silent, gate = book.newest_audit("plaza"), book.newest_audit("gate")
        assert silent is not None
        assert gate is not None
        assert (silent.audit.findings, silent.audit.evidence[0].outcome) == ((), Outcome.FAILED)
        assert gate.audit == audit_of(4, camera="gate")
        assert book.device("plaza") is not None
        assert [row.disarm_id for row in book.disarms("plaza")] == ["d1"]
        book.add_audit(dataclasses.replace(audit_of(6), audit_id="a000006"))
    with closing(sqlite3.connect(folder.devices)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("PRAGMA foreign_key_check").fetchall() == []
        assert connection.execute("PRAGMA user_version").fetchone() == (VERSION,)


def test_it_has_the_tables_that_a_new_one_has(folder: DataFolder, tmp_path: Path) -> None:
    new = DataFolder(tmp_path / "new")
    for each in (folder, new):
        DeviceBook(each).close()
    shapes: list[dict[str, str]] = []
    for each in (folder, new):
        with closing(sqlite3.connect(each.devices)) as connection:
            rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE name NOT LIKE 'sqlite_%'").fetchall()
            shapes.append({name: " ".join(sql.replace('"', "").split()) for name, sql in rows})
    assert shapes[0] == shapes[1]


def test_one_that_cannot_be_brought_up_stays_as_it_is(folder: DataFolder, monkeypatch: pytest.MonkeyPatch) -> None:
    def fails(*_: object) -> int:
        raise StoreError("the disk is full")

    before = dump(folder)
    with monkeypatch.context() as patch:
        patch.setattr(device_upgrade, "put_findings", fails)
        with pytest.raises(StoreError, match="the disk is full"):
            DeviceBook(folder)
    assert dump(folder) == before
    DeviceBook(folder).close()


def dump(folder: DataFolder) -> list[str]:
    with closing(sqlite3.connect(folder.devices)) as connection:
        return [str(connection.execute("PRAGMA user_version").fetchone()), *connection.iterdump()]
