"""`lamppost camera firmware`: what runs on the cameras, and what is known against it; and a new list, without a network."""

from __future__ import annotations

import csv
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.tables import table_console
from lamppost.cli.who import user_name
from lamppost.model.acts import NODE
from lamppost.model.firmware_list import AdvisoryState
from lamppost.model.layout import DataFolder
from lamppost.pipeline.camera_table import safe_cell
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.firmware import CameraFirmware, ListInForce, inventory, list_in_force, read_list_file, update_list
from lamppost.store.acts import record_act
from lamppost.store.device_book import DeviceBook

HEADS = ("camera", "site", "vendor", "model", "firmware", "seen", "affected", "unknown", "bans")


@one_line_errors
def camera_firmware(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    update: Annotated[Path | None, typer.Option("--update", help="A list of known firmware to use from now on, JSON.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print a table for a spreadsheet.")] = False,
) -> None:
    """List the firmware of every camera, with what is known against it and with rules of buying that name its maker.

    It informs: no camera is refused because of it. One that nothing is said of is not safe because of that.
    """
    if as_json and as_csv:
        raise ConfigError("--json and --csv were both given", remedy="give one of them")
    settings = load_settings(config)
    folder, clock = DataFolder(settings.data), SystemClock()
    if not folder.root.is_dir():
        raise ConfigError(f"there is no data folder {folder.root}", remedy="`lamppost init` makes one; is its disk mounted?")
    with DeviceBook(folder) as book:
        if update is not None:
            known = read_list_file(update)
            detail = {"name": known.name, "published": known.published.isoformat(), "advisories": len(known.advisories)}
            detail |= {"bans": len(known.bans)}

            def first() -> None:
                actor = f"{user_name()} (lamppost camera firmware)"
                record_act(folder, clock, kind="firmware_list_changed", actor=actor, subject=NODE, detail=detail)

            update_list(book, known, clock.wall_us(), first=first)
        force = list_in_force(book)
        cameras = inventory(settings, book, force.known, [camera.name for camera in settings.camera])
    if as_json:
        typer.echo(json.dumps({"items": [_to_json(camera) for camera in cameras], "list": _about(force)}, indent=2))
    elif as_csv:
        writer = csv.writer(sys.stdout)
        writer.writerow(HEADS)
        writer.writerows([safe_cell(word) for word in _row(camera)] for camera in cameras)
    else:
        _print(cameras, force)


def _to_json(camera: CameraFirmware) -> dict[str, Any]:
    told = {name: getattr(camera, name) for name in ("camera", "site", "vendor", "model", "firmware")}
    told["seen"] = None if camera.seen_us is None else format_utc(camera.seen_us)
    told["advisories"] = [
        {"state": each.state.value, **each.advisory.model_dump(mode="json", include={"id", "title", "severity", "fixed_in", "url"})}
        for each in camera.advisories
    ]
    return told | {"bans": [ban.model_dump(mode="json", exclude={"vendors"}) for ban in camera.bans]}


def _about(force: ListInForce) -> dict[str, Any]:
    return {
        "name": force.known.name,
        "published": force.known.published.isoformat(),
        "updated": None if force.updated_us is None else format_utc(force.updated_us),
        "advisories": len(force.known.advisories),
        "bans": len(force.known.bans),
    }


def _row(camera: CameraFirmware) -> list[str]:
    ids = {
        state: " ".join(each.advisory.id for each in camera.advisories if each.state is state)
        for state in (AdvisoryState.AFFECTED, AdvisoryState.UNKNOWN)
    }
    seen = "" if camera.seen_us is None else format_utc(camera.seen_us)
    bans = "; ".join(dict.fromkeys(ban.list for ban in camera.bans))
    words = (camera.camera, camera.site, camera.vendor, camera.model, camera.firmware, seen)
    return [*words, ids[AdvisoryState.AFFECTED], ids[AdvisoryState.UNKNOWN], bans]


def _print(cameras: tuple[CameraFirmware, ...], force: ListInForce) -> None:
    console = table_console()
    table = Table("camera", "vendor", "model", "firmware", "affected by", "cannot be told", "named by", box=SIMPLE_HEAD, pad_edge=False)
    for camera in cameras:
        name, _, vendor, model, firmware, _, affected, unknown, bans = map(escape, _row(camera))
        table.add_row(name, vendor or "-", model or "-", firmware or "-", f"[bold red]{affected}[/]" if affected else "", unknown, bans)
    console.print(table if cameras else "no cameras")
    about = _about(force)
    console.print(
        f"By the list {escape(about['name'])}, published {about['published']}: {about['advisories']} advisories, {about['bans']} entries "
        "of rules of buying. What it does not name is not safe because of that."
    )
