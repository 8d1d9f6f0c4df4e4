"""Takes turns: of the many cameras of a process, only so many are worked on at once as there are cores.

A hundred threads that all want Python's interpreter lock keep even those waiting
that only move bytes, and each would hold its own pictures in memory meanwhile.
"""

from __future__ import annotations

import threading
from collections import deque
from types import TracebackType


class Turns:
    """A context manager that at most `seats` threads are in; who waits longest comes next.

    A seat is handed over, not left free: a thread that comes again at once
    cannot overtake those that wait.
    """

    def __init__(self, seats: int) -> None:
        self._free = seats
        self._waiting: deque[threading.Lock] = deque()  # at most one for each thread
        self._mutex = threading.Lock()

    def __enter__(self) -> None:
        with self._mutex:
            if self._free:
                self._free -= 1
                return
            turn = threading.Lock()
            turn.acquire()
            self._waiting.append(turn)
        turn.acquire()

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._free += 1
