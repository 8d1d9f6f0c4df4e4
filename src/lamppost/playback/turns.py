"""Whose turn it is to decode: who asks for many pictures shall not take the machine, whichever kind of picture it is."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Final

AT_ONCE: Final = 2
IN_LINE: Final = 16


class TooManyPictures(Exception):
    """So many pictures are being made that one more has to be asked for again."""


class Turns:
    """Two pictures are made at a time, sixteen wait; more are refused. Serves several threads."""

    def __init__(self) -> None:
        self._line = threading.BoundedSemaphore(AT_ONCE + IN_LINE)
        self._decoders = threading.BoundedSemaphore(AT_ONCE)

    @contextlib.contextmanager
    def turn(self) -> Generator[None]:
        """Waits for it; raises `TooManyPictures`."""
        if not self._line.acquire(blocking=False):
            raise TooManyPictures
        try:
            with self._decoders:
                yield
        finally:
            self._line.release()
