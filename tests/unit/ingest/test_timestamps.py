"""Timelines hold their promise whatever a camera sends."""

from __future__ import annotations

import itertools
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import TimestampError
from lamppost.ingest.timestamps import Break, Placed, Timeline, ticks_90k

FRAME = 3600


def play(timeline: Timeline, times: list[tuple[int | None, int | None]], *, is_open: bool = False) -> list[Placed | Break]:
    first, *rest = times
    return [timeline.start(*first, is_open=is_open), *(timeline.place(*pair) for pair in rest)]


def placed_only(answers: list[Placed | Break]) -> list[Placed]:
    return [answer for answer in answers if isinstance(answer, Placed)]


def assert_lawful(placed: list[Placed]) -> None:
    for before, after in itertools.pairwise(placed):
        assert after.dts_90k > before.dts_90k
    assert all(one.dts_90k <= one.pts_90k for one in placed)


@given(st.lists(st.one_of(st.none(), st.integers(-(1 << 34), 1 << 34)), min_size=1, max_size=80), st.sampled_from([None, 0, 1, 2, 4]))
def test_any_pts_gives_rising_dts_at_most_pts(times: list[int | None], depth: int | None) -> None:
    timeline = Timeline(reorder_depth=depth, nominal_interval_90k=FRAME)
    placed = [timeline.start(times[0], None)]
    for time in times[1:]:
        answer = timeline.place(time, None)
        if isinstance(answer, Break):
            assert_lawful(placed)
            placed = [timeline.start(time, None)]
            assert placed[0].pts_90k == 0
        else:
            placed.append(answer)
    assert_lawful(placed)


@given(st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 200_000)), min_size=1, max_size=60))
def test_any_pts_and_dts_gives_rising_dts_at_most_pts(times: list[tuple[int, int]]) -> None:
    timeline = Timeline(reorder_depth=2, nominal_interval_90k=FRAME)
    placed = [timeline.start(*times[0])]
    for pair in times[1:]:
        answer = timeline.place(*pair)
        if isinstance(answer, Break):
            assert_lawful(placed)
            placed = [timeline.start(*pair)]
        else:
            placed.append(answer)
    assert_lawful(placed)


@given(st.integers(0, 1 << 33), st.integers(1000, 9000))
def test_b_frames_without_dts_keep_every_presentation_time(origin: int, frame: int) -> None:
    shown = [0, 3, 1, 2, 6, 4, 5, 9, 7, 8]
    timeline = Timeline(reorder_depth=1, nominal_interval_90k=frame)
    answers = play(timeline, [(origin + index * frame, None) for index in shown])
    placed = placed_only(answers)
    assert [one.pts_90k for one in placed] == [index * frame for index in shown]
    assert all(one.hole_90k is None for one in placed)
    assert_lawful(placed)


