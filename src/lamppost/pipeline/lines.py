"""Work that waits for disks, done by a few threads: each camera's in order, never two at once.

The loop that receives must not wait. What it received goes into its camera's
line; how much waits there is bounded by whoever puts it in, who can ask.
"""

from __future__ import annotations

import queue
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

Work = Callable[[], None]

THREADS: Final = 4
_LINE_AT_ONCE: Final = 8  # then another line has its turn


class WorkThreads:
    """The threads, and what waits for them in all lines together.

    Work that raises is a bug: its line's `on_bug` is told in the thread where it
    happened, and the line goes on with what comes next.
    """

    def __init__(self, count: int = THREADS, name: str = "store") -> None:
        self._ready: queue.SimpleQueue[WorkLine | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._idle = threading.Condition(self._lock)
        self._waiting = 0
        self.waiting_bytes = 0
        self._threads = [threading.Thread(target=self._run, name=f"{name}-{number}", daemon=True) for number in range(1, count + 1)]
        for thread in self._threads:
            thread.start()

    def line(self, on_bug: Callable[[BaseException], None]) -> WorkLine:
        """A new line, empty."""
        return WorkLine(self, on_bug)

    def drain(self, timeout_s: float) -> bool:
        """Wait until nothing waits; false when it took longer than that."""
        with self._idle:
            return self._idle.wait_for(lambda: self._waiting == 0, timeout_s)

    def close(self) -> None:
        """End the threads when they have done what is in hand."""
        for _ in self._threads:
            self._ready.put(None)

    def put(self, line: WorkLine, work: Work, cost_bytes: int) -> None:
        """For `WorkLine.put`."""
        with self._lock:
            self._waiting += 1
            self.waiting_bytes += cost_bytes
            line.waiting_bytes += cost_bytes
            line.works.append((work, cost_bytes))
            if line.is_scheduled:
                return
            line.is_scheduled = True
        self._ready.put(line)

    def _run(self) -> None:
        while (line := self._ready.get()) is not None:
            for _ in range(_LINE_AT_ONCE):
                if not self._do_next(line):
                    break
            else:
                self._ready.put(line)

    def _do_next(self, line: WorkLine) -> bool:
        with self._lock:
            if not line.works:
                line.is_scheduled = False
                return False
            work, cost_bytes = line.works.popleft()
        try:
            work()
        except Exception as error:  # noqa: BLE001  (a bug with one camera must not end the recording of ninety-nine others)
            line.on_bug(error)
        finally:
            with self._idle:
                self._waiting -= 1
                self.waiting_bytes -= cost_bytes
                line.waiting_bytes -= cost_bytes
                if not self._waiting:
                    self._idle.notify_all()
        return True


class WorkLine:
    """One camera's work, in the order in which it was put."""

    def __init__(self, threads: WorkThreads, on_bug: Callable[[BaseException], None]) -> None:
        self._threads = threads
        self.on_bug = on_bug
        self.works: deque[tuple[Work, int]] = deque()
        self.waiting_bytes = 0
        self.is_scheduled = False

    def put(self, work: Work, cost_bytes: int = 0) -> None:
        """Have `work` done after what was put before; `cost_bytes` is the memory that it holds until then."""
        self._threads.put(self, work, cost_bytes)
