"""What comes is measured over the last seconds, and nothing is said before enough has come."""

from __future__ import annotations

import pytest

from lamppost.model.media import Packet
from lamppost.pipeline.stream_gauge import SPAN_S, StreamGauge


def packet(pts_90k: int, *, size_bytes: int = 1000, is_keyframe: bool = False) -> Packet:
    return Packet(b"\0" * size_bytes, pts_90k, pts_90k, 3600, 0, is_keyframe)


def feed(gauge: StreamGauge, seconds: float, *, fps: int, start_s: float = 0.0, gop_s: float = 2.0) -> float:
    """Pictures at `fps`, looked at twice a second; returns when it ended."""
    for number in range(round(seconds * fps)):
        at_s = start_s + number / fps
        gauge.note(packet(round(at_s * 90_000), is_keyframe=number % round(gop_s * fps) == 0))
        if number % max(1, fps // 2) == 0:
            gauge.look(at_s)
    gauge.look(start_s + seconds)
    return start_s + seconds


def test_rates_and_keyframes_are_those_of_the_stream() -> None:
    gauge = StreamGauge()
    feed(gauge, 20, fps=20)
    assert gauge.fps == pytest.approx(20, rel=0.05)
    assert gauge.kbit_per_s == pytest.approx(160, rel=0.05)
    assert gauge.keyframe_interval_s == 2.0


def test_a_stream_that_becomes_slower_is_seen_within_the_span() -> None:
    gauge = StreamGauge()
    end_s = feed(gauge, 20, fps=20)
    feed(gauge, SPAN_S + 1, fps=5, start_s=end_s)
    assert gauge.fps == pytest.approx(5, rel=0.2)


def test_nothing_is_said_before_enough_has_come_nor_of_a_stream_that_ended() -> None:
    gauge = StreamGauge()
    assert (gauge.fps, gauge.kbit_per_s, gauge.keyframe_interval_s) == (None, None, None)
    feed(gauge, 1, fps=20)
    assert gauge.fps is None
    feed(gauge, 9, fps=20, start_s=1)
    gauge.forget()
    assert (gauge.fps, gauge.keyframe_interval_s) == (None, None)


def test_a_stream_of_which_nothing_comes_falls_to_nothing() -> None:
    gauge = StreamGauge()
    end_s = feed(gauge, 20, fps=20)
    for number in range(60):
        gauge.look(end_s + number / 2)
    assert gauge.fps == 0.0
