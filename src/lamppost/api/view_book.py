"""Keeps who may look at which past just now, and why; in memory, since a view lasts for hours and its act for ever."""

from __future__ import annotations

import secrets
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import US_PER_S, Clock

IDLE_S: Final = 3600.0
LONGEST_S: Final = 12 * 3600.0
MOST_EACH: Final = 32
MOST: Final = 4096


@dataclass(frozen=True, slots=True)
class KeptView:
    """A look at the past of some cameras in [from_us, to_us), that one user has declared."""

    view_id: str
    user_id: str
    cameras: tuple[str, ...]
    from_us: int
    to_us: int
    reason: str

    def shows_others(self, cameras: tuple[str, ...], from_us: int, to_us: int) -> bool:
        """Whether with it another camera than `cameras` can be looked at at the same time, which no reason was given for yet."""
        if self.reason and set(cameras) <= set(self.cameras):
            return False
        return bool(set(self.cameras) - set(cameras)) and self.from_us < to_us and from_us < self.to_us

    def holds(self, camera: str, from_us: int, to_us: int) -> bool:
        """Whether all of [from_us, to_us) of the camera may be looked at with it."""
        return camera in self.cameras and self.from_us <= from_us and to_us <= self.to_us


class ReasonNeeded(Exception):
    """The user looks at another camera at that time already, and has not said why."""


@dataclass(slots=True)
class _Entry:
    view: KeptView
    opened_s: float
    expires_s: float


class ViewBook:
    """The views of everybody. Each lives for an hour after its last use, and twelve at most. Serves several threads.

    A user has 32 at most, and all together 4096: one more takes the place of the one that was used least lately.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._entries: OrderedDict[str, _Entry] = OrderedDict()  # the one that was used last stands last

    def open(self, user_id: str, cameras: tuple[str, ...], from_us: int, to_us: int, reason: str) -> KeptView:
        """A new view of this user's; put it on the record before it is told to anybody, or `drop` it.

        Raises `ReasonNeeded` for one without a reason where, with another of theirs that is open, it would be of several cameras.
        """
        view = KeptView(secrets.token_urlsafe(16), user_id, cameras, from_us, to_us, reason)
        now_s = self._clock.monotonic_s()
        with self._lock:
            self._forget_old(now_s)
            own = [entry.view for entry in self._entries.values() if entry.view.user_id == user_id]
            if not reason and any(each.shows_others(cameras, from_us, to_us) for each in own):
                raise ReasonNeeded
            self._make_room(user_id)
            self._entries[view.view_id] = _Entry(view, now_s, now_s + IDLE_S)
        return view

    def drop(self, view_id: str) -> None:
        """Nothing is shown with it any more."""
        with self._lock:
            self._entries.pop(view_id, None)

    def find(self, view_id: str, user_id: str) -> KeptView | None:
        """The view of that id, used once more; None for another's, and for one that is over."""
        now_s = self._clock.monotonic_s()
        with self._lock:
            entry = self._entries.get(view_id)
            if entry is None or entry.view.user_id != user_id or entry.expires_s <= now_s:
                return None
            entry.expires_s = min(now_s + IDLE_S, entry.opened_s + LONGEST_S)
            self._entries.move_to_end(view_id)
            return entry.view

    def expires_us(self, view_id: str) -> int:
        """When a view is over unless it is used, by the wall clock."""
        with self._lock:
            entry = self._entries.get(view_id)
            left_s = 0.0 if entry is None else entry.expires_s - self._clock.monotonic_s()
        return self._clock.wall_us() + round(left_s * US_PER_S)

    def _forget_old(self, now_s: float) -> None:
        for view_id in [each for each, entry in self._entries.items() if entry.expires_s <= now_s]:
            del self._entries[view_id]

    def _make_room(self, user_id: str) -> None:
        own = [each for each, entry in self._entries.items() if entry.view.user_id == user_id]
        for view_id in own[: max(0, len(own) - MOST_EACH + 1)]:
            del self._entries[view_id]
        while len(self._entries) >= MOST:
            self._entries.popitem(last=False)
