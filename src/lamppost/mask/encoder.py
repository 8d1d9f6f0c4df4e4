"""From masked frames to packets: H.264 made afresh, from nothing but the painted pixels.

Neither metadata nor side data of the source can get in, since there is no way
to hand them over; SEI NAL units (x264 writes its settings into one) are cut out.
"""

# pyright: reportUnknownMemberType=false, reportUnknownArgumentType=false, reportUnknownVariableType=false
from __future__ import annotations

from collections import OrderedDict
from fractions import Fraction
from typing import Any, cast

import av
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext
from av.video.frame import PictureType
from av.video.reformatter import ColorRange

from lamppost.base.annexb import nal_units
from lamppost.base.clock import TICKS_PER_S
from lamppost.base.errors import MediaError
from lamppost.model.i420 import planes_of
from lamppost.model.media import Codec, MaskedPacket, StreamParameters
from lamppost.model.vision import MaskedFrame

_GOP_90K = TICKS_PER_S
_SEI, _SPS, _PPS, _DELIMITER = 6, 7, 8, 9
_HELD_LIMIT = 256  # more than x264 ever looks ahead
_DEFAULT_INTERVAL_90K = 3600
# Measured on masked street clips (docs/benchmarks.md, "Encoder"): up to 1080p `superfast` would take a third less of the
# processor and 18 to 35% more bytes; above that it takes a third less and 2% more.
_VERYFAST_UP_TO_PX = 1920 * 1088


def preset_for(width_px: int, height_px: int) -> str:
    """The preset of x264 for pictures of that size: the same for files and for what is live."""
    return "veryfast" if width_px * height_px <= _VERYFAST_UP_TO_PX else "superfast"


