"""Notices that the configuration was changed, and reads the whole of it before anybody acts on it."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.model.settings import Settings

LOOK_S: Final = 1.0

_Signature = tuple[int, int, int]


class ConfigWatch:
    """Looks at one file about once a second; `load` reads and validates it, or raises `ConfigError`.

    A file that changed is read once two looks find it the same: half a file may be one that names half the cameras.
    """

    def __init__(self, path: Path, load: Callable[[], Settings], clock: Clock) -> None:
        self._path = path
        self._load = load
        self._clock = clock
        self._read: _Signature | None = self._signature()
        self._seen = self._read
        self._looked_s = clock.monotonic_s()
        self._is_asked = False

    def ask(self) -> None:
        """From a signal handler: read it at the next look, changed or not."""
        self._is_asked = True

    def poll(self) -> Settings | None:
        """The new settings, or None when nothing changed; raises `ConfigError` once for each bad version."""
        now_s = self._clock.monotonic_s()
        if not self._is_asked and now_s - self._looked_s < LOOK_S:
            return None
        self._looked_s = now_s
        signature, before = self._signature(), self._seen
        self._seen = signature
        if not self._is_asked and (signature == self._read or signature != before):
            return None
        self._read, self._is_asked = signature, False
        if signature is None:
            raise ConfigError(f"the configuration {self._path} is gone", remedy="put it back; what runs goes on as it was")
        return self._load()

    def _signature(self) -> _Signature | None:
        try:
            status = os.stat(self._path)  # a look, once a second
        except OSError:
            return None
        return status.st_mtime_ns, status.st_ino, status.st_size
