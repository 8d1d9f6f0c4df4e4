"""`lamppost camera find`: which devices answer on the network."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column, Table
from rich.text import Text

from lamppost.base.clock import SystemClock
from lamppost.base.errors import CameraUnreachable, StoreError
from lamppost.cameras.discovery import addresses_of, check_interfaces, search
from lamppost.cameras.web import DeviceAddress
from lamppost.cameras.ws_discovery import name_of
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.tables import table_console
from lamppost.cli.who import user_name
from lamppost.model.acts import NODE
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import FoundDevice
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec
from lamppost.model.settings import Settings
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.device_looking import Looked, look_at
from lamppost.pipeline.device_searches import CALL_S, RANGES_S
from lamppost.pipeline.known_devices import KnownAs, KnownDevices
from lamppost.store.acts import record_act
from lamppost.store.device_book import DeviceBook


@one_line_errors
def camera_find(
    config: Annotated[
        Path, typer.Option("--config", "-c", help="The configuration file; without one, private networks are searched.")
    ] = DEFAULT_CONFIG,
    ranges: Annotated[list[str] | None, typer.Option("--range", help="Ask each address of it, such as 10.20.0.0/24; repeat.")] = None,
    interfaces: Annotated[list[str] | None, typer.Option("--interface", help="An address of this machine to call from; repeat.")] = None,
    timeout_s: Annotated[float | None, typer.Option("--timeout", min=1, max=120, help="Give up after so many seconds.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Call for cameras on the networks of this machine, and ask the addresses of ranges. No password is needed, and none is sent.

    Exit code 0: something answered. 1: nothing did.
    """
    settings: Settings | None = load_settings(config) if config.exists() or config != DEFAULT_CONFIG else None
    devices = settings.devices if settings is not None else DeviceSettings()
    clock = SystemClock()
    addresses_of(ranges or (), devices.camera_networks)
    check_interfaces(interfaces or devices.interfaces)
    if settings is not None:
        detail = {"ranges": ranges or [], "interfaces": interfaces or []}
        record_act(DataFolder(settings.data), clock, kind="cameras_searched", actor=user_name(), subject=NODE, detail=detail)
    found = search(
        devices.camera_networks,
        clock,
        interfaces=interfaces or devices.interfaces,
        ranges=ranges or (),
        timeout_s=timeout_s or (RANGES_S if ranges else CALL_S),
    )
    _tell(found, _known(settings, found), as_json=as_json)
    if not found:
        raise typer.Exit(1)


def _known(settings: Settings | None, found: tuple[FoundDevice, ...]) -> list[KnownAs]:
    """Beside each found device, which camera it is already."""
    folder = DataFolder(settings.data) if settings is not None else None
    if settings is None or folder is None or not folder.root.is_dir():
        return [KnownAs(each.identity, None, has_moved=False) for each in found]
    with DeviceBook(folder) as book:
        known = KnownDevices(settings, book)
        return [known.known_as(each) for each in found]


def _tell(found: tuple[FoundDevice, ...], known: list[KnownAs], *, as_json: bool) -> None:
    if as_json:
        rows = [
            {
                "address": each.address,
                "device_url": each.device_url,
                "certificate_sha256": each.certificate_sha256,
                "name": name_of(each),
                **asdict(one.identity),
                "known_as": one.camera,
                "has_moved": one.has_moved,
            }
            for each, one in zip(found, known, strict=True)
        ]
        typer.echo(json.dumps(rows, indent=2))
        return
    console = table_console()
    if not found:
        console.print("No device has answered. Name a range, such as --range 10.20.0.0/24: many networks do not carry calls to all.")
        return
    table = Table(Column("device", no_wrap=True), "vendor", "model", "firmware", Column("MAC", no_wrap=True), "name", "camera", box=None)
    for each, one in zip(found, known, strict=True):
        who, camera = one.identity, f"{one.camera or ''}{', moved here' if one.has_moved else ''}"
        words = (each.device_url, who.vendor, who.model, who.firmware, who.mac, name_of(each), camera)
        table.add_row(*(Text(word or "–") for word in words))
    console.print(table)
    console.print("Add one: lamppost camera add NAME --device DEVICE --username USER --password-file FILE")
    secure = [each for each in found if each.certificate_sha256]
    if secure:
        console.print("Nobody has checked these certificates: compare each with the one on the device's own page, and pin it.")
    for each in secure:
        console.print(Text(f"{each.device_url} --device-certificate-sha256 {each.certificate_sha256}"))


def ask_streams(
    settings: Settings, device_url: str, username: str | None, password: str | None, certificate_sha256: str | None
) -> tuple[dict[str, str], Looked]:
    """`url`, `sub_url` where there is a smaller stream, and `device_url`, as the device says; and all that it has said.

    Raises `CameraError` where it does not say.
    """
    address = DeviceAddress.of(device_url)
    looked = look_at(
        address,
        settings.devices.camera_networks,
        SystemClock(),
        username=username or "",
        password=password or "",
        certificate_sha256=certificate_sha256,
    )
    if looked.problem:
        shown, pinned = looked.certificate_sha256, (certificate_sha256 or "").replace(":", "").lower()
        certificate = f"; it shows {shown}" if shown and shown != pinned and shown not in looked.remedy else ""
        where = "" if str(address) in looked.problem else f"{address}: "
        raise CameraUnreachable(f"{where}{looked.problem}", remedy=looked.remedy + certificate)
    for warning in looked.warnings:
        typer.echo(f"warning: {warning}", err=True)
    # Where a server does not say how it encodes, connecting to the stream tells.
    usable = [profile for profile in looked.profiles if profile.stream_url and (not profile.codec or profile.codec in tuple(Codec))]
    if not usable:
        raise CameraUnreachable(f"{address}: it has no stream of H.264 or H.265", remedy="set one up there, or give its address")
    main, sub = usable[0], usable[-1]
    streams = {"url": main.stream_url, "device_url": str(address)}
    if (sub.width_px or 0) < (main.width_px or 0):
        streams["sub_url"] = sub.stream_url
    if certificate_sha256 is not None:
        streams["device_certificate_sha256"] = certificate_sha256
    return streams, looked


def remember_device(folder: DataFolder, name: str, device_url: str, looked: Looked) -> None:
    """Put into the device book who the camera's device is and which streams it has, as whoever has just added it was told."""
    if looked.identity is None or not folder.root.is_dir():
        return
    now_us = SystemClock().wall_us()
    try:
        with DeviceBook(folder) as book:
            book.remember(name, looked.identity, device_url, now_us)
            book.keep_profiles(name, looked.profiles, now_us)
    except StoreError as error:  # the camera is there already, and will be asked again
        typer.echo(f"warning: what its device has said is not kept: {error}", err=True)
