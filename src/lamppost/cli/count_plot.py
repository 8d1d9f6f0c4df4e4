"""Counts as a picture over time: a panel for each place and what is measured there; what was not seen is hatched."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError
from lamppost.cli.count_files import local_time
from lamppost.model.happening import Measure
from lamppost.model.rules import CountedKind
from lamppost.store.counting import Bucket, Count, Place, Wanted

MOST_PANELS: Final = 24
MOST_BUCKETS: Final = 20_000
_INK: Final = "#2b2b2b"
_QUIET: Final = "#6f6f6f"
_UNSEEN: Final = "#ececec"
_HATCH: Final = "#b4b4b4"
_COLOURS: Final = {
    CountedKind.PERSON: "#1b6ca8",
    CountedKind.BICYCLE: "#3a8f5b",
    CountedKind.VEHICLE: "#e07a1f",
    CountedKind.OBJECT: "#9457a6",
    None: "#4a5560",
}
_ENOUGH: Final = 0.95  # of a bucket; what was seen of less is marked
_DAY_US: Final = 86_400 * US_PER_S


@dataclass(frozen=True, slots=True)
class _Family:
    """Measures that share a panel: one goes up and the other down, or a mean and the most of it."""

    title: str
    unit: str
    up: Measure
    down: Measure | None = None


_FAMILIES: Final = (
    _Family("crossings", "crossings per {by}", Measure.FORWARD, Measure.BACKWARD),
    _Family("entries and exits", "things per {by}", Measure.ENTRIES, Measure.EXITS),
    _Family("occupancy", "things at one time", Measure.OCCUPANCY),
    _Family("queue", "things waiting", Measure.QUEUE),
    _Family("density", "people per m²", Measure.DENSITY),
    _Family("dwell of those who left", "seconds", Measure.DWELL),
    _Family("speed of those who left", "km/h", Measure.SPEED),
)
_Series = dict[tuple[Measure, CountedKind | None], list[Count]]


@dataclass(slots=True)
class _Panel:
    place: Place
    family: _Family
    series: _Series = field(default_factory=dict[tuple[Measure, CountedKind | None], list[Count]])

    @property
    def buckets(self) -> list[Count]:
        return next(iter(self.series.values()))


def draw(counts: Iterable[Count], wanted: Wanted, stream: BinaryIO, *, picture_format: str, site: str = "") -> None:
    """Write the figure as `png` or `svg`; raises `ConfigError` for nothing to draw, or too much of it."""
    # Imported here: nobody else waits for it. Figures are made without `pyplot`, which keeps them in a module.
    import matplotlib
    from matplotlib import dates as untyped_dates
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    dates: Any = untyped_dates
    library: Any = matplotlib
    panels = _panels(counts, wanted)
    # SVG has ids of its own for each run otherwise; the same counts are the same file.
    with library.rc_context({"hatch.color": _HATCH, "hatch.linewidth": 0.7, "svg.hashsalt": "lamppost", "axes.edgecolor": _HATCH}):
        figure: Any = Figure(figsize=(11, 1.5 + 2.05 * len(panels)), layout="constrained")
        FigureCanvasAgg(figure)
        figure.get_layout_engine().set(h_pad=0.07, w_pad=0.08)
        all_axes: Any = figure.subplots(len(panels), 1, sharex=True, squeeze=False)[:, 0]
        for axes, panel in zip(all_axes, panels, strict=True):
            _draw_panel(axes, panel, wanted)
        locator = dates.AutoDateLocator(tz=wanted.zone, minticks=5, maxticks=12)
        all_axes[-1].xaxis.set_major_locator(locator)
        all_axes[-1].xaxis.set_major_formatter(_time_format(dates, locator, wanted))
        buckets = panels[0].buckets
        all_axes[-1].set_xlim(_day(buckets[0].start_us), _day(buckets[-1].end_us))
        all_axes[-1].set_xlabel(f"clock of {wanted.zone.key}", fontsize=9, color=_QUIET, loc="right")
        figure.align_ylabels(all_axes)
        figure.suptitle(_title(buckets, wanted, site), x=0.012, ha="left", fontsize=14, fontweight="bold", color=_INK)
        handles = _legend(panels)
        figure.legend(handles=handles, loc="outside lower left", ncols=min(8, len(handles)), frameon=False, fontsize=9, labelcolor=_INK)
        figure.savefig(stream, format=picture_format, dpi=150, metadata={"Date": None} if picture_format == "svg" else None)


def _time_format(dates: Any, locator: Any, wanted: Wanted) -> Any:
    """Hours by the hour, and the date at midnight; the year stands in the title."""
    return dates.ConciseDateFormatter(
        locator,
        tz=wanted.zone,
        formats=["%Y", "%b %Y", "%d %b", "%H:%M", "%H:%M", "%H:%M:%S"],
        zero_formats=["%Y", "%Y", "%d %b", "%d %b", "%H:%M", "%H:%M"],
        show_offset=False,
    )


def _panels(counts: Iterable[Count], wanted: Wanted) -> list[_Panel]:
    of_measure = {measure: family for family in _FAMILIES for measure in (family.up, family.down) if measure is not None}
    panels: dict[tuple[Place, str], _Panel] = {}
    for count in counts:
        family = of_measure.get(count.measure)
        if family is None:
            continue
        key = (count.place, family.title)
        if key not in panels and len(panels) == MOST_PANELS:
            raise ConfigError(f"more than {MOST_PANELS} panels are too many", remedy="name some with --camera, --place or --measure")
        series = panels.setdefault(key, _Panel(count.place, family)).series.setdefault((count.measure, count.kind), [])
        series.append(count)
        if len(series) > MOST_BUCKETS:
            raise ConfigError(f"more than {MOST_BUCKETS} {wanted.by.value}s are too many", remedy="ask for less time, or --by hour or day")
    if not panels:
        raise ConfigError("there is nothing to draw", remedy="was anything counted at these places, of these measures and kinds?")
    order = [family.title for family in _FAMILIES]
    return sorted(panels.values(), key=lambda panel: (panel.place.camera, panel.place.name, order.index(panel.family.title)))


def _draw_panel(axes: Any, panel: _Panel, wanted: Wanted) -> None:
    edges = [_day(count.start_us) for count in panel.buckets] + [_day(panel.buckets[-1].end_us)]
    for start_us, end_us, is_part in _unseen(panel.buckets):
        axes.axvspan(_day(start_us), _day(end_us), **_unseen_look(is_part=is_part), zorder=0)
    if panel.family.down is not None:
        _draw_both_ways(axes, panel, edges)
    else:
        _draw_levels(axes, panel, edges)
    title = f"{panel.place.camera}, {panel.place.kind.value} {panel.place.name}: {panel.family.title}"
    axes.set_title(title, loc="left", fontsize=10, fontweight="bold", color=_INK)
    axes.set_ylabel(panel.family.unit.format(by=wanted.by.value), fontsize=9, color=_QUIET)
    axes.grid(axis="y", color="#dddddd", linewidth=0.7)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(length=0, labelsize=9, colors=_INK)


def _draw_both_ways(axes: Any, panel: _Panel, edges: Sequence[float]) -> None:
    """What goes one way stands on the axis, kind on kind, and what goes the other hangs from it."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    highest = [1.0, 1.0]
    for side, measure in enumerate((panel.family.up, panel.family.down)):
        sign, floor = (1, -1)[side], [0.0] * (len(edges) - 1)
        for (of, kind), counts in _in_order(panel.series):
            if of is not measure:
                continue
            tops = [below + sign * (count.count or 0) for below, count in zip(floor, counts, strict=True)]
            axes.stairs(tops, edges, baseline=floor, fill=True, color=_COLOURS[kind], linewidth=0)
            floor = tops
        highest[side] = max(highest[side], *(abs(top) for top in floor))
    axes.axhline(0, color=_INK, linewidth=0.8)
    axes.set_ylim(-1.3 * highest[1], 1.3 * highest[0])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, integer=True))
    axes.yaxis.set_major_formatter(FuncFormatter(_unsigned))
    for y, anchor, arrow, measure in ((0.97, "top", "▲", panel.family.up), (0.03, "bottom", "▼", panel.family.down)):
        label = f"{arrow} {measure.value if measure else ''}"
        box = {"facecolor": "white", "alpha": 0.75, "edgecolor": "none", "pad": 1.5}
        axes.text(0.006, y, label, transform=axes.transAxes, va=anchor, fontsize=8.5, color=_INK, bbox=box)


