"""What one look at a camera's scene comes to: the words in which measuring and rules speak with each other.

All of it is of one moment, in memory, and of one camera and one run. Points are shares of the picture's width and height.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from lamppost.model.rules import CountedKind, Way
from lamppost.model.vision import Box


@dataclass(frozen=True, slots=True)
class Moving:
    """A followed thing now. `box` in shares of the picture; `since_s` is when it was seen first.

    `is_seen` is false where it was carried on without a detection. `still_since_s` is when it stopped, None while it moves.
    `has_moved` is false for what appeared where it is and never went anywhere: a thing put down, a door left open, and no passer-by.
    `speed_kmh` and `ground_m` (east, north) are None without a calibration, and for what is too far up to be on the ground.
    """

    track_id: int
    kind: CountedKind
    box: Box
    is_seen: bool
    since_s: float
    still_since_s: float | None
    speed_kmh: float | None = None
    ground_m: tuple[float, float] | None = None
    has_moved: bool = True


@dataclass(frozen=True, slots=True)
class Crossing:
    """Something crossed a line, for good."""

    line: str
    way: Way
    kind: CountedKind


@dataclass(frozen=True, slots=True)
class Staying:
    """Something in a zone; `inside_since_s` is when it entered."""

    moving: Moving
    inside_since_s: float


@dataclass(frozen=True, slots=True)
class Left:
    """Something left a zone, or vanished in it, after `dwell_s`: None if it was there before anybody looked.

    `speed_kmh` is its mean inside, None where it is unknown.
    """

    kind: CountedKind
    dwell_s: float | None
    speed_kmh: float | None


@dataclass(frozen=True, slots=True)
class ZoneNow:
    """A zone now: who is in it, who came since the look before, who went; and what appeared in it and has not moved since."""

    name: str
    staying: tuple[Staying, ...] = ()
    entered: tuple[CountedKind, ...] = ()
    left: tuple[Left, ...] = ()
    area_m2: float | None = None  # by calibration, or as the rules say
    appeared: tuple[Staying, ...] = ()


@dataclass(frozen=True, slots=True)
class SceneNow:
    """One moment of a scene. `at_s` is the stream's time, for durations; `wall_us` is UTC.

    `uncovered` are boxes, in shares of the picture, where something that belonged to the place is gone.
    """

    at_s: float
    wall_us: int
    moving: tuple[Moving, ...]
    crossings: tuple[Crossing, ...] = ()
    zones: tuple[ZoneNow, ...] = field(default=())
    uncovered: tuple[Box, ...] = ()
