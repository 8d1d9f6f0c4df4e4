"""Has dead letters offered again, on somebody's order."""

from __future__ import annotations

import json
import threading
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import Act, NoticesRevived
from lamppost.model.layout import DataFolder
from lamppost.store.holds import is_kept
from lamppost.store.orders import append_orders
from lamppost.store.outbox_view import OutboxView

NOTIFY_WRITER: Final = "notify"
INDEX_PATIENCE_S: Final = 15.0
POLL_S: Final = 0.1


def revive(folder: DataFolder, carrier: str, *, actor: str, clock: Clock) -> None:
    """Order the dead letters of `carrier` to be offered again, durable on return; raises `StoreError`."""
    now_us = clock.wall_us()
    act = Act(timed_id(now_us), "notices_revived", now_us, actor, carrier, json.dumps({}))
    append_orders(folder, NOTIFY_WRITER, [NoticesRevived(carrier, now_us, actor), act], clock)


def await_none_dead(folder: DataFolder, carrier: str, clock: Clock) -> bool:
    """Wait until the index has no dead letter of `carrier`; false when it is not so in time, or nobody writes the index."""
    deadline_s, never = clock.monotonic_s() + INDEX_PATIENCE_S, threading.Event()
    while True:
        with OutboxView(folder) as view:
            if not view.dead(carrier, 1):
                return True
        if clock.monotonic_s() > deadline_s or not is_kept(folder):
            return False
        clock.wait(never, POLL_S)
