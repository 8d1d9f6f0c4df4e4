"""`lamppost camera device`: the device behind a camera, asked now; and another password for it."""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import closing
from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import BY_COMMAND, user_name
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import device_address, device_password
from lamppost.pipeline.device_adjusting import adjustable
from lamppost.pipeline.device_look import look_at_device
from lamppost.pipeline.device_password_tools import NodePasswords
from lamppost.pipeline.device_passwords import make_password, rotate, settle
from lamppost.pipeline.device_warnings import warnings_of
from lamppost.store.acts import record_act
from lamppost.store.device_book import DeviceBook

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
NameArgument = Annotated[str, typer.Argument(help="The camera's name.")]


@one_line_errors
def camera_device(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    accept: Annotated[bool, typer.Option("--accept", help="What is there is the right one: it was exchanged on purpose.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Ask the device behind a camera now: who it is, its streams, how it is, what of it can be set, and what should be put right."""
    settings, camera = _camera(config, name)
    folder, clock = DataFolder(settings.data), SystemClock()

    def first() -> None:
        record_act(folder, clock, kind="camera_tested", actor=user_name(), subject=name, detail={"device": True, "accept": accept})

    with CredentialKeeper(folder) as keeper, closing(DeviceBook(folder)) as book:
        password = keeper.password_of(camera)
        look_at_device(camera, settings, password, book, clock, is_accepted=accept, first=first)
        told = _told(camera, book, device_password(camera, password)) | asdict(adjustable(camera, settings, clock, password))
    if as_json:
        typer.echo(json.dumps(told, indent=2))
        return
    _show(told)


def change_on_device(config: Path, name: str, new: str | None, *, is_settled: bool, in_clear: bool, as_json: bool) -> None:
    """For `lamppost camera password`: have the device take another password, or find out which one it has taken."""
    settings, camera = _camera(config, name)
    folder, clock = DataFolder(settings.data), SystemClock()

    def act(subject: str, detail: Mapping[str, Any]) -> None:
        record_act(folder, clock, kind="camera_password_rotated", actor=user_name(), subject=subject, detail=detail)

    is_new = True
    with CredentialKeeper(folder) as keeper:
        tools = NodePasswords(folder, config, settings, clock, keeper, act, by=BY_COMMAND)
        if is_settled:
            is_new = settle(camera, tools)
        else:
            rotate(camera, new or make_password(), tools, in_clear=in_clear)
    if as_json:
        typer.echo(json.dumps({"camera": name, "is_changed": is_new}))
    elif is_new:
        typer.echo(f"camera {name}: its device takes the new password, and the configuration names it.")
    else:
        typer.echo(f"camera {name}: no other password is known that its device takes.")


def _camera(config: Path, name: str) -> tuple[Settings, CameraSettings]:
    file = ConfigFile(config)
    camera = file.camera(name)
    if camera is None:
        raise ConfigError(f"there is no camera {name!r}", remedy="see `lamppost camera list`")
    return file.before, camera


def _told(camera: CameraSettings, book: DeviceBook, password: str) -> dict[str, Any]:
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
    console = Console(highlight=False, soft_wrap=True)  # a sentence stays on one line
    who: dict[str, str] = told["identity"] or {}
    health: dict[str, Any] = told["health"]
    console.print(escape(f"camera {told['camera']}: {who.get('vendor', '')} {who.get('model', '')} at {told['device_url']}"))
    lines: list[tuple[str, str | None]] = [("firmware", who.get("firmware")), ("serial number", who.get("serial")), ("MAC", who.get("mac"))]
    offset_s = health.get("clock_offset_s")
    lines.append(("clock", None if offset_s is None else f"{abs(offset_s):.1f} s {'ahead of' if offset_s > 0 else 'behind'} ours"))
    lines.append(("time server", health.get("ntp")))
    lines.append(("temperature", None if health.get("temperature_c") is None else f"{health['temperature_c']:.0f} °C"))
    lines.append(("up for", None if health.get("uptime_s") is None else f"{health['uptime_s'] / 3600:.1f} h"))
    lines += [("storage", f"{each['name']}: {each['state']}") for each in health.get("storage") or ()]
    lines += [("stream", _stream(profile)) for profile in told["profiles"]]
    if told["picture"]:
        lines.append(("picture", ", ".join(f"{name}={_plain(value)}" for name, value in told["picture"].items())))
    lines += [("output", token) for token in told["outputs"]]
    for label, value in lines:
        if value:
            console.print(escape(f"  {label:<14}{value}"))
    for warning in told["warnings"]:
        console.print(f"  [yellow]warning[/]       {escape(warning['detail'])}")


def _plain(value: float | str) -> str:
    return value if isinstance(value, str) else f"{value:g}"


def _stream(profile: dict[str, Any]) -> str:
    size = f"{profile['width_px']}x{profile['height_px']}" if profile["width_px"] else ""
    fps = f"{profile['fps']:g} fps" if profile["fps"] else ""
    bits = f"{profile['kbit_per_s']:g} kbit/s" if profile["kbit_per_s"] else ""
    return ", ".join(filter(None, (profile["name"] or profile["token"], profile["codec"], size, fps, bits)))
