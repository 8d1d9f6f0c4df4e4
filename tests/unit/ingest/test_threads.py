"""Sources that wait feed a loop in order, bounded, and end when nobody wants them any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator

import pytest

from lamppost.base.errors import CameraUnreachable, StreamEnded
from lamppost.ingest.stream import Counters, StreamFacts
from lamppost.ingest.threads import MOST_QUEUED, ThreadStream
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec
from scripted_camera import Viewer


class Source:
    """Numbers its units; says how far it got."""

    def __init__(self, units: int, closed: threading.Event) -> None:
        self.sent = 0
        self.is_closed = threading.Event()
        self._units = units
        self._stop = closed

    def facts(self) -> StreamFacts:
        return StreamFacts(Codec.H264)

    def units(self) -> Iterator[AccessUnit]:
        while self.sent < self._units and not self._stop.is_set():
            self.sent += 1
            yield AccessUnit(b"x", self.sent, None, 0, False, 0, 0.0)
        raise StreamEnded("at its end")

    def close(self) -> None:
        self.is_closed.set()


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    one = Viewer()
    yield one
    one.close()


def feed(viewer: Viewer, units: int) -> tuple[ThreadStream, list[Source]]:
    sources: list[Source] = []

    def open_source(closed: threading.Event) -> Source:
        sources.append(Source(units, closed))
        return sources[0]

    viewer.stream = stream = ThreadStream(viewer.loop, viewer, viewer.stop, open_source, "test")
    return stream, sources


def test_all_units_come_in_order_and_then_the_end(viewer: Viewer) -> None:
    stream, _ = feed(viewer, 1000)
    viewer.until(lambda: viewer.error)
    assert [unit.pts_90k for unit in viewer.got] == list(range(1, 1001))
    assert (viewer.calls[0], viewer.calls[-1], viewer.calls.count("ended")) == ("opened", "ended", 1)
    assert viewer.calls.count("units") < 1000
    assert stream.counters == Counters(1000, 1000)


@pytest.mark.parametrize("is_stopped", [False, True])
def test_a_loop_that_does_not_take_holds_the_thread_back(viewer: Viewer, is_stopped: bool) -> None:
    stream, sources = feed(viewer, 10_000)
    viewer.until(lambda: sources)
    viewer.until(lambda: viewer.got)
    before = len(viewer.got)
    (viewer.stop.set if is_stopped else stream.close)()
    assert sources[0].is_closed.wait(5)
    assert sources[0].sent <= before + 2 * MOST_QUEUED + 1
    viewer.loop.step()
    assert "ended" not in viewer.calls


def test_trouble_at_opening_is_told(viewer: Viewer) -> None:
    def fail(_closed: threading.Event) -> Source:
        raise CameraUnreachable("not there")

    viewer.stream = ThreadStream(viewer.loop, viewer, viewer.stop, fail, "test")
    viewer.until(lambda: viewer.error)
    assert viewer.calls == ["ended"]
