"""What is measured is measured by the code that records and masks, and leaves nothing behind."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from lamppost.base.clock import TICKS_PER_S
from lamppost.cli.main import app
from lamppost.model.media import Packet
from lamppost.pipeline.measuring import resized

FILMED = (Packet(b"\0\0\0\1\x65" + b"k" * 4000, 0, 0, 6000, 0, True), Packet(b"\0\0\0\1\x41" + b"p" * 900, 6000, 6000, 6000, 0, False))


@given(st.floats(1, 60), st.floats(0.1, 20))
def test_synthetic_packets_have_the_asked_rate_and_a_keyframe_each_second(fps: float, mbps: float) -> None:
    made = resized(FILMED, fps=fps, mbps=mbps, seconds=4)
    assert len(made) == round(4 * fps)
    assert sum(len(packet.data) for packet in made) * 8 / 4 == pytest.approx(mbps * 1e6 * len(made) / (4 * fps), rel=0.02)
    keyframes = [index for index, packet in enumerate(made) if packet.is_keyframe]
    assert keyframes == list(range(0, len(made), max(1, round(fps))))
    assert [packet.dts_90k for packet in made] == [index * round(TICKS_PER_S / fps) for index in range(len(made))]


def test_the_planner_measures_here_and_shows_what_it_found(tmp_path: Path) -> None:
    runner = CliRunner()
    place = tmp_path / "disk"
    place.mkdir()
    result = runner.invoke(app, ["plan", "--cameras", "2", "--mbps", "1", "--days", "0.01", "--fps", "15", "--data", str(place), "--json"])
    said = json.loads(result.output)
    assert (result.exit_code == 0) is said["fits"]
    assert all(value > 0 for name, value in said["measured"].items() if not name.endswith("camera_bytes"))
    assert 1 < said["measured"]["sealed_ratio"] < 1.2
    assert said["measured"]["recording_s_per_s"] < 1
    assert {need["what"] for need in said["needs"]} >= {"disk", "processor", "memory", "syncs"}
    assert list(place.iterdir()) == []


def test_a_place_that_cannot_be_written_is_told_in_one_line() -> None:
    result = CliRunner().invoke(app, ["plan", "--cameras", "1", "--data", "/proc/absent"])
    assert result.exit_code == 1
    assert "cannot measure in /proc/absent" in result.output.replace("\n", "")
