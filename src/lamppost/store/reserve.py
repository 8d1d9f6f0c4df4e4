"""A little room that is kept for the index, so that a full disk can be made less full.

To forget footage, the index must first say so; on a disk without a free byte it
could not. Then the reserve is given up, and made again when there is room.
"""

from __future__ import annotations

import contextlib
import os
from typing import Final

from lamppost.model.layout import DataFolder

RESERVE_BYTES: Final = 8 * 1024 * 1024


class Reserve:
    """A file of no content beside the index of `folder`; without it everything works but on a full disk."""

    def __init__(self, folder: DataFolder) -> None:
        self._path = folder.index.with_name("reserve")
        self._is_given_up = False

    @property
    def owed_bytes(self) -> int:
        """What must be freed beyond the need, so that it can be made again."""
        return RESERVE_BYTES if self._is_given_up else 0

    def keep(self, spare_bytes: int) -> None:
        """Have it, if it is not there and `spare_bytes` are enough for it."""
        if spare_bytes < RESERVE_BYTES or self._path.exists():
            return
        self._is_given_up = False
        with contextlib.suppress(OSError):  # the next pass tries again
            descriptor = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_CLOEXEC, 0o640)
            try:
                os.posix_fallocate(descriptor, 0, RESERVE_BYTES)
            finally:
                os.close(descriptor)

    def release(self) -> None:
        """Give its room to the index."""
        with contextlib.suppress(OSError):
            self._path.unlink()
            self._is_given_up = True
