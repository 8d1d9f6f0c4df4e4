"""Pushed units become the same items, however they are cut into pushes."""

from __future__ import annotations

from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from camera_packets import encode
from lamppost.ingest.intake import Intake
from lamppost.ingest.opening import MOST_HELD
from lamppost.ingest.stream import StreamFacts
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec, Packet, RunStarted, SessionItem

START_US = 1_700_000_000_000_000
FACTS = StreamFacts(Codec.H264, nominal_interval_90k=3600, origin_90k=0)


def arrived(b_frames: int = 0) -> list[AccessUnit]:
    """As RTP has them: presentation times alone."""
    _, packets = encode(frames=40, b_frames=b_frames)
    return [
        AccessUnit(packet.data, packet.pts_90k, None, 0, False, START_US + index * 40_000, index * 0.04)
        for index, packet in enumerate(packets)
    ]


def taken(units: list[AccessUnit], cuts: list[int]) -> list[SessionItem]:
    intake, items, position = Intake(FACTS), list[SessionItem](), 0
    for cut in [*cuts, len(units)]:
        items += intake.push(units[position : position + cut])
        position += cut
    return items + intake.flush()


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 12), max_size=12), st.sampled_from([0, 2]))
def test_how_units_are_cut_into_pushes_does_not_matter(cuts: list[int], b_frames: int) -> None:
    items = taken(arrived(b_frames), cuts)
    assert items == taken(arrived(b_frames), [])
    assert isinstance(items[0], RunStarted)
    assert sum(isinstance(item, Packet) for item in items) == 40 == len(items) - 1


def test_the_first_few_are_held_back_and_come_out_at_the_end() -> None:
    intake = Intake(FACTS)
    assert intake.push(arrived()[: MOST_HELD - 1]) == []
    assert len(intake.flush()) == MOST_HELD
    assert intake.flush() == []


def test_a_stream_that_tells_its_decoding_order_is_not_held() -> None:
    (first, *_) = arrived()
    assert len(Intake(FACTS).push([replace(first, dts_90k=first.pts_90k)])) == 2
