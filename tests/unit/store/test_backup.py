"""A backup holds the books and no share; a restore gives everything back that footage and journals still prove."""

from __future__ import annotations

import io
import os
import random
import shutil
import stat
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError, DataFolderBusy, LamppostError, StoreError
from lamppost.model.books import Act, CoverOpened, EventOpened, GapClosed, GapOpened, ReductionOpened, Rendition, Severity
from lamppost.model.layout import DataFolder
from lamppost.store import backup as backup_module
from lamppost.store.backup import create_backup, remove_old_backups
from lamppost.store.backup_file import CONFIGURATION, BackupRead
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check import check
from lamppost.store.check_report import CheckReport
from lamppost.store.check_report import Severity as Degree
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter, hold_lock
from lamppost.store.restore import Restored, restore_backup
from street_books import Street, check_tools, recover

S = 1_000_000


class Node:
    """A data folder with keys, a recorder's journal and a street that is recorded into it."""

    def __init__(self, root: Path) -> None:
        self.folder = DataFolder(root / "data")
        self.backups = root / "backups"
        self.backups.mkdir(parents=True)
        self.clock = ManualClock()
        self.config = root / "lamppost.toml"
        self.config.write_bytes(b"# ours\n")
        for name in ("recorder.key", "recorder.pub"):
            (self.folder.keys).mkdir(parents=True, exist_ok=True)
            write_durable(self.folder.keys / name, f"{name} of {root.name}\n".encode())
        self.journal = JournalWriter(self.folder.journal / "recorder", clock=self.clock, max_bytes=4000)
        self.street = Street(self.folder, self.journal, self.clock)

    def apply(self) -> None:
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()

    def back_up(self) -> Path:
        return create_backup(self.folder, self.backups, clock=self.clock, version="0.1.0", config=self.config).path

    def stop(self) -> None:
        self.journal.close()

    def restore(self, backup: Path, *, force: bool = False) -> Restored:
        return restore_backup(self.folder, backup, clock=self.clock, force=force)

    def check(self, *, repair: bool = False) -> CheckReport:
        return check(self.folder, clock=self.clock, tools=check_tools(self.folder, self.clock), repair=repair)

    def lose_index(self) -> None:
        for path in self.folder.index.parent.glob("index.db*"):
            path.unlink()

    def rows(self) -> dict[str, tuple[str, int]]:
        with Index(self.folder) as index:
            return {row.path: (row.state, row.fragments) for row in index.all_paths().values()}


@pytest.fixture
def node(tmp_path: Path) -> Node:
    node = Node(tmp_path / "node")
    node.journal.append(GapOpened("g0", "plaza", "starting", node.clock.wall_us(), ""))
    node.clock.advance(2)
    node.journal.append(GapClosed("g0", node.clock.wall_us()))
    node.street.record()
    return node


def errors(report: CheckReport) -> list[str]:
    return [f"{finding.what} | {finding.where}" for finding in report.findings if finding.severity is Degree.ERROR]


def end(node: Node) -> None:
    """The camera is stopped in good order, so that all its time is explained."""
    node.journal.append(GapOpened("g9", "plaza", "stopped", node.clock.wall_us(), ""))
    node.stop()


# What is in it


def test_it_holds_books_keys_and_configuration_and_neither_vault_nor_footage(node: Node) -> None:
    node.apply()
    path = node.back_up()
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    with tarfile.open(path) as archive:
        names = archive.getnames()
    kinds = {name.split("/")[0] for name in names}
    assert kinds == {"backup.json", "index", "journal", "keys", "configuration", "SHA256SUMS"}
    assert BackupRead.open(path).configuration == b"# ours\n"
    shares = [file.read_bytes() for file in node.folder.vault.rglob("share-*")]
    assert shares
    assert not any(share in path.read_bytes() for share in shares)
    assert list(node.backups.iterdir()) == [path]


def test_stock_tools_can_check_it(node: Node, tmp_path: Path) -> None:
    node.apply()
    path = node.back_up()
    place = tmp_path / "unpacked"
    place.mkdir()
    subprocess.run(["tar", "xf", path, "-C", place], check=True, timeout=60)
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=place, capture_output=True, text=True, check=True, timeout=60)
    assert "index/index.db: OK" in done.stdout


