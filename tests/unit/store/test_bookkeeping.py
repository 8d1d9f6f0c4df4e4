"""The index says what the journals say, each record once."""

import os
import sqlite3
import zlib
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import DataFolderBusy, StoreError
from lamppost.model.books import Act, CoverClosed, CoverOpened, FragmentWritten, GapClosed, GapOpened, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.store.applying import Applying
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index import Index, Interval
from lamppost.store.journal import JournalWriter, journal_files
from lamppost.store.journal_lines import encode_line
from street_books import FRAMES, Street


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def folder(tmp_path: Path) -> DataFolder:
    return DataFolder(tmp_path / "data")


@pytest.fixture
def journal(folder: DataFolder, clock: ManualClock) -> Iterator[JournalWriter]:
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        yield journal


def _apply(folder: DataFolder, clock: ManualClock) -> int:
    with Bookkeeper(folder, clock) as bookkeeper:
        return bookkeeper.apply_new()


def test_a_segment_grows_and_is_closed(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    street = Street(folder, journal, clock)
    opened = street.open()
    street.write()
    with Bookkeeper(folder, clock) as bookkeeper, Index(folder) as index:
        bookkeeper.apply_new()
        (row,) = index.segments("plaza")
        assert (row.state, row.frames, row.fragments, row.start_us) == ("open", FRAMES, 1, opened.wall_us)
        last = street.write()
        assert bookkeeper.apply_new() == 1
        (row,) = index.segments("plaza")
        assert (row.frames, row.fragments, row.end_us, row.size_bytes) == (2 * FRAMES, 2, last.end_us, last.offset + last.length)
        closed = street.close()
        bookkeeper.apply_new()
        (row,) = index.segments("plaza")
        assert (row.state, row.end_reason, row.size_bytes, row.record_sha256) == (
            "closed",
            SegmentEnd.ROTATED,
            closed.size_bytes,
            closed.record_sha256,
        )
        assert row.rendition is Rendition.SEALED
        assert bookkeeper.apply_new() == 0
        (epoch,) = index.epochs("plaza")
        assert epoch.epoch_id == row.epoch_id
        assert len(epoch.share_sha256s) == 3


def test_intervals_and_acts(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    act = Act("a", "start", 5, "lamppost", "plaza", "{}")
    for record in (GapOpened("g", "plaza", "starting", 10, "why"), CoverOpened("c", "plaza", "starting", 11), act, GapClosed("g", 20)):
        journal.append(record)
    _apply(folder, clock)
    with Index(folder) as index:
        assert index.gaps("plaza") == (Interval("g", "plaza", "starting", 10, 20, "why"),)
        assert index.covered() == (Interval("c", "plaza", "starting", 11, None),)
        assert index.acts() == (act,)
        assert index.acts("stop") == ()
        assert index.gaps("plaza", 21) == ()
        assert index.covered(from_us=10**15) != ()  # it lasts
    journal.append(CoverClosed("c", 30))
    _apply(folder, clock)
    with Index(folder) as index:
        assert index.covered()[0].end_us == 30


@settings(max_examples=30, deadline=None)
@given(data=st.data())
def test_applying_again_from_any_point_changes_nothing(tmp_path_factory: pytest.TempPathFactory, data: st.DataObject) -> None:
    folder, clock = DataFolder(tmp_path_factory.mktemp("again") / "data"), ManualClock()
    with JournalWriter(folder.journal / "recorder", clock=clock) as journal:
        street = Street(folder, journal, clock)
        journal.append(GapOpened("g", "plaza", "starting", clock.wall_us(), ""))
        street.record()
        journal.append(GapClosed("g", clock.wall_us()))
        street.open()
        street.write()
        street.write()
    _apply(folder, clock)
    before = _dump(folder)
    # As if the bookkeeper had forgotten where it stood.
    (path,) = journal_files(folder.journal / "recorder")
    content = path.read_bytes()
    starts = [0, *(i + 1 for i, byte in enumerate(content) if byte == 10)]
    with sqlite3.connect(folder.index) as connection:
        connection.execute("UPDATE journal_offsets SET offset_bytes = ?", (data.draw(st.sampled_from(starts)),))
    connection.close()
    _apply(folder, clock)
    assert _dump(folder) == before


def _dump(folder: DataFolder) -> list[str]:
    connection = sqlite3.connect(folder.index)
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_a_transaction_that_fails_leaves_the_offset(
    folder: DataFolder, clock: ManualClock, journal: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    Street(folder, journal, clock).record()
    with Bookkeeper(folder, clock) as bookkeeper:
        with monkeypatch.context() as patch:
            patch.setattr(Applying, "finish", lambda _: (_ for _ in ()).throw(sqlite3.OperationalError("disk I/O error")))
            with pytest.raises(StoreError, match="disk I/O error"):
                bookkeeper.apply_new()
        with Index(folder) as index:
            assert index.segments() == ()
        assert bookkeeper.apply_new() == 6
        with Index(folder) as index:
            assert index.segments()[0].fragments == 3


def test_there_is_one_bookkeeper(folder: DataFolder, clock: ManualClock) -> None:
    with Bookkeeper(folder, clock), pytest.raises(DataFolderBusy, match=r"bookkeeper\.lock"):
        Bookkeeper(folder, clock)
    Bookkeeper(folder, clock).close()


def test_damage_in_one_journal_does_not_stop_the_others(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    for number in range(3):
        journal.append(GapOpened(f"g{number}", "plaza", "starting", number, ""))
    (path,) = journal_files(folder.journal / "recorder")
    content = bytearray(path.read_bytes())
    content[content.index(b"g1")] ^= 1
    path.write_bytes(content)
    with JournalWriter(folder.journal / "analyst", clock=clock) as other:
        other.append(CoverOpened("c", "plaza", "starting", 1))
    _apply(folder, clock)
    with Index(folder) as index:
        assert [gap.interval_id for gap in index.gaps()] == ["g0", "g2"]
        assert len(index.covered()) == 1
        (act,) = index.acts()
        assert (act.kind, act.subject) == ("journal_damaged", folder.relative(path))
    _apply(folder, clock)
    with Index(folder) as index:
        assert len(index.acts()) == 1


def test_a_record_of_a_newer_version_is_waited_at(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    journal.append(GapOpened("g", "plaza", "starting", 1, ""))
    (path,) = journal_files(folder.journal / "recorder")
    text = b'{"type":"dreamt"}'
    with path.open("ab") as file:
        file.write(b"%08x %s\n" % (zlib.crc32(text), text) + encode_line(GapClosed("g", 2)))
    _apply(folder, clock)
    _apply(folder, clock)
    with Index(folder) as index:
        assert index.gaps()[0].end_us is None
        assert [act.kind for act in index.acts()] == ["journal_newer"]


def test_what_the_schema_refuses_is_told_and_passed_over(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    street = Street(folder, journal, clock)
    epoch = street.seal_epoch()
    journal.append(replace(epoch, epoch_id="bad", threshold=9))
    journal.append(GapOpened("g", "plaza", "starting", 50, ""))
    journal.append(GapClosed("g", 40))  # a clock that stepped back
    _apply(folder, clock)
    with Index(folder) as index:
        assert [act.kind for act in index.acts()] == ["record_refused"]
        assert index.gaps()[0].end_us == 50
        assert len(index.epochs()) == 1


def test_applied_journals_are_removed_when_nothing_in_them_is_open(folder: DataFolder, clock: ManualClock) -> None:
    with JournalWriter(folder.journal / "recorder", clock=clock, max_bytes=600) as journal:
        street = Street(folder, journal, clock)
        journal.append(GapOpened("lasting", "plaza", "camera_unreachable", clock.wall_us(), ""))
        for _ in range(6):
            street.record()
        before = journal_files(folder.journal / "recorder")
        with Bookkeeper(folder, clock) as bookkeeper:
            bookkeeper.apply_new()
            after = journal_files(folder.journal / "recorder")
            # The first holds the open gap; the last two are kept for recovery.
            assert after == [before[0], *before[-2:]]
            rows = _dump(folder)
            journal.append(GapClosed("lasting", clock.wall_us()))
            bookkeeper.apply_new()
            assert before[0] not in journal_files(folder.journal / "recorder")
        assert len(rows) > 10
    _apply(folder, clock)
    with Index(folder) as index:
        assert len(index.segments()) == 6


def test_a_journal_in_use_is_kept(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    Street(folder, journal, clock).record()
    _apply(folder, clock)
    _apply(folder, clock)
    assert len(journal_files(folder.journal / "recorder")) == 1


def test_an_unreadable_journal_is_told(
    folder: DataFolder, clock: ManualClock, journal: JournalWriter, monkeypatch: pytest.MonkeyPatch
) -> None:
    journal.append(GapOpened("g", "plaza", "starting", 1, ""))
    with JournalWriter(folder.journal / "zebra", clock=clock) as other:
        other.append(GapOpened("z", "plaza", "starting", 1, ""))
    real = Path.open

    def unreadable(path: Path, *args: object, **kwargs: object) -> object:
        if path.parent.name == "recorder":
            raise OSError(5, os.strerror(5))
        return real(path, *args, **kwargs)  # type: ignore[arg-type]

    monkeypatch.setattr(Path, "open", unreadable)
    _apply(folder, clock)
    with Index(folder) as index:
        assert [gap.interval_id for gap in index.gaps()] == ["z"]


def test_fragments_of_an_unknown_segment_count_for_nothing(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    journal.append(FragmentWritten("nobody", 0, 1, "0", 0, 1, 0, 1, True))
    assert _apply(folder, clock) == 1
    with Index(folder) as index:
        assert index.segments() == ()


def test_empty_journals_of_earlier_lives_are_removed(folder: DataFolder, clock: ManualClock) -> None:
    for _ in range(4):
        JournalWriter(folder.journal / "recorder", clock=clock).close()
    _apply(folder, clock)
    assert len(journal_files(folder.journal / "recorder")) == 1


def test_after_a_power_loss_the_later_end_counts(folder: DataFolder, clock: ManualClock, journal: JournalWriter) -> None:
    street = Street(folder, journal, clock)
    street.open()
    street.write()
    opened = street.opened
    assert opened is not None
    closed = street.close()
    journal.append(GapOpened("g", "plaza", "starting", 10, ""))
    journal.append(GapClosed("g", 20))
    _apply(folder, clock)
    # The journal lost its end, the index did not; recovery decided anew.
    journal.append(replace(closed, end=SegmentEnd.RECOVERED, record_sha256="0" * 64))
    journal.append(GapClosed("g", 90))
    journal.append(GapClosed("g", 30))
    _apply(folder, clock)
    with Index(folder) as index:
        assert (index.segments()[0].end_reason, index.segments()[0].record_sha256) == ("recovered", "0" * 64)
        assert index.gaps()[0].end_us == 90
