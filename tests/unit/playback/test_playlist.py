"""A playlist names every byte of an interval once, begins each piece with a keyframe, and says where time jumps."""

from __future__ import annotations

import itertools
import re
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import parse_utc
from lamppost.playback.boxes import Pictures
from lamppost.playback.parts import Part, SegmentParts
from lamppost.playback.playlist import chunks_of, place, write_playlist
from lamppost.playback.stretch import Piece, Stretch
from lamppost.store.footage import MaskedSegment

S = 1_000_000
HEADER = 700
BEGIN_US = 1_700_000_000 * S


def made_file(
    number: int, start_us: int, lengths_ms: list[int], syncs: list[bool], run_id: str = "run", entry: bytes = b""
) -> SegmentParts:
    parts: list[Part] = []
    offset, decode_90k = HEADER, 0
    for index, (length_ms, is_sync) in enumerate(zip(lengths_ms, syncs, strict=True)):
        begin_us = start_us + decode_90k * 100 // 9
        part = Part(offset, 100 + index, begin_us, begin_us + length_ms * 1000, decode_90k, length_ms * 90, 10, is_sync or index == 0)
        parts.append(part)
        offset, decode_90k = offset + part.length, decode_90k + part.duration_90k
    segment = MaskedSegment(f"s{number}", "plaza", False, f"{number}.mp4", run_id, start_us, parts[-1].end_us, HEADER, offset, None)
    return SegmentParts(segment, Path(f"{number}.mp4"), Pictures(96, 64, "avc1.64000A", entry, b""), tuple(parts))


fragments = st.lists(st.tuples(st.integers(40, 2000), st.booleans()), min_size=1, max_size=20)


@st.composite
def stretches(draw: st.DrawFn) -> Stretch:
    pieces: list[Piece] = []
    at_us = BEGIN_US
    for number in range(draw(st.integers(1, 5))):
        at_us += draw(st.sampled_from([0, 3000, 700_000, 40 * S, 9 * 3600 * S]))
        drawn = draw(fragments)
        kind = draw(st.sampled_from([("a", b"1"), ("b", b"1"), ("b", b"2")]))
        file = made_file(number, at_us, [length for length, _ in drawn], [is_sync for _, is_sync in drawn], *kind)
        at_us = file.segment.end_us
        syncs = [number for number, part in enumerate(file.parts) if part.is_sync]
        first = draw(st.sampled_from(syncs)) if not pieces else 0
        pieces.append(Piece(file, file.parts[first:]))
    from_us = draw(st.sampled_from([pieces[0].start_us + 30_000, pieces[0].start_us, pieces[0].start_us - 90 * S]))
    to_us = draw(st.sampled_from([at_us, at_us + 100 * S]))
    return Stretch("plaza", from_us, max(to_us, from_us + 1), tuple(pieces))


@dataclass
class Entry:
    uri: str
    lasts_s: float
    offset: int
    length: int
    map_uri: str
    starts_anew: bool
    is_gap: bool
    time_us: int


def read_playlist(text: str) -> tuple[dict[str, str], list[Entry]]:
    """As a player reads it (RFC 8216), strictly."""
    lines = text.split("\n")
    assert lines[0] == "#EXTM3U"
    assert lines[-2:] == ["#EXT-X-ENDLIST", ""]
    head = dict(line[1:].split(":", 1) for line in lines[1:] if re.match(r"#EXT-X-(VERSION|TARGETDURATION|PLAYLIST-TYPE|START)", line))
    entries: list[Entry] = []
    entry = Entry("", 0, 0, 0, "", False, False, 0)
    for line in lines:
        if line.startswith("#EXT-X-MAP:"):
            uri, length = re.fullmatch(r'#EXT-X-MAP:URI="([^"]+)",BYTERANGE="(\d+)@0"', line).groups()  # type: ignore[union-attr]
            assert int(length) == HEADER
            entry.map_uri = uri
        elif line == "#EXT-X-DISCONTINUITY":
            entry.starts_anew = True
        elif line == "#EXT-X-GAP":
            entry.is_gap = True
        elif line.startswith("#EXTINF:"):
            entry.lasts_s = float(line[8:].rstrip(","))
        elif line.startswith("#EXT-X-PROGRAM-DATE-TIME:"):
            entry.time_us = parse_utc(line.split(":", 1)[1])
        elif line.startswith("#EXT-X-BYTERANGE:"):
            entry.length, entry.offset = map(int, line.split(":")[1].split("@"))
        elif line and not line.startswith("#"):
            entry.uri = line
            entries.append(entry)
            entry = Entry("", 0, 0, 0, entry.map_uri, False, False, 0)
    return head, entries


def address(segment: str, shift_90k: int) -> str:
    return f"seg/{segment}?{shift_90k}"


