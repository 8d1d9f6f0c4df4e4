"""What the index tells: segments, gaps, covers, acts, and each camera's account.

Reading never blocks the bookkeeper, and cannot change anything.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Column, Select, Table, func, or_, select
from sqlalchemy.engine import Row

from lamppost.model.books import Act, EpochSealed, Rendition, Severity
from lamppost.store.account import Account, Entries, balance
from lamppost.store.forgotten import joins
from lamppost.store.index_file import index_errors
from lamppost.store.index_reader import IndexReader
from lamppost.store.intervals import Span
from lamppost.store.schema import (
    ACTS,
    CAMERAS,
    COVERED,
    DESTROYED_EPOCHS,
    DESTROYING,
    EPOCH_SHARES,
    EPOCHS,
    EVENTS,
    FORGOTTEN,
    GAPS,
    HOLDS,
    JOURNAL_OFFSETS,
    REDUCTIONS,
    SEGMENTS,
    SNAPSHOTS,
    STORED,
)

FOREVER_US: Final = 2**62
DEFAULT_LIMIT: Final = 100_000


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A stored file; contiguous from `start_us` to `end_us` but for declared gaps."""

    segment_id: str
    camera: str
    rendition: Rendition
    state: str  # open, closed, garbage
    path: str
    run_id: str
    epoch_id: str | None
    sequence: int
    start_us: int
    end_us: int
    header_bytes: int
    size_bytes: int
    frames: int
    fragments: int
    end_reason: str | None
    record_sha256: str | None


@dataclass(frozen=True, slots=True)
class Interval:
    """A gap or a cover; `end_us` is None while it lasts."""

    interval_id: str
    camera: str
    cause: str
    start_us: int
    end_us: int | None
    detail: str = ""


@dataclass(frozen=True, slots=True)
class EventRow:
    """An event; `end_us` is None while it lasts, `camera` where it concerns the node."""

    event_id: str
    kind: str
    severity: Severity
    camera: str | None
    start_us: int
    end_us: int | None
    detail: str


@dataclass(frozen=True, slots=True)
class HoldRow:
    """A hold; `released_us` and `released_by` are None while it is in force."""

    hold_id: str
    camera: str
    start_us: int
    end_us: int
    placed_us: int
    placed_by: str
    reason: str
    released_us: int | None = None
    released_by: str | None = None


@dataclass(frozen=True, slots=True)
class ForgottenRow:
    """A span whose footage was recorded and then deleted by retention."""

    camera: str
    rendition: Rendition
    start_us: int
    end_us: int
    segments: int
    size_bytes: int


