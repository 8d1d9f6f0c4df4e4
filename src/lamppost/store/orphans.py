"""Files that no journal names: which lie there, and whether they could be opened.

A segment's file is durable before its first record. One whose record was never
written holds a header and nothing else; only such a file may be dropped.
"""

from __future__ import annotations

import tarfile
from pathlib import Path
from typing import Final

from lamppost.base.errors import StoreError
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder

_BLOCK_BYTES: Final = 512
_BOX_HEADER_BYTES: Final = 8


def segment_files(folder: DataFolder, rendition: Rendition, camera: str | None = None) -> list[Path]:
    """Every segment file of a rendition, in the order of names."""
    suffix = "tar" if rendition is Rendition.SEALED else "mp4"
    return sorted((folder.root / rendition.value).glob(f"{camera or '*'}/*/*.{suffix}"))


def holds_footage(path: Path, rendition: Rendition) -> bool:
    """Whether anything stands in the file beyond its header (init member or init boxes)."""
    try:
        with path.open("rb") as file:
            size = path.stat().st_size
            if rendition is Rendition.SEALED:
                return size > _first_member_end(file.read(_BLOCK_BYTES), size)
            position = 0
            while position + _BOX_HEADER_BYTES <= size:
                file.seek(position)
                box = file.read(_BOX_HEADER_BYTES)
                if box[4:] not in (b"ftyp", b"styp", b"moov", b"free"):
                    return any(box)  # zeros are what a power loss leaves of unwritten pages
                position += max(_BOX_HEADER_BYTES, int.from_bytes(box[:4], "big"))
    except OSError as error:
        raise StoreError(f"cannot read {path}: {error.strerror}") from error
    return False


def _first_member_end(block: bytes, size: int) -> int:
    if not any(block):
        return size  # empty, or zeros
    try:
        member = tarfile.TarInfo.frombuf(block, "ascii", "strict")
    except (tarfile.HeaderError, UnicodeDecodeError):
        return size if len(block) < _BLOCK_BYTES else 0
    return _BLOCK_BYTES + -(-member.size // _BLOCK_BYTES) * _BLOCK_BYTES
