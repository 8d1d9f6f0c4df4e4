"""Rules for what drives: a vehicle that stands where none should, and whatever goes the wrong way."""

from __future__ import annotations

import math

from lamppost.events.episodes import Found
from lamppost.events.geometry import anchor_point
from lamppost.events.kinds import vehicles_of
from lamppost.events.scene import SceneNow, ZoneNow
from lamppost.events.watching import ZoneWatch, one_kind
from lamppost.events.zone_rules import counted, found_lasting, standing_since_s
from lamppost.model.happening import Findings
from lamppost.model.rules import StoppedVehicle, WrongWay, Zone
from lamppost.model.vision import Box

_LEAST_BACK = 0.5  # within 60 degrees of straight back: who crosses the zone does not go against it


class StoppedWatch(ZoneWatch):
    """A vehicle stands in a zone for `after_s`."""

    def __init__(self, rule: StoppedVehicle, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule
        self._vehicles = vehicles_of(zone)

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        return found_lasting(scene, counted(zone, self._vehicles), standing_since_s, self._rule.after_s, self._rule.severity)


class WrongWayWatch(ZoneWatch):
    """Something goes against the direction of a zone.

    From the point where it had gone farthest the right way, it must have gone back by `least_path` of the picture's
    diagonal, and more back than aside. It is found again after as much more, so that an event lasts while it goes on; each
    thing counts once in an event. `aspect` is the picture's width by its height.
    """

    def __init__(self, rule: WrongWay, zone: Zone, aspect: float) -> None:
        super().__init__(zone)
        self._rule = rule
        self._aspect = aspect
        (x0, y0), (x1, y1) = rule.direction
        dx, dy = (x1 - x0) * aspect, y1 - y0
        length = math.hypot(dx, dy)
        self._right = (dx / length, dy / length)
        self._least = rule.least_path * math.hypot(aspect, 1.0)
        self._farthest: dict[int, tuple[float, float]] = {}  # of what is in the zone: in heights of the picture
        self._counted: set[int] = set()

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        if not is_open:
            self._counted.clear()
        staying = counted(zone, self.zone.kinds)
        present = {one.moving.track_id for one in staying}
        self._farthest = {track_id: point for track_id, point in self._farthest.items() if track_id in present}
        self._counted &= present
        # Where it was carried on without a detection, its box says nothing of where it goes.
        against = [one.moving for one in staying if one.moving.is_seen and self._goes_back(one.moving.track_id, one.moving.box)]
        if not against:
            return None
        new = {moving.track_id for moving in against} - self._counted
        self._counted |= new
        findings = Findings(kind=one_kind(moving.kind for moving in against), count=len(new))
        return Found(findings, self._rule.severity, adds=True)

    def forget(self) -> None:
        self._farthest.clear()
        self._counted.clear()

    def _goes_back(self, track_id: int, box: Box) -> bool:
        x, y = anchor_point(box, self.zone.anchor)
        point = (x * self._aspect, y)
        from_point = self._farthest.setdefault(track_id, point)
        dx, dy = point[0] - from_point[0], point[1] - from_point[1]
        right = dx * self._right[0] + dy * self._right[1]
        is_back = -right >= self._least and -right >= _LEAST_BACK * math.hypot(dx, dy)
        if right > 0 or is_back:
            self._farthest[track_id] = point
        return is_back