class MaskedEncoder:
    """Encodes one run of masked frames: x264, preset by `preset_for`, crf 23, closed GOPs of at most 1 s.

    Keyframes are set by stream time, so that they hold at any frame rate. There
    are no B-frames: they would hold each live frame back by two or more, and
    every chunk can carry exactly one picture in order. `is_live` also turns the
    encoder's look-ahead off: a packet for every frame, at once. The same frames
    always give the same bytes, however the threads run.
    """

    def __init__(
        self,
        width_px: int,
        height_px: int,
        *,
        frame_interval_90k: int = 0,
        is_full_range: bool = False,
        colours: tuple[int, int, int] = (2, 2, 2),
        sample_aspect: Fraction = Fraction(1),
        threads: int = 1,
        is_live: bool = False,
    ) -> None:
        """`colours` are primaries, transfer and matrix as ITU-T H.273 numbers them; 2 is unspecified.

        `sample_aspect` is a pixel's width over its height.
        """
        self._size = (width_px, height_px)
        self._is_full_range = is_full_range
        self._interval_90k = frame_interval_90k or _DEFAULT_INTERVAL_90K
        self._nominal_interval_90k = frame_interval_90k
        self._context: VideoCodecContext | None = self._open(threads, is_live, colours, sample_aspect)
        self._last_pts_90k: int | None = None
        self._last_key_90k = 0
        self._held: OrderedDict[int, tuple[int, int]] = OrderedDict()
        self._parameters: StreamParameters | None = None

    def _open(self, threads: int, is_live: bool, colours: tuple[int, int, int], sample_aspect: Fraction) -> VideoCodecContext:
        try:
            context = av.CodecContext.create("libx264", "w")
            context.width, context.height, context.pix_fmt = *self._size, "yuv420p"
            context.time_base = Fraction(1, TICKS_PER_S)
            context.framerate = Fraction(TICKS_PER_S, self._interval_90k)
            context.color_range = (ColorRange.JPEG if self._is_full_range else ColorRange.MPEG).value
            context.color_primaries, context.color_trc, context.colorspace = colours
            context.sample_aspect_ratio = sample_aspect
            context.thread_count = threads
            options = {"preset": preset_for(*self._size), "crf": "23", "bf": "0", "g": "600", "forced-idr": "1"}
            # x264's macroblock tree does not give the same bytes for the same pictures twice (seen in 1 of 50
            # encodes, also on one thread): what decides there is memory that it never wrote. It stays off.
            options["mbtree"] = "0"
            # FFmpeg would otherwise copy captions and SEI of a frame; ours has none, and so it stays.
            options |= {"a53cc": "0", "udu_sei": "0"}
            if is_live:
                options["tune"] = "zerolatency"
            context.options = options
            context.open()
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"x264 does not take pictures of {self._size[0]}x{self._size[1]}") from error
        return context

    @property
    def parameters(self) -> StreamParameters:
        """How to decode the packets; known once the first one has come out. Raises `MediaError` before."""
        if self._parameters is None:
            raise MediaError("no packet has been encoded yet, so its parameters are unknown")
        return self._parameters

    def encode(self, frame: MaskedFrame) -> tuple[MaskedPacket, ...]:
        """The packets that `frame` lets out, in order. `pts_90k` must increase.

        Raises `MediaError` when size, range or time do not go on as they began.
        """
        # The type is the promise; a caller without a type checker is held to it as well.
        if type(frame) is not MaskedFrame:
            raise TypeError(f"only a MaskedFrame may be encoded, not {type(frame).__name__}")
        if (frame.width_px, frame.height_px) != self._size or frame.is_full_range != self._is_full_range:
            raise MediaError(f"the picture's size or range changed within a run (it began with {self._size[0]}x{self._size[1]})")
        if self._last_pts_90k is not None and frame.pts_90k <= self._last_pts_90k:
            raise MediaError(f"time stands still at pts {frame.pts_90k}")
        picture = _picture_of(frame)
        picture.pts, picture.time_base = frame.pts_90k, Fraction(1, TICKS_PER_S)
        picture.color_range = (ColorRange.JPEG if self._is_full_range else ColorRange.MPEG).value
        picture.pict_type = PictureType.I if self._is_key_due(frame.pts_90k) else PictureType.NONE
        duration_90k = self._nominal_interval_90k or self._interval_90k
        self._held[frame.pts_90k] = (frame.wall_us, duration_90k)
        if len(self._held) > _HELD_LIMIT:
            self._held.popitem(last=False)
        return self._run(picture)

    def flush(self) -> tuple[MaskedPacket, ...]:
        """The packets still held back; `encode` no more after it."""
        packets = self._run(None)
        self._context = None
        return packets

    def _is_key_due(self, pts_90k: int) -> bool:
        """True where a GOP that also took this picture would last over 1 s."""
        if self._last_pts_90k is not None:
            self._interval_90k = pts_90k - self._last_pts_90k
        is_due = self._last_pts_90k is None or pts_90k + self._interval_90k - self._last_key_90k > _GOP_90K
        self._last_pts_90k = pts_90k
        if is_due:
            self._last_key_90k = pts_90k
        return is_due

    def _run(self, picture: av.VideoFrame | None) -> tuple[MaskedPacket, ...]:
        if self._context is None:
            if picture is None:
                return ()
            raise MediaError("the encoder was flushed and takes no more frames")
        try:
            return tuple(self._packet_of(coded) for coded in self._context.encode(picture))
        except av.error.FFmpegError as error:
            raise MediaError(f"x264 failed: {error.strerror}") from error

    def _packet_of(self, coded: av.Packet[Any]) -> MaskedPacket:
        units = [unit for unit in nal_units(bytes(coded)) if unit[0] & 31 not in (_SEI, _DELIMITER)]
        pts_90k = coded.pts or 0
        wall_us, duration_90k = self._held.pop(pts_90k)
        if self._parameters is None:
            sets = [unit for unit in units if unit[0] & 31 in (_SPS, _PPS)]
            self._parameters = StreamParameters(Codec.H264, _annexb(sets), *self._size, self._nominal_interval_90k)
        return MaskedPacket(_annexb(units), pts_90k, coded.dts or 0, duration_90k, wall_us, coded.is_keyframe)


def _picture_of(frame: MaskedFrame) -> av.VideoFrame:
    """A fresh picture of FFmpeg's: it has no side data and never had any."""
    if frame.height_px % 4 == 0:
        return av.VideoFrame.from_numpy_buffer(frame.i420, "yuv420p")
    # PyAV takes the height from the rows of the array, rounded down to a multiple of four.
    picture = av.VideoFrame(frame.width_px, frame.height_px, "yuv420p")
    for plane, pixels in zip(picture.planes, planes_of(frame.i420), strict=True):
        memory = np.frombuffer(cast("memoryview", plane), np.uint8).reshape(-1, plane.line_size)
        memory[: pixels.shape[0], : pixels.shape[1]] = pixels
    return picture


def _annexb(units: list[bytes]) -> bytes:
    return b"".join(b"\x00\x00\x00\x01" + unit for unit in units)
