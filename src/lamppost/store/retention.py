"""Decides what is forgotten, and in which order: by age, by bytes, under pressure. No file and no table is touched here.

Whoever calls brings the footage, oldest first, and does what was decided. What
overlaps a hold is never chosen, nor what is open, nor what is sealed to an
epoch that may still be written to.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final

from lamppost.base.clock import US_PER_S
from lamppost.model.books import Rendition
from lamppost.model.settings import Settings
from lamppost.store.intervals import Span

US_PER_DAY: Final = 86_400 * US_PER_S
BYTES_PER_GB: Final = 1_000_000_000
MASKED_STEP_US: Final = 600 * US_PER_S  # masked video goes in steps, as originals do by epochs: fewer acts, never later
STEPS_PER_AGE: Final = 100


class Cause(StrEnum):
    """Why footage is forgotten."""

    AGE = "age"
    BYTES = "bytes"
    PRESSURE = "pressure"


@dataclass(frozen=True, slots=True)
class CameraLimits:
    """What one camera may keep; `max_bytes` of both renditions together, 0 where there is no limit."""

    sealed_us: int
    masked_us: int
    max_bytes: int

    def age_us(self, rendition: Rendition) -> int:
        return self.sealed_us if rendition is Rendition.SEALED else self.masked_us


@dataclass(frozen=True, slots=True)
class BookLimits:
    """How long what was counted and what happened is known."""

    counts_us: int = 400 * US_PER_DAY
    rollups_us: int = 3650 * US_PER_DAY
    events_us: int = 365 * US_PER_DAY


@dataclass(frozen=True, slots=True)
class RetentionLimits:
    """The limits of every camera; those of one that is not configured any more are the common ones."""

    common: CameraLimits
    cameras: Mapping[str, CameraLimits]
    keep_free_bytes: int
    books: BookLimits = BookLimits()

    @classmethod
    def of(cls, settings: Settings) -> RetentionLimits:
        section = settings.retention
        common = _limits(section.sealed_days, section.masked_days, section.max_gb)
        cameras = {
            camera.name: _limits(
                section.sealed_days if camera.sealed_days is None else camera.sealed_days,
                section.masked_days if camera.masked_days is None else camera.masked_days,
                section.max_gb if camera.max_gb is None else camera.max_gb,
            )
            for camera in settings.camera
        }
        books = BookLimits(*(round(days * US_PER_DAY) for days in (section.counts_days, section.rollup_days, section.events_days)))
        return cls(common, cameras, round(section.keep_free_gb * BYTES_PER_GB), books)

    def camera(self, name: str) -> CameraLimits:
        return self.cameras.get(name, self.common)


@dataclass(frozen=True, slots=True)
class Footage:
    """One segment as retention sees it; `start_us` to `end_us` is half-open."""

    segment_id: str
    camera: str
    rendition: Rendition
    start_us: int
    end_us: int
    size_bytes: int
    epoch_id: str | None = None
    is_open: bool = False

    def overlaps(self, span: Span) -> bool:
        # One without a whole fragment has no length, and counts as the moment at which it starts.
        return self.start_us < span[1] and max(self.end_us, self.start_us + 1) > span[0]


@dataclass(frozen=True, slots=True)
class Situation:
    """What a decision is made on.

    `holds` are spans by camera, `used_bytes` what each camera's footage takes,
    `is_in_use` tells of an epoch whether a recorder may still write to it.
    """

    now_us: int
    free_bytes: int
    limits: RetentionLimits
    holds: Mapping[str, Sequence[Span]]
    used_bytes: Mapping[str, int]
    is_in_use: Callable[[str], bool]

    def may_go(self, footage: Footage) -> bool:
        if footage.is_open or (footage.epoch_id is not None and self.is_in_use(footage.epoch_id)):
            return False
        return not any(footage.overlaps(span) for span in self.holds.get(footage.camera, ()))

    def due_before_us(self, camera: str, rendition: Rendition) -> int:
        """What starts before this is too old."""
        age_us = self.limits.camera(camera).age_us(rendition)
        due_us = self.now_us - age_us
        if rendition is Rendition.SEALED:
            return due_us
        step_us = max(1, min(MASKED_STEP_US, age_us // STEPS_PER_AGE))
        return -(-due_us // step_us) * step_us


@dataclass(frozen=True, slots=True)
class Chosen:
    """Footage that goes, and why."""

    footage: Footage
    cause: Cause


@dataclass(frozen=True, slots=True)
class Choice:
    """What goes, in this order.

    `missing_bytes` is what the disk then still lacks of what is to stay free;
    `is_exhausted` is true where that is so although everything that may go was chosen.
    """

    chosen: tuple[Chosen, ...]
    missing_bytes: int
    is_exhausted: bool


class Shelf:
    """One camera's footage of one rendition, oldest first; read only as far as it is looked at.

    Nothing on it starts before `not_before_us`.
    """

    def __init__(self, camera: str, rendition: Rendition, not_before_us: int, footage: Iterable[Footage]) -> None:
        self.camera = camera
        self.rendition = rendition
        self.not_before_us = not_before_us
        self._left = iter(footage)
        self._next: Footage | None = None
        self._is_read = False

    def keep(self, may_go: Callable[[Footage], bool]) -> None:
        """Leave out what may not go."""
        self._left = filter(may_go, self._left)

    def peek(self) -> Footage | None:
        """The oldest that is left."""
        if not self._is_read:
            self._next, self._is_read = next(self._left, None), True
        return self._next

    def take(self) -> Footage | None:
        """The oldest that is left, which leaves the shelf."""
        taken, self._is_read = self.peek(), False
        return taken


def choose(shelves: Sequence[Shelf], situation: Situation, limit: int) -> Choice:
    """Choose what goes: first what is too old, then what is too much, then what the disk needs.

    The originals of an epoch are too old together, once the oldest of them is,
    so that its shares can go first. Otherwise a segment goes at a time, always
    the oldest. At most `limit` are chosen, but that an epoch is not cut. The shelves are used up.
    """
    for shelf in shelves:
        shelf.keep(situation.may_go)
    choosing = _Choosing(shelves, situation, limit)
    choosing.by_age()
    choosing.by_bytes()
    missing = choosing.under_pressure()
    return Choice(tuple(choosing.chosen), max(0, missing), missing > 0 and not choosing.is_full)


def whole_epochs(chosen: Iterable[Footage], kept: Mapping[str, int]) -> tuple[str, ...]:
    """The epochs of which nothing is left once `chosen` has gone; `kept` says how many segments each has now."""
    going = Counter(footage.epoch_id for footage in chosen if footage.epoch_id is not None)
    return tuple(epoch_id for epoch_id, count in going.items() if count >= kept.get(epoch_id, 0))


@dataclass
class _Choosing:
    shelves: Sequence[Shelf]
    situation: Situation
    limit: int
    chosen: list[Chosen] = field(default_factory=list[Chosen])
    freed_bytes: Counter[str] = field(default_factory=Counter[str])

    @property
    def is_full(self) -> bool:
        return len(self.chosen) >= self.limit

    def by_age(self) -> None:
        for shelf in self._oldest_first(lambda shelf, us: us < self.situation.due_before_us(shelf.camera, shelf.rendition)):
            first = self._take(shelf, Cause.AGE)
            while first.epoch_id is not None and (following := shelf.peek()) is not None and following.epoch_id == first.epoch_id:
                self._take(shelf, Cause.AGE)

    def by_bytes(self) -> None:
        def is_too_much(shelf: Shelf, _start_us: int) -> bool:
            most = self.situation.limits.camera(shelf.camera).max_bytes
            return most > 0 and self.situation.used_bytes.get(shelf.camera, 0) - self.freed_bytes[shelf.camera] > most

        for shelf in self._oldest_first(is_too_much):
            self._take(shelf, Cause.BYTES)

    def under_pressure(self) -> int:
        """Choose as few as the disk needs; returns the bytes that are still missing, negative where there is more than enough."""

        def missing() -> int:
            return self.situation.limits.keep_free_bytes - self.situation.free_bytes - self.freed_bytes.total()

        for shelf in self._oldest_first(lambda _shelf, _start_us: missing() > 0):
            self._take(shelf, Cause.PRESSURE)
        return missing()

    def _oldest_first(self, is_wanted: Callable[[Shelf, int], bool]) -> Iterator[Shelf]:
        """Again and again the shelf with the oldest footage, while that is wanted; `is_wanted` takes shelf and start."""
        # At first by what a shelf cannot start before: it is read, and its place corrected, only once it is its turn.
        heap = [(shelf.not_before_us, number) for number, shelf in enumerate(self.shelves) if is_wanted(shelf, shelf.not_before_us)]
        heapq.heapify(heap)
        while heap and not self.is_full:
            start_us, number = heapq.heappop(heap)
            shelf = self.shelves[number]
            # What was taken since may have been enough.
            first = shelf.peek() if is_wanted(shelf, start_us) else None
            if first is None:
                continue
            if first.start_us == start_us:
                yield shelf
            if (following := shelf.peek()) is not None and is_wanted(shelf, following.start_us):
                heapq.heappush(heap, (following.start_us, number))

    def _take(self, shelf: Shelf, cause: Cause) -> Footage:
        footage = shelf.take()
        if footage is None:
            raise LookupError("the shelf is empty")
        self.chosen.append(Chosen(footage, cause))
        self.freed_bytes[footage.camera] += footage.size_bytes
        return footage


def _limits(sealed_days: float, masked_days: float, max_gb: float) -> CameraLimits:
    return CameraLimits(round(sealed_days * US_PER_DAY), round(masked_days * US_PER_DAY), round(max_gb * BYTES_PER_GB))
