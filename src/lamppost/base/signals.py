"""Does what a signal asks for outside its handler, which must not wait for a lock that the interrupted thread may hold."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from queue import SimpleQueue
from types import FrameType


def on_signals(then: Callable[[], object], *numbers: int) -> None:
    """From now on call `then` after each of these signals, in a thread that is there for it alone; from the main thread.

    An event that is set in a handler hangs where the signal comes while the same event is being set or has just been waited for.
    A `SimpleQueue` may be put into at any moment.
    """
    told: SimpleQueue[None] = SimpleQueue()

    def tell(_number: int, _frame: FrameType | None) -> None:
        told.put(None)

    def listen() -> None:
        while True:
            told.get()
            then()

    threading.Thread(target=listen, name="signals", daemon=True).start()
    for number in numbers:
        signal.signal(number, tell)
