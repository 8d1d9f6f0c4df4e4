"""Follows what the index learns of events, piece by piece, so that a burst of any length is told whole and once."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.store.event_pages import Change, EventPages, ListedEvent

OVERLAP_US: Final = 2 * US_PER_S  # two changes of one moment may come into the index one after the other
MOST_AT_ONCE: Final = 200
MOST_SEEN: Final = 10_000


@dataclass(frozen=True, slots=True)
class Changed:
    """Events as they are now that something new is known of; `is_all` says that there is no more for the moment."""

    events: tuple[ListedEvent, ...]
    is_all: bool


class EventChanges:
    """What is new since the last look. A look reads one piece, and the next goes on behind it.

    After the last piece it begins again a little before the newest change, for those that came late. What it knows of that
    time is bounded: in a burst that is longer, it goes back less far, and tells nothing twice.
    """

    def __init__(self, since_us: int, *, most_at_once: int = MOST_AT_ONCE, most_seen: int = MOST_SEEN) -> None:
        self._most_at_once = most_at_once
        self._most_seen = most_seen
        self._newest_us = since_us
        self._floor: Change = (since_us - OVERLAP_US, "")
        self._after = self._floor
        self._seen: OrderedDict[Change, None] = OrderedDict()

    def look(self, pages: EventPages) -> Changed:
        """The next piece; raises `StoreError`, and the same piece is to be had later."""
        changes = pages.changed_after(self._after, self._most_at_once)
        unseen = [change for change in changes if change not in self._seen]
        ids = list(dict.fromkeys(event_id for _, event_id in unseen))
        events = {event.row.event_id: event for event in pages.some(ids)} if ids else {}
        is_all = len(changes) < self._most_at_once
        self._remember(unseen)
        if changes:
            self._newest_us = max(self._newest_us, changes[-1][0])
        self._after = max(self._floor, (self._newest_us - OVERLAP_US, "")) if is_all else changes[-1]
        return Changed(tuple(events[event_id] for event_id in ids if event_id in events), is_all)

    def _remember(self, changes: list[Change]) -> None:
        self._seen.update(dict.fromkeys(changes))
        while len(self._seen) > self._most_seen:
            forgotten, _ = self._seen.popitem(last=False)
            self._floor = max(self._floor, forgotten)  # it would be taken for a new one
