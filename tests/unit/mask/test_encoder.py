from __future__ import annotations

from typing import Any, cast

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.annexb import nal_units
from lamppost.base.errors import MediaError
from lamppost.mask.encoder import MaskedEncoder, preset_for
from lamppost.mask.paint import Palette, paint
from lamppost.model.media import Codec, Packet
from lamppost.model.vision import Frame, MaskedFrame

WIDTH_PX, HEIGHT_PX = 96, 64


def masked(pts_90k: int, *, seed: int = 0, width_px: int = WIDTH_PX, is_full_range: bool = False) -> MaskedFrame:
    noise = np.random.default_rng(seed).integers(16, 235, (HEIGHT_PX * 3 // 2, width_px), np.uint8)
    frame = Frame(np.roll(noise, pts_90k // 1000, axis=1), pts_90k, 1_000_000 + pts_90k, is_full_range)
    return paint(frame, [], Palette())


def encode(times_90k: list[int], **options: Any) -> tuple[list[Packet], MaskedEncoder]:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, **options)
    packets = [packet for pts in times_90k for packet in encoder.encode(masked(pts))]
    return packets + list(encoder.flush()), encoder


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(1, 150_000), min_size=1, max_size=40), st.booleans())
def test_one_packet_a_frame_in_order_and_no_gop_over_a_second(steps: list[int], is_live: bool) -> None:
    times = [sum(steps[:index]) for index in range(len(steps))]
    packets, _ = encode(times, is_live=is_live)
    assert [packet.pts_90k for packet in packets] == times
    assert [packet.dts_90k for packet in packets] == times, "no B-frames"
    assert [packet.wall_us for packet in packets] == [1_000_000 + pts for pts in times]
    keyframe = 0
    for packet in packets:
        if packet.is_keyframe:
            keyframe = packet.pts_90k
        assert packet.pts_90k - keyframe <= 90_000


@pytest.mark.parametrize(("interval_90k", "expected_s"), [(3600, 1.0), (7200, 0.96), (3003, 0.9676), (90_000, 1.0)])
def test_keyframes_come_as_late_as_a_second_allows(interval_90k: int, expected_s: float) -> None:
    packets, _ = encode([index * interval_90k for index in range(60)])
    keyframes = [packet.pts_90k for packet in packets if packet.is_keyframe]
    assert (keyframes[1] - keyframes[0]) / 90_000 == pytest.approx(expected_s, abs=0.01)


def test_live_holds_nothing_back() -> None:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, is_live=True, threads=2)
    for index in range(30):
        assert [packet.pts_90k for packet in encoder.encode(masked(index * 3600))] == [index * 3600]


def test_keyframes_carry_parameter_sets_and_no_packet_carries_sei() -> None:
    packets, encoder = encode([index * 9000 for index in range(35)])
    for packet in packets:
        kinds = [unit[0] & 31 for unit in nal_units(packet.data)]
        assert set(kinds) <= {1, 5, 7, 8}
        assert packet.is_keyframe == (5 in kinds)
        if packet.is_keyframe:
            assert {7, 8} <= set(kinds)
    assert encoder.parameters.codec is Codec.H264
    assert [unit[0] & 31 for unit in nal_units(encoder.parameters.parameter_sets)] == [7, 8]


@pytest.mark.parametrize("is_full_range", [False, True])
def test_the_range_is_written_down(is_full_range: bool) -> None:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, is_full_range=is_full_range, is_live=True)
    (packet,) = encoder.encode(masked(0, is_full_range=is_full_range))
    decoder = av.CodecContext.create("h264", "r")
    pictures = [*decoder.decode(av.Packet(packet.data)), *decoder.decode(None)]
    assert (pictures[0].color_range == 2) == is_full_range, "x264 leaves out the limited range: it is the default"


def test_parameters_are_unknown_before_the_first_packet() -> None:
    with pytest.raises(MediaError, match="unknown"):
        _ = MaskedEncoder(WIDTH_PX, HEIGHT_PX).parameters


def test_an_unmasked_frame_is_refused() -> None:
    frame = Frame(np.zeros((HEIGHT_PX * 3 // 2, WIDTH_PX), np.uint8), 0, 0)
    with pytest.raises(TypeError, match="MaskedFrame"):
        MaskedEncoder(WIDTH_PX, HEIGHT_PX).encode(cast(MaskedFrame, frame))


def test_what_does_not_go_on_is_refused() -> None:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX)
    encoder.encode(masked(100))
    with pytest.raises(MediaError, match="stands still"):
        encoder.encode(masked(100))
    with pytest.raises(MediaError, match="changed"):
        encoder.encode(masked(200, width_px=128))
    with pytest.raises(MediaError, match="changed"):
        encoder.encode(masked(200, is_full_range=True))
    encoder.flush()
    assert encoder.flush() == ()
    with pytest.raises(MediaError, match="flushed"):
        encoder.encode(masked(300))


@pytest.mark.parametrize("width_px", [96, 98, 150])
@pytest.mark.parametrize("height_px", [64, 66, 68, 102])
def test_what_comes_out_is_the_picture_that_went_in(width_px: int, height_px: int) -> None:
    planes = [
        np.full((height_px, width_px), 60),
        np.full((height_px // 2, width_px // 2), 100),
        np.full((height_px // 2, width_px // 2), 180),
    ]
    for plane in planes:
        plane[: plane.shape[0] // 2] += 50  # the upper half differs, in each plane
    i420 = np.concatenate([plane.reshape(-1) for plane in planes]).astype(np.uint8).reshape(-1, width_px)
    encoder = MaskedEncoder(width_px, height_px, is_live=True)
    (packet,) = encoder.encode(paint(Frame(i420, 0, 0), [], Palette()))
    decoder = av.CodecContext.create("h264", "r")
    (picture,) = [*decoder.decode(av.Packet(packet.data)), *decoder.decode(None)]
    assert (picture.width, picture.height) == (width_px, height_px)
    for plane, expected in zip(picture.planes, planes, strict=True):
        pixels = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[: expected.shape[0], : expected.shape[1]]
        assert np.abs(pixels.astype(int) - expected)[[0, 1, -1]].max() <= 6
        assert np.abs(pixels.astype(int) - expected).mean() <= 2


@pytest.mark.parametrize(
    ("size", "preset"),
    [
        ((640, 360), "veryfast"),
        ((1920, 1080), "veryfast"),
        ((1088, 1920), "veryfast"),
        ((2560, 1440), "superfast"),
        ((3840, 2160), "superfast"),
    ],
)
def test_what_is_larger_than_1080p_is_encoded_with_less_effort(size: tuple[int, int], preset: str) -> None:
    assert preset_for(*size) == preset


def test_a_large_picture_gives_the_same_bytes_again_and_one_packet_a_frame() -> None:
    width_px, height_px = 2560, 1440
    noise = np.random.default_rng(3).integers(16, 235, (height_px * 3 // 2, width_px), np.uint8)
    outputs = []
    for _ in range(2):
        encoder = MaskedEncoder(width_px, height_px, threads=2)
        packets = [
            packet
            for index in range(3)
            for packet in encoder.encode(paint(Frame(np.roll(noise, index * 8, axis=1), index * 3600, 0), [], Palette()))
        ]
        packets += encoder.flush()
        assert [packet.pts_90k for packet in packets] == [0, 3600, 7200]
        outputs.append([packet.data for packet in packets])
    assert outputs[0] == outputs[1]
