"""Keeps the shares of every epoch: a store of its own, which no backup includes.

An epoch's folder appears whole or not at all. It lies on every mirror before it
can be seen in the vault itself, and is gone from all of them once `delete`
returned.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from lamppost.base.durable import make_directory, sync_directory, write_all
from lamppost.base.errors import StoreError
from lamppost.model.layout import DataFolder

MAX_FILE_BYTES = 64 * 1024
SEAL_NOTE = "seal.note"
_STAGING = ".staging-"


class Vault:
    """The vault at `root` (`DataFolder.vault`) and its mirrors, folders of the same shape."""

    def __init__(self, root: Path, mirrors: Sequence[Path] = ()) -> None:
        self._root = root
        self._mirrors = tuple(mirrors)

    def put(self, camera: str, epoch_id: str, files: Mapping[str, bytes]) -> None:
        """Store an epoch's files, durable on every mirror on return; raises `StoreError`, also if it exists."""
        for root in (*self._mirrors, self._root):
            self._put(_folder(root, camera, epoch_id), files)

    def read(self, camera: str, epoch_id: str) -> dict[str, bytes]:
        """The files of an epoch, by name; raises `StoreError` when it is not there."""
        folder = _folder(self._root, camera, epoch_id)
        try:
            return {path.name: _read_small(path) for path in sorted(folder.iterdir()) if not path.name.startswith(".")}
        except OSError as error:
            raise StoreError(
                f"cannot read the shares of epoch {epoch_id} of camera {camera} in {self._root}: {error.strerror}",
                remedy="was it shredded, or is the vault elsewhere?",
            ) from error

    def epochs(self, camera: str | None = None) -> list[tuple[str, str]]:
        """Camera and id of every epoch that is in the vault or on a mirror, in order."""
        found: set[tuple[str, str]] = set()
        for root in (self._root, *self._mirrors):
            found.update(_epochs(root))
        return sorted(pair for pair in found if camera is None or pair[0] == camera)

    def missing(self, camera: str, epoch_id: str) -> tuple[Path, ...]:
        """The vault and mirrors that do not have the epoch."""
        return tuple(root for root in (self._root, *self._mirrors) if not _folder(root, camera, epoch_id).is_dir())

    def delete(self, camera: str, epoch_id: str, *, keep_note: bool = False) -> None:
        """Destroy an epoch's shares everywhere, first of all the shares; doing it twice does no harm.

        With `keep_note` its seal note, which opens nothing, stays. Raises
        `StoreError` when one mirror fails, after having tried them all.
        """
        self._everywhere(
            lambda root: _delete(_folder(root, camera, epoch_id), keep_note=keep_note),
            f"destroy the shares of epoch {epoch_id} of camera {camera}",
        )

    def remove_stale(self) -> int:
        """Remove what a killed sealer left half-written; returns how many. Call it when none runs."""
        removed = 0

        def sweep(root: Path) -> None:
            nonlocal removed
            for folder in root.glob(f"*/{_STAGING}*"):
                _delete(folder)
                removed += 1

        self._everywhere(sweep, "remove half-written epochs")
        return removed

    def _everywhere(self, step: Callable[[Path], None], what: str) -> None:
        failures: list[str] = []
        for root in (self._root, *self._mirrors):
            try:
                step(root)
            except OSError as error:
                failures.append(f"{root}: {error.strerror}")
        if failures:
            raise StoreError(f"cannot {what} in {'; '.join(failures)}", remedy="it must succeed on every mirror; mend it and try again")

    def _put(self, folder: Path, files: Mapping[str, bytes]) -> None:
        make_directory(folder.parent)
        staging = folder.with_name(f"{_STAGING}{folder.name}-{secrets.token_hex(4)}")
        try:
            if folder.exists():
                raise FileExistsError(17, "it exists already")
            staging.mkdir(0o750)
            for name, content in files.items():
                _write_new(staging / name, content)
            sync_directory(staging)
            staging.rename(folder)
            sync_directory(folder.parent)
        except OSError as error:
            with contextlib.suppress(OSError):
                _delete(staging)
            raise StoreError(
                f"cannot store the shares in {folder}: {error.strerror}", remedy="is the vault's disk full or read-only?"
            ) from error


def _folder(root: Path, camera: str, epoch_id: str) -> Path:
    names = DataFolder(Path())
    return root / names.epoch(camera, epoch_id).relative_to(names.vault)


def _epochs(root: Path) -> list[tuple[str, str]]:
    return [(path.parent.name, path.name) for path in root.glob("*/*") if path.is_dir() and not path.name.startswith(".")]


def _write_new(path: Path, content: bytes) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
    try:
        write_all(descriptor, content)
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _read_small(path: Path) -> bytes:
    with path.open("rb") as file:
        content = file.read(MAX_FILE_BYTES + 1)
    if len(content) > MAX_FILE_BYTES:
        raise StoreError(f"{path} is larger than a share can be", remedy="it was not written by Lamppost")
    return content


def _delete(folder: Path, *, keep_note: bool = False) -> None:
    if not folder.is_dir():
        return
    # The seal note goes last: while it is there, a deletion that was cut short can be seen and done again.
    for path in sorted(folder.iterdir(), key=lambda path: (not path.name.startswith("share-"), path.name)):
        if not keep_note or path.name != SEAL_NOTE:
            path.unlink(missing_ok=True)
    sync_directory(folder)
    if not keep_note:
        folder.rmdir()
        sync_directory(folder.parent)
