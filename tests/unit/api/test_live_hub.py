"""Everybody who watches gets what the analyst publishes, byte for byte, from a keyframe on; who is slow keeps nobody waiting."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.api.fragment_stream import FragmentStream, LiveInit, LivePiece, StreamMalformed
from lamppost.api.live_hub import LiveHub
from lamppost.api.viewer import WAITING_PIECES, Viewer
from lamppost.base.clock import SystemClock
from lamppost.base.loop import Loop
from lamppost.model.layout import DataFolder
from lamppost.pipeline.live import LivePublisher
from lamppost.record.live import LiveMuxer
from masked_street import masked_packets
from served_node import ServedNode

PARAMETERS, PACKETS = masked_packets(40)


def published() -> tuple[bytes, list[bytes]]:
    """The init and the fragments, as an analyst makes them."""
    muxer = LiveMuxer(PARAMETERS, PACKETS[0])
    return muxer.init, [muxer.take(packet).data for packet in PACKETS]


INIT, FRAGMENTS = published()


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(1, 4000), min_size=1, max_size=60))
def test_a_stream_is_cut_at_the_same_places_however_it_comes(sizes: list[int]) -> None:
    stream, whole = FragmentStream(), INIT + b"".join(FRAGMENTS)
    units: list[LiveInit | LivePiece] = []
    at = 0
    for index in range(len(whole)):
        size = sizes[index % len(sizes)]
        units += stream.take(whole[at : at + size])
        at += size
        if at >= len(whole):
            break
    assert [unit.data for unit in units] == [INIT, *FRAGMENTS]
    first = units[0]
    assert isinstance(first, LiveInit)
    assert first.codec.startswith("avc1.")
    assert (first.width_px, first.height_px) == (PARAMETERS.width_px, PARAMETERS.height_px)
    pieces = [unit for unit in units if isinstance(unit, LivePiece)]
    assert [piece.is_keyframe for piece in pieces] == [packet.is_keyframe for packet in PACKETS]
    assert all(abs(piece.wall_us - packet.wall_us) <= 1 for piece, packet in zip(pieces, PACKETS, strict=True))


@pytest.mark.parametrize("rubbish", [b"\0" * 64, b"\xff" * 64, b"\0\0\0\x10mdat" + b"x" * 8])
def test_what_no_analyst_sends_is_refused(rubbish: bytes) -> None:
    with pytest.raises(StreamMalformed):
        FragmentStream().take(rubbish)


def pieces() -> list[LivePiece]:
    return [unit for unit in FragmentStream().take(INIT + b"".join(FRAGMENTS)) if isinstance(unit, LivePiece)]


def test_who_is_too_slow_goes_on_at_a_keyframe_and_is_told() -> None:
    init = FragmentStream().take(INIT)[0]
    assert isinstance(init, LiveInit)
    viewer, shown = Viewer(), pieces()
    key, other = shown[0], next(piece for piece in shown if not piece.is_keyframe)
    viewer.begin(init, 1)
    viewer.offer(key)
    for _ in range(WAITING_PIECES + 5):
        viewer.offer(other)
    viewer.offer(key)
    viewer.offer(other)

    async def drain() -> list[Any]:
        return [await viewer.next() for _ in range(5)]

    words = asyncio.run(asyncio.wait_for(drain(), 5))
    assert words[0]["type"] == "init"
    assert words[1] == INIT, "the init is never left out"
    told = next(word for word in words if isinstance(word, dict) and word["type"] == "dropped")
    assert told["fragments"] == viewer.dropped > 0
    after = [word for word in words[2:] if isinstance(word, bytes)]
    assert after == [key.data, other.data]


class Analyst:
    """A real publisher, in a thread of its own."""

    def __init__(self, folder: DataFolder) -> None:
        clock = SystemClock()
        self.loop = Loop(clock, tick_s=0.01)
        self.live = LivePublisher("plaza", folder, self.loop, clock)
        self.live.open()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._turn, daemon=True)
        self._thread.start()

    def publish(self, count: int = len(PACKETS)) -> None:
        for packet in PACKETS[:count]:
            self.live.publish(packet, PARAMETERS)

    def _turn(self) -> None:
        while not self._stop.is_set():
            self.loop.step()

    def close(self) -> None:
        self.live.close()
        self._stop.set()
        self.loop.post(lambda: None)
        self._thread.join(10)
        for _ in range(6):  # what was posted is done here, so that every socket is closed
            self.loop.post(lambda: None)
            self.loop.step()
        self.loop.close()


@contextmanager
def analyst(folder: DataFolder) -> Iterator[Analyst]:
    made = Analyst(folder)
    try:
        yield made
    finally:
        made.close()


async def take(viewer: Viewer, count: int) -> list[Any]:
    return [await asyncio.wait_for(viewer.next(), 10) for _ in range(count)]


async def until_init(viewer: Viewer) -> dict[str, Any]:
    while True:
        word = (await take(viewer, 1))[0]
        if isinstance(word, dict) and word["type"] == "init":
            return word


def test_many_watch_one_encode_and_all_see_the_same(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    async def watch() -> None:
        hub = LiveHub(folder, SystemClock())
        with analyst(folder) as made, hub.watch("plaza") as first:
            await until_waiting(made)
            made.publish(1)
            assert (await until_init(first))["codec"].startswith("avc1.")
            assert await take(first, 2) == [INIT, FRAGMENTS[0]]
            assert made.live.subscribers == 1
            with hub.watch("plaza") as second:
                assert (await until_init(second))["run"] == 1
                assert await take(second, 2) == [INIT, FRAGMENTS[0]], "who comes later begins with the keyframe that is held"
                assert made.live.subscribers == 1, "one connection, however many watch"
                assert hub.figures()["live_viewers"] == 2
        await hub.close()

    asyncio.run(watch())


def test_when_a_run_ends_it_is_told_and_the_next_begins_with_an_init(tmp_path: Path) -> None:
    folder = DataFolder(tmp_path)

    async def watch() -> None:
        hub = LiveHub(folder, SystemClock())
        with analyst(folder) as made, hub.watch("plaza") as viewer:
            await until_waiting(made)
            made.publish(3)
            await until_init(viewer)
            await take(viewer, 4)
            made.live.end()
            assert (await take(viewer, 1))[0] == {"type": "end"}
            await until_waiting(made)
            made.publish(1)
            assert (await until_init(viewer))["run"] == 2
        await hub.close()

    asyncio.run(watch())


async def until_waiting(made: Analyst) -> None:
    """Until the hub has connected: what is published before is not its to see."""
    async with asyncio.timeout(10):
        while not made.live.subscribers:  # noqa: ASYNC110 - the publisher knows no event loop
            await asyncio.sleep(0)


def test_over_a_websocket_nothing_leaves_before_it_is_on_the_record(tmp_path: Path) -> None:
    served = ServedNode.make(tmp_path / "data")
    folder = served.context.folder
    with (
        analyst(folder) as made,
        served.client("viewer@camera:plaza") as client,
        client.websocket_connect("/api/v1/cameras/plaza/live") as socket,
    ):
        while not made.live.subscribers:
            pass
        journal = b"".join(path.read_bytes() for path in (folder.journal / "server").iterdir())
        assert b"live_viewed" in journal
        made.publish(2)
        words: list[Any] = []
        while len(words) < 4:
            message = socket.receive()
            word = json.loads(message["text"]) if message.get("text") else message["bytes"]
            if words or (isinstance(word, dict) and word["type"] == "init"):
                words.append(word)
        assert words[1:] == [INIT, *FRAGMENTS[:2]]
        still = client.get("/api/v1/cameras/plaza/still.jpg", params={"width": 80})
        assert still.status_code == 200
        assert still.content[:2] == b"\xff\xd8"
        socket.send({"type": "websocket.disconnect", "code": 1000, "reason": ""})
        while True:
            if socket.receive()["type"] == "websocket.close":
                break
    served.close()
