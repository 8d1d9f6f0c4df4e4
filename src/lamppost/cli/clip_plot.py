"""What was counted in a clip, over its time: crossings of each line as steps, and how many were in each zone."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

from lamppost.base.errors import StoreError
from lamppost.model.rules import RuleBook, Way
from lamppost.pipeline.clip_counting import ClipCounts

_COLOURS: Final = ("#1b6ca8", "#e07a1f", "#3a8f5b", "#9457a6", "#8c8c8c", "#b3342f", "#111111", "#c2a500")
_INK: Final = "#2b2b2b"
_STYLES: Final = {Way.FORWARD: "-", Way.BACKWARD: "--"}


def draw(counts: ClipCounts, book: RuleBook, title: str, path: Path) -> None:
    """Write the figure to `path`, a `.png` or an `.svg`; raises `StoreError` when it cannot be written."""
    # Imported here: nobody else waits for it. Figures are made without `pyplot`, which keeps them in a module.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    panels = [_draw_lines] * bool(book.line) + [_draw_zones] * bool(book.zone)
    figure: Any = Figure(figsize=(10, 1.2 + 3.0 * max(1, len(panels))), layout="constrained")
    FigureCanvasAgg(figure)
    axes = figure.subplots(max(1, len(panels)), 1, squeeze=False, sharex=True)[:, 0]
    for axis, panel in zip(axes, panels, strict=False):
        panel(axis, counts, book)
        axis.set_xlim(0, max(1.0, counts.duration_s))
        axis.set_ylim(bottom=0)
        axis.yaxis.get_major_locator().set_params(integer=True)
        axis.grid(visible=True, color="#e6e6e6", linewidth=0.8)
        axis.spines[["top", "right"]].set_visible(False)
    if not panels:
        axes[0].text(0.5, 0.5, "no lines and no zones: nothing to draw", ha="center", va="center", color=_INK, transform=axes[0].transAxes)
        axes[0].set_axis_off()
    axes[-1].set_xlabel("seconds of the clip", color=_INK)
    figure.suptitle(f"Counted in {title}", x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise StoreError(f"the plot {path} cannot be written: {error.strerror}") from error


def _draw_lines(axis: Any, counts: ClipCounts, book: RuleBook) -> None:
    for index, line in enumerate(book.line):
        for way in Way:
            times = [crossing.at_s for crossing in counts.crossings if crossing.line == line.name and crossing.way is way]
            xs, ys = [0.0, *times, counts.duration_s], [0, *range(1, len(times) + 1), len(times)]
            label = f"{line.name}, {way.value}: {len(times)}"
            axis.step(xs, ys, where="post", color=_COLOURS[index % len(_COLOURS)], linestyle=_STYLES[way], label=label, linewidth=1.8)
    axis.set_ylabel("crossings so far", color=_INK)
    axis.set_title("Lines", loc="left", fontsize=11, color=_INK)
    axis.legend(frameon=False, fontsize=9, loc="upper left")


def _draw_zones(axis: Any, counts: ClipCounts, book: RuleBook) -> None:
    for index, zone in enumerate(book.zone):
        samples = [(sample.at_s, sample.count) for sample in counts.occupancy if sample.zone == zone.name]
        xs, ys = [at_s for at_s, _ in samples], [count for _, count in samples]
        axis.step(xs, ys, where="post", color=_COLOURS[index % len(_COLOURS)], label=zone.name, linewidth=1.8)
        axis.fill_between(xs, ys, step="post", color=_COLOURS[index % len(_COLOURS)], alpha=0.12, linewidth=0)
    axis.set_ylabel("things inside", color=_INK)
    axis.set_title("Zones", loc="left", fontsize=11, color=_INK)
    axis.legend(frameon=False, fontsize=9, loc="upper left")
