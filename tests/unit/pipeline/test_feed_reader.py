"""One thread reads all feeds, whole and in order, and no slow camera makes memory grow."""

from __future__ import annotations

import queue
import socket
import threading
from collections.abc import Iterator

import pytest

from lamppost.base.clock import SystemClock
from lamppost.model.media import Codec, Packet, RunStarted, StreamParameters
from lamppost.pipeline.feed import FeedItem, FeedWriter
from lamppost.pipeline.feed_reader import QUEUE_BYTES, QUEUE_PACKETS, FeedQueue, FeedReader, Reading

RUN = RunStarted(StreamParameters(Codec.H264, b"\0\0\0\1\x67sps", 640, 360, 6000))


def make_packet(number: int, size: int = 100) -> Packet:
    return Packet(number.to_bytes(4, "big") + bytes(size), number * 6000, number * 6000, 6000, number, True)


@pytest.fixture
def reader() -> Iterator[FeedReader]:
    reader = FeedReader(SystemClock())
    yield reader
    reader.close()
    assert not reader.thread.is_alive()


def take_all(reading: Reading) -> list[FeedItem]:
    items: list[FeedItem] = []
    while (item := reading.items.get(10)) is not None:
        items.append(item)
    return items


def send_all(end: socket.socket, packets: list[Packet]) -> threading.Thread:
    """In a thread, without dropping: as fast as the reader takes it."""
    writer = FeedWriter()
    writer.offer(end)
    writer.start_run(RUN)

    def send() -> None:
        for packet in packets:
            dropped = writer.dropped_packets
            writer.send(packet)
            while writer.dropped_packets > dropped:
                dropped = writer.dropped_packets
                threading.Event().wait(0.001)
                writer.send(packet)
        while not writer._flush():
            threading.Event().wait(0.001)
        writer.detach()

    thread = threading.Thread(target=send)
    thread.start()
    return thread


def test_many_feeds_arrive_whole_and_in_order(reader: FeedReader) -> None:
    feeds = [[make_packet(100 * camera + number, 1000 + number) for number in range(60)] for camera in range(8)]
    readings, threads = [], []
    for packets in feeds:
        near, far = socket.socketpair()
        readings.append(reader.read(far))
        threads.append(send_all(near, packets))
    for reading, packets in zip(readings, feeds, strict=True):
        items = take_all(reading)
        assert [item for item in items if isinstance(item, Packet)] == packets
        assert items[0] == RUN
    for thread in threads:
        thread.join(10)


def test_what_nobody_takes_stays_in_the_socket_and_comes_later(reader: FeedReader) -> None:
    near, far = socket.socketpair()
    packets = [make_packet(number, 200_000) for number in range(3 * QUEUE_BYTES // 200_000)]
    reading = reader.read(far)
    thread = send_all(near, packets)
    while reading.items.share < 1:
        threading.Event().wait(0.001)
    threading.Event().wait(0.1)
    assert reading.items.share * QUEUE_BYTES < QUEUE_BYTES + 500_000
    assert [item for item in take_all(reading) if isinstance(item, Packet)] == packets
    thread.join(10)


def test_a_reading_that_is_closed_closes_its_socket(reader: FeedReader) -> None:
    near, far = socket.socketpair()
    reading = reader.read(far)
    reading.close()
    with near:
        near.settimeout(10)
        assert near.recv(1) == b""


def test_a_queue_is_full_by_packets_or_by_bytes_and_says_when_there_is_room() -> None:
    rooms: list[int] = []
    items = FeedQueue(lambda: rooms.append(1))
    assert [items.put(make_packet(number)) for number in range(QUEUE_PACKETS)] == [True] * (QUEUE_PACKETS - 1) + [False]
    while items.share > 0:
        items.get(0)
    assert len(rooms) == 1
    assert not items.put(make_packet(0, QUEUE_BYTES))
    assert items.get(0) is not None
    assert len(rooms) == 2
    with pytest.raises(queue.Empty):
        items.get(0)


def test_a_length_that_no_recorder_sends_ends_the_feed(reader: FeedReader) -> None:
    near, far = socket.socketpair()
    reading = reader.read(far)
    with near:
        near.sendall(b"\x02\0\0\0\xff\xff\xff\xff" + bytes(64))
        assert reading.items.get(10) is None
