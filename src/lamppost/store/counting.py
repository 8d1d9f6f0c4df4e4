"""Reads counts by the minute, the hour or the day of a time zone. What was not seen is unknown, and never zero."""

from __future__ import annotations

import itertools
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import and_, select

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError
from lamppost.model.happening import Measure, PlaceKind, Tally
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import add_up, bins_from_json
from lamppost.store.counts import QUARTER_US
from lamppost.store.index_reader import IndexReader
from lamppost.store.schema import MINUTES, QUARTER_TALLIES, QUARTERS, TALLIES

MINUTE_US: Final = 60 * US_PER_S
HOUR_US: Final = 60 * MINUTE_US
MOST_BUCKETS: Final = 600_000  # a year of minutes, and some more
_Queries = tuple[Any, Any]
"""What was observed, and what was counted: SQLAlchemy types a query by its columns, which are of no use here."""
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# What a place of that kind always tells, zero or not.
_ALWAYS: Final = {
    PlaceKind.LINE: (Measure.FORWARD, Measure.BACKWARD),
    PlaceKind.ZONE: (Measure.ENTRIES, Measure.EXITS, Measure.OCCUPANCY),
}
LEVELS: Final = frozenset({Measure.OCCUPANCY, Measure.DENSITY, Measure.QUEUE})
"""What is sampled once a second; a minute in which it was 0 throughout has no tally."""
_OF_EACH: Final = frozenset({Measure.DWELL, Measure.SPEED})


class Bucket(StrEnum):
    """How counts are put together."""

    MINUTE = "minute"
    QUARTER = "quarter"
    HOUR = "hour"
    DAY = "day"


_EVEN_US: Final = {Bucket.MINUTE: MINUTE_US, Bucket.QUARTER: QUARTER_US}
"""Of the same length everywhere and always: no clock is put on by less than a quarter of an hour."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where something is counted."""

    camera: str
    kind: PlaceKind
    name: str


@dataclass(frozen=True, slots=True)
class Count:
    """One measure of one kind at one place in one bucket, from `start_us` to `end_us`.

    `observed_s` of it were seen. `tally` is None where nothing was: then it is unknown. `kind` is None for all kinds together.
    """

    place: Place
    start_us: int
    end_us: int
    observed_s: float
    measure: Measure
    kind: CountedKind | None
    tally: Tally | None

    @property
    def span_s(self) -> float:
        return (self.end_us - self.start_us) / US_PER_S

    @property
    def count(self) -> int | None:
        """How many there were; of a level, how many samples were taken. None where it is unknown."""
        if self.tally is None:
            return None
        return round(self._samples(self.tally)) if self.measure in LEVELS else self.tally.count

    @property
    def mean(self) -> float | None:
        """Of a level over what was seen, of dwell and speed over those who left; None where there is none."""
        if self.tally is None:
            return None
        if self.measure in LEVELS:
            samples = self._samples(self.tally)
            # Samples are counted per begun second: a mean above the largest of them would be rounding alone.
            return min((self.tally.total or 0.0) / samples, self.tally.most or 0.0) if samples else None
        if self.measure in _OF_EACH and self.tally.count and self.tally.total is not None:
            return self.tally.total / self.tally.count
        return None

    @property
    def most(self) -> float | None:
        """The largest of what `mean` is made of."""
        if self.tally is None:
            return None
        if self.measure in LEVELS:
            return self.tally.most or 0.0
        return self.tally.most if self.measure in _OF_EACH and self.tally.count else None

    def _samples(self, tally: Tally) -> float:
        # Seconds in which it was 0 throughout a minute have left no tally, and belong to the mean all the same.
        return max(float(tally.count), self.observed_s)


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to read; what is empty stands for all. `until_us` is outside."""

    since_us: int
    until_us: int
    by: Bucket
    zone: ZoneInfo
    cameras: tuple[str, ...] = ()
    places: tuple[str, ...] = ()
    measures: tuple[Measure, ...] = ()
    kinds: tuple[CountedKind, ...] = ()
    spots: tuple[tuple[str, str], ...] = ()
    """Places by camera and name: what lies at the same name of another camera is not meant."""


@dataclass(slots=True)
class _Seen:
    """What is known of one place: by bucket, what was observed, and what was counted."""

    observed_ms: dict[int, int] = field(default_factory=dict[int, int])
    tallies: dict[tuple[Measure, CountedKind | None], dict[int, Tally]] = field(
        default_factory=dict[tuple[Measure, CountedKind | None], dict[int, Tally]]
    )


def buckets(wanted: Wanted) -> list[int]:
    """The beginnings of the buckets, and the end of the last one; whole ones, so the first may begin before `since_us`.

    Days and hours are those of the zone's clock: a day has 23 or 25 hours when the clock is changed, the hour that comes twice
    is two, and where the clock is changed amid an hour, that hour ends there. Raises `ConfigError` for more than can be listed.
    """
    if wanted.until_us <= wanted.since_us:
        raise ConfigError("the time to count ends before it begins", remedy="--since is earlier than --until")
    starts = [_start_of(wanted.since_us, wanted)]
    while starts[-1] < wanted.until_us:
        starts.append(_next(starts[-1], wanted))
        if len(starts) > MOST_BUCKETS:
            raise ConfigError(
                f"more than {MOST_BUCKETS} {wanted.by.value}s are too many at once", remedy="ask for less time, or --by hour or day"
            )
    return starts


def first_of_day(at_us: int, zone: ZoneInfo, *, days: int = 0) -> int:
    """The first moment of the zone's day that `at_us` is in, or of one so many days later or earlier."""
    return _first_of_day(_local(at_us, zone) + timedelta(days=days))