def _unsigned(value: float, _position: int | None = None) -> str:
    return f"{abs(value):g}"


def _draw_levels(axes: Any, panel: _Panel, edges: Sequence[float]) -> None:
    """The mean as a line, and the most of it pale behind: of all kinds together where that is known."""
    kinds = [kind for _, kind in panel.series]
    for (_, kind), counts in _in_order(panel.series):
        colour = _COLOURS[kind]
        if kind is None or None not in kinds:
            axes.stairs([_or_nan(count.most) for count in counts], edges, fill=True, color=colour, alpha=0.16, linewidth=0)
        means = [_or_nan(count.mean) for count in counts]
        axes.stairs(means, edges, baseline=None, color=colour, linewidth=2.0 if kind is None or len(kinds) == 1 else 1.6)
    largest = max((count.most or 0.0 for counts in panel.series.values() for count in counts), default=0.0)
    axes.set_ylim(0, 1.15 * largest or 1.0)


def _in_order(series: _Series) -> Iterator[tuple[tuple[Measure, CountedKind | None], list[Count]]]:
    order = [None, *CountedKind]
    yield from sorted(series.items(), key=lambda item: order.index(item[0][1]))


def _unseen(counts: Sequence[Count]) -> Iterator[tuple[int, int, bool]]:
    """Spans of buckets of which nothing was seen (and only a part, where the last is true); neighbours are joined."""
    open_span: tuple[int, int, bool] | None = None
    for count in counts:
        is_unseen, is_part = count.tally is None, count.tally is not None and count.observed_s < _ENOUGH * count.span_s
        if open_span is not None and (is_unseen or is_part) and open_span[2] is is_part:
            open_span = (open_span[0], count.end_us, is_part)
            continue
        if open_span is not None:
            yield open_span
        open_span = (count.start_us, count.end_us, is_part) if is_unseen or is_part else None
    if open_span is not None:
        yield open_span


