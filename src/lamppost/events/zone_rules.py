"""Rules that ask who is in a zone, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamppost.events.episodes import Found
from lamppost.events.scene import SceneNow, Staying, ZoneNow
from lamppost.events.watching import ZoneWatch, one_kind
from lamppost.model.books import Severity
from lamppost.model.happening import Findings
from lamppost.model.rules import CountedKind, Dwell, Occupancy, Zone, ZoneEntered


class EntryWatch(ZoneWatch):
    """Something is where nothing should be. Each thing must be there for `after_s` itself: many who hurry through do not add up."""

    def __init__(self, rule: ZoneEntered, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        there = [one for one in counted(zone, self.zone.kinds) if scene.at_s - one.inside_since_s >= self._rule.after_s]
        if not there:
            return None
        findings = Findings(kind=one_kind(one.moving.kind for one in there), count=len(there))
        return Found(findings, self._rule.severity, since_s=min(one.inside_since_s for one in there))


class OccupancyWatch(ZoneWatch):
    """More are in a zone than it should hold."""

    def __init__(self, rule: Occupancy, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        there = counted(zone, self.zone.kinds)
        if len(there) <= self._rule.most:
            return None
        kind = one_kind(one.moving.kind for one in there)
        findings = Findings(kind=kind, count=len(there), value=float(len(there)), unit="", limit=float(self._rule.most))
        return Found(findings, self._rule.severity)


class DwellWatch(ZoneWatch):
    """Something stays in a zone for `after_s`."""

    def __init__(self, rule: Dwell, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        staying = counted(zone, self.zone.kinds)
        return found_lasting(scene, staying, lambda one: one.inside_since_s, self._rule.after_s, self._rule.severity)


def counted(zone: ZoneNow, kinds: Sequence[CountedKind]) -> list[Staying]:
    """Who is in a zone, of those kinds."""
    return [one for one in zone.staying if one.moving.kind in kinds]


def standing_since_s(one: Staying) -> float | None:
    """Since when it has been standing in the zone; None while it moves."""
    still_since_s = one.moving.still_since_s
    return None if still_since_s is None else max(still_since_s, one.inside_since_s)


def found_lasting(
    scene: SceneNow, things: Sequence[Staying], since: Callable[[Staying], float | None], after_s: float, severity: Severity
) -> Found | None:
    """Those of `things` for which it has been so for `after_s`; the value is the longest time, in seconds."""
    times = [(moment, one) for one in things if (moment := since(one)) is not None and scene.at_s - moment >= after_s]
    if not times:
        return None
    first_s = min(moment for moment, _one in times)
    kind = one_kind(one.moving.kind for _moment, one in times)
    findings = Findings(kind=kind, count=len(times), value=scene.at_s - first_s, unit="s", limit=after_s)
    return Found(findings, severity, since_s=first_s)
