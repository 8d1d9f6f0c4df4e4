"""What a stream that is pushed by the loop tells its owner: it opened, a picture came, it ended."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from lamppost.base.errors import CameraError
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec

Transport = Literal["tcp", "udp"]
"""How RTP comes: within the RTSP connection, or in datagrams of its own."""


@dataclass(frozen=True, slots=True)
class StreamFacts:
    """What is known of a stream before its first picture.

    `parameter_sets` are those told out of band (SDP), Annex B with four-byte start codes, empty when
    there are none. `nominal_interval_90k` is 0, and `origin_90k` None, where nothing was said.
    `follows_arrival` is false for sources that no clock paces.
    """

    codec: Codec
    parameter_sets: bytes = b""
    nominal_interval_90k: int = 0
    origin_90k: int | None = None
    follows_arrival: bool = True


@dataclass(frozen=True, slots=True)
class Counters:
    """What came on one stream since it was opened.

    Packets are those of the network (pictures, where there is none), bytes those of pictures;
    `reordered` counts packets that came late, or twice. `clock_off_s` is how far the camera's clock is ahead of ours, by its last
    report; None where it tells none, or has no date set.
    """

    packets: int = 0
    bytes: int = 0
    lost_packets: int = 0
    reordered: int = 0
    clock_off_s: float | None = None


class StreamSink(Protocol):
    """The owner of a stream. Called in the loop's thread alone; must not wait.

    It may close the stream from within, and may raise `CameraError` in `units`: the stream ends with it.

    First `opened`, once, if it comes so far; then `units`, as often as something came; last `ended`,
    once, with the reason. After the owner called `close` nothing is called any more.
    """

    def opened(self, facts: StreamFacts) -> None: ...

    def units(self, units: Sequence[AccessUnit]) -> None: ...

    def ended(self, error: CameraError) -> None: ...


class Stream(Protocol):
    """A stream that is being opened or is open."""

    @property
    def counters(self) -> Counters: ...

    def close(self) -> None:
        """Let go of the connection, in good order where that needs no waiting; may be called twice."""
        ...
