"""Rules for things that stay behind or disappear."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from lamppost.events.episodes import Found
from lamppost.events.geometry import anchor_point, is_inside
from lamppost.events.scene import Moving, SceneNow, ZoneNow
from lamppost.events.watching import ZoneWatch
from lamppost.events.zone_rules import counted, found_lasting, standing_since_s
from lamppost.model.happening import Findings
from lamppost.model.rules import Anchor, CountedKind, ObjectLeft, ObjectRemoved, Zone

_BESIDE = 1.0  # of a thing's extent, on each side: who stands there looks after it


class LeftWatch(ZoneWatch):
    """A thing lies in a zone for `after_s`, and no person stands beside it.

    With a detector that tells kinds, a person is none of its things. With motion alone all is `object`: a person who stands
    still is one as well, and nobody is known to stand beside.
    """

    def __init__(self, rule: ObjectLeft, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        persons = [one for one in scene.moving if one.kind is CountedKind.PERSON and one.still_since_s is not None]
        everything = replace(zone, staying=(*zone.staying, *zone.appeared))
        things = [one for one in counted(everything, (CountedKind.OBJECT,)) if not _is_looked_after(one.moving, persons)]
        return found_lasting(scene, things, standing_since_s, self._rule.after_s, self._rule.severity)


class RemovedWatch(ZoneWatch):
    """A thing that belonged to a zone is gone."""

    def __init__(self, rule: ObjectRemoved, zone: Zone) -> None:
        super().__init__(zone)
        self._rule = rule

    def find_in(self, scene: SceneNow, zone: ZoneNow, *, is_open: bool) -> Found | None:
        gone = sum(is_inside(self.zone.points, anchor_point(box, Anchor.CENTRE)) for box in scene.uncovered)
        return Found(Findings(kind=CountedKind.OBJECT, count=gone), self._rule.severity) if gone else None


def _is_looked_after(thing: Moving, persons: Sequence[Moving]) -> bool:
    around = thing.box.padded(_BESIDE)
    return any(around.intersection(person.box) > 0 for person in persons)
