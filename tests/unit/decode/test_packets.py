from __future__ import annotations

import random
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import camera_packets
from lamppost.base.errors import UnsupportedStream
from lamppost.decode.packets import PacketDecoder
from lamppost.decode.pictures import halve, halved_size
from lamppost.model.media import Codec, Packet, StreamParameters
from lamppost.model.vision import Frame

STREAMS = "streams/openh264_res"


def decode(parameters: StreamParameters, packets: list[Packet], *, threads: int = 1) -> list[Frame]:
    decoder = PacketDecoder(parameters, threads=threads)
    frames = [frame for packet in packets for frame in decoder.decode(packet)]
    frames += decoder.flush()
    decoder.close()
    return frames


def from_file(path: Path) -> tuple[StreamParameters, list[Packet]]:
    """An Annex B file as packets, one a picture, at 25 fps."""
    with av.open(str(path), format="h264") as container:
        stream = container.streams.video[0]
        data = [(bytes(coded), coded.is_keyframe) for coded in container.demux(stream) if coded.size]
        size = (stream.width, stream.height)
    packets = [Packet(body, index * 3600, index * 3600, 3600, index * 40_000, key) for index, (body, key) in enumerate(data)]
    return StreamParameters(Codec.H264, b"", *size), packets


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("b_frames", [0, 2])
@pytest.mark.parametrize("threads", [1, 2])
def test_every_packet_becomes_one_intact_frame_with_its_times(codec: Codec, b_frames: int, threads: int) -> None:
    parameters, packets = camera_packets.encode(codec, b_frames=b_frames)
    frames = decode(parameters, list(packets), threads=threads)
    in_order = sorted(packets, key=lambda packet: packet.pts_90k)
    assert [(frame.pts_90k, frame.wall_us) for frame in frames] == [(p.pts_90k, p.wall_us) for p in in_order]
    assert all(frame.is_intact for frame in frames)
    assert frames[0].i420.shape == (parameters.height_px * 3 // 2, parameters.width_px)
    assert frames[0].i420.flags.c_contiguous


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("lost", [1, 7, 24])
def test_after_a_lost_packet_nothing_is_intact_until_the_next_idr(codec: Codec, lost: int) -> None:
    parameters, packets = camera_packets.encode(codec)
    frames = decode(parameters, [packet for index, packet in enumerate(packets) if index != lost])
    for frame in frames:
        index = frame.pts_90k // camera_packets.INTERVAL_90K
        assert frame.is_intact == (not lost < index < 25), index
    assert frames[-1].pts_90k == packets[-1].pts_90k


def test_a_packet_that_the_transport_calls_corrupt_is_damage() -> None:
    parameters, packets = camera_packets.encode()
    torn = [replace(packet, is_corrupt=index == 30) for index, packet in enumerate(packets)]
    decoder = PacketDecoder(parameters)
    frames = [frame for packet in torn[:45] for frame in decoder.decode(packet)]
    assert decoder.is_damaged
    frames += [frame for packet in torn[45:] for frame in decoder.decode(packet)]
    assert not decoder.is_damaged
    assert [index for index, frame in enumerate(frames) if not frame.is_intact] == list(range(30, 50))


def test_a_corrupt_idr_heals_nothing() -> None:
    parameters, packets = camera_packets.encode(frames=80)
    torn = [replace(packet, is_corrupt=index in (10, 25)) for index, packet in enumerate(packets)]
    assert [frame.is_intact for frame in decode(parameters, torn)] == [True] * 10 + [False] * 40 + [True] * 30


def test_a_run_that_starts_in_mid_gop_is_damaged_until_the_first_idr() -> None:
    parameters, packets = camera_packets.encode()
    frames = decode(parameters, list(packets[5:]))
    assert all(frame.is_intact == (frame.pts_90k >= packets[25].pts_90k) for frame in frames)
    assert sum(frame.is_intact for frame in frames) == 35


@pytest.mark.parametrize("codec", list(Codec))
@settings(deadline=None, max_examples=30)
@given(seed=st.integers(0, 10_000))
def test_mangled_bytes_never_crash_and_never_pass_for_intact(codec: Codec, seed: int) -> None:
    parameters, packets = camera_packets.encode(codec)
    clean = decode(parameters, list(packets))
    chance = random.Random(seed)
    hit = chance.randrange(1, 25)
    data = bytearray(packets[hit].data)
    match chance.randrange(4):
        case 0:
            data = data[: chance.randrange(len(data))]
        case 1:
            data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)
        case 2:
            data = bytearray(chance.randbytes(len(data)))
        case _:
            data = bytearray()
    frames = decode(parameters, [replace(p, data=bytes(data)) if i == hit else p for i, p in enumerate(packets)])
    truth = {frame.pts_90k: frame.i420 for frame in clean}
    for frame in frames:
        if frame.pts_90k >= packets[25].pts_90k or frame.pts_90k < packets[hit].pts_90k:
            assert frame.is_intact
            assert np.array_equal(frame.i420, truth[frame.pts_90k])


def test_a_new_size_asks_for_a_new_run() -> None:
    parameters, packets = camera_packets.encode(frames=30)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 64, "yuv420p"
    picture = av.VideoFrame(64, 64, "yuv420p")
    picture.pts = 0
    other = b"".join(bytes(coded) for coded in [*encoder.encode(picture), *encoder.encode(None)])
    decoder = PacketDecoder(parameters)
    for packet in [*packets, Packet(other, 200_000, 200_000, 3600, 0, True)]:
        decoder.decode(packet)
    with pytest.raises(UnsupportedStream, match="size changed"):
        decoder.flush()


