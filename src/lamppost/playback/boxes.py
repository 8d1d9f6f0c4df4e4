"""Reads the boxes that `record` writes: what a file's pictures are, and what a fragment holds.

Sources: ISO/IEC 14496-12 (boxes), 14496-15 (`avc1`, `avcC`), RFC 6381 (names of codecs).
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

from lamppost.base.errors import StoreError
from lamppost.record.fmp4 import boxes

_ENTRY_PATH: Final = (b"moov", b"trak", b"mdia", b"minf", b"stbl", b"stsd")
_ENTRY_FIELDS: Final = 8 + 78  # of a visual sample entry, before the boxes in it
_DEPENDS: Final = 0x0001_0000  # of a sample's flags: it is no sync sample
_TRUN_ALL: Final = 0x000F01
DECODE_TIME_AT: Final = 8 + 16 + 8 + 16 + 12
"""Where a fragment's decode time stands: after the heads of `moof`, `traf` and `tfdt`, and after `mfhd` and `tfhd`."""


@dataclass(frozen=True, slots=True)
class Pictures:
    """What a decoder must know before the first fragment; `entry` is the whole `avc1` box, `decoder` the content of its `avcC`."""

    width_px: int
    height_px: int
    codec: str  # `avc1.640028`
    entry: bytes
    decoder: bytes


@dataclass(frozen=True, slots=True)
class Sample:
    """One picture in a fragment; `offset` counts from the first byte of the `moof`."""

    offset: int
    length: int
    duration_90k: int
    composition_90k: int
    is_sync: bool


@dataclass(frozen=True, slots=True)
class Moof:
    """The head of a fragment."""

    decode_90k: int
    samples: tuple[Sample, ...]


def pictures_of(header: bytes) -> Pictures:
    """Of `ftyp` and `moov`; raises `StoreError` for what is no H.264 video of ours."""
    stsd = _inside(header, *_ENTRY_PATH)
    # Version, flags and the number of entries come before the first one.
    entry = next((header[start:end] for kind, start, end in boxes(header, stsd[0] + 8, stsd[1]) if kind == b"avc1"), b"") if stsd else b""
    decoder = next((entry[start + 8 : end] for kind, start, end in boxes(entry, _ENTRY_FIELDS) if kind == b"avcC"), b"")
    if len(decoder) < 7:
        raise StoreError("a masked segment does not say what its pictures are", remedy="run `lamppost check`")
    width_px, height_px = struct.unpack_from(">HH", entry, 32)
    return Pictures(width_px, height_px, f"avc1.{decoder[1:4].hex().upper()}", entry, decoder)


def read_moof(moof: bytes) -> Moof:
    """Of a whole `moof` box as `record` writes it; raises `StoreError` for another."""
    tfdt, trun = _inside(moof, b"moof", b"traf", b"tfdt"), _inside(moof, b"moof", b"traf", b"trun")
    if tfdt is None or trun is None or int.from_bytes(moof[trun[0] + 1 : trun[0] + 4], "big") != _TRUN_ALL:
        raise StoreError("a fragment of a masked segment cannot be read", remedy="run `lamppost check`")
    (decode_90k,) = struct.unpack_from(">Q", moof, tfdt[0] + 4)
    count, offset = struct.unpack_from(">Ii", moof, trun[0] + 4)
    samples: list[Sample] = []
    for duration, length, flags, composition in struct.iter_unpack(">IIIi", moof[trun[0] + 12 : trun[0] + 12 + 16 * count]):
        samples.append(Sample(offset, length, duration, composition, not flags & _DEPENDS))
        offset += length
    return Moof(decode_90k, tuple(samples))


def _inside(data: bytes, *path: bytes) -> tuple[int, int] | None:
    """Where the content of a box begins and ends, found by the kinds of those around it."""
    start, end = 0, len(data)
    for kind in path:
        found = next(((first, last) for each, first, last in boxes(data, start, end) if each == kind), None)
        if found is None:
            return None
        start, end = found[0] + 8, found[1]
    return start, end
