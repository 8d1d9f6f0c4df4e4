"""A recorder never waits for an analyst, and an analyst is never lied to."""

from __future__ import annotations

import socket
import threading

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.media import Codec, Packet, RunStarted, StreamParameters
from lamppost.pipeline.feed import FeedItem, FeedWriter, PacketsDropped, read_feed

RUN = RunStarted(StreamParameters(Codec.H264, b"\0\0\0\1\x67sps", 640, 360, 6000))


def make_packet(number: int, *, size: int = 50, is_keyframe: bool = False) -> Packet:
    return Packet(
        data=number.to_bytes(4, "big") + bytes(size),
        pts_90k=number * 6000,
        dts_90k=number * 6000 - 3,
        duration_90k=6000,
        wall_us=1_700_000_000_000_000 + number,
        is_keyframe=is_keyframe,
        is_corrupt=number % 7 == 3,
    )


def drain(writer: FeedWriter, far: socket.socket) -> list[FeedItem]:
    """Close the writer's end and read all that it sent."""
    writer.detach()
    with far:
        return list(read_feed(far))


def number_of(packet: Packet) -> int:
    return int.from_bytes(packet.data[:4], "big")


def test_all_fields_arrive() -> None:
    near, far = socket.socketpair()
    writer = FeedWriter()
    writer.offer(near)
    writer.start_run(RUN)
    packets = [make_packet(number, is_keyframe=number % 5 == 0) for number in range(12)]
    for packet in packets:
        writer.send(packet)
    assert drain(writer, far) == [RUN, *packets]
    assert writer.dropped_packets == 0


def test_full_socket_drops_to_the_next_keyframe_and_counts() -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
    writer = FeedWriter()
    writer.offer(near)
    writer.start_run(RUN)
    for number in range(400):
        writer.send(make_packet(number, size=500, is_keyframe=number % 10 == 0))
    assert writer.dropped_packets > 0
    received: list[FeedItem] = []
    reader = threading.Thread(target=lambda: received.extend(read_feed(far)))
    reader.start()
    # As room comes back, packets follow from a keyframe on, after the count.
    number = 400
    while not any(isinstance(item, PacketsDropped) for item in list(received)) and number < 1_000_000:
        writer.send(make_packet(number, size=500, is_keyframe=number % 10 == 0))
        number += 1
    for last in range(number, number + 10):
        writer.send(make_packet(last, size=500, is_keyframe=last % 10 == 0))
    writer.detach()
    reader.join()
    far.close()
    check_honest(received)


def check_honest(items: list[FeedItem]) -> None:
    """After a count of dropped packets a keyframe follows, and the numbers add up."""
    expected: int | None = None
    dropped = 0
    for item in items:
        if isinstance(item, PacketsDropped):
            dropped = item.packets
        elif isinstance(item, Packet):
            if expected is not None:
                assert number_of(item) == expected + dropped
                assert item.is_keyframe or not dropped
            expected, dropped = number_of(item) + 1, 0


@settings(max_examples=60, deadline=None)
@given(
    sizes=st.lists(st.integers(0, 6000), min_size=5, max_size=120),
    reads=st.lists(st.integers(0, 60_000), min_size=1, max_size=40),
    gop=st.integers(1, 12),
)
def test_what_is_not_sent_is_counted(sizes: list[int], reads: list[int], gop: int) -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 4608)
    writer = FeedWriter()
    writer.offer(near)
    writer.start_run(RUN)
    received = bytearray()
    far.setblocking(False)
    for number, size in enumerate(sizes):
        writer.send(make_packet(number, size=size, is_keyframe=number % gop == 0))
        want = reads[number % len(reads)]
        while want > 0:
            try:
                chunk = far.recv(want)
            except BlockingIOError:
                break
            received += chunk
            want -= len(chunk)
    writer.detach()
    far.setblocking(True)
    while chunk := far.recv(1 << 16):
        received += chunk
    far.close()
    check_honest(parse(bytes(received)))


def parse(content: bytes) -> list[FeedItem]:
    near, far = socket.socketpair()

    def send() -> None:
        near.sendall(content)
        near.close()

    thread = threading.Thread(target=send)
    thread.start()
    with far:
        items = list(read_feed(far))
    thread.join()
    return items


def test_a_new_analyst_starts_at_a_keyframe_with_the_parameters() -> None:
    first_near, first_far = socket.socketpair()
    second_near, second_far = socket.socketpair()
    writer = FeedWriter()
    writer.offer(first_near)
    writer.start_run(RUN)
    writer.send(make_packet(0, is_keyframe=True))
    writer.send(make_packet(1))
    first_far.close()
    writer.send(make_packet(2))  # notices that nobody reads
    writer.offer(second_near)
    for number in range(3, 8):
        writer.send(make_packet(number, is_keyframe=number == 5))
    items = drain(writer, second_far)
    assert items[0] == RUN
    assert [number_of(item) for item in items[1:] if isinstance(item, Packet)] == [5, 6, 7]
    assert not any(isinstance(item, PacketsDropped) for item in items)


def test_no_analyst_costs_nothing() -> None:
    writer = FeedWriter()
    writer.start_run(RUN)
    writer.send(make_packet(0, is_keyframe=True))
    assert writer.dropped_packets == 0


def test_an_end_that_was_offered_and_never_used_is_closed_too() -> None:
    near, far = socket.socketpair()
    writer = FeedWriter()
    writer.offer(near)
    writer.detach()
    with far:
        far.settimeout(5)
        assert far.recv(1) == b"", "the analyst waits for nobody"
