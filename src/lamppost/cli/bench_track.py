"""`lamppost bench track`: score the tracker on clips with truth, beside reference trackers on the same detections."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, SpinnerColumn, TextColumn
from rich.table import Table

from lamppost.base.clock import SystemClock
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError
from lamppost.bench.followers import Follower, LamppostFollower
from lamppost.bench.mot_sequences import TrackSequence, find_sequences, one_sequence, with_tracks
from lamppost.bench.peers import has_peers, peers
from lamppost.bench.track_figures import Row, measure, to_json
from lamppost.cli.errors import one_line_errors
from lamppost.cli.targets import check_target


@one_line_errors
def bench_track(
    data: Annotated[
        Path | None, typer.Option(metavar="DIR", help="A folder of sequences in MOT format; docs/reference/track.md has the layouts.")
    ] = None,
    truth: Annotated[Path | None, typer.Option(metavar="FILE", help="The truth of one sequence, in place of --data.")] = None,
    detections: Annotated[Path | None, typer.Option(metavar="FILE", help="Its detections.")] = None,
    fps: Annotated[float | None, typer.Option(min=0.01, max=1000, help="Frames a second, whatever a seqinfo.ini says.")] = None,
    tracks: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Score what some tracker made: a file, or a folder with NAME.txt for each sequence."),
    ] = None,
    has_peer: Annotated[bool, typer.Option("--peer/--no-peer", help="Measure the reference trackers as well.")] = True,
    json_file: Annotated[Path | None, typer.Option("--json", metavar="FILE", help="Write all figures to this JSON file.")] = None,
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")] = False,
) -> None:
    """Measure how well things are followed from frame to frame: HOTA, IDF1, MOTA, and the time it takes.

    The detections of each sequence go through Lamppost's tracker, and through
    reference trackers where `trackers` is installed; ready tracks that lie beside them
    are scored as well. Nothing is written but what --json names.
    """
    check_target(json_file, is_overwriting=is_overwriting)
    sequences = _sequences(data, truth, detections, fps, tracks)
    notes = [f"{each.name}: {note}" for each in sequences for note in each.notes]
    followers: list[Follower] = [LamppostFollower()]
    if has_peer and has_peers():
        followers += peers()
    elif has_peer:
        notes.append("the library trackers is not installed here, so nothing is measured beside it: pip install trackers")
    console, aside = Console(highlight=False), Console(file=sys.stderr, highlight=False, soft_wrap=True)
    for line in notes:
        aside.print(f"[yellow]note:[/] {escape(line)}")
    with Progress(
        SpinnerColumn(), TextColumn("{task.description}"), console=aside, transient=True, disable=not aside.is_terminal
    ) as progress:
        task = progress.add_task("")
        rows = measure(sequences, followers, lambda name, by: progress.update(task, description=escape(f"{name}: {by}")))
    _print(console, rows)
    if json_file is not None:
        write_durable(json_file, (json.dumps(to_json(sequences, rows, notes, SystemClock()), indent=1) + "\n").encode())


def _sequences(
    data: Path | None, truth: Path | None, detections: Path | None, fps: float | None, tracks: Sequence[Path] | None
) -> tuple[TrackSequence, ...]:
    if (data is None) == (truth is None):
        raise ConfigError("say what to measure on", remedy="--data DIR, or --truth FILE with --detections FILE")
    if data is not None:
        if detections is not None:
            raise ConfigError("--detections goes with --truth", remedy="a folder of --data has its own")
        sequences = find_sequences(data, fps)
    else:
        if detections is None and not tracks:
            raise ConfigError("--truth alone tells nothing", remedy="add --detections FILE, or --tracks FILE")
        sequences = (one_sequence(truth or Path(), detections, fps),)
    for path in tracks or ():
        sequences = with_tracks(sequences, path)
    if not any(each.detections is not None or each.tracks for each in sequences):
        raise ConfigError(f"{data} has neither detections nor tracks", remedy="they are called det/det.txt, or det.txt beside gt.txt")
    return sequences


def _print(console: Console, rows: Sequence[Row]) -> None:
    table = Table("sequence", box=SIMPLE_HEAD, padding=(0, 1, 0, 0))
    table.add_column("tracker", no_wrap=True)  # before all else a row must say whose it is
    for title in ("HOTA", "DetA", "AssA", "IDF1", "MOTA", "switches", "ms a frame", "p95"):
        table.add_column(title, justify="right", no_wrap=title not in ("ms a frame", "switches"))
    previous: str | None = None
    for row, following in pairwise((*rows, None)):
        if row is None:
            break
        found = row.score
        shares = (f"{share:.1%}" for share in (found.hota, found.det_a, found.ass_a, found.idf1, found.mota))
        times = ("–" if ms is None else f"{ms:.2f}" for ms in (row.median_ms, row.p95_ms))
        name = "" if row.sequence == previous else escape(row.sequence or "all")
        is_last = following is None or following.sequence != row.sequence
        table.add_row(name, escape(row.tracker), *shares, str(found.switches), *times, end_section=is_last)
        previous = row.sequence
    console.print(table)
