"""From a clip of any kind that FFmpeg reads to upright frames, one after another."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import av
import av.error
from av.container import InputContainer
from av.sidedata.sidedata import SideDataContainer
from av.sidedata.sidedata import Type as SideDataType
from av.video.stream import VideoStream

from lamppost.base.clock import TICKS_PER_S, us_from_90k
from lamppost.base.errors import MediaError
from lamppost.decode.pictures import to_i420, turn
from lamppost.model.vision import Frame

# Formats that are lists of other files: one file in, no other file is read.
_PLAYLISTS = frozenset({"hls", "concat", "dash", "imf", "image2", "sdp", "vapoursynth"})
_DEFAULT_RATE = 25
_BT601 = 6  # matrix coefficients, ITU-T H.273
# A pause between two frames that is longer than this was a broken clock, not a slow clip.
_LONGEST_STEP_S = 3600


@dataclass(frozen=True, slots=True)
class Colours:
    """How a clip's colours are to be shown (ITU-T H.273 code points); 2 is unspecified."""

    primaries: int = 2
    transfer: int = 2
    matrix: int = 2


class FileFrames:
    """The frames of one clip, in order of pts, which starts at 0 and strictly increases.

    Turned upright as the display matrix says. Frames after damage are not
    intact until the next intact keyframe. Audio, subtitles, chapters and
    metadata are never read.

    Raises `MediaError` when `path` is not a clip; iterating raises it when
    nothing of it can be decoded or the picture size changes midway.
    """

    def __init__(self, path: Path, *, threads: int = 1) -> None:
        self.path = path
        self._container = _open(path)
        self._stream = _first_video(self._container, path)
        self._stream.codec_context.thread_count = threads
        self._seen_frames = 0
        self._last_pts_90k = 0
        self._offset_90k: int | None = None
        self._is_damaged = False
        self._size: tuple[int, int] | None = None
        self.colours = Colours()
        self.sample_aspect = Fraction(1)

    @property
    def nominal_frames(self) -> int:
        """How many frames the container promises; 0 when it does not say."""
        if self._stream.frames:
            return self._stream.frames
        duration = self._container.duration
        return round(float(self._rate) * duration / 1_000_000) if duration else 0

    @property
    def missing_frames(self) -> int:
        """After the last frame: how many the container promised and did not hold; 0 when it does not say."""
        return max(0, self._stream.frames - self._seen_frames)

    @property
    def frame_interval_90k(self) -> int:
        """The nominal time between two frames."""
        return max(1, round(TICKS_PER_S / self._rate))

    def again(self) -> FileFrames:
        """The same clip from its start, read apart from this one."""
        return FileFrames(self.path, threads=self._stream.codec_context.thread_count)

    def close(self) -> None:
        """Close the file; a second call does nothing."""
        self._container.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def __iter__(self) -> Iterator[Frame]:
        for picture in self._pictures():
            yield self._frame_of(picture)
        if not self._seen_frames:
            raise MediaError(f"no picture of {self.path} can be decoded")

    @property
    def _rate(self) -> Fraction:
        rate = self._stream.average_rate or self._stream.guessed_rate
        return Fraction(rate) if rate and 0 < rate <= 1000 else Fraction(_DEFAULT_RATE)

    def _pictures(self) -> Iterator[av.VideoFrame]:
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets, None)
            except av.error.FFmpegError:
                return  # the container breaks off here; what came before it stands
            if packet is None:
                return
            if packet.is_corrupt:
                self._is_damaged = True
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                self._is_damaged = True

    def _frame_of(self, picture: av.VideoFrame) -> Frame:
        if not self._seen_frames:
            # RGB (matrix 0) becomes YUV by BT.601 in `to_i420`; a player must not take that for RGB.
            self.colours = Colours(picture.color_primaries, picture.color_trc, picture.colorspace or _BT601)
        try:
            i420, is_full_range = to_i420(picture)
        except MediaError as error:
            raise MediaError(f"{self.path}: {error.problem}") from error
        quarter_turns, is_mirrored = _orientation(picture)
        i420 = turn(i420, quarter_turns, is_mirrored=is_mirrored)
        if not self._seen_frames:
            self.sample_aspect = _sample_aspect(self._stream, is_on_its_side=quarter_turns % 2 == 1)
        size = (i420.shape[1], i420.shape[0])
        if self._size is not None and size != self._size:
            raise MediaError(f"{self.path} changes its picture size midway", remedy="cut it there into two clips")
        self._size = size
        if picture.is_corrupt:
            self._is_damaged = True
        elif picture.key_frame:
            self._is_damaged = False
        pts_90k = self._next_pts(picture)
        return Frame(i420, pts_90k, us_from_90k(pts_90k), is_full_range, is_intact=not self._is_damaged)

    def _next_pts(self, picture: av.VideoFrame) -> int:
        """The picture's time; made up from the nominal rate where the file has none or a broken one."""
        expected = self._last_pts_90k + self.frame_interval_90k if self._seen_frames else 0
        self._seen_frames += 1
        stamped = None
        if picture.pts is not None and picture.time_base is not None:
            stamped = round(picture.pts * picture.time_base * TICKS_PER_S)
        if stamped is None:
            pts_90k = expected
        else:
            if self._offset_90k is None:
                self._offset_90k = expected - stamped
            pts_90k = stamped + self._offset_90k
            is_broken = pts_90k - self._last_pts_90k > _LONGEST_STEP_S * TICKS_PER_S or pts_90k < self._last_pts_90k - TICKS_PER_S
            if is_broken:
                self._offset_90k = expected - stamped
                pts_90k = expected
        if self._seen_frames > 1:
            pts_90k = max(pts_90k, self._last_pts_90k + 1)
        self._last_pts_90k = pts_90k
        return pts_90k


