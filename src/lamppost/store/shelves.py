"""Brings footage and its circumstances from the index to the decision what is forgotten; no query reads a whole table.

What is held is not read either: each camera's footage is read between its holds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from sqlalchemy import bindparam, func, literal, select

from lamppost.base.clock import US_PER_S
from lamppost.model.books import Rendition
from lamppost.store.index import FOREVER_US
from lamppost.store.intervals import Span, normal, without
from lamppost.store.retention import US_PER_DAY, Footage, Shelf
from lamppost.store.schema import CAMERAS, DESTROYING, EPOCHS, SEGMENTS, STORED

PAGE: Final = 32
GRACE_US: Final = 60 * US_PER_S  # packets that are on their way when an epoch's last moment passes
_EVER: Final = (-FOREVER_US, FOREVER_US)
_COLUMNS: Final = (SEGMENTS.c.segment_id, SEGMENTS.c.start_us, SEGMENTS.c.end_us, SEGMENTS.c.size_bytes, SEGMENTS.c.epoch_id)
# Made once: to put a statement together takes longer than to run it.
_OF: Final = select(*_COLUMNS).where(
    SEGMENTS.c.camera == bindparam("of_camera"), SEGMENTS.c.rendition == bindparam("of_rendition"), SEGMENTS.c.state == "closed"
)
_PAGE: Final = (
    _OF.add_columns(EPOCHS.c.start_us.label("epoch_start_us"), EPOCHS.c.end_us.label("epoch_end_us"))
    .select_from(SEGMENTS.outerjoin(EPOCHS, EPOCHS.c.epoch_id == SEGMENTS.c.epoch_id))
    .where(SEGMENTS.c.start_us >= bindparam("from_us"), SEGMENTS.c.start_us < bindparam("to_us"))
    .order_by(SEGMENTS.c.start_us, SEGMENTS.c.segment_id)
    .limit(PAGE)
)
_BEFORE: Final = _OF.where(SEGMENTS.c.start_us < bindparam("from_us")).order_by(SEGMENTS.c.start_us.desc()).limit(1)


class Query(Protocol):
    """Runs a select, with values for what it leaves open, and returns all rows."""

    def __call__(self, query: Any, values: Mapping[str, Any] | None = None, /) -> Sequence[Any]: ...


@dataclass(frozen=True, slots=True)
class KnownHolds:
    """The holds in force, by camera, as normal spans.

    `Bookkeeper.catch_up` alone hands it out, once every journal has been
    applied: so nothing can be chosen without the holds that were placed before.
    """

    spans: Mapping[str, tuple[Span, ...]]


def hold_spans(rows: Sequence[Any]) -> dict[str, tuple[Span, ...]]:
    """The spans of holds, by camera."""
    found: dict[str, list[Span]] = {}
    for row in rows:
        found.setdefault(row.camera, []).append((row.start_us, row.end_us))
    return {camera: tuple(normal(spans)) for camera, spans in found.items()}


@dataclass
class Shelves:
    """One look at the index."""

    query: Query
    holds: KnownHolds
    now_us: int
    _in_use: dict[str, bool] = field(default_factory=dict[str, bool])

    def __post_init__(self) -> None:
        self._in_use |= {row.epoch_id: True for row in self.query(select(DESTROYING.c.epoch_id))}

    def shelves(self) -> list[Shelf]:
        """Every camera's footage of each rendition that there is any of."""
        columns = [_oldest(rendition).label(rendition.value) for rendition in Rendition]
        found: list[Shelf] = []
        for row in self.query(select(CAMERAS.c.camera, *columns).order_by(CAMERAS.c.camera)):
            for rendition in Rendition:
                oldest_us = getattr(row, rendition.value)
                if oldest_us is not None:
                    found.append(Shelf(row.camera, rendition, oldest_us, self._footage(row.camera, rendition)))
        return found

    def used_bytes(self) -> dict[str, int]:
        """What each camera's segments take, those that are being written among them."""
        used: dict[str, int] = {}
        growing = select(SEGMENTS.c.camera, func.sum(SEGMENTS.c.size_bytes).label("size_bytes"))
        growing = growing.where(SEGMENTS.c.state == "open").group_by(SEGMENTS.c.camera)
        for row in (*self.query(select(STORED.c.camera, STORED.c.size_bytes)), *self.query(growing)):
            used[row.camera] = used.get(row.camera, 0) + int(row.size_bytes)
        return used

    def is_in_use(self, epoch_id: str) -> bool:
        """Whether a recorder may still seal to the epoch, or its shares are being destroyed already."""
        if epoch_id not in self._in_use:
            self._in_use[epoch_id] = self._is_in_use(epoch_id)
        return self._in_use[epoch_id]

    def holds_keep(self, wanted_bytes: int) -> bool:
        """Whether holds keep at least so much footage."""
        kept = 0
        for camera, spans in self.holds.spans.items():
            for rendition in Rendition:
                for start, end in spans:
                    for size_bytes in _sizes(self.query, camera, rendition, start, end):
                        kept += size_bytes
                        if kept >= wanted_bytes:
                            return True
        return False

    def _footage(self, camera: str, rendition: Rendition) -> Iterator[Footage]:
        held = self.holds.spans.get(camera, ())
        for start, end in without([_EVER], held):
            position, last_id = start, ""
            while True:
                page = self._page(camera, rendition, position, end)
                # Those that start together may be more than a page: the last one seen tells where to go on.
                fresh = [row for row in page if (row.start_us, row.segment_id) > (position, last_id)]
                for row in fresh:
                    yield _footage(row, camera, rendition)
                if len(page) < PAGE or not fresh:
                    break
                position, last_id = page[-1].start_us, page[-1].segment_id

    def _page(self, camera: str, rendition: Rendition, from_us: int, to_us: int) -> Sequence[Any]:
        page = self.query(_PAGE, _place(camera, rendition) | {"from_us": from_us, "to_us": to_us})
        for row in page:
            if row.epoch_end_us is not None and self.now_us >= _over_us(row.epoch_start_us, row.epoch_end_us):
                self._in_use.setdefault(row.epoch_id, False)
        return page

    def _is_in_use(self, epoch_id: str) -> bool:
        (known,) = self.query(select(EPOCHS).where(EPOCHS.c.epoch_id == epoch_id)) or (None,)
        if known is None:  # its journal was damaged; no epoch is longer than a day, or used for more than twice its length
            last = self.query(select(func.max(SEGMENTS.c.end_us)).where(SEGMENTS.c.epoch_id == epoch_id))[0][0]
            return last is not None and self.now_us < last + 2 * US_PER_DAY
        if self.now_us >= _over_us(known.start_us, known.end_us):
            return False
        return self.now_us < known.end_us or not self._has_successor(known)

    def _has_successor(self, epoch: Any) -> bool:
        """Whether a later epoch is used: then the recorder has left this one for good."""
        later = (EPOCHS.c.camera == epoch.camera, EPOCHS.c.sequence > epoch.sequence, EPOCHS.c.start_us > epoch.start_us - US_PER_DAY)
        used = select(literal(1)).select_from(EPOCHS.join(SEGMENTS, SEGMENTS.c.epoch_id == EPOCHS.c.epoch_id))
        return bool(self.query(used.where(*later).limit(1)))


