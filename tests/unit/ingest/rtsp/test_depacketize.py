"""From packets to pictures: whole ones bit for bit, holed ones flagged, nothing glued together over a hole."""

from __future__ import annotations

from itertools import count

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.annexb import nal_units
from lamppost.ingest.nal import START_CODE
from lamppost.ingest.rtsp import depacketize
from lamppost.ingest.rtsp.depacketize import Assembled, depacketizer_for
from lamppost.ingest.rtsp.rtp import RtpReceiver
from lamppost.model.media import Codec
from rtp_packets import PAYLOAD_TYPE, packets, payloads, rtp

HEADS = {
    Codec.H264: (b"\x67", b"\x68", b"\x06", b"\x65", b"\x41"),
    Codec.HEVC: (b"\x40\x01", b"\x42\x01", b"\x4e\x01", b"\x26\x01", b"\x02\x01"),
}


def unit(codec: Codec, kind: int, body: bytes) -> bytes:
    # No zero byte: it could make a start code, which no NAL unit holds.
    return HEADS[codec][kind] + body.replace(b"\0", b"\7") + b"\1"


def received(codec: Codec, sent: list[bytes], ticks: int = 3) -> list[Assembled]:
    """What comes of RTP packets that lie in one buffer, which is used again every few packets."""
    depacketizer = depacketizer_for(codec)
    receiver = RtpReceiver(depacketizer, PAYLOAD_TYPE)
    buffer = memoryview(bytearray(1 << 20))
    found: list[Assembled] = []
    for start in range(0, len(sent), ticks):
        position = 0
        for packet in sent[start : start + ticks]:
            buffer[position : position + len(packet)] = packet
            receiver.push(buffer, position, position + len(packet))
            position += len(packet)
        depacketizer.settle()
        found += depacketizer.assembled
        depacketizer.assembled.clear()
        buffer[:position] = b"\xee" * position
    return found


def annex_b(units: list[bytes]) -> bytes:
    return b"".join(START_CODE + one for one in units)


@st.composite
def films(draw: st.DrawFn) -> tuple[Codec, list[list[bytes]]]:
    codec = draw(st.sampled_from(list(Codec)))
    bodies = st.binary(max_size=80)
    pictures = []
    for _ in range(draw(st.integers(1, 12))):
        others = [unit(codec, draw(st.integers(0, 2)), draw(bodies)) for _ in range(draw(st.integers(0, 2)))]
        slices = [unit(codec, draw(st.integers(3, 4)), draw(bodies)) for _ in range(draw(st.integers(1, 3)))]
        pictures.append(others + slices)
    return codec, pictures


@settings(max_examples=150, deadline=None)
@given(films(), st.integers(20, 60), st.integers(1, 5))
def test_what_is_sent_arrives(film: tuple[Codec, list[list[bytes]]], most: int, ticks: int) -> None:
    codec, pictures = film
    found = received(codec, packets(codec, pictures, most=most), ticks)
    assert [one.data for one in found] == [annex_b(units) for units in pictures]
    assert [one.pts_90k for one in found] == [index * 3600 for index in range(len(pictures))]
    assert not any(one.is_corrupt or one.lost for one in found)
    for one in found:
        ends = (*(border - 4 for border in one.borders[1:]), len(one.data))
        assert [one.data[a:b] for a, b in zip(one.borders, ends, strict=True)] == list(nal_units(one.data))


