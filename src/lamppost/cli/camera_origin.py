"""`lamppost camera origin`: where a camera came from, and why it is there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.layout import DataFolder
from lamppost.model.origin import NAMES, origin_from
from lamppost.pipeline.configuration import load_settings
from lamppost.store.acts import record_act
from lamppost.store.device_book import DeviceBook


@one_line_errors
def camera_origin(
    name: Annotated[str, typer.Argument(help="The camera's name.")],
    given: Annotated[
        list[str] | None, typer.Option("--set", help=f"KEY=VALUE, of {', '.join(NAMES)}; nothing after = takes it out; repeat.")
    ] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Show where a camera came from and why it is there, or put it down."""
    settings = load_settings(config)
    folder, clock = DataFolder(settings.data), SystemClock()
    if not folder.root.is_dir():
        raise ConfigError(f"there is no data folder {folder.root}", remedy="`lamppost init` makes one; is its disk mounted?")
    with DeviceBook(folder) as book:
        before = book.origin(name)
        if not before.revision and all(camera.name != name for camera in settings.camera):
            raise ConfigError(f"{config} has no camera {name!r}", remedy="see `lamppost camera list`")
        if given:
            origin = origin_from(_pairs(given), before.origin)
            keys = [key for key in NAMES if getattr(origin, key) != getattr(before.origin, key)]

            def first() -> None:
                actor = f"{user_name()} (lamppost camera origin)"
                record_act(folder, clock, kind="camera_origin_changed", actor=actor, subject=name, detail={"keys": keys})

            book.set_origin(name, origin, before.revision, first=first)
        row, device = book.origin(name), book.device(name)
    said = {key: getattr(device.identity, key) for key in ("vendor", "model", "firmware")} if device is not None else None
    if as_json:
        typer.echo(json.dumps({"camera": name, **row.origin.to_json(), "device": said}, indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for key, value in row.origin.to_json().items():
        beside = f"; the device says {said[key]}" if said is not None and said.get(key) and said[key] != value else ""
        console.print(f"{key.replace('_', ' ')}: {escape(_told(value))}{escape(beside)}")


def _pairs(given: list[str]) -> dict[str, str]:
    found: dict[str, str] = {}
    for pair in given:
        key, sign, value = pair.partition("=")
        if not sign:
            raise ConfigError(f"--set {pair[:60]}: it is no KEY=VALUE", remedy=f"keys are {', '.join(NAMES)}")
        found[key.strip()] = value
    return found


def _told(value: Any) -> str:
    if value is None or value == "":
        return "-"
    return f"{value:.2f}" if isinstance(value, float) else str(value)
