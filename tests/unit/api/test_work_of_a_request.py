"""No request makes more work than it may: counts, pictures, and those who take what they asked for too slowly."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest

from lamppost.api import counts, file_answers
from lamppost.api.file_answers import HeldAnswer
from lamppost.api.past import past_of
from lamppost.api.permit import API
from lamppost.base.clock import US_PER_S, format_utc
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, PlaceKind, Tally
from lamppost.model.tallies import tally_to_json
from lamppost.playback import turns
from lamppost.playback.turns import AT_ONCE, IN_LINE, TooManyPictures, Turns
from lamppost.store.counts import add_minute
from lamppost.store.index_file import open_engine
from lamppost.store.schema import CAMERAS
from served_node import ServedNode

MINUTE_US = 60 * US_PER_S
START_US = 1_700_000_040 * US_PER_S


@pytest.fixture
def counted(served: ServedNode) -> ServedNode:
    """Something was counted at a line: forward and backward are told."""
    engine = open_engine(served.context.folder.index, is_writer=True)
    with engine.begin() as connection:
        connection.execute(CAMERAS.insert().values(camera="plaza"))
        tallies = (tally_to_json(Tally(Measure.FORWARD, None, 3)),)
        add_minute(connection, MinuteCounted("m", "plaza", PlaceKind.LINE.value, "gate", START_US, 60_000, tallies))
    engine.dispose()
    return served


def ask(served: ServedNode, path: str, by: str, length_us: int) -> Any:
    span = {"from": format_utc(START_US), "to": format_utc(START_US + length_us)}
    return served.client("analyst@*").get(f"{API}/{path}", params=span | {"by": by, "camera": "plaza"})


@pytest.mark.parametrize(("by", "length_s"), [("minute", 60), ("quarter", 900), ("hour", 3600), ("day", 86_400)])
def test_counts_of_more_time_than_may_be_are_refused_before_they_are_read(
    counted: ServedNode, monkeypatch: pytest.MonkeyPatch, by: str, length_s: int
) -> None:
    monkeypatch.setattr(counts, "MOST_BUCKETS", 4)
    monkeypatch.setattr(counts, "MOST_ROWS_EACH", 8)
    assert ask(counted, "counts", by, 4 * length_s * US_PER_S).status_code == 200
    assert ask(counted, "counts.csv", by, 8 * length_s * US_PER_S).status_code == 200
    for path, most in (("counts", 4), ("counts.csv", 8)):
        refused = ask(counted, path, by, (most * length_s + 1) * US_PER_S)
        assert refused.status_code == 422
        assert refused.json()["type"] == "urn:lamppost:problem:interval"
        assert refused.json()["remedy"]


def test_a_year_of_minutes_is_no_answer(counted: ServedNode) -> None:
    for path in ("counts", "counts.csv"):
        assert ask(counted, path, "minute", 365 * 1440 * MINUTE_US).status_code == 422
    assert ask(counted, "counts.csv", "minute", 31 * 1440 * MINUTE_US).status_code == 200


def test_series_count_together(counted: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(counts, "MOST_COUNTS", 20)
    assert len(ask(counted, "counts", "minute", 10 * MINUTE_US).json()["series"]) == 2
    assert ask(counted, "counts", "minute", 11 * MINUTE_US).status_code == 422


def test_live_pictures_wait_in_the_line_of_all_others(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "AT_ONCE", 1)
    monkeypatch.setattr(turns, "IN_LINE", 0)
    broken = SimpleNamespace(newest=(SimpleNamespace(data=b""), SimpleNamespace(media=b"", wall_us=0)))
    monkeypatch.setattr(served.app.state.live, "feed", lambda _: broken)
    client = served.client("viewer@*")
    address = f"{API}/cameras/plaza/still.jpg"
    with past_of(served.context).thumbnails._turns.turn():
        refused = client.get(address)
    assert (refused.status_code, refused.headers["retry-after"]) == (429, "1")
    assert client.get(address).json()["type"] == "urn:lamppost:problem:no-picture", "it is their turn"


def test_so_many_pictures_are_made_at_once_and_so_many_wait() -> None:
    line, inside, go = Turns(), threading.Semaphore(0), threading.Event()
    made: list[int] = []

    def make() -> None:
        with line.turn():
            inside.release()
            assert go.wait(10)
            made.append(1)

    threads = [threading.Thread(target=make) for _ in range(AT_ONCE + IN_LINE)]
    for thread in threads:
        thread.start()
    for _ in range(AT_ONCE):
        assert inside.acquire(timeout=10)
    assert not inside.acquire(blocking=False), "the others wait"
    while line._line.acquire(blocking=False):  # until the last of them stands in the line
        line._line.release()
    with pytest.raises(TooManyPictures), line.turn():
        pass
    go.set()
    for thread in threads:
        thread.join(10)
    assert len(made) == AT_ONCE + IN_LINE


def test_who_stalls_keeps_nothing_open(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(file_answers, "STALL_S", 0.01)
    closed: list[bool] = []

    def blocks() -> Iterator[bytes]:
        while True:
            yield b"x" * 1000

    answer = HeldAnswer(blocks(), lambda: closed.append(True), media_type="video/mp4", headers={})
    taken: list[str] = []

    async def receive() -> Any:
        await asyncio.Event().wait()

    async def send(message: Any) -> None:
        taken.append(message["type"])
        if len(taken) > 3:
            await asyncio.Event().wait()

    scope = {"type": "http", "asgi": {"spec_version": "2.3"}, "path": "/clip.mp4"}
    asyncio.run(asyncio.wait_for(answer(scope, receive, send), 10))
    assert closed == [True]
    assert len(taken) == 4


def test_a_clip_that_nobody_takes_frees_its_slot() -> None:
    from lamppost.playback.clip_slots import CLIPS_AT_ONCE, ClipSlots

    slots = ClipSlots()
    assert [slots.take(f"u{number}") for number in range(CLIPS_AT_ONCE + 1)] == [True] * CLIPS_AT_ONCE + [False]
    assert not slots.take("u0")
    slots.release("u0")
    slots.release("u0")
    assert slots.take("u9")
    assert not slots.take("u0"), "releasing twice frees one"
