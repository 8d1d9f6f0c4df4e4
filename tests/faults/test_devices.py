"""Cameras that reboot, and come back elsewhere, with their devices: recorded again in time, as the same camera with the same history."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from benchmarks.figures import p95
from benchmarks.reconnect import MOVE_GOAL_S, REBOOT_GOAL_S, measure

from assets.rtsp_peer import why_not

pytestmark = pytest.mark.debian
LAMPPOST = Path(sys.executable).with_name("lamppost")


@pytest.mark.parametrize(
    ("reboots", "moves", "vendor"),
    [
        (1, 1, "onvif"),
        pytest.param(20, 20, "onvif", marks=[pytest.mark.long, pytest.mark.timeout(2400)]),
        pytest.param(3, 5, "dahua", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
        pytest.param(3, 5, "hikvision", marks=[pytest.mark.long, pytest.mark.timeout(900)]),
    ],
)
def test_a_camera_that_comes_back_is_recorded_again_in_time(numbered_clip: Path, reboots: int, moves: int, vendor: str) -> None:
    if reason := why_not():
        pytest.skip(reason)
    took_reboots, took_moves = measure(LAMPPOST, numbered_clip, reboots=reboots, moves=moves, vendor=vendor)
    assert (len(took_reboots), len(took_moves)) == (reboots, moves)
    assert p95(took_reboots) <= REBOOT_GOAL_S
    assert p95(took_moves) <= MOVE_GOAL_S
