"""A signal that comes while a lock is held waits for nobody, and is not lost."""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator

import pytest

from lamppost.base.signals import on_signals


@pytest.fixture
def number() -> Iterator[int]:
    before = signal.getsignal(signal.SIGUSR1)
    yield signal.SIGUSR1
    signal.signal(signal.SIGUSR1, before)


@pytest.mark.timeout(20)
def test_what_takes_a_lock_that_the_interrupted_thread_holds_is_done_once_it_is_free(number: int) -> None:
    lock, done = threading.Lock(), threading.Semaphore(0)

    def then() -> None:
        with lock:
            done.release()

    on_signals(then, number)
    with lock:
        signal.raise_signal(number)
        signal.raise_signal(number)
    for _ in range(2):
        assert done.acquire(timeout=10)
