"""Fragments hold exactly what the camera sent, and say exactly when."""

from __future__ import annotations

import io
from collections.abc import Iterable
from dataclasses import replace

import av
import pytest
from hypothesis import given
from hypothesis import strategies as st

from camera_packets import INTERVAL_90K, START_US, encode, is_parameter_set
from lamppost.base.annexb import nal_units
from lamppost.base.errors import TimestampError, UnsupportedStream
from lamppost.model.media import Codec, Fragment, Packet
from lamppost.record.fmp4 import boxes, length_prefixed, opens_with_keyframe
from lamppost.record.fragments import FRAGMENT_MAX_BYTES, FragmentMuxer


def mux(muxer: FragmentMuxer, packets: Iterable[Packet]) -> list[Fragment]:
    fragments = [fragment for packet in packets for fragment in muxer.write(packet)]
    return fragments + list(muxer.close())


def units_of_sample(payload: bytes) -> list[bytes]:
    units = []
    while payload:
        length = int.from_bytes(payload[:4], "big")
        units.append(payload[4 : 4 + length])
        payload = payload[4 + length :]
    return units


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("b_frames", [0, 3])
def test_opened_video_equals_what_was_sent(codec: Codec, b_frames: int) -> None:
    parameters, packets = encode(codec, frames=70, b_frames=b_frames)
    muxer = FragmentMuxer(parameters)
    fragments = mux(muxer, packets)
    with av.open(io.BytesIO(muxer.init + b"".join(f.data for f in fragments))) as opened:
        stream = opened.streams.video[0]
        assert (stream.codec_context.name, stream.width, stream.height) == (codec.value, parameters.width_px, parameters.height_px)
        samples = [packet for packet in opened.demux(stream) if packet.size]
    assert len(samples) == len(packets)
    for sample, packet in zip(samples, packets, strict=True):
        sent = [u for u in nal_units(packet.data) if not is_parameter_set(codec, u)]
        kept = [u for u in units_of_sample(bytes(sample)) if not is_parameter_set(codec, u)]
        assert kept == sent
        assert sample.is_keyframe == packet.is_keyframe
        # FFmpeg's reader shifts presentation so that no offset is negative; the shift is one for all.
        assert sample.pts - samples[0].pts == packet.pts_90k
    with av.open(io.BytesIO(muxer.init + b"".join(f.data for f in fragments))) as opened:
        shown = [frame.pts for frame in opened.decode(video=0)]
    assert [pts - shown[0] for pts in shown] == [index * INTERVAL_90K for index in range(70)]


@pytest.mark.parametrize("b_frames", [0, 3])
def test_fragments_say_when_and_how_many(b_frames: int) -> None:
    parameters, packets = encode(Codec.H264, frames=80, gop=40, b_frames=b_frames)
    fragments = mux(FragmentMuxer(parameters), packets)
    assert sum(f.frames for f in fragments) == 80
    assert [f.is_sync for f in fragments] == [opens_with_keyframe(f.data) for f in fragments]
    assert [f.is_sync for f in fragments] == [True, False, True, False]
    assert fragments[0].start_us == START_US
    assert fragments[0].first_pts_90k == 0
    assert fragments[2].first_pts_90k <= 40 * INTERVAL_90K
    assert fragments[-1].end_us == START_US + 80 * 40_000
    assert all(f.frames <= 25 for f in fragments)
    assert [kind for kind, _, _ in boxes(fragments[0].data)] == [b"moof", b"mdat"]


def test_a_fragment_is_cut_before_it_grows_without_end() -> None:
    parameters, (keyframe, *_) = encode(Codec.H264)
    muxer = FragmentMuxer(parameters)
    filler = b"\x00\x00\x00\x01\x01" + b"\x55" * (FRAGMENT_MAX_BYTES // 2)
    assert muxer.write(keyframe) == ()
    assert muxer.write(replace(keyframe, data=filler, dts_90k=keyframe.dts_90k + 1, is_keyframe=False)) == ()
    (cut,) = muxer.write(replace(keyframe, data=filler, dts_90k=keyframe.dts_90k + 2, is_keyframe=False))
    assert cut.frames == 2


def test_time_that_stands_still_is_refused() -> None:
    parameters, packets = encode(Codec.H264)
    muxer = FragmentMuxer(parameters)
    muxer.write(packets[0])
    with pytest.raises(TimestampError, match="decode time"):
        muxer.write(replace(packets[1], dts_90k=packets[0].dts_90k))


def test_a_run_starts_with_a_keyframe_that_can_be_described() -> None:
    parameters, packets = encode(Codec.H264)
    with pytest.raises(TimestampError, match="no keyframe"):
        FragmentMuxer(parameters).write(packets[1])
    bare = b"".join(b"\x00\x00\x01" + u for u in nal_units(packets[0].data) if not is_parameter_set(Codec.H264, u))
    with pytest.raises(UnsupportedStream, match="parameter sets"):
        FragmentMuxer(parameters).write(replace(packets[0], data=bare))
    with pytest.raises(UnsupportedStream, match="no NAL unit"):
        length_prefixed(b"no start code")


@given(
    st.lists(st.binary(min_size=1, max_size=40).map(lambda b: b.replace(b"\x00", b"\x01")), min_size=1, max_size=8),
    st.lists(st.integers(0, 4), min_size=8, max_size=8),
)
def test_units_survive_any_start_codes(units: list[bytes], zeros: list[int]) -> None:
    stream = b"".join(b"\x00" * count + b"\x00\x00\x01" + unit for unit, count in zip(units, zeros, strict=False))
    assert units_of_sample(length_prefixed(stream)) == units


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=30), st.data())
def test_timelines_of_any_frame_rate_are_exact(steps: list[int], data: st.DataObject) -> None:
    parameters, (keyframe, *_) = encode(Codec.H264)
    packets, now = [replace(keyframe, dts_90k=0, pts_90k=0)], 0
    for step in steps:
        now += step
        delay = data.draw(st.integers(0, 9000))
        packets.append(replace(keyframe, dts_90k=now, pts_90k=now + delay, is_keyframe=data.draw(st.booleans())))
    muxer = FragmentMuxer(parameters)
    fragments = mux(muxer, packets)
    with av.open(io.BytesIO(muxer.init + b"".join(f.data for f in fragments))) as opened:
        times = [(p.dts, p.pts) for p in opened.demux(video=0) if p.size]
    assert times == [(p.dts_90k, p.pts_90k) for p in packets]


@given(st.lists(st.binary(min_size=1, max_size=20).map(lambda unit: unit.replace(b"\0", b"\7")), min_size=1, max_size=5), st.integers(0, 3))
def test_known_borders_give_the_same_bytes(units: list[bytes], zeros: int) -> None:
    data = b""
    borders: tuple[int, ...] = ()
    for unit in units:
        borders += (len(data) + 4,)
        data += b"\0\0\0\1" + unit + bytes(zeros)
    assert length_prefixed(data, borders) == length_prefixed(data)
