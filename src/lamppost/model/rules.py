"""What a camera counts and when it calls: lines, zones and rules on them, in the coordinates of its picture.

Every field's description is the documentation of the rules file. Coordinates are shares of the picture's
width and height, from its left top corner: rules outlive a change of resolution. Unknown keys are refused.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Collection, Iterator, Sequence
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator
from pydantic_core import InitErrorDetails, PydanticCustomError

from lamppost.model.books import Severity
from lamppost.model.mistakes import DISAGREEMENT, Place, did_you_mean

NAME = re.compile(r"[a-z0-9](?:[a-z0-9_-]{0,61}[a-z0-9])?")
_LEAST_LENGTH = 0.005  # of the picture: a line that is shorter cannot be crossed on purpose
_LEAST_AREA = 0.0002

Share = Annotated[float, Field(ge=0, le=1)]
Point = tuple[Share, Share]
Level = Annotated[float, Field(gt=0)]


class Anchor(StrEnum):
    """The point of a box that stands for the thing."""

    FOOT = "foot"  # the middle of its lower edge: where it touches the ground
    CENTRE = "centre"  # for a camera that looks straight down


class CountedKind(StrEnum):
    """What may be counted."""

    PERSON = "person"
    BICYCLE = "bicycle"
    VEHICLE = "vehicle"
    OBJECT = "object"  # what moves, where no detector tells kinds apart


class Way(StrEnum):
    """Across a line. Who stands on its first point and looks at the last goes forward from left to right."""

    FORWARD = "forward"
    BACKWARD = "backward"


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True, allow_inf_nan=False)


class _Named(_Part):
    name: str = Field(description="Name, once in the file: 1 to 63 lower-case letters, digits, hyphens and underscores.")

    @field_validator("name")
    @classmethod
    def _name_is_usable(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError("a name has 1 to 63 lower-case letters, digits, hyphens and underscores, such as 'north-gate'")
        return name


class _Place(_Named):
    kinds: tuple[CountedKind, ...] = Field(
        default=tuple(CountedKind), description="What counts here: `person`, `bicycle`, `vehicle`, `object`; all of them otherwise."
    )
    anchor: Anchor = Field(
        default=Anchor.FOOT,
        description="The point of a thing's box that counts: `foot`, or `centre` for a camera that looks straight down.",
    )

    @field_validator("kinds")
    @classmethod
    def _kinds_are_some(cls, kinds: tuple[CountedKind, ...]) -> tuple[CountedKind, ...]:
        if not kinds:
            raise ValueError("name one kind at least, or leave it out for all")
        return tuple(dict.fromkeys(kinds))


class Line(_Place):
    """A line; what crosses it is counted, each way by itself."""

    points: tuple[Point, ...] = Field(
        min_length=2, max_length=16, description="Two to 16 points `[x, y]`; forward is from left to right for who looks along it."
    )

    @field_validator("points")
    @classmethod
    def _is_long_enough(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        for one, other in itertools.pairwise(points):
            if abs(one[0] - other[0]) + abs(one[1] - other[1]) < _LEAST_LENGTH:
                raise ValueError("two points that follow each other are the same")
        return points


class Zone(_Place):
    """An area; who enters, leaves, stays and moves in it is counted."""

    points: tuple[Point, ...] = Field(min_length=3, max_length=64, description="Three to 64 corners `[x, y]`, in order around it.")
    area_m2: float | None = Field(default=None, gt=0, description="Its area in square metres, where the camera is not calibrated.")

    @field_validator("points")
    @classmethod
    def _is_a_polygon(cls, points: tuple[Point, ...]) -> tuple[Point, ...]:
        area = sum(a[0] * b[1] - b[0] * a[1] for a, b in zip(points, (*points[1:], points[0]), strict=True)) / 2
        if any(_cross(*edges) for edges in _apart(points)):
            raise ValueError("its edges cross each other: name the corners in order around it")
        if abs(area) < _LEAST_AREA:
            raise ValueError("its corners enclose nothing")
        return points


class _Rule(_Named):
    severity: Severity = Field(default=Severity.WARNING, description="`info`, `warning` or `alarm`.")
    cooldown_s: float = Field(
        default=10.0,
        ge=0,
        le=86_400,
        description="It is over when it has not been so for this long, in seconds; what comes sooner is the same event.",
    )


class _ZoneRule(_Rule):
    zone: str = Field(description="The zone that it watches.")


class LineCrossed(_Rule):
    """Something crosses a line."""

    type: Literal["line_crossed"]
    line: str = Field(description="The line that it watches.")
    ways: tuple[Way, ...] = Field(default=tuple(Way), min_length=1, description="`forward`, `backward`, or both.")


class ZoneEntered(_ZoneRule):
    """Something is in a zone where nothing should be."""

    type: Literal["zone_entered"]
    after_s: float = Field(default=1.0, ge=0, le=3600, description="Something must be there for so long, in seconds.")


class Occupancy(_ZoneRule):
    """More are in a zone than it should hold."""

    type: Literal["occupancy"]
    most: int = Field(ge=0, description="So many are all right.")
    after_s: float = Field(default=5.0, ge=0, le=3600, description="It must be so for so long, in seconds.")


class Dwell(_ZoneRule):
    """Something stays in a zone."""

    type: Literal["dwell"]
    after_s: float = Field(gt=0, le=86_400, description="It has been there for so long, in seconds.")


class CrowdDensity(_ZoneRule):
    """People stand too close, for crush safety. Needs a calibrated camera, or the zone's `area_m2`."""

    type: Literal["crowd_density"]
    levels_per_m2: tuple[Level, ...] = Field(
        default=(2.0, 4.0, 5.0),
        min_length=1,
        max_length=8,
        description="People per square metre at which it begins and grows worse; the last one is an alarm whatever `severity` says.",
    )
    after_s: float = Field(default=5.0, ge=0, le=3600, description="A level must be reached for so long, in seconds.")

    @field_validator("levels_per_m2")
    @classmethod
    def _levels_rise(cls, levels: tuple[float, ...]) -> tuple[float, ...]:
        if list(levels) != sorted(set(levels)):
            raise ValueError("each level is higher than the one before it")
        return levels