def test_a_journal_that_is_removed_meanwhile_is_in_the_index(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    """The bookkeeper applies and removes between the two steps: nothing falls in between."""
    node.apply()
    real = backup_module._copy_index

    def copy(index: Path, target: Path) -> None:
        for _ in range(12):
            node.street.record(5)
        node.apply()
        real(index, target)

    monkeypatch.setattr(backup_module, "_copy_index", copy)
    path = node.back_up()
    end(node)
    shutil.rmtree(node.folder.journal)
    node.lose_index()
    node.restore(path)
    with Index(node.folder) as index:
        assert len(index.segments("plaza")) == 13


def test_a_damaged_index_is_not_backed_up(node: Node) -> None:
    for _ in range(30):
        node.street.record()
    node.apply()
    sound = node.back_up()
    scribble(node.folder.index)
    node.clock.advance(1)
    with pytest.raises(StoreError, match="index"):
        node.back_up()
    assert list(node.backups.iterdir()) == [sound]


def test_nothing_is_overwritten_and_nothing_goes_into_the_vault(node: Node) -> None:
    node.apply()
    path = node.back_up()
    with pytest.raises(ConfigError, match="exists already"):
        create_backup(node.folder, path, clock=node.clock, version="0", config=None)
    with pytest.raises(ConfigError, match="in the vault"):
        create_backup(node.folder, node.folder.vault, clock=node.clock, version="0", config=None)


def test_the_oldest_go_first_and_other_files_stay(node: Node) -> None:
    node.apply()
    paths: list[Path] = []
    for _ in range(4):
        paths.append(node.back_up())
        node.clock.advance(1)
    (node.backups / "mine.tar").write_text("mine")
    assert remove_old_backups(node.backups, 2) == tuple(paths[:2])
    assert sorted(path.name for path in node.backups.iterdir()) == [*(path.name for path in paths[2:]), "mine.tar"]


# Putting it back


def scribble(path: Path) -> None:
    """Random bytes in the middle of the file, as a failing disk leaves them; and no log that would mend it."""
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
    content = bytearray(path.read_bytes())
    middle = len(content) // 2
    content[middle - 8192 : middle + 8192] = random.Random(1).randbytes(16384)
    path.write_bytes(content)


@pytest.mark.parametrize(
    "break_index", [lambda node: node.lose_index(), lambda node: scribble(node.folder.index)], ids=["lost", "scribbled"]
)
def test_what_was_recorded_since_is_reachable_again(node: Node, break_index) -> None:
    for _ in range(30):
        node.street.record(1)
    node.apply()
    path = node.back_up()
    node.street.seal_epoch()
    for _ in range(3):
        node.street.record()
    end(node)
    node.apply()
    before = node.rows()
    break_index(node)
    node.restore(path)
    assert node.check(repair=True).is_clean
    assert node.rows() == before
    assert node.check().is_clean


def test_a_segment_that_was_open_then_and_whole_since_is_not_cut(node: Node) -> None:
    """An old journal knows two of its five fragments; taken for the truth, it would cost three."""
    node.street.open()
    for _ in range(2):
        node.street.write()
    node.apply()
    path = node.back_up()
    for _ in range(3):
        node.street.write()
    file = node.street.path
    node.street.close()
    size = file.stat().st_size
    end(node)
    shutil.rmtree(node.folder.journal)
    node.lose_index()
    node.restore(path)
    report = node.check(repair=True)
    assert file.stat().st_size == size
    assert node.rows()[node.folder.relative(file)] == ("closed", 5)
    # What no footage proves stays unexplained, and is said: the gap after it was in the lost books alone.
    assert all("neither recorded nor a declared gap" in line for line in errors(report))


def test_newer_journals_on_the_disk_win(node: Node) -> None:
    node.apply()
    path = node.back_up()
    node.street.record()
    node.journal.append(Act("a1", "hold", node.clock.wall_us(), "me", "plaza", "{}"))
    end(node)
    node.lose_index()
    node.restore(path)
    assert node.check(repair=True).is_clean
    with Index(node.folder) as index:
        assert [act.act_id for act in index.acts("hold")] == ["a1"]


def test_what_was_open_then_ends_where_something_proves_it(node: Node) -> None:
    now_us = node.clock.wall_us()
    node.journal.append(GapOpened("g1", "plaza", "camera_unreachable", now_us, ""))
    node.journal.append(CoverOpened("c1", "plaza", "starting", now_us))
    node.journal.append(ReductionOpened("r1", "plaza", "fewer_frames", now_us))
    node.journal.append(EventOpened("e1", "disk_full", Severity.ALARM, None, now_us, "{}"))
    node.apply()
    path = node.back_up()
    node.clock.advance(5)
    resumed_us = node.clock.wall_us()
    node.street.record()
    node.stop()
    shutil.rmtree(node.folder.journal)
    node.lose_index()
    node.restore(path)
    node.check(repair=True)
    with Index(node.folder) as index:
        assert [(gap.start_us, gap.end_us) for gap in index.gaps("plaza") if gap.interval_id == "g1"] == [(now_us, resumed_us)]
        assert [cover.end_us for cover in index.covered("plaza")] == [now_us]
        assert [reduction.end_us for reduction in index.reductions("plaza")] == [now_us]
        assert [event.end_us is None for event in index.events()] == [False]


def test_a_gap_that_nothing_ended_is_gone_on_with_by_its_writer(node: Node) -> None:
    now_us = node.clock.wall_us()
    node.journal.append(GapOpened("g1", "plaza", "camera_unreachable", now_us, "no route"))
    node.apply()
    path = node.back_up()
    node.stop()
    shutil.rmtree(node.folder.journal)
    node.lose_index()
    node.restore(path)
    report = node.check(repair=True)
    assert report.is_clean
    (gap,) = recover(node.folder, "recorder", node.clock).gaps
    assert (gap.gap_id, gap.start_us, gap.detail) == ("g1", now_us, "no route")


def test_footage_that_is_gone_is_lost_on_the_record(node: Node) -> None:
    node.street.open()
    node.street.write()
    node.apply()
    path = node.back_up()
    node.stop()
    file = node.street.path
    for lost in (node.folder.journal, node.folder.root / "sealed"):
        shutil.rmtree(lost)
    node.lose_index()
    node.restore(path)
    node.check(repair=True)
    assert node.rows()[node.folder.relative(file)][0] == "garbage"
    with Index(node.folder) as index:
        assert len(index.acts("segment_lost")) == 1


def test_a_new_machine_gets_index_and_keys(node: Node, tmp_path: Path) -> None:
    node.apply()
    path = node.back_up()
    new = DataFolder(tmp_path / "new")
    restored = restore_backup(new, path, clock=node.clock, force=False)
    assert restored.new_keys
    assert (new.keys / "recorder.key").read_bytes() == (node.folder.keys / "recorder.key").read_bytes()
    assert stat.S_IMODE((new.keys / "recorder.key").stat().st_mode) == 0o600
    with Index(new) as index:
        assert index.cameras() == ("plaza",)
    assert [path.name for path in new.root.iterdir() if path.name.startswith(".")] == []


# What is refused, with nothing touched


def tree(folder: DataFolder) -> dict[str, bytes]:
    """Every file but the locks, and what SQLite makes when it reads."""
    passing = {"index.db-wal", "index.db-shm"}
    files = [path for path in folder.root.rglob("*") if path.is_file() and path.parent != folder.run and path.name not in passing]
    return {str(path): path.read_bytes() for path in files}


def test_a_sound_index_is_replaced_only_by_force_and_kept(node: Node) -> None:
    node.apply()
    path = node.back_up()
    node.street.record()
    end(node)
    node.apply()
    before = tree(node.folder)
    with pytest.raises(StoreError, match="not empty"):
        node.restore(path)
    assert tree(node.folder) == before
    restored = node.restore(path, force=True)
    assert restored.set_aside
    kept = [file.name for file in node.folder.index.parent.iterdir() if file.name.endswith(restored.set_aside)]
    assert f"index.db{restored.set_aside}" in kept
    assert node.check(repair=True).is_clean


def test_a_running_node_is_left_alone(node: Node) -> None:
    node.apply()
    path = node.back_up()
    with pytest.raises(LamppostError, match="in use"):
        node.restore(path, force=True)  # its recorder writes
    node.stop()
    lock = hold_lock(node.folder.run / "supervisor.lock")
    with pytest.raises(DataFolderBusy):
        node.restore(path, force=True)
    os.close(lock)
    node.restore(path, force=True)


def test_the_backup_of_another_recorder_is_refused(node: Node, tmp_path: Path) -> None:
    node.apply()
    node.stop()
    other = Node(tmp_path / "other")
    other.street.record()
    other.apply()
    path = other.back_up()
    before = tree(node.folder)
    with pytest.raises(StoreError, match="another recorder"):
        node.restore(path, force=True)
    assert tree(node.folder) == before


@pytest.mark.parametrize(
    "evil",
    [
        tarfile.TarInfo("../../outside"),
        tarfile.TarInfo("/tmp/outside"),
        tarfile.TarInfo("vault/plaza/share-1.age"),
        tarfile.TarInfo("journal/../x/y.jsonl"),
        tarfile.TarInfo("journal/recorder/../../../x.jsonl"),
    ],
    ids=lambda member: member.name,
)
def test_a_member_that_belongs_elsewhere_is_refused(tmp_path: Path, evil: tarfile.TarInfo) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        evil.size = 4
        archive.addfile(evil, io.BytesIO(b"evil"))
    place = tmp_path / "a" / "b"
    place.mkdir(parents=True)
    with pytest.raises(StoreError, match="no part of a backup"):
        BackupRead.open(tmp_path / "evil.tar", place)
    assert list(tmp_path.rglob("*.jsonl")) == list(tmp_path.rglob("outside")) == []


def test_a_link_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as archive:
        member = tarfile.TarInfo("keys/recorder.key")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(member)
    with pytest.raises(StoreError, match="no part of a backup"):
        BackupRead.open(tmp_path / "evil.tar", tmp_path)


def test_what_is_no_backup_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "text.tar").write_text("this is no tar")
    (tmp_path / "empty.tar").write_bytes(b"")
    for name in ("text.tar", "empty.tar", "absent.tar"):
        with pytest.raises(StoreError) as caught:
            BackupRead.open(tmp_path / name)
        assert "\n" not in str(caught.value)


