"""Counts become rows: each minute once, and with it the quarter of an hour that it belongs to, in one transaction."""

from __future__ import annotations

from typing import Any, Final

from sqlalchemy import Connection, RowMapping, insert, select, update

from lamppost.base.clock import US_PER_S
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Tally
from lamppost.model.tallies import add_up, bins_from_json, bins_to_json, tally_from_json, united
from lamppost.store.schema import MINUTES, QUARTER_TALLIES, QUARTERS, TALLIES

QUARTER_US: Final = 15 * 60 * US_PER_S


def add_minute(connection: Connection, minute: MinuteCounted) -> None:
    """Write a minute, its tallies, and both into their quarter; one that is there already changes nothing.

    A heat map's hour goes whole into the quarter in which it begins. Raises `ValueError` for a tally that is none.
    """
    tallies = united(tally_from_json(text) for text in minute.tallies)
    known = select(MINUTES.c.minute_id).where(MINUTES.c.minute_id == minute.minute_id)
    if connection.execute(known).first() is not None:
        return
    row = {name: getattr(minute, name) for name in ("minute_id", "camera", "place_kind", "place", "minute_us", "observed_ms")}
    connection.execute(insert(MINUTES).values(row))
    if tallies:
        connection.execute(insert(TALLIES), [{"minute_id": minute.minute_id} | _columns(tally) for tally in tallies])
    _add_to_quarter(connection, minute, tallies)


def _add_to_quarter(connection: Connection, minute: MinuteCounted, tallies: list[Tally]) -> None:
    quarter: dict[str, Any] = {"camera": minute.camera, "place_kind": minute.place_kind, "place": minute.place}
    quarter["quarter_us"] = minute.minute_us // QUARTER_US * QUARTER_US
    place = [QUARTERS.c[name] == value for name, value in quarter.items()]
    change = update(QUARTERS).where(*place).values(observed_ms=QUARTERS.c.observed_ms + minute.observed_ms)
    if not connection.execute(change).rowcount:
        connection.execute(insert(QUARTERS).values(quarter | {"observed_ms": minute.observed_ms}))
    where = [QUARTER_TALLIES.c[name] == value for name, value in quarter.items()]
    for tally in tallies:
        columns = _columns(tally)
        which = [*where, *(QUARTER_TALLIES.c[name] == columns.pop(name) for name in ("measure", "kind"))]
        known = connection.execute(select(QUARTER_TALLIES).where(*which)).mappings().first()
        if known is None:
            connection.execute(insert(QUARTER_TALLIES).values(quarter | _columns(tally)))
        else:
            connection.execute(update(QUARTER_TALLIES).where(*which).values(_columns_of_sum(known, tally)))


def _columns(tally: Tally) -> dict[str, Any]:
    return {
        "measure": tally.measure.value,
        "kind": tally.kind.value if tally.kind is not None else "",
        "count": tally.count,
        "total": tally.total,
        "most": tally.most,
        "bins": bins_to_json(tally.bins),
    }


def _columns_of_sum(known: RowMapping, tally: Tally) -> dict[str, Any]:
    before = Tally(tally.measure, tally.kind, known["count"], known["total"], known["most"], bins_from_json(known["bins"]))
    columns = _columns(add_up(before, tally))
    return {name: columns[name] for name in ("count", "total", "most", "bins")}
