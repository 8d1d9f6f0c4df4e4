"""The journal keeps what was appended, and never tells what was not."""

import os
import threading
import zlib
from dataclasses import fields
from enum import StrEnum
from pathlib import Path
from typing import get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.base.errors import DataFolderBusy, JournalDamaged, StoreError
from lamppost.model.books import RECORD_TYPES, Act, CoverClosed, FragmentWritten, GapClosed, GapOpened, JournalRecord
from lamppost.store.journal import JournalWriter, journal_files, read_journal, scan_journal
from lamppost.store.journal_lines import MAX_LINE_BYTES, LineUnknown, decode_line, encode_line


def _values(hint: object) -> st.SearchStrategy[object]:
    if isinstance(hint, type) and issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    if hint == tuple[str, ...]:
        return st.lists(st.text(max_size=20), max_size=5).map(tuple)
    if hint == str | None:
        return st.none() | st.text(max_size=20)
    return {str: st.text(max_size=40), int: st.integers(-(2**63), 2**63 - 1), bool: st.booleans()}[hint]  # type: ignore[index]


def _records_of(kind: type[JournalRecord]) -> st.SearchStrategy[JournalRecord]:
    hints = get_type_hints(kind)
    return st.builds(kind, **{field.name: _values(hints[field.name]) for field in fields(kind)})


any_record = st.one_of([_records_of(kind) for kind in RECORD_TYPES])


def _gap(number: int) -> GapClosed:
    return GapClosed(f"gap-{number}", number)


def _write(folder: Path, records: list[JournalRecord]) -> Path:
    with JournalWriter(folder, clock=ManualClock()) as journal:
        for record in records:
            journal.append(record)
    return journal_files(folder)[-1]


@given(any_record)
def test_a_record_comes_back_as_it_was(record: JournalRecord) -> None:
    line = encode_line(record)
    assert line.count(b"\n") == 1
    again = decode_line(line[:-1])
    assert again == record
    assert [type(getattr(again, f.name)) for f in fields(again)] == [type(getattr(record, f.name)) for f in fields(record)]


@settings(max_examples=60)
@given(st.lists(any_record, min_size=1, max_size=4), st.data())
def test_a_cut_anywhere_leaves_the_whole_lines_before_it(
    tmp_path_factory: pytest.TempPathFactory, records: list[JournalRecord], data: st.DataObject
) -> None:
    lines = [encode_line(record) for record in records]
    content = b"".join(lines)
    cut = data.draw(st.integers(0, len(content)))
    path = tmp_path_factory.mktemp("journal") / "00000001-x.jsonl"
    path.write_bytes(content[:cut])
    read = read_journal(path)
    whole = next(n for n in range(len(lines), -1, -1) if sum(map(len, lines[:n])) <= cut)
    assert list(read.records) == records[:whole]
    assert read.next_offset == sum(map(len, lines[:whole]))
    assert read.is_torn == (read.next_offset < cut)


@settings(max_examples=150)
@given(st.lists(any_record, min_size=2, max_size=4), st.data())
def test_a_changed_byte_is_never_read_as_a_record(
    tmp_path_factory: pytest.TempPathFactory, records: list[JournalRecord], data: st.DataObject
) -> None:
    lines = [encode_line(record) for record in records]
    content = bytearray(b"".join(lines))
    position = data.draw(st.integers(0, len(content) - 1))
    content[position] ^= data.draw(st.integers(1, 255))
    path = tmp_path_factory.mktemp("journal") / "00000001-x.jsonl"
    path.write_bytes(content)
    hit = next(n for n in range(len(lines)) if sum(map(len, lines[: n + 1])) > position)
    start = sum(map(len, lines[:hit]))
    try:
        read = read_journal(path)
    except JournalDamaged as error:
        problem = error.problem
        skipped = scan_journal(path, skip_damage=True).records
        assert all(record in records for record in skipped)
        assert f"{path}, byte {start}:" in problem
    else:
        # Only at the end does a change look as a power loss does.
        assert hit >= len(lines) - 2
        assert read.is_torn
        assert list(read.records) == records[:hit]


