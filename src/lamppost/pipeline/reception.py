"""One camera, as the loop sees it: its streams, when they are wanted, and where what comes is sent.

Packets go to the analyst at once and to the store in batches, one for each
fragment, so that the threads that wait for disks are woken once a second and
not once a picture. What the disk cannot take in time is dropped up to a
keyframe, and declared.
"""

from __future__ import annotations

import traceback
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Final

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.base.errors import CameraRefused, LamppostError
from lamppost.base.logging import get_logger, redact
from lamppost.base.loop import Loop, Timer
from lamppost.ingest.backoff import Backoff
from lamppost.ingest.stream import Stream, StreamSink
from lamppost.model.media import Gap, GapCause, Packet, RunStarted, SessionItem
from lamppost.model.networks import REFUSED_REMEDY, CameraNetworks
from lamppost.model.schedule import Schedule
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.connection import ConnectionEvents, StreamConnection
from lamppost.pipeline.feed import FeedWriter
from lamppost.pipeline.lines import WorkLine, WorkThreads
from lamppost.pipeline.recording import A_BUG, CameraRecording
from lamppost.pipeline.stream_gauge import StreamGauge
from lamppost.record.fragments import FRAGMENT_MAX_BYTES

LINE_LIMIT_BYTES: Final = 48 * 1024 * 1024  # of one camera; some minutes at 2 Mbit/s
PROCESS_LIMIT_BYTES: Final = 512 * 1024 * 1024  # of all cameras of a process
READY_POLL_S: Final = 0.1
READY_PATIENCE_S: Final = 10.0

OpenStream = Callable[[CameraSettings, str, Loop, StreamSink], Stream]
"""Begins to open a URL of a camera; raises `LamppostError`."""


@dataclass(frozen=True, slots=True)
class ReceptionTools:
    """What all receptions of a process share."""

    loop: Loop
    clock: Clock
    threads: WorkThreads
    open_stream: OpenStream


