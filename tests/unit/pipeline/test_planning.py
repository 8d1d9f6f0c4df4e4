"""The plan's arithmetic: what is needed grows with what is asked, and the verdict follows from it alone."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.pipeline.measuring import Figures
from lamppost.pipeline.planning import Available, Demand, plan

FIGURES = Figures(
    recording_s_per_s=0.002,
    sealed_ratio=1.01,
    seal_bytes_per_s=1e9,
    frame_s=0.005,
    looking_s_per_s=0.06,
    masked_bytes_per_frame=10_000,
    write_bytes_per_s=200e6,
    syncs_per_s=1000,
    recorder_base_bytes=100_000_000,
    recorder_camera_bytes=1_000_000,
    analyst_base_bytes=200_000_000,
    analyst_camera_bytes=50_000_000,
)
DEMAND = Demand(cameras=20, mbps=4, days=30, masked_days=10, fps=25, masked_fps=10)
LARGE = Available(disk_bytes=100_000_000_000_000, cores=64, memory_bytes=256_000_000_000, descriptors=65536)


def need(name: str, demand: Demand = DEMAND, available: Available = LARGE) -> float:
    return next(need.needed for need in plan(demand, FIGURES, available).needs if need.what == name)


def test_the_numbers_are_those_of_the_arithmetic() -> None:
    # Sealed: 20 cameras of 0.505 MB/s for 30 days. Masked: 20 of 0.1 MB/s for 10 days.
    assert need("disk") == pytest.approx((20 * 0.505e6 * 30 * 86_400 + 20 * 0.1e6 * 10 * 86_400) / 1e9)
    assert need("writing") == pytest.approx(20 * 0.605)
    assert need("syncs") == pytest.approx(2 * 20 * (1 / 5 + 9 / 60))
    assert need("processor") == pytest.approx(20 * 0.002 * 2 + 20 * (10 * 0.005 + 0.06))
    assert need("memory") == pytest.approx((1 + 3) * 0.1 + 20 * 0.2 + 20 * 0.051)
    assert need("open files of one process") == 64 + 8 * 20


def test_a_large_machine_fits_and_a_lack_is_named_with_its_numbers() -> None:
    made = plan(DEMAND, FIGURES, LARGE)
    assert (made.fits, made.verdict, made.maskable_fps) == (True, "fits this machine", 10)
    for change, what in (
        ({"disk_bytes": 10**12}, "disk"),
        ({"cores": 2}, "processor"),
        ({"memory_bytes": 10**9}, "memory"),
        ({"descriptors": 100}, "open files"),
    ):
        lacking = plan(DEMAND, FIGURES, replace(LARGE, **change))
        assert not lacking.fits
        assert lacking.verdict.startswith("does not fit this machine: ")
        assert what in lacking.verdict


def test_no_limit_of_open_files_is_enough() -> None:
    assert plan(DEMAND, FIGURES, replace(LARGE, descriptors=-1)).fits


def test_what_the_cores_leave_is_told_in_frames_a_second() -> None:
    # Two cores less 0.08 for recording, for 20 cameras: 0.096 each, of which looking takes 0.06.
    made = plan(DEMAND, FIGURES, replace(LARGE, cores=2))
    assert made.maskable_fps == pytest.approx(0.036 / 0.005, rel=1e-3)
    assert plan(replace(DEMAND, cameras=2000), FIGURES, replace(LARGE, cores=2)).maskable_fps == pytest.approx(0, abs=1e-6)


def test_every_need_shows_its_arithmetic_and_what_was_assumed_is_said() -> None:
    made = plan(DEMAND, FIGURES, LARGE)
    assert all("×" in need.arithmetic or "+" in need.arithmetic for need in made.needs)
    assert any("RTSP" in line for line in made.assumed)


@given(
    st.integers(1, 5000),
    st.floats(0.1, 50),
    st.floats(0.1, 365),
    st.floats(1, 60),
    st.sampled_from(["cameras", "mbps", "days", "masked_days", "masked_fps"]),
)
def test_more_never_needs_less(cameras: int, mbps: float, days: float, fps: float, grown: str) -> None:
    demand = Demand(cameras=cameras, mbps=mbps, days=days, masked_days=days, fps=fps, masked_fps=fps)
    more = replace(demand, **{grown: getattr(demand, grown) * 2})
    for before, after in zip(plan(demand, FIGURES, LARGE).needs, plan(more, FIGURES, LARGE).needs, strict=True):
        assert after.needed >= before.needed
    assert plan(more, FIGURES, replace(LARGE, cores=1)).maskable_fps <= more.masked_fps
