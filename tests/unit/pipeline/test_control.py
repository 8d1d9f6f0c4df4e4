"""Orders arrive whole or not at all; a status never waits; death is heard."""

from __future__ import annotations

import os
import socket
import threading
from collections.abc import Iterator

import pytest

from lamppost.pipeline.control import ControlChannel

PATIENCE_S = 5.0


@pytest.fixture
def ends() -> Iterator[tuple[ControlChannel, ControlChannel]]:
    supervisor, raw = ControlChannel.pair()
    child = ControlChannel(raw)
    yield supervisor, child
    supervisor.close()
    child.close()


def test_messages_keep_their_borders(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    bodies = [{"order": "a"}, {"order": "b", "text": "x" * 50_000}, {"order": "ç"}]
    for body in bodies:
        assert supervisor.send_whole(body)
    received = [child.receive(PATIENCE_S) for _ in bodies]
    assert [message.body for message in received if message] == bodies


def test_descriptors_arrive_and_are_the_same_file(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    near, far = socket.socketpair()
    with near, far:
        assert supervisor.send_whole({"order": "feed"}, (far.fileno(),))
        message = child.receive(PATIENCE_S)
        assert message is not None
        assert len(message.descriptors) == 1
        with socket.socket(fileno=message.descriptors[0]) as arrived:
            arrived.sendall(b"through")
        assert near.recv(7) == b"through"


def test_the_death_of_either_side_reads_as_none(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    child.send({"last": "word"})
    child.close()
    last = supervisor.receive(PATIENCE_S)
    assert last is not None
    assert last.body == {"last": "word"}
    assert supervisor.receive(PATIENCE_S) is None
    assert supervisor.send_whole({"order": "stop"}, timeout_s=0.1) is False
    assert supervisor.send({"status": 1}) is False


def test_last_words_are_heard_from_one_that_died_with_orders_unread(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    supervisor.send_whole({"order": "stop"})
    child.send({"first": 1})
    child.send({"last": 2})
    child.close()
    assert [message and message.body for message in (supervisor.receive(PATIENCE_S) for _ in range(3))] == [{"first": 1}, {"last": 2}, None]


def test_a_closed_channel_takes_no_order(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, _ = ends
    supervisor.close()
    assert supervisor.send_whole({"order": "stop"}, timeout_s=0.1) is False
    with pytest.raises(OSError, match="closed"):
        supervisor.receive(0.1)


def _fill(channel: ControlChannel) -> int:
    sent = 0
    while channel.send({"fill": "x" * 10_000}):
        sent += 1
        assert sent < 10_000, "the channel never fills"
    return sent


def test_a_full_channel_drops_a_status_and_refuses_an_order(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    sent = _fill(child)
    assert child.send({"status": "too much"}) is False
    # An order is not dropped unnoticed: the sender learns that it did not arrive.
    assert child.send_whole({"order": "late"}, timeout_s=0.0) is False
    for _ in range(sent):
        message = supervisor.receive(PATIENCE_S)
        assert message is not None
        assert "fill" in message.body
    with pytest.raises(TimeoutError):
        supervisor.receive(0.0)


def test_an_order_waits_for_room(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    sent = _fill(child)
    is_sent: list[bool] = []
    sender = threading.Thread(target=lambda: is_sent.append(child.send_whole({"order": "waits"}, timeout_s=PATIENCE_S)))
    sender.start()
    bodies = [message.body for _ in range(sent + 1) if (message := supervisor.receive(PATIENCE_S))]
    sender.join(PATIENCE_S)
    assert is_sent == [True]
    assert bodies[-1] == {"order": "waits"}


def test_silence_is_a_timeout(ends: tuple[ControlChannel, ControlChannel]) -> None:
    _, child = ends
    with pytest.raises(TimeoutError):
        child.receive(0.0)


def test_an_order_s_patience_is_not_the_listener_s(ends: tuple[ControlChannel, ControlChannel]) -> None:
    supervisor, child = ends
    # One thread listens for ever while another sends with a time-out: the listener must stay without one.
    supervisor.send_whole({"order": "stop"}, timeout_s=0.01)
    assert os.get_blocking(supervisor._end.fileno())
    assert child.receive(0.0) is not None
    with pytest.raises(TimeoutError):
        child.receive(0.0)
    assert os.get_blocking(child._end.fileno())
