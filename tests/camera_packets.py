"""Packets as a camera would send them, for tests: encoded here, seeded, with B-frames on request."""

from __future__ import annotations

from fractions import Fraction
from functools import cache

import av
import numpy as np

from lamppost.base.clock import us_from_90k
from lamppost.model.media import Codec, Packet, StreamParameters

WIDTH_PX, HEIGHT_PX, INTERVAL_90K = 160, 128, 3600
START_US = 1_700_000_000_000_000

_PARAMETER_SET_TYPES = {Codec.H264: (7, 8), Codec.HEVC: (32, 33, 34)}


def unit_type(codec: Codec, unit: bytes) -> int:
    return unit[0] & 0x1F if codec is Codec.H264 else unit[0] >> 1 & 0x3F


def is_parameter_set(codec: Codec, unit: bytes) -> bool:
    return unit_type(codec, unit) in _PARAMETER_SET_TYPES[codec]


@cache
def encode(
    codec: Codec = Codec.H264, frames: int = 60, gop: int = 25, b_frames: int = 0, start_us: int = START_US, seed: int = 0
) -> tuple[StreamParameters, tuple[Packet, ...]]:
    """A run of `frames` pictures at 25 fps."""
    context = av.CodecContext.create("libx264" if codec is Codec.H264 else "libx265", "w")
    context.width, context.height, context.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    context.time_base, context.framerate = Fraction(1, 90_000), Fraction(25)
    shared = f"keyint={gop}:min-keyint={gop}:scenecut=0:bframes={b_frames}:b-adapt=0:repeat-headers=1:annexb=1"
    if codec is Codec.H264:
        context.options = {"preset": "veryfast", "threads": "1", "x264-params": shared}
    else:
        context.options = {"preset": "ultrafast", "x265-params": f"{shared}:log-level=none:pools=none:frame-threads=1"}
    noise = np.random.default_rng(seed).integers(0, 60, (HEIGHT_PX, WIDTH_PX), np.uint8)
    encoded: list[av.Packet] = []
    for index in range(frames):
        planes = np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 128, np.uint8)
        planes[:HEIGHT_PX] = np.roll(noise, index, axis=1) + np.uint8(index % 190)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts, frame.time_base = index * INTERVAL_90K, Fraction(1, 90_000)
        encoded += context.encode(frame)
    encoded += context.encode(None)
    packets = tuple(
        Packet(
            data=bytes(p),
            pts_90k=p.pts,
            dts_90k=p.dts,
            duration_90k=INTERVAL_90K,
            wall_us=start_us + us_from_90k(p.pts),
            is_keyframe=p.is_keyframe,
        )
        for p in encoded
    )
    return StreamParameters(codec, b"", WIDTH_PX, HEIGHT_PX, INTERVAL_90K), packets
