"""One thread that serves many sockets: nothing in it waits, and the sockets are looked at together.

A selector wakes for each packet; a hundred cameras would wake it thousands of
times a second. This loop looks at all of them every `tick_s` instead and takes
what has come since in one go, so that its cost grows with bytes and not with packets.
With few of them it looks more often: there is little to save, and a live picture waits for it.
"""

from __future__ import annotations

import contextlib
import heapq
import itertools
import os
import queue
import select
import threading
from collections import deque
from collections.abc import Callable
from typing import Final

from lamppost.base.clock import Clock

Callback = Callable[[], None]

TICK_S: Final = 0.04  # with many sockets
TICK_OF_EACH_S: Final = 0.002  # so that twenty make the whole tick
IDLE_S: Final = 0.25  # the longest sleep while nothing is watched
SCRATCH_BYTES: Final = 256 * 1024
THREADS: Final = 4  # for what cannot be had without waiting: names of hosts
_MOST_EVENTS: Final = 4096


class Timer:
    """A callback that is due at a monotonic time, until it is cancelled."""

    __slots__ = ("callback", "due_s")

    def __init__(self, due_s: float, callback: Callback) -> None:
        self.due_s = due_s
        self.callback: Callback | None = callback

    def cancel(self) -> None:
        """Forget it; does nothing when it has run."""
        self.callback = None


class Loop:
    """Sockets, timers and posted calls of one thread.

    Everything runs in the thread that called `run`, but `post`, which any thread
    may call. A callback that raises ends `run`: its owner translates errors.
    """

    def __init__(self, clock: Clock, *, tick_s: float = TICK_S) -> None:
        self._clock = clock
        self._tick_s = tick_s
        self._epoll = select.epoll()
        self._on_ready: dict[int, Callback] = {}
        self._timers: list[tuple[float, int, Timer]] = []
        self._order = itertools.count()
        self._posted: deque[Callback] = deque()
        self._wake_fd = os.eventfd(0, os.EFD_CLOEXEC | os.EFD_NONBLOCK)
        self._wake_lock = threading.Lock()
        self._epoll.register(self._wake_fd, select.EPOLLIN)
        # Between two ticks only other threads' calls are looked at.
        self._rest = select.poll()
        self._rest.register(self._wake_fd, select.POLLIN)
        self._works: queue.SimpleQueue[Callback | None] = queue.SimpleQueue()
        self._threads = 0
        # Room to receive into, shared by all callbacks: what is in it holds until the callback returns.
        self.scratch = memoryview(bytearray(SCRATCH_BYTES))

    def watch(self, descriptor: int, on_ready: Callback, *, for_write: bool = False) -> None:
        """Call `on_ready` when the descriptor can be read (or, with `for_write`, written); replaces an earlier watch."""
        events = select.EPOLLOUT if for_write else select.EPOLLIN
        if descriptor in self._on_ready:
            self._epoll.modify(descriptor, events)
        else:
            self._epoll.register(descriptor, events)
        self._on_ready[descriptor] = on_ready

    def unwatch(self, descriptor: int) -> None:
        """Look at it no more; call it before the descriptor is closed."""
        if self._on_ready.pop(descriptor, None) is not None:
            with contextlib.suppress(OSError):
                self._epoll.unregister(descriptor)

    def call_at(self, due_s: float, callback: Callback) -> Timer:
        """Call `callback` once the monotonic clock shows `due_s`."""
        timer = Timer(due_s, callback)
        heapq.heappush(self._timers, (due_s, next(self._order), timer))
        return timer

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        """Call `callback` after `delay_s`."""
        return self.call_at(self._clock.monotonic_s() + delay_s, callback)

    def post(self, callback: Callback) -> None:
        """From any thread: call `callback` soon."""
        self._posted.append(callback)
        with self._wake_lock:
            if self._wake_fd >= 0:
                os.eventfd_write(self._wake_fd, 1)

    def in_thread(self, work: Callback) -> None:
        """Run `work`, which may wait, in one of a few threads; it posts what it found, and translates what it raises.

        The process does not wait for it to end: a name server that does not answer must not hold up a stop.
        """
        self._works.put(work)
        if self._threads < THREADS:
            self._threads += 1
            threading.Thread(target=self._do_works, name=f"loop-{self._threads}", daemon=True).start()

    def run(self, stop: threading.Event) -> None:
        """Serve until `stop` is set; it is looked at several times a second, and at each `post`."""
        while not stop.is_set():
            self.step()

    def step(self) -> None:
        """One tick: what is ready, what was posted, what is due; then the rest of the tick is slept."""
        began_s = self._clock.monotonic_s()
        for descriptor, _events in self._epoll.poll(self._patience_s(began_s), _MOST_EVENTS):
            if descriptor == self._wake_fd:
                with contextlib.suppress(BlockingIOError):
                    os.eventfd_read(self._wake_fd)
                continue
            on_ready = self._on_ready.get(descriptor)  # one before it may have closed it
            if on_ready is not None:
                on_ready()
        for _ in range(len(self._posted)):
            self._posted.popleft()()
        self._run_due()
        tick_s = min(self._tick_s, TICK_OF_EACH_S * len(self._on_ready))
        left_s = began_s + tick_s - self._clock.monotonic_s()
        if left_s > 0 and self._on_ready and not self._posted:
            self._rest.poll(left_s * 1000)

    def close(self) -> None:
        """Let go of everything; sockets are their owners'."""
        with self._wake_lock:
            if self._wake_fd >= 0:
                self._epoll.close()
                os.close(self._wake_fd)
                self._wake_fd = -1
        for _ in range(self._threads):
            self._works.put(None)

    def _do_works(self) -> None:
        while (work := self._works.get()) is not None:
            work()

    def _patience_s(self, now_s: float) -> float:
        if self._posted:
            return 0.0
        while self._timers and self._timers[0][2].callback is None:
            heapq.heappop(self._timers)
        until_due_s = self._timers[0][0] - now_s if self._timers else IDLE_S
        return min(IDLE_S, max(0.0, until_due_s))

    def _run_due(self) -> None:
        now_s = self._clock.monotonic_s()
        while self._timers and self._timers[0][0] <= now_s:
            timer = heapq.heappop(self._timers)[2]
            callback, timer.callback = timer.callback, None
            if callback is not None:
                callback()


