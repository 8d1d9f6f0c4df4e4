"""Searches for devices in the background: one at a time, and the last ones are remembered for a while."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.errors import ConfigError
from lamppost.base.logging import redact
from lamppost.cameras.discovery import search
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import FoundDevice

CALL_S: Final = 5.0
RANGES_S: Final = 30.0
MOST_KEPT: Final = 8
KEPT_US: Final = 900 * US_PER_S
MOST_LOOKS: Final = 2


class SearchState(StrEnum):
    """How far a search is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(slots=True)
class RunningSearch:
    """A search; its thread writes, and everybody reads."""

    id: str
    started_us: int
    state: SearchState = SearchState.RUNNING
    progress: float = 0.0  # 0 to 1
    problem: str = ""
    found: tuple[FoundDevice, ...] = ()


class DeviceSearches:
    """From any thread; `looks` bounds how many devices are asked at once before they are cameras."""

    def __init__(self, clock: Clock) -> None:
        self.looks = threading.BoundedSemaphore(MOST_LOOKS)
        self._clock = clock
        self._lock = threading.Lock()
        self._all: dict[str, RunningSearch] = {}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def begin(
        self,
        settings: DeviceSettings,
        *,
        ranges: Sequence[str] = (),
        interfaces: Sequence[str] = (),
        first: Callable[[], object] = lambda: None,
    ) -> RunningSearch | None:
        """Begin to search; None while another search runs. `first` puts it on the record before anything is sent."""
        now_us = self._clock.wall_us()
        with self._lock:
            if self._stop.is_set() or (self._thread is not None and self._thread.is_alive()):
                return None
            first()
            young = [each for each in self._all.values() if each.started_us > now_us - KEPT_US]
            running = RunningSearch(secrets.token_hex(8), now_us)
            self._all = {each.id: each for each in (*young[-MOST_KEPT + 1 :], running)}
            self._thread = threading.Thread(
                target=self._run, args=(running, settings, tuple(ranges), tuple(interfaces)), name="device-search", daemon=True
            )
            self._thread.start()
            return running

    def find(self, search_id: str) -> RunningSearch | None:
        """The search, while it is remembered."""
        with self._lock:
            return self._all.get(search_id)

    def close(self) -> None:
        """End what runs, and wait for it; nothing begins any more."""
        self._stop.set()
        with self._lock:
            thread = self._thread
        if thread is not None:
            thread.join()

    def _run(self, running: RunningSearch, settings: DeviceSettings, ranges: Sequence[str], interfaces: Sequence[str]) -> None:
        def note(progress: float) -> None:
            running.progress = progress

        def keep(found: tuple[FoundDevice, ...]) -> None:
            running.found = found

        state = SearchState.FAILED
        try:
            search(
                settings.camera_networks,
                self._clock,
                interfaces=interfaces or settings.interfaces,
                ranges=ranges,
                timeout_s=RANGES_S if ranges else CALL_S,
                stop=self._stop,
                on_found=keep,
                on_progress=note,
            )
            state = SearchState.FAILED if self._stop.is_set() else SearchState.DONE
            running.problem = "it was ended before it was through" if self._stop.is_set() else ""
        except (ConfigError, OSError) as error:
            running.problem = redact(str(error))
        finally:
            # Last, so that nobody sees the end before what came of it; also where a mistake of ours ends the thread.
            running.progress, running.state = 1.0, state
