"""Where the device behind a configured camera is asked, and with which user and password: one place says it for everybody."""

from __future__ import annotations

from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraRefused, ConfigError
from lamppost.base.names import is_host
from lamppost.cameras.web import TIMEOUT_S, DeviceAddress, DeviceWeb
from lamppost.ingest.locator import Scheme, parse_locator
from lamppost.model.settings import CameraSettings, Settings

HTTP_PORT: Final = 80


class DeviceExchanged(CameraRefused):
    """At the camera's address is another device than the known one, and nobody has said that it is the right one."""


class DeviceNotTold(CameraRefused):
    """Who answers at the camera's address does not say who it is, so that nobody knows whether it is the known device."""


def device_address(camera: CameraSettings) -> DeviceAddress:
    """Where a camera's device is asked: `device_url`, or port 80 of the host in `url`; raises `ConfigError` where there is none."""
    if camera.device_url is not None:
        return DeviceAddress.of(camera.device_url)
    locator = parse_locator(camera.url)
    if locator.scheme not in (Scheme.RTSP, Scheme.RTSPS):
        raise ConfigError(f"camera {camera.name} has no device that could be asked", remedy="set its device_url, where it has one")
    if not is_host(locator.host):
        raise ConfigError(f"camera {camera.name}: the host in its address is no address and no name", remedy="write that address anew")
    return DeviceAddress("http", locator.host, HTTP_PORT)


def device_user(camera: CameraSettings) -> str:
    """Who signs in there: `username`, or the user in `url`; empty where nobody is named."""
    return parse_locator(camera.url, username=camera.username).username if _is_on_network(camera) else camera.username or ""


def device_password(camera: CameraSettings, password: str | None) -> str:
    """What is signed in with: `password`, resolved by who keeps it, or the one in `url`."""
    if password is not None or not _is_on_network(camera):
        return password or ""
    return parse_locator(camera.url).password


def device_web(
    camera: CameraSettings, settings: Settings, clock: Clock, password: str | None, *, timeout_s: float = TIMEOUT_S
) -> DeviceWeb:
    """The way to a camera's device, for one thread; close it. Raises `ConfigError` where the camera has none."""
    return DeviceWeb(
        device_address(camera),
        settings.devices.camera_networks,
        clock,
        username=device_user(camera),
        password=device_password(camera, password),
        certificate_sha256=camera.device_certificate_sha256,
        timeout_s=timeout_s,
    )


def _is_on_network(camera: CameraSettings) -> bool:
    return parse_locator(camera.url).scheme in (Scheme.RTSP, Scheme.RTSPS)
