"""What a person sees while the node runs: every camera, its numbers, and what is wrong with it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from rich.console import Console

from lamppost.cli.progress import LINE_EVERY_TICKS, format_bytes, open_progress
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline.supervisor import ANALYST, BOOKKEEPER, RECORDER, ChildState

PROBLEM = "rtsp://[fe80::1]/s is gone [/bold]"


def make_settings() -> Settings:
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    cameras = tuple(CameraSettings(name=name, url="sim://plaza") for name in ("gate", "plaza"))
    return Settings(data=Path("data"), sealing=sealing, camera=cameras)


def make_children() -> dict[str, ChildState]:
    children = {name: ChildState(name) for name in (RECORDER, ANALYST, BOOKKEEPER)}
    children[RECORDER].status = {
        "cameras": {
            "gate": {"state": "recording", "problem": "", "frames": 1234, "sealed_bytes": 5_600_000, "gaps": 7},
            "plaza": {"state": "retrying", "problem": PROBLEM, "frames": 0, "sealed_bytes": 0, "gaps": 1},
        }
    }
    children[ANALYST].status = {
        "cameras": {"gate": {"state": "masking", "problem": "", "frames": 1200, "covered_frames": 33, "behind_s": 0.52}}
    }
    return children


def show(*, is_terminal: bool, ticks: int = 1) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=is_terminal, width=200, height=50, no_color=True, highlight=False)
    with open_progress(make_settings(), console) as progress:
        for _ in range(ticks):
            progress.show(make_children())
    return output.getvalue()


def test_a_terminal_gets_a_table() -> None:
    text = show(is_terminal=True)
    for word in ("gate", "plaza", "recording", "1234", "5.6 MB", "7", "masking", "1200", "33", "0.5 s", f"retrying: {PROBLEM}", "starting"):
        assert word in text


def test_a_file_gets_a_line_for_each_camera_now_and_then() -> None:
    assert show(is_terminal=False, ticks=LINE_EVERY_TICKS - 1) == ""
    gate, plaza = show(is_terminal=False, ticks=LINE_EVERY_TICKS).splitlines()
    assert gate == "gate: recording, 1234 frames in, 5.6 MB sealed; masking, 1200 masked, 33 of them covered"
    assert plaza == f"plaza: retrying: {PROBLEM}, 0 frames in, 0 B sealed; starting, 0 masked, 0 of them covered"


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2 * 10**9, "2.0 GB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_a_step_of_overload_is_shown_with_its_pace() -> None:
    output = io.StringIO()
    children = make_children()
    children[ANALYST].status["cameras"]["gate"] |= {"step": "fewer_frames", "masked_fps": 4.97}
    with open_progress(make_settings(), Console(file=output, width=200, no_color=True)) as progress:
        for _ in range(LINE_EVERY_TICKS):
            progress.show(children)
    assert "; masking, fewer frames, 5 fps, 1200 masked" in output.getvalue()