@settings(max_examples=300, deadline=None)
@given(films(), st.integers(20, 60), st.sets(st.integers(0, 120), max_size=12), st.integers(1, 5))
def test_what_is_lost_shows(film: tuple[Codec, list[list[bytes]]], most: int, holes: set[int], ticks: int) -> None:
    codec, pictures = film
    sent = packets(codec, pictures, most=most)
    kept = [packet for index, packet in enumerate(sent) if index not in holes]
    found = received(codec, kept, ticks)
    # Nothing was made up: each NAL unit is one of its own picture, whole.
    base = next((int.from_bytes(packet[4:8], "big") - int.from_bytes(sent[0][4:8], "big") for packet in kept), 0) % (1 << 32) // 3600
    by_picture = {one.pts_90k // 3600 + base: one for one in found}
    assert len(by_picture) == len(found)
    for number, one in by_picture.items():
        assert [u for u in nal_units(one.data) if u not in pictures[number]] == []
        # Nobody can tell what came before the first packet.
        if not one.is_corrupt and not one.lost and number > min(by_picture):
            assert one.data == annex_b(pictures[number])
    # Whoever is missing or holed, a flag stands at it or at the next that came (the very first losses precede the stream).
    first, last = min(by_picture, default=0), max(by_picture, default=-1)
    for number in range(first, last + 1):
        one = by_picture.get(number)
        if one is None or one.data != annex_b(pictures[number]):
            following = one or by_picture[min(later for later in by_picture if later > number)]
            if number > first:
                assert following.is_corrupt or following.lost


def test_one_lost_fragment_spoils_one_picture_and_no_neighbour() -> None:
    pictures = [[unit(Codec.H264, 4, bytes([n]) * 300)] for n in range(1, 5)]
    sent = packets(Codec.H264, pictures, most=100)
    per_picture = len(sent) // 4
    for hole in range(per_picture, 2 * per_picture):
        found = received(Codec.H264, sent[:hole] + sent[hole + 1 :])
        # Nothing is left of the picture: that it was lost is told with the next one, which is whole.
        assert [one.data for one in found] == [annex_b(pictures[n]) for n in (0, 2, 3)]
        assert [one.lost for one in found] == [0, 1, 0]
        assert not any(one.is_corrupt for one in found)


def test_a_camera_that_forgets_the_marker() -> None:
    sent = [rtp(n, n // 2 * 3600, unit(Codec.H264, 4, bytes([n + 1]))) for n in range(6)]
    assert [len(list(nal_units(one.data))) for one in received(Codec.H264, sent)] == [2, 2]


def test_a_camera_that_sets_the_marker_on_parameter_sets() -> None:
    sets, picture = [unit(Codec.H264, 0, b"s"), unit(Codec.H264, 1, b"p")], unit(Codec.H264, 3, b"i")
    sent = [rtp(n, 0, one, marker=True) for n, one in enumerate([*sets, picture])]
    assert [one.data for one in received(Codec.H264, sent)] == [annex_b([*sets, picture])]


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("has_marker_on_sets", [False, True])
def test_parameter_sets_before_each_slice_do_not_cut_a_picture(codec: Codec, has_marker_on_sets: bool) -> None:
    """As GStreamer's payloader does with `config-interval=-1`; by H.264 7.4.1.2.3 it is wrong, and time and marker tell better."""
    sets, slices = [unit(codec, 0, b"s"), unit(codec, 1, b"p")], [unit(codec, 3, bytes([n]) * 200) for n in (1, 2, 3)]
    keyframe = [one for piece in slices for one in (*sets, piece)]
    pictures = [keyframe, [unit(codec, 4, b"a")], keyframe, [unit(codec, 4, b"b")]]
    sent, sequence = [], count()
    for index, units in enumerate(pictures):
        for position, one in enumerate(units):
            parts = payloads(codec, [one], most=100)
            is_end = position == len(units) - 1 or (has_marker_on_sets and position == 0)
            sent += [rtp(next(sequence), index * 3600, part, marker=is_end and part is parts[-1]) for part in parts]
    assert [one.data for one in received(codec, sent)] == [annex_b(units) for units in pictures]
    assert not any(one.is_corrupt or one.lost for one in received(codec, sent))


def test_a_camera_that_sets_the_marker_on_every_slice_is_seen_through() -> None:
    pictures = [[unit(Codec.H264, 4, bytes([n, k])) for k in (1, 2, 3)] for n in range(1, 6)]
    sent = [rtp(3 * n + k, n * 3600, one, marker=True) for n, units in enumerate(pictures) for k, one in enumerate(units)]
    found = received(Codec.H264, sent)
    assert [one.data for one in found[-3:]] == [annex_b(units) for units in pictures[1:4]]
    assert not any(one.is_corrupt for one in found[-3:])
    assert any(one.is_corrupt for one in found[:-3])


def test_a_fragment_that_is_never_said_to_end_is_taken_when_nothing_is_missing() -> None:
    whole = unit(Codec.H264, 4, b"x" * 200)
    parts = [bytes([part[0], part[1] & 0xBF]) + part[2:] for part in payloads(Codec.H264, [whole], most=100)]
    sent = [rtp(n, 0, part, marker=n == len(parts) - 1) for n, part in enumerate(parts)]
    assert received(Codec.H264, sent) == [Assembled(annex_b([whole]), (4,), 0, False, 0)]


def test_units_that_hide_in_one_another_are_left_to_be_searched_for() -> None:
    hidden = unit(Codec.H264, 0, b"s") + START_CODE + unit(Codec.H264, 3, b"i")
    plain = unit(Codec.H264, 4, b"p")
    found = received(Codec.H264, [rtp(0, 0, hidden), rtp(1, 0, plain, marker=True), rtp(2, 3600, plain, marker=True)])
    assert [one.borders for one in found] == [(), ()]
    assert [len(list(nal_units(one.data))) for one in found] == [3, 1]


@pytest.mark.parametrize("codec", list(Codec))
def test_a_picture_without_an_end_stays_bounded(codec: Codec, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(depacketize, "MOST_UNIT_BYTES", 10_000)
    endless = payloads(codec, [unit(codec, 4, b"x" * 100_000)], most=1000)
    (one,) = received(codec, [rtp(n, 0, part) for n, part in enumerate(endless)] + [rtp(len(endless), 1, unit(codec, 4, b"y"))]) or [None]
    assert one is None or (one.is_corrupt and len(one.data) <= 10_000)
    many = [rtp(n, 0, unit(codec, 4, b"")) for n in range(5000)]
    (flooded,) = received(codec, [*many, rtp(5000, 1, unit(codec, 4, b""))])
    assert flooded.is_corrupt
    assert len(flooded.data) <= 10_000


def test_a_new_sender_is_a_new_timeline() -> None:
    one, other = unit(Codec.H264, 4, b"a"), unit(Codec.H264, 3, b"b")
    sent = [rtp(1, 0, one, marker=True), rtp(900, 77, other, marker=True, ssrc=5), rtp(901, 3677, one, marker=True, ssrc=5)]
    first, second, third = received(Codec.H264, sent)
    assert second.pts_90k - first.pts_90k > 10 * 90_000
    assert second.lost
    assert third.pts_90k - second.pts_90k == 3600


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(list(Codec)), st.lists(st.tuples(st.binary(max_size=40), st.integers(0, 3), st.booleans()), max_size=30))
def test_any_payloads_are_taken(codec: Codec, parts: list[tuple[bytes, int, bool]]) -> None:
    sent = [rtp(n, time, payload, marker=marker) for n, (payload, time, marker) in enumerate(parts)]
    for one in received(codec, sent):
        assert len(one.data) <= sum(len(payload) + 8 for payload, _, _ in parts) * 5
        assert all(one.data[border - 4 : border] == START_CODE for border in one.borders)
