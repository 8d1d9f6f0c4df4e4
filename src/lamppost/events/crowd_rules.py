"""Rules for many at once: how close they stand, and how long the queue is."""

from __future__ import annotations

import numpy as np

from lamppost.events.episodes import Found, Waiting
from lamppost.events.kinds import people_of
from lamppost.events.scene import SceneNow, Staying, ZoneNow
from lamppost.events.watching import ZoneWatch, one_kind
from lamppost.events.zone_rules import counted, standing_since_s
from lamppost.model.books import Severity
from lamppost.model.happening import Findings
from lamppost.model.rules import CrowdDensity, Queue, Zone

_LEAVES_AT = 0.9  # of a level: a crowd that moves around it neither leaves it nor reaches it again


class CrowdWatch(ZoneWatch):
    """People stand too close. Each level must be reached for `after_s`, and is left nine tenths of it down."""

    def __init__(self, rule: CrowdDensity, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule
        self._people = people_of(zone)
        self._levels = [Waiting(rule.after_s) for _level in rule.levels_per_m2]
        self._is_above = [False] * len(self._levels)
        self._was_open = False

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        if zone.area_m2 is None:
            return None
        if self._was_open and not is_open:
            self.forget()  # the next event waits for itself
        self._was_open = is_open
        people = counted(zone, self._people)
        density = len(people) / zone.area_m2
        reached = 0
        for step, (least, waiting) in enumerate(zip(self._rule.levels_per_m2, self._levels, strict=True)):
            self._is_above[step] = density >= (least * _LEAVES_AT if self._is_above[step] else least)
            if waiting.update(scene.at_s, self._is_above[step]):
                reached = step + 1
        if not reached and not (is_open and self._is_above[0]):
            return None
        level = max(reached, 1)
        findings = Findings(
            kind=one_kind(one.moving.kind for one in people),
            count=len(people),
            value=density,
            unit="per_m2",
            limit=self._rule.levels_per_m2[level - 1],
            level=level,
        )
        severity = Severity.ALARM if level == len(self._levels) else self._rule.severity
        return Found(findings, severity, since_s=self._levels[level - 1].since_s)

    def forget(self) -> None:
        for waiting in self._levels:
            waiting.forget()
        self._is_above = [False] * len(self._levels)


class QueueWatch(ZoneWatch):
    """Many wait, or a queue is long: who stands still in the zone waits, and it is as long as the farthest two are apart."""

    def __init__(self, rule: Queue, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        waiting = [one for one in counted(zone, self.zone.kinds) if standing_since_s(one) is not None]
        most, most_m = self._rule.most, self._rule.most_m
        length_m = _length_m(waiting) if most_m is not None else None
        kind = one_kind(one.moving.kind for one in waiting)
        if most_m is not None and length_m is not None and length_m > most_m:
            return Found(Findings(kind=kind, count=len(waiting), value=length_m, unit="m", limit=most_m), self._rule.severity)
        if most is not None and len(waiting) > most:
            findings = Findings(kind=kind, count=len(waiting), value=float(len(waiting)), unit="", limit=float(most))
            return Found(findings, self._rule.severity)
        return None


def _length_m(waiting: list[Staying]) -> float | None:
    """None where fewer than two have a place on the ground."""
    places = [one.moving.ground_m for one in waiting if one.moving.ground_m is not None]
    if len(places) < 2:
        return None
    points = np.asarray(places, dtype=np.float64)
    apart = points[:, None, :] - points[None, :, :]
    return float(np.sqrt((apart**2).sum(axis=2).max()))
