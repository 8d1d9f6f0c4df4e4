"""Notices that the configuration or a file that it names was changed, and reads the whole of it before anybody acts on it."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError
from lamppost.model.settings import Settings

LOOK_S: Final = 1.0

_Signature = tuple[int, int, int]
_Signatures = dict[Path, _Signature | None]


class ConfigWatch:
    """Looks at a configuration, and at the files that it names, about once a second; `load` reads and validates all of it.

    `load` raises `ConfigError`. `beside` says which files the configuration names, none where it cannot be read; it is
    asked again when the configuration changed. What changed is read once two looks find all of it the same: half a file
    may be one that names half the cameras.
    """

    def __init__(
        self, path: Path, load: Callable[[], Settings], clock: Clock, *, beside: Callable[[], Sequence[Path]] = tuple[Path, ...]
    ) -> None:
        self._path = path
        self._load = load
        self._clock = clock
        self._find_beside = beside
        self._main: _Signature | None = None
        self._beside: Sequence[Path] = ()
        self._read = self._look()
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
        signatures, before = self._look(), self._seen
        self._seen = signatures
        if not self._is_asked and (signatures == self._read or signatures != before):
            return None
        self._read, self._is_asked = signatures, False
        if self._main is None:
            raise ConfigError(f"the configuration {self._path} is gone", remedy="put it back; what runs goes on as it was")
        return self._load()

    def _look(self) -> _Signatures:
        main = _signature(self._path)
        if main != self._main:
            self._main = main
            self._beside = self._find_beside()
        return {self._path: main} | {path: _signature(path) for path in self._beside}


def _signature(path: Path) -> _Signature | None:
    try:
        status = os.stat(path)  # a look, once a second
    except OSError:
        return None
    return status.st_mtime_ns, status.st_ino, status.st_size
