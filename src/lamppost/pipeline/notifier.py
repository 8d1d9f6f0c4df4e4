"""The notifier process: tells others of events, a thread for each carrier.

It reads the index and never writes it: what it did goes through its journal. It
may die at any moment; what was under way is offered again.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping
from dataclasses import dataclass
from random import Random
from typing import Any, Final

from lamppost.base.errors import StoreError
from lamppost.model.books import JournalRecord
from lamppost.model.carriers import NotifySettings
from lamppost.model.settings import Settings
from lamppost.notify.carrier import make_carrier
from lamppost.pipeline.bookkeeper import SettingsDesk
from lamppost.pipeline.child import ChildContext, open_journal, run_child, tend
from lamppost.pipeline.delivering import CarrierLine, DeliveryTools
from lamppost.store.journal import JournalWriter
from lamppost.store.outbox_view import OutboxTally, OutboxView, Settled, unapplied

COUNT_INTERVAL_S: Final = 2.0
LAST_NOTICES_S: Final = 0.4


@dataclass(frozen=True, slots=True)
class _Running:
    """A carrier as it was configured, and the thread that serves it."""

    settings: NotifySettings
    site: str
    line: CarrierLine
    thread: threading.Thread
    stop: threading.Event


class PostOffice:
    """The carriers of the configuration, as the settings have them now; all from one thread.

    Who is unchanged goes on untouched. One that changed begins anew when its thread has ended what it was sending.
    """

    def __init__(self, context: ChildContext, journal: JournalWriter) -> None:
        self._context = context
        self._clock = context.clock
        self._journal = journal
        self._settings = context.settings
        self._running: dict[str, _Running] = {}
        self._leaving: dict[str, _Running] = {}
        self._view: OutboxView | None = None
        self._view_lock = threading.Lock()
        self._journal_problem = ""
        self._tallies: Mapping[str, OutboxTally] = {}
        self._count_at_s = 0.0

    def adopt(self, settings: Settings) -> None:
        """Serve the carriers of `settings`."""
        self._settings = settings
        wanted = {carrier.name: carrier for carrier in settings.notify}
        for name, running in tuple(self._running.items()):
            if wanted.get(name) != running.settings or running.site != settings.site:
                running.stop.set()
                self._leaving[name] = self._running.pop(name)
        self._start_missing()

    def look(self) -> None:
        """Twice a second: settle who comes and goes, and tell the supervisor."""
        dead = [name for name, running in self._running.items() if not running.thread.is_alive()]
        if dead and not self._context.stop.is_set():
            raise RuntimeError(f"died of a bug: {', '.join(dead)}")
        self._leaving = {name: running for name, running in self._leaving.items() if running.thread.is_alive()}
        self._start_missing()
        self._count()
        carriers = {name: running.line.status() | _counts(self._tallies.get(name)) for name, running in self._running.items()}
        self._context.channel.send({"carriers": carriers, "journal_problem": self._journal_problem})

    def close(self) -> None:
        """End; what a carrier is sending just now has a moment for it, and is offered again where that is too short."""
        running = [*self._running.values(), *self._leaving.values()]
        for one in running:
            one.stop.set()
        end_s = self._clock.monotonic_s() + LAST_NOTICES_S
        for one in running:
            one.thread.join(max(0.0, end_s - self._clock.monotonic_s()))
        if self._view is not None and not any(one.thread.is_alive() for one in running):
            self._view.close()

    def _start_missing(self) -> None:
        for carrier in self._settings.notify:
            if carrier.name not in self._running and carrier.name not in self._leaving:
                self._running[carrier.name] = self._start(carrier)

    def _start(self, carrier: NotifySettings) -> _Running:
        stop = threading.Event()
        tools = DeliveryTools(self._outbox, self._unapplied, self._append, self._clock, self._context.folder.root, self._settings.site)
        line = CarrierLine(carrier, make_carrier(carrier), tools, random=Random(), stop=stop)  # noqa: S311 - jitter
        # A daemon: one that hangs in a library must not keep the process alive.
        thread = threading.Thread(target=line.run, name=f"carrier-{carrier.name}", daemon=True)
        thread.start()
        return _Running(carrier, self._settings.site, line, thread, stop)

    def _outbox(self) -> OutboxView:
        with self._view_lock:
            if self._view is None:
                self._view = OutboxView(self._context.folder)
            return self._view

    def _unapplied(self, carrier: str) -> dict[tuple[str, int], Settled]:
        return unapplied(self._context.folder, self._context.name).get(carrier, {})

    def _append(self, record: JournalRecord) -> None:
        try:
            self._journal.append(record)
        except StoreError as error:
            self._journal_problem = str(error)
            raise
        self._journal_problem = ""

    def _count(self) -> None:
        if self._clock.monotonic_s() < self._count_at_s:
            return
        self._count_at_s = self._clock.monotonic_s() + COUNT_INTERVAL_S
        try:
            self._tallies = self._outbox().tallies()
        except StoreError:
            return  # the carriers' threads tell of it


def _counts(tally: OutboxTally | None) -> dict[str, Any]:
    tally = tally or OutboxTally()
    return {"waiting": tally.waiting, "dead": tally.dead}


def work(context: ChildContext, desk: SettingsDesk) -> None:
    """Deliver until told to stop."""
    with open_journal(context, context.name) as journal:
        office = PostOffice(context, journal)
        office.adopt(context.settings)

        def look() -> None:
            settings = desk.collect()
            if settings is not None:
                office.adopt(settings)
            office.look()

        tend(context, journal, look)
        office.close()


if __name__ == "__main__":
    settings_desk = SettingsDesk()
    run_child(lambda context: work(context, settings_desk), settings_desk.take_message)
