"""The loop serves sockets, timers and other threads' calls, in its own thread."""

import functools
import socket
import threading

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.loop import Loop


@pytest.fixture
def loop():
    loop = Loop(ManualClock(), tick_s=0.0)
    yield loop
    loop.close()


def test_what_is_ready_is_served_until_it_is_unwatched(loop: Loop) -> None:
    near, far = socket.socketpair()
    with near, far:
        seen: list[bytes] = []
        loop.watch(near.fileno(), lambda: seen.append(near.recv(100)))
        far.send(b"one")
        loop.step()
        assert seen == [b"one"]
        loop.unwatch(near.fileno())
        loop.unwatch(near.fileno())
        far.send(b"two")
        loop.step()
        assert seen == [b"one"]


def test_a_watch_for_writing_can_become_one_for_reading(loop: Loop) -> None:
    near, far = socket.socketpair()
    with near, far:
        seen: list[str] = []
        loop.watch(near.fileno(), lambda: seen.append("write"), for_write=True)
        loop.step()
        loop.watch(near.fileno(), lambda: seen.append(near.recv(9).decode()))
        far.send(b"read")
        loop.step()
        assert seen == ["write", "read"]


def test_timers_run_in_the_order_of_their_time_and_not_when_cancelled() -> None:
    clock = ManualClock()
    loop = Loop(clock, tick_s=0.0)
    ran: list[str] = []
    loop.call_later(2.0, lambda: ran.append("late"))
    loop.call_later(1.0, lambda: ran.append("early"))
    loop.call_later(1.5, lambda: ran.append("never")).cancel()
    loop.post(lambda: None)
    loop.step()
    assert ran == []
    clock.advance(5.0)
    loop.post(lambda: None)
    loop.step()
    assert ran == ["early", "late"]
    loop.close()


def test_another_thread_wakes_it_and_stops_it() -> None:
    loop = Loop(SystemClock())
    stop = threading.Event()
    seen: list[str] = []

    def call() -> None:
        seen.append(threading.current_thread().name)
        loop.post(stop.set)

    thread = threading.Thread(target=loop.run, args=(stop,), name="served")
    thread.start()
    loop.post(call)
    thread.join(5)
    assert not thread.is_alive()
    assert seen == ["served"]
    loop.close()
    loop.post(call)  # too late, and harmless


def test_what_may_wait_runs_elsewhere_and_reports_back() -> None:
    loop = Loop(SystemClock())
    stop = threading.Event()
    seen: list[bool] = []
    here = threading.current_thread()

    def work() -> None:
        elsewhere = threading.current_thread() is not here

        def report() -> None:
            seen.append(elsewhere and threading.current_thread() is here)
            stop.set()

        loop.post(report)

    loop.in_thread(work)
    loop.run(stop)
    assert seen == [True]
    loop.close()


def test_what_waits_elsewhere_holds_up_no_end() -> None:
    loop, others = Loop(SystemClock()), set(threading.enumerate())  # a name that nobody resolves is waited for long after its test
    begun, release = threading.Event(), threading.Event()

    def wait() -> None:
        begun.set()
        release.wait(10)

    loop.in_thread(wait)
    assert begun.wait(5)
    (waiting,) = (thread for thread in set(threading.enumerate()) - others if thread.name.startswith("loop-"))
    loop.close()
    assert waiting.is_alive(), "the loop does not wait for it"
    assert waiting.daemon, "nor does the process"
    release.set()
    waiting.join(5)
    assert not waiting.is_alive()


@pytest.mark.parametrize(("sockets", "rest_ms"), [(1, 2), (5, 10), (30, 40)])
def test_it_rests_the_shorter_the_fewer_sockets_it_has(sockets: int, rest_ms: int, monkeypatch: pytest.MonkeyPatch) -> None:
    loop = Loop(ManualClock())
    rests: list[float] = []

    class Rest:
        def poll(self, timeout_ms: float) -> None:
            rests.append(timeout_ms)

    monkeypatch.setattr(loop, "_rest", Rest())
    pairs = [socket.socketpair() for _ in range(sockets)]
    for near, far in pairs:
        loop.watch(near.fileno(), functools.partial(near.recv, 1))
        far.send(b"x")
    loop.step()
    assert rests == [pytest.approx(rest_ms)]
    for near, far in pairs:
        near.close()
        far.close()
    loop.close()
