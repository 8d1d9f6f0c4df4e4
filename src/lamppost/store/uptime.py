"""How much of the time that cameras were to be recorded they were: for a report of a month and 500 cameras at once.

Every moment of a camera is recorded or in a declared gap (see `store/account.py`), so that gaps alone are read, and never the
segments, of which there are a thousand times as many. What no gap explains would count as recorded here: there should be none,
and `Index.account` tells of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import BindParameter, TextClause, bindparam, text

from lamppost.model.media import GapCause
from lamppost.store.index_file import index_errors
from lamppost.store.index_reader import IndexReader

ON_PURPOSE: Final = frozenset(cause.value for cause in (GapCause.NOT_SCHEDULED, GapCause.HELD, GapCause.STOPPED, GapCause.REMOVED))
"""Causes of gaps that count for nothing: nobody wanted a recording then."""

# Gaps of a camera hardly overlap, and the one that reaches into the time is among the last that began before it.
_LOOKED_BACK: Final = 16

_GAPS: Final = f"""
WITH near AS (
  SELECT c.camera, COALESCE((SELECT b.start_us FROM gaps b WHERE b.camera = c.camera AND b.start_us < :from_us
                             ORDER BY b.start_us DESC LIMIT 1 OFFSET {_LOOKED_BACK - 1}), 0) AS since_us
  FROM cameras c WHERE c.camera IN :cameras
)
SELECT n.camera, g.cause, g.start_us, g.end_us
FROM near n JOIN gaps g ON g.camera = n.camera AND g.start_us >= n.since_us AND g.start_us < :to_us
WHERE g.end_us IS NULL OR g.end_us > :from_us
ORDER BY n.camera, g.start_us"""  # noqa: S608 - a number of ours

_SEALED: Final = "FROM segments s WHERE s.camera = c.camera AND s.rendition = 'sealed' AND s.state <> 'garbage'"
_FORGOTTEN: Final = "FROM forgotten f WHERE f.camera = c.camera AND f.rendition = 'sealed'"
_KNOWN: Final = f"""SELECT c.camera,
  (SELECT s.start_us {_SEALED} ORDER BY s.start_us LIMIT 1) AS first_segment_us,
  (SELECT f.start_us {_FORGOTTEN} ORDER BY f.start_us LIMIT 1) AS first_forgotten_us,
  (SELECT g.start_us FROM gaps g WHERE g.camera = c.camera ORDER BY g.start_us LIMIT 1) AS first_gap_us,
  (SELECT s.end_us {_SEALED} ORDER BY s.start_us DESC LIMIT 1) AS last_segment_us,
  (SELECT f.end_us {_FORGOTTEN} ORDER BY f.start_us DESC LIMIT 1) AS last_forgotten_us,
  (SELECT COALESCE(g.end_us, :to_us) FROM gaps g WHERE g.camera = c.camera ORDER BY g.start_us DESC LIMIT 1) AS last_gap_us