@pytest.fixture(scope="module")
def small_backup(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    node = Node(tmp_path_factory.mktemp("small"))
    node.street.record()
    node.apply()
    content = node.back_up().read_bytes()
    node.stop()
    return content


def read(content: bytes, folder: Path) -> tuple[bytes | None, tuple[str, ...]] | None:
    path = folder / "backup.tar"
    path.write_bytes(content)
    try:
        backup = BackupRead.open(path)
    except StoreError:
        return None
    return backup.configuration, backup.names


@settings(deadline=None, max_examples=150)
@given(data=st.data())
def test_cut_or_altered_it_is_refused_or_holds_the_very_same(small_backup: bytes, tmp_path_factory: pytest.TempPathFactory, data) -> None:
    """Padding and the dates of members are no content; every other byte counts."""
    folder = tmp_path_factory.getbasetemp()
    cut = data.draw(st.integers(0, len(small_backup)))
    assert read(small_backup[:cut], folder) in (None, read(small_backup, folder))
    altered = bytearray(small_backup)
    altered[data.draw(st.integers(0, len(small_backup) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    assert read(bytes(altered), folder) in (None, read(small_backup, folder))


def test_a_cut_before_the_hashes_and_an_altered_index_are_refused(small_backup: bytes, tmp_path: Path) -> None:
    end_of_content = small_backup.rindex(b"SHA256SUMS")
    assert read(small_backup[:end_of_content], tmp_path) is None
    altered = small_backup.replace(b"CREATE TABLE gaps", b"CREATE TABLE gapz")
    assert altered != small_backup
    assert read(altered, tmp_path) is None
    assert read(small_backup, tmp_path) is not None
    assert CONFIGURATION in (read(small_backup, tmp_path) or (None, ()))[1]


def test_masked_segments_come_back_too(node: Node) -> None:
    node.apply()
    path = node.back_up()
    with JournalWriter(node.folder.journal / "analyst", clock=node.clock) as journal:
        Street(node.folder, journal, node.clock, rendition=Rendition.MASKED).record()
    end(node)
    node.apply()
    before = node.rows()
    node.lose_index()
    shutil.rmtree(node.folder.journal / "analyst")
    node.restore(path)
    node.check(repair=True)
    assert node.rows() == before
