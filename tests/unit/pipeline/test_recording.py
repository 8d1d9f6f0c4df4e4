"""A camera's trouble is written as a gap with its cause, told in one line without a secret, and tried again."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from types import TracebackType
from typing import Self, cast

import pytest
import structlog

from camera_packets import encode
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import (
    CameraError,
    CameraRefused,
    CameraUnreachable,
    ConfigError,
    LamppostError,
    SealError,
    StoreError,
    StreamEnded,
    TimestampError,
    UnsupportedStream,
)
from lamppost.base.logging import configure_logging
from lamppost.model.books import FragmentWritten, GapClosed, GapOpened, JournalRecord, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Gap, GapCause, RunStarted, SessionItem
from lamppost.model.settings import CameraSettings, RecordingSettings
from lamppost.pipeline import recording
from lamppost.pipeline.epochs import EpochSupply
from lamppost.pipeline.feed import read_feed
from lamppost.pipeline.recording import _CAUSES, EPOCH_PATIENCE_S, REVIVAL_PAUSE_S, CameraRecording, RecordingTools
from lamppost.record.segments import RecordChain, SealingEpoch

CANARY = "kanarienvogel-42"
SESSIONS_LIMIT = 50


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


class ScriptedSession:
    """Yields its items, moving the clock with them, and ends with its failure."""

    def __init__(self, items: list[SessionItem], failure: CameraError | None, clock: ManualClock) -> None:
        self._items, self._failure, self._clock = items, failure, clock
        self.is_open = True

    def items(self) -> Iterator[SessionItem]:
        for item in self._items:
            yield item
            self._clock.advance(0.04)
        if self._failure is not None:
            raise self._failure

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.is_open = False


Step = LamppostError | list[SessionItem] | tuple[list[SessionItem], CameraError] | Callable[[], None]
"""One attempt: a refusal, a session that ends well or with an error, or something that happens instead."""


class Scene:
    """One camera, a script of what its sessions do, and the books that come of it; ends when the script does."""

    def __init__(self, root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.clock = ManualClock()
        self.stop = threading.Event()
        self.records: list[JournalRecord] = []
        self.journal_failure: StoreError | None = None
        self.epochs = ScriptedEpochs()
        self.attempts_s: list[float] = []
        self.passwords: list[str | None] = []
        self.sessions: list[ScriptedSession] = []
        self.root = root
        self.script: list[Step] = []
        self.left_open: GapOpened | None = None
        self.camera = CameraSettings(name="gate", url="rtsp://192.0.2.10/stream", username="op", password=CANARY)
        monkeypatch.setattr(recording, "open_session", self._open)

    def _open(self, url: str, *, password: str | None, **_: object) -> ScriptedSession:
        self.attempts_s.append(self.clock.monotonic_s())
        self.passwords.append(password)
        assert len(self.attempts_s) < SESSIONS_LIMIT
        step = self.script.pop(0) if self.script else None
        if step is None:
            self.stop.set()
            return self._session([], None)
        if isinstance(step, LamppostError):
            raise step
        if isinstance(step, tuple):
            return self._session(*step)
        if isinstance(step, list):
            return self._session(step, StreamEnded("the stream ended"))
        step()
        return self._session([], StreamEnded("the stream ended"))

    def _session(self, items: list[SessionItem], failure: CameraError | None) -> ScriptedSession:
        self.sessions.append(ScriptedSession(items, failure, self.clock))
        return self.sessions[-1]

    def _journal(self, record: JournalRecord) -> None:
        if self.journal_failure is not None:
            raise self.journal_failure
        self.records.append(record)

    def run(self, *script: Step) -> CameraRecording:
        self.script = list(script)
        tools = RecordingTools(
            DataFolder(self.root),
            RecordingSettings(segment_s=5),
            self._journal,
            lambda text: text + b"\n-- signed\n",
            self.clock,
            self.stop,
        )
        epochs = cast(EpochSupply, self.epochs)
        self.recording = CameraRecording(self.camera, tools, epochs=epochs, chain=RecordChain(), left_open=self.left_open)
        self.recording.run()
        return self.recording

    def video(self, frames: int = 60) -> list[SessionItem]:
        """A run that starts now."""
        parameters, packets = encode(frames=frames)
        shift_us = self.clock.wall_us() - packets[0].wall_us
        return [RunStarted(parameters), *(replace(packet, wall_us=packet.wall_us + shift_us) for packet in packets)]

    def gaps(self) -> list[tuple[str, int, int | None]]:
        """(cause, start, end) of every gap; end None while open."""
        closed = {record.gap_id: record.end_us for record in self.records if isinstance(record, GapClosed)}
        return [(gap.cause, gap.start_us, closed.get(gap.gap_id)) for gap in self.records if isinstance(gap, GapOpened)]

    def causes(self) -> list[str]:
        return [cause for cause, _, _ in self.gaps()]

    def books(self) -> str:
        return json.dumps([repr(record) for record in self.records])


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Scene:
    return Scene(tmp_path, monkeypatch)


# Causes


@pytest.mark.parametrize(
    ("failure", "cause"),
    [
        (CameraUnreachable("no route"), GapCause.CAMERA_UNREACHABLE),
        (CameraRefused("wrong password"), GapCause.CAMERA_REFUSED),
        (UnsupportedStream("MJPEG"), GapCause.UNSUPPORTED_STREAM),
        (StreamEnded("the end"), GapCause.STREAM_ENDED),
        (TimestampError("time stands still"), GapCause.TIMESTAMP_JUMP),
        (CameraError("something else"), GapCause.CAMERA_UNREACHABLE),
        (SealError("no epoch"), GapCause.SEAL_UNAVAILABLE),
        (StoreError("disk full"), GapCause.STORE_FAILED),
        (ConfigError("no such file"), GapCause.CAMERA_UNREACHABLE),
    ],
    ids=lambda part: type(part).__name__ if isinstance(part, LamppostError) else part.value,
)
def test_every_error_has_its_cause(scene: Scene, failure: LamppostError, cause: GapCause) -> None:
    told: list[tuple[str, str]] = []
    scene.run(failure, lambda: told.append((scene.gaps()[-1][0], scene.recording.status.problem)))
    assert told == [(cause.value, str(failure))]
    assert scene.causes()[:2] == ["starting", cause.value]


def test_a_narrow_class_stands_before_its_base() -> None:
    for index, (kind, _) in enumerate(_CAUSES):
        earlier = [other for other, _ in _CAUSES[:index]]
        assert not any(issubclass(kind, other) for other in earlier), f"{kind.__name__} is hidden by its base"


def test_every_class_of_camera_error_has_a_cause() -> None:
    for kind in [*CameraError.__subclasses__(), SealError, StoreError]:
        assert any(issubclass(kind, known) for known, _ in _CAUSES)


# The account


def test_what_is_received_is_recorded_and_the_rest_is_a_gap(scene: Scene) -> None:
    start_us = scene.clock.wall_us()
    scene.run(scene.video())
    fragments = [record for record in scene.records if isinstance(record, FragmentWritten)]
    assert sum(fragment.frames for fragment in fragments) == 60
    assert scene.causes() == ["starting", "stream_ended", "stopped"]
    starting, ended, stopped = scene.gaps()
    assert starting == ("starting", start_us, fragments[0].start_us)
    assert ended[1] == fragments[-1].end_us
    assert ended[2] == stopped[1]
    assert stopped[2] is None


def test_a_gap_keeps_its_cause_until_another_begins(scene: Scene) -> None:
    # An hour without a network must not turn into an hour of "stopped".
    scene.run(CameraUnreachable("no route"), lambda: scene.clock.advance(3600))
    unreachable, ended = scene.gaps()[1:3]
    assert unreachable[0] == "camera_unreachable"
    assert unreachable[2] is not None
    assert unreachable[2] - unreachable[1] >= 3600 * US_PER_S
    assert ended[1] == unreachable[2]


def test_a_stop_closes_the_segment_and_opens_the_gap_where_the_video_ends(scene: Scene) -> None:
    items = scene.video()

    class StopAt(list[SessionItem]):
        def __iter__(self) -> Iterator[SessionItem]:
            for index, item in enumerate(items):
                if index == 40:
                    scene.stop.set()
                yield item

    camera = scene.run(StopAt())
    closed = [record for record in scene.records if isinstance(record, SegmentClosed)]
    assert [(record.end, record.frames) for record in closed] == [(SegmentEnd.STOPPED, 40)]
    assert scene.gaps()[-1] == ("stopped", closed[-1].end_us, None)
    assert not scene.epochs.is_open
    assert not any(session.is_open for session in scene.sessions)
    assert camera.status.state == "stopped"


def test_a_thread_that_died_of_a_bug_can_be_run_again_and_its_time_is_a_gap(scene: Scene) -> None:
    def break_down() -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        scene.run(scene.video(), break_down)
    ended_us = scene.clock.wall_us()
    scene.script = [scene.video()]
    scene.recording.run()
    causes = scene.causes()
    assert causes == ["starting", "stream_ended", "recorder_died", "stream_ended", "stopped"]
    assert scene.gaps()[2][1] == ended_us
    assert scene.attempts_s[2] - scene.attempts_s[1] >= REVIVAL_PAUSE_S
    assert sum(record.frames for record in scene.records if isinstance(record, FragmentWritten)) == 120


def test_a_gap_that_an_earlier_life_left_open_goes_on(scene: Scene) -> None:
    start_us = scene.clock.wall_us()
    scene.left_open = GapOpened("old", "gate", GapCause.RECORDER_DIED.value, start_us - 9 * US_PER_S, "")
    scene.run(scene.video())
    closed = {record.gap_id: record.end_us for record in scene.records if isinstance(record, GapClosed)}
    assert closed["old"] == start_us
    assert scene.gaps()[0][:2] == ("starting", start_us)


def test_a_starting_gap_that_was_left_open_is_not_written_twice(scene: Scene) -> None:
    scene.left_open = GapOpened("old", "gate", GapCause.STARTING.value, scene.clock.wall_us() - US_PER_S, "")
    scene.run(scene.video())
    assert "starting" not in scene.causes()
    assert any(isinstance(record, GapClosed) and record.gap_id == "old" for record in scene.records)


def test_declared_damage_is_a_gap_of_its_own(scene: Scene) -> None:
    items = scene.video()
    now_us = scene.clock.wall_us()
    items.insert(40, Gap(now_us + 1_400_000, now_us + 1_440_000, GapCause.DAMAGED, "corrupt"))
    scene.run(items)
    assert ("damaged", now_us + 1_400_000, now_us + 1_440_000) in scene.gaps()


def test_a_new_run_ends_the_segment_of_the_last(scene: Scene) -> None:
    first = scene.video(25)
    second = [replace(item, wall_us=item.wall_us + 2 * US_PER_S) if not isinstance(item, RunStarted | Gap) else item for item in first]
    scene.run([*first, *second])
    runs = [record.run_id for record in scene.records if isinstance(record, SegmentOpened)]
    assert len(runs) == len(set(runs)) == 2


# Trouble with seal and store


def test_an_epoch_that_never_comes_is_told(scene: Scene) -> None:
    scene.epochs.is_there = False
    told: list[str] = []

    def look() -> None:
        told.extend(scene.causes())
        scene.epochs.is_there = True

    scene.run(scene.video(), look)
    assert told == ["starting", "seal_unavailable"]
    assert scene.attempts_s[1] > EPOCH_PATIENCE_S


def test_a_disk_that_is_full_for_a_while_does_not_end_the_thread(scene: Scene) -> None:
    def fill() -> None:
        scene.journal_failure = StoreError("the disk is full")

    def free() -> None:
        scene.journal_failure = None

    items = scene.video()
    camera = scene.run(fill, items, free, scene.video())
    assert camera.status.state == "stopped"
    frames = sum(record.frames for record in scene.records if isinstance(record, FragmentWritten))
    assert frames == 60
    opened = {record.gap_id for record in scene.records if isinstance(record, GapOpened)}
    assert {record.gap_id for record in scene.records if isinstance(record, GapClosed)} < opened


def test_a_seal_that_fails_in_mid_stream_is_a_gap_until_it_works_again(scene: Scene) -> None:
    def mend() -> None:
        scene.epochs.failure = None

    scene.epochs.failure = SealError("the vault is full")
    scene.run(scene.video(), mend, scene.video())
    assert scene.causes()[:2] == ["starting", "seal_unavailable"]
    assert sum(record.frames for record in scene.records if isinstance(record, FragmentWritten)) == 60


# Pauses


def test_pauses_grow_to_their_cap_and_use_the_clock(scene: Scene) -> None:
    scene.run(*[CameraUnreachable("no route")] * 12)
    pauses_s = [later - earlier for earlier, later in pairwise(scene.attempts_s)]
    assert pauses_s[0] <= 0.5
    assert max(pauses_s) > 7
    assert max(pauses_s) <= RecordingSettings().reconnect_cap_s


def test_a_steady_session_makes_the_pause_short_again(scene: Scene) -> None:
    failures: list[Step] = [CameraUnreachable("no route")] * 6
    scene.run(*failures, lambda: scene.clock.advance(31), CameraUnreachable("no route"))
    assert scene.attempts_s[7] - scene.attempts_s[6] - 31 <= 0.5


# Secrets


@pytest.fixture
def logging() -> Iterator[None]:
    configure_logging(process="recorder", level="debug")
    yield
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.mark.usefixtures("logging")
def test_no_password_gets_into_status_journal_or_log(scene: Scene, capfd: pytest.CaptureFixture[str]) -> None:
    told: list[str] = []
    script: list[Step] = []
    for kind in (CameraRefused, CameraUnreachable, UnsupportedStream, StreamEnded, TimestampError, SealError, StoreError, ConfigError):
        script.append(kind(f"rtsp://op:{CANARY}@192.0.2.10/stream: password={CANARY}", remedy=f"not rtsps://x:{CANARY}@h"))
        script.append(lambda: told.append(json.dumps(scene.recording.status.to_json())))
    scene.run(*script)
    output = capfd.readouterr()
    assert all("192.0.2.10" in text for text in (*told, output.err))
    assert set(scene.passwords) == {CANARY}  # it did reach the session
    for text in (*told, scene.books(), output.out, output.err):
        assert CANARY not in text


# Status and feed


def test_the_status_counts_what_the_books_say(scene: Scene) -> None:
    camera = scene.run(scene.video())
    assert camera.status.frames == 60
    assert camera.status.sealed_bytes == sum(record.length for record in scene.records if isinstance(record, FragmentWritten))
    assert camera.status.gaps == len(scene.gaps())
    assert camera.status.sessions == len(scene.sessions)


def test_the_analyst_gets_what_is_recorded(scene: Scene) -> None:
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)
    scene.run(lambda: scene.recording.feed.offer(near), scene.video())
    with far:
        items = list(read_feed(far))
    assert isinstance(items[0], RunStarted)
    assert len(items) == 61
