"""Knows who is in a zone, and since when: who comes, who goes, who vanishes in it.

An anchor at the edge trembles in and out, a track is lost and found again: neither is an exit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from lamppost.events.geometry import XY, Bounds, even, is_inside, nearest
from lamppost.events.lines import BAND_SHARE
from lamppost.events.movements import Followed
from lamppost.events.scene import Left, Staying, ZoneNow
from lamppost.model.rules import CountedKind, Zone

_ENTER_S = 0.25  # inside for so long, before it is in
_LEAVE_S = 0.3  # clear of the zone for so long, before it is out
_PASS_SHARE = 0.5  # of its size: what comes out so far from where it went in has passed, however fast
_START_S = 1.0  # what is found inside so soon after a run begins was there before
_RETURN_S = 1.0  # so long after its end may a track that moved come back, and has not left
_RETURN_STILL_S = 3.0  # and one that stood
_RETURN_SHARE = 1.0  # of its size: as near must the new one begin
_MOST_GONE = 256


@dataclass(slots=True)
class _Stay:
    """One thing at a zone, in it or not."""

    outside: XY | None = None  # where it was last seen outside
    inside_since_s: float | None = None
    out_since_s: float | None = None  # clear of the zone since then, and not yet out
    is_in: bool = False
    counted_as: CountedKind | None = None  # its kind when its entry was told
    was_there: bool = False  # before anybody looked
    first: XY = (0.0, 0.0)  # where it was first seen inside
    speed_sum: float = 0.0
    speed_s: float = 0.0
    speed_at_s: float = 0.0

    def note_speed(self, at_s: float, speed_kmh: float | None) -> None:
        if speed_kmh is not None:
            weight_s = max(1e-3, at_s - self.speed_at_s)
            self.speed_sum += weight_s * speed_kmh
            self.speed_s += weight_s
        self.speed_at_s = at_s

    @property
    def mean_kmh(self) -> float | None:
        return self.speed_sum / self.speed_s if self.speed_s else None


@dataclass(frozen=True, slots=True)
class _Gone:
    """One whose track ended in the zone, a moment ago."""

    stay: _Stay
    kind: CountedKind
    place: XY
    size: float
    seen_s: float
    until_s: float


class ZoneReader:
    """One zone, and who is in it.

    One who is there when the run begins has not entered, and when they leave it is not known how long they stayed.
    """

    def __init__(self, zone: Zone, aspect: float, area_m2: float | None, began_s: float) -> None:
        self._zone = zone
        self._area_m2 = area_m2
        self._began_s = began_s
        self._corners = even(zone.points, aspect)
        self._ring = (*self._corners, self._corners[0])
        self._bounds = Bounds.around(self._corners)
        self._stays: dict[int, _Stay] = {}
        self._gone: list[_Gone] = []

    def read(self, at_s: float, present: Sequence[Followed], ended: Sequence[Followed]) -> ZoneNow:
        """The zone now, with who came and went since the last time."""
        entered: list[CountedKind] = []
        left: list[Left] = []
        staying: list[Staying] = []
        appeared: list[Staying] = []
        for thing in ended:
            self._end(at_s, thing, entered, left)
        for thing in present:
            stay = self._follow(at_s, thing, entered, left)
            if stay.is_in and stay.inside_since_s is not None and thing.moving.kind in self._zone.kinds:
                (staying if thing.moving.has_moved else appeared).append(Staying(thing.moving, stay.inside_since_s))
        waiting = self._gone
        if waiting:
            self._gone = [gone for gone in waiting if gone.until_s >= at_s]
            for gone in waiting:
                if gone.until_s < at_s:
                    self._leave(gone.stay, gone.kind, gone.seen_s, left)
        return ZoneNow(self._zone.name, tuple(staying), tuple(entered), tuple(left), self._area_m2, tuple(appeared))

    def close(self) -> ZoneNow:
        """The run is over: who vanished in the zone has left it; who was still there has not, as far as is known."""
        left: list[Left] = []
        for gone in self._gone:
            self._leave(gone.stay, gone.kind, gone.seen_s, left)
        self._gone, self._stays = [], {}
        return ZoneNow(self._zone.name, left=tuple(left), area_m2=self._area_m2)

    def _follow(self, at_s: float, thing: Followed, entered: list[CountedKind], left: list[Left]) -> _Stay:
        stay = self._stays.get(thing.moving.track_id)
        is_new = stay is None
        if stay is None:
            stay = self._stays[thing.moving.track_id] = _Stay()
        if not thing.moving.is_seen and not is_new:
            return stay
        point, band = thing.anchor(self._zone.anchor), BAND_SHARE * thing.size
        if self._bounds.is_beside(point, point, 0.0) or not is_inside(self._corners, point):
            if stay.inside_since_s is None:
                stay.outside = point
            else:
                self._go_out(at_s, thing, stay, point, band, entered, left)
            return self._stays[thing.moving.track_id]
        stay.out_since_s = None
        if is_new and (taken := self._take_over(at_s, thing, point)) is not None:
            stay = self._stays[thing.moving.track_id] = taken
        if stay.inside_since_s is None:
            stay.inside_since_s, stay.first, stay.speed_at_s = at_s, point, at_s
            stay.was_there = is_new and thing.moving.since_s - self._began_s <= _START_S
        stay.note_speed(at_s, thing.moving.speed_kmh)
        stay.is_in = stay.is_in or at_s - stay.inside_since_s >= _ENTER_S
        if stay.is_in:
            self._tell_entry(thing, stay, entered)
        return stay

    def _tell_entry(self, thing: Followed, stay: _Stay, entered: list[CountedKind], *, is_last: bool = False) -> None:
        """Once its kind is known, or will not be known any better, and it has moved: what only appeared has not come in."""
        kind = thing.moving.kind
        if stay.counted_as is None and thing.moving.has_moved and (thing.is_kind_settled or is_last) and kind in self._zone.kinds:
            stay.counted_as = kind
            if not stay.was_there:
                entered.append(kind)

    def _go_out(
        self, at_s: float, thing: Followed, stay: _Stay, point: XY, band: float, entered: list[CountedKind], left: list[Left]
    ) -> None:
        """It is outside, and was inside: near the edge it is still in, and what was in for a moment only may not have been at all."""
        if stay.is_in:
            if nearest(self._ring, point)[0] < band:
                stay.out_since_s = None
                return
            if stay.out_since_s is None:
                stay.out_since_s = at_s
            if at_s - stay.out_since_s < _LEAVE_S:
                return
        elif math.dist(point, stay.outside or stay.first) >= _PASS_SHARE * thing.size:
            stay.out_since_s = at_s
        else:
            self._stays[thing.moving.track_id] = _Stay(outside=point)
            return
        self._tell_entry(thing, stay, entered, is_last=True)
        self._leave(stay, thing.moving.kind, stay.out_since_s, left)
        self._stays[thing.moving.track_id] = _Stay(outside=point)

    def _end(self, at_s: float, thing: Followed, entered: list[CountedKind], left: list[Left]) -> None:
        stay = self._stays.pop(thing.moving.track_id, None)
        if stay is None or not stay.is_in:
            return
        self._tell_entry(thing, stay, entered, is_last=True)
        if stay.out_since_s is not None:
            self._leave(stay, thing.moving.kind, stay.out_since_s, left)
            return
        wait_s = _RETURN_S if thing.moving.still_since_s is None else _RETURN_STILL_S
        if len(self._gone) >= _MOST_GONE:
            gone = self._gone.pop(0)
            self._leave(gone.stay, gone.kind, gone.seen_s, left)
        self._gone.append(
            _Gone(
                stay,
                thing.moving.kind,
                thing.anchor(self._zone.anchor),
                thing.size,
                max(thing.seen_s, stay.speed_at_s),
                at_s + wait_s if thing.moving.still_since_s is None else max(at_s, thing.seen_s + wait_s),
            )
        )

    def _take_over(self, at_s: float, thing: Followed, point: XY) -> _Stay | None:
        """The stay of one of the same kind whose track ended just here, just now: place and time are all that is asked."""
        for index, gone in enumerate(self._gone):
            is_alike = CountedKind.OBJECT in (gone.kind, thing.moving.kind) or gone.kind is thing.moving.kind
            if at_s <= gone.until_s and is_alike and math.dist(point, gone.place) <= _RETURN_SHARE * gone.size:
                del self._gone[index]
                return gone.stay
        return None

    def _leave(self, stay: _Stay, kind: CountedKind, at_s: float, left: list[Left]) -> None:
        if stay.counted_as is None or stay.inside_since_s is None:
            return
        if kind not in self._zone.kinds:
            kind = stay.counted_as
        dwell_s = None if stay.was_there else max(0.0, at_s - stay.inside_since_s)
        left.append(Left(kind, dwell_s, stay.mean_kmh))
