"""The leak rates as a picture: each rate with its bounds, on a logarithmic scale, nothing left out for being zero."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

from lamppost.base.errors import StoreError
from lamppost.bench.leak import Result, leak_rate, over_masked, track_rate
from lamppost.bench.rates import Rate
from lamppost.bench.scores import Size
from lamppost.bench.truth import SCORED, Label

_LEAST_SHOWN: Final = 1e-4
_COLOURS: Final = ("#1b6ca8", "#e07a1f", "#3a8f5b", "#9457a6", "#8c8c8c", "#b3342f", "#111111", "#c2a500")
_INK: Final = "#2b2b2b"
_BESIDE: Final = {"textcoords": "offset points", "va": "center", "fontsize": 8, "color": _INK}


def draw(results: Sequence[Result], path: Path) -> None:
    """Write the figure to `path`, a `.png` or an `.svg`; raises `StoreError` when it cannot be written."""
    # Imported here: nobody else waits for it. Figures are made without `pyplot`, which keeps them in a module.
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    subjects = list(dict.fromkeys(result.subject.name for result in results))
    rows = _rows(results, subjects)
    figure: Any = Figure(figsize=(10, 1.9 + 0.30 * (len(rows) + 1) * max(2, len(subjects)) + 0.34 * len(subjects)), layout="constrained")
    FigureCanvasAgg(figure)
    leaks, over = figure.subplots(2, 1, height_ratios=(max(1, len(rows)) * max(2, len(subjects)), 1.2 * len(subjects) + 1))
    colours = {name: _COLOURS[index % len(_COLOURS)] for index, name in enumerate(subjects)}
    _draw_leaks(leaks, rows, subjects, colours)
    _draw_over(over, results, subjects, colours)
    figure.suptitle("What masks let through", x=0.01, ha="left", fontsize=14, fontweight="bold", color=_INK)
    try:
        figure.savefig(path, dpi=150)
    except OSError as error:
        raise StoreError(f"the plot {path} cannot be written: {error.strerror}") from error


def _rows(results: Sequence[Result], subjects: Sequence[str]) -> list[tuple[str, dict[str, Rate]]]:
    """What is shown, and the rate of each subject; rows of which nobody has any count are left out."""
    rows: list[tuple[str, dict[str, Rate]]] = []
    for of_clips, place in ((True, "clips"), (False, "stills")):
        for label in SCORED:
            for size in (Size.LARGE, Size.SMALL):
                rates = {name: leak_rate(results, name, label, size, of_clips=of_clips) for name in subjects}
                rows.append((f"{_plural(label)} in {place}, {size.value} px", rates))
    for label in SCORED:
        rows.append((f"{_plural(label)}: tracks leaking twice in a row", {name: track_rate(results, name, label)[0] for name in subjects}))
    return [(title, rates) for title, rates in rows if any(rate.n for rate in rates.values())]


def _plural(label: Label) -> str:
    return f"{label.value}s"


def _draw_leaks(axes: Any, rows: Sequence[tuple[str, dict[str, Rate]]], subjects: Sequence[str], colours: dict[str, str]) -> None:
    step = 0.8 / max(1, len(subjects))
    for row, (_, rates) in enumerate(rows):
        for index, name in enumerate(subjects):
            rate = rates[name]
            if not rate.n:
                continue
            y, low, high = row - 0.4 + step * (index + 0.5), max(_LEAST_SHOWN, rate.low), max(_LEAST_SHOWN, rate.high)
            axes.plot([low, high], [y, y], color=colours[name], linewidth=3, alpha=0.35, solid_capstyle="round")
            if rate.k:
                axes.plot([rate.k / rate.n], [y], "o", color=colours[name], markersize=6)
            else:
                axes.plot([high], [y], "<", color=colours[name], markersize=6, fillstyle="none")
            axes.annotate(f"{rate.k} of {rate.n}", (high, y), xytext=(7, 0), **_BESIDE)
    for name in subjects:
        axes.plot([], [], "o", color=colours[name], label=name)
    axes.set(xscale="log", xlim=(_LEAST_SHOWN, 3), ylim=(len(rows) - 0.5, -0.5))
    axes.set_yticks(range(len(rows)), [title for title, _ in rows])
    axes.set_xticks([1e-4, 1e-3, 1e-2, 1e-1, 1], ["0.01%", "0.1%", "1%", "10%", "100%"])
    axes.set_title("leak rate, with 95% bounds (open triangle: none was seen, the bound is shown)", loc="left", fontsize=9, color=_INK)
    axes.legend(loc="upper center", bbox_to_anchor=(0.35, -0.06), ncols=min(4, len(subjects)), frameon=False, fontsize=9)
    _clean(axes)


def _draw_over(axes: Any, results: Sequence[Result], subjects: Sequence[str], colours: dict[str, str]) -> None:
    for index, name in enumerate(subjects):
        shares = [over_masked(results, name, is_covered_counted=counted).value for counted in (True, False)]
        if shares[0] is None:
            axes.annotate("the sets do not tell", (0, index), xytext=(4, 0), **_BESIDE)
            continue
        axes.barh([index], [shares[0]], color=colours[name], alpha=0.35, height=0.6)
        axes.barh([index], [shares[1] or 0.0], color=colours[name], height=0.6)
        axes.annotate(f"{shares[0]:.1%}", (shares[0], index), xytext=(6, 0), **_BESIDE)
    axes.set_yticks(range(len(subjects)), subjects)
    axes.set(ylim=(len(subjects) - 0.5, -0.5), xlim=(0, None))
    axes.xaxis.set_major_formatter("{x:.0%}")
    axes.set_title(
        "masked beyond what must be, share of all pixels of clips (pale: frames that were covered whole)", loc="left", fontsize=9
    )
    axes.margins(x=0.12)
    _clean(axes)


def _clean(axes: Any) -> None:
    axes.grid(axis="x", color="#d9d9d9", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=9, colors=_INK)
