"""Live fragments hold one picture each, and say when it was taken, to the byte as the standard has it."""

from __future__ import annotations

import io
import struct
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import av
from hypothesis import given
from hypothesis import strategies as st

from camera_packets import INTERVAL_90K, START_US, encode
from lamppost.record.fmp4 import boxes, make_prft, opens_with_keyframe, prft_wall_us
from lamppost.record.live import LiveMuxer
from live_stream import masked

NTP_EPOCH = datetime(1900, 1, 1, tzinfo=UTC)


def inside(data: bytes, *path: bytes) -> bytes:
    """The content of one box, its full-box header included."""
    for kind in path:
        (data,) = [data[start + 8 : end] for found, start, end in boxes(data) if found == kind]
    return data


def test_a_prft_is_what_the_standard_says() -> None:
    # 2026-11-25T12:00:00.5Z is 4 004 596 800 s after 1900 (RFC 5905), and half a second is 2^31 fractions.
    wall_us = 1_795_608_000_500_000
    assert make_prft(wall_us, 123_456_789_012) == bytes.fromhex(
        "00000020"  # 32 bytes
        "70726674"  # prft
        "01"  # version 1: media_time has 64 bits
        "000018"  # flags 24: consistent, and the moment of the capture
        "00000001"  # of track 1
        "eeb14c40" "80000000"  # NTP seconds and fractions
        "0000001cbe991a14"  # media_time
    )  # fmt: skip


@given(st.integers(0, 2_085_978_495_999_999), st.integers(0, 2**63))
def test_every_microsecond_until_the_first_ntp_era_ends_can_be_read_back(wall_us: int, media_90k: int) -> None:
    box = make_prft(wall_us, media_90k)
    assert wall_us - 1 <= prft_wall_us(b"before" + box, 6) <= wall_us
    seconds, fraction, media = struct.unpack(">IIQ", box[16:])
    read = NTP_EPOCH + timedelta(seconds=seconds, microseconds=round(fraction * 1_000_000 / 2**32))
    assert read == datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=wall_us)
    assert media == media_90k


def test_a_fragment_is_prft_moof_and_mdat_of_one_picture() -> None:
    parameters, packets = encode(frames=30, gop=10)
    muxer = LiveMuxer(parameters, masked(packets[0]))
    for index, packet in enumerate(packets):
        fragment = muxer.take(masked(packet))
        assert [kind for kind, _, _ in boxes(fragment.data)] == [b"prft", b"moof", b"mdat"]
        assert sum(end - start for _, start, end in boxes(fragment.data)) == len(fragment.data)
        decode_90k = struct.unpack(">Q", inside(fragment.data, b"moof", b"traf", b"tfdt")[4:])[0]
        count, _offset, duration_90k = struct.unpack_from(">IiI", inside(fragment.data, b"moof", b"traf", b"trun"), 4)
        assert (count, decode_90k, duration_90k) == (1, index * INTERVAL_90K, INTERVAL_90K)
        assert fragment.data[:32] == make_prft(START_US + index * 40_000, index * INTERVAL_90K)
        assert fragment.is_keyframe == packet.is_keyframe == opens_with_keyframe(fragment.data)


def test_ffmpeg_reads_the_stream_with_every_picture_at_its_time() -> None:
    parameters, packets = encode(frames=30, gop=10)
    shifted = [masked(replace(packet, pts_90k=packet.pts_90k + 7, dts_90k=packet.dts_90k + 7)) for packet in packets]
    muxer = LiveMuxer(parameters, shifted[0])
    stream = muxer.init + b"".join(muxer.take(packet).data for packet in shifted)
    with av.open(io.BytesIO(stream)) as container:
        frames = list(container.decode(video=0))
    assert [frame.pts for frame in frames] == [index * INTERVAL_90K for index in range(30)]


def test_a_slow_picture_lasts_as_long_as_the_one_before_it_and_a_gap_is_not_bridged() -> None:
    parameters, packets = encode(frames=4)
    muxer = LiveMuxer(parameters, masked(packets[0]))
    lasted: list[int] = []
    for packet, pts_90k in zip(packets, (0, 18_000, 36_000, 3_600_000), strict=True):
        data = muxer.take(masked(replace(packet, pts_90k=pts_90k, dts_90k=pts_90k))).data
        lasted.append(struct.unpack_from(">I", inside(data, b"moof", b"traf", b"trun"), 12)[0])
    assert lasted == [3600, 18_000, 18_000, 90_000]
