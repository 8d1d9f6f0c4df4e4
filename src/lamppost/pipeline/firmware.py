"""Which firmware runs on the cameras, and what is known against it: read from what devices say, and from the list in force."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Final

from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.devices import Audit, DeviceIdentity
from lamppost.model.firmware_list import Applying, FirmwareList, KnownDevice, ProcurementBan, advisories_for, bans_for, read_list
from lamppost.model.origin import Origin
from lamppost.model.settings import Settings
from lamppost.store.book_file import First, nothing
from lamppost.store.device_book import DeviceBook, DeviceRow

SHIPPED: Final = Path(__file__).with_name("known_firmware.json")
LARGEST_BYTES: Final = 4 * 1024 * 1024
LOOK_BACK: Final = 20  # audits of a camera


@dataclass(frozen=True, slots=True)
class ListInForce:
    """The list that counts; `updated_us` is None for the one that came with Lamppost."""

    known: FirmwareList
    updated_us: int | None


@dataclass(frozen=True, slots=True)
class CameraFirmware:
    """A camera's vendor, model and firmware: as the device says, otherwise as its origin says; `seen_us` is when the device said so."""

    camera: str
    site: str
    vendor: str
    model: str
    firmware: str
    seen_us: int | None
    advisories: tuple[Applying, ...]
    bans: tuple[ProcurementBan, ...]


def list_in_force(book: DeviceBook) -> ListInForce:
    """What an operator gave, otherwise what came with Lamppost. Raises `StoreError` for one that cannot be read."""
    given = book.firmware_list()
    if given is None:
        return ListInForce(read_list(SHIPPED.read_bytes()), None)
    try:
        return ListInForce(FirmwareList.model_validate(given.document), given.updated_us)
    except ValueError as error:
        raise StoreError("the firmware list in the device book cannot be read", remedy="give it again") from error


def update_list(book: DeviceBook, known: FirmwareList, now_us: int, *, first: First = nothing) -> None:
    """From now on `known` is the list; raises `StoreError`."""
    book.set_firmware_list(known.model_dump(mode="json"), now_us, first=first)


def read_list_file(path: Path) -> FirmwareList:
    """The list in a file; raises `ConfigError` that names the file."""
    try:
        with path.open("rb") as file:
            content = file.read(LARGEST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="name a file that this user may read") from error
    if len(content) > LARGEST_BYTES:
        raise ConfigError(f"{path} has more than {LARGEST_BYTES} bytes", remedy="is it a list of firmware?")
    try:
        return read_list(content)
    except ConfigError as error:
        lines = "\n".join(f"{path}: {line}" for line in error.problem.splitlines())
        raise ConfigError(lines, remedy=error.remedy) from error


def inventory(settings: Settings, book: DeviceBook, known: FirmwareList, cameras: Collection[str]) -> tuple[CameraFirmware, ...]:
    """Those of `cameras` that are configured, in the order of the configuration."""
    devices = {row.camera: row for row in book.devices()}
    audits = {kept.audit.camera: kept.audit for kept in book.newest_audits()}
    origins = book.origins()
    found: list[CameraFirmware] = []
    # A city has many cameras of few kinds.
    looked_up: dict[KnownDevice, tuple[tuple[Applying, ...], tuple[ProcurementBan, ...]]] = {}
    for camera in settings.camera:
        if camera.name not in cameras:
            continue
        kept, audit = origins.get(camera.name), audits.get(camera.name)
        if audit is not None and not audit.identity.firmware:  # it failed, perhaps: what those before it were told holds
            audit = next((each.audit for each in book.audits(camera.name, limit=LOOK_BACK) if each.audit.identity.firmware), audit)
        said, seen_us = _said(devices.get(camera.name), audit)
        origin = kept.origin if kept is not None else Origin()
        device = KnownDevice(
            tuple(dict.fromkeys(vendor for vendor in (said.vendor, origin.vendor, origin.oem) if vendor)),
            said.model or origin.model,
            said.firmware or origin.firmware,
        )
        if device not in looked_up:
            looked_up[device] = advisories_for(known, device), bans_for(known, device)
        advisories, bans = looked_up[device]
        found.append(
            CameraFirmware(
                camera=camera.name,
                site=camera.site or settings.site,
                vendor=said.vendor or origin.vendor,
                model=device.model,
                firmware=device.firmware,
                seen_us=seen_us,
                advisories=advisories,
                bans=bans,
            )
        )
    return tuple(found)


def _said(row: DeviceRow | None, audit: Audit | None) -> tuple[DeviceIdentity, int | None]:
    """Who a device has said last that it is, and when: whether the caretaker, a person or an audit has asked."""
    known, seen_us = (row.identity, row.seen_us) if row is not None else (DeviceIdentity(), None)
    if audit is None or (seen_us is not None and audit.made_us <= seen_us) or known.is_another(audit.identity):
        return known, seen_us
    names = [field.name for field in fields(DeviceIdentity)]
    joined = DeviceIdentity(**{name: getattr(audit.identity, name) or getattr(known, name) for name in names})
    # An audit to which the device said nothing of itself has what was known before.
    return (joined, audit.made_us) if joined != known else (known, seen_us)
