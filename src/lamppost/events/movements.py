"""From tracks to what moves: what each thing is, how fast it goes and since when it stands. In memory, and only while it is followed."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass

from lamppost.events.calibration import GroundPlane
from lamppost.events.geometry import XY, anchor_point
from lamppost.events.kinds import KindVotes, kind_by_size
from lamppost.events.pace import Pace
from lamppost.events.scene import Moving
from lamppost.model.rules import Anchor, CountedKind
from lamppost.model.vision import COUNTED_KINDS, Box, Track

_COUNTED = {kind: CountedKind(kind.value) for kind in COUNTED_KINDS}
_MOST_THINGS = 1024  # trackers follow fewer
_EDGE = 0.004  # of the picture: what reaches its edge goes on behind it
_INSIDE = 0.001  # an anchor on the very edge of the picture is in a zone that ends there
_VOTE_S = 0.25  # its size is looked at so often
_MOVED_SHARE = 0.5  # of its size: what moves at all has gone so far
_UNDECIDED_S = 1.5  # so long may it take to tell what something is


@dataclass(frozen=True, slots=True)
class Sight:
    """How one run's pictures are to be read. `ground` is None without a calibration, `aspect` is width over height."""

    ground: GroundPlane | None
    ground_anchor: Anchor
    aspect: float


class Followed:
    """One thing while it is followed, and its latest state.

    `foot` and `centre` are where it was seen last, and `size` is the side of a square as large as its box: all as shares of the
    picture's height. `is_kind_settled` says that its kind is not likely to change.
    """

    __slots__ = ("_first", "_has_moved", "_pace", "_unvoted_s", "_votes", "centre", "foot", "is_kind_settled", "moving", "seen_s", "size")

    def __init__(self, at_s: float, track: Track, kind: CountedKind, box: Box, sight: Sight) -> None:
        self.foot: XY
        self.centre: XY
        self.size: float
        self.seen_s = at_s
        self.is_kind_settled = True
        self._first: XY | None = None
        self._has_moved = kind is not CountedKind.OBJECT  # a detector that tells kinds has seen more than a change
        self._pace = Pace(at_s)
        self._votes: KindVotes | None = None
        self._unvoted_s = 0.0
        self._look(at_s, kind, box, sight)
        self.moving = self._now(at_s, at_s, track, kind, box, sight)

    def take(self, at_s: float, track: Track, kind: CountedKind, box: Box, sight: Sight) -> None:
        """It is at `box`, in shares, at `at_s`. Where it was not seen, only the box changes."""
        if track.is_seen:
            self._look(at_s, kind, box, sight)
        self.moving = self._now(at_s, self.moving.since_s, track, kind, box, sight)

    def anchor(self, anchor: Anchor) -> XY:
        """Where it was seen last."""
        return self.foot if anchor is Anchor.FOOT else self.centre

    def _look(self, at_s: float, kind: CountedKind, box: Box, sight: Sight) -> None:
        width, height = box.width * sight.aspect, box.height
        x = (box.x0 + box.x1) / 2 * sight.aspect
        self.foot = (x, min(box.y1, 1 - _INSIDE))
        self.centre = (x, (box.y0 + box.y1) / 2)
        self.size = math.sqrt(width * height)
        self._first = self._first or self.centre
        self._has_moved = self._has_moved or math.dist(self._first, self.centre) >= _MOVED_SHARE * self.size
        self.seen_s = at_s
        # Of what is cut off by the edge of the picture, neither the foot nor the size is known.
        is_whole = box.x0 > _EDGE and box.x1 < 1 - _EDGE and box.y1 < 1 - _EDGE
        ground = sight.ground if is_whole else None
        place = anchor_point(box, sight.ground_anchor)
        passed_s = self._pace.see(at_s, self.centre, (width, height), ground.at(*place) if ground is not None else None)
        if ground is None or not passed_s or kind is not CountedKind.OBJECT:
            return
        self._unvoted_s += passed_s
        if self._unvoted_s >= _VOTE_S and (view := ground.view_at(*place, sight.aspect)) is not None:
            self._votes = self._votes or KindVotes()
            self._votes.vote(kind_by_size(view, width, height, self._pace.velocity_kmh or (0.0, 0.0)), self._unvoted_s)
            self._unvoted_s = 0.0

    def _now(self, at_s: float, since_s: float, track: Track, kind: CountedKind, box: Box, sight: Sight) -> Moving:
        ground_m = speed_kmh = None
        # A network may say later what moves here.
        self.is_kind_settled = kind is not CountedKind.OBJECT or at_s - since_s >= _UNDECIDED_S
        if sight.ground is not None:
            ground_m = sight.ground.at(*anchor_point(box, sight.ground_anchor))
            velocity_kmh = self._pace.velocity_kmh
            speed_kmh = math.hypot(*velocity_kmh) if velocity_kmh is not None else None
            if kind is CountedKind.OBJECT:
                votes = self._votes
                kind = votes.kind if votes is not None else kind
                self.is_kind_settled = at_s - since_s >= _UNDECIDED_S or (votes is not None and votes.is_decided)
            else:
                self.is_kind_settled = True
        still_since_s = self._pace.still_since_s
        return Moving(track.track_id, kind, box, track.is_seen, since_s, still_since_s, speed_kmh, ground_m, self._has_moved)


class Movements:
    """Everything that is followed in one run."""

    def __init__(self, sight: Sight) -> None:
        self._sight = sight
        self._things: dict[int, Followed] = {}

    def read(self, at_s: float, tracks: Sequence[Track], width_px: float, height_px: float) -> tuple[list[Followed], list[Followed]]:
        """What is in the picture now, and what has ended since the last time.

        Faces, heads and plates are left out, and so is what was carried out of the picture; it ends when its track does.
        """
        before, self._things = self._things, {}
        present: list[Followed] = []
        for track in itertools.islice(tracks, _MOST_THINGS):
            kind = _COUNTED.get(track.kind)
            if kind is None or track.track_id in self._things:
                continue
            thing = before.pop(track.track_id, None)
            box = in_shares(track.box, width_px, height_px)
            if box is not None:
                if thing is None:
                    thing = Followed(at_s, track, kind, box, self._sight)
                else:
                    thing.take(at_s, track, kind, box, self._sight)
                present.append(thing)
            if thing is not None:
                self._things[track.track_id] = thing
        return present, list(before.values())

    def end(self) -> list[Followed]:
        """Follow nothing any more; returns what was followed."""
        ended, self._things = list(self._things.values()), {}
        return ended


def in_shares(box: Box, width_px: float, height_px: float) -> Box | None:
    """The part of `box` that is in the picture, in shares of its width and height; None where nothing is."""
    x0, y0 = max(0.0, box.x0 / width_px), max(0.0, box.y0 / height_px)
    x1, y1 = min(1.0, box.x1 / width_px), min(1.0, box.y1 / height_px)
    # Written so that it is None for what is no number, too. Trackers' numbers are often numpy's, which are slow and no floats.
    return Box(float(x0), float(y0), float(x1), float(y1)) if x0 < x1 and y0 < y1 else None