class StoppedVehicle(_ZoneRule):
    """A vehicle stands where none should."""

    type: Literal["stopped_vehicle"]
    after_s: float = Field(default=10.0, gt=0, le=86_400, description="It has been standing for so long, in seconds.")


class WrongWay(_ZoneRule):
    """Something goes against the direction of a zone."""

    type: Literal["wrong_way"]
    direction: tuple[Point, Point] = Field(description="Two points: the right way goes from the first to the second.")
    least_path: float = Field(
        default=0.05, gt=0, le=1, description="So far must it have gone the wrong way, as a share of the picture's diagonal."
    )

    @field_validator("direction")
    @classmethod
    def _has_a_direction(cls, direction: tuple[Point, Point]) -> tuple[Point, Point]:
        if direction[0] == direction[1]:
            raise ValueError("its two points are the same")
        return direction


class Queue(_ZoneRule):
    """Many wait, or a queue is long."""

    type: Literal["queue"]
    most: int | None = Field(default=None, ge=0, description="So many that wait are all right.")
    most_m: float | None = Field(default=None, gt=0, description="So long a queue is all right, in metres; needs a calibrated camera.")
    after_s: float = Field(default=10.0, ge=0, le=3600, description="It must be so for so long, in seconds.")

    @model_validator(mode="after")
    def _has_a_limit(self) -> Queue:
        if self.most is None and self.most_m is None:
            raise ValueError("say what is too long: most, or most_m")
        return self


class ObjectLeft(_ZoneRule):
    """A thing was put down in a zone, and nobody takes it away."""

    type: Literal["object_left"]
    after_s: float = Field(default=60.0, gt=0, le=86_400, description="It has been lying there for so long, in seconds.")


class ObjectRemoved(_ZoneRule):
    """A thing that belonged to a zone is gone."""

    type: Literal["object_removed"]


Rule = Annotated[
    LineCrossed | ZoneEntered | Occupancy | Dwell | CrowdDensity | StoppedVehicle | WrongWay | Queue | ObjectLeft | ObjectRemoved,
    Field(discriminator="type"),
]


class Correspondence(_Part):
    """One point of the ground, in the picture and on the map."""

    image: Point = Field(description="`[x, y]` in the picture.")
    map_m: tuple[float, float] | None = Field(default=None, description="`[east, north]` in metres from any fixed point.")
    lat_lon: tuple[Annotated[float, Field(ge=-90, le=90)], Annotated[float, Field(ge=-180, le=180)]] | None = Field(
        default=None, description="`[latitude, longitude]` in degrees, WGS 84."
    )

    @model_validator(mode="after")
    def _has_one_place(self) -> Correspondence:
        if (self.map_m is None) == (self.lat_lon is None):
            raise ValueError("give map_m or lat_lon, one of them")
        return self


