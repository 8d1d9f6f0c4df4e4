"""Reads bytes of a masked file while retention may delete it: what is open can be read to its end."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import BinaryIO, Final

from lamppost.base.errors import StoreError
from lamppost.playback.parts import SegmentParts

BLOCK_BYTES: Final = 1 << 20


def open_segment(file: SegmentParts) -> BinaryIO | None:
    """The file, opened; None when it is not there any more. Raises `StoreError`."""
    try:
        return open(file.path, "rb", buffering=0)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the segment {file.path}: {error.strerror}", remedy="look at the disk") from error


def read_at(file: BinaryIO, position: int, length: int) -> bytes:
    """`length` bytes or fewer, one at least; raises `StoreError`."""
    try:
        block = os.pread(file.fileno(), length, position)
    except OSError as error:
        raise StoreError(f"cannot read the segment {file.name}: {error.strerror}", remedy="look at the disk") from error
    if not block:
        raise StoreError(f"the segment {file.name} is shorter than its record says", remedy="run `lamppost check`")
    return block


def blocks_of(file: BinaryIO, position: int, length: int) -> Iterator[bytes]:
    """`length` bytes from `position` on, a megabyte at a time at most; raises `StoreError`."""
    while length:
        block = read_at(file, position, min(length, BLOCK_BYTES))
        position, length = position + len(block), length - len(block)
        yield block
