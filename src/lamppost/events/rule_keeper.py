"""All rules of one camera: each look at its scene becomes the events that begin, grow worse and end with it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from lamppost.events.crowd_rules import CrowdWatch, QueueWatch
from lamppost.events.episodes import NOTE_RULE_CHANGED, Episode
from lamppost.events.line_rules import LineWatch
from lamppost.events.scene import SceneNow
from lamppost.events.thing_rules import LeftWatch, RemovedWatch
from lamppost.events.traffic_rules import StoppedWatch, WrongWayWatch
from lamppost.events.watching import Watch, Zones
from lamppost.events.zone_rules import DwellWatch, EntryWatch, OccupancyWatch
from lamppost.model.happening import EventChange, EventType
from lamppost.model.rules import (
    CrowdDensity,
    Dwell,
    Line,
    LineCrossed,
    ObjectLeft,
    ObjectRemoved,
    Occupancy,
    Queue,
    Rule,
    RuleBook,
    StoppedVehicle,
    WrongWay,
    Zone,
    ZoneEntered,
)

ASPECT: Final = 16 / 9  # of a picture whose size nobody knows yet


@dataclass(frozen=True, slots=True)
class _Kept:
    """A rule, what it rests on, and what it is about to say or has said. The same premises: the same rule."""

    premises: tuple[object, ...]
    watch: Watch
    episode: Episode


class RuleKeeper:
    """Judges one camera's scenes by a rule book, and keeps each rule's event from its start to its end.

    `aspect` is the picture's width by its height: directions and distances of wrong ways are of the picture as it is seen.
    Times of scenes never go back; when a run ends, `close` before the scenes of the next one.
    """

    def __init__(self, book: RuleBook, *, aspect: float = ASPECT) -> None:
        self._kept = tuple(_kept(rule, book, aspect) for rule in book.rule)

    def judge(self, scene: SceneNow) -> tuple[EventChange, ...]:
        """What begins, changes and ends with this look, in the order of the rule book."""
        zones: Zones = {zone.name: zone for zone in scene.zones}
        changes: list[EventChange] = []
        for kept in self._kept:
            found = kept.watch.find(scene, zones, is_open=kept.episode.is_open)
            changes += kept.episode.look(scene.at_s, scene.wall_us, found)
        return tuple(changes)

    def rest(self, at_s: float) -> tuple[EventChange, ...]:
        """The camera is not observed at `at_s`: say so now and then while it lasts, and events end after a while.

        Events keep the stamp of when they were seen last.
        """
        changes: list[EventChange] = []
        for kept in self._kept:
            kept.watch.forget()
            changes += kept.episode.rest(at_s)
        return tuple(changes)

    def close(self) -> tuple[EventChange, ...]:
        """End everything, for a run or the observation ended; a next run may follow."""
        changes: list[EventChange] = []
        for kept in self._kept:
            kept.watch.forget()
            changes += kept.episode.forget()
        return tuple(changes)

    def adopt(self, book: RuleBook, *, aspect: float = ASPECT) -> tuple[EventChange, ...]:
        """Go on with another rule book: rules that are the same, on places that are the same, keep their events; others end."""
        before = {kept.premises: kept for kept in self._kept}
        changed = [_kept(rule, book, aspect) for rule in book.rule]
        self._kept = tuple(before.pop(kept.premises, kept) for kept in changed)
        return tuple(change for kept in before.values() for change in kept.episode.forget(NOTE_RULE_CHANGED))


def _kept(rule: Rule, book: RuleBook, aspect: float) -> _Kept:
    place, watch = _watch_of(rule, book, aspect)
    # What is measured on the ground rests on the calibration, and a way in the picture on its shape.
    ground = book.calibration if isinstance(rule, CrowdDensity | Queue) else None
    premises = (rule, place, ground, aspect if isinstance(rule, WrongWay) else None)
    after_s = rule.after_s if isinstance(rule, Occupancy | Queue) else 0.0  # the others wait for each thing, or level, by itself
    return _Kept(premises, watch, Episode(EventType(rule.type), rule.name, place.name, after_s=after_s, cooldown_s=rule.cooldown_s))


def _watch_of(rule: Rule, book: RuleBook, aspect: float) -> tuple[Line | Zone, Watch]:
    if isinstance(rule, LineCrossed):
        line = next(line for line in book.line if line.name == rule.line)
        return line, LineWatch(rule, line)
    zone = next(zone for zone in book.zone if zone.name == rule.zone)
    if isinstance(rule, WrongWay):
        return zone, WrongWayWatch(rule, zone, aspect)
    return zone, _zone_watch(rule, zone)


def _zone_watch(
    rule: ZoneEntered | Occupancy | Dwell | CrowdDensity | StoppedVehicle | Queue | ObjectLeft | ObjectRemoved, zone: Zone
) -> Watch:
    match rule:
        case ZoneEntered():
            return EntryWatch(rule, zone)
        case Occupancy():
            return OccupancyWatch(rule, zone)
        case Dwell():
            return DwellWatch(rule, zone)
        case CrowdDensity():
            return CrowdWatch(rule, zone)
        case StoppedVehicle():
            return StoppedWatch(rule, zone)
        case Queue():
            return QueueWatch(rule, zone)
        case ObjectLeft():
            return LeftWatch(rule, zone)
        case ObjectRemoved():
            return RemovedWatch(rule, zone)
