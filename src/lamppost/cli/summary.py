"""The last words of `lamppost serve`: what there is now, and where to look."""

from __future__ import annotations

import dataclasses
import json

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.cli.progress import format_bytes
from lamppost.model.settings import Settings
from lamppost.pipeline.summary import CameraSummary, RunSummary

TRIAL_WARNING = "TRIAL KEYS are in use: whoever reads custodians-TRIAL/ can open every original. Name real custodians before real use."


def print_summary(settings: Settings, summary: RunSummary, *, as_json: bool) -> None:
    """To standard output; the warning of trial keys is always in it."""
    if as_json:
        typer.echo(json.dumps(dataclasses.asdict(summary) | {"data": str(settings.data), "trial_keys": settings.sealing.trial}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for camera in summary.cameras:
        _print_camera(console, camera)
    for process, deaths in summary.deaths.items():
        console.print(f"the {process} died {deaths} time(s) and was started again")
    console.print(f"masked video:     {escape(str(settings.data / 'masked'))} (plays in any player)")
    console.print(f"sealed originals: {escape(str(settings.data / 'sealed'))} (any {settings.sealing.threshold} of "
                  f"{len(settings.sealing.custodians)} custodians open them: lamppost release open)")  # fmt: skip
    console.print("is all accounted for? lamppost check")
    if settings.sealing.trial:
        console.print(f"[bold yellow]warning:[/] {TRIAL_WARNING}")


def _print_camera(console: Console, camera: CameraSummary) -> None:
    gaps = ", ".join(f"{cause} {seconds:.1f} s" for cause, seconds in camera.gap_s_by_cause.items()) or "none"
    console.print(
        f"[bold]{camera.camera}[/]: {camera.frames_in} frames in, {camera.frames_masked} masked, {camera.frames_covered} of them "
        f"covered whole; {format_bytes(camera.sealed_bytes)} sealed in {camera.sealed_segments} segment(s); gaps: {gaps}"
    )
    if camera.problem:
        console.print(f"  last problem: {escape(camera.problem)}")
