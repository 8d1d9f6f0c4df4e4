"""Reads a network camera on a thread of its own, so that a dead peer holds nobody up.

FFmpeg cannot be interrupted from outside while it waits for a byte. The thread
waits; the session looks at the stop event several times a second, and a packet
carries its arrival time even when the disk made the recorder wait.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Iterator

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, StreamEnded
from lamppost.ingest.demux import Demuxer
from lamppost.ingest.ffmpeg_errors import went_silent
from lamppost.ingest.locator import Locator
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import Codec

# About 10 s of a camera; then the thread waits, and TCP holds the camera back.
_MOST_QUEUED = 256
_LOOK_S = 0.1

_Report = Demuxer | AccessUnit | CameraError


class LiveSource:
    """A camera's access units, read ahead by at most 256.

    `close` returns at once; the thread ends with its next packet, or when
    FFmpeg gives up on a dead peer, and closes the connection itself.
    """

    origin_90k: int | None = 0

    def __init__(self, locator: Locator, clock: Clock, stop: threading.Event, timeout_s: float) -> None:
        self._locator = locator
        self._clock = clock
        self._stop = stop
        self._timeout_s = timeout_s
        self._is_closed = threading.Event()
        self._reports: queue.Queue[_Report] = queue.Queue(_MOST_QUEUED)
        threading.Thread(target=self._read, name="rtsp-reader", daemon=True).start()
        try:
            first = self._next_report("connecting")
            if isinstance(first, CameraError):
                raise first
        except CameraError:
            self.close()
            raise
        self.codec = first.codec if isinstance(first, Demuxer) else Codec.H264
        self.parameter_sets = first.parameter_sets if isinstance(first, Demuxer) else b""
        self.nominal_interval_90k = first.nominal_interval_90k if isinstance(first, Demuxer) else 0

    def units(self) -> Iterator[AccessUnit]:
        while (report := self._next_report("sending")) is not None:
            if isinstance(report, CameraError):
                raise report
            if isinstance(report, AccessUnit):
                yield report

    def close(self) -> None:
        self._is_closed.set()

    def _next_report(self, doing: str) -> _Report | None:
        """What the thread says next; None when `stop` is set. Raises `CameraUnreachable`."""
        deadline_s = self._clock.monotonic_s() + self._timeout_s
        while not self._stop.is_set() and not self._is_closed.is_set():
            try:
                return self._reports.get(timeout=_LOOK_S)
            except queue.Empty:
                # FFmpeg's own time-outs come first; this one holds if they fail.
                if self._clock.monotonic_s() > deadline_s:
                    raise went_silent(self._locator, doing, self._timeout_s) from None
        return None

    def _is_over(self) -> bool:
        return self._stop.is_set() or self._is_closed.is_set()

    def _report(self, report: _Report) -> None:
        while not self._is_over():
            try:
                self._reports.put(report, timeout=_LOOK_S)
            except queue.Full:
                continue
            return

    def _read(self) -> None:
        try:
            demuxer = Demuxer(self._locator, self._clock, self._timeout_s)
        except CameraError as error:
            self._report(error)
            return
        try:
            self._report(demuxer)
            for packet in demuxer.packets():
                self._report(
                    AccessUnit(
                        packet.data,
                        packet.pts_90k,
                        packet.dts_90k,
                        packet.duration_90k,
                        packet.is_corrupt,
                        self._clock.wall_us(),
                        self._clock.monotonic_s(),
                    )
                )
                if self._is_over():
                    return
            self._report(StreamEnded(f"{self._locator.shown} ended the stream", remedy="it is opened again"))
        except CameraError as error:
            self._report(error)
        finally:
            demuxer.close()
