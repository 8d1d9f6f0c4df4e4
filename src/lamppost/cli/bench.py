"""`lamppost bench`: measure what masks let through, on pictures with truth, beside a peer."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from lamppost.base.clock import SystemClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError
from lamppost.bench import plot as plotting
from lamppost.bench.leak import Result, leak_rate, measure, over_masked, to_json, track_rate
from lamppost.bench.rates import Rate, percentile
from lamppost.bench.scores import Size
from lamppost.bench.sets import find_sets
from lamppost.bench.subjects import DefaceSubject, LamppostSubject, Subject, has_deface
from lamppost.bench.truth import SCORED
from lamppost.cli.errors import one_line_errors
from lamppost.cli.targets import check_plot, check_target
from lamppost.model.vision import Preset


@one_line_errors
def bench_leak(
    truth: Annotated[Path, typer.Option(metavar="DIR", help="A folder of sets with truth; docs/reference/leak.md has the layouts.")],
    media: Annotated[Path | None, typer.Option(metavar="DIR", help="Where the clips and pictures lie, if not with the truth.")] = None,
    preset: Annotated[
        list[Preset] | None, typer.Option(help="Measure this preset, and others named so; all that can run otherwise.")
    ] = None,
    only: Annotated[list[str] | None, typer.Option("--set", metavar="NAME", help="Measure this set, and others named so.")] = None,
    models: Annotated[Path | None, typer.Option(metavar="DIR", help="The folder with models of your own.")] = None,
    has_peer: Annotated[bool, typer.Option("--peer/--no-peer", help="Measure deface as well, with its defaults.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures to this JSON file.")] = None,
    plot: Annotated[Path | None, typer.Option(metavar="FILE", help="Draw them, as a .png or an .svg.")] = None,
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace files that exist.")] = False,
) -> None:
    """Measure how often masks let a face, a head or a plate through, and how much they hide too much.

    Each set is masked with every preset, and with deface where it is
    installed, and compared with its truth. Rates come with their counts and
    95% bounds. Nothing is written but what --json and --plot name.
    """
    for path in (json_file, plot):
        check_target(path, is_overwriting=is_overwriting)
    check_plot(plot)
    sets = find_sets(truth, media)
    if only:
        unknown = [name for name in only if name not in {each.name for each in sets}]
        if unknown:
            raise ConfigError(f"{truth} has no set {unknown[0]!r}", remedy=f"it has {', '.join(each.name for each in sets)}")
        sets = tuple(each for each in sets if each.name in only)
    console, aside = Console(highlight=False), Console(file=sys.stderr, highlight=False, soft_wrap=True)
    subjects, skipped = _subjects(preset, models, has_peer=has_peer)
    for line in skipped:
        aside.print(f"[yellow]note:[/] {escape(line)}")
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=aside, transient=True, disable=not aside.is_terminal
    ) as progress:
        task = progress.add_task("")

        def tell(name: str, subject: str, count: int) -> None:
            progress.update(task, description=escape(f"{name}: {subject}, {count} pictures"))

        results = measure(sets, subjects, tell)
    _print(console, results, subjects)
    if json_file is not None:
        write_durable(json_file, (json.dumps(to_json(results, skipped, SystemClock()), indent=1) + "\n").encode())
    if plot is not None:
        plotting.draw(results, plot)


def _subjects(presets: list[Preset] | None, models: Path | None, *, has_peer: bool) -> tuple[list[Subject], list[str]]:
    """Who can be measured, and a line for each who cannot; a preset that was asked for by name must run."""
    subjects: list[Subject] = []
    skipped: list[str] = []
    for preset in dict.fromkeys(presets or Preset):
        try:
            subjects.append(LamppostSubject(preset, models, SystemClock()))
        except ConfigError as error:
            if presets:
                raise
            skipped.append(f"the preset {preset.value} is left out: {error.problem}")
    if has_peer and has_deface():
        subjects.append(DefaceSubject())
    elif has_peer:
        skipped.append("deface is not installed here, so nothing is measured beside it: pip install deface")
    return subjects, skipped


def _print(console: Console, results: Sequence[Result], subjects: Sequence[Subject]) -> None:
    table = Table("what", "by", "share", "95% bounds", "of")
    names = [subject.name for subject in subjects]
    for of_clips, place in ((True, "clips"), (False, "stills")):
        for label in SCORED:
            for size in Size:
                rates = [leak_rate(results, name, label, size, of_clips=of_clips) for name in names]
                _add(table, f"{label.value}s leaking, {size.value} px, {place}", names, [_rate_cells(rate) for rate in rates])
    for label in SCORED:
        tracks = [track_rate(results, name, label) for name in names]
        _add(table, f"{label.value} tracks leaking twice in a row", names, [_rate_cells(rate) for rate, _ in tracks])
        title = f"{label.value}s: longest leak, 99th percentile of tracks"
        _add(table, title, names, [_longest_cells(longest_ms) for _, longest_ms in tracks])
    for is_counted, title in ((True, "over-masked pixels, clips"), (False, "the same, without covered frames")):
        areas = [over_masked(results, name, is_covered_counted=is_counted).value for name in names]
        _add(table, title, names, [None if area is None else (f"{area:.2%}", "", "") for area in areas])
    console.print(table)
    for result in {result.of.name: result for result in results}.values():
        if result.of.note:
            console.print(f"{escape(result.of.name)}: {escape(result.of.note)}", soft_wrap=True)


def _rate_cells(rate: Rate) -> tuple[str, str, str] | None:
    if not rate.n:
        return None
    return f"{rate.k / rate.n:.2%}", f"{rate.low:.2%} to {rate.high:.2%}", f"{rate.k} of {rate.n}"


def _longest_cells(longest_ms: list[float]) -> tuple[str, str, str] | None:
    worst_ms = percentile(longest_ms, 0.99)
    return None if worst_ms is None else (f"{worst_ms:.0f} ms", "", str(len(longest_ms)))


def _add(table: Table, title: str, names: Sequence[str], rows: Sequence[tuple[str, str, str] | None]) -> None:
    """One row for each name that has one, the title beside the first."""
    told = [(name, cells) for name, cells in zip(names, rows, strict=True) if cells is not None]
    for index, (name, cells) in enumerate(told):
        table.add_row("" if index else title, name, *cells, end_section=index == len(told) - 1)
