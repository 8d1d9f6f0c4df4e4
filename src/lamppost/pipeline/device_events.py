"""Makes events of the node from what devices tell: each begins and ends once, none lasts for ever, and a chattering contact floods nothing.

Only what `DeviceEvent` has room for comes here. Motion is counted, and is no event: that is for rules on masked video.
"""

from __future__ import annotations

import json
import threading
from collections import deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.model.books import EventClosed, EventEnded, EventOpened, JournalRecord, Severity
from lamppost.model.devices import DeviceEvent, DeviceEventKind
from lamppost.pipeline.pending import PendingRecords

MOST_A_MINUTE: Final = 6  # of one kind of one camera; what is more is counted and left out
MOST_AN_HOUR: Final = 60
LONGEST_S: Final = 3600.0  # what is not told again within it has ended, as far as anybody knows
MOST_OPEN: Final = 16  # of one kind of one camera
PENDING_LIMIT: Final = 1000
NO_LONGER_TOLD: Final = "its device does not tell of it any more"

_KINDS: Final = MappingProxyType(
    {
        DeviceEventKind.TAMPER: ("device_tamper", Severity.WARNING),
        DeviceEventKind.INPUT: ("device_input", Severity.INFO),
        DeviceEventKind.OUTPUT: ("device_output", Severity.INFO),
        DeviceEventKind.STORAGE: ("device_storage", Severity.WARNING),
        DeviceEventKind.HEALTH: ("device_health", Severity.WARNING),
    }
)


@dataclass(slots=True)
class DeviceTally:
    """What one device has told since we listen; for the status."""

    taken: int = 0  # events of the node that were made of it
    motions: int = 0
    suppressed: int = 0  # too many at once


@dataclass(frozen=True, slots=True)
class _Open:
    event_id: str
    start_us: int
    told_s: float


class EventJournal:
    """Writes records to the caretaker's journal; where that cannot be now, in their order later. From any thread."""

    def __init__(self, append: Callable[[JournalRecord], None]) -> None:
        self._pending = PendingRecords(append)
        self._mutex = threading.Lock()
        self.left_out = 0
        self.problem = ""

    def write(self, *records: JournalRecord) -> None:
        """Have them written, now or later; raises nothing."""
        with self._mutex:
            if len(self._pending) + len(records) > PENDING_LIMIT:
                self.left_out += len(records)
                return
            self._pending.add(*records)
        self.write_pending()

    def write_pending(self) -> None:
        """Try again with what could not be written."""
        with self._mutex:
            try:
                self._pending.write()
            except StoreError as error:
                self.problem = str(error)
                return
            self.problem = ""


class DeviceEventKeeper:
    """The events of one camera's device; called in one thread at a time."""

    def __init__(self, camera: str, write: Callable[..., None], clock: Clock) -> None:
        self.tally = DeviceTally()
        self._camera = camera
        self._write = write
        self._clock = clock
        self._open: dict[tuple[DeviceEventKind, str], _Open] = {}
        # Of each kind: a contact that chatters must not hide that somebody tampers with the camera.
        self._begun_s = {kind: deque[float](maxlen=MOST_AN_HOUR) for kind in _KINDS}

    def take(self, events: Iterable[DeviceEvent]) -> None:
        """What the device has told, in order."""
        for event in events:
            if event.kind is DeviceEventKind.MOTION:
                self.tally.motions += event.is_active is not False
            elif event.kind in _KINDS:
                self._take(event)
        self.look()

    def look(self) -> None:
        """End what has lasted too long."""
        now_s = self._clock.monotonic_s()
        for key, one in tuple(self._open.items()):
            if now_s - one.told_s > LONGEST_S:
                self._end(key, NO_LONGER_TOLD)

    def close(self) -> None:
        """The device is gone, or nobody listens to it any more: what lasted ends."""
        for key in tuple(self._open):
            self._end(key, NO_LONGER_TOLD)

    def _take(self, event: DeviceEvent) -> None:
        key = (event.kind, event.place)
        known = self._open.get(key)
        if event.is_active is False:
            if known is not None:
                self._end(key, "")
            return
        if known is not None:  # told again: a device repeats what is so when somebody begins to listen
            self._open[key] = _Open(known.event_id, known.start_us, self._clock.monotonic_s())
            return
        if not self._has_room(event.kind):
            self.tally.suppressed += 1
            return
        self._begin(key)
        if event.is_active is None:  # it happened, and has no length
            self._end(key, "")

    def _has_room(self, kind: DeviceEventKind) -> bool:
        now_s, begun_s = self._clock.monotonic_s(), self._begun_s[kind]
        is_chatter = len(begun_s) >= MOST_A_MINUTE and now_s - begun_s[-MOST_A_MINUTE] < 60
        is_flood = len(begun_s) == MOST_AN_HOUR and now_s - begun_s[0] < 3600
        return not is_chatter and not is_flood and sum(open_kind is kind for open_kind, _ in self._open) < MOST_OPEN

    def _begin(self, key: tuple[DeviceEventKind, str]) -> None:
        kind, severity = _KINDS[key[0]]
        now_us, now_s = self._clock.wall_us(), self._clock.monotonic_s()
        self._begun_s[key[0]].append(now_s)
        self.tally.taken += 1
        event_id = timed_id(now_us)
        self._open[key] = _Open(event_id, now_us, now_s)
        # By our own clock: that of the device may be off by years.
        self._write(EventOpened(event_id, kind, severity, self._camera, now_us, _detail(key[1], "")))

    def _end(self, key: tuple[DeviceEventKind, str], note: str) -> None:
        one = self._open.pop(key)
        end_us = max(one.start_us, self._clock.wall_us())
        self._write(EventEnded(one.event_id, end_us, _detail(key[1], note)) if note else EventClosed(one.event_id, end_us))


def _detail(place: str, note: str) -> str:
    """`place` is the device's own word for a contact or a disk, and no zone of ours."""
    parts = [f"at the device's {place}" if place else "", note]
    return json.dumps({"note": "; ".join(filter(None, parts))})


def happening(kind: str, severity: Severity, camera: str, at_us: int, note: str) -> tuple[EventOpened, EventClosed]:
    """Something that happened and has no length."""
    event_id = timed_id(at_us)
    return EventOpened(event_id, kind, severity, camera, at_us, json.dumps({"note": note})), EventClosed(event_id, at_us)
