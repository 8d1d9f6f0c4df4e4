"""Which process has which camera: few processes, evenly loaded, and nobody moved without need.

Pure arithmetic; the supervisor acts on it.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType
from typing import Final

from lamppost.model.settings import Settings

CAMERAS_A_RECORDER: Final = 100


class Role(StrEnum):
    """What a child process does; also the beginning of its name and of its journal's."""

    RECORDER = "recorder"
    ANALYST = "analyst"
    BOOKKEEPER = "bookkeeper"
    NOTIFIER = "notifier"
    CARETAKER = "caretaker"
    SERVER = "server"


@dataclass(frozen=True, slots=True)
class Fleet:
    """The processes of a role and the home of each camera among them."""

    homes: Mapping[str, str]  # camera: process

    def of(self, process: str) -> tuple[str, ...]:
        """The cameras of a process, in the order of the configuration."""
        return tuple(camera for camera, home in self.homes.items() if home == process)


def process_names(role: Role, settings: Settings, cores: int) -> tuple[str, ...]:
    """The processes of `role` that these settings want on a machine of so many cores."""
    cameras = max(1, len(settings.camera))
    match role:
        case Role.BOOKKEEPER:
            return (Role.BOOKKEEPER.value,)
        case Role.NOTIFIER:
            return (Role.NOTIFIER.value,) if settings.notify else ()
        case Role.CARETAKER:
            return (Role.CARETAKER.value,) if any(camera.has_device for camera in settings.camera) else ()
        case Role.SERVER:
            return (Role.SERVER.value,) if settings.server.listen else ()
        case Role.RECORDER:
            count = settings.fleet.recorders or min(cores, math.ceil(cameras / CAMERAS_A_RECORDER))
        case Role.ANALYST:
            count = settings.fleet.analysts or min(cores, cameras)
    return tuple(f"{role.value}-{number}" for number in range(1, min(count, cameras) + 1))


def assign(cameras: Iterable[str], processes: Sequence[str], before: Mapping[str, str] = MappingProxyType({})) -> Fleet:
    """A home for each camera: where it was before, else the process with the fewest, the first of them."""
    names = tuple(cameras)
    homes = {camera: before[camera] for camera in names if before.get(camera) in processes}
    load = Counter(homes.values())
    for camera in names:
        if camera not in homes:
            homes[camera] = min(processes, key=lambda process: load[process])
            load[homes[camera]] += 1
    return Fleet(MappingProxyType({camera: homes[camera] for camera in names}))