def _open(path: Path) -> InputContainer:
    if not path.is_file():
        raise MediaError(f"{path} is not a file")
    try:
        # `file:` before an absolute path: no name can look like another protocol.
        container = av.open(f"file:{path.absolute()}", "r", options={"protocol_whitelist": "file"}, metadata_errors="replace")
    except (av.error.FFmpegError, OSError, ValueError) as error:
        raise MediaError(f"{path} cannot be read as a clip", remedy="is it a video file, and whole?") from error
    if _PLAYLISTS & set(container.format.name.split(",")):
        container.close()
        raise MediaError(f"{path} is a list of other files, not a clip", remedy="name the clips themselves")
    return container


def _first_video(container: InputContainer, path: Path) -> VideoStream:
    for stream in container.streams.video:
        # An attached picture is a cover, not a clip; a stream of no known codec has no context.
        if "attached_pic" not in str(stream.disposition) and getattr(stream, "codec_context", None) is not None:
            return stream
    container.close()
    raise MediaError(f"{path} holds no video")


def _orientation(picture: av.VideoFrame) -> tuple[int, bool]:
    """Quarter turns counter-clockwise, and a mirror before them, from the display matrix.

    The matrix (ISO/IEC 14496-12, 6.2.2) maps (x, y), y downwards, to
    (a x + c y, b x + d y), in 16.16 fixed point.
    """
    try:
        matrix = cast("SideDataContainer", picture.side_data)[SideDataType.DISPLAYMATRIX]
    except KeyError:
        return 0, False
    a, b, _, c, d = struct.unpack_from("<5i", bytes(cast("memoryview", matrix)))
    is_mirrored = a * d - b * c < 0
    if is_mirrored:
        a, b = -a, -b
    if abs(a) >= abs(b):
        return (0 if a >= 0 else 2), is_mirrored
    # b > 0: the x axis turns to point down, which is clockwise.
    return (3 if b > 0 else 1), is_mirrored


def _sample_aspect(stream: VideoStream, *, is_on_its_side: bool) -> Fraction:
    """A pixel's width over its height, as it stands upright; 1 when it is not said or absurd."""
    aspect = stream.sample_aspect_ratio
    if aspect is None or not Fraction(1, 10) <= aspect <= 10:
        return Fraction(1)
    return 1 / Fraction(aspect) if is_on_its_side else Fraction(aspect)