def test_a_closed_decoder_gives_nothing() -> None:
    parameters, packets = camera_packets.encode()
    decoder = PacketDecoder(parameters)
    decoder.close()
    decoder.close()
    assert decoder.decode(packets[0]) == ()
    assert decoder.flush() == ()


@pytest.mark.parametrize("name", ["BA_MW_D_IDR_LOST.264", "BA_MW_D_P_LOST.264", "Error_I_P.264"])
def test_damage_in_real_streams_is_noticed(shared_data: Path, name: str) -> None:
    parameters, packets = from_file(shared_data / STREAMS / name)
    frames = decode(parameters, packets[:2] if name.startswith("Error") else packets)  # its size changes at the third
    assert not all(frame.is_intact for frame in frames) or len(frames) < len(packets)


@pytest.mark.parametrize("name", ["BA_MW_D.264", "test_qcif_cabac.264", "MIDR_MW_D.264", "test_vd_1d.264"])
def test_intact_real_streams_are_intact(shared_data: Path, name: str) -> None:
    parameters, packets = from_file(shared_data / STREAMS / name)
    frames = decode(parameters, packets)
    assert len(frames) == len(packets)
    assert all(frame.is_intact for frame in frames)


def test_no_real_stream_crashes_whole_cut_or_mangled(shared_data: Path) -> None:
    chance = random.Random(1)
    for path in sorted((shared_data / STREAMS).glob("*.[2hj]*")):
        try:
            parameters, packets = from_file(path)
        except (av.error.FFmpegError, IndexError):
            continue
        for _ in range(2):
            mangled = []
            for packet in packets[:40]:
                data = bytearray(packet.data[: chance.randrange(1, len(packet.data) + 1)])
                data[chance.randrange(len(data))] ^= 0xFF
                mangled.append(replace(packet, data=bytes(data) if chance.random() < 0.3 else packet.data))
            try:
                decode(parameters, mangled)
            except UnsupportedStream:
                continue


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("b_frames", [0, 2])
def test_a_thinned_stream_gives_every_fifth_picture_and_still_knows_of_damage(codec: Codec, b_frames: int) -> None:
    parameters, packets = camera_packets.encode(codec, frames=100, b_frames=b_frames)
    decoder = PacketDecoder(parameters)
    decoder.thin(18_000)
    frames = [frame for packet in packets for frame in decoder.decode(packet)] + list(decoder.flush())
    steps = {later.pts_90k - earlier.pts_90k for earlier, later in pairwise(frames)}
    assert min(steps) >= 18_000 - 18_000 // 8
    assert max(steps) <= 18_000 + (3 if b_frames else 0) * camera_packets.INTERVAL_90K
    assert all(frame.is_intact for frame in frames)


def test_damage_that_is_over_before_the_next_frame_marks_that_frame() -> None:
    parameters, packets = camera_packets.encode(frames=60, gop=5)
    torn = [replace(packet, is_corrupt=index == 13) for index, packet in enumerate(packets)]  # mended by the IDR 15
    decoder = PacketDecoder(parameters)
    decoder.thin(18_000)
    frames = [frame for packet in torn for frame in decoder.decode(packet)]
    assert [(frame.pts_90k // 3600, frame.is_intact) for frame in frames[:4]] == [(0, True), (5, True), (10, True), (15, False)]
    assert all(frame.is_intact for frame in frames[4:])


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("b_frames", [0, 2])
def test_keyframes_alone_come_at_once_and_all_packets_again_after_them(codec: Codec, b_frames: int) -> None:
    parameters, packets = camera_packets.encode(codec, frames=150, b_frames=b_frames)
    decoder = PacketDecoder(parameters)
    frames = [frame for packet in packets[:40] for frame in decoder.decode(packet)]
    frames += decoder.decode_alone(is_alone=True)
    assert len(frames) == 40, "what was held back comes out first"
    keyframes = [packet for packet in packets[40:100] if packet.is_keyframe]
    for packet in keyframes:
        (frame,) = decoder.decode(packet)
        assert (frame.pts_90k, frame.is_intact) == (packet.pts_90k, True)
    first = next(index for index, packet in enumerate(packets) if packet.is_keyframe and index >= 100)
    assert decoder.decode_alone(is_alone=False) == ()
    rest = [frame for packet in packets[first:] for frame in decoder.decode(packet)] + list(decoder.flush())
    assert [frame.pts_90k for frame in rest] == sorted(packet.pts_90k for packet in packets[first:])
    assert all(frame.is_intact for frame in rest)
    decoder.close()


def test_a_halved_picture_is_the_mean_of_four_and_a_small_one_stays() -> None:
    i420 = np.random.default_rng(1).integers(0, 256, (362 * 3 // 2, 646), np.uint8)
    halved = halve(i420)
    assert (halved.shape[1], halved.shape[0] * 2 // 3) == halved_size(646, 362) == (322, 180)
    even = np.random.default_rng(2).integers(0, 256, (360 * 3 // 2, 640), np.uint8)
    mean = even[:360].reshape(180, 2, 320, 2).mean(axis=(1, 3))
    assert np.abs(halve(even)[:180] - mean).max() <= 0.5
    assert halve(even[: 300 * 3 // 2, :600].copy()).shape == (450, 600)


@pytest.mark.parametrize("codec", list(Codec))
@pytest.mark.parametrize("threads", [1, 4])
def test_without_reordering_every_picture_comes_out_with_its_packet(codec: Codec, threads: int) -> None:
    # Frames decoded in several threads at once would each hold a live picture back by one more.
    parameters, packets = camera_packets.encode(codec)
    decoder = PacketDecoder(parameters, threads=threads)
    assert [[frame.pts_90k for frame in decoder.decode(packet)] for packet in packets] == [[packet.pts_90k] for packet in packets]
