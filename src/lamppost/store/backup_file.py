"""The format of a backup: one tar file that stock tools can read and check.

`tar xf BACKUP && sha256sum -c SHA256SUMS` proves every byte of its files. The
list of hashes is the last member, so that a file which was cut off has none.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Generator, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Final, Self

from lamppost.base.durable import write_all
from lamppost.base.errors import StoreError

FORMAT: Final = "lamppost-backup/1"
ABOUT: Final = "backup.json"
SUMS: Final = "SHA256SUMS"
INDEX: Final = "index/index.db"
CONFIGURATION: Final = "configuration/lamppost.toml"
KEYS: Final = ("keys/recorder.key", "keys/recorder.pub")
ACCESS: Final = "access/access.db"
ACCESS_KEY: Final = "keys/access.key"
DEVICES: Final = "devices/devices.db"
CAMERA_KEY: Final = "keys/cameras.key"
LEFT_OUT: Final = "the vault, so that a share that is destroyed is gone; footage; files of your own that the configuration names"
MAX_MEMBERS: Final = 100_000
_MAX_SMALL_BYTES: Final = 16 * 1024 * 1024
_BLOCK_BYTES: Final = 1 << 20
_JOURNAL: Final = re.compile(r"journal/[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9][A-Za-z0-9._-]*\.jsonl")
_PASSWORD: Final = re.compile(r"keys/cameras/[A-Za-z0-9][A-Za-z0-9._-]*\.password")
_SUM: Final = re.compile(r"([0-9a-f]{64})  ([\x21-\x7e]+)")
_UNREADABLE: Final = "take another one; nothing was changed"


@dataclass(frozen=True, slots=True)
class AboutBackup:
    """What a backup says of itself."""

    made_us: int
    lamppost: str  # version of the program
    index_revision: str  # of the index's schema
    format: str = FORMAT
    left_out: str = LEFT_OUT


class BackupWriter:
    """Writes the members of a backup to `file`, and their hashes last."""

    def __init__(self, file: IO[bytes], about: AboutBackup) -> None:
        self._archive = tarfile.open(fileobj=file, mode="w:", format=tarfile.PAX_FORMAT)  # noqa: SIM115 - closed by `finish`
        self._mtime_s = about.made_us // 1_000_000
        self._sums: list[str] = []
        self.add_bytes(ABOUT, json.dumps(asdict(about), indent=2).encode() + b"\n")

    def add_bytes(self, name: str, content: bytes) -> None:
        self._add(name, io.BytesIO(content), len(content))

    def add_file(self, name: str, path: Path) -> None:
        """The file at `path`, which nobody changes meanwhile."""
        with path.open("rb") as file:
            self._add(name, file, os.fstat(file.fileno()).st_size)

    def finish(self) -> int:
        """Write the hashes and the end; returns how many files there are."""
        count = len(self._sums)
        self._add(SUMS, io.BytesIO(content := "".join(self._sums).encode()), len(content))
        self._archive.close()
        return count

    def _add(self, name: str, content: IO[bytes], size_bytes: int) -> None:
        member = tarfile.TarInfo(name)
        member.size, member.mode, member.mtime = size_bytes, 0o600, self._mtime_s
        hashing = _Hashing(content)
        self._archive.addfile(member, hashing)
        self._sums.append(f"{hashing.hexdigest()}  {name}\n")


class _Hashing:
    """Passes on what is read, and hashes it."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file = file
        self._digest = hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        content = self._file.read(size)
        self._digest.update(content)
        return content

    def hexdigest(self) -> str:
        return self._digest.hexdigest()


