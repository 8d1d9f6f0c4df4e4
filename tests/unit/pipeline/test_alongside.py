from __future__ import annotations

import itertools
import threading

import pytest

from lamppost.pipeline.alongside import Ahead, Behind, Meanwhile


def _workers() -> list[str]:
    """Threads of the classes under test that are still there; other tests' threads are none of ours."""
    return [thread.name for thread in threading.enumerate() if thread.name in ("ahead", "behind")]


def test_ahead_keeps_order_and_is_bounded() -> None:
    taken: list[int] = []
    source = (taken.append(number) or number for number in itertools.count())
    with Ahead(source, limit=3) as ahead:
        assert list(itertools.islice(ahead, 5)) == [0, 1, 2, 3, 4]
    assert len(taken) <= 5 + 3 + 2
    assert not _workers()


def test_ahead_passes_an_error_on_after_what_came_before_it() -> None:
    def source():
        yield 1
        raise ValueError("torn")

    got = []
    with Ahead(source()) as ahead, pytest.raises(ValueError, match="torn"):
        got.extend(ahead)
    assert not _workers()


def test_behind_does_everything_in_order() -> None:
    done: list[int] = []
    with Behind(done.append, limit=2) as behind:
        for number in range(50):
            behind.put(number)
        behind.finish()
        assert done == list(range(50))


def test_behind_passes_an_error_on_and_never_blocks() -> None:
    def fail(number: int) -> None:
        raise ValueError("disk full")

    with Behind(fail, limit=1) as behind:
        with pytest.raises(ValueError, match="disk full"):  # noqa: PT012  (which put it is depends on the threads)
            for number in range(100):
                behind.put(number)
        with pytest.raises(ValueError, match="disk full"):
            behind.finish()
    assert not _workers()


def test_behind_leaves_the_rest_undone_when_it_is_closed() -> None:
    gate, done = threading.Event(), []
    behind: Behind[int] = Behind(lambda number: (gate.wait(5), done.append(number)), limit=5)
    for number in range(5):
        behind.put(number)
    gate.set()
    behind.close()
    assert done == list(range(len(done)))


def test_meanwhile_makes_one_thing_for_all_who_ask() -> None:
    gate, made = threading.Event(), list[object]()

    def make() -> object:
        gate.wait(5)
        made.append(object())
        return made[0]

    meanwhile = Meanwhile(make)
    assert not made, "whoever started it goes on at once"
    gate.set()
    assert meanwhile.get() is meanwhile.get()
    assert len(made) == 1


def test_meanwhile_raises_what_went_wrong_to_whoever_asks() -> None:
    def fail() -> None:
        raise ValueError("no weights")

    meanwhile = Meanwhile(fail)
    for _ in range(2):
        with pytest.raises(ValueError, match="no weights"):
            meanwhile.get()
