"""Unix sockets in a folder: bound in the place of a dead owner's, and reached however long the folder's name is."""

from __future__ import annotations

import contextlib
import fcntl
import os
import socket
from collections.abc import Generator
from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory
from lamppost.base.errors import StoreError

LONGEST_NAME_BYTES: Final = 107  # `sun_path` holds 108 with its NUL, unix(7)
_BACKLOG = 16


class LocalListener:
    """A listening socket at `path`, for this user alone: the folder has mode 0700, the socket 0600.

    One that is there already is replaced, be its owner dead or alive; `close` removes the name only as long as it is
    ours. A kill leaves the name behind: who connects is refused until the next owner replaces it.
    """

    def __init__(self, path: Path) -> None:
        """Raises `StoreError` where the folder does not take it."""
        self._path = path
        make_directory(path.parent, 0o700)
        self.socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.socket.setblocking(False)
        try:
            path.parent.chmod(0o700)
            with _locked(path.parent), _reachable(path) as name:
                path.unlink(missing_ok=True)
                self.socket.bind(name)
                path.chmod(0o600)
                self._identity = _identity_of(path)
            self.socket.listen(_BACKLOG)
        except OSError as error:
            self.socket.close()
            raise StoreError(
                f"no socket can be made at {path}: {error.strerror or error}", remedy="see that Lamppost's user may write there"
            ) from error

    def is_in_place(self) -> bool:
        """Whether the name still leads here."""
        return _identity_of(self._path) == self._identity

    def close(self) -> None:
        """Listen no more; a second call does nothing."""
        if self.socket.fileno() < 0:
            return
        with contextlib.suppress(OSError), _locked(self._path.parent):
            if self.is_in_place():
                self._path.unlink(missing_ok=True)
        self.socket.close()


def connect(path: Path) -> socket.socket:
    """A connection to whoever listens at `path`; raises `StoreError` when nobody does."""
    end = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        with _reachable(path) as name:
            end.connect(name)
    except OSError as error:
        end.close()
        raise StoreError(f"nobody listens at {path}: {error.strerror or error}") from error
    return end


@contextlib.contextmanager
def _reachable(path: Path) -> Generator[str]:
    """A name of `path` that a socket's address has room for."""
    if len(os.fsencode(path)) <= LONGEST_NAME_BYTES:
        yield str(path)
        return
    folder = os.open(path.parent, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        # The kernel knows the open folder by a short name; changing into it would do so for all threads.
        yield f"/proc/self/fd/{folder}/{path.name}"
    finally:
        os.close(folder)


@contextlib.contextmanager
def _locked(folder: Path) -> Generator[None]:
    """Between two processes that hand a name over, one may not remove what the other has just made."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        yield
    finally:
        os.close(descriptor)


def _identity_of(path: Path) -> tuple[int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_dev, status.st_ino
