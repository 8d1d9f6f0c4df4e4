"""Reads bytes of a masked file while retention may delete it: what is open can be read to its end.

A file's times begin at 0. For a timeline of several files its bytes are told with
other times: a fragment has one, eight bytes at a fixed place, and the length of
nothing changes.
"""

from __future__ import annotations

import os
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO, Final

from lamppost.base.errors import StoreError
from lamppost.playback.boxes import DECODE_TIME_AT
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


def shifted(blocks: Iterator[bytes], start: int, file: SegmentParts, shift_90k: int) -> Iterator[bytes]:
    """The same bytes, which lie in `file` from `start` on, with every fragment's decode time moved by `shift_90k`.

    No decode time may become negative. Raises `StoreError` where a fragment is not what its record says.
    """
    parts = deque(part for part in file.parts if part.offset + DECODE_TIME_AT + 8 > start)
    for block in blocks:
        changed = bytearray(block)
        end = start + len(block)
        while parts and parts[0].offset + DECODE_TIME_AT < end:
            _put(changed, parts[0].offset + DECODE_TIME_AT - start, parts[0].decode_90k, shift_90k, file)
            if parts[0].offset + DECODE_TIME_AT + 8 > end:
                break  # the rest of it comes with the next block
            parts.popleft()
        yield bytes(changed)
        start = end


def _put(block: bytearray, at: int, decode_90k: int, shift_90k: int, file: SegmentParts) -> None:
    """Exchange a decode time, or what of it lies in the block."""
    first, last = max(at, 0), min(at + 8, len(block))
    known, moved = decode_90k.to_bytes(8, "big"), (decode_90k + shift_90k).to_bytes(8, "big")
    if bytes(block[first:last]) != known[first - at : last - at]:
        raise StoreError(f"a fragment of the segment {file.path} is not what its record says", remedy="run `lamppost check`")
    block[first:last] = moved[first - at : last - at]
