"""A child goes on while its disk fails, and is not kept alive by a thread when its work is over."""

from __future__ import annotations

import socket
import threading
from pathlib import Path
from typing import cast

import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, SealingSettings, Settings
from lamppost.pipeline import recorder
from lamppost.pipeline.analyst import _die_with
from lamppost.pipeline.child import ChildContext, tend
from lamppost.pipeline.control import ControlChannel
from lamppost.pipeline.recording import CameraRecording, RecordingStatus
from lamppost.store.journal import JournalWriter

RECIPIENTS = ("age1" + "q" * 58, "age1" + "p" * 58)


class FailingJournal:
    def sync_if_due(self) -> None:
        raise StoreError("cannot sync the journal: No space left on device")


def test_a_disk_that_fails_is_told_once_and_ends_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    ours, theirs = socket.socketpair()
    settings = Settings(sealing=SealingSettings(custodians=RECIPIENTS, threshold=2))
    context = ChildContext(settings, DataFolder(tmp_path), ManualClock(), stop, ControlChannel(ours))
    looks = 0

    def look() -> None:
        nonlocal looks
        looks += 1
        if looks == 5:
            stop.set()

    with ours, theirs:
        tend(context, cast(JournalWriter, FailingJournal()), look)
    assert looks == 5
    assert "".join(capsys.readouterr()).count("No space left") == 1


class DyingRecording:
    """Its first thread dies at once, as of a bug; the second one ends as told."""

    def __init__(self) -> None:
        self.camera = CameraSettings(name="gate", url="sim://plaza")
        self.status = RecordingStatus()
        self.lives = 0

    def run(self) -> None:
        self.lives += 1
        if self.lives == 2:
            self.status.state = "stopped"


def test_a_recording_thread_that_died_is_started_anew(capsys: pytest.CaptureFixture[str]) -> None:
    dying = DyingRecording()
    recordings = [cast(CameraRecording, dying)]
    threads = [recorder._start(recordings[0])]
    for _ in range(3):
        threads[0].join()
        recorder._start_the_dead(threads, recordings)
    assert dying.lives == 2
    assert "".join(capsys.readouterr()).count("started anew") == 1


def test_an_analyst_dies_with_a_thread_unless_it_was_told_to_stop() -> None:
    thread = threading.Thread(target=lambda: None, name="mask-gate")
    thread.start()
    thread.join()
    stop = threading.Event()
    with pytest.raises(RuntimeError, match="mask-gate"):
        _die_with([thread], stop)
    stop.set()
    _die_with([thread], stop)
