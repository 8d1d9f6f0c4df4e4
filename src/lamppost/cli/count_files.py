"""Counts as tables for others: CSV to read anywhere, Parquet with its types. What is unknown is empty, and never zero."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta
from importlib import import_module
from typing import Any, BinaryIO, Final, TextIO
from zoneinfo import ZoneInfo

from lamppost.model.happening import Measure
from lamppost.store.counting import Count

COLUMNS: Final = (
    "start",
    "end",
    "camera",
    "place_kind",
    "place",
    "measure",
    "kind",
    "unit",
    "count",
    "mean",
    "most",
    "observed_s",
    "span_s",
)
UNITS: Final = {Measure.OCCUPANCY: "things", Measure.QUEUE: "things", Measure.DENSITY: "per_m2", Measure.DWELL: "s", Measure.SPEED: "km/h"}
"""Of `mean` and `most`; counts have none."""
_DECIMALS: Final = 3
_BATCH_ROWS: Final = 50_000
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def local_time(at_us: int, zone: ZoneInfo) -> datetime:
    """The moment on the zone's clock, with its offset."""
    return (_EPOCH + timedelta(microseconds=at_us)).astimezone(zone)


def write_csv(counts: Iterable[Count], zone: ZoneInfo, stream: TextIO) -> None:
    """A heading and a line for each count; times are ISO 8601 with the zone's offset."""
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow(COLUMNS)
    for count in counts:
        start, end = (local_time(at_us, zone).isoformat() for at_us in (count.start_us, count.end_us))
        writer.writerow(["" if value is None else _shortest(value) for value in (start, end, *_values(count))])


def write_parquet(counts: Iterable[Count], zone: ZoneInfo, stream: BinaryIO) -> None:
    """The same columns, typed; times are UTC in the file and know their zone, what is unknown is null."""
    # Imported here: nobody else waits for it.
    # It has no types.
    arrow: Any = import_module("pyarrow")
    parquet: Any = import_module("pyarrow.parquet")
    moment = arrow.timestamp("us", tz=zone.key)
    word = arrow.dictionary(arrow.int32(), arrow.string())
    types = [moment, moment, word, word, word, word, word, word, arrow.int64(), *[arrow.float64()] * 4]
    never_null = {"start", "end", "camera", "place_kind", "place", "measure", "observed_s", "span_s"}
    fields = [arrow.field(name, kind, nullable=name not in never_null) for name, kind in zip(COLUMNS, types, strict=True)]
    schema = arrow.schema(fields)
    with parquet.ParquetWriter(stream, schema, compression="zstd") as writer:
        for rows in _batches(counts):
            columns = [*zip(*((count.start_us, count.end_us, *_values(count)) for count in rows), strict=True)]
            arrays = [arrow.array(list(column), type=kind) for column, kind in zip(columns, types, strict=True)]
            writer.write_table(arrow.Table.from_arrays(arrays, schema=schema))


def _values(count: Count) -> tuple[Any, ...]:
    """What stands in the columns after the two times."""
    return (
        count.place.camera,
        count.place.kind.value,
        count.place.name,
        count.measure.value,
        None if count.kind is None else count.kind.value,
        UNITS.get(count.measure),
        count.count,
        _rounded(count.mean),
        _rounded(count.most),
        round(count.observed_s, _DECIMALS),
        round(count.span_s, _DECIMALS),
    )


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, _DECIMALS)


def _shortest(value: Any) -> str:
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def _batches(counts: Iterable[Count]) -> Iterator[list[Count]]:
    rest = iter(counts)
    while rows := list(itertools.islice(rest, _BATCH_ROWS)):
        yield rows
