"""`lamppost hold add`, `list` and `release`: what is kept whatever its age, by whom, and why."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock, format_utc, parse_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings
from lamppost.store.holds import await_index, is_kept, list_holds, place_hold, release_hold
from lamppost.store.index import HoldRow

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder, where there is no configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@one_line_errors
def hold_add(
    camera: Annotated[str, typer.Option("--camera", help="The camera's name; it need not be configured any more.")],
    from_: Annotated[str, typer.Option("--from", help="Start, ISO 8601; UTC where no zone is given: 2026-11-23T10:00.")],
    to: Annotated[str, typer.Option("--to", help="End, likewise; it may lie in the future.")],
    reason: Annotated[str, typer.Option("--reason", help="Why, in one line. It goes on the record: name no person.")],
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """Keep a camera's footage of an interval until the hold is released.

    Nothing that overlaps it is deleted automatically, neither originals nor
    their shares nor masked video. Where the disk is full of what is held,
    recording stops. What was deleted before cannot be held.
    """
    folder, clock = _folder(config, data), SystemClock()
    from_us, to_us = _parse_time("--from", from_), _parse_time("--to", to)
    placed = place_hold(folder, camera, from_us, to_us, reason, actor=user_name(), clock=clock)
    _tell(folder, placed, lambda _hold: True, f"Hold {placed.hold_id} is placed", as_json=as_json)


@one_line_errors
def hold_list(
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    is_all: Annotated[bool, typer.Option("--all", help="Those that were released, too.")] = False,
    as_json: JsonOption = False,
) -> None:
    """List the holds in force."""
    holds = [hold for hold in list_holds(_folder(config, data)) if is_all or hold.released_us is None]
    if as_json:
        typer.echo(json.dumps([_to_json(hold) for hold in holds], indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for hold in holds:
        released = "" if hold.released_us is None else f"; released {format_utc(hold.released_us)} by {hold.released_by}"
        console.print(
            f"{hold.hold_id}: {hold.camera}, {format_utc(hold.start_us)} to {format_utc(hold.end_us)}; placed {format_utc(hold.placed_us)} "
            f"by {escape(hold.placed_by)}: {escape(hold.reason)}{escape(released)}"
        )
    if not holds:
        console.print("Nothing is held." if not is_all else "Nothing was ever held.")


@one_line_errors
def hold_release(
    hold_id: Annotated[str, typer.Argument(help="The hold's id, as `lamppost hold list` shows it.", metavar="HOLD_ID")],
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    as_json: JsonOption = False,
) -> None:
    """End a hold: what it kept is deleted like everything else again, at once where its time is over."""
    folder = _folder(config, data)
    released = release_hold(folder, hold_id, actor=user_name(), clock=SystemClock())
    _tell(folder, released, lambda hold: hold.released_us is not None, f"Hold {hold_id} is released", as_json=as_json)


def _folder(config: Path, data: Path | None) -> DataFolder:
    folder = DataFolder(data.resolve() if data is not None else load_settings(config).data)
    if not (folder.keys / "recorder.pub").is_file():
        raise ConfigError(f"{folder.root} is not a data folder", remedy="name it with --data, or create one with `lamppost init`")
    return folder


def _tell(folder: DataFolder, hold: HoldRow, is_shown: Callable[[HoldRow], bool], what: str, *, as_json: bool) -> None:
    is_running = is_kept(folder)
    is_confirmed = is_running and await_index(folder, is_shown, hold.hold_id, SystemClock())
    if as_json:
        typer.echo(json.dumps(_to_json(hold) | {"is_running": is_running, "is_confirmed": is_confirmed}))
        return
    console = Console(highlight=False, soft_wrap=True)
    if is_confirmed:
        console.print(f"{what}, and in force.")
    elif is_running:
        console.print(
            f"{what} and safe on the disk. The bookkeeper has not said so yet: look at its log. Before it deletes anything, it reads this."
        )
    else:
        console.print(f"{what}. Lamppost does not run; when it does, this takes effect before anything is deleted.")


def _to_json(hold: HoldRow) -> dict[str, Any]:
    times = {key: format_utc(us) for key, us in (("from", hold.start_us), ("to", hold.end_us), ("placed", hold.placed_us))}
    released = None if hold.released_us is None else format_utc(hold.released_us)
    return dataclasses.asdict(hold) | times | {"released": released}


def _parse_time(option: str, text: str) -> int:
    try:
        return parse_utc(text)
    except ValueError as error:
        raise ConfigError(f"{option} {text!r} is not a time", remedy="write it as 2026-11-23T10:00:00 (UTC)") from error