@dataclass(frozen=True, slots=True)
class BackupRead:
    """A backup whose every hash was found right."""

    about: AboutBackup
    names: tuple[str, ...]
    configuration: bytes | None

    @classmethod
    def open(cls, path: Path, into: Path | None = None) -> Self:
        """Read all of `path` and check every hash; with `into`, an empty folder, leave its files there.

        Raises `StoreError` when it is cut off, altered, or no backup: then
        nothing in `into` may be used.
        """
        found: dict[str, str] = {}
        small: dict[str, bytes] = {}
        with _reading(path) as archive:
            for name, content in _members(path, archive):
                if name in found:
                    raise _refused(path, f"it holds {name} twice")
                found[name], kept = _take(name, content, into)
                if kept is not None:
                    small[name] = kept
        if SUMS not in small:
            raise _refused(path, "it is cut off: its list of hashes is missing")
        if _sums(path, small[SUMS]) != {name: sha256 for name, sha256 in found.items() if name != SUMS}:
            raise _refused(path, "it is not what was written: a hash differs")
        return cls(_about(path, small.get(ABOUT, b"")), tuple(found), small.get(CONFIGURATION))


def is_backup_member(name: str) -> bool:
    """Whether a backup may hold a file of that name; no other is ever written anywhere."""
    is_one = name in {ABOUT, SUMS, INDEX, CONFIGURATION, ACCESS, ACCESS_KEY, DEVICES, CAMERA_KEY, *KEYS}
    return is_one or is_camera_password(name) or _JOURNAL.fullmatch(name) is not None


def is_camera_password(name: str) -> bool:
    """Whether that is the name of a password that was given through the server."""
    return _PASSWORD.fullmatch(name) is not None


def _members(path: Path, archive: tarfile.TarFile) -> Iterator[tuple[str, IO[bytes]]]:
    for count, member in enumerate(archive):
        if count >= MAX_MEMBERS or member.type not in (tarfile.REGTYPE, tarfile.AREGTYPE) or not is_backup_member(member.name):
            raise _refused(path, f"it holds {member.name[:80]!r}, which is no part of a backup")
        content = archive.extractfile(member)
        if content is not None:
            yield member.name, content


@contextlib.contextmanager
def _reading(path: Path) -> Generator[tarfile.TarFile]:
    try:
        with path.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as archive:
            yield archive
    except (tarfile.TarError, ValueError, EOFError, OverflowError) as error:
        raise _refused(path, f"tar cannot read it: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot read the backup {path}: {error.strerror or error}", remedy=_UNREADABLE) from error


def _take(name: str, content: IO[bytes], into: Path | None) -> tuple[str, bytes | None]:
    """The hash of a member, and its bytes where it is a small one; written below `into` as well."""
    digest = hashlib.sha256()
    is_small = name in (ABOUT, SUMS, CONFIGURATION)
    kept = bytearray()
    target = None if into is None else into / name
    descriptor = -1
    if target is not None:
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        descriptor = os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    try:
        while block := content.read(_BLOCK_BYTES):
            digest.update(block)
            if descriptor >= 0:
                write_all(descriptor, block)
            if is_small and len(kept) < _MAX_SMALL_BYTES:
                kept += block
        if descriptor >= 0:
            os.fsync(descriptor)
    finally:
        if descriptor >= 0:
            os.close(descriptor)
    return digest.hexdigest(), bytes(kept) if is_small else None


def _sums(path: Path, content: bytes) -> dict[str, str]:
    sums: dict[str, str] = {}
    for line in content.decode("ascii", "replace").splitlines():
        match = _SUM.fullmatch(line)
        if match is None:
            raise _refused(path, "its list of hashes cannot be read")
        sums[match[2]] = match[1]
    return sums


def _about(path: Path, content: bytes) -> AboutBackup:
    try:
        said = json.loads(content)
        about = AboutBackup(int(said["made_us"]), str(said["lamppost"]), str(said["index_revision"]), str(said["format"]))
    except (ValueError, KeyError, TypeError) as error:
        raise _refused(path, "it does not say what it is") from error
    if about.format != FORMAT:
        raise StoreError(
            f"{path} has the format {about.format!r}", remedy="it was made by a newer version of Lamppost; install that version"
        )
    return about


def _refused(path: Path, why: str) -> StoreError:
    return StoreError(f"{path} cannot be used as a backup: {why}", remedy=_UNREADABLE)