def test_reading_goes_on_where_it_ended(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "w", clock=ManualClock()) as journal:
        journal.append(_gap(1))
        (path,) = journal_files(tmp_path / "w")
        first = read_journal(path)
        journal.append(_gap(2))
        second = read_journal(path, first.next_offset)
    assert first.records == (_gap(1),)
    assert second.records == (_gap(2),)
    assert read_journal(path, second.next_offset) == ((), second.next_offset, False)


def test_a_record_of_a_newer_version_is_named_and_never_skipped(tmp_path: Path) -> None:
    path = _write(tmp_path / "w", [_gap(1)])
    newer = encode_line(_gap(2)).split(b" ", 1)[1].replace(b"gap_closed", b"gap_dreamt")
    with path.open("ab") as file:
        file.write(b"%08x %s" % (zlib.crc32(newer[:-1]), newer))
        file.write(encode_line(_gap(3)))
    with pytest.raises(JournalDamaged, match=r"gap_dreamt.*newer version"):
        read_journal(path)
    scan = scan_journal(path, skip_damage=True)
    assert scan.records == (_gap(1),)
    assert scan.damages[0].is_newer


@pytest.mark.parametrize(
    "text",
    [
        b'{"type":"gap_closed","gap_id":"g","end_us":true}',
        b'{"type":"gap_closed","gap_id":"g","end_us":1.0}',
        b'{"type":"gap_closed","gap_id":null,"end_us":1}',
        b'{"type":"gap_closed","gap_id":"g"}',
        b'{"type":"gap_closed","gap_id":"g","end_us":1,"new":2}',
        b"[]",
        b"{",
    ],
)
def test_a_whole_line_of_other_shape_is_refused(text: bytes) -> None:
    with pytest.raises(LineUnknown):
        decode_line(b"%08x %s" % (zlib.crc32(text), text))


def test_a_record_without_bound_is_refused(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "w", clock=ManualClock()) as journal:
        with pytest.raises(StoreError, match="act has"):
            journal.append(Act("a", "k", 0, "me", "it", "x" * MAX_LINE_BYTES))
        journal.append(_gap(1))
    assert read_journal(journal_files(tmp_path / "w")[0]).records == (_gap(1),)


def test_a_folder_has_one_writer(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "w", clock=ManualClock()), pytest.raises(DataFolderBusy, match="lock"):
        JournalWriter(tmp_path / "w", clock=ManualClock())
    JournalWriter(tmp_path / "w", clock=ManualClock()).close()


def test_files_sort_in_the_order_of_writing_when_the_wall_clock_steps_back(tmp_path: Path) -> None:
    clock = ManualClock()
    with JournalWriter(tmp_path / "w", clock=clock, max_bytes=200) as journal:
        for number in range(20):
            journal.append(_gap(number))
            clock.step_wall(-3600)
    clock.step_wall(-86400)
    with JournalWriter(tmp_path / "w", clock=clock) as journal:
        journal.append(_gap(20))
    files = journal_files(tmp_path / "w")
    assert len(files) > 3
    assert [r for path in files for r in read_journal(path).records] == [_gap(n) for n in range(21)]
    assert all(path.stat().st_size < 300 for path in files)


