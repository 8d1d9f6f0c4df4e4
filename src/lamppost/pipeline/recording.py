"""One camera's recording: connect, hand packets on, keep the account, try again.

A thread of the recorder process. It decodes nothing and waits for nobody but
the camera and the disk.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import asdict, dataclass
from random import Random
from typing import Any

from lamppost.base.clock import Clock
from lamppost.base.errors import (
    CameraError,
    CameraRefused,
    LamppostError,
    SealError,
    StoreError,
    StreamEnded,
    TimestampError,
    UnsupportedStream,
)
from lamppost.base.ids import timed_id
from lamppost.base.logging import get_logger, redact
from lamppost.ingest.backoff import Backoff
from lamppost.ingest.session import open_session
from lamppost.model.books import FragmentWritten, GapOpened, JournalRecord, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import Gap, GapCause, Packet, RunStarted, SessionItem
from lamppost.model.settings import CameraSettings, RecordingSettings
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.feed import FeedWriter
from lamppost.pipeline.gaps import GapKeeper
from lamppost.record.segments import RecordChain, SegmentWriter

_CAUSES: tuple[tuple[type[LamppostError], GapCause], ...] = (
    (CameraRefused, GapCause.CAMERA_REFUSED),
    (UnsupportedStream, GapCause.UNSUPPORTED_STREAM),
    (StreamEnded, GapCause.STREAM_ENDED),
    (TimestampError, GapCause.TIMESTAMP_JUMP),
    (CameraError, GapCause.CAMERA_UNREACHABLE),
    (SealError, GapCause.SEAL_UNAVAILABLE),
    (StoreError, GapCause.STORE_FAILED),
)
STEADY_S = 30.0  # after a session that lasted so long the pause is the shortest again
EPOCH_POLL_S = 0.02
EPOCH_PATIENCE_S = 10.0
REVIVAL_PAUSE_S = 5.0


@dataclass(slots=True)
class RecordingStatus:
    """What the thread tells the supervisor; each field is read by itself, without a lock."""

    state: str = "starting"
    problem: str = ""
    frames: int = 0
    sealed_bytes: int = 0
    sessions: int = 0
    gaps: int = 0
    not_fed: int = 0  # packets the analyst had no room for

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RecordingTools:
    """What every camera's recording in a process shares."""

    folder: DataFolder
    settings: RecordingSettings
    journal: Callable[[JournalRecord], None]
    sign: Callable[[bytes], bytes]
    clock: Clock
    stop: threading.Event


