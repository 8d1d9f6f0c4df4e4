"""What a writer's death left behind is ended in good order by its next life.

Recovery needs no key: it cuts after the last fragment whose bytes are what the
journal says, and declares the time since as a gap. Each step may be the last
before another crash; the next recovery goes on from there.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import BinaryIO, Final

from lamppost.base.clock import Clock
from lamppost.base.durable import remove_durable
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger
from lamppost.model.books import (
    AccountMoved,
    Act,
    CoverClosed,
    CoverOpened,
    EventClosed,
    EventEnded,
    EventOpened,
    FragmentWritten,
    GapClosed,
    GapOpened,
    JournalRecord,
    ReductionClosed,
    ReductionOpened,
    Rendition,
    SegmentClosed,
    SegmentEnd,
    SegmentOpened,
)
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.store.journal import Damage, JournalWriter, journal_files, scan_journal, writers
from lamppost.store.orphans import holds_footage, segment_files

Finish = Callable[[SegmentOpened, Sequence[FragmentWritten], SegmentEnd], SegmentClosed]
"""Cuts the file after the given fragments, ends it, writes its record; doing it twice does no harm.

The chain's previous record is the newest one with a lower sequence: this
segment's own may lie on the disk already.
"""

_TAR_BLOCK_BYTES: Final = 512
_READ_BYTES: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Recovered:
    """What was mended, and what is open now and belongs to the writer: to go on with or to close."""

    closed: tuple[SegmentClosed, ...]
    gaps: tuple[GapOpened, ...]  # at most one a camera
    covers: tuple[CoverOpened, ...]
    reductions: tuple[ReductionOpened, ...]
    events: tuple[EventOpened, ...]
    dropped: tuple[str, ...]  # relative paths of files that never held footage


def recover_writer(folder: DataFolder, writer: str, *, finish: Finish, journal: JournalWriter, clock: Clock) -> Recovered:
    """End what earlier lives of `writer` left open; `journal` is its own, so nobody else writes.

    Each segment is closed as `RECOVERED`; each camera whose sealed originals
    the writer keeps and that has no open gap gets one from the end of its last
    whole fragment. Masked segments declare none. Raises `StoreError`, and
    `JournalDamaged` when a newer version wrote the journal.
    """
    books = read_books(folder, writer)
    for damage in books.damages:
        _note_damage(folder, damage, journal, clock)
    closed = tuple(_close_segment(folder, opened, finish, journal, books, clock) for opened in tuple(books.segments.values()))
    gaps = _settle_gaps(books, journal, clock)
    dropped = tuple(_drop_orphans(folder, books, journal, clock))
    return Recovered(closed, gaps, tuple(books.covers.values()), tuple(books.reductions.values()), tuple(books.events.values()), dropped)


@dataclass(slots=True)
class OpenSegment:
    """A segment that was opened and not closed, with the fragments journalled so far."""

    opened: SegmentOpened
    fragments: list[FragmentWritten] = field(default_factory=list[FragmentWritten])


@dataclass(slots=True)
class OpenGap:
    """A gap that was not closed; `resumed` is the first fragment journalled after it."""

    gap: GapOpened
    resumed: FragmentWritten | None = None


@dataclass(slots=True)
class Books:
    """Where the records of one writer's journal leave things."""

    segments: dict[str, OpenSegment] = field(default_factory=dict[str, OpenSegment])
    gaps: dict[str, OpenGap] = field(default_factory=dict[str, OpenGap])
    covers: dict[str, CoverOpened] = field(default_factory=dict[str, CoverOpened])
    reductions: dict[str, ReductionOpened] = field(default_factory=dict[str, ReductionOpened])
    events: dict[str, EventOpened] = field(default_factory=dict[str, EventOpened])
    latest: dict[str, str] = field(default_factory=dict[str, str])  # camera: the sealed segment opened last
    last_end_us: dict[str, int] = field(default_factory=dict[str, int])  # camera: where that one ended
    places: set[tuple[str, Rendition]] = field(default_factory=set[tuple[str, Rendition]])
    paths: set[str] = field(default_factory=set[str])
    damages: list[Damage] = field(default_factory=list[Damage])

    def take(self, record: JournalRecord) -> None:
        """Go on by one record, in the order of writing; a record seen before changes nothing."""
        match record:
            case SegmentOpened():
                self.paths.add(record.path)
                self.places.add((record.camera, record.rendition))
                self.segments.setdefault(record.segment_id, OpenSegment(record))
                if record.rendition is Rendition.SEALED:
                    self.latest[record.camera] = record.segment_id
            case FragmentWritten():
                self._take_fragment(record)
            case SegmentClosed():
                segment = self.segments.pop(record.segment_id, None)
                if segment is not None and self.latest.get(segment.opened.camera) == record.segment_id:
                    self.last_end_us[segment.opened.camera] = record.end_us
            case GapOpened():
                self.gaps[record.gap_id] = OpenGap(record)
            case GapClosed():
                self.gaps.pop(record.gap_id, None)
            case AccountMoved():
                self.latest.pop(record.camera, None)
                self.last_end_us.pop(record.camera, None)
            case _:
                self._take_interval(record)

    def _take_interval(self, record: JournalRecord) -> None:
        match record:
            case CoverOpened():
                self.covers[record.cover_id] = record
            case CoverClosed():
                self.covers.pop(record.cover_id, None)
            case ReductionOpened():
                self.reductions[record.reduction_id] = record
            case ReductionClosed():
                self.reductions.pop(record.reduction_id, None)
            case EventOpened():
                self.events[record.event_id] = record
            case EventClosed() | EventEnded():
                self.events.pop(record.event_id, None)
            case _:
                pass

    def _take_fragment(self, fragment: FragmentWritten) -> None:
        segment = self.segments.get(fragment.segment_id)
        if segment is None:
            return
        if not segment.fragments or fragment.offset > segment.fragments[-1].offset:
            segment.fragments.append(fragment)
        if segment.opened.rendition is Rendition.SEALED:
            for open_gap in self.gaps.values():
                if open_gap.gap.camera == segment.opened.camera and open_gap.resumed is None:
                    open_gap.resumed = fragment


