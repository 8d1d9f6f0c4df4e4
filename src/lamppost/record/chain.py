"""The chain of segment records: each names the one before, so none can vanish unseen."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

from lamppost.base.errors import ShareMismatch, StoreError
from lamppost.model.books import FragmentWritten, Rendition, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.record.segment_record import read_unverified

_LOOK_BACK = 64  # ids sort by time, but a wall clock may have stepped back a little


@dataclass(slots=True, eq=False)
class UnendedSegment:
    """A segment whose file is closed and whose end is not in the books yet; `closed` once its record is durable."""

    opened: SegmentOpened
    fragments: tuple[FragmentWritten, ...]
    end: SegmentEnd
    previous_sha256: str  # of the record before it, when it was to be ended
    is_journalled: bool = True  # whether the journal has `opened`
    closed: SegmentClosed | None = None


class RecordChain:
    """Where one camera's rendition stands: the next sequence number and the last record's hash.

    One segment at a time; `take` when it is opened, `advance` when its record is
    durable. What its writers could not end waits in `unended`, oldest first, for `SegmentEndings`.
    """

    def __init__(self, sequence: int = 0, previous_sha256: str = "") -> None:
        self._sequence = sequence
        self._recorded = sequence - 1
        self._previous_sha256 = previous_sha256
        self.unended: list[UnendedSegment] = []

    @property
    def previous_sha256(self) -> str:
        """Of the last record's file; empty before the first."""
        return self._previous_sha256

    def take(self) -> int:
        """The sequence number of a segment that is opened now."""
        self._sequence += 1
        return self._sequence - 1

    def is_next(self, sequence: int) -> bool:
        """Whether no later segment than `sequence` has a record."""
        return sequence > self._recorded

    def advance(self, sequence: int, record_sha256: str) -> None:
        """The record of segment `sequence` is durable; one that comes behind later ones changes nothing for the next."""
        if self.is_next(sequence):
            self._sequence = max(self._sequence, sequence + 1)
            self._recorded = sequence
            self._previous_sha256 = record_sha256


def load_chain(folder: DataFolder, camera: str, rendition: Rendition) -> RecordChain:
    """The chain as the newest records on disk leave it, those of deleted segments among them; raises `StoreError`."""
    last = _last_record(folder, camera, rendition, below=None)
    return RecordChain() if last is None else RecordChain(last[0] + 1, last[1])


def previous_record_sha256(folder: DataFolder, opened: SegmentOpened) -> str:
    """Of the record before the one of `opened`, for recovery; empty when it is the first."""
    last = _last_record(folder, opened.camera, opened.rendition, below=opened.sequence)
    return "" if last is None else last[1]


def _last_record(folder: DataFolder, camera: str, rendition: Rendition, *, below: int | None) -> tuple[int, str] | None:
    last: tuple[int, str] | None = None
    kept = folder.last_record(camera, rendition)
    for path in (kept, *islice(_newest_first(kept.parent), _LOOK_BACK)):
        try:
            note = path.read_bytes()
            sequence = read_unverified(note).sequence
        except FileNotFoundError:
            continue  # there is no copy, or retention has deleted it since: never the newest without leaving its copy
        except (OSError, ShareMismatch) as error:
            raise StoreError(f"cannot read the segment record {path}: {error}", remedy="run `lamppost check`") from error
        is_newer = last is None or sequence > last[0]
        if is_newer and (below is None or sequence < below):
            last = sequence, hashlib.sha256(note).hexdigest()
    return last


def _newest_first(camera_folder: Path) -> list[Path]:
    found: list[Path] = []
    if not camera_folder.is_dir():
        return found
    for day in sorted(camera_folder.iterdir(), reverse=True):
        if day.is_dir():
            found += sorted(day.glob("*.record"), reverse=True)
        if len(found) >= _LOOK_BACK:
            break
    return found
