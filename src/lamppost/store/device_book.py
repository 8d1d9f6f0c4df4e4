"""What is known of the devices behind the cameras; server, caretaker and commands write it, each in transactions of their own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, fields
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection, Select, Table, delete, insert, select, update

from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.devices import DeviceIdentity, StreamProfile
from lamppost.model.layout import DataFolder
from lamppost.model.origin import NAMES, Origin
from lamppost.store.book_file import First, nothing
from lamppost.store.device_audits import DeviceAudits
from lamppost.store.device_credentials import DeviceCredentials
from lamppost.store.device_disarms import DeviceDisarms
from lamppost.store.device_tables import (
    DEVICES,
    FIRMWARE_LIST,
    HEALTH,
    IMPORT_PROFILES,
    METADATA,
    ORIGINS,
    PROFILES,
    TOURS,
    VERSION,
)
from lamppost.store.device_upgrade import UPGRADES
from lamppost.store.device_words import from_json, to_json, word

MOST_PROFILES: Final = 64  # media profiles of one device
MOST_IMPORT_PROFILES: Final = 200
_IDENTITY: Final = tuple(field.name for field in fields(DeviceIdentity))


@dataclass(frozen=True, slots=True)
class DeviceRow:
    """The device behind a camera. `first_seen_us` begins anew with another device."""

    camera: str
    identity: DeviceIdentity
    device_url: str
    first_seen_us: int
    seen_us: int


@dataclass(frozen=True, slots=True)
class HealthRow:
    """How a device was when it was asked last."""

    document: Mapping[str, Any]
    noted_us: int


@dataclass(frozen=True, slots=True)
class OriginRow:
    """Where a camera came from; `revision` counts changes, 0 where nobody has said anything."""

    origin: Origin
    revision: int


@dataclass(frozen=True, slots=True)
class FirmwareListRow:
    """The list that an operator gave, as JSON."""

    document: Mapping[str, Any]
    updated_us: int


@dataclass(frozen=True, slots=True)
class TourStep:
    """A preset, and for how long a camera stays there."""

    preset: str
    stay_s: float


class OriginChanged(ConfigError):
    """Somebody else has changed where that camera came from; nothing was done."""


class DeviceBook(DeviceAudits, DeviceDisarms, DeviceCredentials):
    """The device book of `folder`, made where there is none; many threads may share it. Raises `StoreError`.

    What was kept is there after a power loss, whole or not at all. Cameras that are not configured any more stay in it: what
    they were able to do and where they came from is asked later, too.
    """

    def __init__(self, folder: DataFolder) -> None:
        super().__init__(folder.devices, METADATA, VERSION, "the device book", upgrades=UPGRADES)

    # Devices

    def remember(self, camera: str, identity: DeviceIdentity, device_url: str, at_us: int) -> DeviceRow | None:
        """Note that the device behind a camera has answered; returns what was known before.

        What it does not say this time stays known, as long as it may be the same device.
        """
        identity = DeviceIdentity(**{name: word(getattr(identity, name)) for name in _IDENTITY})
        with self._write("note a device") as connection:
            row = connection.execute(select(DEVICES).where(DEVICES.c.camera == camera)).first()
            before = _device(row) if row is not None else None
            is_other = before is not None and before.identity.is_another(identity)
            if before is not None and not is_other:
                identity = _joined(before.identity, identity)
            first_us = at_us if before is None or is_other else min(before.first_seen_us, at_us)
            seen_us = at_us if before is None else max(before.seen_us, at_us)
            values = asdict(identity) | {"device_url": device_url, "first_seen_us": first_us, "seen_us": seen_us}
            _replace(connection, DEVICES, "camera", camera, values)
        return before

    def device(self, camera: str) -> DeviceRow | None:
        rows = self._all(select(DEVICES).where(DEVICES.c.camera == camera))
        return _device(rows[0]) if rows else None

    def devices(self) -> tuple[DeviceRow, ...]:
        """All, by camera."""
        return tuple(_device(row) for row in self._all(select(DEVICES).order_by(DEVICES.c.camera)))

    def note_health(self, camera: str, document: Mapping[str, Any], at_us: int) -> None:
        with self._write("note how a device is") as connection:
            _replace(connection, HEALTH, "camera", camera, {"document": to_json(dict(document)), "noted_us": at_us})

    def health(self, camera: str) -> HealthRow | None:
        rows = self._all(select(HEALTH).where(HEALTH.c.camera == camera))
        return HealthRow(from_json(rows[0].document, "how a device was"), rows[0].noted_us) if rows else None

    def keep_profiles(self, camera: str, profiles: Sequence[StreamProfile], at_us: int) -> None:
        """In place of those that were known; no more than 64."""
        document = to_json([asdict(profile) for profile in profiles[:MOST_PROFILES]])
        with self._write("keep profiles of a device") as connection:
            _replace(connection, PROFILES, "camera", camera, {"document": document, "kept_us": at_us})

    def profiles(self, camera: str) -> tuple[StreamProfile, ...]:
        rows = self._all(select(PROFILES.c.document).where(PROFILES.c.camera == camera))
        try:
            return tuple(StreamProfile(**each) for each in from_json(rows[0].document, "profiles")) if rows else ()
        except TypeError as error:
            raise StoreError("profiles in the device book cannot be read", remedy="ask the device anew") from error

    # Where cameras came from

    def origin(self, camera: str) -> OriginRow:
        rows = self._all(select(ORIGINS).where(ORIGINS.c.camera == camera))
        return _origin(rows[0]) if rows else OriginRow(Origin(), 0)

    def origins(self) -> Mapping[str, OriginRow]:
        """All that are known, by camera."""
        return {row.camera: _origin(row) for row in self._all(select(ORIGINS).order_by(ORIGINS.c.camera))}

    def set_origin(self, camera: str, origin: Origin, revision: int | None = None, *, first: First = nothing) -> int:
        """Its new revision; raises `OriginChanged` where the one before is not `revision`, and `ConfigError` for what cannot be."""
        origin.check()
        with self._write("keep where a camera came from") as connection:
            now = _revision(connection, camera)
            if revision is not None and now != revision:
                raise OriginChanged("somebody else has changed this just now", remedy="look again, and try once more")
            _put_origin(connection, camera, origin, now + 1)
            first()
        return now + 1

    def set_origins(self, origins: Mapping[str, Origin], *, first: First = nothing) -> None:
        """Many at once, all or none; raises `ConfigError` for what cannot be."""
        for origin in origins.values():
            origin.check()
        with self._write("keep where cameras came from") as connection:
            for camera, origin in origins.items():
                _put_origin(connection, camera, origin, _revision(connection, camera) + 1)
            first()

    # The list of known firmware

    def firmware_list(self) -> FirmwareListRow | None:
        """What an operator gave; None where nobody has."""
        rows = self._all(select(FIRMWARE_LIST))
        return FirmwareListRow(from_json(rows[0].document, "the firmware list"), rows[0].updated_us) if rows else None

    def set_firmware_list(self, document: Mapping[str, Any], at_us: int, *, first: First = nothing) -> None:
        with self._write("keep the firmware list") as connection:
            _replace(connection, FIRMWARE_LIST, "number", 1, {"document": to_json(dict(document)), "updated_us": at_us})
            first()

    # What cameras of a table have in common

    def import_profiles(self) -> Mapping[str, Mapping[str, str]]:
        """Every profile, by name."""
        rows = self._all(select(IMPORT_PROFILES).order_by(IMPORT_PROFILES.c.name))
        return {row.name: from_json(row.fields, "a profile") for row in rows}

    def set_import_profile(self, name: str, fields: Mapping[str, str], *, first: First = nothing) -> None:
        """Raises `ConfigError` where there are too many."""
        with self._write("keep a profile") as connection:
            names = {row.name for row in connection.execute(select(IMPORT_PROFILES.c.name))}
            if name not in names and len(names) >= MOST_IMPORT_PROFILES:
                raise ConfigError(f"there are {MOST_IMPORT_PROFILES} profiles already", remedy="remove one first")
            _replace(connection, IMPORT_PROFILES, "name", name, {"fields": to_json(dict(fields))})
            first()

    def remove_import_profile(self, name: str, *, first: First = nothing) -> bool:
        """Whether there was one."""
        with self._write("remove a profile") as connection:
            is_gone = connection.execute(delete(IMPORT_PROFILES).where(IMPORT_PROFILES.c.name == name)).rowcount == 1
            if is_gone:
                first()
        return is_gone

    # Tours of cameras that turn

    def tours(self, camera: str) -> Mapping[str, tuple[TourStep, ...]]:
        """By name."""
        return _tours(self._all(_tours_of(camera)))

    def change_tours(self, camera: str, change: Callable[[dict[str, tuple[TourStep, ...]]], None], *, first: First = nothing) -> None:
        """Have `change` change what is there, whoever else changes it at the same time; what it raises leaves all as it was."""
        with self._write("keep tours") as connection:
            tours = _tours(connection.execute(_tours_of(camera)).all())
            change(tours)
            document = {name: [[step.preset, step.stay_s] for step in steps] for name, steps in tours.items()}
            _replace(connection, TOURS, "camera", camera, {"document": to_json(document)})
            first()


def _replace(connection: Connection, table: Table, key: str, value: object, values: Mapping[str, Any]) -> None:
    """The one row of `table` whose `key` is `value`, made where there is none."""
    if connection.execute(update(table).where(table.c[key] == value).values(dict(values))).rowcount == 0:
        connection.execute(insert(table).values({key: value, **values}))


def _device(row: Any) -> DeviceRow:
    identity = DeviceIdentity(**{name: getattr(row, name) for name in _IDENTITY})
    return DeviceRow(row.camera, identity, row.device_url, row.first_seen_us, row.seen_us)


def _joined(before: DeviceIdentity, now: DeviceIdentity) -> DeviceIdentity:
    return DeviceIdentity(**{name: getattr(now, name) or getattr(before, name) for name in _IDENTITY})


def _tours_of(camera: str) -> Select[Any]:
    return select(TOURS.c.document).where(TOURS.c.camera == camera)


def _tours(rows: Sequence[Any]) -> dict[str, tuple[TourStep, ...]]:
    document: dict[str, list[Any]] = from_json(rows[0].document, "a tour") if rows else {}
    return {name: tuple(TourStep(preset, stay_s) for preset, stay_s in steps) for name, steps in document.items()}


def _revision(connection: Connection, camera: str) -> int:
    return connection.execute(select(ORIGINS.c.revision).where(ORIGINS.c.camera == camera)).scalar_one_or_none() or 0


def _put_origin(connection: Connection, camera: str, origin: Origin, revision: int) -> None:
    _replace(connection, ORIGINS, "camera", camera, origin.to_json() | {"revision": revision})


def _origin(row: Any) -> OriginRow:
    values = {name: getattr(row, name) for name in NAMES}
    values["installed"] = date.fromisoformat(row.installed) if row.installed else None
    return OriginRow(Origin(**values), row.revision)