class CameraReception:
    """Receives one camera from `start` to `stop`; trouble with it stays with it.

    Every method is called in the loop's thread.
    """

    def __init__(
        self,
        camera: CameraSettings,
        tools: ReceptionTools,
        recording: CameraRecording,
        line: WorkLine,
        *,
        timezone: str,
        reconnect_cap_s: float,
    ) -> None:
        self.camera = camera
        self.feed = FeedWriter()
        self.status = recording.status
        self._tools = tools
        self._recording = recording
        self._line = line
        self._schedule = Schedule(camera.schedule, timezone)
        self._log = get_logger("record").bind(camera=camera.name)
        self._batch = _Batch()
        self._gauge = StreamGauge()
        self._run: RunStarted | None = None
        self._dropping_since_us: int | None = None
        self._paused: GapCause | None = None
        self._timer: Timer | None = None
        self._ready_until_s: float | None = None
        self._is_giving_up = False  # of the line's threads alone
        feeds_main = camera.sub_url is None
        events = ConnectionEvents(self._on_open, self._on_main if feeds_main else self._keep, self._on_trouble, self._on_bug)
        self._main = self._connection(camera.url, events, reconnect_cap_s)
        self._sub: StreamConnection | None = None
        if camera.sub_url is not None:
            sub_events = ConnectionEvents(lambda: None, self._feed, self._on_sub_trouble, self._on_sub_bug)
            self._sub = self._connection(camera.sub_url, sub_events, reconnect_cap_s)
        self._sub_problem = ""

    def start(self) -> None:
        """Open the account, and connect when the schedule says so."""
        self._line.put(self._recording.start)
        self._look_at_schedule()

    def pause(self, cause: GapCause) -> None:
        """Receive nothing until `resume`, whatever the schedule says; the gap has `cause`."""
        if self._paused is not GapCause.HELD:
            self._paused = cause
            self._let_go(cause)

    def resume(self) -> None:
        """Receive again, when the schedule says so."""
        self._paused = None
        self._look_at_schedule()

    def stop(self, cause: GapCause) -> None:
        """Let go of the camera for good; its line of work then ends the segment."""
        self._disconnect()
        self.feed.detach()
        self._line.put(lambda: self._recording.stop(cause))

    def judge_again(self, networks: CameraNetworks) -> None:
        """The camera networks have changed: let go of what lies outside, and try at once what was refused."""
        if self._main.judge_again(networks):
            self._on_trouble(CameraRefused("its address is in no camera network any more", remedy=REFUSED_REMEDY))
        if self._sub is not None:
            self._sub.judge_again(networks)

    def look(self) -> None:
        """Now and then: the schedule, and what the status says."""
        self.status.not_fed = self.feed.dropped_packets
        self.status.is_dropping = self._dropping_since_us is not None
        counters = getattr(self._main.stream, "counters", None)
        if counters is not None:
            self.status.received_bytes = counters.bytes
            self.status.received_packets = counters.packets
            self.status.lost_packets = counters.lost_packets
            self.status.clock_off_s = counters.clock_off_s
        self._measure()
        self._look_at_schedule()

    def _measure(self) -> None:
        gauge, status = self._gauge, self.status
        gauge.look(self._tools.clock.monotonic_s())
        status.measured_fps = _rounded(gauge.fps, 2)
        status.kbit_per_s = _rounded(gauge.kbit_per_s, 1)
        status.keyframe_interval_s = _rounded(gauge.keyframe_interval_s, 2)

    def _connection(self, url: str, events: ConnectionEvents, reconnect_cap_s: float) -> StreamConnection:
        tools = self._tools
        backoff = Backoff(random=Random(), cap_s=reconnect_cap_s)  # noqa: S311  # jitter, not secrecy
        return StreamConnection(
            lambda loop, sink: tools.open_stream(self.camera, url, loop, sink), events, loop=tools.loop, clock=tools.clock, backoff=backoff
        )

    def _look_at_schedule(self) -> None:
        if self._paused not in (None, GapCause.NOT_SCHEDULED):
            return
        is_on = self._schedule.is_on(self._tools.clock.wall_us())
        if is_on:
            self._paused = None
            self._main.start()
            if self._sub is not None:
                self._sub.start()
        elif self._paused is None:
            self._paused = GapCause.NOT_SCHEDULED
            self._let_go(GapCause.NOT_SCHEDULED)

    def _let_go(self, cause: GapCause) -> None:
        self._disconnect()

        def pause() -> None:
            # Told once what came before is written: that was recorded still.
            self._recording.pause(cause)
            self.status.state = cause.value

        self._line.put(pause)

    def _disconnect(self) -> None:
        self._main.stop()
        if self._sub is not None:
            self._sub.stop()
        self._send_batch()
        self._end_run()

    def _end_run(self) -> None:
        self._run = None
        self._gauge.forget()
        self._dropping_since_us = None
        self._ready_until_s = None
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    # What comes

    def _on_open(self) -> None:
        self.status.sessions += 1
        self._line.put(self._recording.tend)

    def _on_main(self, items: Sequence[SessionItem]) -> None:
        self._feed(items)
        self._keep(items)

    def _feed(self, items: Sequence[SessionItem]) -> None:
        for item in items:
            if isinstance(item, Packet):
                self.feed.send(item)
            elif isinstance(item, RunStarted):
                self.feed.start_run(item)

    def _keep(self, items: Sequence[SessionItem]) -> None:
        for item in items:
            if isinstance(item, Packet):
                self._keep_packet(item)
            else:
                if isinstance(item, RunStarted):
                    self._run = item
                if self._dropping_since_us is None:  # else it lies in the gap, and what waits must not grow
                    self._batch.add(item)

    def _keep_packet(self, packet: Packet) -> None:
        self._gauge.note(packet)
        if self._dropping_since_us is not None and not self._stop_dropping(packet):
            self.status.dropped += 1
            return
        self._batch.add_packet(packet)
        if self._batch.is_whole(packet):
            self._send_batch()
            if self._is_full(1.0):
                self._dropping_since_us = packet.wall_us

    def _stop_dropping(self, packet: Packet) -> bool:
        """Whether there is room again, and this packet can be the first of a new run."""
        if not packet.is_keyframe or self._is_full(0.5) or self._run is None or self._dropping_since_us is None:
            return False
        lost = Gap(self._dropping_since_us, packet.wall_us, GapCause.STORE_SLOW, "the disk was too slow")
        self._dropping_since_us = None
        self._batch.add(lost)
        self._batch.add(self._run)
        return True

    def _is_full(self, share: float) -> bool:
        return self._line.waiting_bytes > LINE_LIMIT_BYTES * share or self._tools.threads.waiting_bytes > PROCESS_LIMIT_BYTES * share

    def _send_batch(self) -> None:
        """Give the store what came, once it can seal."""
        if not self._batch.items:
            return
        if not self._recording.is_ready and not self._is_full(1.0) and self._is_worth_waiting():
            return
        self._ready_until_s = None
        items, size_bytes = self._batch.take()
        self._line.put(lambda: self._recording.take(items), size_bytes)

    def _is_worth_waiting(self) -> bool:
        """Wait for the first sealing epoch, for a while; then the store says why it cannot be had."""
        now_s = self._tools.clock.monotonic_s()
        if self._ready_until_s is None:
            self._ready_until_s = now_s + READY_PATIENCE_S
        if now_s > self._ready_until_s or self._batch.size_bytes > FRAGMENT_MAX_BYTES:
            return False
        if self._timer is None:
            self._timer = self._tools.loop.call_later(READY_POLL_S, self._tend)
        return True

    def _tend(self) -> None:
        self._timer = None
        self._line.put(self._recording.tend)
        self._send_batch()

    # What goes wrong

    def _on_trouble(self, error: LamppostError) -> None:
        self._send_batch()
        self._end_run()
        self._line.put(lambda: self._recording.fail(error))

    def _on_sub_trouble(self, error: LamppostError) -> None:
        problem = redact(str(error))
        if problem != self._sub_problem:
            self._log.warning("nothing to analyse", problem=problem)
        self._sub_problem = problem

    def _on_bug(self, error: BaseException) -> None:
        self._note_bug(error)
        self._send_batch()
        self._end_run()
        self._line.put(lambda: self._recording.pause(GapCause.RECORDER_DIED, A_BUG))

    def _on_sub_bug(self, error: BaseException) -> None:
        self._note_bug(error)

    def _note_bug(self, error: BaseException) -> None:
        self._log.error("a bug ended a camera's session", traceback=redact("".join(traceback.format_exception(error))))

    def on_line_bug(self, error: BaseException) -> None:
        """From the line's thread: what was being written is given up, and a keyframe soon after begins anew."""
        self._note_bug(error)
        if self._is_giving_up:  # that failed as well: to try it again at once would go on for ever
            self._is_giving_up = False
            return
        self._is_giving_up = True
        self._line.put(self._give_up)

    def _give_up(self) -> None:
        self._recording.give_up()
        self._is_giving_up = False


