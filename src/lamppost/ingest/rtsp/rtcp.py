"""The reports that go with RTP (RFC 3550, section 6): ours to the camera, and the camera's clock.

Some cameras hang up on a receiver that never reports.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

INTERVAL_S: Final = 5.0
_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _BYE = 200, 201, 202, 203
_MOST_PACKETS: Final = 32  # of one compound packet
_CNAME: Final = b"lamppost"
_REPORT: Final = struct.Struct(">BBHIIB3sIIII")
_NTP_ERA_S: Final = 2_208_988_800
_DATELESS_S: Final = 5 * 365 * 86_400  # further off than this, no clock was ever set


@dataclass(frozen=True, slots=True)
class SenderReport:
    """The camera's own UTC of one RTP timestamp, as the camera claims it."""

    ssrc: int
    ntp: int
    timestamp: int

    @property
    def wall_us(self) -> int:
        """UTC in microseconds since 1970."""
        return ((self.ntp >> 32) - _NTP_ERA_S) * 1_000_000 + ((self.ntp & 0xFFFF_FFFF) * 1_000_000 >> 32)


@dataclass(frozen=True, slots=True)
class SenderSaid:
    """What one compound packet tells: a clock, or that the sender leaves."""

    report: SenderReport | None = None
    has_left: bool = False


def clock_off_s(report: SenderReport, wall_us: int) -> float | None:
    """How far the camera's clock is ahead of ours, in seconds, the way of the packet included.

    None where the camera has no date: some count from their start, or from 1970.
    """
    off_s = (report.wall_us - wall_us) / 1_000_000
    return round(off_s, 3) if abs(off_s) < _DATELESS_S else None


def parse_rtcp(content: bytes | memoryview, ssrc: int) -> SenderSaid:
    """What the sender `ssrc` says in `content`; whatever makes no sense is passed over."""
    report, has_left, position = None, False, 0
    for _ in range(_MOST_PACKETS):
        if position + 8 > len(content) or content[position] >> 6 != 2:
            break
        flags, kind, words = struct.unpack_from(">BBH", content, position)
        end = position + 4 + 4 * words
        if end > len(content):
            break
        if kind == _SENDER_REPORT and words >= 6:
            sender, ntp, timestamp = struct.unpack_from(">IQI", content, position + 4)
            report = SenderReport(sender, ntp, timestamp) if sender == ssrc else report
        elif kind == _BYE:
            leaving = struct.unpack_from(f">{min(flags & 0x1F, words)}I", content, position + 4)
            has_left = has_left or ssrc in leaving
        position = end
    return SenderSaid(report, has_left)


class Reporter:
    """Makes receiver reports. Jitter is told as 0: nobody here plays anything out."""

    def __init__(self, ssrc: int) -> None:
        self._ssrc = ssrc
        self._packets = 0
        self._lost = 0
        self._report: SenderReport | None = None
        self._heard_s = 0.0

    def heard(self, report: SenderReport, now_s: float) -> None:
        """Take note of a sender report, so that the camera can tell the round trip."""
        self._report, self._heard_s = report, now_s

    def make(self, source: int, packets: int, lost: int, highest_sequence: int, now_s: float) -> bytes:
        """A compound packet about `source`: receiver report and name."""
        new_packets, new_lost = packets - self._packets, lost - self._lost
        self._packets, self._lost = packets, lost
        expected = new_packets + new_lost
        fraction = min(255, 256 * new_lost // expected) if expected > 0 else 0
        last, delay = 0, 0
        if self._report is not None:
            last = self._report.ntp >> 16 & 0xFFFF_FFFF
            delay = min(0xFFFF_FFFF, max(0, round((now_s - self._heard_s) * 65536)))
        cumulative = min(lost, 0x7F_FFFF).to_bytes(3, "big")
        report = _REPORT.pack(0x81, _RECEIVER_REPORT, 7, self._ssrc, source, fraction, cumulative, highest_sequence, 0, last, delay)
        item = struct.pack(">IBB", self._ssrc, 1, len(_CNAME)) + _CNAME
        item += bytes(4 - len(item) % 4)
        return report + struct.pack(">BBH", 0x81, _DESCRIPTION, len(item) // 4) + item
