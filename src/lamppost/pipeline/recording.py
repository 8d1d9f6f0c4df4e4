"""What is kept of one camera: its segments, its sealing epochs, and the account of every moment.

The store's side of a recording. It waits for disks, and so runs in a line of
work of its own, one thing at a time; what arrives comes from `reception.py`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Final

from lamppost.base.clock import TICKS_PER_S, Clock
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
from lamppost.model.books import FragmentWritten, GapOpened, JournalRecord, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import Gap, GapCause, Packet, RunStarted, SessionItem
from lamppost.model.settings import RecordingSettings, SealingSettings
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.gaps import GapKeeper
from lamppost.record.endings import SegmentEndings
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
RETRY_FIRST_S: Final = 0.5
RETRY_CAP_S: Final = 5.0
A_BUG: Final = "a bug in Lamppost; its log has the details"


def cause_of(error: LamppostError) -> GapCause:
    """The cause that stands in the books for `error`."""
    return next((cause for kind, cause in _CAUSES if isinstance(error, kind)), GapCause.CAMERA_UNREACHABLE)


@dataclass(slots=True)
class RecordingStatus:
    """What the supervisor is told; each field is written by one thread and read without a lock."""

    state: str = "starting"
    problem: str = ""
    cause: str = ""  # of the gap that is open now
    frames: int = 0
    sealed_bytes: int = 0
    sessions: int = 0
    gaps: int = 0
    not_fed: int = 0  # packets the analyst had no room for
    dropped: int = 0  # packets that the disk was too slow for
    is_dropping: bool = False
    received_bytes: int = 0
    received_packets: int = 0  # of the network, of the present session
    lost_packets: int = 0  # of the network, as far as the transport can tell
    codec: str = ""  # of the last run, as are size and rate
    width_px: int = 0
    height_px: int = 0
    fps: float = 0.0  # nominal; 0 where the stream does not say
    measured_fps: float | None = None  # over the last seconds, as are bit rate and keyframes; None while too little was seen
    kbit_per_s: float | None = None
    keyframe_interval_s: float | None = None
    clock_off_s: float | None = None  # how far the camera's clock is ahead of ours; None where it does not say

    def to_json(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class RecordingTools:
    """What all recordings of a process share."""

    folder: DataFolder
    journal: Callable[[JournalRecord], None]
    sign: Callable[[bytes], bytes]
    clock: Clock


class CameraRecording:
    """Keeps what arrives of one camera; every moment from `start` on lies in a fragment or in a declared gap.

    Also after a crash. Trouble with disk or seal ends the segment and opens a gap;
    it is tried again with a keyframe soon after, while the camera stays connected.
    """

    def __init__(
        self,
        camera: str,
        tools: RecordingTools,
        settings: RecordingSettings,
        *,
        epochs: EpochSupply,
        chain: RecordChain,
        left_open: GapOpened | None,
    ) -> None:
        self.camera = camera
        self.status = RecordingStatus()
        self.is_ready = False  # whether a segment could be opened now; read by the loop
        self._tools = tools
        self._settings = settings
        self._epochs = epochs
        self._chain = chain
        self._gaps = GapKeeper(camera, self._journal, tools.clock)
        if left_open is not None:
            self._gaps.resume(left_open)
        self._run: RunStarted | None = None
        self._writer: SegmentWriter | None = None
        self._recorded_until_us = 0
        self._retry_at_s = 0.0
        self._retry_pause_s = RETRY_FIRST_S
        self._log = get_logger("record").bind(camera=camera)

    def configure(self, settings: RecordingSettings, sealing: SealingSettings) -> None:
        """Use these settings from the next run and the next epoch on."""
        self._settings = settings
        self._epochs.use(sealing)

    def start(self) -> None:
        """Open the account, or go on with it: nothing is recorded yet."""
        if not self._recorded_until_us:
            self._recorded_until_us = self._tools.clock.wall_us()
        self._begin_gap(GapCause.STARTING, "")
        self.tend()

    def tend(self) -> None:
        """See to the sealing epochs; call it until `is_ready`, and now and then."""
        try:
            self._epochs.tend()
        except StoreError as error:
            self._tell(error)
        self.is_ready = self._epochs.is_ready()

    def take(self, items: Sequence[SessionItem]) -> None:
        """Write what arrived: runs, packets and gaps, in order."""
        for item in items:
            try:
                self._take(item)
            except LamppostError as error:
                self._break(error)

    def pause(self, cause: GapCause, detail: str = "", *, end: SegmentEnd = SegmentEnd.RUN_ENDED) -> None:
        """Nothing comes for now: end the segment, open the gap."""
        self._run = None
        self._close_run(end)
        self._begin_gap(cause, detail)

    def fail(self, error: LamppostError) -> None:
        """The camera or its connection failed: the same, told in the log once."""
        self._run = None
        self._close_run(SegmentEnd.RUN_ENDED)
        self._tell(error)
        self._begin_gap(cause_of(error), self.status.problem)

    def stop(self, cause: GapCause) -> None:
        """The last word, for now: everything is durable on return."""
        self.pause(cause, end=SegmentEnd.STOPPED)
        self._end_earlier()
        self._epochs.close()
        self.is_ready = False
        self.status.state = "stopped"

    def _take(self, item: SessionItem) -> None:
        if isinstance(item, Packet):
            self._write(item)
        elif isinstance(item, RunStarted):
            self._run = item
            self._note_parameters(item)
            self._close_run(SegmentEnd.RUN_ENDED)
        else:
            self._declare(item)

    def _note_parameters(self, run: RunStarted) -> None:
        parameters, status = run.parameters, self.status
        status.codec = parameters.codec.value
        status.width_px, status.height_px = parameters.width_px, parameters.height_px
        interval_90k = parameters.frame_interval_90k
        status.fps = round(TICKS_PER_S / interval_90k, 2) if interval_90k else 0.0

    def _write(self, packet: Packet) -> None:
        if self._writer is None:
            is_due = self._tools.clock.monotonic_s() >= self._retry_at_s
            if self._run is None or not packet.is_keyframe or not is_due:
                return
            self._writer = self._open_run(self._run)
        self._writer.write(packet)
        status = self.status
        status.frames += 1
        status.state = "recording"
        if packet.is_keyframe:
            status.problem = ""
            self._epochs.tend()
            self.is_ready = True

    def _open_run(self, run: RunStarted) -> SegmentWriter:
        tools = self._tools
        return SegmentWriter(
            camera=self.camera,
            rendition=Rendition.SEALED,
            folder=tools.folder,
            run_id=timed_id(tools.clock.wall_us()),
            parameters=run.parameters,
            sealing=self._epochs.seal_with,
            journal=self._gaps.journal,
            chain=self._chain,
            sign=tools.sign,
            segment_s=self._settings.segment_s,
            sync_interval_s=self._settings.sync_interval_s,
            clock=tools.clock,
        )

    def _close_run(self, end: SegmentEnd) -> None:
        writer, self._writer = self._writer, None
        if writer is None:
            return
        try:
            writer.close(end)
        except LamppostError as error:
            self._break(error)

    def give_up(self) -> None:
        """A bug ended what was being written: begin anew at a keyframe soon."""
        self._abandon()
        self._begin_gap(GapCause.RECORDER_DIED, A_BUG)

    def _break(self, error: LamppostError) -> None:
        """Disk, seal or muxer failed: end what can be ended, open the gap, try again at a keyframe soon."""
        self._abandon()
        self._tell(error)
        self._begin_gap(cause_of(error), self.status.problem)

    def _abandon(self) -> None:
        self._retry_at_s = self._tools.clock.monotonic_s() + self._retry_pause_s
        self._retry_pause_s = min(RETRY_CAP_S, self._retry_pause_s * 2)
        writer, self._writer = self._writer, None
        if writer is not None:
            try:
                writer.close(SegmentEnd.RUN_ENDED)
            except LamppostError:  # it failed already, and is tried again before the next segment
                self._log.debug("the segment could not be ended")

    def _end_earlier(self) -> None:
        tools = self._tools
        try:
            SegmentEndings(tools.folder, self._chain, self._gaps.journal, tools.sign).end_earlier()
        except StoreError:
            self._log.debug("a segment could not be ended")  # the next start does

    def _declare(self, gap: Gap) -> None:
        self._gaps.declare(gap)
        self.status.gaps = self._gaps.gaps

    def _tell(self, error: LamppostError) -> None:
        problem = redact(str(error))
        if problem != self.status.problem:
            self._log.warning("not recording", cause=cause_of(error).value, problem=problem)
        self.status.problem = problem
        self.status.state = "retrying"

    def _begin_gap(self, cause: GapCause, detail: str) -> None:
        # Within a gap the new cause holds from now on; what it was until now stays so.
        start_us = self._recorded_until_us if self._gaps.cause is None else self._tools.clock.wall_us()
        self.status.cause = cause.value
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
            self._retry_pause_s = RETRY_FIRST_S
            self.status.sealed_bytes += record.length
            self.status.cause = ""