def _rounded(figure: float | None, digits: int) -> float | None:
    return None if figure is None else round(figure, digits)


class _Batch:
    """What came since the last fragment was whole, in order."""

    def __init__(self) -> None:
        self.items: list[SessionItem] = []
        self.size_bytes = 0
        self._start_dts_90k: int | None = None

    def add(self, item: SessionItem) -> None:
        self.items.append(item)

    def add_packet(self, packet: Packet) -> None:
        self.items.append(packet)
        self.size_bytes += len(packet.data)
        if self._start_dts_90k is None:
            self._start_dts_90k = packet.dts_90k

    def is_whole(self, packet: Packet) -> bool:
        """Whether `packet`, just added, ends the fragment before it, as `FragmentMuxer` cuts them."""
        start = self._start_dts_90k
        return packet.is_keyframe or start is None or packet.dts_90k - start >= TICKS_PER_S or self.size_bytes > FRAGMENT_MAX_BYTES

    def take(self) -> tuple[list[SessionItem], int]:
        """Items and bytes; empty afterwards. The fragment that is open begins with the last packet."""
        items, size_bytes = self.items, self.size_bytes
        last = items[-1]
        self._start_dts_90k = last.dts_90k if isinstance(last, Packet) else None
        self.items, self.size_bytes = [], 0
        return items, size_bytes