def _start_of(at_us: int, wanted: Wanted) -> int:
    if (even_us := _EVEN_US.get(wanted.by)) is not None:
        return at_us // even_us * even_us
    if wanted.by is Bucket.DAY:
        return first_of_day(at_us, wanted.zone)
    offset_us = _offset_us(at_us, wanted.zone)
    start_us = _full_hour(at_us, offset_us)
    return start_us if _offset_us(start_us, wanted.zone) == offset_us else _change_us(start_us, at_us, wanted.zone)


def _next(start_us: int, wanted: Wanted) -> int:
    if (even_us := _EVEN_US.get(wanted.by)) is not None:
        return start_us + even_us
    if wanted.by is Bucket.DAY:
        return first_of_day(start_us, wanted.zone, days=1)
    offset_us = _offset_us(start_us, wanted.zone)
    end_us = _full_hour(start_us, offset_us) + HOUR_US
    return end_us if _offset_us(end_us, wanted.zone) == offset_us else _change_us(start_us, end_us, wanted.zone)


def _full_hour(at_us: int, offset_us: int) -> int:
    return (at_us + offset_us) // HOUR_US * HOUR_US - offset_us


def _change_us(before_us: int, after_us: int, zone: ZoneInfo) -> int:
    """When the clock was changed in between. By half an hour (Lord Howe Island), it cuts an hour off there."""
    offset_us = _offset_us(after_us, zone)
    while after_us - before_us > 1:
        middle_us = (before_us + after_us) // 2
        if _offset_us(middle_us, zone) == offset_us:
            after_us = middle_us
        else:
            before_us = middle_us
    return after_us


def _offset_us(at_us: int, zone: ZoneInfo) -> int:
    return (_local(at_us, zone).utcoffset() or timedelta()) // timedelta(microseconds=1)


def _first_of_day(local: datetime) -> int:
    """The first moment of a local day; where the clock is put on at midnight, that is not 0:00."""
    midnight = local.replace(hour=0, minute=0, second=0, microsecond=0, fold=0)
    return (midnight.astimezone(UTC) - _EPOCH) // timedelta(microseconds=1)


def _local(at_us: int, zone: ZoneInfo) -> datetime:
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


