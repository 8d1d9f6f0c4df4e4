"""`lamppost analyse`: counts a clip by rules, as a camera's stream would be."""

from __future__ import annotations

import contextlib
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import SystemClock, parse_utc
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError
from lamppost.base.logging import redact
from lamppost.cli.errors import one_line_errors
from lamppost.cli.frame_bar import frame_bar
from lamppost.cli.targets import check_plot, check_target
from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import Anchor, RuleBook, Zone
from lamppost.pipeline.clip_analysis import AnalysisSettings, ClipAnalysis
from lamppost.pipeline.clip_counting import ClipCounts
from lamppost.pipeline.rules_file import load_rules

# Where no rules are given: all that comes and goes.
_PICTURE = Zone(name="picture", points=((0, 0), (1, 0), (1, 1), (0, 1)), anchor=Anchor.CENTRE)


@one_line_errors
def analyse(
    source: Annotated[str, typer.Argument(metavar="FILE", help="A clip, or a simulated street such as sim://plaza?seconds=60.")],
    rules: Annotated[
        Path | None, typer.Option(metavar="RULES.TOML", help="Lines, zones and rules; without them, what comes and goes is counted.")
    ] = None,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write everything that was found; - prints it.")] = None,
    video: Annotated[
        Path | None, typer.Option(metavar="FILE.mp4", help="Write the clip, masked, with lines, zones and their counts drawn in.")
    ] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw counts over time, as a .png or an .svg.")] = None,
    model: Annotated[
        str, typer.Option(metavar="NAME", help="What finds and tells apart the things to count; without it, what moves is counted.")
    ] = "",
    models: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder with models of your own.")] = None,
    interval_s: Annotated[float, typer.Option("--interval", metavar="SECONDS", min=0.02, max=0.5, help="Time between two looks.")] = 0.1,
    start: Annotated[
        str | None,
        typer.Option(metavar="TIME", help="When the clip begins, such as 2026-05-04T08:00+02:00: minutes are of the clock then."),
    ] = None,
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist. FILE is never changed.")] = False,
) -> None:
    """Count a clip: crossings, entries, dwell, speeds, events, by lines, zones and rules.

    Nobody is identified: things are followed from picture to picture, in memory, and what comes out are counts and
    events. Pictures leave masked only. The rules file is described in docs/reference/rules.md.
    """
    is_printing = json_file is not None and str(json_file) == "-"
    targets = [path for path in (None if is_printing else json_file, video, plot) if path is not None]
    _check_targets(source, targets, is_overwriting=is_overwriting)
    check_plot(plot)
    if video is not None and video.suffix.lower() not in (".mp4", ".m4v"):
        raise ConfigError(f"{video} cannot hold the masked video", remedy="let it end in .mp4")
    book = load_rules(rules) if rules is not None else RuleBook(zone=(_PICTURE,))
    start_us = _parse_start(start) if start is not None else None
    settings = AnalysisSettings(model=model, models=models, interval_s=interval_s, start_us=start_us)
    analysis = ClipAnalysis(source, book, settings, SystemClock())
    aside = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    counts = _run(analysis, video, aside)
    result = analysis.to_json(counts)
    if json_file is not None:
        text = json.dumps(result, indent=1) + "\n"
        if is_printing:
            typer.echo(text, nl=False)
        else:
            write_durable(json_file, text.encode())
    if plot is not None:
        from lamppost.cli import clip_plot

        clip_plot.draw(counts, book, Path(source).name, plot)
    if not is_printing:
        _print(counts, book, analysis)
    for note in result["notes"]:
        aside.print(f"[yellow]note:[/] {escape(redact(str(note)))}")


def _parse_start(text: str) -> int:
    try:
        return parse_utc(text)
    except ValueError as error:
        raise ConfigError(
            f"--start {text!r} is not a time", remedy="write it as 2026-05-04T08:00+02:00; without a zone it is UTC"
        ) from error


def _check_targets(source: str, targets: list[Path], *, is_overwriting: bool) -> None:
    if len({path.absolute() for path in targets}) != len(targets):
        raise ConfigError("two outputs have the same name")
    for path in targets:
        if path.exists() and Path(source).exists() and path.samefile(source):
            raise ConfigError(f"{path} is the clip itself", remedy="name another file: the clip is never changed")
        check_target(path, is_overwriting=is_overwriting)


