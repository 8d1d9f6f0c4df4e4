"""Places and releases holds: what is held is not deleted automatically, whatever its age and however full the disk.

The bookkeeper alone writes the index. A hold is written to a journal of its own,
and is in force once that is on the disk: retention applies every journal before
it chooses anything.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lamppost.base.clock import Clock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.base.ids import timed_id
from lamppost.model.books import Act, HoldPlaced, HoldReleased, Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import HOLD_WRITER
from lamppost.store.index import HoldRow, Index
from lamppost.store.journal import is_locked, journal_files, read_journal
from lamppost.store.orders import append_orders

INDEX_PATIENCE_S: Final = 15.0
POLL_S: Final = 0.1
MAX_REASON_CHARS: Final = 1000


def place_hold(folder: DataFolder, camera: str, start_us: int, end_us: int, reason: str, *, actor: str, clock: Clock) -> HoldRow:
    """Hold the footage of [`start_us`, `end_us`), durable on return; raises `ConfigError` and `StoreError`."""
    reason = " ".join(reason.split())
    if start_us >= end_us:
        raise ConfigError(f"the interval ends ({format_utc(end_us)}) before it begins ({format_utc(start_us)})", remedy="swap the two")
    if not reason:
        raise ConfigError("a hold needs a reason", remedy="say why in one line, with --reason")
    if len(reason) > MAX_REASON_CHARS:
        raise ConfigError(f"the reason has {len(reason)} characters, more than {MAX_REASON_CHARS}", remedy="name a file number instead")
    known = recorded_cameras(folder)
    if camera not in known:
        raise ConfigError(
            f"camera {camera!r} was never recorded in {folder.root}",
            remedy=f"recorded here: {', '.join(known)}" if known else "name the data folder with --data",
        )
    now_us = clock.wall_us()
    placed = HoldPlaced(timed_id(now_us), camera, start_us, end_us, now_us, actor, reason)
    detail = {"hold": placed.hold_id, "from": format_utc(start_us), "to": format_utc(end_us), "reason": reason}
    act = Act(f"placed-{placed.hold_id}", "hold_placed", now_us, actor, camera, json.dumps(detail))
    append_orders(folder, HOLD_WRITER, [placed, act], clock)
    return _row(placed)


def release_hold(folder: DataFolder, hold_id: str, *, actor: str, clock: Clock) -> HoldRow:
    """End a hold, durable on return; raises `ConfigError` where there is none, or it was released before."""
    hold = next((hold for hold in list_holds(folder) if hold.hold_id == hold_id), None)
    if hold is None:
        raise ConfigError(f"there is no hold {hold_id!r}", remedy="`lamppost hold list` shows those in force")
    if hold.released_us is not None:
        raise ConfigError(f"hold {hold_id} was released at {format_utc(hold.released_us)} by {hold.released_by}")
    now_us = clock.wall_us()
    act = Act(f"released-{hold_id}", "hold_released", now_us, actor, hold.camera, json.dumps({"hold": hold_id}))
    append_orders(folder, HOLD_WRITER, [HoldReleased(hold_id, now_us, actor), act], clock)
    return replace(hold, released_us=now_us, released_by=actor)


def list_holds(folder: DataFolder) -> tuple[HoldRow, ...]:
    """Every hold, by camera and time: those of the index, and those that it has not taken in yet.

    Raises `JournalDamaged` where the journal of holds cannot be read to its end.
    """
    found: dict[str, HoldRow] = {}
    if folder.index.is_file():
        with Index(folder) as index:
            found = {hold.hold_id: hold for hold in index.holds()}
    for path in journal_files(folder.journal / HOLD_WRITER):
        for record in read_journal(path).records:
            if isinstance(record, HoldPlaced):
                found.setdefault(record.hold_id, _row(record))
            elif isinstance(record, HoldReleased) and record.hold_id in found and found[record.hold_id].released_us is None:
                found[record.hold_id] = replace(found[record.hold_id], released_us=record.wall_us, released_by=record.actor)
    return tuple(sorted(found.values(), key=lambda hold: (hold.camera, hold.start_us, hold.hold_id)))


def recorded_cameras(folder: DataFolder) -> tuple[str, ...]:
    """The cameras that anything was ever recorded of, as far as files and index tell."""
    names = {path.name for rendition in Rendition for path in (folder.root / rendition.value).glob("*") if path.is_dir()}
    if folder.index.is_file():
        with Index(folder) as index:
            names |= {camera for camera, _ in index.stored()}
    return tuple(sorted(names))


def is_kept(folder: DataFolder) -> bool:
    """Whether a bookkeeper runs on `folder`."""
    return is_locked(folder.run / "bookkeeper.lock")


def await_index(folder: DataFolder, is_shown: Callable[[HoldRow], bool], hold_id: str, clock: Clock) -> bool:
    """Wait until the index shows the hold as `is_shown` wants it; false when it does not in time."""
    deadline_s, never = clock.monotonic_s() + INDEX_PATIENCE_S, threading.Event()
    while True:
        if folder.index.is_file():
            with Index(folder) as index:
                if any(is_shown(hold) for hold in index.holds() if hold.hold_id == hold_id):
                    return True
        if clock.monotonic_s() > deadline_s or not is_kept(folder):
            return False
        clock.wait(never, POLL_S)


def _row(placed: HoldPlaced) -> HoldRow:
    return HoldRow(placed.hold_id, placed.camera, placed.start_us, placed.end_us, placed.wall_us, placed.actor, placed.reason)
