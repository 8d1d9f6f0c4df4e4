"""Judges whether a head stands still: by what it says of itself where that can be believed, which for many heads it never can.

Many say IDLE whatever they do; some say it for the first moments of a trip; some tell as their position where they were
sent to. So IDLE is believed of one that has said MOVING on this trip, and of one that was seen on its way.
"""

from __future__ import annotations

from typing import Final, Protocol

BEGINS_S: Final = 1.0  # some begin so late, and say until then that they stand, or tell of the movement before
ON_ITS_WAY: Final = 2  # changes of the position in one trip: one jump may be what it was told, and not where it is
STAYS_S: Final = 3.0  # and then it has arrived: some tell a new position only once in a second or two
SAME: Final = 0.002  # of the range, and of a larger value (degrees) so much of it

Place = tuple[float | None, float | None, float | None]


class HeadStatus(Protocol):
    """What a head says of itself; as `cameras.onvif.ptz.PtzStatus`."""

    @property
    def is_moving(self) -> bool | None:
        """None where it does not say."""
        ...

    @property
    def position(self) -> Place:
        """Pan, tilt and zoom; None for each that it does not say."""
        ...


class Standing:
    """What one head has said since it was last sent on a trip."""

    def __init__(self) -> None:
        self._believed_from_s = 0.0  # that it moves because of this trip
        self._has_said_moving = False
        self._changes = 0
        self._place: Place | None = None
        self._changed_s = 0.0

    def begin(self, now_s: float, *, was_moving: bool) -> None:
        """A trip begins, and nothing that was said before counts; nor, `was_moving`, what is still said of the movement before."""
        self._believed_from_s = now_s + BEGINS_S if was_moving else now_s
        self._has_said_moving, self._changes = False, 0
        self._place, self._changed_s = None, now_s

    def take(self, said: HeadStatus, now_s: float) -> bool | None:
        """Whether it moves; None where that cannot be told from what it says."""
        has_changed = self._has_changed(said.position, now_s)
        if said.is_moving:
            self._has_said_moving |= now_s >= self._believed_from_s
        if said.is_moving or has_changed:
            return True
        if said.is_moving is False and self._has_said_moving:
            return False
        # One whose zoom is not told may still zoom.
        is_whole = all(value is not None for value in said.position)
        return False if is_whole and self._changes >= ON_ITS_WAY and now_s - self._changed_s >= STAYS_S else None

    def _has_changed(self, place: Place, now_s: float) -> bool:
        """Whether it is elsewhere than when that was last said: a slow way adds up, and what trembles stays."""
        before = self._place
        if before is not None and not any(map(_differ, before, place)):
            return False
        self._place = place
        if before is None:
            return False
        self._changes += 1
        self._changed_s = now_s
        return True


def _differ(one: float | None, other: float | None) -> bool:
    if one is None or other is None:
        return False
    return abs(one - other) > SAME * max(1.0, abs(one), abs(other))
