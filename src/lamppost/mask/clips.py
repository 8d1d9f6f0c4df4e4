"""A masked clip as one MP4 file that any player opens: one video track, and nothing else."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
import av.error
from av.container import OutputContainer
from av.stream import Stream

from lamppost.base.clock import TICKS_PER_S
from lamppost.base.errors import MediaError
from lamppost.model.media import Packet, StreamParameters

# bitexact: not even the muxer's name is written. faststart: a browser can play it while it loads.
_OPTIONS = {"movflags": "+faststart", "fflags": "+bitexact", "video_track_timescale": str(TICKS_PER_S)}


class ClipWriter:
    """Writes packets, all keyframes with parameter sets, to `path`; overwrites what is there.

    The file is whole only after `close`: write beside the final name and rename.
    """

    def __init__(self, path: Path, parameters: StreamParameters) -> None:
        self._path = path
        self._container: OutputContainer | None = None
        try:
            self._container = av.open(f"file:{path.absolute()}", "w", format="mp4", options=_OPTIONS)
            self._stream: Stream = self._container.add_mux_stream(
                parameters.codec.value,
                width=parameters.width_px,
                height=parameters.height_px,
                time_base=Fraction(1, TICKS_PER_S),
            )
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def write(self, packet: Packet) -> None:
        """Append one packet; raises `MediaError` when the file cannot be written."""
        coded: av.Packet[Any] = av.Packet(packet.data)
        coded.stream = self._stream
        coded.time_base = Fraction(1, TICKS_PER_S)
        coded.pts, coded.dts, coded.duration = packet.pts_90k, packet.dts_90k, packet.duration_90k
        coded.is_keyframe = packet.is_keyframe
        if self._container is None:
            raise MediaError(f"{self._path} is closed")
        try:
            self._container.mux(coded)
        except (av.error.FFmpegError, OSError) as error:
            raise self._failure(error) from error

    def close(self) -> None:
        """Write the index and close; raises `MediaError` when the file cannot be written."""
        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (av.error.FFmpegError, OSError) as error:
                raise self._failure(error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def _failure(self, error: Exception) -> MediaError:
        reason = getattr(error, "strerror", None) or "unknown reason"
        return MediaError(f"{self._path} cannot be written: {reason}", remedy="is the disk full or read-only?")
