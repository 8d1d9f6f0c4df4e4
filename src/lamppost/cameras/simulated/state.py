"""What changes in a simulated camera and is read back from it; all of it is set anew with each camera, nothing is kept."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

from lamppost.model.devices import Ability

ADMINISTRATOR: Final = "Administrator"
SPEED_PER_S: Final = 0.5  # of the whole range, at full speed


@dataclass(slots=True)
class Preset:
    """A place that the head turns to."""

    name: str
    pan: float
    tilt: float
    zoom: float


@dataclass(slots=True)
class Rule:
    """An analytics rule or module as ONVIF shows it; one that is there is at work."""

    type: str
    parameters: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(slots=True)
class SimulatedState:
    """The camera's memory. Tests look at it and set it; requests do the same, under the camera's lock.

    `most` is the most that the camera is able to do with faces, None where it is able to do nothing with them.
    """

    users: dict[str, str]
    hostname: str
    levels: dict[str, str] = field(default_factory=dict[str, str])  # of users; who is not in it is an administrator
    scopes: list[str] = field(default_factory=list[str])  # those that can be set
    is_discoverable: bool = True
    dns: list[str] = field(default_factory=list[str])
    gateway: str = ""
    most: Ability | None = Ability.RECOGNISE
    clock_offset_s: float = 0.0
    ntp: str = ""
    is_ntp_from_dhcp: bool = False
    is_clock_by_ntp: bool = True
    time_zone: str = "CST-8"
    rules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    modules: dict[str, Rule] = field(default_factory=dict[str, Rule])
    presets: dict[str, Preset] = field(default_factory=dict[str, Preset])
    pan: float = 0.0
    tilt: float = 0.0
    zoom: float = 0.0
    velocity: tuple[float, float, float] = (0.0, 0.0, 0.0)
    moved_s: float = 0.0  # when `pan`, `tilt` and `zoom` were true
    still_s: float = 0.0  # when the movement ends
    has_motion: bool = False
    is_tampered: bool = False
    relays: dict[str, bool] = field(default_factory=dict[str, bool])
    idle_relays: dict[str, str] = field(default_factory=dict[str, str])  # whether each is open or closed while it is idle; open at first
    inputs: dict[str, bool] = field(default_factory=dict[str, bool])
    imaging: dict[str, float | str] = field(default_factory=dict[str, float | str])
    sends_metadata: bool = True  # whether the metadata stream of the main profile carries what analytics finds
    reboots: int = 0

    def level_of(self, user: str) -> str:
        """What the user may do: Administrator, Operator or User."""
        return self.levels.get(user, ADMINISTRATOR)

    def settle(self, now_s: float) -> None:
        """Bring the position up to `now_s`; a movement whose time is over has ended."""
        moving_s = max(0.0, min(now_s, self.still_s) - self.moved_s)
        pan, tilt, zoom = self.velocity
        self.pan = _within(self.pan + pan * moving_s, -1.0)
        self.tilt = _within(self.tilt + tilt * moving_s, -1.0)
        self.zoom = _within(self.zoom + zoom * moving_s, 0.0)
        self.moved_s = now_s
        if now_s >= self.still_s:
            self.velocity = (0.0, 0.0, 0.0)

    def move(self, pan: float, tilt: float, zoom: float, for_s: float, now_s: float) -> None:
        self.settle(now_s)
        self.velocity = (pan, tilt, zoom)
        self.still_s = now_s + for_s

    def go(self, pan: float, tilt: float, zoom: float, now_s: float) -> None:
        """Turn to a place, which takes as long as the farthest way does; the position is that of `now_s`."""
        ways = (pan - self.pan, tilt - self.tilt, zoom - self.zoom)
        for_s = max(abs(way) for way in ways) / SPEED_PER_S
        if for_s:
            self.move(ways[0] / for_s, ways[1] / for_s, ways[2] / for_s, for_s, now_s)

    def stop(self, now_s: float, *, turning: bool = True, zooming: bool = True) -> None:
        """End the movement, or that of one kind alone."""
        self.settle(now_s)
        pan, tilt, zoom = self.velocity
        self.velocity = (0.0 if turning else pan, 0.0 if turning else tilt, 0.0 if zooming else zoom)
        if not any(self.velocity):
            self.still_s = now_s

    def is_moving(self, now_s: float) -> bool:
        return now_s < self.still_s


def _within(value: float, least: float) -> float:
    return max(least, min(1.0, value))
