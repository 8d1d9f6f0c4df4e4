"""One at a time works on a device: server, caretaker and commands exclude each other, and who comes second is told who is there.

Two at once would spoil each other's work: an audit in the middle of a disarm sees half of it, and of two new passwords one is lost.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import threading
from collections.abc import Generator
from enum import StrEnum
from typing import Final

from lamppost.base.clock import Clock, format_utc
from lamppost.base.durable import make_directory
from lamppost.base.errors import DeviceBusy, StoreError
from lamppost.model.layout import DataFolder
from lamppost.store.book_file import give_to_owner_of

PATIENCE_S: Final = 10.0  # most work is over by then; what takes longer is told
POLL_S: Final = 0.1
_MOST_BYTES: Final = 400


class DeviceWork(StrEnum):
    """What is done with a device while nobody else may do anything: "it is being …"."""

    AUDIT = "audited"
    PLAN = "asked what a disarm would change"
    DISARM = "disarmed"
    ROLLBACK = "set back as it was before a disarm"
    PASSWORD = "given another password"  # noqa: S105  # says so, and is none
    SETTLE = "asked which password it has taken"
    ADJUST = "set"


class DeviceLocks:
    """The devices of one data folder, for a process that `by` names: "the server"; many threads may share it.

    Held by the open file: the kernel lets go of it when the process dies, however it does. The file stays: one that is removed could
    be locked by two.
    """

    def __init__(self, folder: DataFolder, clock: Clock, by: str) -> None:
        self._folder = folder
        self._clock = clock
        self._by = by

    @contextlib.contextmanager
    def hold(self, camera: str, work: DeviceWork, *, patience_s: float = PATIENCE_S) -> Generator[None]:
        """Nobody else works on the device of `camera` until the block ends.

        Raises `DeviceBusy` where somebody does for longer than `patience_s`, and `StoreError`.
        """
        descriptor = self._open(camera)
        try:
            self._take(descriptor, camera, patience_s)
            self._sign(descriptor, work)
            try:
                yield
            finally:
                # So that who comes next never reads who was there before.
                with contextlib.suppress(OSError):
                    os.ftruncate(descriptor, 0)
        finally:
            os.close(descriptor)

    def _open(self, camera: str) -> int:
        path = self._folder.device_lock(camera)
        make_directory(path.parent, 0o700)
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise StoreError(
                f"cannot open the lock {path}: {error.strerror}", remedy="may Lamppost's user write the data folder?"
            ) from error
        try:
            # Made by a command that root gives: the server must be able to take it all the same.
            give_to_owner_of(self._folder.root, path.parent.parent, path.parent, path)
        except OSError as error:
            os.close(descriptor)
            raise StoreError(f"cannot hand over the lock {path}: {error.strerror}") from error
        return descriptor

    def _take(self, descriptor: int, camera: str, patience_s: float) -> None:
        until_s = self._clock.monotonic_s() + patience_s
        while True:
            try:
                fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if self._clock.monotonic_s() >= until_s:
                    problem = f"the device of {camera} is being {_who(descriptor)}"
                    raise DeviceBusy(problem, remedy="try again when that is over") from error
            except OSError as error:
                remedy = "put the data folder on a disk that knows locks"
                raise StoreError(f"cannot lock the device of {camera}: {error.strerror}", remedy=remedy) from error
            self._clock.wait(threading.Event(), POLL_S)

    def _sign(self, descriptor: int, work: DeviceWork) -> None:
        note = json.dumps({"work": work.value, "by": self._by, "since_us": self._clock.wall_us()}).encode()
        with contextlib.suppress(OSError):  # on a full disk it is locked all the same, and nobody reads by whom
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, note, 0)


def _who(descriptor: int) -> str:
    """What is done, by whom and since when, as far as the one who does it has come to say so."""
    try:
        note = json.loads(os.pread(descriptor, _MOST_BYTES, 0))
        return f"{DeviceWork(note['work'])} by {note['by']} since {format_utc(int(note['since_us']))}"
    except (OSError, ValueError, TypeError, LookupError, OverflowError):
        return "worked on by somebody else"
