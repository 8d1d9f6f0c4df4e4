"""How many bytes each camera has made a second, from the index: what disks are planned with."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import case, func, select

from lamppost.base.clock import US_PER_S
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.index_file import index_errors, open_engine
from lamppost.store.schema import SEGMENTS

ENOUGH_S: Final = 60.0  # less footage says nothing of a camera
_RECENT_US: Final = 2 * 86_400 * US_PER_S


@dataclass(frozen=True, slots=True)
class Rate:
    """What is stored of one camera's rendition, and how fast it came lately; None after too little footage."""

    stored_bytes: int
    bytes_per_s: float | None


def camera_rates(folder: DataFolder) -> dict[tuple[str, Rendition], Rate]:
    """By camera and rendition; empty where there is no index. The last two days of each count. Raises `StoreError`."""
    if not folder.index.is_file():
        return {}
    place = (SEGMENTS.c.camera, SEGMENTS.c.rendition)
    newest = select(*place, func.max(SEGMENTS.c.end_us).label("newest")).group_by(*place).subquery()
    is_recent = SEGMENTS.c.start_us >= newest.c.newest - _RECENT_US
    query = (
        select(
            *place,
            func.sum(SEGMENTS.c.size_bytes).label("stored"),
            func.sum(case((is_recent, SEGMENTS.c.size_bytes), else_=0)).label("bytes"),
            func.sum(case((is_recent, SEGMENTS.c.end_us - SEGMENTS.c.start_us), else_=0)).label("us"),
        )
        .join(newest, (newest.c.camera == SEGMENTS.c.camera) & (newest.c.rendition == SEGMENTS.c.rendition))
        .where(SEGMENTS.c.state == "closed")
        .group_by(*place)
    )
    engine = open_engine(folder.index)
    try:
        with index_errors("read the index"), engine.connect() as connection:
            return {(row.camera, Rendition(row.rendition)): _rate(row) for row in connection.execute(query)}
    finally:
        engine.dispose()


def _rate(row: Any) -> Rate:
    seconds = row.us / US_PER_S
    return Rate(int(row.stored), row.bytes / seconds if seconds >= ENOUGH_S else None)
