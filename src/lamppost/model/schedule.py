"""When a camera is recorded: days of the week and times of day in the site's zone."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_ENTRY = re.compile(r"(?:(?P<days>[a-z,-]+)\s+)?(?P<h0>\d{1,2}):(?P<m0>\d{2})-(?P<h1>\d{1,2}):(?P<m1>\d{2})")
_DAY_MINUTES = 24 * 60
_LONGEST_LOOK = timedelta(days=8)
_REMEDY = 'write it as "mon-fri 06:00-20:00", "sat,sun 22:00-02:00" or "00:00-24:00"'


@dataclass(frozen=True, slots=True)
class _Entry:
    days: frozenset[int]
    from_minute: int
    to_minute: int  # above 1440 where it runs past midnight


class Schedule:
    """The hours of a week in which a camera is recorded; without entries, always.

    An hour belongs to the clock on the wall: where a time zone sets its clocks,
    the hour that comes twice is recorded twice, and the one that is left out is not.
    """

    def __init__(self, entries: Sequence[str], zone: str) -> None:
        """Raises `ConfigError` for an entry or a zone that cannot be read."""
        self._zone = find_zone(zone)
        self._entries = tuple(_parse(entry) for entry in entries)

    def is_on(self, wall_us: int) -> bool:
        """Whether the camera is to be recorded at that moment."""
        if not self._entries:
            return True
        local = datetime.fromtimestamp(wall_us / US_PER_S, UTC).astimezone(self._zone)
        minute = local.hour * 60 + local.minute
        today, yesterday = local.weekday(), (local.weekday() - 1) % 7
        return any(
            (today in entry.days and entry.from_minute <= minute < entry.to_minute)
            or (yesterday in entry.days and minute + _DAY_MINUTES < entry.to_minute)
            for entry in self._entries
        )

    def next_change_us(self, wall_us: int) -> int | None:
        """The next full minute at which `is_on` is another; None when there is none."""
        now_is_on = self.is_on(wall_us)
        minute_us = 60 * US_PER_S
        cursor_us = (wall_us // minute_us + 1) * minute_us
        end_us = wall_us + round(_LONGEST_LOOK.total_seconds()) * US_PER_S
        while self._entries and cursor_us < end_us:
            if self.is_on(cursor_us) != now_is_on:
                return cursor_us
            cursor_us += minute_us
        return None


def find_zone(name: str) -> ZoneInfo:
    """The time zone `name`; raises `ConfigError`."""
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ConfigError(f"there is no time zone {name!r}", remedy="use a name such as Europe/Berlin or UTC") from error


def _parse(text: str) -> _Entry:
    match = _ENTRY.fullmatch(text.strip().lower())
    if match is None:
        raise ConfigError(f"the schedule {text!r} cannot be read", remedy=_REMEDY)
    start = int(match["h0"]) * 60 + int(match["m0"])
    end = int(match["h1"]) * 60 + int(match["m1"])
    if start >= _DAY_MINUTES or end > _DAY_MINUTES or start == end or int(match["m0"]) > 59 or int(match["m1"]) > 59:
        raise ConfigError(f"the schedule {text!r} names no span of a day", remedy=_REMEDY)
    return _Entry(_parse_days(match["days"], text), start, end if end > start else end + _DAY_MINUTES)


def _parse_days(days: str | None, text: str) -> frozenset[int]:
    if days is None:
        return frozenset(range(7))
    found: set[int] = set()
    for part in days.split(","):
        first, _, last = part.partition("-")
        if first not in _DAYS or (last or first) not in _DAYS:
            raise ConfigError(f"the schedule {text!r} names no days of the week", remedy=_REMEDY)
        start, end = _DAYS.index(first), _DAYS.index(last or first)
        found |= {day % 7 for day in range(start, end + 1 + (7 if end < start else 0))}
    return frozenset(found)
