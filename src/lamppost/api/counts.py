"""Counts by line, zone, kind and time. What was not seen is null, and never zero."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from http import HTTPStatus
from typing import Annotated, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Depends, Query
from fastapi.responses import StreamingResponse
from pydantic import BaseModel, Field

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.base.clock import US_PER_S, format_utc
from lamppost.model.access import Permission
from lamppost.model.happening import Measure, PlaceKind
from lamppost.model.rules import CountedKind
from lamppost.store.counting import Bucket, Count, Wanted

router = APIRouter()
_Reader = Annotated[Identity, Depends(Permit(Permission.SEE_COUNTS))]
_Context = Annotated[Context, Depends(context_of)]
_Cameras = Annotated[list[str], Query(max_length=200, description="Of these alone; may be given more than once, as those below.")]
_Places = Annotated[list[str], Query(max_length=200, description="The names of lines and zones.")]
_Spots = Annotated[
    list[str],
    Query(max_length=1000, description="Single places, each as `camera/place`; within the cameras and places above where these are given."),
]
_From = Annotated[Moment, Query(alias="from", description="Where it begins.")]
MOST_BUCKETS: Final = 10_000  # of time, in an answer that is held whole
MOST_COUNTS: Final = 50_000  # of all series together
PIECE_CHARACTERS: Final = 65_536
MOST_ROWS_EACH: Final = 50_000  # a month of minutes, in a table that is sent as it is read
_LENGTH_S: Final = {Bucket.MINUTE: 60, Bucket.QUARTER: 900, Bucket.HOUR: 3600, Bucket.DAY: 86_400}
_To = Annotated[Moment, Query(description="Where it ends; this moment is not in it.")]
COLUMNS: Final = (
    "camera",
    "place_kind",
    "place",
    "measure",
    "kind",
    "from",
    "to",
    "observed_s",
    "count",
    "mean",
    "most",
)


class CountedPlace(BaseModel):
    """Where something is counted."""

    camera: str
    kind: PlaceKind
    place: str


class CountedPlaces(BaseModel):
    """All places at which anything was ever counted, of the cameras that the caller may see."""

    items: list[CountedPlace]


class CountBucket(BaseModel):
    """One bucket of a series; of it `observed_s` seconds were seen. Null is unknown."""

    from_: Time = Field(serialization_alias="from")
    to: Time
    observed_s: float
    count: int | None
    mean: float | None
    most: float | None


class Series(BaseModel):
    """One measure of one kind at one place; `kind` is null for all kinds together."""

    camera: str
    place_kind: PlaceKind
    place: str
    measure: Measure
    kind: CountedKind | None
    buckets: list[CountBucket]


class Counts(BaseModel):
    """Everything that was asked for."""

    by: Bucket
    timezone: str
    series: list[Series]


class Heat(BaseModel):
    """Seconds that something was in each cell of a grid over the picture, row after row."""

    columns: int
    rows: int
    cells: list[float]
    observed_s: float


@router.get("/counts/places")
def places(identity: _Reader, context: _Context) -> CountedPlaces:
    """To choose from."""
    seen = set(identity.cameras(Permission.SEE_COUNTS))
    is_all = identity.may_everywhere(Permission.SEE_COUNTS)
    found = [place for place in context.counts.places() if is_all or place.camera in seen]
    return CountedPlaces(items=[CountedPlace(camera=place.camera, kind=place.kind, place=place.name) for place in found])


def wanted(
    identity: _Reader,
    context: _Context,
    from_: _From,
    to: _To,
    by: Annotated[Bucket, Query(description="Hours and days are those of the site's clock.")] = Bucket.HOUR,
    camera: _Cameras = [],  # noqa: B006 - the framework copies it
    place: _Places = [],  # noqa: B006
    at: _Spots = [],  # noqa: B006
    measure: Annotated[list[Measure], Query(description="What is counted or measured.")] = [],  # noqa: B006
    kind: Annotated[list[CountedKind], Query(description="Of these kinds of things.")] = [],  # noqa: B006
) -> Wanted:
    """What is asked for, within what the caller may see; raises 404 for a camera that they may not."""
    is_all = identity.may_everywhere(Permission.SEE_COUNTS)
    seen = identity.cameras(Permission.SEE_COUNTS)
    spots = tuple(_spot(text) for text in at)
    if not is_all and any(name not in seen for name in (*camera, *(name for name, _ in spots))):
        raise not_found("camera")
    known = {each.camera for each in context.counts.places()}
    cameras = tuple(camera) if camera or is_all else tuple(name for name in seen if name in known)
    if any(name not in known for name in cameras) or (not cameras and not is_all):
        # Nothing was counted there yet: that is no mistake of who asks.
        cameras = tuple(name for name in cameras if name in known) or ("",)
    zone = ZoneInfo(context.settings.timezone)
    return Wanted(us_of(from_), us_of(to), by, zone, cameras, tuple(place), tuple(measure), tuple(kind), spots)


_Wanted = Annotated[Wanted, Depends(wanted)]


@router.get("/counts")
def counts(asked: _Wanted, context: _Context) -> Counts:
    """Series by place, measure and kind."""
    _require_few(asked, MOST_BUCKETS)
    series: dict[tuple[str, PlaceKind, str, Measure, CountedKind | None], Series] = {}
    for number, count in enumerate(_read(context, asked)):
        if number >= MOST_COUNTS:
            raise _too_many(f"these are more than {MOST_COUNTS} counts", "ask for less time, longer buckets or fewer places and measures")
        at = count.place
        key = (at.camera, at.kind, at.name, count.measure, count.kind)
        if key not in series:
            series[key] = Series(camera=at.camera, place_kind=at.kind, place=at.name, measure=count.measure, kind=count.kind, buckets=[])
        series[key].buckets.append(
            CountBucket(
                from_=count.start_us,
                to=count.end_us,
                observed_s=round(count.observed_s, 3),
                count=count.count,
                mean=_rounded(count.mean),
                most=_rounded(count.most),
            )
        )
    return Counts(by=asked.by, timezone=context.settings.timezone, series=list(series.values()))


@router.get("/counts.csv", response_class=StreamingResponse, responses={200: {"content": {"text/csv": {}}}})
def counts_csv(asked: _Wanted, context: _Context) -> StreamingResponse:
    """The same as a table; what is unknown is empty."""
    _require_few(asked, MOST_ROWS_EACH)
    name = f"counts-{asked.by.value}-{format_utc(asked.since_us)[:10]}.csv"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return StreamingResponse(_lines(_read(context, asked)), media_type="text/csv; charset=utf-8", headers=headers)


@router.get("/counts/heat")
def heat(
    identity: _Reader,
    context: _Context,
    camera: Annotated[str, Query(max_length=63, description="One camera.")],
    from_: _From,
    to: _To,
) -> Heat:
    """Where something was, added up over the span; of whole hours."""
    if not identity.may_everywhere(Permission.SEE_COUNTS) and not identity.may(Permission.SEE_COUNTS, camera):
        raise not_found("camera")
    settings = context.camera(camera)
    grid = settings.rules.heat_map if settings is not None and settings.rules is not None else None
    if grid is None:
        raise not_found("heat map of this camera")
    cells, observed_s = [0.0] * (grid.columns * grid.rows), 0.0
    if any(place.camera == camera for place in context.counts.places()):
        asked = Wanted(us_of(from_), us_of(to), Bucket.HOUR, ZoneInfo(context.settings.timezone), (camera,), measures=(Measure.PRESENCE,))
        _require_few(asked, MOST_BUCKETS)
        for count in context.counts.read(asked):
            bins = count.tally.bins if count.tally is not None else None
            observed_s += count.observed_s
            if bins is not None and len(bins) == len(cells):  # a grid that was changed since is another
                cells = [cell + more for cell, more in zip(cells, bins, strict=True)]
    return Heat(columns=grid.columns, rows=grid.rows, cells=[round(cell, 2) for cell in cells], observed_s=round(observed_s, 1))


def _spot(text: str) -> tuple[str, str]:
    camera, slash, place = text.partition("/")
    if not slash:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, f"{text[:80]!r} is no place", remedy="write it as camera/place")
    return camera, place


def _require_few(asked: Wanted, most: int) -> None:
    """Raises a problem for a time of more than so many buckets."""
    if asked.until_us - asked.since_us > most * _LENGTH_S[asked.by] * US_PER_S:
        raise _too_many(f"these are more than {most} {asked.by.value}s", "ask for less time, or longer buckets")


def _too_many(detail: str, remedy: str) -> Problem:
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, detail, kind="interval", remedy=remedy)


def _read(context: Context, asked: Wanted) -> Iterator[Count]:
    return iter(()) if asked.cameras == ("",) else context.counts.read(asked)


def _lines(found: Iterator[Count]) -> Iterator[str]:
    line = io.StringIO()
    writer = csv.writer(line)
    writer.writerow(COLUMNS)
    for count in found:
        at = count.place
        writer.writerow(
            (
                at.camera,
                at.kind.value,
                at.name,
                count.measure.value,
                count.kind.value if count.kind is not None else "",
                format_utc(count.start_us),
                format_utc(count.end_us),
                round(count.observed_s, 3),
                count.count,
                _rounded(count.mean),
                _rounded(count.most),
            )
        )
        if line.tell() >= PIECE_CHARACTERS:  # a piece for each line would cost more than the line
            yield line.getvalue()
            line.seek(0)
            line.truncate()
    yield line.getvalue()


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
