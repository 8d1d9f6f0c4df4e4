"""Makes minutes of what was measured: all that is ever stored of movement. What was not seen is unknown, and not zero."""

from __future__ import annotations

from bisect import bisect_right
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator
from typing import TypeVar

from lamppost.base.clock import US_PER_S
from lamppost.events.geometry import anchor_point, ground_anchor
from lamppost.events.kinds import people_of
from lamppost.events.scene import SceneNow, ZoneNow
from lamppost.model.happening import DWELL_BINS_S, SPEED_BINS_KMH, CountedMinute, Measure, PlaceKind, Tally
from lamppost.model.rules import Anchor, CountedKind, HeatMap, RuleBook, Way

MINUTE_US = 60 * US_PER_S
HOUR_US = 60 * MINUTE_US
_WAITS_AFTER_S = 2.0
_LONGEST_STEP_S = 60.0  # nobody looks at one picture for longer
_MOST_OPEN = 180  # minutes, of a clock that steps about; hours too
_MOST_KNOWN = 1440  # minutes and hours that were handed out lately
_WAYS = {Way.FORWARD: Measure.FORWARD, Way.BACKWARD: Measure.BACKWARD}
_BOUNDS = {Measure.DWELL: DWELL_BINS_S, Measure.SPEED: SPEED_BINS_KMH}
_LEVELS = (Measure.OCCUPANCY, Measure.DENSITY, Measure.QUEUE)

_Key = tuple[Measure, CountedKind | None]
_People = tuple[CountedKind, ...]


