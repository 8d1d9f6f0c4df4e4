"""A device that says what a test wants it to say, and a book that keeps what is learnt of it, in memory."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError
from lamppost.model.books import JournalRecord
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import Armament, Audit, DeviceEvent, DeviceIdentity, Level, StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.caring import CareTools, DeviceCare
from lamppost.pipeline.device_events import EventJournal

GATE = CameraSettings(name="gate", url="rtsp://192.0.2.7/main")
IDENTITY = DeviceIdentity("Acme", "A1", "1.0", "SN-1", "00:11:22:33:44:55", "rev2")


@dataclass
class ScriptedDevice:
    """`trouble` is raised by everything, `deaf` by `listen` alone."""

    who: DeviceIdentity = IDENTITY
    trouble: CameraError | ConfigError | None = None
    deaf: CameraError | None = None
    events: list[DeviceEvent] = field(default_factory=list[DeviceEvent])
    asked: list[str] = field(default_factory=list[str])
    open: int = 0
    talks: int = 0
    dropped: int = 0
    armed: tuple[str, ...] = ()

    def talk(self, _camera: CameraSettings) -> _Talk:
        self.open += 1
        self.talks += 1
        return _Talk(self)


class _Talk:
    def __init__(self, device: ScriptedDevice) -> None:
        self._device = device

    @property
    def dropped(self) -> int:
        return self._device.dropped

    def _ask(self, what: str) -> None:
        self._device.asked.append(what)
        if self._device.trouble is not None:
            raise self._device.trouble

    def identity(self) -> DeviceIdentity:
        self._ask("identity")
        return self._device.who

    def profiles(self) -> tuple[StreamProfile, ...]:
        self._ask("profiles")
        return ()

    def health(self) -> Mapping[str, Any]:
        self._ask("health")
        return {"clock_offset_s": 0.5}

    def listen(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        self._ask("listen")
        if self._device.deaf is not None:
            raise self._device.deaf
        told, self._device.events = tuple(self._device.events), []
        return told

    def close(self) -> None:
        self._device.open -= 1


@dataclass
class MemoryBook:
    """As `CareBook`."""

    known: DeviceIdentity | None = None
    health: list[Mapping[str, Any]] = field(default_factory=list[Mapping[str, Any]])
    audits: list[Audit] = field(default_factory=list[Audit])
    audited_us: int | None = None
    drift: tuple[str, ...] = ()

    def identity(self, camera: str) -> DeviceIdentity | None:
        return self.known

    def remember(self, camera: str, identity: DeviceIdentity, device_url: str, at_us: int) -> None:
        self.known = identity

    def keep_profiles(self, camera: str, profiles: tuple[StreamProfile, ...], at_us: int) -> None:
        return

    def note_health(self, camera: str, document: Mapping[str, Any], at_us: int) -> None:
        self.health.append(document)

    def newest_audit_us(self, camera: str) -> int | None:
        return self.audited_us


def an_audit(camera: str, identity: DeviceIdentity, at_us: int) -> Audit:
    unknown = Level.UNKNOWN
    return Audit(f"a{at_us}", camera, at_us, identity, unknown, unknown, unknown, Armament(), (), (), ())


@dataclass
class CareScene:
    """The care of one scripted device."""

    clock: Clock
    device: ScriptedDevice = field(default_factory=ScriptedDevice)
    book: MemoryBook = field(default_factory=MemoryBook)
    records: list[JournalRecord] = field(default_factory=list[JournalRecord])
    mend: Callable[[CameraSettings], bool] = lambda _camera: False
    settings: DeviceSettings = field(default_factory=DeviceSettings)
    busy: CameraError | None = None  # while somebody else works on the device

    def care(self, camera: CameraSettings = GATE) -> DeviceCare:
        tools = CareTools(
            clock=self.clock,
            book=self.book,
            journal=EventJournal(self.records.append),
            talk=self.device.talk,
            audit=self._audit,
            mend=lambda camera: self.mend(camera),
            device_url=lambda _camera: "http://192.0.2.7",
            random=Random(1),
            audits=threading.BoundedSemaphore(1),
        )
        return DeviceCare(camera, self.settings, tools)

    def _audit(self, camera: CameraSettings) -> tuple[Audit, tuple[str, ...]]:
        if self.busy is not None:
            raise self.busy
        self.device.asked.append("audit")
        self.book.audits.append(an_audit(camera.name, self.device.who, self.clock.wall_us()))
        return self.book.audits[-1], self.book.drift
