"""Finds what was sealed of an interval by the files alone: signed records, and tars still growing.

It needs no index, so it works on a copy of the data folder that was carried to
a machine without a network.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from itertools import pairwise
from pathlib import Path

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError, ShareMismatch, StoreError
from lamppost.model.books import Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.record.segment_record import SegmentRecord, record_path, verify_record
from lamppost.record.tar import INIT_NAME, part_name, whole_members
from lamppost.seal.notes import VerifierKey, verify_note

_DAY_S = 86_400
_LONGEST_PART_US = 2 * US_PER_S


@dataclass(frozen=True, slots=True)
class SealedPart:
    """One sealed fragment in a file.

    Without a record its times are known to the second only, its hash and
    `is_sync` not at all.
    """

    offset: int
    length: int
    sha256: str
    start_us: int
    end_us: int
    frames: int
    is_sync: bool | None


@dataclass(frozen=True, slots=True)
class FoundSegment:
    """A sealed segment on disk; `record` is None while it is being written, or after a crash."""

    path: Path
    record: SegmentRecord | None
    record_sha256: str
    init_offset: int
    init_length: int
    first_number: int  # of its first part within the run
    parts: tuple[SealedPart, ...]

    @property
    def segment_id(self) -> str:
        return self.path.stem

    def overlaps(self, from_us: int, to_us: int) -> bool:
        return any(part.start_us < to_us and part.end_us > from_us for part in self.parts)


def find_segments(folder: DataFolder, camera: str, from_us: int, to_us: int, recorder: VerifierKey) -> list[FoundSegment]:
    """The sealed segments of `camera` that overlap the interval, in recorded order.

    Raises `ConfigError` for a camera that was never recorded here, and
    `ShareMismatch` when a record is not what the recorder signed.
    """
    root = folder.root / Rendition.SEALED.value
    if not (root / camera).is_dir():
        known = sorted(path.name for path in root.iterdir() if path.is_dir()) if root.is_dir() else []
        raise ConfigError(
            f"there are no sealed recordings of camera {camera!r} in {folder.root}",
            remedy=f"recorded here: {', '.join(known)}" if known else "name the data folder, or a copy of it",
        )
    found = [_read(path, camera, recorder) for path in _candidates(root / camera, from_us, to_us)]
    overlapping = [segment for segment in found if segment.overlaps(from_us, to_us)]
    overlapping.sort(key=lambda segment: (segment.parts[0].start_us, segment.segment_id))
    _check_chain(overlapping)
    return overlapping


def group_runs(segments: list[FoundSegment]) -> list[list[FoundSegment]]:
    """The segments of each run. One without a record belongs to the run whose parts it counts on from."""
    runs: list[list[FoundSegment]] = []
    for segment in segments:
        if runs and _continues(runs[-1][-1], segment):
            runs[-1].append(segment)
        else:
            runs.append([segment])
    return runs


def _continues(earlier: FoundSegment, later: FoundSegment) -> bool:
    if earlier.record is not None and later.record is not None:
        return earlier.record.run_id == later.record.run_id
    return later.first_number > 1 and later.first_number == earlier.first_number + len(earlier.parts)


def _candidates(camera_folder: Path, from_us: int, to_us: int) -> Iterator[Path]:
    # A segment lies in the folder of the day on which it began.
    first = datetime.fromtimestamp(max(0, from_us // US_PER_S - _DAY_S), UTC)
    last = datetime.fromtimestamp(max(0, to_us // US_PER_S), UTC)
    for day in sorted(camera_folder.iterdir()):
        if day.is_dir() and f"{first:%Y-%m-%d}" <= day.name <= f"{last:%Y-%m-%d}":
            yield from sorted(day.glob("*.tar"))


def _read(path: Path, camera: str, recorder: VerifierKey) -> FoundSegment:
    try:
        note_path = record_path(path)
        note = note_path.read_bytes() if note_path.exists() else None
        with path.open("rb") as file:
            members = list(whole_members(file))
    except OSError as error:
        raise StoreError(f"cannot read the segment {path}: {error.strerror}", remedy="check the copy") from error
    parts_in_tar = [member for member in members if member.name != INIT_NAME]
    has_init = bool(members) and members[0].name == INIT_NAME
    if note is None:
        starts = [member.mtime_s * US_PER_S for member in parts_in_tar]
        ends = [start + US_PER_S for start in starts[1:]] + [start + _LONGEST_PART_US for start in starts[-1:]]
        parts = tuple(
            SealedPart(member.offset, member.length, "", start, end, 0, None)
            for member, start, end in zip(parts_in_tar, starts, ends, strict=True)
        )
        record = None
    else:
        record = _verified(path, camera, note, recorder)
        parts = tuple(SealedPart(p.offset, p.length, p.sha256, p.start_us, p.end_us, p.frames, p.is_sync) for p in record.fragments)
        if not has_init or [(p.offset, p.length) for p in parts] != [(m.offset, m.length) for m in parts_in_tar]:
            raise ShareMismatch(f"segment {path.stem} of camera {camera} is cut or altered", remedy="use an intact copy")
        _check_header(path, camera, record)
    return FoundSegment(
        path=path,
        record=record,
        record_sha256="" if note is None else hashlib.sha256(note).hexdigest(),
        init_offset=members[0].offset if has_init else 0,
        init_length=members[0].length if has_init else 0,
        first_number=_number(parts_in_tar[0].name) if parts_in_tar else 0,
        parts=parts if has_init else (),
    )


def _verified(path: Path, camera: str, note: bytes, recorder: VerifierKey) -> SegmentRecord:
    try:
        record = verify_record(note, partial(verify_note, public=recorder))
    except ShareMismatch as error:
        raise ShareMismatch(
            f"the record of segment {path.stem} of camera {camera}: {error.problem}", remedy=error.remedy or "use an intact copy"
        ) from error
    if (record.segment_id, record.camera, record.rendition) != (path.stem, camera, Rendition.SEALED) or record.epoch_id is None:
        raise ShareMismatch(f"the record beside {path} is of another segment", remedy="use an intact copy")
    return record


def _check_header(path: Path, camera: str, record: SegmentRecord) -> None:
    with path.open("rb") as file:
        header = file.read(record.header_bytes)
    if hashlib.sha256(header).hexdigest() != record.header_sha256:
        raise ShareMismatch(f"the start of segment {path.stem} of camera {camera} is altered", remedy="use an intact copy")


def _check_chain(segments: list[FoundSegment]) -> None:
    for earlier, later in pairwise(segments):
        if earlier.record is None or later.record is None or later.record.sequence != earlier.record.sequence + 1:
            continue
        # A segment that a full disk kept from ending is ended by recovery, after its successor's record was written.
        if earlier.record.end is SegmentEnd.RECOVERED:
            continue
        if later.record.previous_sha256 != earlier.record_sha256:
            raise ShareMismatch(
                f"the record of segment {later.segment_id} does not follow that of {earlier.segment_id}",
                remedy="use an intact copy",
            )


def _number(name: str) -> int:
    digits = name.removeprefix("part-").partition(".")[0]
    return int(digits) if digits.isdigit() and part_name(int(digits)) == name else 0
