"""`lamppost simulate camera`: a camera that is not there, to try Lamppost with, or another ONVIF client."""

from __future__ import annotations

import ipaddress
import json
import signal
import sys
from collections.abc import Generator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from queue import SimpleQueue
from types import FrameType
from typing import Annotated, Any, Final

import typer

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.simulated.certificate import self_signed
from lamppost.cameras.simulated.machine import StreamShape
from lamppost.cameras.simulated.vendors import VENDORS, vendor_named
from lamppost.cli.errors import one_line_errors
from lamppost.ingest.locator import Scheme, parse_locator
from lamppost.ingest.simulation import street_settings
from lamppost.ingest.street import StreetSettings
from lamppost.model.devices import Ability
from lamppost.pipeline.simulated_rtsp import Shown, SimulatedRtsp
from lamppost.pipeline.street_broadcast import StreetBroadcast

_ABILITIES: Final = {"none": None, **{str(ability): ability for ability in Ability}}
_SUB_WIDTH_PX, _SUB_HEIGHT_PX, _SUB_FPS = 640, 360, 10
_MOST_CAMERAS: Final = 9999


@one_line_errors
def camera(
    vendor: Annotated[str, typer.Option("--vendor", help=f"Whose camera it behaves as: {', '.join(VENDORS)}.")] = "onvif",
    address: Annotated[str, typer.Option("--address", help="The address of this machine that it is at.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65_535, help="Its port of HTTP; 0 takes a free one.")] = 8080,
    username: Annotated[str, typer.Option("--username", help="Its user.")] = "admin",
    password: Annotated[
        str | None, typer.Option("--password", envvar="LAMPPOST_SIMULATED_PASSWORD", help="Made up where none is given.")
    ] = None,
    number: Annotated[int, typer.Option("--number", min=1, max=_MOST_CAMERAS, help="Which one: serial number and MAC follow from it.")] = 1,
    rtsp: Annotated[
        str | None, typer.Option("--rtsp", help="A stream of another server to name; otherwise it films a simulated street.")
    ] = None,
    rtsp_port: Annotated[int, typer.Option("--rtsp-port", min=0, max=65_535, help="Its port of RTSP; 0 takes a free one.")] = 8554,
    street: Annotated[str, typer.Option("--street", help="The street that it films.")] = "sim://plaza?seed=5&people=5&vehicles=2",
    able: Annotated[str, typer.Option("--able", help=f"The most it can do with faces: {', '.join(_ABILITIES)}.")] = "recognise",
    is_armed: Annotated[bool, typer.Option("--armed/--disarmed", help="Whether that is switched on.")] = True,
    discovery: Annotated[bool, typer.Option("--discovery/--no-discovery", help="Answer who looks for devices (WS-Discovery).")] = True,
    tls: Annotated[
        bool, typer.Option("--tls", help="Speak https alone, with a certificate of its own whose fingerprint is printed.")
    ] = False,
    metadata: Annotated[bool, typer.Option("--metadata", help="Offer a metadata stream beside the video, as Hikvision does.")] = False,
    fault: Annotated[
        list[str] | None, typer.Option("--fault", help="Fail on purpose: KIND@PATH=DETAIL, such as error@/onvif=503; KIND alone does.")
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print where it is as JSON.")] = False,
) -> None:
    """Be a camera until told to stop: ONVIF, the vendor's own dialect, discovery, RTSP.

    Nothing of it is kept. Ctrl-C or SIGTERM ends it.
    """
    if able not in _ABILITIES:
        raise ConfigError(f"--able {able!r} is nothing that a camera can do", remedy=f"write {', '.join(_ABILITIES)}")
    kind = vendor_named(vendor)
    _check(address, username, rtsp)
    clock = SystemClock()
    main = _street(street) if rtsp is None else StreetSettings()
    secure, fingerprint = self_signed(address, clock) if tls else (None, "")
    settings = (main, replace(main, width_px=_SUB_WIDTH_PX, height_px=_SUB_HEIGHT_PX, fps=min(_SUB_FPS, main.fps)))
    with ExitStack() as open_, _told_to_stop() as told:
        simulated = SimulatedCamera(
            vendor,
            address=address,
            port=port,
            username=username,
            password=password or "",
            number=number,
            most=_ABILITIES[able],
            is_armed=is_armed,
            rtsp_url=rtsp,
            rtsp_port=rtsp_port,
            streams=(_shape(settings[0], 2048), _shape(settings[1], 512)),
            discovery=discovery,
            fault=fault,
            clock=clock,
            tls=secure,
        )
        if rtsp is None:
            server = open_.enter_context(_filming(simulated, settings, kind.stream_paths, clock, port=rtsp_port, has_metadata=metadata))
            simulated.rtsp_port = server.port
        open_.enter_context(simulated)
        _tell(simulated, fingerprint, as_json=as_json, is_found=discovery)
        told.get()


def _check(address: str, username: str, rtsp: str | None) -> None:
    """Raise `ConfigError` for what no camera can be at, be called or name."""
    try:
        ipaddress.ip_address(address)
    except ValueError as error:
        raise ConfigError(f"--address {address!r} is no address", remedy="write one of this machine, such as 127.0.0.1") from error
    if not username or not username.isprintable() or set(username) & set('":\\'):
        raise ConfigError("--username cannot be used", remedy="write a name without quotes, colons and backslashes, such as admin")
    if rtsp is not None and parse_locator(rtsp).scheme not in (Scheme.RTSP, Scheme.RTSPS):
        raise ConfigError("--rtsp is no stream of a server", remedy="write rtsp://HOST:PORT/PATH")


def _street(url: str) -> StreetSettings:
    locator = parse_locator(url)
    if locator.scheme is not Scheme.SIM:
        raise ConfigError("--street is no simulated street", remedy="write sim://plaza?seed=1&people=8&vehicles=4")
    return street_settings(locator)


def _shape(settings: StreetSettings, kbit_per_s: int) -> StreamShape:
    return StreamShape(settings.width_px, settings.height_px, settings.fps, kbit_per_s)


@contextmanager
def _filming(
    simulated: SimulatedCamera,
    settings: tuple[StreetSettings, StreetSettings],
    paths: tuple[str, str],
    clock: Clock,
    *,
    port: int,
    has_metadata: bool,
) -> Generator[SimulatedRtsp]:
    shown = Shown(paths, [StreetBroadcast(one, clock) for one in settings], has_metadata)
    server = SimulatedRtsp(shown, simulated.gate, clock, device_us=simulated.device_us, address=simulated.address, port=port)
    try:
        yield server
    finally:
        server.close()


@contextmanager
def _told_to_stop() -> Generator[SimpleQueue[None]]:
    """A queue that Ctrl-C and SIGTERM put into; who had the signals before has them again afterwards.

    No event: a second signal comes while the first is handled, and an event that is being set cannot be set.
    """
    told: SimpleQueue[None] = SimpleQueue()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.put(None)

    before: dict[int, Any] = {number: signal.signal(number, tell) for number in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield told
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _tell(simulated: SimulatedCamera, fingerprint: str, *, as_json: bool, is_found: bool) -> None:
    """One line: where it is, who gets in, and how it is tried. The password was made for this moment, and is shown on purpose."""
    place = simulated.stream_url()
    if as_json:
        known = {name: getattr(simulated.identity, name) for name in ("vendor", "model", "firmware", "serial", "mac")}
        told = {
            "device_url": simulated.url,
            "certificate_sha256": fingerprint,
            "username": simulated.username,
            "password": simulated.password,
            "rtsp": place,
            **known,
        }
        line = json.dumps(told)
    else:
        how = "try lamppost camera find" if is_found else f"try lamppost camera add NAME {place}"
        who = f"user {simulated.username} password {simulated.password}"
        certificate = f" certificate {fingerprint}" if fingerprint else ""
        line = f"a {simulated.identity.vendor} camera: {simulated.url}{certificate} {who} video {place} ({how})"
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
