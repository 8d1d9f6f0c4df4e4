"""Finds a camera whose address has changed: the same device elsewhere, by its number, and never by its looks or place.

What answers at an address is believed when it tells the known number to who signs in there, and when it is the only one that does.
"""

from __future__ import annotations

import contextlib
import queue
import threading
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final, Protocol

from lamppost.base.clock import Clock
from lamppost.base.errors import CameraError, ConfigError, StoreError
from lamppost.base.logging import get_logger, redact
from lamppost.base.names import is_number
from lamppost.ingest.backoff import Backoff
from lamppost.model.devices import DeviceIdentity
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.device_access import device_address

LOST_S: Final = 10.0  # a camera that is away for less is rebooting, or its cable is plugged in again
MOST_ASKED: Final = 4  # devices that are asked whether they are one camera, in one search: each is offered that camera's password
THREADS: Final = 8
LEAST_S: Final = 5.0  # between two searches
_FIRST_S: Final = 4.0
_CAP_S: Final = 120.0


class Searching(Protocol):
    """Looks on the network; bounded in time."""

    def __call__(self, wanted: Mapping[str, DeviceIdentity], stop: threading.Event) -> Mapping[str, Collection[str]]:
        """For each wanted camera, the addresses at which a device may be it; raises `CameraError` and `OSError`."""
        ...


@dataclass(frozen=True, slots=True)
class SearchTools:
    """What a search needs; each is bounded in time."""

    clock: Clock
    search: Searching
    identify: Callable[[CameraSettings, str], DeviceIdentity]
    """Who is at an address, asked with a camera's password; raises `CameraError`."""
    known: Callable[[str], DeviceIdentity | None]
    holds: Callable[[str], bool]
    """Whether an address lies in the camera networks."""
    leads_to: Callable[[str], Collection[str]]
    """The addresses that a host leads to now; a number leads to itself."""
    write: Callable[[CameraSettings, str], bool]
    """Writes a camera's new address; raises `ConfigError` and `StoreError`."""
    random: Random


@dataclass(frozen=True, slots=True)
class Trouble:
    """What a search cannot settle by itself."""

    kind: str  # `device_moved` or `device_doubled`
    problem: str


@dataclass(slots=True)
class _Lost:
    camera: CameraSettings
    since_s: float
    backoff: Backoff
    next_s: float
    trouble: Trouble | None = None


@dataclass(slots=True)
class FinderFigures:
    """For the status."""

    searches: int = 0
    found: int = 0