class Index(IndexReader):
    """Read-only view of the index of a data folder; raises `StoreError`."""

    remedy = "was anything recorded? `lamppost check --repair` can restore it"
    by_statement = False

    def cameras(self) -> tuple[str, ...]:
        """The names of all cameras that anything is known of."""
        return tuple(row.camera for row in self._all(select(CAMERAS).order_by(CAMERAS.c.camera)))

    def segments(
        self,
        camera: str | None = None,
        rendition: Rendition | None = None,
        from_us: int = 0,
        to_us: int = FOREVER_US,
        *,
        limit: int = DEFAULT_LIMIT,
    ) -> tuple[SegmentRow, ...]:
        """Segments that share time with [from_us, to_us), by camera, rendition and time; without garbage."""
        query = select(SEGMENTS).where(SEGMENTS.c.state != "garbage", SEGMENTS.c.start_us < to_us, SEGMENTS.c.end_us >= from_us)
        query = _of_camera(query, SEGMENTS.c.camera, camera)
        if rendition is not None:
            query = query.where(SEGMENTS.c.rendition == rendition.value)
        query = query.order_by(SEGMENTS.c.camera, SEGMENTS.c.rendition, SEGMENTS.c.start_us, SEGMENTS.c.sequence).limit(limit)
        return tuple(_segment(row) for row in self._all(query))

    def gaps(
        self, camera: str | None = None, from_us: int = 0, to_us: int = FOREVER_US, *, limit: int = DEFAULT_LIMIT
    ) -> tuple[Interval, ...]:
        """Declared gaps that share time with [from_us, to_us), by camera and time."""
        query = select(GAPS).where(GAPS.c.start_us < to_us, or_(GAPS.c.end_us.is_(None), GAPS.c.end_us >= from_us))
        query = _of_camera(query, GAPS.c.camera, camera).order_by(GAPS.c.camera, GAPS.c.start_us).limit(limit)
        return tuple(Interval(row.gap_id, row.camera, row.cause, row.start_us, row.end_us, row.detail) for row in self._all(query))

    def covered(
        self, camera: str | None = None, from_us: int = 0, to_us: int = FOREVER_US, *, limit: int = DEFAULT_LIMIT
    ) -> tuple[Interval, ...]:
        """Covered intervals that share time with [from_us, to_us), by camera and time."""
        query = select(COVERED).where(COVERED.c.start_us < to_us, or_(COVERED.c.end_us.is_(None), COVERED.c.end_us >= from_us))
        query = _of_camera(query, COVERED.c.camera, camera).order_by(COVERED.c.camera, COVERED.c.start_us).limit(limit)
        return tuple(Interval(row.cover_id, row.camera, row.cause, row.start_us, row.end_us) for row in self._all(query))

    def reductions(
        self, camera: str | None = None, from_us: int = 0, to_us: int = FOREVER_US, *, limit: int = DEFAULT_LIMIT
    ) -> tuple[Interval, ...]:
        """Steps of overload that share time with [from_us, to_us), by camera and time; `cause` is the step."""
        in_time = (REDUCTIONS.c.start_us < to_us, or_(REDUCTIONS.c.end_us.is_(None), REDUCTIONS.c.end_us >= from_us))
        query = _of_camera(select(REDUCTIONS).where(*in_time), REDUCTIONS.c.camera, camera)
        query = query.order_by(REDUCTIONS.c.camera, REDUCTIONS.c.start_us).limit(limit)
        return tuple(Interval(row.reduction_id, row.camera, row.step, row.start_us, row.end_us) for row in self._all(query))

    def events(
        self,
        from_us: int = 0,
        to_us: int = FOREVER_US,
        *,
        severity: Severity | None = None,
        camera: str | None = None,
        kinds: Sequence[str] = (),
        is_newest_first: bool = False,
        limit: int = DEFAULT_LIMIT,
    ) -> tuple[EventRow, ...]:
        """Events that share time with [from_us, to_us), in the order of time, or backwards; `kinds` are their types."""
        query = select(EVENTS).where(EVENTS.c.start_us < to_us, or_(EVENTS.c.end_us.is_(None), EVENTS.c.end_us >= from_us))
        if severity is not None:
            query = query.where(EVENTS.c.severity == severity.value)
        if kinds:
            query = query.where(EVENTS.c.kind.in_(kinds))
        query = _of_camera(query, EVENTS.c.camera, camera)
        order = (EVENTS.c.start_us, EVENTS.c.event_id)
        query = query.order_by(*(column.desc() for column in order) if is_newest_first else order).limit(limit)
        return tuple(
            EventRow(row.event_id, row.kind, Severity(row.severity), row.camera, row.start_us, row.end_us, row.detail)
            for row in self._all(query)
        )

    def snapshots(self) -> tuple[tuple[str, int, str], ...]:
        """Path, bytes and SHA-256 of every picture of an event."""
        return tuple((row.path, row.size_bytes, row.sha256) for row in self._all(select(SNAPSHOTS).order_by(SNAPSHOTS.c.path)))

    def acts(self, kind: str | None = None, from_us: int = 0, to_us: int = FOREVER_US, *, limit: int = DEFAULT_LIMIT) -> tuple[Act, ...]:
        """Acts in [from_us, to_us), in the order of time."""
        query = select(ACTS).where(ACTS.c.wall_us >= from_us, ACTS.c.wall_us < to_us)
        if kind is not None:
            query = query.where(ACTS.c.kind == kind)
        query = query.order_by(ACTS.c.wall_us, ACTS.c.act_id).limit(limit)
        return tuple(Act(row.act_id, row.kind, row.wall_us, row.actor, row.subject, row.detail) for row in self._all(query))

    def epochs(self, camera: str | None = None, *, limit: int = DEFAULT_LIMIT) -> tuple[EpochSealed, ...]:
        """Epochs with the hashes of their share files, by camera and time; a destroyed one has none."""
        query = _of_camera(select(EPOCHS), EPOCHS.c.camera, camera).order_by(EPOCHS.c.camera, EPOCHS.c.start_us).limit(limit)
        shares: dict[str, list[str]] = {}
        for row in self._all(select(EPOCH_SHARES).order_by(EPOCH_SHARES.c.epoch_id, EPOCH_SHARES.c.number)):
            shares.setdefault(row.epoch_id, []).append(row.sha256)
        return tuple(_epoch(row, tuple(shares.get(row.epoch_id, ()))) for row in self._all(query))

    def holds(self, camera: str | None = None, *, is_active: bool = False) -> tuple[HoldRow, ...]:
        """Holds by camera and time; with `is_active` those that are in force."""
        query = _of_camera(select(HOLDS), HOLDS.c.camera, camera).order_by(HOLDS.c.camera, HOLDS.c.start_us, HOLDS.c.hold_id)
        if is_active:
            query = query.where(HOLDS.c.released_us.is_(None))
        return tuple(HoldRow(**{name: getattr(row, name) for name in HoldRow.__slots__}) for row in self._all(query))

    def forgotten(
        self, camera: str, rendition: Rendition | None = None, from_us: int = -FOREVER_US, to_us: int = FOREVER_US
    ) -> tuple[ForgottenRow, ...]:
        """Spans that retention has deleted and that share time with [from_us, to_us), by rendition and time."""
        query = select(FORGOTTEN).where(FORGOTTEN.c.camera == camera, FORGOTTEN.c.start_us < to_us, FORGOTTEN.c.end_us > from_us)
        if rendition is not None:
            query = query.where(FORGOTTEN.c.rendition == rendition.value)
        return tuple(
            ForgottenRow(row.camera, Rendition(row.rendition), row.start_us, row.end_us, row.segments, row.size_bytes)
            for row in self._all(query.order_by(FORGOTTEN.c.rendition, FORGOTTEN.c.start_us))
        )

    def destroyed_us(self, epoch_id: str) -> int | None:
        """When retention destroyed the epoch's shares; None where it did not."""
        rows = self._all(select(DESTROYED_EPOCHS.c.destroyed_us).where(DESTROYED_EPOCHS.c.epoch_id == epoch_id))
        return rows[0].destroyed_us if rows else None

    def last_destroyed_us(self) -> int | None:
        """When retention last destroyed an epoch's shares; None where it never did."""
        rows = self._all(select(func.max(DESTROYED_EPOCHS.c.destroyed_us)))
        return rows[0][0] if rows else None

    def destroyed(self) -> set[str]:
        """The ids of all epochs whose shares retention destroyed."""
        return {row.epoch_id for row in self._all(select(DESTROYED_EPOCHS.c.epoch_id))}

    def destroying(self) -> set[str]:
        """The ids of epochs whose destruction was begun and not ended."""
        return {row.epoch_id for row in self._all(select(DESTROYING.c.epoch_id))}

    def is_used(self, epoch_id: str) -> bool:
        """Whether any segment is sealed to the epoch."""
        return bool(self._all(select(SEGMENTS.c.segment_id).where(SEGMENTS.c.epoch_id == epoch_id, SEGMENTS.c.state != "garbage").limit(1)))

    def stored(self) -> dict[tuple[str, Rendition], tuple[int, int]]:
        """How many closed segments each camera has of each rendition, and their bytes."""
        return {(row.camera, Rendition(row.rendition)): (row.segments, row.size_bytes) for row in self._all(select(STORED))}

    def segment_state(self, segment_id: str) -> str | None:
        """The state of a segment now; None where there is none any more."""
        rows = self._all(select(SEGMENTS.c.state).where(SEGMENTS.c.segment_id == segment_id))
        return str(rows[0].state) if rows else None

    def last_us(self, camera: str) -> int | None:
        """The last moment that the index knows something of; None when it knows nothing."""
        ends = [
            self._all(select(func.max(SEGMENTS.c.end_us)).where(SEGMENTS.c.camera == camera, SEGMENTS.c.rendition == "sealed")),
            self._all(select(func.max(func.coalesce(GAPS.c.end_us, GAPS.c.start_us))).where(GAPS.c.camera == camera)),
            self._all(select(func.max(FORGOTTEN.c.end_us)).where(FORGOTTEN.c.camera == camera, FORGOTTEN.c.rendition == "sealed")),
        ]
        return max((rows[0][0] for rows in ends if rows[0][0] is not None), default=None)

    def account(self, camera: str, until_us: int | None = None, *, from_us: int = 0) -> Account | None:
        """What became of the camera's time from `from_us` to `until_us`, by default up to the last thing known.

        None when nothing is known of it. Ask for now when nobody records: a
        gap that lasts goes on, and what follows a dead recorder is unexplained.
        """
        last_us = self.last_us(camera)
        if last_us is None:
            return None
        until_us = last_us if until_us is None else until_us
        window = (from_us, until_us)
        frames, sealed_bytes = self._sealed_totals(camera, from_us)
        entries = Entries(
            sealed=self._kept(camera, Rendition.SEALED, from_us),
            masked=self._kept(camera, Rendition.MASKED, from_us),
            sealed_forgotten=self._gone(camera, Rendition.SEALED, from_us),
            masked_forgotten=self._gone(camera, Rendition.MASKED, from_us),
            gaps=self._intervals(GAPS, GAPS.c.cause, camera, window),
            covers=self._intervals(COVERED, COVERED.c.cause, camera, window),
            reductions=self._intervals(REDUCTIONS, REDUCTIONS.c.step, camera, window),
            holds=[(hold.start_us, hold.end_us) for hold in self.holds(camera, is_active=True)],
            frames=frames,
            sealed_bytes=sealed_bytes,
        )
        return balance(camera, entries, window)

    def _gone(self, camera: str, rendition: Rendition, from_us: int) -> list[Span]:
        return [(row.start_us, row.end_us) for row in self.forgotten(camera, rendition, from_us)]

    def _kept(self, camera: str, rendition: Rendition, from_us: int) -> list[Span]:
        """The spans of the camera's segments, those of one run joined."""
        query = select(SEGMENTS.c.start_us, SEGMENTS.c.end_us, SEGMENTS.c.run_id).where(
            SEGMENTS.c.camera == camera,
            SEGMENTS.c.rendition == rendition.value,
            SEGMENTS.c.state != "garbage",
            SEGMENTS.c.end_us >= from_us,
        )
        spans: list[Span] = []
        run_id, end_us = "", 0
        for row in self._all(query.order_by(SEGMENTS.c.sequence)):
            # A run is gapless: the few milliseconds between two of its files are the last frame's unknown duration.
            start_us = end_us if joins(run_id, end_us, row.run_id, row.start_us) else row.start_us
            spans.append((start_us, row.end_us))
            run_id, end_us = row.run_id, row.end_us
        return spans

    def _intervals(self, table: Table, label: Column[str], camera: str, window: Span) -> list[tuple[str, Span]]:
        """Label and span of each that shares time with the window; what lasts, lasts to its end."""
        in_time = (table.c.camera == camera, or_(table.c.end_us.is_(None), table.c.end_us >= window[0]))
        query = select(label.label("label"), table.c.start_us, table.c.end_us).where(*in_time).order_by(table.c.start_us)
        return [(row.label, (row.start_us, window[1] if row.end_us is None else row.end_us)) for row in self._all(query)]

    def _sealed_totals(self, camera: str, from_us: int) -> tuple[int, int]:
        query = select(func.coalesce(func.sum(SEGMENTS.c.frames), 0), func.coalesce(func.sum(SEGMENTS.c.size_bytes), 0)).where(
            SEGMENTS.c.camera == camera, SEGMENTS.c.rendition == "sealed", SEGMENTS.c.state != "garbage", SEGMENTS.c.end_us >= from_us
        )
        totals = self._all(query)[0]
        return int(totals[0]), int(totals[1])

    def integrity(self) -> tuple[str, ...]:
        """What SQLite itself finds wrong with the file; empty when nothing."""
        with index_errors("read the index"), self._engine.connect() as connection:
            lines = [str(row[0]) for row in connection.exec_driver_sql("PRAGMA integrity_check").all()]
            broken = connection.exec_driver_sql("PRAGMA foreign_key_check").all()
        return tuple(line for line in lines if line != "ok") + tuple(f"row {row[1]} of {row[0]} refers to nothing" for row in broken)

    def journal_offsets(self) -> dict[tuple[str, str], int]:
        """How far each journal was applied, by writer and file name."""
        return {(row.writer, row.file): row.offset_bytes for row in self._all(select(JOURNAL_OFFSETS))}

    def all_paths(self) -> dict[str, SegmentRow]:
        """Every segment row, garbage too, by path."""
        return {row.path: _segment(row) for row in self._all(select(SEGMENTS))}


def _of_camera(query: Select[Any], column: Any, camera: str | None) -> Select[Any]:
    return query if camera is None else query.where(column == camera)


def _segment(row: Row[Any]) -> SegmentRow:
    values: dict[str, Any] = {name: getattr(row, name) for name in SegmentRow.__slots__}
    values["rendition"] = Rendition(row.rendition)
    return SegmentRow(**values)


def _epoch(row: Row[Any], share_sha256s: tuple[str, ...]) -> EpochSealed:
    return EpochSealed(
        row.epoch_id, row.camera, row.sequence, row.start_us, row.end_us, row.recipient, row.threshold, row.shares, share_sha256s
    )
