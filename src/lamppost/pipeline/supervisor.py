"""Starts the processes, keeps them alive, and ends them in good order.

The supervisor holds the data folder. It touches no packet and no index: it
spawns a bookkeeper, recorders and analysts, joins recorder and analyst by one
socket a camera, starts anew what dies, brings all of them to a changed
configuration, and collects what they report.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import threading
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory
from lamppost.base.errors import ConfigError, DataFolderBusy, LamppostError, StoreError
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger, redact
from lamppost.ingest.locator import parse_locator
from lamppost.model.books import Act
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.adopting import adopt
from lamppost.pipeline.alarms import ACTOR, DEATHS_WITHIN_S, LOST_CAUSES, SILENT_S, AlarmKeeper, ChildReport, Condition, find_conditions
from lamppost.pipeline.children import Child
from lamppost.pipeline.credentials import with_passwords
from lamppost.pipeline.fleet import Fleet, Role, assign, process_names
from lamppost.pipeline.node_state import node_state
from lamppost.pipeline.recovering import Sign, recover
from lamppost.pipeline.reloading import ConfigWatch
from lamppost.pipeline.summary import RunSummary, summarise
from lamppost.pipeline.turning import TurnsUnderWay
from lamppost.store.journal import JournalWriter, hold_lock

WRITER: Final = "supervisor"
# Less than 5 s together, with a summary of half a second.
STOP_PATIENCE_S: Final = {
    Role.RECORDER: 1.9,
    Role.ANALYST: 2.0,
    Role.NOTIFIER: 0.1,
    Role.CARETAKER: 0.1,
    Role.SERVER: 0.1,
    Role.BOOKKEEPER: 0.7,
}
AT_EASE: Final = (Role.NOTIFIER, Role.CARETAKER, Role.SERVER)
AT_EASE_S: Final = 1.0  # these, from the order to stop on
ADOPT_PATIENCE_S: Final = 10.0
ADOPT_POLL_S: Final = 0.2
TICK_S: Final = 0.5
ANSWER_S: Final = 0.2  # for a child to take a word that another waits for
FEED_BYTES: Final = 1 << 20  # a large keyframe and some pictures after it; the kernel may give less
_LIVE: Final = (
    "camera",
    "timezone",
    "recording",
    "retention",
    "masking",
    "analysis",
    "sealing",
    "metrics",
    "site",
    "notify",
    "server",
    "devices",
)
_NEXT_START: Final = ("fleet", "log")


_NEVER: Final = threading.Event()  # for waits that nothing ends early


@dataclass(frozen=True, slots=True)
class Console:
    """Where people find the console; `setup` is the link that sets up the first user, while there is none."""

    address: str
    setup: str | None


class Supervisor:
    """The parent of one node's processes.

    `start` raises `DataFolderBusy` when another supervisor holds the folder.
    `stop` ends the children in the order in which the data flows, so that the
    index is complete when it returns; a child that does not end is killed.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        sign: Sign,
        clock: Clock,
        write_line: Callable[[str], None],
        cores: int | None = None,
        config: Path | None = None,
    ) -> None:
        self._log = get_logger("supervisor")
        self._settings = with_passwords(settings, self._without_password)
        self._sign = sign
        self._config = config
        self._clock = clock
        self._write_line = write_line
        self._cores = cores or os.cpu_count() or 1
        self._folder = DataFolder(settings.data)
        self._fleets = {Role.RECORDER: Fleet(MappingProxyType({})), Role.ANALYST: Fleet(MappingProxyType({}))}
        # Also of cameras that are gone: the account of one that comes back goes on where it was.
        self._homes: dict[Role, dict[str, str]] = {Role.RECORDER: {}, Role.ANALYST: {}}
        self._children: dict[str, Child] = {}
        self._deaths: dict[str, deque[float]] = {}
        self._lock_descriptor = -1
        self._journal: JournalWriter | None = None
        self._alarms: AlarmKeeper | None = None
        self._is_held = False
        self._turning = TurnsUnderWay(clock, self._folder.turns)
        self._started_us = clock.wall_us()
        self._stopped_us = 0

    @property
    def settings(self) -> Settings:
        """What is in force."""
        return self._settings

    @property
    def children(self) -> tuple[Child, ...]:
        """All children, dead ones too."""
        return tuple(self._children.values())

    @property
    def console(self) -> Console | None:
        """Where the console is served; None where it is not, now."""
        for child in self._children.values():
            if child.role is Role.SERVER and child.status.get("address"):
                return Console(str(child.status["address"]), child.status.get("setup"))
        return None

    @property
    def alarms(self) -> tuple[Condition, ...]:
        """Warnings and alarms that stand now."""
        return self._alarms.active if self._alarms is not None else ()

    def recording(self, camera: str) -> dict[str, Any]:
        """What its recorder reported last of a camera."""
        return self._report_of(Role.RECORDER, camera)

    def masking(self, camera: str) -> dict[str, Any]:
        """What its analyst reported last of a camera."""
        return self._report_of(Role.ANALYST, camera)

    def device(self, camera: str) -> dict[str, Any]:
        """What the caretaker reported last of a camera's device; empty where there is none."""
        child = self._children.get(Role.CARETAKER.value)
        return {} if child is None or child.silent_s > SILENT_S else child.of_camera(camera)

    def start(self) -> None:
        """Take the data folder, mend what was left, and start the children; raises `StoreError`."""
        make_directory(self._folder.run)
        self._lock_descriptor = hold_lock(self._folder.run / "supervisor.lock")
        self._journal = journal = JournalWriter(self._folder.journal / WRITER, clock=self._clock)
        recover(self._folder, WRITER, journal, sign=self._sign, clock=self._clock)
        self._alarms = AlarmKeeper(journal.append, self._clock)
        self._turning.load()
        self._place_cameras()
        recorders = [child.name for child in self._children.values() if child.role is Role.RECORDER]
        self._homes[Role.RECORDER] |= self._adopt(recorders)
        self._act("started", {"cameras": len(self._settings.camera)})
        for child in self._children.values():
            child.start()
            self._tell_what_stands(child)
        self._join_feeds(camera.name for camera in self._settings.camera)

    def _adopt(self, recorders: Sequence[str]) -> dict[str, str]:
        """What `adopt` finds; tried again while the children of a supervisor that was killed are still ending."""
        deadline_s = self._clock.monotonic_s() + ADOPT_PATIENCE_S
        while True:
            try:
                return adopt(self._folder, self._fleets[Role.RECORDER].homes, recorders, sign=self._sign, clock=self._clock)
            except DataFolderBusy:
                if self._clock.monotonic_s() > deadline_s:
                    raise
                self._clock.wait(_NEVER, ADOPT_POLL_S)

    def watch(
        self,
        stop: threading.Event,
        for_s: float | None,
        on_tick: Callable[[Supervisor], None],
        config: ConfigWatch | None = None,
    ) -> None:
        """Keep the children alive until `stop` is set or `for_s` have passed; call `on_tick` twice a second."""
        end_s = None if for_s is None else self._clock.monotonic_s() + for_s
        next_tick_s = 0.0
        while not self._clock.wait(stop, 0.1):
            now_s = self._clock.monotonic_s()
            self._restart_the_dead()
            if now_s >= next_tick_s:
                next_tick_s = now_s + TICK_S
                if config is not None:
                    self._look_at(config)
                self._look_after(now_s)
                on_tick(self)
            if end_s is not None and now_s >= end_s:
                return

    def apply(self, settings: Settings) -> None:
        """Bring the node to `settings`, which were validated whole; cameras that stay the same are not touched.

        Password files are read again as well.

        Raises `ConfigError`, before anything is touched, for what cannot change while it runs.
        """
        before = self._settings
        if settings.data != before.data:
            raise ConfigError("the data folder cannot change while Lamppost runs", remedy="stop it, move the folder, start it again")
        settings = with_passwords(settings, self._without_password)
        later = [name for name in _NEXT_START if getattr(settings, name) != getattr(before, name)]
        if later:
            self._log.warning("takes effect with the next start", tables=later)
        changed = [name for name in _LIVE if getattr(settings, name) != getattr(before, name)]
        if not changed:
            return
        self._settings = settings
        self._place_cameras()
        old = {camera.name: camera for camera in before.camera}
        new = {camera.name: camera for camera in settings.camera}
        added, removed = sorted(new.keys() - old.keys()), sorted(old.keys() - new.keys())
        is_all_new = (before.recording, before.timezone) != (settings.recording, settings.timezone)
        altered = sorted(name for name in old.keys() & new.keys() if is_all_new or old[name] != new[name])
        self._join_feeds([*added, *(name for name in altered if is_all_new or not new[name].is_received_as(old[name]))])
        detail = {"tables": changed, "added": added[:100], "removed": removed[:100], "changed": altered[:100]}
        self._act("configuration_changed", detail | {"cameras": len(new)})
        self._log.info("the configuration was changed", added=len(added), removed=len(removed), changed=len(altered))

    def stop(self) -> None:
        """End everything: recorders, then analysts, then the bookkeeper; each role has its patience.

        Notifier, caretaker and server are told first, and have until then: nobody waits for whom they serve. What the others leave
        unused of their patience is the bookkeeper's, so that the index is complete.
        """
        started_s = self._clock.monotonic_s()
        self._stopped_us = self._clock.wall_us()
        self._revive_bookkeeper()
        if self._alarms is not None:
            self._alarms.close()
        self._act("stopped", {"deaths": {child.name: child.deaths for child in self._children.values()}})
        if self._journal is not None:
            with contextlib.suppress(StoreError):  # told already, when an act was refused
                self._journal.close()
        for child in self._children.values():
            if child.role in AT_EASE:
                child.begin_end()
        for role in (Role.RECORDER, Role.ANALYST):
            self._end(role, STOP_PATIENCE_S[role])
        spent_s = self._clock.monotonic_s() - started_s
        for role in AT_EASE:
            self._end(role, max(STOP_PATIENCE_S[role], AT_EASE_S - spent_s))
        left_s = sum(STOP_PATIENCE_S.values()) - (self._clock.monotonic_s() - started_s)
        self._end(Role.BOOKKEEPER, max(STOP_PATIENCE_S[Role.BOOKKEEPER], left_s))
        if self._lock_descriptor >= 0:
            os.close(self._lock_descriptor)
            self._lock_descriptor = -1

    def report(self, since_us: int) -> RunSummary:
        """What was made since `since_us`, from the index; call it after `stop`."""
        names = [camera.name for camera in self._settings.camera]
        analysts = [child for child in self._children.values() if child.role is Role.ANALYST]
        return summarise(
            self._folder,
            names,
            since_us=since_us,
            until_us=self._stopped_us,
            covered_frames={name: sum(analyst.covered_frames(name) for analyst in analysts) for name in names},
            problems={name: self._problem(name) for name in names},
            deaths={child.name: child.deaths for child in self._children.values() if child.deaths},
        )

    def _problem(self, camera: str) -> str:
        problems = (str(report.get("problem", "")) for report in (self.recording(camera), self.masking(camera)))
        return redact(next((problem for problem in problems if problem), ""))

    def _report_of(self, role: Role, camera: str) -> dict[str, Any]:
        # Asked by the thread of the metrics as well, while a process that is new has a camera already.
        child = self._children.get(self._fleets[role].homes.get(camera, ""))
        if child is None:
            return {}
        report = child.of_camera(camera)
        return report | {"state": "silent"} if report and child.silent_s > SILENT_S else report

    # Cameras and their processes

    def _place_cameras(self) -> None:
        """Give every camera a home, and every child the settings of its cameras; new children are made, and started when others run."""
        is_running = bool(self._children)
        for role in (Role.BOOKKEEPER, Role.RECORDER, Role.ANALYST, *AT_EASE):
            present = [child.name for child in self._children.values() if child.role is role]
            names = [*present, *(name for name in process_names(role, self._settings, self._cores) if name not in present)]
            if role in self._fleets:
                cameras = [camera.name for camera in self._settings.camera]
                self._fleets[role] = assign(cameras, names, self._homes[role])
                self._homes[role] |= self._fleets[role].homes
            for name in names:
                self._settle(name, role, is_running=is_running)

    def _settle(self, name: str, role: Role, *, is_running: bool) -> None:
        settings = self._settings_of(name, role)
        child = self._children.get(name)
        if child is not None:
            if child.settings != settings:
                child.use(settings)
            return
        self._children[name] = Child(
            name, role, settings, clock=self._clock, write_line=self._write_line, config=self._config, on_word=self._take_word
        )
        self._deaths[name] = deque(maxlen=16)
        if is_running and self._children[name].start_again():
            self._tell_what_stands(self._children[name])

    def _settings_of(self, name: str, role: Role) -> Settings:
        if role in (Role.BOOKKEEPER, Role.CARETAKER):
            return self._settings
        if role is Role.NOTIFIER:
            return self._settings.model_copy(update={"camera": ()})  # it needs none of their passwords
        if role is Role.SERVER:
            return self._settings.model_copy(update={"camera": tuple(map(_without_secrets, self._settings.camera))})
        mine = set(self._fleets[role].of(name))
        return self._settings.model_copy(update={"camera": tuple(camera for camera in self._settings.camera if camera.name in mine)})

    def _join_feeds(self, cameras: Iterable[str]) -> None:
        """Give recorder and analyst the two ends of a new socket for each camera."""
        for camera in cameras:
            recorder = self._children[self._fleets[Role.RECORDER].homes[camera]]
            analyst = self._children[self._fleets[Role.ANALYST].homes[camera]]
            if recorder.process_id is None or analyst.process_id is None:
                continue
            try:
                near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
            except OSError as error:  # no descriptor is left: the camera is recorded, and not masked
                self._log.error("no feed can be made", camera=camera, problem=error.strerror or str(error))
                continue
            with near, far:
                near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, FEED_BYTES)
                recorder.tell({"order": "feed", "camera": camera}, (near.fileno(),))
                analyst.tell({"order": "feed", "camera": camera}, (far.fileno(),))

    def _look_at(self, config: ConfigWatch) -> None:
        try:
            settings = config.poll()
            if settings is not None:
                self.apply(settings)
        except ConfigError as error:
            self._log.error("the changed configuration is not used; what runs goes on as it was", problem=str(error))

    # Deaths and alarms

    def _restart_the_dead(self) -> None:
        to_join: list[str] = []
        for child in self._children.values():
            if child.has_died():
                self._note_death(child)
            if child.is_due() and child.start_again() and child.role in self._fleets:
                to_join += self._fleets[child.role].of(child.name)
                self._tell_what_stands(child)
        self._join_feeds(dict.fromkeys(to_join))

    def _tell_what_stands(self, child: Child) -> None:
        """A recorder that is new records, and an analyst shows what it masks, unless they are told; before they get a feed."""
        if child.role is Role.RECORDER and self._is_held:
            child.insist({"order": "hold", "is_held": True})
        if child.role is Role.ANALYST:
            for camera in self._fleets[Role.ANALYST].of(child.name):
                if (left_s := self._turning.left_s(camera)) > 0:
                    child.tell({"order": "turned", "camera": camera, "for_s": left_s, "number": 0})

    # What children have to say to each other

    def _take_word(self, child: Child, word: dict[str, Any]) -> None:
        """From the thread that listens to `child`: the server wants a camera covered, or an analyst has covered one."""
        match child.role, word.get("word"):
            case Role.SERVER, "cover":
                self._cover(str(word.get("camera", "")), float(word.get("for_s", 0.0)), int(word.get("number", 0)))
            case Role.ANALYST, "covered":
                self._tell_covered(int(word.get("number", 0)))
            case _:
                self._log.warning("a child says what nobody understands", child=child.name)

    def _cover(self, camera: str, for_s: float, number: int) -> None:
        analyst = self._children.get(self._fleets[Role.ANALYST].homes.get(camera, ""))
        if analyst is None:
            return  # nobody answers, and the camera is not turned
        # First: one that starts just now reads it before it gets a picture.
        try:
            self._turning.note(camera, for_s)
        except StoreError as error:  # nobody answers, and the camera is not turned
            self._log.error("a camera cannot be turned", camera=camera, problem=error.problem)
            return
        if analyst.process_id is None:
            self._tell_covered(number)  # nothing is shown
        else:
            analyst.tell({"order": "turned", "camera": camera, "for_s": for_s, "number": number}, timeout_s=ANSWER_S)

    def _tell_covered(self, number: int) -> None:
        for child in tuple(self._children.values()):
            if child.role is Role.SERVER:
                child.tell({"order": "covered", "number": number}, timeout_s=ANSWER_S)

    def _note_death(self, child: Child) -> None:
        self._deaths[child.name].append(self._clock.monotonic_s())
        self._act("process_died", {"process": child.name, "reason": child.reason, "failure": child.failure})

    def _look_after(self, now_s: float) -> None:
        """What the reports mean: alarms, and whether recording must stop for what is held."""
        for child in self._children.values():
            child.remind()
        reports = [self._report(child, now_s) for child in self._children.values()]
        conditions = list(find_conditions(reports))
        if self._alarms is not None:
            self._alarms.update(conditions)
        self._tell_state()
        self._tell_lost()
        is_held = any(condition.kind == "recording_held" for condition in conditions)
        if is_held != self._is_held and all(report.status for report in reports if report.role is Role.BOOKKEEPER):
            self._is_held = is_held
            for child in self._children.values():
                if child.role is Role.RECORDER:
                    child.insist({"order": "hold", "is_held": is_held})

    def _tell_state(self) -> None:
        """The server answers with what it was told last; where it does not take it, the next one follows."""
        servers = [child for child in self._children.values() if child.role is Role.SERVER and child.process_id is not None]
        if servers:
            state = node_state(self, started_us=self._started_us, at_us=self._clock.wall_us())
            for child in servers:
                child.tell({"order": "node", "state": state}, timeout_s=0.0)

    def _tell_lost(self) -> None:
        """The caretaker looks for cameras that nothing comes from; told twice a second, so that one who missed it hears the next."""
        caretakers = [child for child in self._children.values() if child.role is Role.CARETAKER and child.process_id is not None]
        if caretakers:
            reports = {camera.name: self.recording(camera.name) for camera in self._settings.camera}
            lost = [name for name, report in reports.items() if report.get("cause") in LOST_CAUSES]
            for child in caretakers:
                child.tell({"order": "lost", "cameras": lost}, timeout_s=0.0)

    def _report(self, child: Child, now_s: float) -> ChildReport:
        recent = sum(now_s - death_s < DEATHS_WITHIN_S for death_s in self._deaths[child.name])
        return ChildReport(child.name, child.role, child.status, recent, child.failure or child.reason, child.silent_s)

    def _revive_bookkeeper(self) -> None:
        """Have one to apply the last records, also where it died just now and would start later."""
        for child in self._children.values():
            if child.role is Role.BOOKKEEPER and self._lock_descriptor >= 0:
                if child.has_died():
                    self._note_death(child)
                if child.process_id is None and child.deaths:
                    child.start_again()

    def _end(self, role: Role, patience_s: float) -> None:
        children = [child for child in self._children.values() if child.role is role]
        for child in children:
            child.begin_end()
        end_s = self._clock.monotonic_s() + patience_s
        for child in children:
            child.end(end_s - self._clock.monotonic_s())

    def _without_password(self, camera: str, error: LamppostError) -> None:
        self._log.error("a camera goes without its password", camera=camera, problem=error.problem, remedy=error.remedy)

    def _act(self, kind: str, detail: dict[str, Any]) -> None:
        if self._journal is None:
            return
        now_us = self._clock.wall_us()
        act = Act(act_id=timed_id(now_us), kind=kind, wall_us=now_us, actor=ACTOR, subject="node", detail=json.dumps(detail))
        try:
            self._journal.append(act)
        except StoreError as error:
            # A full disk must keep neither the dead from being started anew nor the living from being ended.
            self._log.error("the journal cannot take an act", kind=kind, problem=str(error))


def _without_secrets(camera: CameraSettings) -> CameraSettings:
    """What the server may know of a camera: it talks to people, and to no camera."""
    urls = {"url": parse_locator(camera.url).shown, "sub_url": parse_locator(camera.sub_url).shown if camera.sub_url else None}
    return camera.model_copy(update=urls | {"username": None, "password": None, "password_file": None, "credential": None})
