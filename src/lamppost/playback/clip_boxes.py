"""Writes the head of a plain MP4, whose `moov` comes first: what every player, browser and phone takes.

Sources: ISO/IEC 14496-12 (boxes), and the `ilst` of titles and comments as
QuickTime writes it.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from typing import Final

from lamppost.base.clock import TICKS_PER_S, US_PER_S

_MOVIE_SCALE: Final = 1000
_EPOCH_S: Final = 2_082_844_800  # from 1904, where MP4 begins to count, to 1970
_MATRIX: Final = struct.pack(">9I", 0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000)
_LANGUAGE: Final = 0x55C4  # und
_SMALL: Final = 0xFFFF_FFFF - (16 << 20)  # so far 32 bits reach, with room for the head


@dataclass(slots=True)
class SampleTable:
    """The pictures of a clip as they come: one line each, and one chunk for each fragment of a file."""

    lengths: array[int] = field(default_factory=lambda: array("I"))
    durations_90k: array[int] = field(default_factory=lambda: array("I"))
    compositions_90k: array[int] = field(default_factory=lambda: array("i"))
    keyframes: array[int] = field(default_factory=lambda: array("I"))  # their numbers, from 1
    chunks: list[tuple[int, int, int]] = field(default_factory=list[tuple[int, int, int]])  # bytes, pictures, which entry (from 1)

    def add(self, length: int, duration_90k: int, composition_90k: int, *, is_sync: bool) -> None:
        """One picture."""
        self.lengths.append(length)
        self.durations_90k.append(duration_90k)
        self.compositions_90k.append(composition_90k)
        if is_sync:
            self.keyframes.append(len(self.lengths))

    @property
    def total_90k(self) -> int:
        return sum(self.durations_90k)

    @property
    def total_bytes(self) -> int:
        return sum(length for length, _, _ in self.chunks)


@dataclass(frozen=True, slots=True)
class ClipFacts:
    """What the head says of the pictures: their size, their descriptions, and what a person reads."""

    width_px: int
    height_px: int
    entries: tuple[bytes, ...]  # whole `avc1` boxes
    start_us: int
    skip_90k: int  # so much at the beginning is there to decode, and not to show
    title: str
    comment: str


def make_head(facts: ClipFacts, table: SampleTable) -> bytes:
    """`ftyp`, `moov` and the head of the `mdat`; what follows are the chunks, one after the other."""
    ftyp = _box(b"ftyp", b"isom" + struct.pack(">I", 0x200) + b"isomiso2avc1mp41")
    is_small = table.total_bytes < _SMALL
    mdat = struct.pack(">I4s", 8 + table.total_bytes, b"mdat") if is_small else struct.pack(">I4sQ", 1, b"mdat", 16 + table.total_bytes)
    # Its length does not depend on the offsets in it.
    first = len(ftyp) + len(_moov(facts, table, 0, is_small=is_small)) + len(mdat)
    return ftyp + _moov(facts, table, first, is_small=is_small) + mdat


def _moov(facts: ClipFacts, table: SampleTable, first: int, *, is_small: bool) -> bytes:
    created = facts.start_us // US_PER_S + _EPOCH_S
    shown = (table.total_90k - facts.skip_90k) * _MOVIE_SCALE // TICKS_PER_S
    mvhd = (
        struct.pack(">QQIQIHxxxxxxxxxx", created, created, _MOVIE_SCALE, shown, 0x1_0000, 0x100)
        + _MATRIX
        + bytes(24)
        + struct.pack(">I", 2)
    )
    return _box(
        b"moov",
        _full(b"mvhd", 1, 0, mvhd),
        _box(
            b"trak",
            _full(b"tkhd", 1, 3, _tkhd(facts, created, shown)),
            # The edit begins with the first picture to show; those before it are decoded alone.
            _box(b"edts", _full(b"elst", 1, 0, struct.pack(">IQqHH", 1, shown, facts.skip_90k, 1, 0))),
            _box(
                b"mdia",
                _full(b"mdhd", 1, 0, struct.pack(">QQIQHH", created, created, TICKS_PER_S, table.total_90k, _LANGUAGE, 0)),
                _full(b"hdlr", 0, 0, struct.pack(">I4s12x", 0, b"vide") + b"Lamppost\0"),
                _box(
                    b"minf",
                    _full(b"vmhd", 0, 1, bytes(8)),
                    _box(b"dinf", _full(b"dref", 0, 0, struct.pack(">I", 1), _full(b"url ", 0, 1))),
                    _box(b"stbl", *_stbl(facts, table, first, is_small=is_small)),
                ),
            ),
        ),
        _box(b"udta", _meta({b"\xa9nam": facts.title, b"\xa9cmt": facts.comment, b"\xa9too": "Lamppost"})),
    )


def _tkhd(facts: ClipFacts, created: int, shown: int) -> bytes:
    size = struct.pack(">II", facts.width_px << 16, facts.height_px << 16)
    return struct.pack(">QQIIQ8xHHHH", created, created, 1, 0, shown, 0, 0, 0, 0) + _MATRIX + size


def _stbl(facts: ClipFacts, table: SampleTable, first: int, *, is_small: bool) -> Iterable[bytes]:
    yield _full(b"stsd", 0, 0, struct.pack(">I", len(facts.entries)), *facts.entries)
    yield _full(b"stts", 0, 0, _runs(table.durations_90k, "I"))
    if any(table.compositions_90k):
        yield _full(b"ctts", 1, 0, _runs(table.compositions_90k, "i"))
    yield _full(b"stss", 0, 0, struct.pack(">I", len(table.keyframes)), _big_endian(table.keyframes))
    yield _full(b"stsc", 0, 0, _chunk_runs(table.chunks))
    yield _full(b"stsz", 0, 0, struct.pack(">II", 0, len(table.lengths)), _big_endian(table.lengths))
    offsets, position = list[int](), first
    for length, _, _ in table.chunks:
        offsets.append(position)
        position += length
    kind, letter = (b"stco", "I") if is_small else (b"co64", "Q")
    yield _full(kind, 0, 0, struct.pack(f">I{len(offsets)}{letter}", len(offsets), *offsets))


def _runs(values: array[int], letter: str) -> bytes:
    """How many follow each other of each value."""
    runs = [(sum(1 for _ in same), value) for value, same in groupby(values)]
    return struct.pack(">I", len(runs)) + b"".join(struct.pack(f">I{letter}", *run) for run in runs)


def _chunk_runs(chunks: Sequence[tuple[int, int, int]]) -> bytes:
    """From which chunk on (from 1) each has so many pictures of that entry."""
    runs: list[tuple[int, int, int]] = []
    for number, (_, pictures, entry) in enumerate(chunks, 1):
        if not runs or runs[-1][1:] != (pictures, entry):
            runs.append((number, pictures, entry))
    return struct.pack(">I", len(runs)) + b"".join(struct.pack(">III", *run) for run in runs)


def _meta(texts: dict[bytes, str]) -> bytes:
    items = [_box(kind, _box(b"data", struct.pack(">II", 1, 0), text.encode())) for kind, text in texts.items()]
    return _full(b"meta", 0, 0, _full(b"hdlr", 0, 0, struct.pack(">I4s4s9x", 0, b"mdir", b"appl")), _box(b"ilst", *items))


def _big_endian(values: array[int]) -> bytes:
    return struct.pack(f">{len(values)}I", *values)


def _box(kind: bytes, *contents: bytes) -> bytes:
    content = b"".join(contents)
    return struct.pack(">I4s", 8 + len(content), kind) + content


def _full(kind: bytes, version: int, flags: int, *contents: bytes) -> bytes:
    return _box(kind, struct.pack(">I", version << 24 | flags), *contents)
