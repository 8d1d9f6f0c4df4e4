"""Plays a file as if it were a camera: in real time, once or for ever."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import dataclass

from lamppost.base.clock import TICKS_PER_S, US_PER_S, Clock
from lamppost.base.errors import StreamEnded, UnsupportedStream
from lamppost.ingest.demux import Demuxer, RawPacket
from lamppost.ingest.locator import Locator
from lamppost.ingest.stream import StreamFacts
from lamppost.ingest.timestamps import DEFAULT_INTERVAL_90K
from lamppost.ingest.units import AccessUnit

_OPTIONS = frozenset({"loop", "pace"})


@dataclass(frozen=True, slots=True)
class PlayOptions:
    """How a file is played.

    `is_looped`: it starts again at its end, without an end. Unless `is_paced`, it is read
    as fast as the reader takes it, and arrival then follows the file's own time.
    """

    is_looped: bool
    is_paced: bool

    @classmethod
    def of(cls, locator: Locator) -> PlayOptions:
        """The options `loop` and `pace` of an address; raises `ConfigError`."""
        locator.check_options(_OPTIONS)
        return cls(locator.number("loop", 0, 0, 1) == 1, locator.number("pace", 1, 0, 1) == 1)


class FileSource:
    """A file's access units, paced by `clock`. Opening it, and reading, may wait."""

    def __init__(self, locator: Locator, options: PlayOptions, clock: Clock, stop: threading.Event, timeout_s: float) -> None:
        self._is_looped = options.is_looped
        self.is_paced = options.is_paced
        self._locator = locator
        self._clock = clock
        self._stop = stop
        self._demuxer = Demuxer(locator, timeout_s)
        self._interval = self._demuxer.nominal_interval_90k or DEFAULT_INTERVAL_90K

    def facts(self) -> StreamFacts:
        """What the container says of its video."""
        demuxer = self._demuxer
        return StreamFacts(demuxer.codec, demuxer.parameter_sets, demuxer.nominal_interval_90k, follows_arrival=self.is_paced)

    def units(self) -> Iterator[AccessUnit]:
        started_us, started_s = self._clock.wall_us(), self._clock.monotonic_s()
        offset_90k = 0
        while True:
            first_dts: int | None = None
            played_90k = 0
            is_first = True
            for packet in self._demuxer.packets():
                dts = self._decoding_time(packet, played_90k, first_dts)
                first_dts = dts if first_dts is None else first_dts
                due_90k = offset_90k + dts - first_dts
                played_90k = max(played_90k, dts - first_dts + self._interval)
                if self._wait_until(started_s + due_90k / TICKS_PER_S):
                    return
                yield self._unit(packet, started_us, started_s, due_90k, is_first=is_first)
                is_first = False
            if self._stop.is_set():
                return
            if first_dts is None:
                raise UnsupportedStream(f"{self._locator.shown} holds no pictures", remedy="give a file with H.264 or H.265 video")
            if not self._is_looped:
                raise StreamEnded(f"{self._locator.shown} is at its end", remedy="add ?loop=1 to play it again and again")
            offset_90k += played_90k
            self._demuxer.rewind()

    def close(self) -> None:
        self._demuxer.close()

    def _decoding_time(self, packet: RawPacket, played_90k: int, first_dts: int | None) -> int:
        if packet.dts_90k is not None:
            return packet.dts_90k
        # Raw streams carry no times: frame after frame at the nominal rate.
        return (first_dts or 0) + played_90k

    def _wait_until(self, due_s: float) -> bool:
        """Wait for real time, when paced; true when `stop` was set."""
        left_s = due_s - self._clock.monotonic_s()
        if self.is_paced and left_s > 0:
            return self._clock.wait(self._stop, left_s)
        return self._stop.is_set()

    def _unit(self, packet: RawPacket, started_us: int, started_s: float, due_90k: int, *, is_first: bool) -> AccessUnit:
        due_s = due_90k / TICKS_PER_S
        return AccessUnit(
            packet.data,
            packet.pts_90k,
            packet.dts_90k,
            packet.duration_90k,
            packet.is_corrupt,
            self._clock.wall_us() if self.is_paced else started_us + round(due_s * US_PER_S),
            self._clock.monotonic_s() if self.is_paced else started_s + due_s,
            is_first,
        )
