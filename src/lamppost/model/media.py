"""What a camera sends: streams, packets, gaps; and what is made of them: fragments."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lamppost.base.annexb import Borders


class Codec(StrEnum):
    """Video codecs that Lamppost records and masks (FFmpeg's names)."""

    H264 = "h264"
    HEVC = "hevc"


class GapCause(StrEnum):
    """Why nothing was recorded (or nothing intact), as kept in the index."""

    STARTING = "starting"  # from the start of the camera's thread to its first keyframe
    STOPPED = "stopped"  # Lamppost was stopped on purpose
    RECORDER_DIED = "recorder_died"  # the open fragment and the time until restart
    CAMERA_UNREACHABLE = "camera_unreachable"
    CAMERA_REFUSED = "camera_refused"
    UNSUPPORTED_STREAM = "unsupported_stream"
    STREAM_ENDED = "stream_ended"
    STREAM_STALLED = "stream_stalled"
    TIMESTAMP_JUMP = "timestamp_jump"  # pts went on by more than 1.5 frames
    DAMAGED = "damaged"  # packets flagged corrupt by the transport
    PACKETS_LOST = "packets_lost"  # the network lost parts of pictures on their way
    CLOCK_STEPPED = "clock_stepped"
    SEAL_UNAVAILABLE = "seal_unavailable"  # no epoch could be prepared
    STORE_FAILED = "store_failed"  # disk full, read-only or failing
    STORE_SLOW = "store_slow"  # the disk could not take it as fast as it came
    HELD = "held"  # the disk is full of footage that is held, and nothing may be deleted
    NOT_SCHEDULED = "not_scheduled"  # the camera's schedule says so
    REMOVED = "removed"  # the camera was taken out of the configuration
    DISCARDED = "discarded"  # recovery cut a torn or unreadable tail


@dataclass(frozen=True, slots=True)
class StreamParameters:
    """How to decode a run of packets.

    `parameter_sets` holds SPS and PPS (and VPS) as Annex B NAL units with
    four-byte start codes. `frame_interval_90k` is nominal, 0 when unknown.
    """

    codec: Codec
    parameter_sets: bytes
    width_px: int
    height_px: int
    frame_interval_90k: int = 0


@dataclass(frozen=True, slots=True)
class Packet:
    """One encoded picture (access unit) as the camera sent it.

    `data` is Annex B. `pts_90k` counts from 0 at the start of the run (B-frames
    may come before the keyframe they follow in decoding order); `dts_90k`
    strictly increases within a run and is never above `pts_90k`. `wall_us` is
    the UTC time of `pts_90k`. `borders` tell where its NAL units begin, each
    behind a start code of four bytes; empty where that is not known.
    """

    data: bytes
    pts_90k: int
    dts_90k: int
    duration_90k: int
    wall_us: int
    is_keyframe: bool
    is_corrupt: bool = False
    borders: Borders = ()


@dataclass(frozen=True, slots=True)
class MaskedPacket(Packet):
    """A packet in which nothing but masked frames was encoded; the masked encoder alone makes it."""


@dataclass(frozen=True, slots=True)
class RunStarted:
    """A new run begins: the next packet is a keyframe with pts 0."""

    parameters: StreamParameters


@dataclass(frozen=True, slots=True)
class Gap:
    """An interval of UTC in which packets are missing or damaged, and why."""

    start_us: int
    end_us: int
    cause: GapCause
    detail: str = ""


SessionItem = RunStarted | Packet | Gap
"""What a session with a camera yields, in order; a run always starts first."""


@dataclass(frozen=True, slots=True)
class Fragment:
    """One CMAF chunk, complete by itself: `moof` and `mdat` boxes.

    `start_us`/`end_us` are UTC; `first_pts_90k` is on the run's clock;
    `is_sync` says that it opens with a keyframe.
    """

    data: bytes
    first_pts_90k: int
    start_us: int
    end_us: int
    frames: int
    is_sync: bool
