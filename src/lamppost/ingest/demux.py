"""Opens FFmpeg's demuxers with as few doors as possible, and no decoder at all.

Protocols and file formats are allow-lists; `codec_whitelist` names a codec that
does not exist, so that FFmpeg's probing decodes nothing: a hostile stream meets
a demuxer and a parser only, and opening takes one packet instead of seconds.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
from av import error as ffmpeg
from av.bitstream import BitStreamFilterContext
from av.container import InputContainer
from av.video.stream import VideoStream

from lamppost.base.clock import TICKS_PER_S
from lamppost.base.errors import CameraError, UnsupportedStream
from lamppost.ingest.ffmpeg_errors import translate
from lamppost.ingest.locator import Locator
from lamppost.ingest.timestamps import ticks_90k
from lamppost.model.media import Codec

_FORMATS = "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,mpegts,h264,hevc,avi"
_NO_DECODER = {"codec_whitelist": "none"}
_MOST_FPS = 240


@dataclass(frozen=True, slots=True)
class RawPacket:
    """A demuxed access unit, Annex B; times in 90 kHz ticks, None where missing."""

    data: bytes
    pts_90k: int | None
    dts_90k: int | None
    duration_90k: int
    is_corrupt: bool


class Demuxer:
    """One open input and its first video stream.

    `packets` and the constructor raise `CameraError`, within `timeout_s` on a disk that answers nothing.
    """

    def __init__(self, locator: Locator, timeout_s: float) -> None:
        self._locator = locator
        self._timeout_s = timeout_s
        self._container = self._open()
        try:
            self._stream = self._pick_stream()
            self.codec = self._codec()
            extradata: bytes = self._stream.codec_context.extradata or b""
            self.parameter_sets = extradata if extradata.startswith((b"\0\0\1", b"\0\0\0\1")) else b""
            rate = self._stream.average_rate
            self.nominal_interval_90k = round(TICKS_PER_S / rate) if rate and 0 < rate <= _MOST_FPS else 0
            # The bytes of a file may be length-prefixed.
            self._filter = BitStreamFilterContext(f"{self.codec}_mp4toannexb", self._stream)
        except CameraError:
            self.close()
            raise

    def _open(self) -> InputContainer:
        failure: CameraError
        options = {**_NO_DECODER, "protocol_whitelist": "file", "format_whitelist": _FORMATS}
        try:
            return av.open(f"file:{self._locator.path}", mode="r", options=options, timeout=(self._timeout_s, self._timeout_s))
        except ffmpeg.FFmpegError as error:
            failure = translate(error, self._locator, doing="opening")
        # Raised outside the handler: inside, the original with its URL would stay attached as context.
        raise failure

    def _pick_stream(self) -> VideoStream:
        if not self._container.streams.video:
            raise UnsupportedStream(f"{self._locator.shown} sends no video", remedy="choose a stream that carries H.264 or H.265 video")
        return self._container.streams.video[0]

    def _codec(self) -> Codec:
        # Without a decoder there is no codec context, but the stream still knows its name.
        context: Any = self._stream.codec_context
        name = context.name if context is not None else "an unknown codec"
        if name not in set(Codec):
            raise UnsupportedStream(f"{self._locator.shown} sends {name}, which is not read", remedy="set the camera to H.264 or H.265")
        return Codec(name)

    def packets(self) -> Iterator[RawPacket]:
        """Yield access units until the file ends."""
        demuxed = iter(self._container.demux(self._stream))
        while True:
            failure: CameraError | None = None
            packets: list[Any] = []
            try:
                packet = next(demuxed, None)
                if packet is None:
                    return
                packets = self._to_annex_b(packet)
            except ffmpeg.FFmpegError as error:
                failure = translate(error, self._locator, doing="reading")
            if failure is not None:
                raise failure
            for ready in packets:
                if ready.size:
                    yield _raw(ready, self._stream.time_base or Fraction(1, TICKS_PER_S))

    def _to_annex_b(self, packet: Any) -> list[Any]:
        if not packet.size:
            return [packet]
        bitstream: Any = self._filter
        return list(bitstream.filter(packet))

    def rewind(self) -> None:
        """Start a file from its beginning; raises `CameraError`."""
        self.close()
        self._container = self._open()
        self._stream = self._pick_stream()
        self._filter = BitStreamFilterContext(f"{self.codec}_mp4toannexb", self._stream)

    def close(self) -> None:
        with contextlib.suppress(ffmpeg.FFmpegError):
            self._container.close()


def _raw(packet: Any, time_base: Fraction) -> RawPacket:
    base = packet.time_base or time_base
    return RawPacket(
        bytes(packet),
        None if packet.pts is None else ticks_90k(packet.pts, base),
        None if packet.dts is None else ticks_90k(packet.dts, base),
        ticks_90k(packet.duration, base) if packet.duration else 0,
        bool(packet.is_corrupt),
    )