class MinuteBook:
    """The open minutes of one camera, across its runs; nothing in it tells one thing from another.

    A minute may be handed out in parts, when the clock steps back or the book is flushed: parts of one minute add up. Minutes
    are those of UTC, in whatever order they come.
    """

    def __init__(self, book: RuleBook) -> None:
        self._zones = {zone.name: (zone, people_of(zone)) for zone in book.zone}
        self._lines = tuple(line.name for line in book.line)
        self._heat_map = book.heat_map
        self._ground_anchor = ground_anchor(book)
        self._minutes: OrderedDict[int, _Minute] = OrderedDict()
        self._hours: OrderedDict[int, _Hour] = OrderedDict()
        self._handed_out_us: OrderedDict[tuple[int, int], int] = OrderedDict()  # seen, by length and beginning
        self.dropped = 0  # minutes and hours that nobody took in time

    def note(self, scene: SceneNow, step_s: float) -> None:
        """Take in what `scene` counts, and that the time up to it was seen for `step_s`, 60 s at most.

        The first picture of a run has nothing before it that was seen: its step is 0.
        """
        step_us = round(min(step_s, _LONGEST_STEP_S) * US_PER_S) if step_s > 0 else 0
        start_us = scene.wall_us - step_us
        for minute_us, seen_us in _parts(start_us, scene.wall_us, MINUTE_US):
            minute = self._minute(minute_us)
            if weight := minute.see(seen_us):
                self._sample(minute, scene, weight)
        for hour_us, seen_us in _parts(start_us, scene.wall_us, HOUR_US) if self._heat_map is not None else ():
            self._hour(hour_us).note(scene, seen_us, self._ground_anchor)
        self._count(scene)

    def take(self, wall_us: int) -> tuple[CountedMinute, ...]:
        """What is over at `wall_us`: every minute, and every heat map's hour, but those that `wall_us` is in.

        Call it after `note`, with the time of that scene.
        """
        return self._hand_out(wall_us // MINUTE_US * MINUTE_US, wall_us // HOUR_US * HOUR_US)

    def flush(self) -> tuple[CountedMinute, ...]:
        """Everything that is open, in parts: before the process ends, or the rules change."""
        return self._hand_out(None, None)

    def _hand_out(self, open_minute_us: int | None, open_hour_us: int | None) -> tuple[CountedMinute, ...]:
        found: list[CountedMinute] = []
        for start_us in sorted(start_us for start_us in self._minutes if start_us != open_minute_us):
            minute = self._minutes.pop(start_us)
            observed_ms = self._observed_ms(MINUTE_US, start_us, minute.seen_us)
            found += [CountedMinute(PlaceKind.LINE, name, start_us, observed_ms, minute.tallies(name)) for name in self._lines]
            found += [CountedMinute(PlaceKind.ZONE, name, start_us, observed_ms, minute.tallies(name)) for name in self._zones]
        for start_us in sorted(start_us for start_us in self._hours if start_us != open_hour_us):
            hour = self._hours.pop(start_us)
            observed_ms = self._observed_ms(HOUR_US, start_us, hour.seen_us)
            found.append(CountedMinute(PlaceKind.PICTURE, "", start_us, observed_ms, hour.tallies()))
        return tuple(found)

    def _observed_ms(self, length_us: int, start_us: int, seen_us: int) -> int:
        """What to say was observed: with the parts before it never more than a minute has, though a clock ran through it twice."""
        before_us = self._handed_out_us.pop((length_us, start_us), 0)
        total_us = min(length_us, before_us + seen_us)
        self._handed_out_us[length_us, start_us] = total_us
        if len(self._handed_out_us) > _MOST_KNOWN:
            self._handed_out_us.popitem(last=False)
        # The difference of two rounded sums: however many parts there are, they add up to the rounded whole.
        return round(total_us / 1000) - round(before_us / 1000)

    def _minute(self, start_us: int) -> _Minute:
        return self._open(self._minutes, start_us, _Minute)

    def _hour(self, start_us: int) -> _Hour:
        return self._open(self._hours, start_us, lambda: _Hour(self._heat_map or HeatMap()))

    def _open(self, spans: OrderedDict[int, _Span], start_us: int, begin: Callable[[], _Span]) -> _Span:
        span = spans.get(start_us)
        if span is None:
            span = spans[start_us] = begin()
            if len(spans) > _MOST_OPEN:
                spans.popitem(last=False)
                self.dropped += 1
        return span

    def _count(self, scene: SceneNow) -> None:
        """Crossings, entries and exits belong to the minute of the scene that tells of them."""
        start_us = scene.wall_us // MINUTE_US * MINUTE_US
        for crossing in scene.crossings:
            if crossing.line in self._lines:
                self._minute(start_us).sum(crossing.line, (_WAYS[crossing.way], crossing.kind))
        for zone in scene.zones:
            if zone.name not in self._zones or not (zone.entered or zone.left):
                continue
            minute = self._minute(start_us)
            for kind in zone.entered:
                minute.sum(zone.name, (Measure.ENTRIES, kind))
            for left in zone.left:
                minute.sum(zone.name, (Measure.EXITS, left.kind))
                if left.dwell_s is not None:
                    minute.sum(zone.name, (Measure.DWELL, left.kind), left.dwell_s)
                if left.speed_kmh is not None:
                    minute.sum(zone.name, (Measure.SPEED, left.kind), left.speed_kmh)

    def _sample(self, minute: _Minute, scene: SceneNow, weight: int) -> None:
        for zone in scene.zones:
            if zone.name in self._zones:
                for key, value in _levels(scene.at_s, zone, self._zones[zone.name][1]):
                    minute.weigh(zone.name, key, value, weight)


class _Sum:
    """What one tally is made of."""

    __slots__ = ("bins", "count", "most", "total")

    def __init__(self, bounds: tuple[float, ...]) -> None:
        self.count = 0
        self.total = 0.0
        self.most = 0.0
        self.bins = [0.0] * len(bounds)


class _Minute:
    """One open minute. Crossings, entries and exits are counted; the rest is summed, and what is sampled is weighed by time."""

    def __init__(self) -> None:
        self.seen_us = 0
        self._samples = 0
        self._sums: dict[str, dict[_Key, _Sum]] = {}

    def see(self, seen_us: int) -> int:
        """It was seen for so long; returns how many samples that is worth: one at the beginning of each second that was seen."""
        self.seen_us += seen_us
        weight = -(-self.seen_us // US_PER_S) - self._samples
        self._samples += weight
        return weight

    def sum(self, place: str, key: _Key, value: float = 0.0) -> None:
        """One more, and what was measured of it."""
        bounds = _BOUNDS.get(key[0], ())
        found = self._of(place, key, bounds)
        found.count += 1
        found.total += value
        found.most = max(found.most, value)
        if bounds:
            found.bins[max(0, bisect_right(bounds, value) - 1)] += 1

    def weigh(self, place: str, key: _Key, value: float, weight: int) -> None:
        """A level, of so many samples."""
        found = self._of(place, key, ())
        found.total += weight * value
        found.most = max(found.most, value)

    def tallies(self, place: str) -> tuple[Tally, ...]:
        return tuple(self._tally(key, found) for key, found in sorted(self._sums.get(place, {}).items(), key=_order))

    def _of(self, place: str, key: _Key, bounds: tuple[float, ...]) -> _Sum:
        sums = self._sums.setdefault(place, {})
        found = sums.get(key)
        if found is None:
            found = sums[key] = _Sum(bounds)
        return found

    def _tally(self, key: _Key, found: _Sum) -> Tally:
        measure, kind = key
        if measure in _LEVELS:
            return Tally(measure, kind, self._samples, found.total, found.most)
        if measure in _BOUNDS:
            return Tally(measure, kind, found.count, found.total, found.most, tuple(found.bins))
        return Tally(measure, kind, found.count)


class _Hour:
    """One open hour of a heat map: for how long something was in each cell, all things together."""

    def __init__(self, heat_map: HeatMap) -> None:
        self.seen_us = 0
        self._heat_map = heat_map
        self._pictures = 0
        self._cells_us = [0] * (heat_map.columns * heat_map.rows)

    def note(self, scene: SceneNow, seen_us: int, anchor: Anchor) -> None:
        self.seen_us += seen_us
        self._pictures += 1
        columns, rows = self._heat_map.columns, self._heat_map.rows
        for moving in scene.moving:
            if moving.kind in self._heat_map.kinds:
                x, y = anchor_point(moving.box, anchor)
                column, row = min(max(int(x * columns), 0), columns - 1), min(max(int(y * rows), 0), rows - 1)
                self._cells_us[row * columns + column] += seen_us

    def tallies(self) -> tuple[Tally, ...]:
        if not any(self._cells_us):
            return ()
        cells_s = tuple(round(cell_us / US_PER_S, 3) for cell_us in self._cells_us)
        return (Tally(Measure.PRESENCE, None, self._pictures, sum(self._cells_us) / US_PER_S, max(cells_s), cells_s),)


_Span = TypeVar("_Span", _Minute, _Hour)


def _parts(start_us: int, end_us: int, length_us: int) -> Iterator[tuple[int, int]]:
    """The time from `start_us` to `end_us` in spans of the clock: each one's beginning, and how much of it there is."""
    while start_us < end_us:
        span_us = start_us // length_us * length_us
        until_us = min(end_us, span_us + length_us)
        yield span_us, until_us - start_us
        start_us = until_us


def _levels(at_s: float, zone: ZoneNow, people: _People) -> Iterator[tuple[_Key, float]]:
    """What a sample of a zone holds, above 0."""
    kinds = Counter(staying.moving.kind for staying in zone.staying)
    if not kinds:
        return
    yield (Measure.OCCUPANCY, None), float(kinds.total())
    for kind, count in kinds.items():
        yield (Measure.OCCUPANCY, kind), float(count)
    still_since_s = (staying.moving.still_since_s for staying in zone.staying)
    waiting = sum(since_s is not None and at_s - since_s > _WAITS_AFTER_S for since_s in still_since_s)
    if waiting:
        yield (Measure.QUEUE, None), float(waiting)
    persons = sum(kinds[kind] for kind in people)
    if zone.area_m2 is not None and persons:
        yield (Measure.DENSITY, None), persons / zone.area_m2


def _order(item: tuple[_Key, _Sum]) -> tuple[str, str]:
    (measure, kind), _ = item
    return measure.value, "" if kind is None else kind.value
