"""The caretaker process: looks after the devices behind the cameras, and finds one again whose address has changed.

Recording does not need it: it may die at any moment, and one that is new asks anew. It reads no video. What it learns goes into the
device book, what happened into its journal, and what is so just now to the supervisor, who raises alarms.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final, Protocol

from pydantic import ValidationError

from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.care_rota import CareCrew, Rota
from lamppost.pipeline.caretaker_tools import DeviceTools, open_tools
from lamppost.pipeline.caring import DeviceCare
from lamppost.pipeline.child import STATUS_INTERVAL_S, ChildContext, open_journal, parse_settings, run_child
from lamppost.pipeline.control import Message
from lamppost.pipeline.device_events import EventJournal
from lamppost.pipeline.finding_again import Finder, status_of
from lamppost.pipeline.recovering import recover
from lamppost.seal.notes import NoteSigner
from lamppost.store.journal import JournalWriter

TURN_S: Final = 0.1
SPREAD_S: Final = 10.0  # over which the first turns of many devices are spread; few begin at once
FEW: Final = 16
LAST_WORDS_S: Final = 0.3


class CareOrders:
    """Takes the supervisor's orders and keeps the newest of each kind until they are asked for."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._settings: Settings | None = None
        self._lost: frozenset[str] | None = None

    def take_message(self, message: Message) -> None:
        """From the control thread; settings that cannot be read change nothing."""
        for descriptor in message.descriptors:
            os.close(descriptor)
        match message.body.get("order"):
            case "lost":
                with self._mutex:
                    self._lost = frozenset(map(str, message.body.get("cameras", ())))
            case "settings":
                try:
                    settings = parse_settings(message.body.get("settings", {}))
                except ValidationError as error:
                    # Not the error's text: it quotes values, and one may be a password.
                    get_logger("caretaker").error("new settings cannot be read and change nothing", mistakes=error.error_count())
                    return
                with self._mutex:
                    self._settings = settings
            case _:
                pass

    def collect(self) -> tuple[Settings | None, frozenset[str] | None]:
        """The newest settings and the newest list of lost cameras since the last call, where any came."""
        with self._mutex:
            settings, self._settings = self._settings, None
            lost, self._lost = self._lost, None
        return settings, lost


class Tools(Protocol):
    """What the caretaker's work is done with."""

    def use(self, settings: Settings) -> None:
        """From now on by these settings."""
        ...

    def care_of(self, camera: CameraSettings) -> DeviceCare: ...
    def finder(self) -> Finder: ...
    def close(self) -> None: ...


class Caretaker:
    """The devices of the configuration, as the settings have them now; all from one thread."""

    def __init__(self, settings: Settings, tools: Tools, rota: Rota, crew: CareCrew, journal: EventJournal) -> None:
        self._tools = tools
        self._rota = rota
        self._crew = crew
        self._journal = journal
        self._random = Random()  # noqa: S311  # jitter, not secrecy
        self._cares: dict[str, DeviceCare] = {}
        self._finder = tools.finder()
        self._lost: frozenset[str] = frozenset()
        self._settings = settings
        self.adopt(settings)

    def adopt(self, settings: Settings) -> None:
        """Look after the devices of `settings`; those that are asked as before are not disturbed."""
        before, self._settings = self._settings, settings
        self._tools.use(settings)
        is_all_new = before.devices != settings.devices
        wanted = {camera.name: camera for camera in settings.camera if camera.has_device}
        for name, care in tuple(self._cares.items()):
            if is_all_new or name not in wanted or _asked_as(wanted[name]) != _asked_as(care.camera):
                self._rota.remove(name)
                care.close()
                del self._cares[name]
        self._crew.fit(len(wanted))
        new = [camera for name, camera in wanted.items() if name not in self._cares]
        for camera in new:
            care = self._cares[camera.name] = self._tools.care_of(camera)
            self._rota.add(camera.name, care.turn, self._random.uniform(0, SPREAD_S) if len(new) > FEW else 0.0)
        self._find()

    def note_lost(self, lost: frozenset[str]) -> None:
        """From these cameras nothing comes; who came back is asked who it is."""
        for name in self._lost - lost:
            if (care := self._cares.get(name)) is not None:
                care.meet_again()
                self._rota.hurry(name)
        self._lost = lost
        self._find()

    def turn(self) -> None:
        """Ten times a second."""
        self._crew.dispatch()
        self._finder.look()

    def status(self) -> dict[str, Any]:
        """What the supervisor is told."""
        reports = {name: care.report for name, care in self._cares.items()}
        search = status_of(self._finder)
        figures = {
            "devices": len(reports),
            "reachable": sum(report.is_reachable is True for report in reports.values()),
            "busy": self._crew.busy,
            "late_s": round(self._rota.late_s(), 1),
            "bugs": self._crew.bugs,
            "left_out": self._journal.left_out,
        } | {key: sum(getattr(report, key) for report in reports.values()) for key in ("events", "suppressed", "dropped", "audits")}
        return {
            "cameras": {name: report.to_json() for name, report in reports.items()},
            "figures": figures | {"searches": search["searches"], "found": search["found"]},
            "troubles": _troubles(reports, search["troubles"]),
            "journal_problem": self._journal.problem,
        }

    def close(self) -> None:
        """End; who is being asked just now is not waited for."""
        for name, care in self._cares.items():
            self._rota.remove(name)
            care.close()
        self._crew.close(LAST_WORDS_S)
        self._journal.write_pending()

    def _find(self) -> None:
        self._finder.use([care.camera for name, care in self._cares.items() if name in self._lost])