def _run(analysis: ClipAnalysis, video: Path | None, aside: Console) -> ClipCounts:
    with frame_bar(aside) as progress, contextlib.closing(analysis):
        task = progress.add_task(escape(analysis.name), total=analysis.nominal_frames or None)
        return analysis.run(video, lambda: progress.advance(task))


def _print(counts: ClipCounts, book: RuleBook, analysis: ClipAnalysis) -> None:
    console = Console(highlight=False)
    things = ", ".join(f"{number} {kind.value}" for kind, number in sorted(counts.things.items())) or "nothing that moved"
    console.print(
        f"[bold]{escape(analysis.name)}[/]: {counts.frames} frames, {counts.duration_s:.1f} s; followed: {things}", soft_wrap=True
    )
    sums = counts.sums()
    if book.line:
        _print_lines(console, book, sums)
    if book.zone:
        _print_zones(console, book, sums)
    if book.rule:
        _print_events(console, counts)


def _print_lines(console: Console, book: RuleBook, sums: Any) -> None:
    table = Table("line", "kind", "forward", "backward", box=SIMPLE_HEAD)
    for line in book.line:
        _observed, tallies = sums.get(("line", line.name), (0, ()))
        kinds = list(dict.fromkeys(tally.kind for tally in tallies)) or [None]
        for kind in kinds:
            table.add_row(
                line.name,
                kind.value if kind else "-",
                *(str(sum(tally.count for tally in tallies if tally.kind is kind and tally.measure is way)) for way in _WAYS),
            )
    console.print(table)


_WAYS = (Measure.FORWARD, Measure.BACKWARD)


def _print_zones(console: Console, book: RuleBook, sums: Any) -> None:
    table = Table("zone", "kind", "in", "out", "stay, mean", "longest", "speed", "at once", "most", box=SIMPLE_HEAD)
    for zone in book.zone:
        _observed, tallies = sums.get(("zone", zone.name), (0, ()))
        found = {(tally.measure, tally.kind): tally for tally in tallies}
        for kind in list(dict.fromkeys(tally.kind for tally in tallies if tally.kind is not None)) or [None]:
            cells = [str(_count(found.get((measure, kind)))) for measure in (Measure.ENTRIES, Measure.EXITS)]
            dwell, speed, level = (found.get((measure, kind)) for measure in (Measure.DWELL, Measure.SPEED, Measure.OCCUPANCY))
            cells += [_mean(dwell, "s"), _most(dwell, "s"), _mean(speed, "km/h"), _mean(level, ""), _most(level, "")]
            table.add_row(zone.name, kind.value if kind else "-", *cells)
    console.print(table)


def _print_events(console: Console, counts: ClipCounts) -> None:
    if not counts.events:
        console.print("no events")
        return
    table = Table("from", "to", "severity", "event", "rule", "what", box=SIMPLE_HEAD)
    for event in counts.events[:_MOST_LISTED]:
        findings = event.last.findings
        what = [f"{findings.count} ×" if findings.count is not None else "", findings.kind.value if findings.kind else ""]
        if findings.value is not None:
            what.append(f"{findings.value:.1f} {(findings.unit or '').replace('per_m2', 'per m²')}")
        what += [*findings.ways, findings.note]
        end = f"{event.end_s:.1f} s" if event.end_s is not None else "-"
        table.add_row(
            f"{event.start_s:.1f} s", end, event.last.severity.value, event.first.type.value, event.first.rule, " ".join(filter(None, what))
        )
    console.print(table)
    if len(counts.events) > _MOST_LISTED:
        console.print(f"and {len(counts.events) - _MOST_LISTED} more: --json has all")


_MOST_LISTED = 50


def _count(tally: Tally | None) -> int:
    return tally.count if tally is not None else 0


def _mean(tally: Tally | None, unit: str) -> str:
    return f"{tally.total / tally.count:.1f} {unit}".strip() if tally is not None and tally.count and tally.total is not None else "-"


def _most(tally: Tally | None, unit: str) -> str:
    return f"{tally.most:.1f} {unit}".strip() if tally is not None and tally.most is not None else "-"
