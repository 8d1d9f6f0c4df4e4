"""Films the simulated street for whoever watches a simulated camera: one encoder a stream, as RTP payloads for all."""

from __future__ import annotations

import base64
import threading
from collections import deque
from dataclasses import dataclass
from typing import Final

from lamppost.base.annexb import nal_units
from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.ingest.simulation import StreetEncoder
from lamppost.ingest.street import StreetSettings
from lamppost.model.media import Codec

PAYLOAD_TYPE: Final = 96
_MOST_PAYLOAD_BYTES: Final = 1400
_MOST_WAITING: Final = 60  # pictures that a viewer may be behind
_FU_A: Final = 28
_SPS, _PPS, _IDR = 7, 8, 5


@dataclass(frozen=True, slots=True)
class Filmed:
    """One picture: its payloads in order, of which the last gets the marker bit."""

    time_90k: int
    is_key: bool
    payloads: tuple[bytes, ...]


class Viewer:
    """What waits for one who watches. Who is too slow misses pictures up to the next keyframe, counted."""

    def __init__(self) -> None:
        self.dropped = 0
        self._waiting: deque[Filmed] = deque()
        self._is_in = False
        self._arrived = threading.Condition()
        self._is_over = False

    def offer(self, filmed: Filmed) -> None:
        with self._arrived:
            if len(self._waiting) >= _MOST_WAITING:
                self.dropped += len(self._waiting)
                self._waiting.clear()
                self._is_in = False
            self._is_in = self._is_in or filmed.is_key
            if self._is_in:
                self._waiting.append(filmed)
                self._arrived.notify()

    def take(self, timeout_s: float) -> Filmed | None:
        """The next picture; None when there is none in time, or no more."""
        with self._arrived:
            self._arrived.wait_for(lambda: self._waiting or self._is_over, timeout_s)
            return self._waiting.popleft() if self._waiting else None

    @property
    def is_over(self) -> bool:
        return self._is_over

    def end(self) -> None:
        with self._arrived:
            self._is_over = True
            self._arrived.notify_all()


class StreetBroadcast:
    """One stream of a simulated camera. It films while somebody watches; the street goes on meanwhile."""

    def __init__(self, settings: StreetSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._lock = threading.Lock()
        self._viewers: list[Viewer] = []
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._encoder = StreetEncoder(settings, Codec.H264)
        self._started_s = clock.monotonic_s()
        # The first picture tells the parameters; every keyframe has the same.
        units = list(nal_units(self._encoder.encode(0)))
        self._parameters = tuple(next(unit for unit in units if unit[0] & 31 == kind) for kind in (_SPS, _PPS))
        self._next = 1

    def described(self) -> str:
        """The lines of SDP after the medium's own (RFC 6184, 8.2.1)."""
        sets = ",".join(base64.b64encode(unit).decode() for unit in self._parameters)
        profile = self._parameters[0][1:4].hex().upper()
        return (
            f"a=rtpmap:{PAYLOAD_TYPE} H264/90000\r\n"
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;profile-level-id={profile};sprop-parameter-sets={sets}\r\n"
            f"a=framerate:{self._settings.fps}\r\n"
        )

    @property
    def now_90k(self) -> int:
        """The stream's time of this moment."""
        return round((self._clock.monotonic_s() - self._started_s) * TICKS_PER_S)

    def watch(self) -> Viewer:
        viewer = Viewer()
        with self._lock:
            self._viewers.append(viewer)
            if self._thread is None and not self._stop.is_set():
                self._thread = threading.Thread(target=self._film, name="simulated street", daemon=True)
                self._thread.start()
        return viewer

    def leave(self, viewer: Viewer) -> None:
        viewer.end()
        with self._lock:
            self._viewers = [other for other in self._viewers if other is not viewer]

    def close(self) -> None:
        self._stop.set()
        with self._lock:
            thread, viewers = self._thread, list(self._viewers)
        for viewer in viewers:
            viewer.end()
        if thread is not None:
            thread.join()

    def _film(self) -> None:
        fps = self._settings.fps
        while not self._stop.is_set():
            with self._lock:
                viewers = list(self._viewers)
                if not viewers:
                    self._thread = None
                    return
            # Pictures that are long over are not made up for.
            elapsed_s = self._clock.monotonic_s() - self._started_s
            index = max(self._next, int(elapsed_s * fps))
            if index / fps > elapsed_s and self._clock.wait(self._stop, index / fps - elapsed_s):
                return
            self._next = index + 1
            filmed = _filmed(self._encoder.encode(index), index * TICKS_PER_S // fps)
            for viewer in viewers:
                viewer.offer(filmed)


def _filmed(unit: bytes, time_90k: int) -> Filmed:
    units = list(nal_units(unit))
    payloads = tuple(payload for each in units for payload in payloads_of(each))
    return Filmed(time_90k, any(each[0] & 31 == _IDR for each in units), payloads)


def payloads_of(unit: bytes) -> list[bytes]:
    """One NAL unit as it travels: whole, or in fragments (RFC 6184, 5.6 and 5.8)."""
    if len(unit) <= _MOST_PAYLOAD_BYTES:
        return [unit]
    indicator, kind = unit[0] & 0xE0 | _FU_A, unit[0] & 31
    step = _MOST_PAYLOAD_BYTES - 2
    places = range(1, len(unit), step)
    borders = ((0x80 if place == 1 else 0) | (0x40 if place == places[-1] else 0) for place in places)
    return [bytes((indicator, border | kind)) + unit[place : place + step] for place, border in zip(places, borders, strict=True)]
