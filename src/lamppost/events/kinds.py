"""What a thing is taken for: by its real size and speed, where no detector tells kinds apart and the camera is calibrated.

What is compared is the box that a thing of known length, width and height would fill, going the way it goes and seen as
steeply as it is seen: a car that comes nearer is as narrow as three who walk abreast, but its box is higher.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from lamppost.events.calibration import View
from lamppost.events.geometry import XY
from lamppost.model.rules import CountedKind, Zone

_SLOW_KMH = 2.0  # below it, nothing is known of its direction
_MOST_OFF = 1.5  # a side may be half as long again, or shorter by a third
_MEMORY_S = 10.0  # older votes fade
_LEAST_S = 0.5  # of votes before anything is said
_LEAD = 1.5  # times the votes of what it was taken for: it does not change to and fro
_DIAGONAL = math.sqrt(0.5)


@dataclass(frozen=True, slots=True)
class _Shape:
    kind: CountedKind
    length_m: float
    width_m: float
    height_m: float
    least_kmh: float
    most_kmh: float


_SHAPES = (
    _Shape(CountedKind.PERSON, 0.55, 0.55, 1.7, 0.0, 12.0),
    _Shape(CountedKind.PERSON, 0.9, 0.55, 1.7, 2.0, 12.0),  # in stride
    _Shape(CountedKind.PERSON, 0.4, 0.4, 1.15, 0.0, 12.0),
    _Shape(CountedKind.BICYCLE, 1.8, 0.65, 1.75, 6.0, 50.0),
    _Shape(CountedKind.VEHICLE, 4.4, 1.8, 1.5, 0.0, 250.0),
    _Shape(CountedKind.VEHICLE, 5.5, 2.1, 2.5, 0.0, 250.0),
    _Shape(CountedKind.VEHICLE, 11.0, 2.5, 3.2, 0.0, 150.0),
)


def kind_by_size(view: View, width: float, height: float, velocity_kmh: XY) -> CountedKind:
    """What a box is likely to hold; `width` and `height` as shares of the picture's height, `velocity_kmh` east and north.

    `OBJECT` where nothing fits, and where a group of persons would fit as well.
    """
    if width <= 0 or height <= 0 or view.metres <= 0:
        return CountedKind.OBJECT
    wide, high = width * view.metres, height * view.metres
    speed_kmh = math.hypot(*velocity_kmh)
    ways: tuple[float, ...] = (0.0, _DIAGONAL, 1.0)
    if speed_kmh >= _SLOW_KMH:
        ways = (min(1.0, abs(velocity_kmh[0] * view.away[0] + velocity_kmh[1] * view.away[1]) / speed_kmh),)
    flat = math.sqrt(1 - view.sine_down * view.sine_down)
    best, least = CountedKind.OBJECT, _MOST_OFF
    for shape in _SHAPES:
        if not shape.least_kmh <= speed_kmh <= shape.most_kmh:
            continue
        for away in ways:
            # Width and height, in metres across the line of sight, of the box around the shape; `away` is 1 where it comes or goes.
            across = math.sqrt(1 - away * away)
            shown_wide = shape.length_m * across + shape.width_m * away
            shown_high = shape.height_m * flat + (shape.length_m * away + shape.width_m * across) * view.sine_down
            off = max(wide / shown_wide, shown_wide / wide, high / shown_high, shown_high / high)
            if off < least:
                best, least = shape.kind, off
    return best


class KindVotes:
    """What one thing was taken for, weighed by time, so that its kind is steady."""

    def __init__(self) -> None:
        self.kind = CountedKind.OBJECT
        self._votes_s = dict.fromkeys(CountedKind, 0.0)

    @property
    def is_decided(self) -> bool:
        """Whether enough was seen to say anything."""
        return sum(self._votes_s.values()) >= _LEAST_S

    def vote(self, kind: CountedKind, weight_s: float) -> None:
        """It looked like `kind` for so long."""
        votes, weight_s = self._votes_s, min(weight_s, _MEMORY_S)
        known_s = sum(votes.values())
        if known_s + weight_s > _MEMORY_S:
            fading = max(0.0, _MEMORY_S - weight_s) / known_s
            for each in votes:
                votes[each] *= fading
        votes[kind] += weight_s
        leader = max(votes, key=votes.__getitem__)
        if leader is not self.kind and self.is_decided and votes[leader] > _LEAD * votes[self.kind]:
            self.kind = leader


def people_of(zone: Zone) -> tuple[CountedKind, ...]:
    """What is taken for a person in a zone: where it counts objects and no vehicles, an object is."""
    if CountedKind.OBJECT in zone.kinds and CountedKind.VEHICLE not in zone.kinds:
        return (CountedKind.PERSON, CountedKind.OBJECT)
    return (CountedKind.PERSON,)


def vehicles_of(zone: Zone) -> tuple[CountedKind, ...]:
    """What is taken for a vehicle in a zone: where it counts objects and no persons, an object is."""
    vehicles = [CountedKind.VEHICLE] if CountedKind.VEHICLE in zone.kinds else []
    if CountedKind.OBJECT in zone.kinds and CountedKind.PERSON not in zone.kinds:
        vehicles.append(CountedKind.OBJECT)
    return tuple(vehicles)
