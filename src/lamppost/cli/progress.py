"""What a person sees while the node runs: a live table, or a line now and then."""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator, Sequence
from contextlib import contextmanager
from typing import Any, Final, Protocol

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table

from lamppost.model.settings import Settings

LINE_EVERY_TICKS: Final = 10  # ticks come twice a second
MOST_ROWS: Final = 24  # what has trouble comes first
MOST_LINES: Final = 8


class Node(Protocol):
    """What runs, as far as it is shown."""

    @property
    def settings(self) -> Settings: ...

    def recording(self, camera: str) -> dict[str, Any]: ...

    def masking(self, camera: str) -> dict[str, Any]: ...


class Progress(Protocol):
    """Shows the children's last reports."""

    def show(self, node: Node) -> None: ...


@contextmanager
def open_progress(console: Console) -> Generator[Progress]:
    """A live table on a terminal, plain lines elsewhere."""
    if console.is_terminal:
        with Live(console=console, refresh_per_second=4, transient=True) as live:
            yield _LiveTable(live)
    else:
        yield _Lines(console)


class _LiveTable:
    def __init__(self, live: Live) -> None:
        self._live = live

    def show(self, node: Node) -> None:
        names = _troubled_first(node)
        table = Table(title="Lamppost — Ctrl-C ends", title_justify="left")
        for heading in ("camera", "recording", "frames in", "sealed", "gaps", "masking", "masked", "covered", "behind"):
            table.add_column(heading, justify="left" if heading in ("camera", "recording", "masking") else "right")
        for name in names[:MOST_ROWS]:
            recorded, masked = node.recording(name), node.masking(name)
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
        if len(names) > MOST_ROWS:
            table.caption = f"and {len(names) - MOST_ROWS} more: {_totals(node, names)}"
        self._live.update(table)


class _Lines:
    def __init__(self, console: Console) -> None:
        self._console = console
        self._ticks = 0

    def show(self, node: Node) -> None:
        self._ticks += 1
        if self._ticks % LINE_EVERY_TICKS:
            return
        names = _troubled_first(node)
        if len(names) > MOST_LINES:
            self._print(f"{len(names)} cameras: {_totals(node, names)}")
            names = [name for name in names if _has_trouble(node, name)][:MOST_LINES]
        for name in names:
            recorded, masked = node.recording(name), node.masking(name)
            self._print(
                f"{name}: {_state(recorded)}, {recorded.get('frames', 0)} frames in, "
                f"{format_bytes(recorded.get('sealed_bytes', 0))} sealed; "
                f"{_state(masked)}, {masked.get('frames', 0)} masked, {masked.get('covered_frames', 0)} of them covered"
            )

    def _print(self, line: str) -> None:
        self._console.print(line, soft_wrap=True, markup=False)


def _troubled_first(node: Node) -> list[str]:
    names = [camera.name for camera in node.settings.camera]
    return sorted(names, key=lambda name: not _has_trouble(node, name)) if len(names) > MOST_LINES else names


def _has_trouble(node: Node, name: str) -> bool:
    return bool(node.recording(name).get("problem") or node.masking(name).get("problem"))


def _totals(node: Node, names: Sequence[str]) -> str:
    recorded, masked = [node.recording(name) for name in names], [node.masking(name) for name in names]
    states = ", ".join(f"{count} {state}" for state, count in Counter(str(report.get("state", "starting")) for report in recorded).items())
    maskings = ", ".join(f"{count} {state}" for state, count in Counter(str(report.get("state", "starting")) for report in masked).items())
    frames, size = sum(report.get("frames", 0) for report in recorded), sum(report.get("sealed_bytes", 0) for report in recorded)
    return f"{states}; {frames} frames in, {format_bytes(size)} sealed; {maskings}"


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
