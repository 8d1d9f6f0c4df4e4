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
from lamppost.model.settings import SealingSettings, Settings
from lamppost.pipeline.analyst import _die_with
from lamppost.pipeline.child import ChildContext, OrderBox, tend
from lamppost.pipeline.control import ControlChannel, Message
from lamppost.store.journal import JournalWriter

RECIPIENTS = ("age1" + "q" * 58, "age1" + "p" * 58)


class FailingJournal:
    def sync_if_due(self) -> None:
        raise StoreError("cannot sync the journal: No space left on device")


def test_a_disk_that_fails_is_told_once_and_ends_nobody(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    stop = threading.Event()
    ours, theirs = socket.socketpair()
    settings = Settings(sealing=SealingSettings(custodians=RECIPIENTS, threshold=2))
    context = ChildContext("analyst-1", settings, DataFolder(tmp_path), ManualClock(), stop, ControlChannel(ours))
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


def test_an_analyst_dies_with_a_thread_unless_it_was_told_to_stop() -> None:
    thread = threading.Thread(target=lambda: None, name="mask-gate")
    thread.start()
    thread.join()
    stop = threading.Event()
    with pytest.raises(RuntimeError, match="mask-gate"):
        _die_with([thread], stop)
    stop.set()
    _die_with([thread], stop)


def test_orders_that_come_early_wait_and_keep_their_order() -> None:
    box, taken = OrderBox(), list[int]()
    for number in (1, 2):
        box.take(Message({"number": number}))
    box.hand_to(lambda message: taken.append(message.body["number"]))
    box.take(Message({"number": 3}))
    assert taken == [1, 2, 3]
