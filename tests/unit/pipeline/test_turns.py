"""No more threads are in than there are seats, and nobody is overtaken."""

from __future__ import annotations

import threading

import pytest

from lamppost.pipeline.turns import Turns


@pytest.mark.parametrize("seats", [1, 2, 3])
def test_no_more_are_in_than_seats_and_all_get_one(seats: int) -> None:
    turns, mutex = Turns(seats), threading.Lock()
    inside, most, done = 0, 0, 0

    def work() -> None:
        nonlocal inside, most, done
        for _ in range(200):
            with turns:
                with mutex:
                    inside += 1
                    most = max(most, inside)
                with mutex:
                    inside -= 1
                    done += 1

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert done == 8 * 200
    assert most <= seats


def test_who_comes_again_at_once_does_not_overtake_one_that_waits() -> None:
    turns, order = Turns(1), list[str]()
    waiter = threading.Thread(target=lambda: turns.__enter__() or order.append("waiter") or turns.__exit__(None, None, None))
    with turns:
        waiter.start()
        while not turns._waiting:
            threading.Event().wait(0.001)
    with turns:
        order.append("again")
    waiter.join(10)
    assert order == ["waiter", "again"]


def test_a_seat_is_left_also_by_one_that_fails() -> None:
    turns = Turns(1)
    with pytest.raises(ValueError, match="x"), turns:
        raise ValueError("x")
    with turns:
        pass
