"""An older index is upgraded after a backup, with all its rows; a newer one is refused; without a backup nothing happens."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import insert, text

from lamppost.base.clock import ManualClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import DataFolderBusy, StoreError
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.pipeline import upgrading
from lamppost.pipeline.upgrading import upgrade
from lamppost.store import index_file
from lamppost.store.backup_file import BackupRead
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index
from lamppost.store.index_file import newest_revision, open_engine, revision_of
from lamppost.store.journal import JournalWriter, hold_lock
from lamppost.store.restore import restore_backup
from lamppost.store.schema import GAPS


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path, clock: ManualClock) -> DataFolder:
    """A data folder as version 0001 left it: rows, a journal that is not applied yet, keys."""
    folder = DataFolder(tmp_path / "data")
    folder.index.parent.mkdir(parents=True)
    folder.keys.mkdir()
    for name in ("recorder.key", "recorder.pub"):
        write_durable(folder.keys / name, b"key\n")
    engine = open_engine(folder.index, is_writer=True)
    config, _script = index_file._scripts()
    with engine.begin() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO cameras (camera) VALUES ('plaza')"))
        gap = {"gap_id": "g", "camera": "plaza", "cause": "stopped", "start_us": 1, "end_us": 2, "detail": "", "opened_in": "r/f"}
        connection.execute(insert(GAPS).values(**gap))
    engine.dispose()
    with JournalWriter(folder.journal / "supervisor", clock=clock) as journal:
        journal.append(Act("a1", "stopped", clock.wall_us(), "lamppost serve", "node", "{}"))
    return folder


def backups(folder: DataFolder) -> list[Path]:
    return sorted(folder.index.parent.glob("backup-*.tar"))


def test_rows_and_journals_come_along_and_the_act_is_booked(folder: DataFolder, clock: ManualClock) -> None:
    done = upgrade(folder, config=None, clock=clock)
    assert (done.from_revision, done.to_revision) == ("0001", newest_revision())
    assert revision_of(folder.index) == newest_revision()
    with Index(folder) as index:
        assert [gap.interval_id for gap in index.gaps("plaza")] == ["g"]
        assert sorted(act.kind for act in index.acts()) == ["index_upgraded", "stopped"]
        assert index.integrity() == ()
    assert backups(folder) == [done.backup]


def test_a_second_time_does_nothing(folder: DataFolder, clock: ManualClock) -> None:
    upgrade(folder, config=None, clock=clock)
    before = folder.index.read_bytes()
    assert upgrade(folder, config=None, clock=clock).backup is None
    assert folder.index.read_bytes() == before
    assert len(backups(folder)) == 1


def test_nothing_else_changes_an_older_index(folder: DataFolder, clock: ManualClock) -> None:
    with pytest.raises(StoreError, match="older version") as caught:
        Bookkeeper(folder, clock)
    assert "lamppost upgrade" in caught.value.remedy
    assert revision_of(folder.index) == "0001"


def test_a_newer_index_is_refused_in_one_line(folder: DataFolder, clock: ManualClock) -> None:
    engine = open_engine(folder.index, is_writer=True)
    with engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    engine.dispose()
    before = folder.index.read_bytes()
    with pytest.raises(StoreError, match="newer version") as caught:
        upgrade(folder, config=None, clock=clock)
    assert "\n" not in str(caught.value)
    assert (folder.index.read_bytes(), backups(folder)) == (before, [])


def test_without_a_backup_nothing_is_changed(folder: DataFolder, clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise StoreError("cannot write the backup: No space left on device")

    monkeypatch.setattr(upgrading, "create_backup", full)
    with pytest.raises(StoreError, match="No space"):
        upgrade(folder, config=None, clock=clock)
    assert revision_of(folder.index) == "0001"


def test_a_failed_migration_leaves_the_old_index_whole(folder: DataFolder, clock: ManualClock) -> None:
    engine = open_engine(folder.index, is_writer=True)
    with engine.begin() as connection:
        connection.execute(text("CREATE TABLE holds (mine TEXT)"))  # in the way of the migration's last but one table
    engine.dispose()
    with pytest.raises(StoreError, match="migrate the index"):
        upgrade(folder, config=None, clock=clock)
    assert revision_of(folder.index) == "0001"
    assert len(backups(folder)) == 1


@pytest.mark.parametrize("held", ["run/supervisor.lock", "journal/supervisor/lock"])
def test_a_running_node_is_left_alone(folder: DataFolder, clock: ManualClock, held: str) -> None:
    (folder.root / held).parent.mkdir(exist_ok=True)
    lock = hold_lock(folder.root / held)
    with pytest.raises(DataFolderBusy):
        upgrade(folder, config=None, clock=clock)
    assert revision_of(folder.index) == "0001"
    os.close(lock)
    assert upgrade(folder, config=None, clock=clock).backup is not None


def test_the_last_three_backups_are_kept(folder: DataFolder, clock: ManualClock) -> None:
    for number in range(5):
        (folder.index.parent / f"backup-2020010{number}T000000Z.tar").write_bytes(b"old")
    done = upgrade(folder, config=None, clock=clock)
    assert [path.name for path in backups(folder)][-1] == (done.backup or Path()).name
    assert len(backups(folder)) == 3


def test_the_backup_of_an_older_version_can_be_restored(folder: DataFolder, clock: ManualClock, tmp_path: Path) -> None:
    done = upgrade(folder, config=None, clock=clock)
    assert done.backup is not None
    assert BackupRead.open(done.backup).about.index_revision == "0001"
    new = DataFolder(tmp_path / "new")
    restore_backup(new, done.backup, clock=clock, force=False)
    assert revision_of(new.index) == newest_revision()
    with Index(new) as index:
        assert [act.kind for act in index.acts()] == ["stopped"]
        assert len(index.gaps("plaza")) == 1
