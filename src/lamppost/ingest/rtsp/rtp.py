"""Takes RTP packets (RFC 3550) apart and counts which never came."""

from __future__ import annotations

import struct
from typing import Final

from lamppost.ingest.rtsp.depacketize import Depacketizer, Flow

HEADER_BYTES: Final = 12
_HEADER: Final = struct.Struct(">BBHII")
_PLAIN: Final = 0x80  # version 2, no padding, no extension, no contributing sources
_MOST_MISSING: Final = 3000  # a longer way forward is another count (RFC 3550, A.1)
_WHOLE: Final = 1 << 16


class RtpReceiver:
    """One video flow on its way to the depacketizer: packets in order, every hole counted.

    What has another payload type is counted and passed over. A new SSRC is a new sender.
    """

    __slots__ = (
        "_depacketizer",
        "_jumped_to",
        "_next",
        "_payload_type",
        "_push",
        "_untold",
        "cycles",
        "late",
        "lost",
        "packets",
        "ssrc",
    )

    def __init__(self, depacketizer: Depacketizer, payload_type: int) -> None:
        self._depacketizer = depacketizer
        self._push = depacketizer.push
        self._payload_type = payload_type
        self._next = -1
        self._jumped_to = -1
        self._untold = 0
        self.ssrc = -1
        self.packets = 0
        self.lost = 0
        self.late = 0
        self.cycles = 0

    @property
    def highest_sequence(self) -> int:
        """The newest sequence number, with its wraps in the upper 16 bits."""
        return max(0, (self.cycles << 16) + self._next - 1) & 0xFFFF_FFFF

    def push(self, view: memoryview, start: int, end: int) -> None:
        """Take the packet `view[start:end]`; what is none is passed over."""
        if end - start < HEADER_BYTES:
            return
        flags, kind, sequence, timestamp, ssrc = _HEADER.unpack_from(view, start)
        payload = start + HEADER_BYTES
        if flags != _PLAIN:
            payload, end = _bounds(view, start, end, flags)
            if end < 0:
                return
        if sequence == self._next and ssrc == self.ssrc and kind & 0x7F == self._payload_type and not self._untold:
            lost = 0
        else:
            lost = self._look_closer(sequence, ssrc, kind & 0x7F)
            if lost < 0:
                return
        self._next = sequence + 1 & 0xFFFF
        if not self._next:
            self.cycles += 1
        self.packets += 1
        self._push(view, payload, end, timestamp, kind & 0x80, lost)

    def push_more(self, view: memoryview, position: int, end: int, channel: int) -> int:
        """Take the plain fragments that lie at `position` of an interleaved connection; return where it stopped."""
        if self._untold:
            return position
        before = self._next
        flow = Flow(channel, self._payload_type, self.ssrc)
        position, self._next = self._depacketizer.push_fragments(view, position, end, flow, before)
        if self._next < before:
            self.cycles += 1
        self.packets += (self._next - before) % _WHOLE
        return position

    def _look_closer(self, sequence: int, ssrc: int, payload_type: int) -> int:
        """How many packets are missing before this one; -1 when it must be passed over."""
        is_media = payload_type == self._payload_type
        if ssrc != self.ssrc and not is_media:
            return -1
        missing = self._judge(sequence, ssrc) if sequence != self._next or ssrc != self.ssrc else 0
        if missing < 0:
            return -1
        lost, self._untold = self._untold + missing, 0
        if not is_media:
            self._untold = lost
            self._next = sequence + 1 & 0xFFFF
            return -1
        return lost

    def _judge(self, sequence: int, ssrc: int) -> int:
        """How many packets are missing before `sequence`; -1 when it is late and must be passed over."""
        if ssrc != self.ssrc:
            is_first = self.ssrc < 0
            self.ssrc = ssrc
            return 0 if is_first else self._begin_anew()
        missing = (sequence - self._next) % _WHOLE
        if missing < _MOST_MISSING:
            self.lost += missing
            if sequence < self._next:
                self.cycles += 1
            return missing
        if sequence == self._jumped_to:
            # Two in a row from there: the sender has started to count anew.
            return self._begin_anew()
        self._jumped_to = (sequence + 1) % _WHOLE
        self.late += 1
        return -1

    def _begin_anew(self) -> int:
        self._jumped_to = -1
        self._depacketizer.reset()
        # Nobody knows how many; one stands for all of them.
        self.lost += 1
        return 1


def _bounds(view: memoryview, start: int, end: int, flags: int) -> tuple[int, int]:
    """First byte and end of the payload; the end is -1 when the header contradicts itself."""
    payload = start + HEADER_BYTES + 4 * (flags & 0x0F)
    if flags >> 6 != 2:
        return payload, -1
    if flags & 0x10:
        if payload + 4 > end:
            return payload, -1
        payload += 4 + 4 * (view[payload + 2] << 8 | view[payload + 3])
    if flags & 0x20:
        end -= view[end - 1] or end
    return payload, end if payload <= end else -1
