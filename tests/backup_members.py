"""What is in a backup, and backups with other members, for tests of what is refused."""

from __future__ import annotations

import random
import tarfile
from collections.abc import Callable
from pathlib import Path

from lamppost.store.backup_file import ABOUT, SUMS, AboutBackup, BackupRead, BackupWriter


def members(backup: Path) -> dict[str, bytes]:
    with tarfile.open(backup) as archive:
        return {member.name: archive.extractfile(member).read() for member in archive}  # type: ignore[union-attr]


def rewrite(backup: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """Another backup, whose hashes are right, with other members."""
    found = members(backup)
    change(found)
    path = backup.with_name("other.tar")
    with path.open("wb") as file:
        writer = BackupWriter(file, AboutBackup(1_700_000_000_000_000, "0.1.0", BackupRead.open(backup).about.index_revision))
        for name, content in found.items():
            if name not in (ABOUT, SUMS):
                writer.add_bytes(name, content)
        writer.finish()
    return path


def scribbled(database: bytes) -> bytes:
    content = bytearray(database)
    content[4096:] = random.Random(1).randbytes(len(content) - 4096)
    return bytes(content)
