"""One camera's reception and recording with a scripted stream, done at once and on a clock that is moved by hand."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import pytest

from camera_packets import encode
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import CameraError, LamppostError, StoreError
from lamppost.base.loop import Loop
from lamppost.ingest.stream import StreamFacts, StreamSink
from lamppost.model.books import FragmentWritten, GapClosed, GapOpened, JournalRecord
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, RunStarted, SessionItem
from lamppost.model.settings import CameraSettings, RecordingSettings
from lamppost.pipeline import connection
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.lines import WorkLine, WorkThreads
from lamppost.pipeline.reception import CameraReception, ReceptionTools
from lamppost.pipeline.recording import CameraRecording, RecordingTools
from lamppost.record.segments import RecordChain, SealingEpoch

CANARY = "kanarienvogel-42"


class ScriptedEpochs:
    """Epochs that are ready, unless told otherwise."""

    def __init__(self) -> None:
        self.is_open = True
        self.is_there = True
        self.failure: LamppostError | None = None

    def tend(self) -> None:
        pass

    def is_ready(self) -> bool:
        return self.is_there

    def seal_with(self, wall_us: int) -> SealingEpoch:
        if self.failure is not None:
            raise self.failure
        return SealingEpoch("epoch-1", wall_us + 3600 * US_PER_S, lambda data: data)

    def close(self) -> None:
        self.is_open = False


class ScriptedIntake:
    """Stands for the real one: what is pushed are session items already."""

    def __init__(self, facts: StreamFacts) -> None:
        pass

    def push(self, units: Sequence[SessionItem]) -> list[SessionItem]:
        return list(units)

    def flush(self) -> list[SessionItem]:
        return []


class ScriptedStream:
    """What a camera would be; the test says what it sends."""

    def __init__(self, url: str, sink: StreamSink) -> None:
        self.url, self.sink = url, sink
        self.is_open = True
        self.peer = "192.0.2.10"

    def open(self) -> ScriptedStream:
        self.sink.opened(StreamFacts(Codec.H264))
        return self

    def send(self, *items: SessionItem) -> None:
        self.sink.units(items)  # type: ignore[arg-type]

    def fail(self, error: CameraError) -> None:
        self.sink.ended(error)

    def close(self) -> None:
        self.is_open = False


class PromptThreads:
    """The threads of the store, whose work is done the moment it is put; `is_stuck` lets it wait."""

    def __init__(self) -> None:
        self.is_stuck = False
        self.waiting_bytes = 0
        self._waiting: list[tuple[WorkLine, Callable[[], None], int]] = []

    def put(self, line: WorkLine, work: Callable[[], None], cost_bytes: int) -> None:
        self._waiting.append((line, work, cost_bytes))
        self.waiting_bytes += cost_bytes
        line.waiting_bytes += cost_bytes
        if not self.is_stuck:
            self.flow()

    def flow(self) -> None:
        self.is_stuck = False
        while self._waiting:
            line, work, cost_bytes = self._waiting.pop(0)
            self.waiting_bytes -= cost_bytes
            line.waiting_bytes -= cost_bytes
            try:
                work()
            except ArithmeticError as error:
                line.on_bug(error)


class Scene:
    """One camera, what its streams do, and the books that come of it."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch, **camera: object) -> None:
        monkeypatch.setattr(connection, "Intake", ScriptedIntake)
        self.clock = ManualClock()
        self.loop = Loop(self.clock, tick_s=0.0)
        self.records: list[JournalRecord] = []
        self.journal_failure: StoreError | None = None
        self.open_failure: Exception | None = None
        self.epochs = ScriptedEpochs()
        self.streams: list[ScriptedStream] = []
        self.attempts_s: list[float] = []
        self.threads = PromptThreads()
        self.root = root
        fields = {"name": "gate", "url": "rtsp://192.0.2.10/stream", "username": "op", "password": CANARY} | camera
        self.camera = CameraSettings.model_validate(fields)
        self.build(None)

    def build(self, left_open: GapOpened | None) -> None:
        """A new life of the process."""
        tools = RecordingTools(DataFolder(self.root), self._journal, lambda text: text + b"\n-- signed\n", self.clock)
        self.recording = CameraRecording(
            "gate",
            tools,
            RecordingSettings(segment_s=5),
            epochs=cast(EpochSupply, self.epochs),
            chain=RecordChain(),
            left_open=left_open,
        )
        threads = cast(WorkThreads, self.threads)
        line = WorkLine(threads, lambda error: self.reception.on_line_bug(error))
        reception_tools = ReceptionTools(self.loop, self.clock, threads, self._open)
        self.reception = CameraReception(self.camera, reception_tools, self.recording, line, timezone="Europe/Berlin", reconnect_cap_s=10.0)

    def _open(self, camera: CameraSettings, url: str, loop: Loop, sink: StreamSink) -> ScriptedStream:
        self.attempts_s.append(self.clock.monotonic_s())
        if self.open_failure is not None:
            raise self.open_failure
        stream = ScriptedStream(url, sink)
        self.streams.append(stream)
        return stream

    def _journal(self, record: JournalRecord) -> None:
        if self.journal_failure is not None:
            raise self.journal_failure
        self.records.append(record)

    @property
    def stream(self) -> ScriptedStream:
        """The newest."""
        return self.streams[-1]

    def advance(self, seconds: float) -> None:
        """Let time pass; timers run on the way."""
        end_s = self.clock.monotonic_s() + seconds
        while self.clock.monotonic_s() < end_s:
            self.clock.advance(min(0.1, end_s - self.clock.monotonic_s()))
            self.loop.post(lambda: None)
            self.loop.step()

    def video(self, frames: int = 60) -> list[SessionItem]:
        """A run that starts now."""
        parameters, packets = encode(frames=frames)
        shift_us = self.clock.wall_us() - packets[0].wall_us
        return [RunStarted(parameters), *(replace(packet, wall_us=packet.wall_us + shift_us) for packet in packets)]

    def play(self, items: Sequence[SessionItem]) -> None:
        """Have the stream send `items`, each at its time."""
        for item in items:
            self.stream.send(item)
            if not isinstance(item, RunStarted):
                self.advance(0.04)

    def record(self, frames: int = 60) -> None:
        """Connect, and send a run."""
        self.stream.open()
        self.play(self.video(frames))

    def gaps(self) -> list[tuple[str, int, int | None]]:
        """(cause, start, end) of every gap; end None while open."""
        closed = {record.gap_id: record.end_us for record in self.records if isinstance(record, GapClosed)}
        return [(gap.cause, gap.start_us, closed.get(gap.gap_id)) for gap in self.records if isinstance(gap, GapOpened)]

    def causes(self) -> list[str]:
        return [cause for cause, _, _ in self.gaps()]

    def frames(self) -> int:
        return sum(record.frames for record in self.records if isinstance(record, FragmentWritten))

    def books(self) -> str:
        return json.dumps([repr(record) for record in self.records])