@dataclass(slots=True)
class Finder:
    """Knows which cameras are lost, and looks for them, all in one search; `look` and `use` are called in one thread."""

    tools: SearchTools
    stop: threading.Event
    figures: FinderFigures = field(default_factory=FinderFigures)
    _lost: dict[str, _Lost] = field(default_factory=dict[str, _Lost])
    _searching: threading.Thread | None = None
    _problem: str = ""

    def use(self, lost: Collection[CameraSettings]) -> None:
        """These are lost now; those that are not any more are forgotten."""
        now_s = self.tools.clock.monotonic_s()
        names = {camera.name: camera for camera in lost}
        for name in [name for name, one in self._lost.items() if names.get(name) != one.camera]:
            del self._lost[name]
        for name, camera in names.items():
            if name not in self._lost:
                backoff = Backoff(random=self.tools.random, first_s=_FIRST_S, cap_s=_CAP_S)
                self._lost[name] = _Lost(camera, now_s, backoff, now_s + LOST_S)

    def look(self) -> None:
        """Begin a search where one is due; it runs in a thread of its own."""
        if (self._searching is not None and self._searching.is_alive()) or self.stop.is_set():
            return
        due = self._due()
        if due:
            self._searching = threading.Thread(target=self.search, args=(due,), name="find-again", daemon=True)
            self._searching.start()

    def troubles(self) -> list[tuple[str, Trouble]]:
        """What somebody must settle, by camera."""
        return [(name, one.trouble) for name, one in tuple(self._lost.items()) if one.trouble is not None]

    def _due(self) -> list[_Lost]:
        """All that have been lost for long enough, as soon as one of them is due: one search serves them all."""
        now_s = self.tools.clock.monotonic_s()
        if not any(one.next_s <= now_s for one in self._lost.values()):
            return []
        due = [one for one in self._lost.values() if now_s - one.since_s >= LOST_S]
        for one in due:
            # Counted from the search's beginning: it takes some seconds itself.
            one.next_s = now_s + LEAST_S + one.backoff.next_s()
        return due

    def search(self, due: Collection[_Lost]) -> None:
        """One search for all of them, and what follows from it."""
        self.figures.searches += 1
        try:
            wanted = {one.camera.name: known for one in due if (known := self.tools.known(one.camera.name)) is not None}
            found = self.tools.search(wanted, self.stop) if wanted else dict[str, Collection[str]]()
        except (CameraError, StoreError, ConfigError, OSError) as error:
            problem = redact(str(error))
            if problem != self._problem:  # told once: it is tried again and again
                get_logger("caretaker").warning("lost cameras cannot be looked for", problem=problem)
            self._problem = problem
            return
        self._problem = ""
        waiting = queue.SimpleQueue[tuple[_Lost, DeviceIdentity, Collection[str]]]()
        for one in due:
            if (known := wanted.get(one.camera.name)) is not None:
                waiting.put((one, known, found.get(one.camera.name, ())))
        # Where a whole network was numbered anew, they are not asked one after the other.
        threads = [threading.Thread(target=self._settle_all, args=(waiting,), daemon=True) for _ in range(min(THREADS, waiting.qsize()))]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _settle_all(self, waiting: queue.SimpleQueue[tuple[_Lost, DeviceIdentity, Collection[str]]]) -> None:
        with contextlib.suppress(queue.Empty):
            while not self.stop.is_set():
                self._settle(*waiting.get_nowait())

    def _settle(self, one: _Lost, known: DeviceIdentity, addresses: Collection[str]) -> None:
        camera, old = one.camera, device_address(one.camera).host
        here = set(self.tools.leads_to(old)) if addresses else set[str]()
        elsewhere = [address for address in dict.fromkeys(addresses) if address not in here and self.tools.holds(address)][:MOST_ASKED]
        if not elsewhere:
            one.trouble = None
            return
        places = [address for address in elsewhere if self._is_there(camera, address, known)]
        if places and self._is_there(camera, old, known):
            places.insert(0, old)
        if len(places) > 1:
            problem = f"devices at {' and '.join(places)} both say that they are it; it is not followed"
            one.trouble = Trouble("device_doubled", problem)
            return
        if not places:
            one.trouble = None
            return
        one.trouble = self._follow(camera, old, places[0])

    def _is_there(self, camera: CameraSettings, address: str, known: DeviceIdentity) -> bool:
        try:
            return known.is_same_device(self.tools.identify(camera, address))
        except CameraError:
            return False

    def _follow(self, camera: CameraSettings, old: str, new: str) -> Trouble | None:
        if not is_number(old):
            # Who keeps the names says where they lead; every connection asks anew, so that the camera comes back by itself then.
            return Trouble("device_moved", f"it is at {new} now, and {old} does not lead there: have that name lead there")
        try:
            is_written = self.tools.write(camera, new)
        except (ConfigError, StoreError) as error:
            return Trouble("device_moved", f"it is at {new} now, and the configuration cannot be changed: {redact(error.problem)}")
        if is_written:
            self.figures.found += 1
            get_logger("caretaker").info("found a camera again", camera=camera.name, at=new)
        return None


def status_of(finder: Finder) -> dict[str, Any]:
    """What the supervisor is told."""
    troubles = {name: {"kind": trouble.kind, "problem": trouble.problem} for name, trouble in finder.troubles()}
    return {"searches": finder.figures.searches, "found": finder.figures.found, "troubles": troubles}