def changes(earlier: Piece, later: Piece) -> bool:
    one = earlier.file.segment.run_id, earlier.file.pictures.entry
    return one != (later.file.segment.run_id, later.file.pictures.entry) or later.start_us - earlier.end_us > 500_000


@given(stretches(), st.booleans())
def test_every_byte_once_and_told_wherever_a_player_begins_anew(stretch: Stretch, tells_gaps: bool) -> None:
    head, entries = read_playlist(write_playlist(stretch, address, tells_gaps=tells_gaps))
    shown = [entry for entry in entries if not entry.is_gap]
    assert all(0 < entry.lasts_s <= int(head["EXT-X-TARGETDURATION"]) for entry in entries)
    map_uri = ""
    for number, piece in enumerate(stretch.pieces):
        own = [entry for entry in shown if entry.uri.startswith(f"seg/{piece.file.segment.segment_id}?")]
        starts = {part.offset: part for part in piece.parts if part.is_sync}
        assert own[0].offset == piece.parts[0].offset
        assert [entry.offset + entry.length for entry in own] == [entry.offset for entry in own[1:]] + [piece.file.segment.size_bytes]
        assert all(entry.offset in starts for entry in own), "each begins with a keyframe"
        assert all(starts[entry.offset].start_us // 1000 == entry.time_us // 1000 for entry in own)
        assert abs(sum(entry.lasts_s for entry in own) - sum(part.duration_90k for part in piece.parts) / 90_000) < 1e-4
        is_new = number == 0 or changes(stretch.pieces[number - 1], piece)
        map_uri = own[0].uri if is_new else map_uri
        assert {entry.map_uri for entry in own} == {map_uri}, "a header of the same pictures"
        assert [entry.starts_anew for entry in own] == [is_new and own[0] is not entries[0], *[False] * (len(own) - 1)]


@given(stretches())
def test_all_files_lie_on_one_timeline_that_never_turns_back(stretch: Stretch) -> None:
    placed = list(place(stretch.pieces))
    spans: list[tuple[int, int]] = []
    for each in placed:
        parts = each.piece.parts
        spans.append((parts[0].decode_90k + each.shift_90k, parts[-1].decode_90k + parts[-1].duration_90k + each.shift_90k))
    assert spans[0][0] == 0
    for number, ((_, end_90k), (begin_90k, _)) in enumerate(itertools.pairwise(spans), 1):
        assert begin_90k >= end_90k
        if placed[number].is_new:
            assert abs(begin_90k - (stretch.pieces[number].start_us - stretch.pieces[0].start_us) * 9 / 100) < 90_000
        else:
            assert begin_90k == end_90k, "no seam within a run"


@given(stretches())
def test_holes_are_told_to_their_full_length_where_asked_for(stretch: Stretch) -> None:
    _, entries = read_playlist(write_playlist(stretch, address, tells_gaps=True))
    told_s = sum(entry.lasts_s for entry in entries if entry.is_gap)
    holes = stretch.holes
    assert abs(told_s - sum(end - start for start, end in holes) / S) < 0.01
    assert len(entries) < 1000 * (len(holes) + 1) + 200
    _, without = read_playlist(write_playlist(stretch, address))
    assert [entry.offset for entry in without] == [entry.offset for entry in entries if not entry.is_gap]
    assert not any(entry.is_gap for entry in without)


@given(stretches())
def test_it_starts_where_one_wants_to_look(stretch: Stretch) -> None:
    head, _ = read_playlist(write_playlist(stretch, address))
    early_us = stretch.from_us - stretch.pieces[0].start_us
    if early_us > 0:
        assert head["EXT-X-START"] == f"TIME-OFFSET={early_us / S:.3f},PRECISE=YES"
    else:
        assert "EXT-X-START" not in head


@given(fragments)
def test_chunks_are_of_seconds_where_keyframes_allow(drawn: list[tuple[int, bool]]) -> None:
    file = made_file(0, BEGIN_US, [length for length, _ in drawn], [is_sync for _, is_sync in drawn])
    chunks = chunks_of(file.parts)
    assert sum(chunk.length for chunk in chunks) == sum(part.length for part in file.parts)
    syncs = [part for part in file.parts if part.is_sync]
    longest_90k = max((later.decode_90k - earlier.decode_90k for earlier, later in itertools.pairwise(syncs)), default=0)
    tail_90k = file.parts[-1].decode_90k + file.parts[-1].duration_90k - syncs[-1].decode_90k
    assert all(chunk.duration_90k <= 4 * 90_000 + max(longest_90k, tail_90k) for chunk in chunks)


def test_a_second_a_fragment_makes_chunks_of_four() -> None:
    file = made_file(0, BEGIN_US, [1000] * 10, [True] * 10)
    assert [chunk.duration_90k // 90_000 for chunk in chunks_of(file.parts)] == [4, 4, 2]
