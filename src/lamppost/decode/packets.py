"""From a camera's packets to frames, with every damaged one marked.

A stream that lost a packet decodes on and looks nearly right, which is the
worst input that a masker can get: so whatever follows damage is marked until
the next intact entry point has come out of the decoder.
"""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

from collections import OrderedDict
from typing import Any

import av
import av.error
import numpy as np
from av.video.codeccontext import VideoCodecContext
from numpy.typing import NDArray

from lamppost.base.errors import MediaError, UnsupportedStream
from lamppost.decode.continuity import Continuity
from lamppost.decode.pictures import halve, to_i420
from lamppost.model.media import Packet, StreamParameters
from lamppost.model.vision import Frame

# More pictures than any decoder holds back (16 for reordering, some for threads).
_HELD_LIMIT = 64
_SILENT_LIMIT = 24


class PacketDecoder:
    """Decodes the packets of one run.

    Frames carry the times of their packets. A frame is not intact when its
    packet was corrupt or undecodable, when a reference was missing, and from
    there on until an intact IDR (H.265: random access point) comes out.
    A picture that the decoder swallows gives no frame; `is_damaged` tells.

    With `is_halved` frames have half the width and height, but for small ones (`halved_size`).
    """

    def __init__(self, parameters: StreamParameters, *, threads: int = 1, is_halved: bool = False) -> None:
        self._parameters = parameters
        self._is_halved = is_halved
        self._least_step_90k = 0
        self._is_alone = False
        self._last_out_90k: int | None = None
        self._is_out_damaged = False  # a picture that was left out since the last frame
        try:
            self._context: VideoCodecContext | None = av.CodecContext.create(parameters.codec.value, "r")
            self._context.thread_count = threads
            self._context.extradata = parameters.parameter_sets or None
        except (av.error.FFmpegError, ValueError) as error:
            raise UnsupportedStream(f"FFmpeg has no decoder for {parameters.codec.value}") from error
        self._continuity = Continuity(parameters.codec, parameters.parameter_sets)
        self._wall_us: OrderedDict[int, int] = OrderedDict()
        self._is_damaged = True  # until the first entry point
        self._entry_pts_90k: int | None = None
        self._silent_packets = 0
        self._size: tuple[int, int] | None = None

    @property
    def is_damaged(self) -> bool:
        """True from the first sign of damage until an intact entry point has come out."""
        return self._is_damaged

    def thin(self, least_step_90k: int) -> None:
        """From now on give a frame only every `least_step_90k`, 0 for each one.

        The others are decoded as far as references need them, and not copied. Damage in between marks the next frame.
        """
        self._least_step_90k = least_step_90k
        if self._context is not None:
            self._context.skip_frame = "NONREF" if least_step_90k else "DEFAULT"

    def decode_alone(self, *, is_alone: bool) -> tuple[Frame, ...]:
        """From now on expect keyframes alone, each of which gives its frame at once; or, again, all packets.

        To be called before a keyframe. Returns the frames that were held back.
        """
        frames = self._run(None) if is_alone != self._is_alone else ()
        self._is_alone = is_alone
        self._start_over()
        return frames

    def decode(self, packet: Packet) -> tuple[Frame, ...]:
        """The frames that `packet` lets out: none, one or more, in order of pts.

        Raises `UnsupportedStream` when the picture size changes: start a new run.
        """
        verdict = self._continuity.judge(packet.data)
        if packet.is_corrupt or verdict.is_broken:
            self._note_damage()
        elif verdict.is_entry and self._is_damaged:
            self._entry_pts_90k = packet.pts_90k
        self._wall_us[packet.pts_90k] = packet.wall_us
        if len(self._wall_us) > _HELD_LIMIT:
            self._wall_us.popitem(last=False)
        coded: av.Packet[Any] = av.Packet(packet.data)
        coded.pts, coded.dts = packet.pts_90k, packet.dts_90k
        self._silent_packets += 1
        frames = self._run(coded)
        if self._is_alone:
            # A decoder that reorders would keep a keyframe until pictures come that were left out.
            frames += self._run(None)
            self._start_over()
        if self._silent_packets > _SILENT_LIMIT:
            self._note_damage()
        return frames

    def flush(self) -> tuple[Frame, ...]:
        """The frames still held back at the end of the run; `decode` no more after it."""
        return self._run(None)

    def close(self) -> None:
        """Let go of the decoder; a second call does nothing."""
        self._context = None

    def _start_over(self) -> None:
        if self._context is not None:
            self._context.flush_buffers()
        self._wall_us.clear()

    def _run(self, coded: av.Packet[Any] | None) -> tuple[Frame, ...]:
        if self._context is None:
            return ()
        try:
            pictures = self._context.decode(coded)
        except av.error.EOFError:
            return ()
        except av.error.FFmpegError:
            self._note_damage()
            return ()
        if pictures:
            self._silent_packets = 0
        frames: list[Frame] = []
        for picture in pictures:
            frame = self._frame_of(picture)
            if frame is not None:
                frames.append(frame)
        return tuple(frames)

    def _frame_of(self, picture: av.VideoFrame) -> Frame | None:
        pts_90k = picture.pts
        if pts_90k is None or pts_90k not in self._wall_us:
            self._note_damage()  # not a picture of any packet that we sent
            return None
        self._check_size(picture)
        if picture.is_corrupt:
            self._note_damage()
        elif self._entry_pts_90k is not None and pts_90k >= self._entry_pts_90k:
            self._is_damaged, self._entry_pts_90k = False, None
        wall_us = self._wall_us.pop(pts_90k)
        is_intact = not (self._is_damaged or self._is_out_damaged)
        if self._is_left_out(pts_90k):
            self._is_out_damaged = not is_intact
            return None
        self._last_out_90k, self._is_out_damaged = pts_90k, False
        i420, is_full_range = self._pixels_of(picture)
        return Frame(i420, pts_90k, wall_us, is_full_range, is_intact=is_intact)

    def _is_left_out(self, pts_90k: int) -> bool:
        last_90k, least_90k = self._last_out_90k, self._least_step_90k
        # An eighth of slack: timestamps tremble, and five pictures a second shall not become four.
        return bool(least_90k) and last_90k is not None and 0 <= pts_90k - last_90k < least_90k - least_90k // 8

    def _pixels_of(self, picture: av.VideoFrame) -> tuple[NDArray[np.uint8], bool]:
        try:
            i420, is_full_range = to_i420(picture)
        except MediaError as error:
            raise UnsupportedStream(error.problem) from error
        return (halve(i420) if self._is_halved else i420), is_full_range

    def _note_damage(self) -> None:
        self._is_damaged, self._entry_pts_90k = True, None

    def _check_size(self, picture: av.VideoFrame) -> None:
        size = (picture.width, picture.height)
        if self._size is not None and size != self._size:
            raise UnsupportedStream(
                f"the picture size changed from {self._size[0]}x{self._size[1]} to {size[0]}x{size[1]} within a run",
                remedy="it is decoded again as a new run",
            )
        self._size = size
