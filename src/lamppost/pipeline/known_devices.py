"""Says of devices that a search has found which are cameras already, and what is known of those: for the API and the command alike."""

from __future__ import annotations

from dataclasses import dataclass, fields

from lamppost.base.errors import ConfigError
from lamppost.base.names import is_number
from lamppost.model.devices import DeviceIdentity, FoundDevice
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.device_access import device_address
from lamppost.store.device_book import DeviceBook


@dataclass(frozen=True, slots=True)
class KnownAs:
    """A found device: who it is, as it says itself or as the book knows, and the name of the camera that it is; None where it is none."""

    identity: DeviceIdentity
    camera: str | None
    has_moved: bool  # it is at another address than the camera is set to


class KnownDevices:
    """The devices of the configured cameras, as they are when this is made: by number, else by the address that a camera is set to."""

    def __init__(self, settings: Settings, book: DeviceBook) -> None:
        self._hosts = {camera.name: _host_of(camera) for camera in settings.camera}
        self._rows = [row for row in book.devices() if row.camera in self._hosts]

    def known_as(self, found: FoundDevice) -> KnownAs:
        said = found.identity
        row = next((row for row in self._rows if row.identity.is_same_device(said)), None)
        camera = row.camera if row is not None else next((name for name, host in self._hosts.items() if host == found.address), None)
        if row is None and not (said.serial or said.mac):
            row = next((row for row in self._rows if row.camera == camera), None)
        host = self._hosts[camera] if camera is not None else ""
        # The book knows more of a known device than it says unasked. What says another number is another device in its place.
        # Where a name leads is the business of who keeps the names.
        return KnownAs(_joined(row.identity, said) if row is not None else said, camera, is_number(host) and host != found.address)


def _joined(known: DeviceIdentity, said: DeviceIdentity) -> DeviceIdentity:
    return DeviceIdentity(**{field.name: getattr(said, field.name) or getattr(known, field.name) for field in fields(DeviceIdentity)})


def _host_of(camera: CameraSettings) -> str:
    try:
        return device_address(camera).host
    except ConfigError:
        return ""  # a simulated one