class GuardedLoop(Loop):
    """The part of a loop that one owner uses: its bugs end the owner's work, and not the others'.

    What a callback raises is given to `on_bug`, in the loop's thread.
    """

    def __init__(self, loop: Loop, on_bug: Callable[[BaseException], None]) -> None:
        self._loop = loop
        self._on_bug = on_bug
        self.scratch = loop.scratch

    def watch(self, descriptor: int, on_ready: Callback, *, for_write: bool = False) -> None:
        self._loop.watch(descriptor, self._guarded(on_ready), for_write=for_write)

    def unwatch(self, descriptor: int) -> None:
        self._loop.unwatch(descriptor)

    def call_at(self, due_s: float, callback: Callback) -> Timer:
        return self._loop.call_at(due_s, self._guarded(callback))

    def call_later(self, delay_s: float, callback: Callback) -> Timer:
        return self._loop.call_later(delay_s, self._guarded(callback))

    def post(self, callback: Callback) -> None:
        self._loop.post(self._guarded(callback))

    def in_thread(self, work: Callback) -> None:
        def report(error: BaseException) -> None:
            self._loop.post(lambda: self._on_bug(error))

        self._loop.in_thread(_guarded(work, report))

    def run(self, stop: threading.Event) -> None:
        raise RuntimeError("a guarded loop is run by the loop that it is a part of")

    def step(self) -> None:
        raise RuntimeError("a guarded loop is run by the loop that it is a part of")

    def close(self) -> None:
        """The loop goes on; only its owner closes it."""

    def _guarded(self, callback: Callback) -> Callback:
        return _guarded(callback, self._on_bug)


def _guarded(callback: Callback, on_bug: Callable[[BaseException], None]) -> Callback:
    def call() -> None:
        try:
            callback()
        except Exception as error:  # noqa: BLE001  (a bug with one camera must not end the recording of ninety-nine others)
            on_bug(error)

    return call
