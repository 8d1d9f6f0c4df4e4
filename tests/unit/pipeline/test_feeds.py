"""A feed reaches its camera whether it comes before it or after; none is left open."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from lamppost.pipeline.control import Message
from lamppost.pipeline.feeds import FeedDesk


class Line:
    """Both ends of a feed; `order` hands one over as the supervisor would."""

    def __init__(self) -> None:
        self.near, far = socket.socketpair()
        self.near.setblocking(False)
        self._far = far.detach()

    def order(self, camera: str = "gate") -> Message:
        return Message({"order": "feed", "camera": camera}, (self._far,))

    @property
    def is_closed(self) -> bool:
        try:
            return self.near.recv(1) == b""
        except BlockingIOError:
            return False


@pytest.fixture
def taken() -> Iterator[list[socket.socket]]:
    ends: list[socket.socket] = []
    yield ends
    for end in ends:
        end.close()


def _lines(count: int) -> list[Line]:
    return [Line() for _ in range(count)]


def test_an_early_feed_is_kept_for_its_camera(taken: list[socket.socket]) -> None:
    desk, line = FeedDesk(), Line()
    with line.near:
        desk.take_message(line.order("gate"))
        desk.register("plaza", taken.append)
        assert not taken
        desk.register("gate", taken.append)
        taken[0].sendall(b"!")
        assert line.near.recv(1) == b"!"


def test_a_newer_early_feed_replaces_and_closes_the_stale(taken: list[socket.socket]) -> None:
    desk, (old, new) = FeedDesk(), _lines(2)
    with old.near, new.near:
        desk.take_message(old.order())
        desk.take_message(new.order())
        assert old.is_closed
        desk.register("gate", taken.append)
        assert len(taken) == 1
        assert not new.is_closed


def test_feeds_come_in_the_order_they_were_given(taken: list[socket.socket]) -> None:
    desk, lines = FeedDesk(), _lines(3)
    with lines[0].near, lines[1].near, lines[2].near:
        desk.take_message(lines[0].order())
        desk.register("gate", taken.append)
        desk.take_message(lines[1].order())
        desk.take_message(lines[2].order())
        for number, end in enumerate(taken):
            end.sendall(bytes([number]))
        assert [line.near.recv(1) for line in lines] == [b"\0", b"\1", b"\2"]


def test_a_waiting_feed_is_handed_over_once(taken: list[socket.socket]) -> None:
    desk, line = FeedDesk(), Line()
    with line.near:
        desk.take_message(line.order())
        desk.register("gate", taken.append)
        desk.register("gate", taken.append)
        assert len(taken) == 1


def test_descriptors_of_an_unknown_order_are_closed(taken: list[socket.socket]) -> None:
    desk, line = FeedDesk(), Line()
    with line.near:
        desk.register("gate", taken.append)
        desk.take_message(Message({"order": "other", "camera": "gate"}, line.order().descriptors))
        assert line.is_closed
    assert not taken


def test_an_order_with_too_many_descriptors_is_refused_whole(taken: list[socket.socket]) -> None:
    desk, (first, second) = FeedDesk(), _lines(2)
    with first.near, second.near:
        desk.register("gate", taken.append)
        desk.take_message(Message({"order": "feed", "camera": "gate"}, first.order().descriptors + second.order().descriptors))
        assert first.is_closed
        assert second.is_closed
    assert not taken


def test_a_feed_of_a_camera_that_was_withdrawn_waits_for_its_return(taken: list[socket.socket]) -> None:
    desk, line = FeedDesk(), Line()
    with line.near:
        desk.register("gate", taken.append)
        desk.withdraw("gate")
        desk.take_message(line.order())
        assert not taken
        desk.register("gate", taken.append)
        assert len(taken) == 1
