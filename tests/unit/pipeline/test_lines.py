"""A camera's work is done in order and never twice at once, by few threads, and a bug with one keeps nobody else."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.pipeline.lines import WorkThreads

PATIENCE_S = 10.0


@pytest.fixture
def threads() -> Iterator[WorkThreads]:
    threads = WorkThreads(3)
    yield threads
    threads.close()


@given(st.lists(st.integers(min_value=0, max_value=4), max_size=60))
def test_each_line_keeps_its_order_and_none_runs_twice_at_once(puts: list[int]) -> None:
    threads = WorkThreads(3)
    lines = [threads.line(lambda _: None) for _ in range(5)]
    done: list[list[int]] = [[] for _ in lines]
    busy, overlaps = [0] * 5, list[int]()

    def work(line: int, number: int) -> None:
        busy[line] += 1
        overlaps.extend([line] * (busy[line] > 1))
        done[line].append(number)
        busy[line] -= 1

    for number, line in enumerate(puts):
        lines[line].put(lambda line=line, number=number: work(line, number), cost_bytes=7)
    assert threads.drain(PATIENCE_S)
    threads.close()
    assert overlaps == []
    assert done == [[number for number, line in enumerate(puts) if line == which] for which in range(5)]
    assert threads.waiting_bytes == 0


def test_a_slow_line_holds_up_nobody_and_what_waits_is_counted(threads: WorkThreads) -> None:
    gate, fast_done = threading.Event(), threading.Event()
    slow, fast = threads.line(lambda _: None), threads.line(lambda _: None)
    slow.put(lambda: gate.wait(PATIENCE_S) and None, cost_bytes=100)
    slow.put(lambda: None, cost_bytes=10)
    fast.put(fast_done.set)
    assert fast_done.wait(PATIENCE_S)
    assert slow.waiting_bytes == threads.waiting_bytes == 110
    assert not threads.drain(0.0)
    gate.set()
    assert threads.drain(PATIENCE_S)
    assert slow.waiting_bytes == 0


def test_a_bug_is_told_to_its_line_and_what_comes_next_is_done(threads: WorkThreads) -> None:
    bugs: list[BaseException] = []
    done = threading.Event()

    def break_down() -> None:
        raise ZeroDivisionError

    line = threads.line(bugs.append)
    line.put(break_down, cost_bytes=5)
    line.put(done.set)
    assert threads.drain(PATIENCE_S)
    assert done.is_set()
    assert [type(bug) for bug in bugs] == [ZeroDivisionError]
    assert threads.waiting_bytes == 0
