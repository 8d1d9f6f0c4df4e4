"""A live stream read as a subscriber reads it: piece by piece, box by box."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, fields

from lamppost.model.media import MaskedPacket, Packet
from lamppost.record.fmp4 import boxes, opens_with_keyframe

NTP_EPOCH_US = 2_208_988_800_000_000


def masked(packet: Packet) -> MaskedPacket:
    """The same packet, as if the masked encoder had made it."""
    return MaskedPacket(**{field.name: getattr(packet, field.name) for field in fields(packet)})


@dataclass(frozen=True, slots=True)
class Seen:
    """One fragment: the time that it is stamped with, where it stands on the timeline, and its number in the run."""

    wall_us: int
    media_90k: int
    number: int
    is_keyframe: bool
    size_bytes: int


class LiveReader:
    """Puts pieces together; `init` is `ftyp` and `moov`, once they came."""

    def __init__(self) -> None:
        self.init = b""
        self.fragments: list[Seen] = []
        self.whole_bytes = 0  # of init and fragments so far
        self._rest = b""

    def take(self, piece: bytes) -> list[Seen]:
        """The fragments that `piece` completes."""
        self._rest += piece
        fresh: list[Seen] = []
        for kind, start, end in self._groups():
            if kind == b"init":
                assert not self.init, "a stream has one init segment"
                self.init = self._rest[start:end]
            else:
                fresh.append(_seen(self._rest[start:end]))
        self.fragments += fresh
        return fresh

    @property
    def is_whole(self) -> bool:
        """Whether nothing is left of a fragment that was begun."""
        return not self._rest

    def _groups(self) -> Iterator[tuple[bytes, int, int]]:
        begun, done = 0, 0
        for kind, _start, end in boxes(self._rest):
            assert kind in (b"ftyp", b"moov", b"prft", b"moof", b"mdat"), kind
            if kind in (b"moov", b"mdat"):
                yield (b"init" if kind == b"moov" else b"fragment"), begun, end
                begun = done = end
        self.whole_bytes += done
        self._rest = self._rest[done:]


def _seen(data: bytes) -> Seen:
    assert [kind for kind, _, _ in boxes(data)] == [b"prft", b"moof", b"mdat"]
    seconds, fraction, media_90k = struct.unpack(">IIQ", data[16:32])
    wall_us = seconds * 1_000_000 + round(fraction * 1_000_000 / 2**32) - NTP_EPOCH_US
    (number,) = struct.unpack_from(">I", data, 32 + 8 + 12)
    return Seen(wall_us, media_90k, number, opens_with_keyframe(data), len(data))
