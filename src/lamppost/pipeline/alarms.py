"""What an operator must know of the node itself, as events that begin and end, alarms among them as acts too.

Which conditions hold is read from the children's reports; what was reported of
them goes through the supervisor's journal. While that cannot be written, the
log and the metrics tell it all the same, and the journal is told later.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger
from lamppost.model.books import Act, EventClosed, EventOpened, JournalRecord, Severity
from lamppost.model.media import GapCause
from lamppost.pipeline.fleet import Role

ACTOR: Final = "lamppost serve"
DEATHS_IN_A_ROW: Final = 3
DEATHS_WITHIN_S: Final = 120.0
CLOCK_TOLERANCE_S: Final = 5.0  # burnt-in times of cameras that are further apart mislead
SILENT_S: Final = 30.0  # a process reports twice a second; one that has to mend much first may take longer
PENDING_LIMIT: Final = 1000
_STORE_CAUSES: Final = {GapCause.STORE_FAILED.value, GapCause.SEAL_UNAVAILABLE.value}
LOST_CAUSES: Final = {
    cause.value for cause in (GapCause.CAMERA_UNREACHABLE, GapCause.CAMERA_REFUSED, GapCause.UNSUPPORTED_STREAM, GapCause.STREAM_ENDED)
}


@dataclass(frozen=True, slots=True)
class Condition:
    """Something that is so now. `patience_s`: it must last so long before anybody is told.

    `carrier` is whom it concerns, where that is who would be told.
    """

    kind: str
    severity: Severity
    camera: str | None
    problem: str
    patience_s: float = 0.0
    carrier: str = ""


@dataclass(frozen=True, slots=True)
class ChildReport:
    """What is known of a child: its last report, how long ago that was, and its deaths of the last minutes."""

    name: str
    role: Role
    status: Mapping[str, Any]
    recent_deaths: int
    last_death: str
    silent_s: float = 0.0


def find_conditions(reports: Collection[ChildReport]) -> Iterator[Condition]:
    """What holds, judging by `reports`."""
    for report in reports:
        if report.recent_deaths >= DEATHS_IN_A_ROW:
            yield Condition("process_failing", Severity.ALARM, None, f"{report.name} keeps dying: {report.last_death}")
        if report.silent_s > SILENT_S:
            yield Condition("process_silent", Severity.ALARM, None, f"{report.name} lives and says nothing: what it did last may be over")
        for key in ("journal_problem", "index_problem"):
            problem = str(report.status.get(key, ""))
            if problem:
                yield Condition(key.replace("problem", "failing"), Severity.ALARM, None, problem)
        yield from _of_role(report.role, report.status)


def _of_role(role: Role, status: Mapping[str, Any]) -> Iterator[Condition]:
    match role:
        case Role.RECORDER:
            yield from _of_recorder(status.get("cameras", {}))
        case Role.BOOKKEEPER:
            yield from _of_retention(status.get("retention", {}))
        case Role.SERVER if status.get("server_problem"):
            yield Condition("server_failing", Severity.WARNING, None, str(status["server_problem"]))
        case Role.NOTIFIER:
            yield from _of_carriers(status.get("carriers", {}))
        case Role.CARETAKER:
            yield from _of_devices(status.get("troubles", {}))
        case _:
            pass


def _of_recorder(cameras: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    broken = [name for name, camera in cameras.items() if camera.get("cause") in _STORE_CAUSES]
    if broken:
        problem = str(cameras[broken[0]].get("problem", ""))
        yield Condition("recording_failing", Severity.ALARM, None, f"{len(broken)} camera(s) cannot be recorded: {problem}")
    slow = [name for name, camera in cameras.items() if camera.get("is_dropping")]
    if slow:
        yield Condition("store_slow", Severity.ALARM, None, f"the disk is too slow for {len(slow)} camera(s)")
    for name, camera in cameras.items():
        if camera.get("cause") in LOST_CAUSES:
            yield Condition("camera_lost", Severity.WARNING, name, str(camera.get("problem", "")), patience_s=30.0)
        off_s = camera.get("clock_off_s")
        if isinstance(off_s, int | float) and abs(off_s) > CLOCK_TOLERANCE_S:
            way = "ahead of" if off_s > 0 else "behind"
            yield Condition("clock_off", Severity.WARNING, name, f"its clock is {abs(off_s):.0f} s {way} ours", patience_s=30.0)


def _of_retention(retention: Mapping[str, Any]) -> Iterator[Condition]:
    if retention.get("stuck_by_holds"):
        problem = "the disk is full of footage that is held: recording has stopped — release holds, or add space"
        yield Condition("recording_held", Severity.ALARM, None, problem)
    problem = str(retention.get("problem", ""))
    if problem:
        yield Condition("retention_failing", Severity.ALARM, None, problem)


def _of_devices(troubles: Mapping[str, Collection[Mapping[str, str]]]) -> Iterator[Condition]:
    for name, found in troubles.items():
        for trouble in found:
            problem = str(trouble.get("problem", ""))
            match trouble.get("kind"):
                case "device_exchanged":
                    yield Condition("device_exchanged", Severity.ALARM, name, problem)
                case "device_doubled":
                    yield Condition("device_doubled", Severity.ALARM, name, problem)
                case "device_moved":
                    yield Condition("device_moved", Severity.WARNING, name, problem)
                case _:
                    pass


def _of_carriers(carriers: Mapping[str, Mapping[str, Any]]) -> Iterator[Condition]:
    for name, carrier in carriers.items():
        if carrier.get("failing_s"):
            problem = f"carrier {name} does not deliver: {carrier.get('problem', '')}"
            yield Condition("notify_failing", Severity.ALARM, None, problem, patience_s=60.0, carrier=name)


@dataclass(slots=True)
class _Standing:
    condition: Condition
    since_us: int
    since_s: float
    event_id: str = ""


class AlarmKeeper:
    """Keeps each condition as one event from its beginning to its end."""

    def __init__(self, journal: Callable[[JournalRecord], None], clock: Clock) -> None:
        self._journal = journal
        self._clock = clock
        self._standing: dict[tuple[str, str | None, str], _Standing] = {}
        self._active: tuple[Condition, ...] = ()
        self._unwritten: list[JournalRecord] = []
        self._log = get_logger("supervisor")
        self.left_out = 0  # records that neither the journal nor memory had room for

    @property
    def active(self) -> tuple[Condition, ...]:
        """What was told and has not ended; from any thread."""
        return self._active

    def update(self, conditions: Collection[Condition]) -> None:
        """Take in what holds now; call it a few times a second."""
        now_us, now_s = self._clock.wall_us(), self._clock.monotonic_s()
        found = {(condition.kind, condition.camera, condition.carrier): condition for condition in conditions}
        for key, condition in found.items():
            standing = self._standing.setdefault(key, _Standing(condition, now_us, now_s))
            standing.condition = condition
            if not standing.event_id and now_s - standing.since_s >= condition.patience_s:
                self._raise(standing)
        for key in [key for key in self._standing if key not in found]:
            standing = self._standing.pop(key)
            if standing.event_id:
                self._clear(standing, now_us)
        self._active = tuple(standing.condition for standing in self._standing.values() if standing.event_id)
        self._write()

    def close(self) -> None:
        """End everything that stands: the node stops."""
        self.update(())

    def _raise(self, standing: _Standing) -> None:
        condition = standing.condition
        standing.event_id = timed_id(standing.since_us)
        concerned = {"carrier": condition.carrier} if condition.carrier else {}
        detail = json.dumps({"problem": condition.problem} | concerned)
        tell = self._log.error if condition.severity is Severity.ALARM else self._log.warning
        tell(f"{condition.severity.value} raised", kind=condition.kind, camera=condition.camera or "-", problem=condition.problem)
        self._add(EventOpened(standing.event_id, condition.kind, condition.severity, condition.camera, standing.since_us, detail))
        self._add_act(standing, "alarm_raised", standing.since_us)

    def _clear(self, standing: _Standing, now_us: int) -> None:
        condition = standing.condition
        self._log.info(f"{condition.severity.value} cleared", kind=condition.kind, camera=condition.camera or "-")
        self._add(EventClosed(standing.event_id, max(now_us, standing.since_us)))
        self._add_act(standing, "alarm_cleared", now_us)

    def _add_act(self, standing: _Standing, kind: str, wall_us: int) -> None:
        condition = standing.condition
        if condition.severity is Severity.ALARM:
            detail = json.dumps({"alarm": condition.kind, "problem": condition.problem})
            self._add(Act(f"{kind}-{standing.event_id}", kind, wall_us, ACTOR, condition.camera or "node", detail))

    def _add(self, record: JournalRecord) -> None:
        if len(self._unwritten) < PENDING_LIMIT:
            self._unwritten.append(record)
        else:
            self.left_out += 1

    def _write(self) -> None:
        try:
            while self._unwritten:
                self._journal(self._unwritten[0])
                del self._unwritten[0]
        except StoreError:  # the recorders tell of the disk; what is unwritten is tried again with the next update
            return
