"""Answers are counted by how long they took to begin, so that slowness shows in the metrics."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from lamppost.api.access_log import AccessLog
from lamppost.api.answer_times import BOUNDS_S, AnswerTimes
from lamppost.base.clock import ManualClock


@given(st.lists(st.floats(min_value=0, max_value=60)))
def test_every_answer_is_in_the_class_of_the_first_bound_that_it_keeps(times_s: list[float]) -> None:
    times = AnswerTimes()
    for took_s in times_s:
        times.note(took_s)
    told = times.figures()
    assert sum(told["counts"]) == len(times_s)
    for index, bound_s in enumerate(told["bounds_s"]):
        assert sum(told["counts"][: index + 1]) == sum(took_s <= bound_s for took_s in times_s)
    assert abs(told["sum_s"] - sum(times_s)) < 1e-5
    assert len(told["counts"]) == len(BOUNDS_S) + 1


def test_what_is_timed_is_the_way_to_the_first_word_and_no_websocket() -> None:
    clock = ManualClock()

    async def slow(scope: dict[str, Any], receive: Callable[[], Awaitable[Any]], send: Callable[[Any], Awaitable[None]]) -> None:
        if scope["type"] == "websocket":
            await receive()
            await send({"type": "websocket.accept"})
            clock.advance(100.0)
            await send({"type": "websocket.close"})
            return
        clock.advance(0.3)
        await send({"type": "http.response.start", "status": 200, "headers": []})
        clock.advance(100.0)
        await send({"type": "http.response.body", "body": b"a long clip"})

    gate = AccessLog(slow, clock)
    client = TestClient(gate)
    assert client.get("/api/v1/x").status_code == 200
    with client.websocket_connect("/api/v1/x"):
        pass
    told = gate.times.figures()
    assert told["sum_s"] == 0.3
    assert sum(told["counts"]) == 1
    assert gate.answered == {"2xx": 1, "1xx": 1}
