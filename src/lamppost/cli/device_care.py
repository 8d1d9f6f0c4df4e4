"""`lamppost camera device` and `lamppost camera password`: the device behind a camera, asked now, and another password for it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import device_address
from lamppost.pipeline.device_look import look_at_device
from lamppost.pipeline.device_password_tools import NodePasswords
from lamppost.pipeline.device_passwords import make_password, rotate, settle
from lamppost.pipeline.device_warnings import warnings_of
from lamppost.store.acts import record_act
from lamppost.store.device_book import DeviceBook

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
NameArgument = Annotated[str, typer.Argument(help="The camera's name.")]
_LONGEST_INPUT: Final = 200


@one_line_errors
def camera_device(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    accept: Annotated[bool, typer.Option("--accept", help="The device that is there is the right one: it was exchanged on purpose.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Ask the device behind a camera now: who it is, its streams, its clock and storage, and what should be put right."""
    settings, camera = _camera(config, name)
    folder, clock = DataFolder(settings.data), SystemClock()

    def first() -> None:
        record_act(
            folder, clock, kind="camera_tested", actor=user_name(), subject=name, detail={"device": True, "accept": accept}
        )

    with _keeper(folder) as keeper, closing(DeviceBook(folder)) as book:
        password = keeper.password_of(camera)
        look_at_device(camera, settings, password, book, clock, is_accepted=accept, first=first)
        told = _told(camera, book, password)
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    _show(told)


@one_line_errors
def camera_password(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    is_rotated: Annotated[bool, typer.Option("--rotate", help="Have the device take a new one; a strong one is made.")] = False,
    is_read: Annotated[bool, typer.Option("--stdin", help="With --rotate: take the new one from the first line of standard input.")] = False,
    is_settled: Annotated[
        bool, typer.Option("--settle", help="After a change that was cut off: find out which one the device has taken.")
    ] = False,
) -> None:
    """Change the password of a camera on its device. It is kept encrypted, and printed nowhere."""
    if is_rotated == is_settled:
        raise ConfigError("say what is to be done", remedy="give --rotate, or --settle after a change that was cut off")
    settings, camera = _camera(config, name)
    folder, clock = DataFolder(settings.data), SystemClock()

    def act(subject: str, detail: Any) -> None:
        record_act(folder, clock, kind="camera_password_rotated", actor=user_name(), subject=subject, detail=detail)

    with _keeper(folder) as keeper:
        tools = NodePasswords(folder, config, settings, clock, keeper, act)
        if is_settled:
            done = settle(camera, tools)
            typer.echo(f"camera {name}: {'the new password is the one, and is named now.' if done else 'nothing is pending that works.'}")
            return
        new = sys.stdin.readline(_LONGEST_INPUT).strip() if is_read else make_password()
        rotate(camera, new, tools)
    typer.echo(f"camera {name}: its device has taken the new password, and the configuration names it.")


@contextmanager
def _keeper(folder: DataFolder) -> Iterator[CredentialKeeper]:
    keeper = CredentialKeeper(folder)
    try:
        yield keeper
    finally:
        keeper.close()


def _camera(config: Path, name: str) -> tuple[Settings, CameraSettings]:
    file = ConfigFile(config)
    camera = file.camera(name)
    if camera is None:
        raise ConfigError(f"there is no camera {name!r}", remedy="see `lamppost camera list`")
    return file.before, camera


def _told(camera: CameraSettings, book: DeviceBook, password: str | None) -> dict[str, Any]:
    """As the API tells it, without what only a running node knows."""
    row, profiles, health = book.device(camera.name), book.profiles(camera.name), book.health(camera.name)
    document = dict(health.document) if health is not None else {}
    warned = warnings_of(
        camera, vendor=row.identity.vendor if row is not None else "", password=password, profiles=profiles, health=document, stream=None
    )
    return {
        "camera": camera.name,
        "device_url": str(device_address(camera)),
        "identity": asdict(row.identity) if row is not None else None,
        "seen": format_utc(row.seen_us) if row is not None else None,
        "warnings": [asdict(each) for each in warned],
        "profiles": [{key: value for key, value in asdict(profile).items() if key != "stream_url"} for profile in profiles],
        "health": document,
    }


def _show(told: dict[str, Any]) -> None:
    console = Console(highlight=False)
    who, health = told["identity"] or {}, told["health"]
    console.print(escape(f"camera {told['camera']}: {who.get('vendor', '')} {who.get('model', '')} at {told['device_url']}"))
    lines = [("firmware", who.get("firmware")), ("serial number", who.get("serial")), ("MAC", who.get("mac"))]
    offset_s = health.get("clock_offset_s")
    lines.append(("clock", None if offset_s is None else f"{abs(offset_s):.1f} s {'ahead of' if offset_s > 0 else 'behind'} ours"))
    lines.append(("time server", health.get("ntp")))
    lines.append(("temperature", None if health.get("temperature_c") is None else f"{health['temperature_c']:.0f} °C"))
    lines.append(("up for", None if health.get("uptime_s") is None else f"{health['uptime_s'] / 3600:.1f} h"))
    lines += [("storage", f"{each['name']}: {each['state']}") for each in health.get("storage") or ()]
    lines += [("stream", _stream(profile)) for profile in told["profiles"]]
    for label, value in lines:
        if value:
            console.print(escape(f"  {label:<14}{value}"))
    for warning in told["warnings"]:
        console.print(f"  [yellow]warning[/]       {escape(warning['detail'])}")


def _stream(profile: dict[str, Any]) -> str:
    size = f"{profile['width_px']}x{profile['height_px']}" if profile["width_px"] else ""
    fps = f"{profile['fps']:g} fps" if profile["fps"] else ""
    bits = f"{profile['kbit_per_s']:g} kbit/s" if profile["kbit_per_s"] else ""
    return ", ".join(filter(None, (profile["name"] or profile["token"], profile["codec"], size, fps, bits)))
