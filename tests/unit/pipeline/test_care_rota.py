"""Every device has its turn, one at a time each, and none waits for another that is slow."""

from __future__ import annotations

import threading

from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.pipeline.care_rota import AFTER_A_BUG_S, DEVICES_A_THREAD, MOST_THREADS, CareCrew, Rota

PATIENCE_S = 10.0


def never() -> float:
    raise AssertionError("it is not its turn")


def take_all(rota: Rota) -> list[str]:
    names: list[str] = []
    while (taken := rota.take()) is not None:
        names.append(taken[0])
    return names


def test_who_has_been_due_for_longest_comes_first_and_nobody_twice() -> None:
    clock = ManualClock()
    rota = Rota(clock)
    for name, in_s in (("late", 5.0), ("first", 1.0), ("second", 2.0)):
        rota.add(name, never, in_s)
    assert take_all(rota) == []
    clock.advance(3)
    assert take_all(rota) == ["first", "second"], "who has it is not taken again"
    rota.give_back("first", never, 10)
    clock.advance(3)
    assert take_all(rota) == ["late"]
    assert rota.late_s() == 0.0


def test_who_is_hurried_comes_at_once_also_when_it_is_under_way() -> None:
    rota = Rota(ManualClock())
    rota.add("gate", never, 100)
    rota.hurry("gate")
    assert take_all(rota) == ["gate"]
    rota.hurry("gate")
    assert take_all(rota) == []
    rota.give_back("gate", never, 100)
    assert take_all(rota) == ["gate"]
    rota.give_back("gate", never, 100)
    assert take_all(rota) == []
    rota.hurry("nobody")


def test_who_was_removed_or_replaced_is_not_called_again() -> None:
    rota = Rota(ManualClock())

    def old() -> float:
        return 0.0

    def new() -> float:
        return 0.0

    rota.add("gate", old)
    assert rota.take() == ("gate", old)
    rota.add("gate", new, 5)
    rota.give_back("gate", old, 0)
    assert rota.take() is None, "the old one's wish counts no more"
    rota.remove("gate")
    assert len(rota) == 0
    rota.give_back("gate", new, 0)
    assert rota.take() is None


@given(st.lists(st.tuples(st.sampled_from("abcd"), st.sampled_from(["add", "hurry", "remove", "take", "back", "wait"])), max_size=200))
def test_nobody_is_ever_in_two_hands(steps: list[tuple[str, str]]) -> None:
    clock = ManualClock()
    rota = Rota(clock)
    turns = {name: (lambda: 0.0) for name in "abcd"}
    held: set[str] = set()
    for name, step in steps:
        match step:
            case "add" if name not in held:
                rota.add(name, turns[name], 1.0)
            case "hurry":
                rota.hurry(name)
            case "remove" if name not in held:
                rota.remove(name)
            case "take":
                if (taken := rota.take()) is not None:
                    assert taken[0] not in held
                    held.add(taken[0])
            case "back" if name in held:
                held.discard(name)
                rota.give_back(name, turns[name], 2.0)
            case _:
                clock.advance(1.5)
    for name in held:
        rota.give_back(name, turns[name], 0.0)
    clock.advance(10)
    assert len(take_all(rota)) == len(rota), "and nobody is forgotten"


def test_a_slow_device_delays_no_other_and_a_bug_ends_one_turn() -> None:
    rota = Rota(SystemClock())
    slow, served = threading.Event(), threading.Event()
    counts = {"quick": 0}

    def crawl() -> float:
        slow.wait(PATIENCE_S)
        return 60.0

    def quick() -> float:
        counts["quick"] += 1
        if counts["quick"] == 5:
            served.set()
        return 0.0

    def broken() -> float:
        raise ZeroDivisionError("rtsp://op:kanarienvogel@192.0.2.1/")

    crew = CareCrew(rota, threads=2)
    rota.add("slow", crawl)
    rota.add("broken", broken, 0.0)
    rota.add("quick", quick)
    poll = threading.Event()
    while not served.is_set():
        crew.dispatch()
        poll.wait(0.002)
    assert crew.bugs == 1
    assert AFTER_A_BUG_S > 60
    slow.set()
    crew.close(PATIENCE_S)
    assert crew.busy == 0


def test_many_devices_that_wait_at_once_hold_up_none() -> None:
    rota, together = Rota(SystemClock()), threading.Barrier(30)

    def listen() -> float:
        together.wait(PATIENCE_S)  # raises where fewer come than there are
        return 60.0

    crew = CareCrew(rota, threads=2)
    try:
        crew.fit(30 * DEVICES_A_THREAD)
        for number in range(30):
            rota.add(f"{number}", listen)
        crew.dispatch()
        crew.fit(10_000)
        assert sum(thread.name.startswith("care-") for thread in threading.enumerate()) <= MOST_THREADS
    finally:
        crew.close(PATIENCE_S)
    assert (crew.bugs, crew.busy) == (0, 0)
