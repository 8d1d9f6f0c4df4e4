"""One camera's masking, run after run: what arrives on the feed leaves masked or not at all.

A thread of the analyst process decodes, detects, masks and encodes; the feeds of
all cameras are read by one other, so that the recorder sees room as long as there is any.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from lamppost.base.clock import US_PER_S, us_from_90k
from lamppost.base.errors import LamppostError
from lamppost.base.logging import get_logger
from lamppost.model.books import SegmentEnd
from lamppost.model.media import Packet, RunStarted, StreamParameters
from lamppost.model.rules import RuleBook
from lamppost.model.vision import CoverCause, Preset, ReductionStep
from lamppost.pipeline.counting import CameraCounting, CountingPlan
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.feed import FeedItem, PacketsDropped
from lamppost.pipeline.feed_reader import FeedQueue, FeedReader
from lamppost.pipeline.live import LivePublisher
from lamppost.pipeline.load import Load
from lamppost.pipeline.masked_run import MaskedRun, MaskedTools
from lamppost.pipeline.masking import MaskingPipeline, Motion
from lamppost.pipeline.reductions import ReductionKeeper
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.spectator import Spectator
from lamppost.pipeline.turns import Turns
from lamppost.record.segments import RecordChain

READ_PATIENCE_S = 0.2
RETRY_S = 2.0  # after a failure; then the next keyframe starts anew, covered
DRAIN_S = 1.0  # what is still queued at a stop is masked for so long, then left to the originals
PATIENCE_AT_STOP_S = 0.1
MEASURE_S = 2.0  # over which frames are counted


@dataclass(slots=True)
class AnalysisStatus:
    """What the thread tells the supervisor; each field is read by itself, without a lock.

    `step` is the present step of overload, empty where everything is masked; `covered_cause` says why all is covered, where it is.
    """

    state: str = "waiting"
    problem: str = ""
    frames: int = 0
    covered_frames: int = 0
    dropped_packets: int = 0
    behind_s: float = 0.0
    step: str = ""
    covered_cause: str = ""
    masked_fps: float = 0.0
    live_subscribers: int = 0
    live_dropped_fragments: int = 0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class MaskingPlan:
    """How a camera's runs are masked and counted. A run that goes on keeps its plan, unless the preset differs.

    `make_masking` is given what has learnt the background already, or None, and who watches, and says itself when the
    camera is turned; `make_detector` gives what looks for things to count, None where what moves is counted.
    """

    preset: Preset
    tools: MaskedTools
    make_masking: Callable[[Motion | None, Spectator], MaskingPipeline]
    counting: CountingPlan = field(default_factory=lambda: CountingPlan(RuleBook(), "", 0.1))
    make_detector: Callable[[], Detector | None] = lambda: None


class CameraAnalysis:
    """Masks what arrives, one feed after the other, as much of it as `wanted_step` leaves.

    A failure of decoder, masker or encoder ends the present run: its frames are
    not shown, and a keyframe soon after starts anew, covered. `plan` and
    `wanted_step` may be set from any thread, and count from the next packet on.
    """

    def __init__(
        self,
        camera: str,
        plan: MaskingPlan,
        *,
        chain: RecordChain,
        stop: threading.Event,
        reader: FeedReader,
        turns: Turns,
        live: LivePublisher | None = None,
    ) -> None:
        self.camera = camera
        self.status = AnalysisStatus()
        self.plan = plan
        self.wanted_step: ReductionStep | None = None
        self._run_plan = plan
        self._clock = plan.tools.clock
        self._chain = chain
        self._stop = stop
        self._reader = reader
        self._turns = turns
        self._live = live
        self._feeds: queue.Queue[socket.socket] = queue.Queue(maxsize=4)
        self._log = get_logger("mask").bind(camera=camera)
        self._covers = CoverKeeper(camera, plan.tools.journal, self._clock)
        self._reductions = ReductionKeeper(camera, plan.tools.journal, self._clock)
        self._counting = CameraCounting(
            camera,
            plan.counting,
            make_detector=plan.make_detector,
            journal=plan.tools.journal,
            folder=plan.tools.folder,
        )
        self._run: MaskedRun | None = None
        self._parameters: StreamParameters | None = None
        self._retry_at_s = 0.0
        self._queue: FeedQueue | None = None
        self._in_hand_us: int | None = None  # the time of the packet that is being worked on
        self._taken_s: float | None = None  # when a packet came last
        self._end_us = 0  # of the last packet
        self._measured_s, self._measured_frames = 0.0, 0

    def offer(self, end: socket.socket) -> None:
        """From any thread: read `end` when the present feed is over."""
        try:
            self._feeds.put_nowait(end)
        except queue.Full:
            end.close()

    def load(self) -> Load:
        """From any thread: how it keeps up."""
        in_hand_us, items, run = self._in_hand_us, self._queue, self._run
        behind_s = 0.0 if in_hand_us is None else max(0.0, (self._clock.wall_us() - in_hand_us) / US_PER_S)
        taken_s = self._taken_s
        is_present = taken_s is not None and self._clock.monotonic_s() - taken_s < MEASURE_S
        is_stalled = is_present and run is not None and run.covered is CoverCause.DETECTOR_STALLED
        return Load(behind_s, items.share if items is not None else 0.0, is_stalled, has_begun=self._taken_s is not None)

    def measure(self) -> None:
        """From one thread, now and then: bring `masked_fps` and what is known of viewers up to date."""
        if self._live is not None:
            self.status.live_subscribers = self._live.subscribers
            self.status.live_dropped_fragments = self._live.dropped_fragments
        now_s = self._clock.monotonic_s()
        if now_s - self._measured_s >= MEASURE_S:
            frames = self.status.frames
            self.status.masked_fps = round((frames - self._measured_frames) / (now_s - self._measured_s), 1)
            self._measured_s, self._measured_frames = now_s, frames

    def run(self) -> None:
        """The thread's body."""
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                self._follow(self._feeds.get(timeout=READ_PATIENCE_S))
        while not self._feeds.empty():
            self._feeds.get_nowait().close()
        with contextlib.suppress(LamppostError):  # a journal that cannot be written has told so
            self._counting.close()
        self.status.state = "stopped"

    def take(self, item: FeedItem) -> None:
        """Mask, or begin to, what one item brings; in the camera's own thread."""
        if isinstance(item, Packet):
            self._in_hand_us, self._taken_s = item.wall_us, self._clock.monotonic_s()
        came_s = self._clock.monotonic_s()
        with self._turns:
            has_waited = self._clock.monotonic_s() - came_s > PATIENCE_AT_STOP_S
            try:
                if not (has_waited and self._stop.is_set()):  # a hundred that wait their turn may not keep the process from ending
                    self._take(item)
            except LamppostError as error:
                self._fail(error)
        self._in_hand_us = None

    def finish(self) -> None:
        """The feed is over, or shall be."""
        self._finish_run(SegmentEnd.STOPPED if self._stop.is_set() else SegmentEnd.RUN_ENDED)
        with contextlib.suppress(LamppostError):  # where no run was there to end it
            self._reductions.end(self._end_us)
        self._counting.end_run()
        self.status.state = "waiting"

    def _follow(self, end: socket.socket) -> None:
        reading = self._reader.read(end)
        self._queue = reading.items
        drain_until_s: float | None = None
        self._parameters = None  # a feed starts with a run
        while True:
            if drain_until_s is None and self._stop.is_set():
                drain_until_s = self._clock.monotonic_s() + DRAIN_S
            if drain_until_s is not None and self._clock.monotonic_s() > drain_until_s:
                break
            try:
                item = reading.items.get(READ_PATIENCE_S)
            except queue.Empty:
                continue
            if item is None:
                break
            self.take(item)
        reading.close()
        self._queue = None
        self.finish()

    def _take(self, item: FeedItem) -> None:
        if isinstance(item, RunStarted):
            self._finish_run(SegmentEnd.RUN_ENDED)
            self._parameters = item.parameters
            self._begin_run(item.parameters)
        elif isinstance(item, PacketsDropped):
            self.status.dropped_packets += item.packets
            if self._run is not None:
                self._run.drop(CoverCause.PACKETS_DROPPED)
        else:
            self._take_packet(item)

    def _take_packet(self, packet: Packet) -> None:
        if self._run is not None and self.plan.preset is not self._run_plan.preset:
            self._finish_run(SegmentEnd.RUN_ENDED, packet)
        self._counting.adopt(self.plan.counting, self.plan.make_detector)
        self._revive_run(packet)
        if self._run is not None:
            self._change_step(self._run, packet)
        if self._run is not None:
            self._mask(self._run, packet)

    def _begin_run(self, parameters: StreamParameters, motion: Motion | None = None) -> None:
        plan = self._run_plan = self.plan
        self._counting.adopt(plan.counting, plan.make_detector)
        watch = self._counting.begin_run(goes_on=motion is not None)
        self._run = MaskedRun(
            self.camera,
            parameters,
            plan.tools,
            masking=plan.make_masking(motion, watch),
            chain=self._chain,
            covers=self._covers,
            note_masked=self._counting.note_masked,
            step=self.wanted_step,
            live=self._live,
        )

    def _revive_run(self, packet: Packet) -> None:
        """After a failure, begin anew at a keyframe: a disk that was full for a moment must not end masking for hours."""
        is_due = self._clock.monotonic_s() >= self._retry_at_s
        if self._run is None and self._parameters is not None and packet.is_keyframe and is_due:
            self._begin_run(self._parameters)

    def _change_step(self, run: MaskedRun, packet: Packet) -> None:
        wanted = self.wanted_step
        if wanted is run.step and (run.fits(wanted) or not packet.is_keyframe):
            return
        if run.can_change(wanted, is_keyframe=packet.is_keyframe):
            run.change_step(wanted)
        elif packet.is_keyframe and self._parameters is not None:
            # The background goes over: learnt anew, it would take for a part of the place whoever stands still just now.
            motion = run.masking.motion
            self._finish_run(SegmentEnd.RUN_ENDED, packet)
            self._begin_run(self._parameters, motion)
        elif run.step is None:
            run.change_step(ReductionStep.FEWER_FRAMES)  # until a keyframe comes, with which a smaller picture can begin

    def _mask(self, run: MaskedRun, packet: Packet) -> None:
        frames, covered_frames = run.frames, run.covered_frames
        self._reductions.note(run.step, packet.wall_us)
        self._end_us = packet.wall_us + us_from_90k(packet.duration_90k)
        status = self.status
        # Before the packet is worked on: how late it came to it, not how long it takes.
        status.behind_s = round(max(0.0, (self._clock.wall_us() - packet.wall_us) / US_PER_S), 2)
        run.take(packet)
        status.frames += run.frames - frames
        status.covered_frames += run.covered_frames - covered_frames
        status.step = run.step.value if run.step else ""
        status.covered_cause = run.covered.value if run.covered else ""
        status.state = "covered" if run.covered else "masking"
        status.problem = ""

    def _fail(self, error: LamppostError) -> None:
        if str(error) != self.status.problem:
            self._log.error("not masking", problem=str(error))
        self.status.problem = str(error)
        self.status.state = "failed"
        self._retry_at_s = self._clock.monotonic_s() + RETRY_S
        run, self._run = self._run, None
        with contextlib.suppress(LamppostError):  # it failed already; this only closes files and books
            if run is not None:
                run.abandon()
        with contextlib.suppress(LamppostError):
            self._reductions.end(self._end_us)

    def _finish_run(self, end: SegmentEnd, following: Packet | None = None) -> None:
        """End the run; `following` is the first packet of another one that goes on where it ends."""
        run, self._run = self._run, None
        if run is None:
            return
        frames, covered_frames = run.frames, run.covered_frames
        try:
            run.finish(end, following.pts_90k if following else None)
            if following is None:
                self._reductions.end(self._end_us)
        except LamppostError as error:
            self._fail(error)
        self.status.frames += run.frames - frames
        self.status.covered_frames += run.covered_frames - covered_frames
