"""Whose turn it is: devices are asked one after the other by few threads, and one that is slow holds up no other.

`Rota` knows when each device is due, and nothing of threads; `CareCrew` is the threads.
"""

from __future__ import annotations

import heapq
import queue
import threading
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.logging import get_logger, redact

THREADS: Final = 16  # at first
MOST_THREADS: Final = 96
DEVICES_A_THREAD: Final = 3  # who listens to a device waits for it in one second of three
AFTER_A_BUG_S: Final = 300.0

Turn = Callable[[], float]
"""Does what is due with one device; returns after how many seconds it wants to be called again."""


@dataclass(slots=True)
class _Place:
    """A device in the rota. `number` tells its entry in the heap from those before it, which are passed over."""

    turn: Turn
    due_s: float
    number: int
    is_running: bool = False
    is_hurried: bool = False


class Rota:
    """When which device is due; each is in at most one thread at a time. May be called from any thread."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._places: dict[str, _Place] = {}
        self._heap: list[tuple[float, int, str]] = []
        self._numbers = 0

    def __len__(self) -> int:
        return len(self._places)

    def add(self, name: str, turn: Turn, in_s: float = 0.0) -> None:
        """Have `turn` called in `in_s` seconds; in place of what went by this name, which may still be running and is not called again."""
        with self._mutex:
            self._places[name] = _Place(turn, 0.0, 0)
            self._put(name, self._clock.monotonic_s() + in_s)

    def remove(self, name: str) -> None:
        """Do not call it again."""
        with self._mutex:
            self._places.pop(name, None)

    def hurry(self, name: str) -> None:
        """Call it as soon as there is a thread; where it is running, once more right after."""
        with self._mutex:
            place = self._places.get(name)
            if place is None:
                return
            if place.is_running:
                place.is_hurried = True
            else:
                self._put(name, self._clock.monotonic_s())

    def take(self) -> tuple[str, Turn] | None:
        """Who has been due for longest, whose turn it now is; None where nobody is due. `give_back` it."""
        with self._mutex:
            while self._heap and self._heap[0][0] <= self._clock.monotonic_s():
                _, number, name = heapq.heappop(self._heap)
                place = self._places.get(name)
                if place is not None and place.number == number:
                    place.is_running = True
                    return name, place.turn
            return None

    def give_back(self, name: str, turn: Turn, again_in_s: float) -> None:
        """The turn is over; it is due again in so many seconds."""
        with self._mutex:
            place = self._places.get(name)
            if place is None or place.turn is not turn:
                return  # removed, or there is another in its place
            place.is_running = False
            in_s = 0.0 if place.is_hurried else max(0.0, again_in_s)
            place.is_hurried = False
            self._put(name, self._clock.monotonic_s() + in_s)

    def late_s(self) -> float:
        """For how long the one who waits longest has been due."""
        with self._mutex:
            waiting = [place.due_s for place in self._places.values() if not place.is_running]
        return max(0.0, self._clock.monotonic_s() - min(waiting, default=float("inf")))

    def _put(self, name: str, due_s: float) -> None:
        self._numbers += 1
        place = self._places[name]
        place.due_s, place.number = due_s, self._numbers
        heapq.heappush(self._heap, (due_s, self._numbers, name))
        if len(self._heap) > 4 * len(self._places) + 64:  # what was hurried or removed has left entries behind
            self._heap = [(each.due_s, each.number, key) for key, each in self._places.items() if not each.is_running]
            heapq.heapify(self._heap)


class CareCrew:
    """Threads that take turns, as many as the devices need. Daemons: one that waits for a device must not keep the process alive.

    `fit`, `dispatch` and `close` are called by one thread.
    """

    def __init__(self, rota: Rota, threads: int = THREADS) -> None:
        self._rota = rota
        self._orders: queue.SimpleQueue[tuple[str, Turn] | None] = queue.SimpleQueue()
        self._mutex = threading.Lock()
        self._busy = 0
        self._log = get_logger("caretaker")
        self.bugs = 0
        self._threads: list[threading.Thread] = []
        self._grow_to(threads)

    @property
    def busy(self) -> int:
        """How many threads are with a device."""
        return self._busy

    def fit(self, devices: int) -> None:
        """Be enough for so many devices; never fewer than before, since one who waits costs next to nothing."""
        self._grow_to(min(MOST_THREADS, devices // DEVICES_A_THREAD))

    def dispatch(self) -> None:
        """Hand out who is due, as long as a thread is free; call it often."""
        while self._busy < len(self._threads):
            taken = self._rota.take()
            if taken is None:
                return
            with self._mutex:
                self._busy += 1
            self._orders.put(taken)

    def close(self, patience_s: float) -> None:
        """Let the threads go when they are through, and wait so long for them at most, all together."""
        for _ in self._threads:
            self._orders.put(None)
        # Who is idle ends at once; a device that is slow is not waited for.
        for thread in self._threads:
            thread.join(patience_s / len(self._threads))

    def _grow_to(self, threads: int) -> None:
        for number in range(len(self._threads), threads):
            thread = threading.Thread(target=self._work, name=f"care-{number}", daemon=True)
            self._threads.append(thread)
            thread.start()

    def _work(self) -> None:
        while (order := self._orders.get()) is not None:
            name, turn = order
            again_in_s = AFTER_A_BUG_S
            try:
                again_in_s = turn()
            except Exception as error:  # noqa: BLE001  (a bug with one device must not end the care of all others)
                self.bugs += 1
                self._log.error("a bug ended a turn", camera=name, traceback=redact("".join(traceback.format_exception(error))))
            finally:
                with self._mutex:
                    self._busy -= 1
                self._rota.give_back(name, turn, again_in_s)
