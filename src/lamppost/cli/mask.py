"""`lamppost mask`: hides people in clips and pictures that one already has."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import Progress, TaskID

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.base.logging import redact
from lamppost.cli.errors import one_line_errors, tell_error
from lamppost.cli.frame_bar import frame_bar
from lamppost.model.vision import Preset
from lamppost.pipeline.clip_masking import MaskSettings, parse_colour
from lamppost.pipeline.mask_files import FileMasker
from lamppost.pipeline.mask_jobs import MaskJob, plan_jobs
from lamppost.pipeline.mask_report import ReportWriter, Tally, Totals


@one_line_errors
def mask(
    source: Annotated[Path, typer.Argument(metavar="IN", help="A clip, a picture, or a folder of them.")],
    target: Annotated[Path, typer.Argument(metavar="OUT", help="Where the masked one goes: an .mp4, a picture, or a folder.")],
    report: Annotated[Path | None, typer.Option(help="Write what was masked in every frame to this JSON file.")] = None,
    fill: Annotated[str | None, typer.Option(metavar="#RRGGBB", help="One colour for all masks.")] = None,
    preset: Annotated[
        Preset,
        typer.Option(
            help="motion: faces and everything that moves, for a camera that stands still. faces: faces alone. heads: faces and the "
            "upper part of persons. persons: faces, and persons whole. all: the whole frame. heads and persons need --models."
        ),
    ] = Preset.MOTION,
    models: Annotated[
        Path | None, typer.Option(help="The folder with models of your own; `lamppost model pull --folder` puts them there.")
    ] = None,
    face_model: Annotated[str, typer.Option(metavar="NAME", help="The model that finds faces.")] = "centerface",
    is_overwriting: Annotated[bool, typer.Option("--overwrite", help="Replace outputs that exist. IN is never changed.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print the totals as JSON, for scripts.")] = False,
) -> None:
    """Mask a clip, a picture or a folder: constant boxes over faces and whatever moves.

    Clips become H.264 in .mp4, pictures keep their format. Neither sound nor
    metadata passes. No detector finds everything: look at the result before
    you pass it on. Exit code 1: something could not be masked.
    """
    if fill is not None:
        try:
            parse_colour(fill)
        except ValueError as error:
            raise ConfigError(f"--fill {fill!r} is not a colour", remedy="give it as '#203040', in quotes") from error
    jobs = plan_jobs(source, target, is_overwriting=is_overwriting)
    _check_report(report, jobs)
    masker = FileMasker(MaskSettings(preset=preset, fill=fill, models=models, face_model=face_model), SystemClock())
    writer = ReportWriter(report, masker.describe(), is_overwriting=is_overwriting) if report else None
    try:
        totals = _run(masker, jobs, writer)
        if writer is not None:
            writer.finish(totals)
    finally:
        if writer is not None:
            writer.close()
    _tell_totals(totals, as_json=as_json)
    if totals.failed:
        raise typer.Exit(1)


def _check_report(report: Path | None, jobs: Sequence[MaskJob]) -> None:
    if report is None:
        return
    taken = {path.resolve() for job in jobs for path in (job.source, job.target)}
    if report.resolve() in taken:
        raise ConfigError(f"the report {report} is one of the files to mask", remedy="name another file")


def _run(masker: FileMasker, jobs: Sequence[MaskJob], writer: ReportWriter | None) -> Totals:
    console = Console(file=sys.stderr, highlight=False, soft_wrap=True)
    with frame_bar(console) as progress:
        return masker.run(jobs, _Bar(progress, console, len(jobs)), writer)


def _tell_totals(totals: Totals, *, as_json: bool) -> None:
    if as_json:
        typer.echo(json.dumps(asdict(totals)))
        return
    failed = f", {totals.failed} failed" if totals.failed else ""
    typer.echo(
        f"{totals.inputs - totals.failed} of {totals.inputs} file(s) masked{failed}: {totals.frames} frames, "
        f"{totals.masked_frames} with masks, {totals.covered_frames} covered whole. Look at the result before you pass it on."
    )


class _Bar:
    """Shows a bar for each file, and a line for what a person must know."""

    def __init__(self, progress: Progress, console: Console, jobs: int) -> None:
        self._progress = progress
        self._console = console
        self._jobs = jobs
        self._done = 0
        self._task: TaskID | None = None

    def started(self, job: MaskJob, nominal_frames: int) -> None:
        place = f"[{self._done + 1}/{self._jobs}] " if self._jobs > 1 else ""
        self._task = self._progress.add_task(escape(place + job.source.name), total=nominal_frames or None)

    def advanced(self, frames: int) -> None:
        if self._task is not None:
            self._progress.advance(self._task, frames)

    def ended(self, job: MaskJob, tally: Tally, notes: Sequence[str], error: LamppostError | None) -> None:
        self._done += 1
        if self._task is not None:
            self._progress.remove_task(self._task)
            self._task = None
        if error is not None:
            tell_error(error)
        for note in notes:
            self._console.print(f"[yellow]note:[/] {escape(redact(f'{job.source}: {note}'))}")
