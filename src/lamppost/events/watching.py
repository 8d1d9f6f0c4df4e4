"""What a rule is once it watches: it says of each moment of a scene whether it finds what it was made for."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Protocol

from lamppost.events.episodes import Found
from lamppost.events.scene import SceneNow, ZoneNow
from lamppost.model.rules import CountedKind, Zone

Zones = Mapping[str, ZoneNow]


class Watch(Protocol):
    """One rule, watching. What it remembers from look to look is of what is in view, and nothing else."""

    def find(self, scene: SceneNow, zones: Zones, *, is_open: bool) -> Found | None:
        """What it finds now; `is_open` says that it has found it before, in an event that lasts."""
        ...

    def forget(self) -> None:
        """The camera saw nothing for a while: what was seen before says nothing of now."""
        ...


class ZoneWatch(ABC):
    """A rule that watches a zone."""

    def __init__(self, zone: Zone) -> None:
        self.zone = zone

    def find(self, scene: SceneNow, zones: Zones, *, is_open: bool) -> Found | None:
        now = zones.get(self.zone.name)
        return None if now is None else self.find_in(scene, now, is_open=is_open)

    @abstractmethod
    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        """As `find`, of its zone."""

    def forget(self) -> None:  # noqa: B027 - most rules remember nothing
        """As `Watch.forget`."""


def one_kind(kinds: Iterable[CountedKind]) -> CountedKind | None:
    """The kind, where all are of one."""
    found = set(kinds)
    return found.pop() if len(found) == 1 else None
