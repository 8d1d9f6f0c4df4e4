"""Cuts the byte stream of an analyst's live socket into its init segment and whole fragments.

The stream is `ftyp moov`, then `prft moof mdat` for each picture (docs/design/formats.md).
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from lamppost.base.errors import StoreError
from lamppost.playback.boxes import pictures_of, read_moof
from lamppost.record.fmp4 import boxes, prft_wall_us

LARGEST_BYTES: Final = 16 << 20  # of one box: no picture is as large
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
    try:
        pictures = pictures_of(data)
    except StoreError as error:
        raise StreamMalformed("an init segment that describes no H.264") from error
    return LiveInit(data, pictures.codec, pictures.width_px, pictures.height_px)


def _fragment(data: bytes) -> LivePiece:
    found = {kind: (start, end) for kind, start, end in boxes(data)}
    if not {b"prft", b"moof", b"mdat"} <= found.keys() or found[b"prft"][0] != 0:
        raise StreamMalformed("a fragment without its prft, moof or mdat")
    start, end = found[b"moof"]
    try:
        moof = read_moof(data[start:end])
    except StoreError as error:
        raise StreamMalformed("a fragment without its times") from error
    if not moof.samples:
        raise StreamMalformed("a fragment without a picture")
    first = moof.samples[0]
    return LivePiece(data, first.is_sync, prft_wall_us(data), moof.decode_90k, first.duration_90k)
