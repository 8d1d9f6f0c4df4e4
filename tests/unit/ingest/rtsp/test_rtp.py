"""RTP headers of every shape, numbers that wrap, jump and repeat; datagrams put back in order."""

from __future__ import annotations

import struct

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.rtsp.depacketize import Assembled, depacketizer_for
from lamppost.ingest.rtsp.reorder import LONGEST_S, MOST_HELD, ReorderBuffer
from lamppost.ingest.rtsp.rtp import RtpReceiver
from lamppost.model.media import Codec
from rtp_packets import PAYLOAD_TYPE, rtp

PICTURE = b"\x41\x9a\x01"


class Arrivals:
    """A receiver with all that came out of it."""

    def __init__(self) -> None:
        self.depacketizer = depacketizer_for(Codec.H264)
        self.receiver = RtpReceiver(self.depacketizer, PAYLOAD_TYPE)

    def push(self, *packets: bytes) -> list[Assembled]:
        for packet in packets:
            self.receiver.push(memoryview(packet), 0, len(packet))
        found, self.depacketizer.assembled = self.depacketizer.assembled, []
        return found


def picture(number: int, **options: int) -> bytes:
    return rtp(number, number * 3600, PICTURE, marker=True, **options)


@pytest.mark.parametrize("shape", ["csrc", "extension", "padding", "all"])
def test_headers_of_every_shape(shape: str) -> None:
    flags, middle, tail = 0x80, b"", b""
    if shape in ("csrc", "all"):
        flags, middle = flags | 2, middle + bytes(8)
    if shape in ("extension", "all"):
        flags, middle = flags | 0x10, middle + b"\xab\xac\0\2" + bytes(8)
    if shape in ("padding", "all"):
        flags, tail = flags | 0x20, b"\0\0\3"
    packet = picture(1)
    (one,) = Arrivals().push(bytes([flags]) + packet[1:12] + middle + packet[12:] + tail)
    assert one.data == b"\0\0\0\1" + PICTURE


def test_numbers_wrap() -> None:
    arrivals = Arrivals()
    found = arrivals.push(*(picture(65_530 + number) for number in range(12)))
    assert len(found) == 12
    assert (arrivals.receiver.lost, arrivals.receiver.highest_sequence) == (0, 65_530 + 11)


@pytest.mark.parametrize("hole", [1, 5, 1000])
def test_holes_are_counted(hole: int) -> None:
    arrivals = Arrivals()
    found = arrivals.push(picture(65_000), picture(65_001 + hole))
    assert [one.lost for one in found] == [0, hole]
    assert arrivals.receiver.lost == hole


def test_repeated_packets_are_dropped() -> None:
    arrivals = Arrivals()
    assert len(arrivals.push(picture(1), picture(2), picture(2), picture(1), picture(3))) == 3
    assert (arrivals.receiver.lost, arrivals.receiver.late) == (0, 2)


def test_a_sender_that_counts_anew_is_followed_from_its_second_packet_on() -> None:
    arrivals = Arrivals()
    found = arrivals.push(picture(40_000), picture(10), picture(11), picture(12))
    assert len(found) == 3
    assert found[1].lost


def test_other_payload_types_are_passed_over_and_counted() -> None:
    arrivals = Arrivals()
    found = arrivals.push(picture(1), picture(2, payload_type=97), picture(3), picture(5, payload_type=97), picture(6), picture(9, ssrc=4))
    assert [one.lost for one in found[:3]] == [0, 0, 1]
    assert arrivals.push(picture(77, payload_type=97, ssrc=99)) == []


@given(st.binary(max_size=60))
def test_any_bytes_are_taken(content: bytes) -> None:
    arrivals = Arrivals()
    arrivals.push(picture(1), content, bytes([0xBF]) + content, struct.pack(">BB", 0xB0, PAYLOAD_TYPE) + content, picture(2))


def reordered(order: list[int], step_s: float = 0.0) -> tuple[list[int], ReorderBuffer]:
    found: list[int] = []

    def take(view: memoryview, start: int, end: int) -> None:
        found.append(int.from_bytes(view[start + 2 : start + 4], "big"))

    reorder = ReorderBuffer(take)
    for index, number in enumerate(order):
        packet = rtp(number, 0, b"x")
        reorder.push(memoryview(b"?" + packet), 1, 1 + len(packet), index * step_s)
    return found, reorder


@given(st.permutations(list(range(12))))
def test_datagrams_come_out_in_order(order: list[int]) -> None:
    found, _ = reordered([65_529, *((65_530 + number) % 65_536 for number in order)])
    assert found == [(65_529 + number) % 65_536 for number in range(13)]


def test_what_is_missing_is_awaited_for_a_while() -> None:
    found, reorder = reordered([1, 3, 4])
    assert found == [1]
    reorder.expire(LONGEST_S / 2)
    assert found == [1]
    reorder.expire(LONGEST_S * 1.1)
    assert found == [1, 3, 4]


def test_no_more_is_held_than_the_bound() -> None:
    found, _ = reordered([1, *range(3, 3 + MOST_HELD + 1)])
    assert found == [1, *range(3, 3 + MOST_HELD + 1)]


@given(st.lists(st.integers(0, 65_535), max_size=200))
def test_every_datagram_is_handed_on_or_held(order: list[int]) -> None:
    found, reorder = reordered(order, 0.01)
    reorder.expire(1e9)
    assert len(found) <= len(order)
    assert set(found) == set(order)
