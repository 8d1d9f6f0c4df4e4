"""What is masked at fewer frames a second is masked without holes, and a gap stays one."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lamppost.model.media import Packet
from lamppost.pipeline.lasting import LONGEST_90K, LONGEST_REDUCED_90K, LastingPackets

NOMINAL_90K = 3600


def make_packet(pts_90k: int) -> Packet:
    return Packet(b"", pts_90k, pts_90k, NOMINAL_90K, pts_90k * 100 // 9, True)


def last_for(times: list[int], gaps: list[int], until_90k: int, *, is_reduced: bool) -> list[tuple[int, int]]:
    """(pts, duration) of each packet."""
    lasting = LastingPackets()
    out: list[Packet] = []
    for gap in gaps:
        lasting.note_gap(gap)
    for pts in times:
        out += lasting.push(make_packet(pts), is_reduced=is_reduced)
    out += lasting.end(until_90k, is_reduced=is_reduced)
    assert lasting.end(until_90k, is_reduced=is_reduced) == ()
    return [(packet.pts_90k, packet.duration_90k) for packet in out]


@given(st.lists(st.integers(1, LONGEST_REDUCED_90K), min_size=1, max_size=20))
def test_each_picture_lasts_until_the_next(steps: list[int]) -> None:
    times = [sum(steps[:index]) for index in range(len(steps) + 1)]
    out = last_for(times[:-1], [], times[-1], is_reduced=True)
    assert out == [(at, following - at) for at, following in pairwise(times)]


def test_a_gap_is_not_shown_as_masked() -> None:
    assert last_for([0, 90_000, 180_000], [90_000], 270_000, is_reduced=True) == [(0, NOMINAL_90K), (90_000, 90_000), (180_000, 90_000)]


def test_where_all_is_masked_a_long_pause_is_a_gap() -> None:
    assert last_for([0, LONGEST_90K, 2 * LONGEST_90K + 1], [], 0, is_reduced=False) == [
        (0, LONGEST_90K),
        (LONGEST_90K, NOMINAL_90K),
        (2 * LONGEST_90K + 1, NOMINAL_90K),
    ]
