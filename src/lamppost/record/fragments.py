"""Cuts a run of packets into CMAF chunks, each complete by itself.

A chunk is the smallest thing that is kept or lost as a whole, so it is cut at
each keyframe and at least every second.
"""

from __future__ import annotations

from lamppost.base.clock import TICKS_PER_S, us_from_90k
from lamppost.base.errors import TimestampError
from lamppost.model.media import Fragment, Packet, StreamParameters
from lamppost.record.fmp4 import Sample, length_prefixed, make_chunk, make_init

FRAGMENT_MAX_BYTES = 16 * 1024 * 1024
"""A fragment is cut before it holds more than this, whatever its timestamps say."""

_DEFAULT_INTERVAL_90K = TICKS_PER_S // 25


class FragmentMuxer:
    """Makes fragments of the packets of one run (or of one masked segment).

    The packets before a cut come out when the packet after it is written, or at
    `close`. The decode timeline starts at 0 with the first packet; presentation
    times are the packets' own, counted from the first packet's pts. With
    reordered pictures composition offsets may be negative (`trun` version 1).
    """

    def __init__(self, parameters: StreamParameters) -> None:
        self._parameters = parameters
        self._init = b""
        self._pending: list[Packet] = []
        self._pending_bytes = 0
        self._number = 0
        self._origin_dts_90k = 0
        self._origin_pts_90k = 0

    @property
    def init(self) -> bytes:
        """`ftyp` and `moov`; empty until the first packet was written."""
        return self._init

    def write(self, packet: Packet) -> tuple[Fragment, ...]:
        """Take `packet`; return the fragment that it completed, if any.

        Raises `TimestampError` when decode time does not go on, and
        `UnsupportedStream` when the first packet is no usable keyframe.
        """
        if not self._init:
            self._start(packet)
        elif self._pending and packet.dts_90k <= self._pending[-1].dts_90k:
            raise TimestampError(
                f"decode time went from {self._pending[-1].dts_90k} to {packet.dts_90k} (90 kHz)", remedy="start a new run"
            )
        completed = (self._cut(packet.dts_90k),) if self._is_cut_before(packet) else ()
        self._pending.append(packet)
        self._pending_bytes += len(packet.data)
        return completed

    def close(self) -> tuple[Fragment, ...]:
        """The last fragment, if packets are left."""
        if not self._pending:
            return ()
        return (self._cut(self._pending[-1].dts_90k + self._duration_90k(self._pending[-1])),)

    def _start(self, packet: Packet) -> None:
        if not packet.is_keyframe:
            raise TimestampError("a run starts with a packet that is no keyframe", remedy="wait for the next keyframe")
        self._init = make_init(self._parameters, packet)
        self._origin_dts_90k, self._origin_pts_90k = packet.dts_90k, packet.pts_90k

    def _is_cut_before(self, packet: Packet) -> bool:
        return bool(self._pending) and (
            packet.is_keyframe
            or packet.dts_90k - self._pending[0].dts_90k >= TICKS_PER_S
            or self._pending_bytes + len(packet.data) > FRAGMENT_MAX_BYTES
        )

    def _duration_90k(self, packet: Packet) -> int:
        return packet.duration_90k or self._parameters.frame_interval_90k or _DEFAULT_INTERVAL_90K

    def _cut(self, next_dts_90k: int) -> Fragment:
        packets, self._pending, self._pending_bytes = self._pending, [], 0
        ends_90k = [p.dts_90k for p in packets[1:]] + [next_dts_90k]
        samples = [
            Sample(
                payload=length_prefixed(packet.data, packet.borders),
                duration_90k=end_90k - packet.dts_90k,
                offset_90k=(packet.pts_90k - self._origin_pts_90k) - (packet.dts_90k - self._origin_dts_90k),
                is_keyframe=packet.is_keyframe,
            )
            for packet, end_90k in zip(packets, ends_90k, strict=True)
        ]
        self._number += 1
        return Fragment(
            data=make_chunk(self._number, packets[0].dts_90k - self._origin_dts_90k, samples),
            first_pts_90k=min(p.pts_90k for p in packets),
            start_us=min(p.wall_us for p in packets),
            end_us=max(p.wall_us + us_from_90k(self._duration_90k(p)) for p in packets),
            frames=len(packets),
            is_sync=packets[0].is_keyframe,
        )
