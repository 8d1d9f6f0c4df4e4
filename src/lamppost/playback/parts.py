"""Knows where the fragments of masked segments lie, without asking anything but the files themselves.

For a closed segment that stands in its record; an open one is walked box by box,
up to where the index says that its last whole fragment ends. Nothing beyond is
ever looked at: it may be torn.
"""

from __future__ import annotations

import hashlib
import os
import threading
from collections import OrderedDict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

from lamppost.base.clock import us_from_90k
from lamppost.base.errors import ShareMismatch, StoreError
from lamppost.model.books import FragmentWritten
from lamppost.model.layout import DataFolder
from lamppost.playback.boxes import Pictures, pictures_of, read_moof
from lamppost.record.segment_record import read_unverified, record_path
from lamppost.store.footage import MaskedSegment

MOST_KEPT: Final = 200_000  # parts, of a hundred bytes or two each
_LARGEST_HEADER: Final = 1 << 20
_LARGEST_MOOF: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Part:
    """One whole fragment of a segment: `length` bytes at `offset`; its place on the file's timeline, and in time."""

    offset: int
    length: int
    start_us: int
    end_us: int
    decode_90k: int
    duration_90k: int
    frames: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class SegmentParts:
    """A masked file, its pictures, and its whole fragments in the order of time."""

    segment: MaskedSegment
    path: Path
    pictures: Pictures
    parts: tuple[Part, ...]

    def within(self, from_us: int, to_us: int) -> tuple[Part, ...]:
        """Those to decode for [from_us, to_us): from the keyframe at or before `from_us`, or the first one, to the last before `to_us`."""
        first = max((number for number, part in enumerate(self.parts) if part.is_sync and part.start_us <= from_us), default=0)
        chosen = tuple(part for part in self.parts[first:] if part.start_us < to_us)
        return chosen if chosen and chosen[-1].end_us > from_us else ()


class PartsShelf:
    """Remembers the parts of the segments that were asked for last. Serves several threads."""

    def __init__(self, folder: DataFolder, *, most_parts: int = MOST_KEPT) -> None:
        self._folder, self._most_parts = folder, most_parts
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int], SegmentParts] = OrderedDict()
        self._held = 0

    def of(self, segment: MaskedSegment) -> SegmentParts | None:
        """The parts of `segment`; None when its file is not there any more. Raises `StoreError` when it cannot be read."""
        # An open one grows: each of its lengths is another entry.
        key = (segment.segment_id, segment.size_bytes)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        read = read_parts(self._folder, segment)
        if read is not None:
            self._keep(key, read)
        return read

    def _keep(self, key: tuple[str, int], read: SegmentParts) -> None:
        with self._lock:
            if key not in self._kept:
                self._held += len(read.parts)
            self._kept[key] = read
            while self._held > self._most_parts and len(self._kept) > 1:
                _, oldest = self._kept.popitem(last=False)
                self._held -= len(oldest.parts)


def read_parts(folder: DataFolder, segment: MaskedSegment) -> SegmentParts | None:
    """The parts of `segment`, read from its files; None when they are gone. Raises `StoreError`."""
    path = folder.root / segment.path
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the segment {path}: {error.strerror}", remedy="look at the disk") from error
    try:
        whole_bytes = min(segment.size_bytes, os.fstat(descriptor).st_size)
        if segment.header_bytes > _LARGEST_HEADER:
            raise StoreError(f"the segment {path} cannot be read", remedy="run `lamppost check`")
        pictures = pictures_of(os.pread(descriptor, segment.header_bytes, 0))
        recorded = None if segment.is_open else _recorded(path, segment)
        parts = _walked(descriptor, segment, whole_bytes) if recorded is None else recorded
    except OSError as error:
        raise StoreError(f"cannot read the segment {path}: {error.strerror}", remedy="look at the disk") from error
    finally:
        os.close(descriptor)
    return SegmentParts(segment, path, pictures, tuple(part for part in parts if part.offset + part.length <= whole_bytes))


def _recorded(path: Path, segment: MaskedSegment) -> tuple[Part, ...] | None:
    """As the record beside the file says; None when there is none, or another than the index knows."""
    try:
        note = record_path(path).read_bytes()
        if hashlib.sha256(note).hexdigest() != segment.record_sha256:
            return None
        record = read_unverified(note)
    except (OSError, ShareMismatch):
        return None
    return tuple(_timed(record.fragments))


def _timed(fragments: tuple[FragmentWritten, ...]) -> Iterator[Part]:
    # A masked file's timeline begins with its first picture, and its pictures are shown in the order of decoding.
    origin_90k = fragments[0].first_pts_90k if fragments else 0
    for each, later in pairwise((*fragments, None)):
        assert each is not None  # noqa: S101 - only the last of the line is none
        lasts_90k = (each.end_us - each.start_us) * 9 // 100 if later is None else later.first_pts_90k - each.first_pts_90k
        yield Part(
            offset=each.offset,
            length=each.length,
            start_us=each.start_us,
            end_us=each.end_us,
            decode_90k=each.first_pts_90k - origin_90k,
            duration_90k=max(1, lasts_90k),
            frames=each.frames,
            is_sync=each.is_sync,
        )


def _walked(descriptor: int, segment: MaskedSegment, whole_bytes: int) -> tuple[Part, ...]:
    """As the boxes of the file say, up to `whole_bytes` and not a byte further."""
    parts: list[Part] = []
    position = segment.header_bytes
    while True:
        moof_bytes = _length_of(descriptor, position, b"moof", whole_bytes)
        mdat_bytes = _length_of(descriptor, position + moof_bytes, b"mdat", whole_bytes) if moof_bytes else 0
        if not mdat_bytes or moof_bytes > _LARGEST_MOOF:
            return tuple(parts)
        moof = read_moof(os.pread(descriptor, moof_bytes, position))
        lasts_90k = sum(sample.duration_90k for sample in moof.samples)
        start_us = segment.start_us + us_from_90k(moof.decode_90k)
        parts.append(
            Part(
                offset=position,
                length=moof_bytes + mdat_bytes,
                start_us=start_us,
                end_us=start_us + us_from_90k(lasts_90k),
                decode_90k=moof.decode_90k,
                duration_90k=max(1, lasts_90k),
                frames=len(moof.samples),
                is_sync=bool(moof.samples) and moof.samples[0].is_sync,
            )
        )
        position += moof_bytes + mdat_bytes


def _length_of(descriptor: int, position: int, kind: bytes, whole_bytes: int) -> int:
    """The length of the whole box of that kind at `position`; 0 where there is none."""
    head = os.pread(descriptor, 8, position) if position + 8 <= whole_bytes else b""
    length = int.from_bytes(head[:4], "big")
    return length if head[4:] == kind and length >= 8 and position + length <= whole_bytes else 0
