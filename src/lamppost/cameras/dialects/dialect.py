"""What every dialect can do, whichever maker's devices it speaks with.

A dialect asks through an `Interview`, which keeps the evidence and sees to it
that a question without an answer ends as `unknown`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from lamppost.cameras.dialects.interview import Answer, Asker, Interview
from lamppost.model.devices import Armament, DeviceIdentity

__all__ = ["Answer", "Asker", "Change", "DeviceHealth", "Dialect", "Interview", "Plan", "Setting", "Storage"]


@dataclass(frozen=True, slots=True)
class Storage:
    """A card or a disk in a device; None where it does not say."""

    name: str
    state: str  # in the device's own words
    free_bytes: int | None = None
    total_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class DeviceHealth:
    """How a device is; None where it does not say."""

    temperature_c: float | None = None
    uptime_s: float | None = None
    storage: tuple[Storage, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that a disarm switches off: `place` and `key` name it on the device, and it goes from `now` to `then`."""

    dialect: str
    what: str  # for a person: "VideoAnalyseRule[0][1] FaceDetection"
    place: str
    key: str
    now: str
    then: str


@dataclass(frozen=True, slots=True)
class Setting:
    """Something else that was set before a disarm, which may suffer from it and is put back by a rollback: never anything of faces."""

    dialect: str
    place: str
    kind: str  # what it is on the device: "CrossLineDetection"
    key: str
    value: str


@dataclass(frozen=True, slots=True)
class Plan:
    """What a disarm would change. `problems` tell, a line each, what could not be asked: the plan may lack something there.

    `is_whole`: every question came through, so that what was not answered is not there.
    """

    changes: tuple[Change, ...]
    settings: tuple[Setting, ...] = ()
    problems: tuple[str, ...] = ()
    is_whole: bool = True


class Dialect(Protocol):
    """One maker's way of being asked. Nothing here raises but what is named."""

    @property
    def name(self) -> str:
        """Such as `hikvision`; as it stands in an audit's `dialects`."""
        ...

    def speaks(self, identity: DeviceIdentity) -> bool:
        """Whether a device that says this of itself is asked in this dialect."""
        ...

    def identify(self, web: Asker) -> DeviceIdentity | None:
        """Who the device says it is; None where it does not speak this dialect. Raises `CameraError`."""
        ...

    def audit(self, interview: Interview) -> Armament:
        """Put all questions; what the answers say is told to `interview` by `find`. How it is set is returned."""
        ...

    def health(self, web: Asker) -> DeviceHealth:
        """How the device is, as far as it says. Raises `CameraError` where it does not answer at all."""
        ...

    def plan(self, interview: Interview) -> Plan:
        """What would be switched off, as it is set now."""
        ...

    def change(self, web: Asker, change: Change) -> None:
        """Do it on the device; raises `CameraError` where it did not take it."""
        ...

    def read_back(self, web: Asker, change: Change) -> str:
        """The value that `then` is compared with, read from the device; raises `CameraError`."""
        ...

    def put_back(self, web: Asker, setting: Setting) -> bool:
        """Set `setting` again; False where it is so already. Raises `CameraError`.

        Raises `CameraRefused` for all that is not on the dialect's own list of harmless things, whatever the saved setting says.
        """
        ...
