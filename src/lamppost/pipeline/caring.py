"""Looks after one device: who it is, how it is, what it tells, and what it is able to do; each when it is due, one thing at a time.

Nothing here is needed for recording. A device that does not answer is asked later and later. One that refuses the password is left alone
for longer still, since many lock an account that is tried too often. One that turns out to be another device is asked nothing more here,
until its video was away or somebody has accepted it. Its video is recorded all the same, with the sign-in that this takes: a camera that
was rightly replaced must not lose a night of it.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from random import Random
from types import MappingProxyType
from typing import Any, Final, Protocol

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, ConfigError, DeviceBusy, StoreError
from lamppost.base.logging import get_logger, redact
from lamppost.ingest.backoff import Backoff
from lamppost.model.books import Severity
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import Audit, DeviceEvent, DeviceIdentity, StreamProfile
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.device_audits import drift_event
from lamppost.pipeline.device_events import DeviceEventKeeper, EventJournal, happening

MEET_S: Final = 3600.0
LISTEN_S: Final = 2.0
PULL_S: Final = 1.0
DEAF_S: Final = 600.0  # a device that tells nothing of itself is asked again whether it does
AWAY_FIRST_S: Final = 2.0
AWAY_CAP_S: Final = 60.0
REFUSED_FIRST_S: Final = 60.0
REFUSED_CAP_S: Final = 1800.0
STRANGER_S: Final = 10.0
STORE_S: Final = 30.0
AUDIT_SPREAD_S: Final = 30.0
AUDIT_AGAIN_S: Final = 5.0
BUSY_S: Final = 20.0  # somebody else has the device in hand
MOST_AUDITS: Final = 4  # at one time: they take long, and health must not wait for them
_FAILURES_UNTIL_GONE: Final = 2


class Talk(Protocol):
    """A conversation with one device, in one thread at a time. Each raises `CameraError`."""

    @property
    def dropped(self) -> int:
        """Messages of the device that were not read, because they are none of our business."""
        ...

    def identity(self) -> DeviceIdentity: ...
    def profiles(self) -> tuple[StreamProfile, ...]: ...
    def health(self) -> Mapping[str, Any]:
        """As it is kept: `clock_offset_s`, `ntp`, `temperature_c`, `uptime_s`, `storage`; None where the device does not say."""
        ...

    def listen(self, timeout_s: float) -> tuple[DeviceEvent, ...]:
        """What it has told since the last call; the first one begins to listen."""
        ...

    def close(self) -> None: ...


class CareBook(Protocol):
    """What is kept of devices; each raises `StoreError`."""

    def identity(self, camera: str) -> DeviceIdentity | None: ...
    def remember(self, camera: str, identity: DeviceIdentity, device_url: str, at_us: int) -> None: ...
    def keep_profiles(self, camera: str, profiles: tuple[StreamProfile, ...], at_us: int) -> None: ...
    def note_health(self, camera: str, document: Mapping[str, Any], at_us: int) -> None: ...
    def newest_audit_us(self, camera: str) -> int | None: ...


@dataclass(frozen=True, slots=True)
class CareTools:
    """What all devices share."""

    clock: Clock
    book: CareBook
    journal: EventJournal
    talk: Callable[[CameraSettings], Talk]
    audit: Callable[[CameraSettings], tuple[Audit, tuple[str, ...]]]
    """Audits a device and keeps that, and says what has come back since the one before."""
    mend: Callable[[CameraSettings], bool]
    """For a camera that refused: whether a password that was being changed is the right one, and is now in the configuration."""
    device_url: Callable[[CameraSettings], str]
    random: Random
    audits: threading.BoundedSemaphore


@dataclass(frozen=True, slots=True)
class CareReport:
    """What the supervisor is told of one device; counters since the process began."""

    is_reachable: bool | None = None  # None before it was asked
    problem: str = ""
    asked_us: int | None = None
    stranger: str = ""  # the serial number or address of a device that is there in place of the known one
    events: int = 0
    motions: int = 0
    suppressed: int = 0
    dropped: int = 0
    audits: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class _Duty(StrEnum):
    MEET = "meet"
    LISTEN = "listen"
    HEALTH = "health"
    AUDIT = "audit"


class DeviceCare:
    """The care of one camera's device. `turn` is called by one thread at a time, the rest by any."""

    def __init__(self, camera: CameraSettings, settings: DeviceSettings, tools: CareTools) -> None:
        self.camera = camera
        self.report = CareReport()
        self._settings = settings
        self._tools = tools
        self._clock = tools.clock
        self._events = DeviceEventKeeper(camera.name, tools.journal.write, tools.clock)
        self._away = Backoff(random=tools.random, first_s=AWAY_FIRST_S, cap_s=AWAY_CAP_S)
        self._refused = Backoff(random=tools.random, first_s=REFUSED_FIRST_S, cap_s=REFUSED_CAP_S)
        self._talk: Talk | None = None
        self._identity: DeviceIdentity | None = None
        self._stranger: DeviceIdentity | None = None
        self._failures = 0
        self._dropped_before = 0
        self._due_s: dict[_Duty, float] = {_Duty.MEET: 0.0}
        self._is_to_meet = threading.Event()
        self._is_closed = threading.Event()
        self._mutex = threading.Lock()
        self._duties: Mapping[_Duty, Callable[[], float]] = MappingProxyType(
            {_Duty.MEET: self._meet, _Duty.LISTEN: self._listen, _Duty.HEALTH: self._look_at_health, _Duty.AUDIT: self._audit}
        )

    def meet_again(self) -> None:
        """Its video was away: who is there now is asked at the next turn."""
        self._is_to_meet.set()

    def close(self) -> None:
        """Ask it nothing more. A turn that is under way ends by itself."""
        self._is_closed.set()
        if self._mutex.acquire(blocking=False):
            try:
                self._leave()
            finally:
                self._mutex.release()

    def turn(self) -> float:
        """Do what has been due for longest; returns in how many seconds something is due again."""
        with self._mutex:
            again_in_s = self._turn()
        if self._is_closed.is_set():
            self.close()
        return again_in_s

    def _turn(self) -> float:
        if self._is_closed.is_set():
            return MEET_S
        if self._is_to_meet.is_set():
            self._is_to_meet.clear()
            # Its video was away: the right one may have been put back, and its name may lead elsewhere now.
            self._stranger = None
            self._hang_up()
            self._due_s[_Duty.MEET] = 0.0
        if self._stranger is not None and not self._is_accepted(self._stranger):
            return STRANGER_S
        duty = min(self._due_s, key=self._due_s.__getitem__)
        if self._due_s[duty] <= self._clock.monotonic_s():
            try:
                again_in_s = self._duties[duty]()
            except CameraError as error:
                self._fail(error)
            except (StoreError, ConfigError) as error:  # the disk, or a password file that is away: not the device's fault
                self._tell(problem=redact(str(error)))
                self._due_s[duty] = self._clock.monotonic_s() + STORE_S
            else:
                if duty in self._due_s:
                    self._due_s[duty] = self._clock.monotonic_s() + again_in_s
        return max(0.0, min(self._due_s.values(), default=STRANGER_S) - self._clock.monotonic_s())

    # Duties; each returns in how many seconds it is due again

    def _meet(self) -> float:
        name, now_us = self.camera.name, self._clock.wall_us()
        identity = self._talking().identity()
        known = self._tools.book.identity(name)
        if known is not None and known.is_another(identity):
            self._turn_away(known, identity)
            return STRANGER_S
        self._stranger = None
        is_new_firmware = known is not None and bool(known.firmware) and bool(identity.firmware) and known.firmware != identity.firmware
        self._tools.book.remember(name, identity, self._tools.device_url(self.camera), now_us)
        if known is not None and is_new_firmware:
            note = f"{known.firmware} became {identity.firmware}"
            self._tools.journal.write(*happening("firmware_changed", Severity.WARNING, name, now_us, note[:200]))
        self._tools.book.keep_profiles(name, self._talking().profiles(), now_us)
        is_first = self._identity is None
        self._identity = identity
        self._be_well()
        if is_first:
            self._due_s |= {_Duty.LISTEN: 0.0, _Duty.HEALTH: 0.0, _Duty.AUDIT: self._first_audit_s()}
        if is_new_firmware:
            self._due_s[_Duty.AUDIT] = 0.0
        return MEET_S * self._tools.random.uniform(0.9, 1.1)

    def _listen(self) -> float:
        try:
            told = self._talking().listen(PULL_S)
        except CameraUnreachable:
            raise
        except CameraError as error:  # it does not tell, or forgot that we listen
            get_logger("caretaker").debug("a device tells nothing", camera=self.camera.name, problem=redact(str(error)))
            self._events.close()
            return DEAF_S * self._tools.random.uniform(0.5, 1.0)
        self._events.take(told)
        self._be_well()
        return LISTEN_S

    def _look_at_health(self) -> float:
        now_us = self._clock.wall_us()
        document = self._talking().health()
        self._tools.book.note_health(self.camera.name, document, now_us)
        self._be_well()
        return self._settings.health_s * self._tools.random.uniform(0.9, 1.0)

    def _audit(self) -> float:
        if self._identity is None:
            return AUDIT_AGAIN_S
        if not self._tools.audits.acquire(blocking=False):
            return AUDIT_AGAIN_S * self._tools.random.uniform(0.5, 1.0)
        try:
            audit, drift = self._tools.audit(self.camera)
        except DeviceBusy:
            return BUSY_S * self._tools.random.uniform(0.5, 1.0)
        finally:
            self._tools.audits.release()
        self._tell(audits=self.report.audits + 1)
        if drift:
            self._tools.journal.write(*drift_event(audit, drift))
        return self._settings.audit_h * 3600 * self._tools.random.uniform(0.95, 1.0)

    def _first_audit_s(self) -> float:
        """When the first one of this life is due, by when the last one was made; those that are overdue do not come all at once."""
        made_us = self._tools.book.newest_audit_us(self.camera.name)
        now_s = self._clock.monotonic_s()
        left_s = 0.0 if made_us is None else self._settings.audit_h * 3600 - (self._clock.wall_us() - made_us) / US_PER_S
        return now_s + max(left_s, self._tools.random.uniform(0, AUDIT_SPREAD_S))

    # How it goes

    def _talking(self) -> Talk:
        if self._talk is None:
            self._talk = self._tools.talk(self.camera)
        return self._talk

    def _be_well(self) -> None:
        self._failures = 0
        self._away.reset()
        self._refused.reset()
        self._tell(is_reachable=True, problem="", asked_us=self._clock.wall_us(), stranger="")

    def _fail(self, error: CameraError) -> None:
        """Nothing but who is there is asked from now on, and that later and later."""
        self._failures += 1
        is_refused = isinstance(error, CameraRefused)
        self._hang_up()
        pause_s = (self._refused if is_refused else self._away).next_s()
        if is_refused and self._tools.mend(self.camera):
            pause_s = AWAY_FIRST_S  # the configuration names the right one now, and comes soon
        if self._failures >= _FAILURES_UNTIL_GONE:
            self._events.close()
        self._identity = None
        self._due_s = {_Duty.MEET: self._clock.monotonic_s() + pause_s}
        is_there = not isinstance(error, CameraUnreachable)
        self._tell(is_reachable=is_there, problem=redact(str(error)), asked_us=self._clock.wall_us())

    def _turn_away(self, known: DeviceIdentity, found: DeviceIdentity) -> None:
        self._hang_up()
        self._events.close()
        self._identity, self._stranger = None, found
        self._due_s = {_Duty.MEET: 0.0}
        told = found.serial or found.mac
        numbers = f"{told[:64]}, and not {(known.serial or known.mac)[:64]}"
        problem = f"the device at its address has the number {numbers}; what it sends is recorded as the camera's"
        self._tell(is_reachable=True, problem=problem, asked_us=self._clock.wall_us(), stranger=told[:64])

    def _is_accepted(self, stranger: DeviceIdentity) -> bool:
        """Whether somebody has looked at it since, and taken it for the camera's device from now on."""
        try:
            known = self._tools.book.identity(self.camera.name)
        except StoreError:
            return False
        return known is None or not known.is_another(stranger)

    def _hang_up(self) -> None:
        talk, self._talk = self._talk, None
        if talk is not None:
            self._dropped_before += talk.dropped
            talk.close()

    def _leave(self) -> None:
        self._hang_up()
        self._events.close()

    def _tell(self, **changes: Any) -> None:
        tally = self._events.tally
        dropped = self._dropped_before + (self._talk.dropped if self._talk is not None else 0)
        counts = {"events": tally.taken, "motions": tally.motions, "suppressed": tally.suppressed, "dropped": dropped}
        self.report = replace(self.report, **(counts | changes))