def test_threads_share_a_writer(tmp_path: Path) -> None:
    with JournalWriter(tmp_path / "w", clock=ManualClock(), max_bytes=2000) as journal:

        def work(camera: int) -> None:
            for number in range(50):
                journal.append(CoverClosed(f"{camera}", number))
                if number % 10 == 0:
                    journal.append(GapOpened(f"{camera}-{number}", "cam", "starting", number, ""))

        threads = [threading.Thread(target=work, args=(camera,)) for camera in range(6)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    records = [r for path in journal_files(tmp_path / "w") for r in read_journal(path).records]
    for camera in range(6):
        assert [r.end_us for r in records if isinstance(r, CoverClosed) and r.cover_id == str(camera)] == list(range(50))


def test_a_closed_journal_says_so(tmp_path: Path) -> None:
    journal = JournalWriter(tmp_path / "w", clock=ManualClock())
    journal.close()
    journal.close()
    with pytest.raises(StoreError, match="closed"):
        journal.append(_gap(1))


class _Disk:
    """The real `os`, which counts syncs and can be told to fail."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.syncs = 0
        self.fail_sync = False
        self.write_bytes: int | None = None
        self.fail_truncate = False
        self._sync, self._write, self._truncate = os.fdatasync, os.write, os.ftruncate
        monkeypatch.setattr(os, "fdatasync", self._fdatasync)
        monkeypatch.setattr(os, "write", self._written)
        monkeypatch.setattr(os, "ftruncate", self._cut)

    def _fdatasync(self, descriptor: int) -> None:
        if self.fail_sync:
            raise OSError(5, "Input/output error")
        self.syncs += 1
        self._sync(descriptor)

    def _written(self, descriptor: int, content: bytes) -> int:
        if self.write_bytes is None:
            return self._write(descriptor, content)
        if self.write_bytes == 0:
            raise OSError(28, "No space left on device")
        count = self._write(descriptor, content[: self.write_bytes])
        self.write_bytes = 0
        return count

    def _cut(self, descriptor: int, size: int) -> None:
        if self.fail_truncate:
            raise OSError(5, "Input/output error")
        self._truncate(descriptor, size)


def test_syncs_at_once_for_what_others_build_on_and_else_by_time(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = _Disk(monkeypatch)
    clock = ManualClock()
    with JournalWriter(tmp_path / "w", clock=clock) as journal:
        fragment = FragmentWritten("s", 0, 1, "00", 0, 1, 0, 1, True)
        journal.append(fragment)
        assert disk.syncs == 0
        clock.advance(5)
        journal.append(fragment)
        assert disk.syncs == 1
        journal.append(GapOpened("g", "cam", "starting", 0, ""))
        assert disk.syncs == 2
        clock.advance(5)
        journal.sync_if_due()
        assert disk.syncs == 2  # nothing new
        journal.append(fragment)
        journal.sync_if_due()
        assert disk.syncs == 3
        journal.sync()
        assert disk.syncs == 3


@pytest.mark.parametrize("fail_truncate", [False, True])
def test_a_full_disk_leaves_no_half_line_before_the_next(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fail_truncate: bool) -> None:
    disk = _Disk(monkeypatch)
    disk.fail_truncate = fail_truncate
    with JournalWriter(tmp_path / "w", clock=ManualClock()) as journal:
        journal.append(_gap(1))
        disk.write_bytes = 7
        with pytest.raises(StoreError, match=r"cannot write to the journal .*No space left"):
            journal.append(_gap(2))
        disk.write_bytes = None
        journal.append(_gap(3))
    files = journal_files(tmp_path / "w")
    assert len(files) == (2 if fail_truncate else 1)
    assert [r for path in files for r in read_journal(path).records] == [_gap(1), _gap(3)]


def test_after_a_failed_sync_a_new_file_is_begun(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    disk = _Disk(monkeypatch)
    act = Act("a", "start", 0, "me", "it", "{}")
    with JournalWriter(tmp_path / "w", clock=ManualClock()) as journal:
        disk.fail_sync = True
        with pytest.raises(StoreError, match="cannot sync"):
            journal.append(act)
        disk.fail_sync = False
        journal.append(act)
        assert disk.syncs == 1
    files = journal_files(tmp_path / "w")
    # It failed but persisted: the second copy is the same record once more.
    assert [read_journal(path).records for path in files] == [(act,), (act,)]
