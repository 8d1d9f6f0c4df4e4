"""`lamppost plan`: whether this machine carries what is planned, from figures measured on it."""

from __future__ import annotations

import dataclasses
import json
import math
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base import machine
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.model.settings import RecordingSettings
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.measuring import Figures, measure
from lamppost.pipeline.planning import Available, Demand, Plan
from lamppost.pipeline.planning import plan as make_plan


@one_line_errors
def plan(
    cameras: Annotated[int, typer.Option("--cameras", min=1, max=100_000, help="How many cameras.")],
    mbps: Annotated[float, typer.Option("--mbps", min=0.01, max=1000, help="Mbit/s of each camera.")] = 4.0,
    days: Annotated[float, typer.Option("--days", min=0.0001, max=3650, help="Days for which originals are kept.")] = 3.0,
    masked_days: Annotated[
        float | None, typer.Option("--masked-days", min=0.0001, max=3650, help="Days for which masked video is kept; --days otherwise.")
    ] = None,
    fps: Annotated[float, typer.Option("--fps", min=1, max=120, help="Frames a second of each camera.")] = 25.0,
    masked_fps: Annotated[
        float | None, typer.Option("--masked-fps", min=0.1, max=120, help="Frames a second that are masked; --fps otherwise.")
    ] = None,
    config: Annotated[
        Path, typer.Option("--config", "-c", help="Its data folder's disk is measured, where the file exists.")
    ] = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option("--data", help="A folder on the disk to measure; it need not exist yet.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Say what so many cameras need, and whether this machine has it.

    It measures here, for some seconds and with one core busy, what recording,
    sealing, masking and syncing cost, and shows the arithmetic. Run it while
    nothing else does. Exit code 0: it fits. 1: it does not.
    """
    recording, place = RecordingSettings(), Path.cwd()
    if data is not None:
        place = data.resolve()
    elif config.exists():
        settings = load_settings(config)
        recording, place = settings.recording, settings.data
    demand = Demand(
        cameras=cameras,
        mbps=mbps,
        days=days,
        masked_days=days if masked_days is None else masked_days,
        fps=fps,
        masked_fps=fps if masked_fps is None else masked_fps,
        segment_s=recording.segment_s,
        sync_interval_s=recording.sync_interval_s,
    )
    figures = measure(place, fps=fps, mbps=mbps)
    available = Available(machine.free_bytes(place), machine.usable_cores(), machine.memory_bytes(), machine.most_descriptors())
    made = make_plan(demand, figures, available)
    if as_json:
        typer.echo(json.dumps(_to_json(demand, figures, available, made), indent=2))
    else:
        _print(place, demand, figures, made)
    if not made.fits:
        raise typer.Exit(1)


def _to_json(demand: Demand, figures: Figures, available: Available, made: Plan) -> dict[str, object]:
    needs = [dataclasses.asdict(need) | {"fits": need.fits} for need in made.needs]
    for need in needs:
        if math.isinf(need["available"]):
            need["available"] = None
    return {
        "fits": made.fits,
        "verdict": made.verdict,
        "maskable_fps": round(made.maskable_fps, 2),
        "needs": needs,
        "demand": dataclasses.asdict(demand),
        "measured": dataclasses.asdict(figures),
        "available": dataclasses.asdict(available),
        "assumed": list(made.assumed),
    }


def _print(place: Path, demand: Demand, figures: Figures, made: Plan) -> None:
    console = Console(highlight=False)
    table = Table("what", "needed", "there is", "how it was reckoned")
    for need in made.needs:
        colour = "green" if need.fits else "bold red"
        there = "no limit" if math.isinf(need.available) else f"{need.available:.1f} {need.unit}"
        table.add_row(need.what, f"[{colour}]{need.needed:.1f} {need.unit}[/]", there, escape(need.arithmetic))
    console.print(table)
    console.print(
        f"measured here, files in {escape(str(place))}: seal {figures.seal_bytes_per_s / 1e6:.0f} MB/s on one core, write "
        f"{figures.write_bytes_per_s / 1e6:.0f} MB/s, {figures.syncs_per_s:.0f} syncs/s, recording "
        f"{figures.recording_s_per_s * 1000:.2f} ms of processor a second, masking {figures.frame_s * 1000:.1f} ms a frame and "
        f"{figures.looking_s_per_s * 1000:.1f} ms a second to look for faces",
        soft_wrap=True,
    )
    for assumption in made.assumed:
        console.print(f"assumed: {escape(assumption)}", soft_wrap=True)
    if made.maskable_fps < demand.masked_fps:
        enough = f"{made.maskable_fps:.1f} of {demand.masked_fps:g} frames a second of each camera"
        console.print(f"the processor would mask {enough}; recording comes first", soft_wrap=True)
    console.print(f"[bold {'green' if made.fits else 'red'}]{escape(made.verdict)}[/]", soft_wrap=True)