def read_books(folder: DataFolder, writer: str) -> Books:
    """Where `writer`'s journal leaves things; damage is passed over and noted.

    Raises `JournalDamaged` when a newer version wrote it: nothing may be
    decided on half of what it says.
    """
    books = Books()
    for path in journal_files(folder.journal / writer):
        try:
            scan = scan_journal(path, skip_damage=True)
        except StoreError:
            if path.exists():
                raise
            continue  # the bookkeeper removed it: all that it opened is closed
        for damage in scan.damages:
            if damage.is_newer:
                raise damage.to_error()
        books.damages += scan.damages
        for record in scan.records:
            books.take(record)
    return books


def whole_fragments(path: Path, opened: SegmentOpened, fragments: Sequence[FragmentWritten]) -> tuple[FragmentWritten, ...] | None:
    """`fragments` up to the last one whose bytes are there; None when file or header are lost.

    Looked at from the end backwards: what was journalled before it had been
    written before it.
    """
    try:
        with path.open("rb") as file:
            size_bytes = os.fstat(file.fileno()).st_size
            if range_sha256(file, 0, opened.header_bytes) != opened.header_sha256:
                return None
            for count in range(len(fragments), 0, -1):
                last = fragments[count - 1]
                if needed_bytes(opened.rendition, last) <= size_bytes and range_sha256(file, last.offset, last.length) == last.sha256:
                    return tuple(fragments[:count])
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the segment {path}: {error.strerror}") from error
    return ()


