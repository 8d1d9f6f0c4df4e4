"""A connection that breaks in ways nobody thought of ends itself, and is tried again once."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import CameraRefused
from lamppost.base.loop import Loop
from lamppost.ingest.backoff import Backoff
from lamppost.ingest.stream import Counters, StreamFacts, StreamSink
from lamppost.model.media import Codec
from lamppost.model.networks import CameraNetworks
from lamppost.pipeline import connection as connecting
from lamppost.pipeline.connection import REVIVAL_PAUSE_S, ConnectionEvents, StreamConnection


class BrokenIntake:
    def __init__(self, facts: StreamFacts) -> None:
        pass

    def push(self, units: object) -> list[object]:
        raise ZeroDivisionError("push")

    def flush(self) -> list[object]:
        raise ZeroDivisionError("flush")


class BrokenStream:
    """A stream that cannot even be closed."""

    counters = Counters()

    def __init__(self, sink: StreamSink) -> None:
        self.sink = sink

    def close(self) -> None:
        raise ZeroDivisionError("close")


class Scene:
    def __init__(self) -> None:
        self.clock = ManualClock()
        self.loop = Loop(self.clock, tick_s=0.0)
        self.guards: list[Loop] = []
        self.streams: list[BrokenStream] = []
        self.bugs: list[str] = []
        events = ConnectionEvents(lambda: None, lambda _items: None, lambda _error: None, lambda error: self.bugs.append(str(error)))
        backoff = Backoff(random=Random(1))
        self.connection = StreamConnection(self._open, events, loop=self.loop, clock=self.clock, backoff=backoff)

    def _open(self, loop: Loop, sink: StreamSink) -> BrokenStream:
        self.guards.append(loop)
        self.streams.append(BrokenStream(sink))
        return self.streams[-1]

    def advance(self, seconds: float) -> None:
        self.clock.advance(seconds)
        self.loop.post(lambda: None)
        self.loop.step()


@pytest.fixture
def scene(monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    monkeypatch.setattr(connecting, "Intake", BrokenIntake)
    scene = Scene()
    yield scene
    scene.loop.close()


def test_what_cannot_even_be_closed_does_not_end_the_loop(scene: Scene) -> None:
    scene.connection.start()
    scene.streams[0].sink.opened(StreamFacts(Codec.H264))
    scene.guards[0].call_later(0.0, lambda: scene.streams[0].sink.units(()))
    scene.advance(0.1)
    assert scene.bugs == ["push", "close"]
    scene.advance(REVIVAL_PAUSE_S)
    assert len(scene.streams) == 2


def test_a_bug_at_the_end_is_told_and_not_raised(scene: Scene) -> None:
    scene.connection.start()
    scene.streams[0].sink.opened(StreamFacts(Codec.H264))
    scene.connection.stop()
    assert scene.bugs == ["close"]
    scene.advance(60)
    assert len(scene.streams) == 1


class LedStream(BrokenStream):
    """One that is connected to `peer`."""

    def __init__(self, sink: StreamSink, peer: str | None) -> None:
        super().__init__(sink)
        if peer is not None:
            self.peer = peer
        self.is_closed = False

    def close(self) -> None:
        self.is_closed = True


@pytest.mark.parametrize(
    ("peer", "is_let_go"),
    [("10.0.0.5", False), ("127.0.0.1", True), ("8.8.8.8", True), ("", True), (None, False)],  # None: a file, which is nowhere
)
def test_when_networks_change_only_what_lies_outside_is_let_go(scene: Scene, peer: str | None, is_let_go: bool) -> None:
    scene.streams = streams = [LedStream(None, peer) for _ in range(2)]  # type: ignore[arg-type]
    ready = iter(streams)
    scene.connection._open = lambda _loop, _sink: next(ready)
    scene.connection.start()
    assert scene.connection.judge_again(CameraNetworks()) == is_let_go
    assert [stream.is_closed for stream in streams] == [is_let_go, False]


def test_when_networks_change_whoever_was_refused_is_tried_at_once(scene: Scene) -> None:
    attempts: list[str] = []

    def refuse(_loop: Loop, _sink: StreamSink) -> BrokenStream:
        attempts.append("one")
        raise CameraRefused("not connected to")

    scene.connection._open = refuse
    scene.connection.start()
    assert not scene.connection.judge_again(CameraNetworks())
    assert len(attempts) == 2
    scene.connection.stop()
    assert not scene.connection.judge_again(CameraNetworks())
    assert len(attempts) == 2, "who is paused stays so"


def test_after_two_bugs_there_is_one_attempt(scene: Scene) -> None:
    scene.connection.start()
    for _ in range(2):
        scene.guards[0].call_later(0.0, lambda: scene.streams[0].close())
    scene.advance(0.1)
    scene.advance(REVIVAL_PAUSE_S)
    scene.advance(REVIVAL_PAUSE_S)
    assert len(scene.streams) == 2
