"""However the bytes of a connection are cut, and whatever lies between them, the same pictures come out."""

from __future__ import annotations

import struct

from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.rtsp.depacketize import Assembled, depacketizer_for
from lamppost.ingest.rtsp.interleaved import Splitter
from lamppost.ingest.rtsp.messages import Message
from lamppost.ingest.rtsp.rtp import RtpReceiver
from lamppost.model.media import Codec

CHANNEL, PAYLOAD_TYPE, SSRC = 2, 96, 0x1234


class Parts:
    def __init__(self) -> None:
        self.reports = 0
        self.messages = 0

    def took_report(self, content: memoryview) -> None:
        self.reports += 1

    def took_message(self, message: Message) -> None:
        self.messages += 1


def packet(sequence: int, timestamp: int, payload: bytes, *, marker: bool = False, channel: int = CHANNEL, ssrc: int = SSRC) -> bytes:
    rtp = struct.pack(">BBHII", 0x80, PAYLOAD_TYPE | marker << 7, sequence & 0xFFFF, timestamp, ssrc) + payload
    return struct.pack(">BBH", 0x24, channel, len(rtp)) + rtp


def fragments(codec: Codec, picture: bytes, size: int) -> list[bytes]:
    """The NAL unit `picture` in FU payloads of `size` bytes of it each."""
    head = 1 if codec is Codec.H264 else 2
    body = [picture[start : start + size] for start in range(head, len(picture), size)]
    payloads: list[bytes] = []
    for number, part in enumerate(body):
        flags = (0x80 if number == 0 else 0) | (0x40 if number == len(body) - 1 else 0)
        if codec is Codec.H264:
            payloads.append(bytes((picture[0] & 0xE0 | 28, flags | picture[0] & 0x1F)) + part)
        else:
            payloads.append(bytes((picture[0] & 0x81 | 49 << 1, picture[1], flags | picture[0] >> 1 & 0x3F)) + part)
    return payloads


def stream(codec: Codec, sizes: list[int], first: int) -> tuple[list[bytes], list[bytes]]:
    """Pictures of so many bytes, and the packets that carry them; numbers wrap on the way."""
    pictures, packets = [], []
    header = b"\x65" if codec is Codec.H264 else b"\x26\x01"
    for index, size in enumerate(sizes):
        picture = header + bytes((index + position) % 251 + 1 for position in range(size))
        pictures.append(b"\0\0\0\1" + picture)
        payloads = fragments(codec, picture, 100)
        for number, payload in enumerate(payloads):
            is_last = number == len(payloads) - 1
            packets.append(packet(first + len(packets), 3600 * index, payload, marker=is_last))
    return pictures, packets


def receive(codec: Codec, content: bytes, cuts: list[int]) -> tuple[list[Assembled], RtpReceiver, Parts]:
    """What comes out when `content` arrives in pieces of these lengths, again and again."""
    parts = Parts()
    depacketizer = depacketizer_for(codec)
    receiver = RtpReceiver(depacketizer, PAYLOAD_TYPE)
    splitter = Splitter(parts)
    splitter.listen(CHANNEL, receiver)
    buffer = memoryview(bytearray(70_000 + len(content)))
    position = number = 0
    while position < len(content):
        piece = content[position : position + cuts[number % len(cuts)]]
        begin = splitter.restore(buffer)
        buffer[begin : begin + len(piece)] = piece
        splitter.split(buffer, begin + len(piece))
        depacketizer.settle()
        buffer[:] = bytes(len(buffer))  # the next read would
        position += len(piece)
        number += 1
    return list(depacketizer.assembled), receiver, parts


CUTS = st.lists(st.integers(min_value=1, max_value=3000), min_size=1, max_size=5)
SIZES = st.lists(st.integers(min_value=2, max_value=2500), min_size=1, max_size=6)


@given(st.sampled_from(list(Codec)), SIZES, CUTS, st.integers(min_value=0xFFF0, max_value=0x1000F))
def test_any_cut_gives_the_same_pictures(codec: Codec, sizes: list[int], cuts: list[int], first: int) -> None:
    pictures, packets = stream(codec, sizes, first)
    assembled, receiver, _ = receive(codec, b"".join(packets), cuts)
    assert [one.data for one in assembled] == pictures
    assert not any(one.is_corrupt or one.lost for one in assembled)
    assert (receiver.packets, receiver.lost) == (len(packets), 0)
    assert receiver.highest_sequence & 0xFFFF == first + len(packets) - 1 & 0xFFFF


@given(st.sampled_from(list(Codec)), CUTS, st.data())
def test_a_packet_that_is_missing_is_seen_wherever_it_was(codec: Codec, cuts: list[int], data: st.DataObject) -> None:
    pictures, packets = stream(codec, [900, 1200, 700], 0xFFFC)
    gone = data.draw(st.integers(min_value=1, max_value=len(packets) - 2))
    assembled, receiver, _ = receive(codec, b"".join([*packets[:gone], *packets[gone + 1 :]]), cuts)
    assert receiver.lost == 1
    whole = [one.data for one in assembled if not one.is_corrupt]
    assert all(one in pictures for one in whole)
    # Of a last picture whose beginning is missing nothing is left that could tell.
    assert sum(one.lost for one in assembled) >= 1 or len(assembled) == len(pictures) - 1


@given(st.sampled_from(list(Codec)), CUTS, st.data())
def test_what_lies_between_is_passed_over(codec: Codec, cuts: list[int], data: st.DataObject) -> None:
    pictures, packets = stream(codec, [900, 1200], 7)
    report = struct.pack(">BBH", 0x24, CHANNEL + 1, 8) + b"\x80\xc9\0\1\0\0\0\1"
    between = {
        "report": report,
        "reply": b"RTSP/1.0 200 OK\r\nCSeq: 9\r\n\r\n",
        "other channel": packet(99, 0, b"\x1c\x05zzz", channel=CHANNEL + 4),
    }
    chosen = data.draw(st.lists(st.tuples(st.integers(min_value=0, max_value=len(packets)), st.sampled_from(sorted(between))), max_size=6))
    content = b"".join(
        b"".join(between[kind] for place, kind in chosen if place == index) + part for index, part in enumerate([*packets, b""])
    )
    assembled, _, parts = receive(codec, content, cuts)
    assert [one.data for one in assembled] == pictures
    assert parts.reports == sum(kind == "report" for _, kind in chosen)
    assert parts.messages == sum(kind == "reply" for _, kind in chosen)


def test_another_sender_in_mid_picture_is_not_glued_to_the_first() -> None:
    _, packets = stream(Codec.H264, [900], 0)
    stranger = packet(4, 0, b"\x7c\x05" + b"strange" * 10, ssrc=SSRC + 1)
    assembled, _, _ = receive(Codec.H264, b"".join([*packets[:4], stranger, *packets[4:]]), [3000])
    assert not any(b"strange" in one.data and not one.is_corrupt for one in assembled)
