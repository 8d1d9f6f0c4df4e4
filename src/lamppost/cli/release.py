"""`lamppost release open`: the originals of an interval, with the keys of k custodians."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from lamppost.base.clock import format_utc, parse_utc
from lamppost.base.errors import ConfigError
from lamppost.casework.release import Release, open_interval
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings


@one_line_errors
def release_open(
    out: Annotated[Path, typer.Argument(help="A folder to create, or one file that ends in .mp4.")],
    key: Annotated[list[Path], typer.Option("--key", help="A custodian's key file, as age-keygen wrote it; repeat for each custodian.")],
    camera: Annotated[str, typer.Option("--camera", help="The camera's name.")],
    from_: Annotated[str, typer.Option("--from", help="Start, ISO 8601; UTC where no zone is given: 2026-11-23T10:00.")],
    to: Annotated[str, typer.Option("--to", help="End, likewise.")],
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder, where there is no configuration: a copy will do.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print what came out as JSON.")] = False,
) -> None:
    """Open the originals of an interval, bit-exact, offline.

    It takes the key files of as many custodians as the threshold says; with one
    less nothing comes out. Do this on a machine that you trust: what comes out
    is unmasked. Stock tools can do the same; the recipe is in the documentation.
    """
    folder = DataFolder(data.resolve() if data is not None else load_settings(config).data)
    if not folder.root.is_dir():
        raise ConfigError(f"there is no data folder {folder.root}", remedy="name it with --data")
    from_us, to_us = _parse_time("--from", from_), _parse_time("--to", to)
    console = Console(stderr=True, highlight=False)
    columns = (TextColumn("opening"), BarColumn(), MofNCompleteColumn(), TextColumn("fragments"))
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task("opening", total=None)
        released = open_interval(
            folder,
            camera,
            from_us,
            to_us,
            key,
            out,
            progress=lambda done, total: progress.update(task, completed=done, total=total),
        )
    if as_json:
        typer.echo(json.dumps(_to_json(released, out), indent=2))
    else:
        _tell(released, out)


def _parse_time(option: str, text: str) -> int:
    try:
        return parse_utc(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r} is not a time", remedy="write it as 2026-11-23T10:00:00 (UTC)") from error


def _to_json(released: Release, out: Path) -> dict[str, object]:
    return {
        "out": str(out),
        "camera": released.camera,
        "files": [
            {"name": file.name, "sha256": file.sha256, "from": format_utc(file.start_us), "to": format_utc(file.end_us)}
            for file in released.files
        ],
        "gaps": [{"from": format_utc(start), "to": format_utc(end)} for start, end in released.gaps],
        "forgotten": [{"from": format_utc(start), "to": format_utc(end)} for start, end in released.forgotten],
        "unsigned_segments": list(released.unsigned_segments),
    }


def _tell(released: Release, out: Path) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for file in released.files:
        console.print(f"{file.name}: {format_utc(file.start_us)} to {format_utc(file.end_us)}, sha256 {file.sha256}")
    for start, end in released.gaps:
        console.print(f"nothing there: {format_utc(start)} to {format_utc(end)}")
    for start, end in released.forgotten:
        console.print(f"deleted when its time was over: {format_utc(start)} to {format_utc(end)}")
    for segment in released.unsigned_segments:
        console.print(f"segment {segment} has no signed record yet; its fragments were read one by one")
    console.print(f"Opened {len(released.files)} file(s) into {out}. They are unmasked: handle them as evidence.")