class CountReader(IndexReader):
    """Reads the counts in the index of a data folder; raises `StoreError`."""

    remedy = "was anything counted? Counting needs `lamppost serve`"
    by_statement = False

    def places(self) -> tuple[Place, ...]:
        """Where anything was ever counted."""
        query = select(QUARTERS.c.camera, QUARTERS.c.place_kind, QUARTERS.c.place).distinct().order_by(*QUARTERS.primary_key.columns[:3])
        return tuple(Place(row.camera, PlaceKind(row.place_kind), row.place) for row in self._all(query))

    def read(self, wanted: Wanted) -> Iterator[Count]:
        """Every bucket of every place, in order of place, measure, kind and time; the unknown ones too.

        Raises `ConfigError` for a camera or a place of which nothing is known, and for a heat map by the minute.
        """
        if Measure.PRESENCE in wanted.measures and wanted.by in _EVEN_US:
            raise ConfigError("a heat map is of an hour, and of nothing shorter", remedy="ask by hour or day")
        bounds = buckets(wanted)
        places = self._chosen(wanted)
        # Quarters of an hour serve every bucket that begins and ends with one; all zones of today do.
        is_whole = wanted.by is not Bucket.MINUTE and all(start % QUARTER_US == 0 for start in bounds)
        # What cannot be asked is told here, before anybody has written a heading.
        return self._read(places, wanted, bounds, is_by_quarter=is_whole)

    def _read(self, places: Sequence[Place], wanted: Wanted, bounds: Sequence[int], *, is_by_quarter: bool) -> Iterator[Count]:
        for place in places:
            yield from _counts(place, wanted, bounds, self._seen(place, wanted, bounds, is_by_quarter=is_by_quarter))

    def _chosen(self, wanted: Wanted) -> list[Place]:
        known = self.places()
        for what, asked, have in (
            ("camera", wanted.cameras, {place.camera for place in known}),
            ("place", wanted.places, {place.name for place in known if place.name}),
        ):
            for name in asked:
                if name not in have:
                    raise ConfigError(
                        f"nothing was counted at a {what} {name!r}", remedy=f"known: {', '.join(sorted(have)[:20]) or 'none'}"
                    )
        spots = set(wanted.spots)
        for camera, name in sorted(spots - {(place.camera, place.name) for place in known}):
            raise ConfigError(f"nothing was counted at {name!r} of camera {camera!r}", remedy="GET /counts/places tells what there is")
        return [
            place
            for place in known
            if (not wanted.cameras or place.camera in wanted.cameras)
            and (not wanted.places or place.name in wanted.places)
            and (not spots or (place.camera, place.name) in spots)
        ]

    def _seen(self, place: Place, wanted: Wanted, bounds: Sequence[int], *, is_by_quarter: bool) -> _Seen:
        seen = _Seen()
        spans, tallies = _by_quarter(place, bounds) if is_by_quarter else _by_minute(place, bounds)
        for row in self._all(spans):
            index = bisect_right(bounds, row.at_us) - 1
            seen.observed_ms[index] = seen.observed_ms.get(index, 0) + row.observed_ms
        for row in self._all(tallies):
            measure, kind = Measure(row.measure), CountedKind(row.kind) if row.kind else None
            if (wanted.measures and measure not in wanted.measures) or (wanted.kinds and kind not in wanted.kinds):
                continue
            tally = Tally(measure, kind, row.counted, row.total, row.most, bins_from_json(row.bins))
            of_buckets, index = seen.tallies.setdefault((measure, kind), {}), bisect_right(bounds, row.at_us) - 1
            of_buckets[index] = add_up(of_buckets[index], tally) if index in of_buckets else tally
        return seen


def _by_minute(place: Place, bounds: Sequence[int]) -> _Queries:
    where = and_(
        MINUTES.c.camera == place.camera,
        MINUTES.c.place_kind == place.kind.value,
        MINUTES.c.place == place.name,
        MINUTES.c.minute_us >= bounds[0],
        MINUTES.c.minute_us < bounds[-1],
    )
    at_us = MINUTES.c.minute_us.label("at_us")
    tallies = select(at_us, *_columns(TALLIES)).join_from(TALLIES, MINUTES, TALLIES.c.minute_id == MINUTES.c.minute_id).where(where)
    return select(at_us, MINUTES.c.observed_ms).where(where), tallies


def _by_quarter(place: Place, bounds: Sequence[int]) -> _Queries:
    spans, tallies = (
        and_(
            table.c.camera == place.camera,
            table.c.place_kind == place.kind.value,
            table.c.place == place.name,
            table.c.quarter_us >= bounds[0],
            table.c.quarter_us < bounds[-1],
        )
        for table in (QUARTERS, QUARTER_TALLIES)
    )
    return (
        select(QUARTERS.c.quarter_us.label("at_us"), QUARTERS.c.observed_ms).where(spans),
        select(QUARTER_TALLIES.c.quarter_us.label("at_us"), *_columns(QUARTER_TALLIES)).where(tallies),
    )


def _columns(table: Any) -> tuple[Any, ...]:
    return table.c.measure, table.c.kind, table.c.count.label("counted"), table.c.total, table.c.most, table.c.bins


def _counts(place: Place, wanted: Wanted, bounds: Sequence[int], seen: _Seen) -> Iterator[Count]:
    keys = set(seen.tallies)
    for measure in _ALWAYS.get(place.kind, ()):
        if not any(key[0] is measure for key in keys) and (not wanted.measures or measure in wanted.measures) and not wanted.kinds:
            keys.add((measure, None))
    if not wanted.measures:
        keys = {key for key in keys if key[0] is not Measure.PRESENCE}
    order = list(Measure)
    for measure, kind in sorted(keys, key=lambda key: (order.index(key[0]), key[1] or "")):
        tallies = seen.tallies.get((measure, kind), {})
        for index, (start_us, end_us) in enumerate(itertools.pairwise(bounds)):
            observed_ms = seen.observed_ms.get(index, 0)
            tally = tallies.get(index) or (Tally(measure, kind, 0) if observed_ms else None)
            yield Count(place, start_us, end_us, min(observed_ms / 1000, (end_us - start_us) / US_PER_S), measure, kind, tally)