def _asked_as(camera: CameraSettings) -> Sequence[object]:
    """What the care of a device depends on: another schedule or preset begins nothing anew."""
    return (
        camera.url,
        camera.sub_url,
        camera.device_url,
        camera.username,
        camera.password,
        camera.credential,
        camera.device_certificate_sha256,
    )


def _troubles(reports: Mapping[str, Any], found: Mapping[str, Mapping[str, str]]) -> dict[str, list[dict[str, str]]]:
    """By camera, what somebody must look at."""
    troubles: dict[str, list[dict[str, str]]] = {}
    for name, report in reports.items():
        if report.stranger:
            troubles.setdefault(name, []).append({"kind": "device_exchanged", "problem": report.problem})
    for name, trouble in found.items():
        troubles.setdefault(name, []).append(dict(trouble))
    return troubles


def tend(context: ChildContext, journal: JournalWriter, caretaker: Caretaker, orders: CareOrders) -> None:
    """Until told to stop."""
    told, report_at_s = "", 0.0
    while not context.clock.wait(context.stop, TURN_S):
        settings, lost = orders.collect()
        if settings is not None:
            caretaker.adopt(settings)
        if lost is not None:
            caretaker.note_lost(lost)
        caretaker.turn()
        if context.clock.monotonic_s() < report_at_s:
            continue
        report_at_s = context.clock.monotonic_s() + STATUS_INTERVAL_S
        try:
            journal.sync_if_due()
            told = ""
        except StoreError as error:
            if str(error) != told:
                get_logger("store").error("the journal cannot be synced", problem=str(error))
            told = str(error)
        status = caretaker.status()
        context.channel.send(status | {"journal_problem": told or status["journal_problem"]})


def work(context: ChildContext, orders: CareOrders) -> None:
    """Look after the devices until told to stop."""
    signer = NoteSigner.load(context.folder.keys / "recorder.key")
    with open_journal(context, context.name) as journal:
        # What an earlier life of it was told of devices, and did not see the end of, ends now.
        recover(context.folder, context.name, journal, sign=signer.sign, clock=context.clock)
        events = EventJournal(journal.append)
        tools: DeviceTools = open_tools(context, journal, events)
        try:
            rota = Rota(context.clock)
            caretaker = Caretaker(context.settings, tools, rota, CareCrew(rota), events)
            tend(context, journal, caretaker, orders)
            caretaker.close()
        finally:
            tools.close()


if __name__ == "__main__":
    from_supervisor = CareOrders()
    run_child(lambda context: work(context, from_supervisor), from_supervisor.take_message)