def needed_bytes(rendition: Rendition, fragment: FragmentWritten) -> int:
    """The file's size with `fragment` whole, the padding of its tar member included."""
    end = fragment.offset + fragment.length
    return -(-end // _TAR_BLOCK_BYTES) * _TAR_BLOCK_BYTES if rendition is Rendition.SEALED else end


def range_sha256(file: BinaryIO, offset: int, length: int) -> str:
    """SHA-256 of a range of `file`; of what is there when it ends before."""
    file.seek(offset)
    digest = hashlib.sha256()
    while length > 0 and (block := file.read(min(length, _READ_BYTES))):
        digest.update(block)
        length -= len(block)
    return digest.hexdigest()


def _close_segment(
    folder: DataFolder, segment: OpenSegment, finish: Finish, journal: JournalWriter, books: Books, clock: Clock
) -> SegmentClosed:
    opened = segment.opened
    whole = whole_fragments(folder.root / opened.path, opened, segment.fragments)
    if whole is None:
        closed = SegmentClosed(opened.segment_id, opened.wall_us, 0, 0, 0, SegmentEnd.RECOVERED, "")
        detail = json.dumps({"path": opened.path, "fragments": len(segment.fragments)})
        journal.append(Act(f"lost-{opened.segment_id}", "segment_lost", clock.wall_us(), "lamppost", opened.segment_id, detail))
    else:
        closed = finish(opened, whole, SegmentEnd.RECOVERED)
    segment.fragments[:] = whole or ()
    # An older one was left open by a failed write, and others were recorded since.
    if books.latest.get(opened.camera) == opened.segment_id:
        # Gap first: were it second, a power loss between the two could leave the time unexplained.
        _open_gap_after(opened, closed.end_us, books, journal, clock)
    journal.append(closed)
    return closed


def _open_gap_after(opened: SegmentOpened, end_us: int, books: Books, journal: JournalWriter, clock: Clock) -> None:
    """Close the gaps that a whole fragment ended, and open one where the segment now ends."""
    books.last_end_us[opened.camera] = end_us
    whole = set(books.segments[opened.segment_id].fragments)
    for gap_id, open_gap in tuple(books.gaps.items()):
        resumed = open_gap.resumed
        if open_gap.gap.camera == opened.camera and resumed is not None and resumed in whole:
            journal.append(GapClosed(gap_id, max(open_gap.gap.start_us, resumed.start_us)))
            del books.gaps[gap_id]
    if not any(open_gap.gap.camera == opened.camera for open_gap in books.gaps.values()):
        _declare(opened.camera, end_us, books, journal, clock)


def _declare(camera: str, start_us: int, books: Books, journal: JournalWriter, clock: Clock) -> None:
    gap = GapOpened(timed_id(clock.wall_us()), camera, GapCause.RECORDER_DIED.value, start_us, "")
    journal.append(gap)
    books.gaps[gap.gap_id] = OpenGap(gap)


def _settle_gaps(books: Books, journal: JournalWriter, clock: Clock) -> tuple[GapOpened, ...]:
    """One open gap for each camera that the writer records, and no second one."""
    # It may have died between two segments, or in an earlier recovery.
    for camera, end_us in books.last_end_us.items():
        if not any(open_gap.gap.camera == camera for open_gap in books.gaps.values()):
            _declare(camera, end_us, books, journal, clock)
    latest: dict[str, GapOpened] = {}
    for open_gap in books.gaps.values():
        earlier = latest.get(open_gap.gap.camera)
        if earlier is not None:
            journal.append(GapClosed(earlier.gap_id, max(earlier.start_us, open_gap.gap.start_us)))
        latest[open_gap.gap.camera] = open_gap.gap
    return tuple(latest.values())


def _drop_orphans(folder: DataFolder, books: Books, journal: JournalWriter, clock: Clock) -> Iterator[str]:
    """Remove files of this writer that died before their journal record, and so hold a header alone."""
    candidates = [
        path
        for camera, rendition in sorted(books.places)
        for path in segment_files(folder, rendition, camera)
        if not path.with_suffix(".record").exists() and folder.relative(path) not in books.paths
    ]
    if not candidates:
        return
    named: set[str] = set()
    for other in writers(folder.journal):
        named |= read_books(folder, other).paths
    for path in candidates:
        relative = folder.relative(path)
        rendition = Rendition(relative.split("/", 1)[0])
        if relative in named or holds_footage(path, rendition):
            continue  # `check` tells of it: what could be opened is never deleted here
        detail = json.dumps({"path": relative})
        journal.append(Act(f"orphan-{path.stem}", "orphan_dropped", clock.wall_us(), "lamppost", relative, detail))
        remove_durable(path)
        yield relative


def _note_damage(folder: DataFolder, damage: Damage, journal: JournalWriter, clock: Clock) -> None:
    get_logger("store").error("the journal is damaged", problem=damage.to_error().problem)
    with contextlib.suppress(ValueError):
        relative = folder.relative(damage.path)
        act_id = f"damage-{damage.path.stem}-{damage.start}"
        detail = json.dumps({"start": damage.start, "end": damage.end})
        journal.append(Act(act_id, "journal_damaged", clock.wall_us(), "lamppost", relative, detail))