class HeldBytes:
    """Adds up what holds keep, a piece at a time, over and over."""

    def __init__(self) -> None:
        self.size_bytes = 0
        self._walk: Iterator[None] | None = None

    def go_on(self, query: Query, holds: KnownHolds) -> None:
        """Add up another piece."""
        if self._walk is None:
            self._walk = self._count(query, holds)
        if next(self._walk, self) is self:
            self._walk = None

    def _count(self, query: Query, holds: KnownHolds) -> Iterator[None]:
        total = 0
        for camera, spans in holds.spans.items():
            for rendition in Rendition:
                for start, end in spans:
                    for size_bytes in _sizes(query, camera, rendition, start, end):
                        total += size_bytes
                        yield
        self.size_bytes = total


def _sizes(query: Query, camera: str, rendition: Rendition, start_us: int, end_us: int) -> Iterator[int]:
    piece_rows = 2000
    place = _place(camera, rendition)
    yield sum(row.size_bytes for row in query(_BEFORE, place | {"from_us": start_us}) if row.end_us > start_us)
    while True:
        rows = _OF.where(SEGMENTS.c.start_us >= start_us, SEGMENTS.c.start_us < end_us)
        piece = rows.order_by(SEGMENTS.c.start_us).limit(piece_rows).subquery()
        (totals,) = query(select(func.count(), func.coalesce(func.sum(piece.c.size_bytes), 0), func.max(piece.c.start_us)), place)
        yield int(totals[1])
        if totals[0] < piece_rows:
            return
        start_us = totals[2] + 1


def _place(camera: str, rendition: Rendition) -> dict[str, Any]:
    return {"of_camera": camera, "of_rendition": rendition.value}


def _over_us(start_us: int, end_us: int) -> int:
    """From here on no recorder seals to an epoch: one without a successor is used for twice its length."""
    return end_us + (end_us - start_us) + GRACE_US


def _oldest(rendition: Rendition) -> Any:
    here = (SEGMENTS.c.camera == CAMERAS.c.camera, SEGMENTS.c.rendition == rendition.value)
    return select(func.min(SEGMENTS.c.start_us)).where(*here).correlate(CAMERAS).scalar_subquery()


def _footage(row: Any, camera: str, rendition: Rendition) -> Footage:
    return Footage(row.segment_id, camera, rendition, row.start_us, row.end_us, row.size_bytes, row.epoch_id)
