"""One carrier's deliveries: reads what is due in the outbox, offers it, and journals what became of it.

Delivered first, journalled then: a kill between the two has the notice offered
once more under the same id, and never lost. What is journalled and not in the
index yet is remembered, so that nothing is offered twice for that alone.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any, Final

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import CarrierDown, NoticeRefused, StoreError
from lamppost.base.logging import get_logger, redact
from lamppost.model.books import JournalRecord, NoticeBuried, NoticeDelivered, NoticeFailed
from lamppost.model.carriers import NotifySettings
from lamppost.notify.carrier import Carrier
from lamppost.notify.notice import notice_of
from lamppost.notify.pacing import Pace
from lamppost.store.outbox import NOTIFY_FAILING
from lamppost.store.outbox_view import FOR_GOOD, Delivery, OutboxView, Settled

IDLE_S: Final = 0.25
BATCH: Final = 50
MOST_UNAPPLIED: Final = 1000  # so many outcomes wait for the bookkeeper; then nothing more is offered
READY_INTERVAL_S: Final = 30.0
INDEX_PAUSE_S: Final = 1.0
STUCK_S: Final = 60.0  # one notice takes longer than this: the carrier counts as failing
_MOST_PROBLEM_CHARS: Final = 300


@dataclass(frozen=True, slots=True)
class DeliveryTools:
    """What all carriers share.

    `outbox` raises `StoreError` where there is no index yet; `unapplied` tells what was journalled of a carrier's deliveries
    and is not in the index yet; `site` is what documents say.
    """

    outbox: Callable[[], OutboxView]
    unapplied: Callable[[str], dict[tuple[str, int], Settled]]
    journal: Callable[[JournalRecord], None]
    clock: Clock
    root: Path
    site: str


class CarrierLine:
    """Everything that is due to one carrier, in its own thread: a slow one holds up no other."""

    def __init__(self, settings: NotifySettings, carrier: Carrier, tools: DeliveryTools, *, random: Random, stop: threading.Event) -> None:
        self._name = settings.name
        self._give_up_us = round(settings.give_up_h * 3600 * US_PER_S)
        self._carrier = carrier
        self._tools = tools
        self._clock = tools.clock
        self._stop = stop
        self._pace = Pace(random)
        self._unapplied: dict[tuple[str, int], Settled] = {}
        self._has_caught_up = False
        self._begun = (self._clock.wall_us(), self._clock.monotonic_s())
        self._closed_until_s = 0.0
        self._ready_at_s = 0.0
        self._failing_since_s: float | None = None
        self._is_unreachable = False
        self._busy_since_s: float | None = None
        self._told = ""
        self._problem = ""
        self._log = get_logger("notify").bind(carrier=self._name)
        self._delivered = self._failed = self._buried = 0

    def run(self) -> None:
        """Deliver until told to stop."""
        try:
            while not self._clock.wait(self._stop, self.turn()):
                pass
        finally:
            self._carrier.close()

    def turn(self) -> float:
        """Offer what is due, a batch at most; returns the seconds until the next turn."""
        pause_s = self._closed_until_s - self._clock.monotonic_s()
        if pause_s > 0:
            return pause_s
        try:
            due = self._due()
        except StoreError as error:
            self._tell(f"the outbox cannot be read: {error.problem}")
            return INDEX_PAUSE_S
        if not due:
            self._stay_ready()
            return IDLE_S
        for delivery in due:
            if self._stop.is_set() or not self._offer(delivery):
                break
        return 0.0

    def status(self) -> dict[str, Any]:
        """How it is; from any thread. `failing_s` is 0 while it does what it should."""
        now_s, busy_since_s, failing_since_s = self._clock.monotonic_s(), self._busy_since_s, self._failing_since_s
        failing_s = now_s - failing_since_s if failing_since_s is not None else 0.0
        problem = self._problem if failing_since_s is not None else ""
        if busy_since_s is not None and now_s - busy_since_s > STUCK_S:
            failing_s, problem = max(failing_s, now_s - busy_since_s), problem or "it neither takes nor refuses what it is given"
        counts = {"delivered": self._delivered, "failed": self._failed, "buried": self._buried}
        return counts | {"failing_s": failing_s, "problem": problem}

    def _due(self) -> Sequence[Delivery]:
        """What may be offered now, without what was settled and is only not in the index yet."""
        outbox = self._tools.outbox()
        if not self._has_caught_up:
            self._unapplied = self._tools.unapplied(self._name)
            self._has_caught_up = True
        known = self._unapplied
        page = outbox.due(self._name, self._now_us(), len(known) + BATCH)
        self._unapplied = {
            delivery.key: settled for delivery in page if (settled := known.get(delivery.key)) and settled.is_news_of(delivery)
        }
        limit = max(0, min(BATCH, MOST_UNAPPLIED - len(self._unapplied)))
        return [delivery for delivery in page if delivery.key not in self._unapplied][:limit]

    def _now_us(self) -> int:
        """UTC; where it was set back, as if it had not been: what was due stays due."""
        wall_us, monotonic_s = self._begun
        return max(self._clock.wall_us(), wall_us + round((self._clock.monotonic_s() - monotonic_s) * US_PER_S))

    def _moment_us(self, delivery: Delivery) -> int:
        """UTC for the books: nothing becomes of a delivery before it was made, whatever was done to the clock."""
        return max(self._clock.wall_us(), delivery.since_us)

    def _offer(self, delivery: Delivery) -> bool:
        """Offer one; false where the carrier needs a pause."""
        attempt = delivery.attempts + 1
        self._busy_since_s = self._clock.monotonic_s()
        try:
            self._carrier.send(notice_of(delivery, site=self._tools.site, root=self._tools.root))
        except NoticeRefused as error:
            self._fail(delivery, str(error))
            self._bury(delivery, attempt, str(error))
        except CarrierDown as error:
            return self._postpone(delivery, attempt, error)
        else:
            self._pace.succeed()
            self._failing_since_s, self._problem = None, ""
            self._delivered += 1
            self._ready_at_s = self._clock.monotonic_s() + READY_INTERVAL_S
            if self._told:
                self._log.info("delivers again")
                self._told = ""
            self._settle(delivery, NoticeDelivered(*delivery.key, self._name, attempt, self._moment_us(delivery)), FOR_GOOD)
        finally:
            self._busy_since_s = None
        return True

    def _postpone(self, delivery: Delivery, attempt: int, error: CarrierDown) -> bool:
        pause = self._pace.fail(delivery.key, attempt, is_about_all=error.is_about_all, retry_after_s=error.retry_after_s)
        self._failed += 1
        self._fail(delivery, str(error))
        now_us = self._now_us()
        next_us = now_us + round(pause.notice_s * US_PER_S)
        record = NoticeFailed(*delivery.key, self._name, attempt, self._moment_us(delivery), next_us, _line(str(error)))
        self._settle(delivery, record, attempt)
        self._closed_until_s = self._clock.monotonic_s() + pause.carrier_s
        for given_up in self._overdue(now_us):
            self._bury(given_up, attempt if given_up.key == delivery.key else given_up.attempts, f"given up: {error}")
        return pause.carrier_s <= 0

    def _overdue(self, now_us: int) -> Iterator[Delivery]:
        """Of those that nobody takes, those whose time is over."""
        try:
            page = self._tools.outbox().overdue(self._name, now_us - self._give_up_us, BATCH)
        except StoreError:
            return  # told with the next turn
        known = self._unapplied
        yield from (delivery for delivery in page if delivery.key not in known or known[delivery.key].attempts < FOR_GOOD)

    def _bury(self, delivery: Delivery, attempt: int, problem: str) -> None:
        self._buried += 1
        self._log.warning("a notice is a dead letter", notice=f"{delivery.event_id}-{delivery.sequence}", problem=_line(problem))
        self._settle(delivery, NoticeBuried(*delivery.key, self._name, attempt, self._moment_us(delivery), _line(problem)), FOR_GOOD)

    def _fail(self, delivery: Delivery | None, problem: str) -> None:
        self._tell(problem)
        # A failure to tell of a failure must not become an event of its own: there would be no end to it.
        if delivery is None or delivery.kind != NOTIFY_FAILING:
            self._problem = _line(problem)
            if self._failing_since_s is None:
                self._failing_since_s = self._clock.monotonic_s()

    def _tell(self, problem: str) -> None:
        if problem != self._told:
            self._log.warning("cannot deliver", problem=_line(problem))
        self._told = problem

    def _stay_ready(self) -> None:
        """While there is nothing to do, see now and then whether the carrier could do it."""
        if self._clock.monotonic_s() < self._ready_at_s:
            return
        self._ready_at_s = self._clock.monotonic_s() + READY_INTERVAL_S
        try:
            self._carrier.open()
        except CarrierDown as error:
            self._is_unreachable = True
            self._fail(None, str(error))
            pause = self._pace.fail(None, 1, is_about_all=True)
            self._closed_until_s = self._clock.monotonic_s() + pause.carrier_s
            self._ready_at_s = self._closed_until_s
            return
        if self._is_unreachable:
            self._is_unreachable, self._failing_since_s = False, None
            self._pace.succeed()

    def _settle(self, delivery: Delivery, record: JournalRecord, attempts: int) -> None:
        """Journal what became of it; while the disk refuses that, nothing more is offered."""
        self._unapplied[delivery.key] = Settled(self._moment_us(delivery), attempts)
        while True:
            try:
                self._tools.journal(record)
            except StoreError as error:
                self._tell(f"the journal cannot be written: {error.problem}")
                if self._clock.wait(self._stop, INDEX_PAUSE_S):
                    return  # it is offered again, under the same id
            else:
                return


def _line(problem: str) -> str:
    return redact(" ".join(problem.split()))[:_MOST_PROBLEM_CHARS]
