"""What rules and health checks report: events that begin, change and end, and what was counted in a minute.

Nothing here has room for a track, a path, a crop or the place of a person: an event is of a camera and a
named line or zone, and a count is of a minute.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from lamppost.model.books import Severity
from lamppost.model.rules import CountedKind


class Phase(StrEnum):
    """What happens to an event."""

    START = "start"
    UPDATE = "update"
    END = "end"


class EventType(StrEnum):
    """What can happen in front of a camera, or to it."""

    LINE_CROSSED = "line_crossed"
    ZONE_ENTERED = "zone_entered"
    OCCUPANCY = "occupancy"
    DWELL = "dwell"
    CROWD_DENSITY = "crowd_density"
    STOPPED_VEHICLE = "stopped_vehicle"
    WRONG_WAY = "wrong_way"
    QUEUE = "queue"
    OBJECT_LEFT = "object_left"
    OBJECT_REMOVED = "object_removed"
    PICTURE_FROZEN = "picture_frozen"
    PICTURE_BLACK = "picture_black"
    PICTURE_BLURRED = "picture_blurred"
    CAMERA_COVERED = "camera_covered"
    CAMERA_MOVED = "camera_moved"


@dataclass(frozen=True, slots=True)
class Findings:
    """What is known of an event so far, beside when and where.

    `value` is the worst so far, in `unit`, against `limit`; `count` is how many things or crossings it is made of; `ways` are
    those of a line that were taken, `level` the step of a crowd's density from 1 on. None where it says nothing.
    """

    kind: CountedKind | None = None
    count: int | None = None
    value: float | None = None
    unit: str | None = None  # "", "s", "m", "per_m2"
    limit: float | None = None
    level: int | None = None
    ways: tuple[str, ...] = ()
    note: str = ""  # one line for a person, where more is to be said


@dataclass(frozen=True, slots=True)
class EventChange:
    """One step in the life of an event. `rule` and `place` are empty for the health of a camera itself.

    The same `event_id` from start to end; at the end `findings` are those of the whole.
    """

    event_id: str
    phase: Phase
    type: EventType
    severity: Severity
    wall_us: int
    rule: str
    place: str
    findings: Findings


class PlaceKind(StrEnum):
    """Of what something is counted."""

    LINE = "line"
    ZONE = "zone"
    PICTURE = "picture"  # the grid of a heat map


class Measure(StrEnum):
    """What is counted or measured in a minute, and how to read `Tally`."""

    FORWARD = "forward"  # line: crossings
    BACKWARD = "backward"
    ENTRIES = "entries"  # zone
    EXITS = "exits"
    OCCUPANCY = "occupancy"  # zone: count = samples, total = their sum, most = the largest
    DENSITY = "density"  # zone, people per square metre: samples, sum, largest
    QUEUE = "queue"  # zone, how many wait: samples, sum, largest
    DWELL = "dwell"  # zone, seconds, of those who left: how many, sum, longest, bins
    SPEED = "speed"  # zone, km/h, of those who left: how many, sum, highest, bins
    PRESENCE = "presence"  # picture: seconds in each cell of the grid, row after row, as bins


# Lower bounds of the bins; the last one has no upper bound.
DWELL_BINS_S = (0.0, 2.0, 5.0, 10.0, 20.0, 30.0, 60.0, 120.0, 300.0, 600.0, 1800.0)
SPEED_BINS_KMH = tuple(float(kmh) for kmh in range(0, 150, 5))


@dataclass(frozen=True, slots=True)
class Tally:
    """One measure of one kind in one minute. `kind` is None for what is of all kinds together."""

    measure: Measure
    kind: CountedKind | None
    count: int
    total: float | None = None
    most: float | None = None
    bins: tuple[float, ...] | None = None


@dataclass(frozen=True, slots=True)
class CountedMinute:
    """What was counted at one place in one minute of UTC, or in a part of it.

    `minute_us` is the minute's beginning (for a heat map the hour's). Of its 60 s, `observed_ms` were seen: the rest is
    unknown, and not zero. A measure without a tally is zero in what was observed.
    """

    place_kind: PlaceKind
    place: str
    minute_us: int
    observed_ms: int
    tallies: tuple[Tally, ...]
