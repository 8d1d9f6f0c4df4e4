"""One camera's masking, run after run: what arrives on the feed leaves masked or not at all.

Two threads of the analyst process: one reads the feed, so that the recorder
sees room as long as there is any; one decodes, detects, masks and encodes.
"""

from __future__ import annotations

import contextlib
import queue
import socket
import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any

from lamppost.base.errors import LamppostError
from lamppost.base.logging import get_logger
from lamppost.model.books import SegmentEnd
from lamppost.model.media import Packet, RunStarted, StreamParameters
from lamppost.model.vision import CoverCause
from lamppost.pipeline.alongside import put_unless
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.feed import FeedItem, PacketsDropped, read_feed
from lamppost.pipeline.masked_run import MaskedRun, MaskedTools
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.record.segments import RecordChain

QUEUE_PACKETS = 90  # some seconds; when it is full the recorder drops to a keyframe, counted
READ_PATIENCE_S = 0.2
RETRY_S = 2.0  # after a failure; then the next keyframe starts anew, covered
DRAIN_S = 1.0  # what is still queued at a stop is masked for so long, then left to the originals


@dataclass(slots=True)
class AnalysisStatus:
    """What the thread tells the supervisor; each field is read by itself, without a lock."""

    state: str = "waiting"
    problem: str = ""
    frames: int = 0
    covered_frames: int = 0
    dropped_packets: int = 0
    behind_s: float = 0.0

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


class CameraAnalysis:
    """Masks what arrives, one feed after the other.

    A failure of decoder, masker or encoder ends the present run: its frames are
    not shown, and a keyframe soon after starts anew, covered.
    """

    def __init__(
        self,
        camera: str,
        tools: MaskedTools,
        *,
        make_masking: Callable[[], MaskingPipeline],
        chain: RecordChain,
        stop: threading.Event,
    ) -> None:
        self.camera = camera
        self.status = AnalysisStatus()
        self._tools = tools
        self._make_masking = make_masking
        self._chain = chain
        self._stop = stop
        self._feeds: queue.Queue[socket.socket] = queue.Queue(maxsize=4)
        self._log = get_logger("mask").bind(camera=camera)
        self._covers = CoverKeeper(camera, tools.journal, tools.clock)
        self._run: MaskedRun | None = None
        self._parameters: StreamParameters | None = None
        self._retry_at_s = 0.0

    def offer(self, end: socket.socket) -> None:
        """From any thread: read `end` when the present feed is over."""
        try:
            self._feeds.put_nowait(end)
        except queue.Full:
            end.close()

    def run(self) -> None:
        """The thread's body."""
        while not self._stop.is_set():
            with contextlib.suppress(queue.Empty):
                self._follow(self._feeds.get(timeout=READ_PATIENCE_S))
        self.status.state = "stopped"

    def _follow(self, end: socket.socket) -> None:
        items: queue.Queue[FeedItem | None] = queue.Queue(maxsize=QUEUE_PACKETS)
        is_over = threading.Event()
        threading.Thread(target=_pump, args=(end, items, is_over), name=f"feed-{self.camera}", daemon=True).start()
        drain_until_s: float | None = None
        self._parameters = None  # a feed starts with a run
        while True:
            if drain_until_s is None and self._stop.is_set():
                drain_until_s = self._tools.clock.monotonic_s() + DRAIN_S
            if drain_until_s is not None and self._tools.clock.monotonic_s() > drain_until_s:
                break
            try:
                item = items.get(timeout=READ_PATIENCE_S)
            except queue.Empty:
                continue
            if item is None:
                break
            self._take(item)
        is_over.set()
        self._finish_run(SegmentEnd.STOPPED if self._stop.is_set() else SegmentEnd.RUN_ENDED)
        self.status.state = "waiting"

    def _take(self, item: FeedItem) -> None:
        try:
            if isinstance(item, RunStarted):
                self._finish_run(SegmentEnd.RUN_ENDED)
                self._parameters = item.parameters
                self._begin_run(item.parameters)
            elif isinstance(item, PacketsDropped):
                self.status.dropped_packets += item.packets
                if self._run is not None:
                    self._run.drop(CoverCause.PACKETS_DROPPED)
            else:
                self._revive_run(item)
                if self._run is not None:
                    self._mask(self._run, item)
        except LamppostError as error:
            self._fail(error)

    def _begin_run(self, parameters: StreamParameters) -> None:
        self._run = MaskedRun(self.camera, parameters, self._tools, masking=self._make_masking(), chain=self._chain, covers=self._covers)

    def _revive_run(self, packet: Packet) -> None:
        """After a failure, begin anew at a keyframe: a disk that was full for a moment must not end masking for hours."""
        is_due = self._tools.clock.monotonic_s() >= self._retry_at_s
        if self._run is None and self._parameters is not None and packet.is_keyframe and is_due:
            self._begin_run(self._parameters)

    def _mask(self, run: MaskedRun, packet: Packet) -> None:
        frames, covered_frames = run.frames, run.covered_frames
        run.take(packet)
        status = self.status
        status.frames += run.frames - frames
        status.covered_frames += run.covered_frames - covered_frames
        status.behind_s = round(max(0.0, (self._tools.clock.wall_us() - packet.wall_us) / 1e6), 2)
        status.state = "covered" if run.is_covered else "masking"
        status.problem = ""

    def _fail(self, error: LamppostError) -> None:
        if str(error) != self.status.problem:
            self._log.error("not masking", problem=str(error))
        self.status.problem = str(error)
        self.status.state = "failed"
        self._retry_at_s = self._tools.clock.monotonic_s() + RETRY_S
        run, self._run = self._run, None
        if run is not None:
            with contextlib.suppress(LamppostError):  # it failed already; this only closes files
                run.abandon()

    def _finish_run(self, end: SegmentEnd) -> None:
        run, self._run = self._run, None
        if run is None:
            return
        frames, covered_frames = run.frames, run.covered_frames
        try:
            run.finish(end)
        except LamppostError as error:
            self._fail(error)
        self.status.frames += run.frames - frames
        self.status.covered_frames += run.covered_frames - covered_frames


def _pump(end: socket.socket, items: queue.Queue[FeedItem | None], is_over: threading.Event) -> None:
    """Move items from the socket to the queue; wait while it is full, so that the recorder drops."""
    with end, contextlib.suppress(OSError):  # a dead recorder resets the socket; what it sent is in the queue
        for item in read_feed(end):
            if not put_unless(is_over, items, item):
                return
    put_unless(is_over, items, None)
