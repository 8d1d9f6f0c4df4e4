"""Writes HLS playlists (RFC 8216) of masked video: byte ranges of the files as they are, and nothing is copied.

Each file has a timeline of its own, and players stumble where one begins again
every minute. So the files are asked for with a shift of their times, which makes
one timeline of all of them; a discontinuity stands where a run ends or a picture
changes. A hole is passed over; asked to, it is told as `EXT-X-GAP`, which not
every player knows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import TICKS_PER_S, US_PER_S, format_utc
from lamppost.playback.parts import Part
from lamppost.playback.stretch import APART_US, Piece, Stretch

VERSION: Final = 7
GAP_VERSION: Final = 8
WANTED_90K: Final = 4 * TICKS_PER_S
_LONGEST_GAP_S: Final = 6.0
_MOST_GAP_ENTRIES: Final = 1000


@dataclass(frozen=True, slots=True)
class Chunk:
    """A media segment of HLS: fragments that lie one after the other, the first a keyframe."""

    offset: int
    length: int
    start_us: int
    duration_90k: int


@dataclass(frozen=True, slots=True)
class Placed:
    """A piece, by how much its file's times are shifted, and whether a player must begin anew with it."""

    piece: Piece
    shift_90k: int
    is_new: bool


@dataclass(frozen=True, slots=True)
class _Entry:
    """Lines of one media segment, and how long it lasts."""

    lines: tuple[str, ...]
    lasts_s: float


def chunks_of(parts: tuple[Part, ...], wanted_90k: int = WANTED_90K) -> tuple[Chunk, ...]:
    """`parts` in groups of about `wanted_90k`, cut at keyframes alone."""
    groups: list[list[Part]] = []
    lasts_90k = 0
    for part in parts:
        if not groups or (part.is_sync and 2 * lasts_90k + part.duration_90k > 2 * wanted_90k):
            groups.append([])
            lasts_90k = 0
        groups[-1].append(part)
        lasts_90k += part.duration_90k
    return tuple(
        Chunk(
            offset=group[0].offset,
            length=group[-1].offset + group[-1].length - group[0].offset,
            start_us=group[0].start_us,
            duration_90k=sum(part.duration_90k for part in group),
        )
        for group in groups
    )


Address = Callable[[str, int], str]
"""The address of the file of a segment's id, its times shifted by so many ticks, relative to that of the playlist."""


def write_playlist(stretch: Stretch, address: Address, *, tells_gaps: bool = False) -> str:
    """The playlist of `stretch`."""
    entries = tuple(_entries(stretch, address, tells_gaps=tells_gaps))
    longest_s = max((entry.lasts_s for entry in entries), default=1.0)
    lines = [
        "#EXTM3U",
        f"#EXT-X-VERSION:{GAP_VERSION if tells_gaps else VERSION}",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest_s))}",
        "#EXT-X-MEDIA-SEQUENCE:0",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    if stretch.pieces and stretch.pieces[0].start_us < stretch.from_us:
        lines.append(f"#EXT-X-START:TIME-OFFSET={(stretch.from_us - stretch.pieces[0].start_us) / US_PER_S:.3f},PRECISE=YES")
    for entry in entries:
        lines += entry.lines
    return "\n".join((*lines, "#EXT-X-ENDLIST", ""))


def place(pieces: Sequence[Piece]) -> Iterator[Placed]:
    """Put the pieces on one timeline, which begins with the first: those of a run without a seam, others where they were taken."""
    before: Piece | None = None
    end_90k = 0
    for piece in pieces:
        is_new = before is None or not _goes_on(before, piece)
        begin_90k = max(end_90k, (piece.start_us - pieces[0].start_us) * 9 // 100) if is_new else end_90k
        yield Placed(piece, begin_90k - piece.parts[0].decode_90k, is_new)
        before, end_90k = piece, begin_90k + sum(part.duration_90k for part in piece.parts)


def _goes_on(before: Piece, piece: Piece) -> bool:
    """Whether nothing changes between the two for who decodes them."""
    earlier, later = before.file, piece.file
    is_one_run = earlier.segment.run_id == later.segment.run_id and earlier.pictures.entry == later.pictures.entry
    return is_one_run and piece.start_us - before.end_us <= APART_US


def _entries(stretch: Stretch, address: Address, *, tells_gaps: bool) -> Iterator[_Entry]:
    holes = list(stretch.holes) if tells_gaps else []
    uri = ""
    for placed in place(stretch.pieces):
        is_first = not uri
        uri = address(placed.piece.file.segment.segment_id, placed.shift_90k)
        while holes and holes[0][0] < placed.piece.start_us:
            yield from _gap_entries(*holes.pop(0), uri, is_first=is_first)
            is_first = False
        yield from _piece_entries(placed, uri, is_first=is_first)
    for hole in holes if uri else ():
        yield from _gap_entries(*hole, uri, is_first=False)


def _piece_entries(placed: Placed, uri: str, *, is_first: bool) -> Iterator[_Entry]:
    head: list[str] = []
    if placed.is_new:
        head += [] if is_first else ["#EXT-X-DISCONTINUITY"]
        head.append(f'#EXT-X-MAP:URI="{uri}",BYTERANGE="{placed.piece.file.segment.header_bytes}@0"')
    for chunk in chunks_of(placed.piece.parts):
        lasts_s = chunk.duration_90k / TICKS_PER_S
        time = f"#EXT-X-PROGRAM-DATE-TIME:{format_utc(chunk.start_us)}"
        yield _Entry((*head, time, f"#EXTINF:{lasts_s:.6f},", f"#EXT-X-BYTERANGE:{chunk.length}@{chunk.offset}", uri), lasts_s)
        head = []


def _gap_entries(start_us: int, end_us: int, uri: str, *, is_first: bool) -> Iterator[_Entry]:
    """A hole in parts that are no longer than other entries; a long one in at most a thousand. Nobody fetches their address."""
    whole_s = (end_us - start_us) / US_PER_S
    count = max(1, min(math.ceil(whole_s / _LONGEST_GAP_S), _MOST_GAP_ENTRIES))
    head = [] if is_first else ["#EXT-X-DISCONTINUITY"]
    for number in range(count):
        time = format_utc(start_us + (end_us - start_us) * number // count)
        lines = (*head, "#EXT-X-GAP", f"#EXT-X-PROGRAM-DATE-TIME:{time}", f"#EXTINF:{whole_s / count:.6f},", uri)
        yield _Entry(lines, whole_s / count)
        head = []
