"""What a person sees while the node runs: a live table, or a line now and then."""

from __future__ import annotations

from collections.abc import Generator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from lamppost.model.settings import Settings
from lamppost.pipeline.supervisor import ANALYST, RECORDER, ChildState

LINE_EVERY_TICKS = 10  # ticks come twice a second


class Progress(Protocol):
    """Shows the children's last reports."""

    def show(self, children: Mapping[str, ChildState]) -> None: ...


@contextmanager
def open_progress(settings: Settings, console: Console) -> Generator[Progress]:
    """A live table on a terminal, plain lines elsewhere."""
    names = [camera.name for camera in settings.camera]
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield _LiveTable(live, names)
    else:
        yield _Lines(console, names)


class _LiveTable:
    def __init__(self, live: Live, cameras: list[str]) -> None:
        self._live = live
        self._cameras = cameras

    def show(self, children: Mapping[str, ChildState]) -> None:
        table = Table(title="Lamppost — Ctrl-C ends", title_justify="left")
        for heading in ("camera", "recording", "frames in", "sealed", "gaps", "masking", "masked", "covered", "behind"):
            table.add_column(heading, justify="left" if heading in ("camera", "recording", "masking") else "right")
        for name in self._cameras:
            recorded, masked = _of(children, RECORDER, name), _of(children, ANALYST, name)
            table.add_row(
                name,
                escape(_state(recorded)),
                str(recorded.get("frames", 0)),
                format_bytes(recorded.get("sealed_bytes", 0)),
                str(recorded.get("gaps", 0)),
                escape(_state(masked)),
                str(masked.get("frames", 0)),
                str(masked.get("covered_frames", 0)),
                f"{masked.get('behind_s', 0.0):.1f} s",
            )
        self._live.update(table)


class _Lines:
    def __init__(self, console: Console, cameras: list[str]) -> None:
        self._console = console
        self._cameras = cameras
        self._ticks = 0

    def show(self, children: Mapping[str, ChildState]) -> None:
        self._ticks += 1
        if self._ticks % LINE_EVERY_TICKS:
            return
        for name in self._cameras:
            recorded, masked = _of(children, RECORDER, name), _of(children, ANALYST, name)
            self._console.print(
                f"{name}: {_state(recorded)}, {recorded.get('frames', 0)} frames in, "
                f"{format_bytes(recorded.get('sealed_bytes', 0))} sealed; "
                f"{_state(masked)}, {masked.get('frames', 0)} masked, {masked.get('covered_frames', 0)} of them covered",
                soft_wrap=True,
                markup=False,
            )


def _of(children: Mapping[str, ChildState], child: str, camera: str) -> dict[str, Any]:
    cameras: dict[str, dict[str, Any]] = children[child].status.get("cameras", {})
    return cameras.get(camera, {})


def _state(status: dict[str, Any]) -> str:
    """`masking`, `retrying: PROBLEM`, or with a step of overload `masking, fewer frames, 5 fps`."""
    problem = status.get("problem")
    if problem:
        return f"{status['state']}: {problem}"
    step = status.get("step", "")
    pace = f", {step.replace('_', ' ')}, {status.get('masked_fps', 0.0):.0f} fps" if step else ""
    return f"{status.get('state', 'starting')}{pace}"


def format_bytes(count: int) -> str:
    """`1.5 MB`: decimal units, as disks are sold."""
    size = float(count)
    for unit in ("B", "kB", "MB", "GB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "B" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} TB"
