"""Sets a device: its time server, its picture and its switched outputs; by a person, and by nothing that is detected."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError
from lamppost.base.names import is_host
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.imaging import Imaging
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.device_access import device_password, device_user, device_web
from lamppost.store.device_locks import DeviceLocks, DeviceWork

_NUMBER = re.compile(r"-?[0-9]{1,6}(?:\.[0-9]{1,4})?")


@dataclass(frozen=True, slots=True)
class Adjustment:
    """What is to be set; nothing where it is empty."""

    time_server: str | None = None
    picture: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    outputs: Mapping[str, bool] = field(default_factory=dict[str, bool])

    @classmethod
    def of(cls, time_server: str | None, picture: Sequence[str], outputs: Sequence[str]) -> Adjustment:
        """From `brightness=60` and `RelayOutput_1=on`; raises `ConfigError` for what is neither, and where there is nothing to do."""
        if time_server is not None and not is_host(time_server):
            raise ConfigError(f"{time_server[:64]!r} is no host", remedy="give the time server's name or address")
        found = cls(
            time_server,
            {name: float(value) if _NUMBER.fullmatch(value) else value for name, value in map(_pair, picture)},
            {name: _switch(name, value) for name, value in map(_pair, outputs)},
        )
        if time_server is None and not picture and not outputs:
            raise ConfigError("there is nothing to set", remedy="give --time-server, --picture or --output")
        return found


def adjust(
    camera: CameraSettings,
    settings: Settings,
    clock: Clock,
    password: str | None,
    wanted: Adjustment,
    *,
    locks: DeviceLocks,
    first: Callable[[], object],
) -> tuple[str, ...]:
    """Set it, one after the other; what was set, a line each. `first` puts it on the record. Raises `CameraError` and `ConfigError`."""
    with locks.hold(camera.name, DeviceWork.ADJUST), device_web(camera, settings, clock, password) as web:
        device = OnvifDevice(web, clock, web.address.host, username=device_user(camera), password=device_password(camera, password))
        device.services()
        first()
        done: list[str] = []
        if wanted.time_server is not None:
            device.set_ntp(wanted.time_server)
            done.append(f"it asks {wanted.time_server} for the time")
        if wanted.picture:
            imaging = Imaging(device)
            for source in imaging.sources():
                imaging.set(source, **wanted.picture)
            done += [f"{name} is {value:g}" if isinstance(value, float) else f"{name} is {value}" for name, value in wanted.picture.items()]
        for token, is_on in wanted.outputs.items():
            device.set_relay(token, is_on=is_on)
            done.append(f"output {token} is {'on' if is_on else 'off'}")
        return tuple(done)


@dataclass(frozen=True, slots=True)
class Adjustable:
    """What can be set of a device: its picture as it is now, and its outputs by their tokens. Empty where it does not say."""

    picture: Mapping[str, float | str] = field(default_factory=dict[str, float | str])
    outputs: tuple[str, ...] = ()


def adjustable(camera: CameraSettings, settings: Settings, clock: Clock, password: str | None) -> Adjustable:
    """Ask the device of a camera that has just been looked at. Raises `ConfigError`, and nothing where the device refuses."""
    picture: dict[str, float | str] = {}
    outputs: tuple[str, ...] = ()
    with device_web(camera, settings, clock, password) as web:
        device = OnvifDevice(web, clock, web.address.host, username=device_user(camera), password=device_password(camera, password))
        with suppress(CameraError):
            outputs = device.relays()
        with suppress(CameraError):
            imaging = Imaging(device)
            for source in imaging.sources()[:1]:  # what is set is set of all
                picture = imaging.settings(source)
    return Adjustable(picture, outputs)


def _pair(text: str) -> tuple[str, str]:
    name, mark, value = text.partition("=")
    if not mark or not name.strip() or not value.strip() or not text.isprintable() or len(text) > 200:
        raise ConfigError(f"{text[:64]!r} cannot be used", remedy="write NAME=VALUE, such as brightness=60")
    return name.strip(), value.strip()


def _switch(name: str, value: str) -> bool:
    if value not in ("on", "off"):
        raise ConfigError(f"output {name[:64]!r} cannot be {value[:16]!r}", remedy="write on or off")
    return value == "on"
