"""Runs: what starts one, what ends one, and that every hole between them is declared."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import UnsupportedStream
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.nal import START_CODE, nal_type, split_annex_b
from lamppost.ingest.runs import RunBuilder
from lamppost.ingest.simulation import StreetEncoder, street_settings
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec, Gap, GapCause, Packet, RunStarted, SessionItem

START_US = 1_700_000_000_000_000
FRAME_US = 66_667
FRAME = 6000


def film(width: int, frames: int) -> list[bytes]:
    encoder = StreetEncoder(street_settings(parse_locator(f"sim://plaza?width={width}&height=180&people=1&vehicles=0")), Codec.H264)
    return [encoder.encode(index) for index in range(frames)]


_FILM = film(320, 45)


@pytest.fixture(scope="module")
def pictures() -> list[bytes]:
    """45 pictures, a keyframe at every 15th."""
    return _FILM


def units(pictures: list[bytes]) -> list[AccessUnit]:
    return [AccessUnit(data, i * FRAME, None, 0, False, START_US + i * FRAME_US, i * FRAME_US / 1e6) for i, data in enumerate(pictures)]


def changed(unit: AccessUnit, *, pts: int = 0, wall_us: int = 0, is_corrupt: bool = False) -> AccessUnit:
    assert unit.pts_90k is not None
    return AccessUnit(unit.data, unit.pts_90k + pts, None, 0, is_corrupt, unit.arrival_us + wall_us, unit.arrival_s)


def build(arrived: list[AccessUnit]) -> list[SessionItem]:
    builder = RunBuilder(Codec.H264, nominal_interval_90k=FRAME)
    return [item for unit in arrived for item in builder.push(unit)]


def kinds(items: list[SessionItem]) -> str:
    return "".join({RunStarted: "R", Packet: "p", Gap: "G"}[type(item)] for item in items)


def gaps(items: list[SessionItem]) -> list[Gap]:
    return [item for item in items if isinstance(item, Gap)]


def packets(items: list[SessionItem]) -> Iterator[Packet]:
    return (item for item in items if isinstance(item, Packet))


def test_a_run_starts_at_the_first_keyframe(pictures: list[bytes]) -> None:
    items = build(units(pictures)[10:])
    assert kinds(items) == "R" + "p" * 30
    first = next(packets(items))
    assert (first.pts_90k, first.is_keyframe) == (0, True)


def test_new_parameter_sets_start_a_run_without_a_gap(pictures: list[bytes]) -> None:
    items = build(units([*pictures[:20], *film(352, 10)]))
    assert kinds(items) == "R" + "p" * 20 + "R" + "p" * 10
    sizes = [item.parameters.width_px for item in items if isinstance(item, RunStarted)]
    assert sizes == [320, 352]
    walls = [packet.wall_us for packet in packets(items)]
    assert walls[20] - walls[19] == pytest.approx(FRAME_US, abs=50)


def test_a_small_hole_is_declared_within_its_run(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    items = build([*all_units[:20], *all_units[23:]])
    assert kinds(items) == "R" + "p" * 20 + "G" + "p" * 22
    (gap,) = gaps(items)
    assert gap.cause is GapCause.TIMESTAMP_JUMP
    assert gap.end_us - gap.start_us == pytest.approx(3 * FRAME_US, abs=50)


def test_a_jump_backwards_waits_for_a_keyframe_and_declares_what_it_lost(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    items = build([*all_units[:20], *(changed(unit, pts=-50_000) for unit in all_units[20:])])
    assert kinds(items) == "R" + "p" * 20 + "GR" + "p" * 15
    (gap,) = gaps(items)
    assert gap.end_us - gap.start_us == pytest.approx(10 * FRAME_US, abs=100)


def test_a_far_jump_onto_a_keyframe_loses_nothing(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    items = build([*all_units[:30], *(changed(unit, pts=10_000_000) for unit in all_units[30:])])
    assert kinds(items) == "R" + "p" * 30 + "R" + "p" * 15


def test_damage_is_declared_over_its_picture_and_what_builds_on_it(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    all_units[5] = changed(all_units[5], is_corrupt=True)
    items = build(all_units)
    picture, rest = gaps(items)
    sent = list(packets(items))
    assert (picture.cause, picture.start_us) == (GapCause.DAMAGED, sent[5].wall_us)
    assert (rest.cause, rest.start_us, rest.end_us) == (GapCause.DAMAGED, picture.end_us, sent[15].wall_us)
    assert [packet.is_corrupt for packet in sent].index(True) == 5
    assert len(sent) == 45


def test_a_damaged_keyframe_spoils_all_up_to_the_next(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    all_units[15] = changed(all_units[15], is_corrupt=True)
    items = build(all_units)
    sent = list(packets(items))
    found = gaps(items)
    assert (found[0].start_us, found[-1].end_us) == (sent[15].wall_us, sent[30].wall_us)


def test_a_loss_right_before_a_whole_keyframe_spoils_nothing(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    all_units[15] = replace(all_units[15], lost_packets=3)
    assert len(gaps(build([*all_units[:14], *all_units[15:]]))) == 1


def test_what_is_spoilt_is_told_every_second_and_at_the_end(pictures: list[bytes]) -> None:
    delta = [picture for index, picture in enumerate(pictures * 2) if index == 0 or index % 15]
    all_units = units(delta)
    all_units[5] = changed(all_units[5], is_corrupt=True)
    builder = RunBuilder(Codec.H264, nominal_interval_90k=FRAME)
    items = [item for unit in all_units for item in builder.push(unit)]
    sent = list(packets(items))
    untold = sent[-1].wall_us + FRAME_US - gaps(items)[-1].end_us
    assert 0 < untold < US_PER_S + 2 * FRAME_US
    found = [*gaps(items), *(item for item in builder.finish() if isinstance(item, Gap))]
    assert all(earlier.end_us == later.start_us for earlier, later in pairwise(found))
    assert found[-1].end_us == pytest.approx(sent[-1].wall_us + FRAME_US, abs=50)
    assert not builder.finish()


def test_what_the_network_lost_is_declared_as_such(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    # A part of one picture; a whole picture before another; something before a third that leaves no hole in time.
    all_units[5] = replace(all_units[5], is_corrupt=True, lost_packets=2)
    all_units[10] = replace(all_units[10], lost_packets=7)
    all_units[20] = replace(all_units[20], lost_packets=1)
    items = build([*all_units[:9], *all_units[10:]])
    found = [gap for gap in gaps(items) if "build on" not in gap.detail]
    assert {gap.cause for gap in gaps(items)} == {GapCause.PACKETS_LOST}
    hole = found[1]
    assert "66 ms of pictures are missing" in hole.detail
    flagged = [packet for packet in packets(items) if packet.is_corrupt]
    assert [packet.pts_90k // FRAME for packet in flagged] == [5, 20]
    assert [gap.start_us for gap in found] == [flagged[0].wall_us, hole.start_us, flagged[1].wall_us]


def test_losses_before_parameter_sets_count_for_the_picture_that_follows(pictures: list[bytes]) -> None:
    all_units = units(pictures)
    sets = replace(all_units[20], data=START_CODE + next(split_annex_b(pictures[0])), lost_packets=3)
    found = gaps(build([*all_units[:20], sets, *all_units[20:]]))
    assert found
    assert {gap.cause for gap in found} == {GapCause.PACKETS_LOST}


def test_borders_change_nothing_and_travel_along(pictures: list[bytes]) -> None:
    bordered = [replace(unit, borders=borders_of(unit.data)) for unit in units(pictures)]
    assert any(unit.borders for unit in bordered)
    plain, quick = build(units(pictures)), build(bordered)
    assert [replace(item, borders=()) if isinstance(item, Packet) else item for item in quick] == plain
    for packet in packets(quick):
        assert packet.borders == borders_of(packet.data)


def borders_of(data: bytes) -> tuple[int, ...]:
    """Where the units begin, in data that has start codes of four bytes and of three."""
    found, position = [], 0
    for unit in split_annex_b(data):
        position = data.index(unit, position)
        if data[position - 4 : position] != START_CODE:
            return ()
        found.append(position)
        position += len(unit)
    return tuple(found)


@pytest.mark.parametrize(("step_us", "expected"), [(5_000_000, "GR"), (-5_000_000, "R")])
def test_a_clock_step_starts_a_run_and_a_gap_only_forwards(pictures: list[bytes], step_us: int, expected: str) -> None:
    all_units = units(pictures)
    items = build([*all_units[:20], *(changed(unit, wall_us=step_us) for unit in all_units[20:])])
    assert kinds(items) == "R" + "p" * 30 + expected + "p" * 15
    assert all(gap.cause is GapCause.CLOCK_STEPPED for gap in gaps(items))
    assert list(packets(items))[30].wall_us == START_US + 30 * FRAME_US + step_us


def test_a_keyframe_without_parameter_sets_gets_them(pictures: list[bytes]) -> None:
    bare = b"".join(START_CODE + unit for unit in split_annex_b(pictures[15]) if nal_type(Codec.H264, unit) not in (7, 8))
    items = build(units([*pictures[:15], bare, *pictures[16:]]))
    assert kinds(items) == "R" + "p" * 45
    types = [nal_type(Codec.H264, unit) for unit in split_annex_b(list(packets(items))[15].data)]
    assert types[:2] == [7, 8]


def test_parameter_sets_sent_alone_join_the_next_picture(pictures: list[bytes]) -> None:
    whole = list(split_annex_b(pictures[0]))
    sets = b"".join(START_CODE + unit for unit in whole if nal_type(Codec.H264, unit) in (7, 8))
    rest = b"".join(START_CODE + unit for unit in whole if nal_type(Codec.H264, unit) not in (7, 8))
    items = build(units([sets, rest, *pictures[1:5]]))
    assert kinds(items) == "R" + "p" * 5
    assert {7, 8, 5} <= {nal_type(Codec.H264, unit) for unit in split_annex_b(next(packets(items)).data)}


def test_a_stream_without_keyframes_is_refused(pictures: list[bytes]) -> None:
    delta = [unit for index, unit in enumerate(units(pictures * 30)) if index % 15]
    with pytest.raises(UnsupportedStream, match="keyframe"):
        build(delta)


@settings(max_examples=25, deadline=None)
@given(st.lists(st.sampled_from(["drop", "back", "far", "corrupt", "keep", "keep", "keep", "keep"]), min_size=45, max_size=45))
def test_packets_and_gaps_explain_all_time(events: list[str]) -> None:
    source, offset, arrived = units(_PICTURES), 0, []
    for unit, event in zip(source, events, strict=True):
        offset += {"back": -200_000, "far": 5_000_000}.get(event, 0)
        if event != "drop":
            arrived.append(changed(unit, pts=offset, is_corrupt=event == "corrupt"))
    end_us = None
    last: Packet | None = None
    for item in build(arrived):
        if isinstance(item, RunStarted):
            last = None
            continue
        if isinstance(item, Gap):
            assert item.start_us < item.end_us
            end_us = max(end_us or 0, item.end_us)
            continue
        if end_us is not None:
            assert item.wall_us - end_us <= FRAME_US
        if last is not None:
            assert last.dts_90k < item.dts_90k <= item.pts_90k
            assert item.wall_us > last.wall_us
        end_us, last = max(end_us or 0, item.wall_us + item.duration_90k * 100 // 9), item


_PICTURES = film(320, 45)


@given(late_us=st.integers(min_value=-FRAME_US, max_value=3 * FRAME_US))
def test_between_two_runs_no_moment_is_without_an_entry(late_us: int) -> None:
    arrived = units(_FILM)
    # The stream's time is another from the third keyframe on, which comes a little early or late.
    arrived = [*arrived[:30], *(changed(unit, pts=90_000 * 3600, wall_us=late_us) for unit in arrived[30:])]
    items = build(arrived)
    assert kinds(items).count("R") == 2
    entries = [(item.start_us, item.end_us) for item in gaps(items)]
    entries += [(packet.wall_us, packet.wall_us + packet.duration_90k * 100 // 9) for packet in packets(items)]
    end_us = START_US
    for start, end in sorted(entries):
        assert start - end_us <= 1, "a hole that nobody declared"
        end_us = max(end_us, end)
