"""Cuts the byte stream of an analyst's live socket into its init segment and whole fragments.

The stream is `ftyp moov`, then `prft moof mdat` for each picture (docs/design/formats.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.record.fmp4 import boxes, opens_with_keyframe

LARGEST_BYTES: Final = 16 << 20  # of one box: no picture is as large
_NTP_EPOCH_S: Final = 2_208_988_800
_LAST_OF: Final = {b"moov", b"mdat"}


class StreamMalformed(ValueError):
    """What comes is not what an analyst sends."""


@dataclass(frozen=True, slots=True)
class LiveInit:
    """`ftyp` and `moov` of a run, and what a player must be told of it."""

    data: bytes
    codec: str  # RFC 6381, such as avc1.640028
    width_px: int
    height_px: int


@dataclass(frozen=True, slots=True)
class LivePiece:
    """One masked picture: `prft`, `moof`, `mdat`. `decode_90k` counts from the start of the run."""

    data: bytes
    is_keyframe: bool
    wall_us: int
    decode_90k: int
    duration_90k: int

    @property
    def media(self) -> memoryview:
        """Without the `prft`."""
        return memoryview(self.data)[int.from_bytes(self.data[:4], "big") :]


class FragmentStream:
    """Takes pieces of any size; what is not whole yet waits."""

    def __init__(self) -> None:
        self._buffer = bytearray()
        self._begun = 0  # the unit that is being put together ends here, as far as it is whole

    def take(self, piece: bytes) -> list[LiveInit | LivePiece]:
        """What `piece` completes; raises `StreamMalformed`."""
        self._buffer += piece
        return list(self._units())

    def _units(self) -> Iterator[LiveInit | LivePiece]:
        while len(self._buffer) >= self._begun + 8:
            size, kind = struct.unpack_from(">I4s", self._buffer, self._begun)
            if not 8 <= size <= LARGEST_BYTES:
                raise StreamMalformed(f"a box {kind!r} of {size} bytes")
            if len(self._buffer) < self._begun + size:
                return
            self._begun += size
            if kind in _LAST_OF:
                unit = bytes(self._buffer[: self._begun])
                del self._buffer[: self._begun]
                self._begun = 0
                yield _init(unit) if kind == b"moov" else _fragment(unit)


def _init(data: bytes) -> LiveInit:
    at = data.find(b"avcC")
    track = data.find(b"tkhd")
    if at < 0 or track < 0 or len(data) < at + 8:
        raise StreamMalformed("an init segment that describes no H.264")
    profile, compatibility, level = data[at + 5], data[at + 6], data[at + 7]
    # The last two fields of `tkhd`, 16.16 fixed point; version 0 is 84 bytes long, version 1 96.
    end = track + (84 if data[track + 4] == 0 else 96) + 4
    width, height = struct.unpack_from(">II", data, end - 8)
    return LiveInit(data, f"avc1.{profile:02X}{compatibility:02X}{level:02X}", width >> 16, height >> 16)


def _fragment(data: bytes) -> LivePiece:
    found = {kind: start for kind, start, _ in boxes(data)}
    if not {b"prft", b"moof", b"mdat"} <= found.keys() or found[b"prft"] != 0:
        raise StreamMalformed("a fragment without its prft, moof or mdat")
    ntp = int.from_bytes(data[16:24], "big")
    seconds = (ntp >> 32) - _NTP_EPOCH_S
    wall_us = seconds * US_PER_S + ((ntp & 0xFFFF_FFFF) * US_PER_S >> 32)
    decode_at, run_at = data.find(b"tfdt"), data.find(b"trun")
    if decode_at < 0 or run_at < 0:
        raise StreamMalformed("a fragment without its times")
    decode_90k = int.from_bytes(data[decode_at + 8 : decode_at + 16], "big")
    # After version and flags, the count and the data offset: the duration of the first sample.
    duration_90k = int.from_bytes(data[run_at + 16 : run_at + 20], "big")
    return LivePiece(data, opens_with_keyframe(data), wall_us, decode_90k, duration_90k)