def test_a_pyramid_needs_two_and_gets_them() -> None:
    timeline = Timeline(reorder_depth=2, nominal_interval_90k=FRAME)
    placed = placed_only(play(timeline, [(index * FRAME, None) for index in [0, 4, 2, 1, 3, 8, 6, 5, 7]]))
    assert [one.pts_90k // FRAME for one in placed] == [0, 4, 2, 1, 3, 8, 6, 5, 7]
    assert_lawful(placed)


def test_leading_pictures_of_an_open_gop_are_placed_before_its_keyframe() -> None:
    timeline = Timeline(reorder_depth=1, nominal_interval_90k=FRAME)
    placed = placed_only(play(timeline, [((index + 50) * FRAME, None) for index in [0, -2, -1, 3, 1, 2]], is_open=True))
    assert [one.pts_90k // FRAME for one in placed] == [0, -2, -1, 3, 1, 2]
    assert_lawful(placed)


def test_unannounced_reordering_is_learnt_and_then_holds() -> None:
    timeline = Timeline(reorder_depth=None, nominal_interval_90k=FRAME)
    assert play(timeline, [(0, None), (3 * FRAME, None), (FRAME, None)])[-1] is Break.REORDERED
    answers = play(timeline, [(index * FRAME, None) for index in [10, 13, 11, 12, 16, 14, 15]])
    assert len(placed_only(answers)) == 7
    assert_lawful(placed_only(answers))


@pytest.mark.parametrize("bits", [32, 33])
def test_a_wrapped_counter_goes_on(bits: int) -> None:
    start = (1 << bits) - 3 * FRAME
    timeline = Timeline(reorder_depth=0)
    placed = placed_only(play(timeline, [((start + index * FRAME) % (1 << bits), None) for index in range(10)]))
    assert [one.pts_90k for one in placed] == [index * FRAME for index in range(10)]


def test_a_wrap_amid_b_frames_goes_on() -> None:
    start = (1 << 32) - 2 * FRAME
    shown = [0, 3, 1, 2, 6, 4, 5]
    timeline = Timeline(reorder_depth=1, nominal_interval_90k=FRAME)
    placed = placed_only(play(timeline, [((start + index * FRAME) % (1 << 32), None) for index in shown]))
    assert [one.pts_90k // FRAME for one in placed] == shown


@given(st.integers(1, 200), st.integers(6, 40))
def test_a_hole_is_found_where_it_is(missing: int, before: int) -> None:
    timeline = Timeline(reorder_depth=0)
    times = [index * FRAME for index in range(before)]
    resumed = times[-1] + (missing + 1) * FRAME
    placed = placed_only(play(timeline, [(time, None) for time in [*times, resumed, resumed + FRAME]]))
    assert [one.hole_90k for one in placed if one.hole_90k] == [(times[-1] + FRAME, resumed)]


@given(st.lists(st.integers(2600, 3800), min_size=10, max_size=60))
def test_a_wavering_frame_rate_is_no_hole(intervals: list[int]) -> None:
    timeline = Timeline(reorder_depth=0)
    time, times = 0, [0]
    for interval in intervals:
        time += interval
        times.append(time)
    assert all(one.hole_90k is None for one in placed_only(play(timeline, [(one, None) for one in times])))


def test_a_hole_among_b_frames_is_found() -> None:
    timeline = Timeline(reorder_depth=1, nominal_interval_90k=FRAME)
    shown = [0, 3, 1, 2, 6, 4, 5, 20, 18, 19, 23, 21, 22]
    holes = [one.hole_90k for one in placed_only(play(timeline, [(index * FRAME, None) for index in shown])) if one.hole_90k]
    assert holes == [(7 * FRAME, 18 * FRAME)]


def test_a_far_jump_and_a_way_back_break_the_timeline() -> None:
    timeline = Timeline(reorder_depth=0)
    assert play(timeline, [(0, None), (FRAME, None), (FRAME + 901_000, None)])[-1] is Break.FORWARD
    assert play(timeline, [(90_000, None), (93_600, None), (0, None)])[-1] is Break.BACKWARD


def test_time_that_stands_still_is_an_error() -> None:
    timeline = Timeline(reorder_depth=0)
    with pytest.raises(TimestampError, match="stands still"):
        play(timeline, [(0, None)] * 200)


def test_jitter_backwards_is_straightened() -> None:
    timeline = Timeline(reorder_depth=0, nominal_interval_90k=FRAME)
    placed = placed_only(play(timeline, [(0, None), (3600, None), (3500, None), (7200, None)]))
    assert len(placed) == 4
    assert_lawful(placed)


def test_missing_times_in_mid_stream_are_made_up() -> None:
    timeline = Timeline(reorder_depth=0, nominal_interval_90k=FRAME)
    placed = placed_only(play(timeline, [(0, None), (FRAME, None), (None, None), (3 * FRAME, None), (None, 4 * FRAME)]))
    assert [one.pts_90k // FRAME for one in placed] == [0, 1, 2, 3, 4]


def test_place_needs_a_start() -> None:
    with pytest.raises(ValueError, match="start"):
        Timeline().place(0, 0)


def test_ticks_are_rounded() -> None:
    assert ticks_90k(1, Fraction(1, 30)) == 3000
    assert ticks_90k(1001, Fraction(1, 30_000)) == 3003
    assert ticks_90k(-5, Fraction(1, 1000)) == -450