FROM cameras c WHERE c.camera IN :cameras"""  # noqa: S608 - names of columns


def _of_cameras(statement: str) -> TextClause:
    cameras: BindParameter[Any] = bindparam("cameras", expanding=True)
    return text(statement).bindparams(cameras)


_ASK_KNOWN: Final = _of_cameras(_KNOWN)
_ASK_GAPS: Final = _of_cameras(_GAPS)


@dataclass(frozen=True, slots=True)
class Uptime:
    """What became of the time that was asked for, of one camera or of several together; microseconds.

    `known_us` is the part of `asked_us` of which the books tell: before a camera was there, and after the last that was
    written of it, nothing is known. `scheduled_us` is the part of that in which it was to be recorded.
    """

    cameras: int
    asked_us: int
    known_us: int = 0
    scheduled_us: int = 0
    recorded_us: int = 0
    outages: int = 0
    longest_outage_us: int = 0
    us_by_cause: tuple[tuple[str, int], ...] = ()

    @property
    def share(self) -> float | None:
        """Of the time in which it was to be recorded, so much was; None where there is no such time."""
        return self.recorded_us / self.scheduled_us if self.scheduled_us else None


def together(uptimes: Iterable[Uptime]) -> Uptime:
    """The sums; of the longest outages the longest."""
    cameras = asked = known = scheduled = recorded = outages = longest = 0
    causes: dict[str, int] = {}
    for each in uptimes:
        cameras += each.cameras
        asked += each.asked_us
        known += each.known_us
        scheduled += each.scheduled_us
        recorded += each.recorded_us
        outages += each.outages
        longest = max(longest, each.longest_outage_us)
        for cause, length_us in each.us_by_cause:
            causes[cause] = causes.get(cause, 0) + length_us
    return Uptime(cameras, asked, known, scheduled, recorded, outages, longest, tuple(sorted(causes.items())))


class UptimeReader(IndexReader):
    """Reads how cameras were recorded from the index of a data folder; raises `StoreError`."""

    by_statement = False

    def read(self, cameras: Sequence[str], from_us: int, to_us: int) -> Mapping[str, Uptime]:
        """The uptime of each of `cameras` in [from_us, to_us), also of those of which nothing is known; `to_us` is not in the future."""
        values: dict[str, Any] = {"cameras": list(cameras) or [""], "from_us": from_us, "to_us": to_us}
        sums: dict[str, _Sum] = {}
        with index_errors(f"read the {self.subject}"), self._engine.connect() as connection:
            known = connection.execute(_ASK_KNOWN, {key: values[key] for key in ("cameras", "to_us")}).all()
            before, taken = "", _Sum(from_us)
            for camera, cause, start_us, end_us in connection.execute(_ASK_GAPS, values):
                if camera != before:
                    before, taken = camera, _Sum(from_us)
                    sums[camera] = taken
                taken.add(cause, start_us, to_us if end_us is None or end_us > to_us else end_us)
        found = {row.camera: _uptime(row, sums.get(row.camera, _Sum(from_us)), from_us, to_us) for row in known}
        nothing = Uptime(1, to_us - from_us)
        return {camera: found.get(camera, nothing) for camera in cameras}


class _Sum:
    """Adds up the gaps of a camera, which come in the order in which they began."""

    __slots__ = ("_from_us", "_outage_since_us", "_outage_until_us", "longest_us", "outages", "until_us", "us_by_cause")

    def __init__(self, from_us: int) -> None:
        self._from_us = from_us
        self.until_us = from_us
        self.us_by_cause: dict[str, int] = {}
        self.outages = 0
        self.longest_us = 0
        self._outage_since_us = 0
        self._outage_until_us = from_us - 1

    def add(self, cause: str, start_us: int, end_us: int) -> None:
        """A moment counts once: for the gap that began first. Gaps that touch are one outage, whatever their causes."""
        new_us = max(start_us, self.until_us)
        if new_us < end_us:
            self.us_by_cause[cause] = self.us_by_cause.get(cause, 0) + end_us - new_us
            self.until_us = end_us
        start_us = max(start_us, self._from_us)
        if cause in ON_PURPOSE or end_us <= start_us:
            return
        if start_us > self._outage_until_us:
            self.outages += 1
            self._outage_since_us = start_us
        self._outage_until_us = max(self._outage_until_us, end_us)
        self.longest_us = max(self.longest_us, self._outage_until_us - self._outage_since_us)


def _uptime(known: Any, gaps: _Sum, from_us: int, to_us: int) -> Uptime:
    firsts = [us for us in (known.first_segment_us, known.first_forgotten_us, known.first_gap_us) if us is not None]
    lasts = [us for us in (known.last_segment_us, known.last_forgotten_us, known.last_gap_us) if us is not None]
    if not firsts or min(firsts) >= to_us:
        return Uptime(1, to_us - from_us)
    first_us = max(from_us, min(firsts))
    last_us = max(first_us, min(to_us, max(*lasts, gaps.until_us)))
    known_us = last_us - first_us
    return Uptime(
        cameras=1,
        asked_us=to_us - from_us,
        known_us=known_us,
        scheduled_us=known_us - sum(gaps.us_by_cause.get(cause, 0) for cause in ON_PURPOSE),
        recorded_us=known_us - sum(gaps.us_by_cause.values()),
        outages=gaps.outages,
        longest_outage_us=gaps.longest_us,
        us_by_cause=tuple(sorted(gaps.us_by_cause.items())),
    )