class CameraRecording:
    """Records one camera until told to stop; trouble with it stays with it.

    Every moment from the start to the stop lies in a fragment or in a declared
    gap, also after a crash.
    """

    def __init__(
        self, camera: CameraSettings, tools: RecordingTools, *, epochs: EpochSupply, chain: RecordChain, left_open: GapOpened | None
    ) -> None:
        self.camera = camera
        self.feed = FeedWriter()
        self.status = RecordingStatus()
        self._tools = tools
        self._epochs = epochs
        self._chain = chain
        self._gaps = GapKeeper(camera.name, self._journal, tools.clock)
        self._left_open = left_open
        self._writer: SegmentWriter | None = None
        self._recorded_until_us = 0
        self._log = get_logger("record").bind(camera=camera.name)

    def run(self) -> None:
        """The thread's body: session after session, with a growing pause after each failure.

        When a bug has ended the thread, another one may run it again.
        """
        tools = self._tools
        self._start_account()
        backoff = Backoff(random=Random(), cap_s=tools.settings.reconnect_cap_s)  # noqa: S311  # jitter, not secrecy
        while not tools.stop.is_set():
            began_s = tools.clock.monotonic_s()
            try:
                self._record_session()
            except LamppostError as error:
                self._note_failure(error)
            if tools.clock.monotonic_s() - began_s > STEADY_S:
                backoff.reset()
            if not tools.stop.is_set():
                tools.clock.wait(tools.stop, backoff.next_s())
        self._begin_gap(GapCause.STOPPED, "")
        self._epochs.close()
        self.feed.detach()
        self.status.state = "stopped"

    def _start_account(self) -> None:
        if self._recorded_until_us:  # this is not the first thread
            self.status.state = "retrying"
            self._begin_gap(GapCause.RECORDER_DIED, "the camera's thread died of a bug")
            self._tools.clock.wait(self._tools.stop, REVIVAL_PAUSE_S)
            return
        if self._left_open is not None:
            self._gaps.resume(self._left_open)
        self._recorded_until_us = self._tools.clock.wall_us()
        self._begin_gap(GapCause.STARTING, "")

    def _record_session(self) -> None:
        tools, camera = self._tools, self.camera
        with open_session(
            camera.url,
            clock=tools.clock,
            stop=tools.stop,
            username=camera.username,
            password=camera.resolved_password(),
            timeout_s=tools.settings.timeout_s,
        ) as session:
            self.status.sessions += 1
            self._await_epoch()
            try:
                for item in session.items():
                    self._take(item)
                    if tools.stop.is_set():
                        break
            finally:
                self._close_run(SegmentEnd.STOPPED if tools.stop.is_set() else SegmentEnd.RUN_ENDED)

    def _await_epoch(self) -> None:
        clock = self._tools.clock
        deadline_s = clock.monotonic_s() + EPOCH_PATIENCE_S
        self._epochs.tend()
        while not self._epochs.is_ready():
            if clock.wait(self._tools.stop, EPOCH_POLL_S):
                return
            if clock.monotonic_s() > deadline_s:
                raise SealError(
                    f"camera {self.camera.name}: no sealing epoch is ready",
                    remedy="see the log for why; is the vault's disk full or read-only?",
                )
            self._epochs.tend()

    def _take(self, item: SessionItem) -> None:
        if isinstance(item, Packet):
            if self._writer is not None:
                self.feed.send(item)
                self._writer.write(item)
                self._count(item)
        elif isinstance(item, RunStarted):
            self._close_run(SegmentEnd.RUN_ENDED)
            self._writer = self._open_run(item)
            self.feed.start_run(item)
        else:
            self._declare(item)

    def _open_run(self, run: RunStarted) -> SegmentWriter:
        tools = self._tools
        return SegmentWriter(
            camera=self.camera.name,
            rendition=Rendition.SEALED,
            folder=tools.folder,
            run_id=timed_id(tools.clock.wall_us()),
            parameters=run.parameters,
            sealing=self._epochs.seal_with,
            journal=self._gaps.journal,
            chain=self._chain,
            sign=tools.sign,
            segment_s=tools.settings.segment_s,
            sync_interval_s=tools.settings.sync_interval_s,
            clock=tools.clock,
        )

    def _close_run(self, end: SegmentEnd) -> None:
        writer, self._writer = self._writer, None
        if writer is not None:
            writer.close(end)

    def _count(self, packet: Packet) -> None:
        status = self.status
        status.frames += 1
        status.state = "recording"
        status.not_fed = self.feed.dropped_packets
        if packet.is_keyframe:
            status.problem = ""
            self._epochs.tend()

    def _declare(self, gap: Gap) -> None:
        self._gaps.declare(gap)
        self.status.gaps = self._gaps.gaps

    def _note_failure(self, error: LamppostError) -> None:
        cause = next((cause for kind, cause in _CAUSES if isinstance(error, kind)), GapCause.CAMERA_UNREACHABLE)
        problem = redact(str(error))
        if problem != self.status.problem:
            self._log.warning("not recording", cause=cause.value, problem=problem)
        self.status.problem = problem
        self.status.state = "retrying"
        self._begin_gap(cause, problem)

    def _begin_gap(self, cause: GapCause, detail: str) -> None:
        # Within a gap the new cause holds from now on; what it was until now stays so.
        start_us = self._recorded_until_us if self._gaps.cause is None else self._tools.clock.wall_us()
        try:
            self._gaps.begin(cause, start_us, detail)
        except StoreError as error:
            # It is written before the next record; after a crash until then `check` reports the hole.
            self._log.error("the gap cannot be written", problem=str(error))
        self.status.gaps = self._gaps.gaps

    def _journal(self, record: JournalRecord) -> None:
        self._tools.journal(record)
        if isinstance(record, FragmentWritten):
            self._recorded_until_us = record.end_us
            self.status.sealed_bytes += record.length
