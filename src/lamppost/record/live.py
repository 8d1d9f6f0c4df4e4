"""Cuts masked packets into live fragments of one picture each, every one stamped with the time it was taken.

A picture is on its way as soon as it is encoded; how long it lasts is only known
when the next one comes, so that it is told as the one before it lasted.
"""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.base.clock import TICKS_PER_S
from lamppost.model.media import MaskedPacket, StreamParameters
from lamppost.record.fmp4 import Sample, length_prefixed, make_chunk, make_init, make_prft

_DEFAULT_INTERVAL_90K = TICKS_PER_S // 25


@dataclass(frozen=True, slots=True)
class LiveFragment:
    """`prft`, `moof` and `mdat` of one masked picture; a stream may begin with it when it is a keyframe."""

    data: bytes
    is_keyframe: bool


class LiveMuxer:
    """Makes the live fragments of one masked run.

    The timeline begins at 0 with the first packet, a keyframe. A picture is said to last as long as the one before it
    did, one second at most, and no less than its nominal duration: a browser stops at a hole of some frames between
    two pictures, and takes no harm when the next one comes before the last has ended.
    """

    def __init__(self, parameters: StreamParameters, first: MaskedPacket) -> None:
        """Raises `UnsupportedStream` when `first` does not carry its parameter sets."""
        self.init = make_init(parameters, first)
        self._nominal_90k = first.duration_90k or parameters.frame_interval_90k or _DEFAULT_INTERVAL_90K
        self._origin_pts_90k, self._origin_dts_90k = first.pts_90k, first.dts_90k
        self._last_dts_90k = first.dts_90k
        self._number = 0

    def take(self, packet: MaskedPacket) -> LiveFragment:
        """The fragment of `packet`."""
        decode_90k, media_90k = packet.dts_90k - self._origin_dts_90k, packet.pts_90k - self._origin_pts_90k
        step_90k, self._last_dts_90k = packet.dts_90k - self._last_dts_90k, packet.dts_90k
        sample = Sample(
            payload=length_prefixed(packet.data, packet.borders),
            duration_90k=max(self._nominal_90k, min(step_90k, TICKS_PER_S)),
            offset_90k=media_90k - decode_90k,
            is_keyframe=packet.is_keyframe,
        )
        self._number += 1
        chunk = make_chunk(self._number, decode_90k, (sample,))
        return LiveFragment(make_prft(packet.wall_us, media_90k) + chunk, packet.is_keyframe)
