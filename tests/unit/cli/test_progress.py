"""What a person sees while the node runs: every camera, its numbers, and what is wrong with it."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any, ClassVar

import pytest
from rich.console import Console

from lamppost.cli.progress import LINE_EVERY_TICKS, format_bytes, open_progress
from lamppost.model.settings import CameraSettings, SealingSettings, Settings

PROBLEM = "rtsp://[fe80::1]/s is gone [/bold]"


def make_settings(*names: str) -> Settings:
    sealing = SealingSettings(custodians=("age1" + "q" * 58, "age1" + "p" * 58), threshold=2)
    return Settings(data=Path("data"), sealing=sealing, camera=tuple(CameraSettings(name=name, url="sim://plaza") for name in names))


class Node:
    """What runs: two cameras, or many more."""

    RECORDED: ClassVar[dict[str, dict[str, Any]]] = {
        "gate": {"state": "recording", "problem": "", "frames": 1234, "sealed_bytes": 5_600_000, "gaps": 7},
        "plaza": {"state": "retrying", "problem": PROBLEM, "frames": 0, "sealed_bytes": 0, "gaps": 1},
    }
    MASKED: ClassVar[dict[str, dict[str, Any]]] = {
        "gate": {"state": "masking", "problem": "", "frames": 1200, "covered_frames": 33, "behind_s": 0.52}
    }

    def __init__(self, more: int = 0) -> None:
        self.settings = make_settings("gate", *(f"cam-{number}" for number in range(more)), "plaza")

    def recording(self, camera: str) -> dict[str, Any]:
        return self.RECORDED.get(camera, {"state": "recording", "frames": 10, "sealed_bytes": 1000})

    def masking(self, camera: str) -> dict[str, Any]:
        return self.MASKED.get(camera, {})


def show(*, is_terminal: bool, ticks: int = 1, more: int = 0) -> str:
    output = io.StringIO()
    console = Console(file=output, force_terminal=is_terminal, width=200, height=50, no_color=True, highlight=False)
    with open_progress(console) as progress:
        for _ in range(ticks):
            progress.show(Node(more))
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


def test_of_many_cameras_the_sum_is_shown_and_who_has_trouble() -> None:
    total, plaza = show(is_terminal=False, ticks=LINE_EVERY_TICKS, more=98).splitlines()
    assert total.startswith("100 cameras: 1 retrying, 99 recording; 2214 frames in, 5.7 MB sealed")
    assert plaza.startswith("plaza: retrying")
    table = show(is_terminal=True, more=98)
    assert PROBLEM in table
    assert "and 76 more: " in table


@pytest.mark.parametrize(
    ("count", "text"),
    [(0, "0 B"), (999, "999 B"), (1000, "1.0 kB"), (1_500_000, "1.5 MB"), (2 * 10**9, "2.0 GB"), (3 * 10**12, "3.0 TB")],
)
def test_sizes_are_decimal(count: int, text: str) -> None:
    assert format_bytes(count) == text


def test_a_step_of_overload_is_shown_with_its_pace(monkeypatch: pytest.MonkeyPatch) -> None:
    reduced = Node.MASKED["gate"] | {"step": "fewer_frames", "masked_fps": 4.97}
    monkeypatch.setattr(Node, "MASKED", {"gate": reduced})
    assert "; masking, fewer frames, 5 fps, 1200 masked" in show(is_terminal=False, ticks=LINE_EVERY_TICKS)