def _unseen_look(*, is_part: bool) -> dict[str, Any]:
    if is_part:
        return {"facecolor": "#f7f7f7", "edgecolor": "#d6d6d6", "hatch": "...", "linewidth": 0}
    return {"facecolor": _UNSEEN, "edgecolor": _HATCH, "hatch": "////", "linewidth": 0}


def _legend(panels: Sequence[_Panel]) -> list[Any]:
    from matplotlib.lines import Line2D
    from matplotlib.patches import Patch

    kinds = {kind for panel in panels for _, kind in panel.series}
    handles: list[Any] = [
        Patch(color=_COLOURS[kind], label="all kinds" if kind is None else f"{kind.value}s")
        for kind in (*CountedKind, None)
        if kind in kinds
    ]
    if any(panel.family.down is None for panel in panels):
        handles += [Line2D([], [], color=_QUIET, linewidth=2, label="mean"), Patch(color=_QUIET, alpha=0.25, linewidth=0, label="most")]
    found = {is_part for panel in panels for _, _, is_part in _unseen(panel.buckets)}
    if False in found:
        handles.append(Patch(**_unseen_look(is_part=False), label="unknown: nothing was seen"))
    if True in found:
        handles.append(Patch(**_unseen_look(is_part=True), label=f"less than {_ENOUGH:.0%} was seen"))
    return handles


def _title(buckets: Sequence[Count], wanted: Wanted, site: str) -> str:
    start, end = local_time(buckets[0].start_us, wanted.zone), local_time(buckets[-1].end_us - 1, wanted.zone)
    day = "{0.day} {0:%B} {0.year}"
    span = day.format(start) if start.date() == end.date() else f"{day.format(start)} to {day.format(end)}"
    by = {
        Bucket.MINUTE: "by the minute",
        Bucket.QUARTER: "by the quarter of an hour",
        Bucket.HOUR: "by the hour",
        Bucket.DAY: "by the day",
    }[wanted.by]
    return f"{f'{site}: ' if site else ''}{span}, {by}"


def _or_nan(value: float | None) -> float:
    return float("nan") if value is None else value


def _day(at_us: int) -> float:
    """The moment as Matplotlib's dates count: days since 1970."""
    return at_us / _DAY_US
