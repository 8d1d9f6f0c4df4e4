"""Files that are there after a power loss, or were never there.

A name becomes visible only when its bytes are on the disk: write beside it,
`fsync`, rename, `fsync` the directory. The order is the promise; see
`tests/unit/base/test_durable.py`, which lists the system calls it expects.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable
from pathlib import Path

from lamppost.base.errors import StoreError


def sync_directory(folder: Path) -> None:
    """Make the names in `folder` durable."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def make_directory(folder: Path, mode: int = 0o750) -> None:
    """Create `folder` and what is missing above it, each name durable."""
    missing: list[Path] = []
    cursor = folder
    while not cursor.is_dir():
        missing.append(cursor)
        cursor = cursor.parent
    for path in reversed(missing):
        try:
            with contextlib.suppress(FileExistsError):
                path.mkdir(mode)
            sync_directory(path.parent)
        except OSError as error:
            raise StoreError(f"cannot create the folder {path}: {error.strerror}") from error


def write_durable(path: Path, content: bytes, mode: int = 0o640, *, first: Callable[[], object] | None = None) -> None:
    """Put `content` at `path`, whole or not at all; replaces what was there.

    `first` is called when `content` is on the disk and not yet at `path`; where it raises, all stays as it was.
    """
    staging = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        descriptor = os.open(staging, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, mode)
        try:
            write_all(descriptor, content)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        if first is not None:
            first()
        staging.rename(path)
        sync_directory(path.parent)
    except BaseException as error:
        with contextlib.suppress(OSError):
            staging.unlink()
        if not isinstance(error, OSError):
            raise
        raise StoreError(f"cannot write {path}: {error.strerror}", remedy="is the disk full or read-only?") from error


def write_all(descriptor: int, content: bytes | bytearray | memoryview) -> None:
    """`os.write` until everything is written; raises `OSError`."""
    view = memoryview(content)
    while view:
        view = view[os.write(descriptor, view) :]


def remove_durable(path: Path) -> None:
    """Unlink `path` and make its absence durable; a missing one is fine."""
    try:
        path.unlink(missing_ok=True)
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"cannot remove {path}: {error.strerror}", remedy="is the disk read-only or failing?") from error
