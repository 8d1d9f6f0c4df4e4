"""The tar around a sealed segment: appended member by member, readable while it grows.

POSIX ustar (IEEE Std 1003.1, `pax`, "ustar Interchange Format"), so that any
`tar` unpacks it. A member is written in one go and is there as a whole or not.
"""

from __future__ import annotations

import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from typing import BinaryIO, Final

BLOCK_BYTES: Final = 512
END_OF_ARCHIVE: Final = bytes(2 * BLOCK_BYTES)
INIT_NAME: Final = "init.mp4.age"


@dataclass(frozen=True, slots=True)
class TarMember:
    """One whole member: where its content lies, and the second that it starts at."""

    name: str
    offset: int
    length: int
    mtime_s: int


def part_name(number: int) -> str:
    """The name of chunk `number` of a run; sorts after the init member in every locale."""
    return f"part-{number:08d}.m4s.age"


def member(name: str, content: bytes, mtime_s: int) -> bytes:
    """Header, content and padding; the content starts at `BLOCK_BYTES`."""
    header = tarfile.TarInfo(name)
    header.size, header.mtime, header.mode = len(content), mtime_s, 0o640
    return header.tobuf(tarfile.USTAR_FORMAT) + content + bytes(-len(content) % BLOCK_BYTES)


def padded(length: int) -> int:
    """`length` rounded up to whole blocks."""
    return -(-length // BLOCK_BYTES) * BLOCK_BYTES


def whole_members(file: BinaryIO) -> Iterator[TarMember]:
    """The whole members of a tar that may be cut anywhere; ends at the first that is not whole."""
    size = file.seek(0, 2)
    position = 0
    while position + BLOCK_BYTES <= size:
        file.seek(position)
        try:
            header = tarfile.TarInfo.frombuf(file.read(BLOCK_BYTES), "ascii", "strict")
        except (tarfile.HeaderError, UnicodeDecodeError):
            return
        offset = position + BLOCK_BYTES
        position = offset + padded(header.size)
        if position > size:
            return
        yield TarMember(header.name, offset, header.size, int(header.mtime))
