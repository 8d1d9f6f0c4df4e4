"""What recorder and analyst report becomes one word, and what goes with it."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import pytest

from lamppost.api.camera_state import SILENT_US, camera_report
from lamppost.model.media import GapCause
from lamppost.pipeline.analysing import AnalysisStatus
from lamppost.pipeline.recording import RecordingStatus

NOW_US = 1_700_000_000_000_000


def report(
    recording: RecordingStatus | None = None, masking: AnalysisStatus | None = None, *, gap_us: int | None = None, **node: Any
) -> Any:
    told = {"recording": asdict(recording) if recording else {}, "masking": asdict(masking) if masking else {}}
    return camera_report("gate", {"cameras": {"gate": told}, "at_us": NOW_US, **node}, NOW_US, gap_us)


@pytest.mark.parametrize(
    ("state", "cause", "word"),
    [
        ("starting", "starting", "connecting"),
        ("recording", "", "recording"),
        ("recording", "starting", "recording"),
        ("retrying", GapCause.CAMERA_UNREACHABLE.value, "lost"),
        ("retrying", GapCause.STREAM_ENDED.value, "lost"),
        ("retrying", GapCause.CAMERA_REFUSED.value, "refused"),
        ("retrying", GapCause.UNSUPPORTED_STREAM.value, "unsupported"),
        ("retrying", GapCause.STORE_FAILED.value, "lost"),
        (GapCause.NOT_SCHEDULED.value, GapCause.NOT_SCHEDULED.value, "not_scheduled"),
        (GapCause.HELD.value, GapCause.HELD.value, "held"),
        ("stopped", GapCause.STOPPED.value, "off"),
    ],
)
def test_a_state_is_one_word(state: str, cause: str, word: str) -> None:
    assert report(RecordingStatus(state=state, cause=cause)).state == word


def test_every_cause_of_a_gap_has_a_word() -> None:
    words = {report(RecordingStatus(state="retrying", cause=cause.value)).state for cause in GapCause}
    assert words == {"connecting", "lost", "refused", "unsupported", "not_scheduled", "held", "off"}


def test_before_anything_is_told_it_is_starting_and_after_silence_it_is_off() -> None:
    assert camera_report("gate", {}, NOW_US, None).state == "starting"
    recording = RecordingStatus(state="recording")
    silent = report(recording, AnalysisStatus(state="masking"), at_us=NOW_US - SILENT_US - 1)
    assert (silent.state, silent.masking.state, silent.live) == ("off", "off", False)
    assert silent.detail == "the node tells nothing any more"


def test_a_lost_camera_says_since_when_and_why() -> None:
    lost = report(RecordingStatus(state="retrying", cause="camera_unreachable", problem="no route — is it on?"), gap_us=NOW_US - 5)
    assert (lost.since, lost.last_picture, lost.detail) == (NOW_US - 5, NOW_US - 5, "no route — is it on?")
    well = report(RecordingStatus(state="recording"), gap_us=NOW_US - 5)
    assert (well.since, well.last_picture) == (None, NOW_US)


@pytest.mark.parametrize(
    ("status", "word", "is_live"),
    [
        (AnalysisStatus(state="masking", behind_s=0.6), "masked", True),
        (AnalysisStatus(state="masking", behind_s=4.0, step="fewer_frames"), "behind", True),
        (AnalysisStatus(state="covered", covered_cause="starting"), "covered", True),
        (AnalysisStatus(state="waiting"), "off", False),
        (AnalysisStatus(state="failed", problem="a decoder"), "off", False),
        (None, "off", False),
    ],
)
def test_masking_is_one_word(status: AnalysisStatus | None, word: str, is_live: bool) -> None:
    found = report(RecordingStatus(state="recording"), status)
    assert (found.masking.state, found.live) == (word, is_live)
    assert found.masking.step == ((status.step or None) if status else None)
    assert found.masking.covered_cause == ("starting" if word == "covered" else None)


def test_what_it_sends_and_what_is_wrong_with_it_are_told() -> None:
    recording = RecordingStatus(state="recording", codec="h264", width_px=1280, height_px=720, fps=25.0, is_dropping=True)
    alarms = [
        {"kind": "clock_off", "severity": "warning", "camera": "gate", "problem": "its clock is 9 s ahead of ours"},
        {"kind": "store_slow", "severity": "alarm", "camera": None, "problem": "the disk"},
    ]
    found = report(recording, alarms=alarms)
    assert found.picture is not None
    assert found.picture.model_dump() == {"width_px": 1280, "height_px": 720, "fps": 25.0, "codec": "h264"}
    assert [(alarm.kind, alarm.detail) for alarm in found.alarms] == [("clock_off", "its clock is 9 s ahead of ours")]
    assert "disk" in found.detail