class CalibrationPoints(_Part):
    """Four or more points of the ground: speeds become km/h, sizes metres."""

    points: tuple[Correspondence, ...] = Field(min_length=4, max_length=64, description="Points that lie on the ground, far apart.")
    largest_error_m: float = Field(
        default=1.0,
        gt=0,
        description="It is refused when the points disagree by more than this, as the root of the mean square, in metres.",
    )

    @field_validator("points")
    @classmethod
    def _are_of_one_kind(cls, points: tuple[Correspondence, ...]) -> tuple[Correspondence, ...]:
        if len({point.map_m is None for point in points}) > 1:
            raise ValueError("give all of them as map_m, or all as lat_lon")
        return points


class HeatMap(_Part):
    """How much of an hour something was in each cell of a grid over the picture."""

    columns: int = Field(default=32, ge=4, le=128, description="Cells from left to right.")
    rows: int = Field(default=18, ge=4, le=128, description="Cells from top to bottom.")
    kinds: tuple[CountedKind, ...] = Field(default=tuple(CountedKind), min_length=1, description="What counts.")


class RuleBook(_Part):
    """The whole of a rules file."""

    line: tuple[Line, ...] = Field(default=(), max_length=64, description="The lines, each a table `[[line]]`.")
    zone: tuple[Zone, ...] = Field(default=(), max_length=64, description="The zones, each a table `[[zone]]`.")
    rule: tuple[Rule, ...] = Field(default=(), max_length=128, description="What raises events, each a table `[[rule]]`.")
    calibration: CalibrationPoints | None = Field(default=None, description="Where the ground lies.")
    heat_map: HeatMap | None = Field(default=None, description="A heat map, made of counts by the hour.")

    @model_validator(mode="after")
    def _parts_fit(self) -> RuleBook:
        found = [
            InitErrorDetails(type=PydanticCustomError(DISAGREEMENT, "{problem}", {"problem": problem}), loc=place, input=None)
            for place, problem in (*self._same_names(), *self._rules_without_places())
        ]
        if found:
            raise ValidationError.from_exception_data("rules", found)
        return self

    def _same_names(self) -> Iterator[tuple[Place, str]]:
        places = [*_numbered("line", self.line), *_numbered("zone", self.zone)]
        for what, parts in (("places", places), ("rules", [*_numbered("rule", self.rule)])):
            seen: set[str] = set()
            for place, part in parts:
                if part.name in seen:
                    yield (*place, "name"), f"two {what} are called {part.name!r}"
                seen.add(part.name)

    def _rules_without_places(self) -> Iterator[tuple[Place, str]]:
        lines, zones = {line.name for line in self.line}, {zone.name: zone for zone in self.zone}
        for number, rule in enumerate(self.rule):
            if isinstance(rule, LineCrossed):
                if rule.line not in lines:
                    yield ("rule", number, "line"), _no_place(rule, "line", rule.line, lines, zones)
            elif rule.zone not in zones:
                yield ("rule", number, "zone"), _no_place(rule, "zone", rule.zone, zones, lines)
            elif isinstance(rule, CrowdDensity) and self.calibration is None and zones[rule.zone].area_m2 is None:
                yield ("rule", number), f"the rule {rule.name!r} needs [calibration], or area_m2 of the zone {rule.zone!r}"
            elif isinstance(rule, Queue) and rule.most_m is not None and self.calibration is None:
                yield ("rule", number, "most_m"), f"the rule {rule.name!r} needs [calibration] for most_m"

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to count and nothing to call for."""
        return not (self.line or self.zone or self.heat_map)


def _numbered(what: str, parts: Sequence[_Named]) -> Iterator[tuple[Place, _Named]]:
    for number, part in enumerate(parts):
        yield (what, number), part


def _no_place(rule: _Rule, what: str, name: str, known: Collection[str], others: Collection[str]) -> str:
    problem = f"the rule {rule.name!r} watches the {what} {name!r}, and there is none"
    if name in others:
        return f"{problem}: {name!r} is a {'zone' if what == 'line' else 'line'}"
    return f"{problem}{did_you_mean(name, known)}"


Edge = tuple[Point, Point]


def _apart(points: Sequence[Point]) -> Iterator[tuple[Edge, Edge]]:
    """Pairs of edges of a polygon that have no corner in common."""
    edges = list(zip(points, (*points[1:], points[0]), strict=True))
    for first in range(len(edges)):
        for second in range(first + 2, len(edges)):
            if first or second != len(edges) - 1:
                yield edges[first], edges[second]


def _cross(one: Edge, other: Edge) -> bool:
    def side(edge: Edge, point: Point) -> float:
        (ax, ay), (bx, by) = edge
        return (bx - ax) * (point[1] - ay) - (by - ay) * (point[0] - ax)

    return side(one, other[0]) * side(one, other[1]) < 0 and side(other, one[0]) * side(other, one[1]) < 0
