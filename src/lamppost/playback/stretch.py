"""What there is to watch of a camera in an interval: files and their fragments in the order of time, and what is missing."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.playback.parts import Part, PartsShelf, SegmentParts
from lamppost.store.footage import Footage
from lamppost.store.intervals import Span

APART_US: Final = 500_000
"""As little as this between two files is the unknown duration of a last picture."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Some fragments of one file that follow each other; the first is a keyframe."""

    file: SegmentParts
    parts: tuple[Part, ...]

    @property
    def start_us(self) -> int:
        return self.parts[0].start_us

    @property
    def end_us(self) -> int:
        return max(part.end_us for part in self.parts)


@dataclass(frozen=True, slots=True)
class Stretch:
    """The pieces of an interval; the first may begin before it, at a keyframe."""

    camera: str
    from_us: int
    to_us: int
    pieces: tuple[Piece, ...]

    @property
    def holes(self) -> tuple[Span, ...]:
        """What no piece has a picture of, of more than half a second each."""
        return tuple(_holes(self.pieces, self.from_us, self.to_us))


def find_stretch(footage: Footage, shelf: PartsShelf, camera: str, from_us: int, to_us: int) -> Stretch:
    """What there is in [from_us, to_us). A file that goes meanwhile is left out. Raises `StoreError`."""
    pieces: list[Piece] = []
    for segment in footage.segments(camera, from_us, to_us):
        file = shelf.of(segment)
        parts = file.within(from_us, to_us) if file is not None else ()
        if file is not None and parts:
            pieces.append(Piece(file, parts))
    return Stretch(camera, from_us, to_us, tuple(pieces))


def _holes(pieces: Sequence[Piece], from_us: int, to_us: int) -> Iterator[Span]:
    seen_us = from_us
    for piece in pieces:
        if piece.start_us - seen_us > APART_US:
            yield seen_us, piece.start_us
        seen_us = max(seen_us, piece.end_us)
    if to_us - seen_us > APART_US:
        yield seen_us, to_us
