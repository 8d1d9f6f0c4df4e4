"""A camera's trouble is written as a gap with its cause, told in one line without a secret, and tried again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pytest
import structlog

from lamppost.base.clock import US_PER_S
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
from lamppost.model.books import FragmentWritten, GapClosed, GapOpened, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.media import Gap, GapCause, RunStarted
from lamppost.model.settings import RecordingSettings
from lamppost.pipeline.recording import _CAUSES, RETRY_CAP_S
from reception_scene import CANARY, Scene


@pytest.fixture
def scene(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Scene]:
    scene = Scene(tmp_path, monkeypatch)
    yield scene
    scene.loop.close()


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
    scene.open_failure = failure
    scene.reception.start()
    assert scene.causes() == ["starting", cause.value]
    assert scene.reception.status.problem == str(failure)
    assert scene.reception.status.cause == cause.value


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
    scene.reception.start()
    scene.record()
    scene.stream.fail(StreamEnded("the end"))
    scene.reception.stop(GapCause.STOPPED)
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
    scene.open_failure = CameraUnreachable("no route")
    scene.reception.start()
    scene.advance(60)
    scene.reception.stop(GapCause.STOPPED)
    unreachable, stopped = scene.gaps()[1:3]
    assert unreachable[0] == "camera_unreachable"
    assert unreachable[2] == stopped[1]
    assert stopped[1] - unreachable[1] >= 60 * US_PER_S


def test_a_stop_closes_the_segment_and_opens_the_gap_where_the_video_ends(scene: Scene) -> None:
    scene.reception.start()
    scene.record(40)
    scene.reception.stop(GapCause.STOPPED)
    closed = [record for record in scene.records if isinstance(record, SegmentClosed)]
    assert [(record.end, record.frames) for record in closed] == [(SegmentEnd.STOPPED, 40)]
    assert scene.gaps()[-1] == ("stopped", closed[-1].end_us, None)
    assert not scene.epochs.is_open
    assert not any(stream.is_open for stream in scene.streams)
    assert scene.reception.status.state == "stopped"


def test_a_gap_that_an_earlier_life_left_open_goes_on(scene: Scene) -> None:
    start_us = scene.clock.wall_us()
    scene.build(GapOpened("old", "gate", GapCause.RECORDER_DIED.value, start_us - 9 * US_PER_S, ""))
    scene.reception.start()
    scene.record()
    closed = {record.gap_id: record.end_us for record in scene.records if isinstance(record, GapClosed)}
    assert closed["old"] == start_us
    assert scene.gaps()[0][:2] == ("starting", start_us)


def test_a_starting_gap_that_was_left_open_is_not_written_twice(scene: Scene) -> None:
    scene.build(GapOpened("old", "gate", GapCause.STARTING.value, scene.clock.wall_us() - US_PER_S, ""))
    scene.reception.start()
    scene.record()
    assert "starting" not in scene.causes()
    assert any(isinstance(record, GapClosed) and record.gap_id == "old" for record in scene.records)


def test_declared_damage_is_a_gap_of_its_own(scene: Scene) -> None:
    scene.reception.start()
    scene.stream.open()
    items = scene.video()
    now_us = scene.clock.wall_us()
    items.insert(40, Gap(now_us + 1_400_000, now_us + 1_440_000, GapCause.DAMAGED, "corrupt"))
    scene.play(items)
    scene.reception.stop(GapCause.STOPPED)
    assert ("damaged", now_us + 1_400_000, now_us + 1_440_000) in scene.gaps()


def test_a_new_run_ends_the_segment_of_the_last(scene: Scene) -> None:
    scene.reception.start()
    scene.record(25)
    scene.play([replace(item) if isinstance(item, RunStarted) else item for item in scene.video(25)])
    scene.reception.stop(GapCause.STOPPED)
    runs = [record.run_id for record in scene.records if isinstance(record, SegmentOpened)]
    assert len(runs) == len(set(runs)) == 2
    assert scene.frames() == 50


def test_what_is_removed_and_comes_back_has_one_account(scene: Scene) -> None:
    scene.reception.start()
    scene.record()
    scene.reception.stop(GapCause.REMOVED)
    scene.advance(10)
    recording = scene.recording
    scene.build(None)
    scene.reception._recording = recording
    scene.reception.start()
    assert [cause for cause, _, end in scene.gaps() if end is None] == ["starting"]
    spans = [(start, end) for _, start, end in scene.gaps()]
    assert spans[1][1] == spans[2][0]


# Trouble with seal and store


def test_an_epoch_that_never_comes_is_told_and_one_that_comes_late_costs_nothing(scene: Scene) -> None:
    scene.epochs.is_there = False
    scene.reception.start()
    scene.record(50)
    assert scene.frames() == 0
    scene.epochs.is_there = True
    scene.advance(0.3)
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 50
    assert scene.causes() == ["starting", "stopped"]


def test_a_seal_that_cannot_be_had_is_a_gap_with_its_cause(scene: Scene) -> None:
    scene.epochs.is_there = False
    scene.epochs.failure = SealError("no sealing epoch is ready")
    scene.reception.start()
    scene.record(50)
    scene.advance(12)
    assert scene.causes() == ["starting", "seal_unavailable"]
    assert scene.stream.is_open, "the camera stays connected"


def test_a_disk_that_is_full_for_a_while_costs_what_came_meanwhile_and_no_connection(scene: Scene) -> None:
    scene.reception.start()
    scene.record(50)
    scene.journal_failure = StoreError("the disk is full")
    scene.play(scene.video(75))
    scene.journal_failure = None
    for _ in range(6):
        scene.play(scene.video(50))
    scene.reception.stop(GapCause.STOPPED)
    assert len(scene.streams) == 1
    assert "store_failed" in scene.causes()
    fragments = [record for record in scene.records if isinstance(record, FragmentWritten)]
    spans = [(start, end) for _, start, end in scene.gaps()] + [(part.start_us, part.end_us) for part in fragments]
    ends = sorted((start, end or 2**62) for start, end in spans)
    assert all(later[0] <= earlier[1] + 1000 for earlier, later in pairwise(ends)), "every moment is accounted for"
    assert scene.frames() > 300


def test_a_seal_that_fails_in_mid_stream_is_a_gap_until_it_works_again(scene: Scene) -> None:
    scene.reception.start()
    scene.epochs.failure = SealError("the vault is full")
    scene.record(50)
    assert scene.causes() == ["starting", "seal_unavailable"]
    scene.epochs.failure = None
    scene.advance(RETRY_CAP_S)
    scene.play(scene.video(50))
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 50


def test_a_bug_while_writing_is_a_gap_and_a_keyframe_begins_anew(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reception.start()
    scene.record(50)

    def break_down(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patch:
        patch.setattr(scene.recording, "take", break_down)
        scene.play(scene.video(25))
    scene.advance(1)
    scene.play(scene.video(50))
    scene.reception.stop(GapCause.STOPPED)
    assert "recorder_died" in scene.causes()
    assert scene.frames() >= 75, "a fragment is lost, and no more"


def test_a_bug_in_what_reads_the_stream_ends_that_session_alone(scene: Scene, monkeypatch: pytest.MonkeyPatch) -> None:
    scene.reception.start()
    scene.record(50)

    def break_down(_: object) -> None:
        raise ZeroDivisionError

    attempt = scene.reception._main._attempt
    assert attempt is not None
    assert attempt._intake is not None
    monkeypatch.setattr(attempt._intake, "push", break_down)
    scene.reception._main._guarded.call_later(0.0, lambda: scene.stream.send(*scene.video(25)))
    scene.advance(0.1)
    assert scene.causes()[-1] == "recorder_died"
    assert not scene.streams[0].is_open
    scene.advance(6)
    assert len(scene.streams) == 2
    scene.record(50)
    scene.reception.stop(GapCause.STOPPED)
    assert scene.frames() == 100


# Pauses


def test_pauses_grow_to_their_cap_and_use_the_clock(scene: Scene) -> None:
    scene.open_failure = CameraUnreachable("no route")
    scene.reception.start()
    scene.advance(60)
    pauses_s = [later - earlier for earlier, later in pairwise(scene.attempts_s)]
    assert pauses_s[0] <= 0.7
    assert max(pauses_s) > 5
    assert max(pauses_s) <= RecordingSettings().reconnect_cap_s + 0.2


def test_a_steady_session_makes_the_pause_short_again(scene: Scene) -> None:
    scene.open_failure = CameraUnreachable("no route")
    scene.reception.start()
    scene.advance(60)
    scene.open_failure = None
    scene.advance(11)
    scene.stream.open()
    scene.advance(31)
    scene.stream.fail(CameraUnreachable("no route"))
    failed_s, attempts = scene.clock.monotonic_s(), len(scene.attempts_s)
    scene.advance(1)
    assert scene.attempts_s[attempts] - failed_s <= 0.6


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
    for kind in (CameraRefused, CameraUnreachable, UnsupportedStream, StreamEnded, TimestampError, SealError, StoreError, ConfigError):
        scene.open_failure = kind(f"rtsp://op:{CANARY}@192.0.2.10/stream: password={CANARY}", remedy=f"not rtsps://x:{CANARY}@h")
        scene.reception.start() if not told else scene.advance(11)
        told.append(json.dumps(scene.reception.status.to_json()))
    output = capfd.readouterr()
    assert all("192.0.2.10" in text for text in (*told, output.out + output.err))
    for text in (*told, scene.books(), output.out, output.err):
        assert CANARY not in text


# Status


def test_the_status_counts_what_the_books_say(scene: Scene) -> None:
    scene.reception.start()
    scene.record()
    status = scene.reception.status
    assert (status.state, status.cause) == ("recording", "")
    scene.reception.stop(GapCause.STOPPED)
    assert status.frames == 60
    assert status.sealed_bytes == sum(record.length for record in scene.records if isinstance(record, FragmentWritten))
    assert status.gaps == len(scene.gaps())
    assert status.sessions == len(scene.streams)
