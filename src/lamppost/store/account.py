"""The account of one camera's time: what the entries in the index add up to, in any window of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from lamppost.store.intervals import Span, Spans, normal, shared, total_us, without

MOST_UNEXPLAINED: Final = 100


@dataclass(frozen=True, slots=True)
class Account:
    """What became of one camera's time, between `first_us` and `until_us`.

    `unexplained_us` is what no sealed segment, no declared gap and nothing
    forgotten covers; it should be zero. `masked_us` is the part of the recorded time that can be
    watched, `covered_us` the part of that which shows nothing, `reduced_us_by_step` the parts of it at
    which the machine was too slow to mask everything; `masked_forgotten_us`
    the part whose masked video was deleted, `held_us` the part that holds keep.
    `forgotten_us` was recorded, and its originals were deleted.
    """

    camera: str
    first_us: int
    until_us: int
    recorded_us: int
    masked_us: int
    covered_us: int
    gap_us: int
    gap_us_by_cause: tuple[tuple[str, int], ...]
    frames: int
    sealed_bytes: int
    unexplained_us: int
    unexplained: tuple[Span, ...]  # the first of them
    forgotten_us: int = 0
    masked_forgotten_us: int = 0
    held_us: int = 0
    reduced_us_by_step: tuple[tuple[str, int], ...] = ()


@dataclass(frozen=True, slots=True)
class Entries:
    """What the index has of a camera around a window; spans in any order, those of one run joined."""

    sealed: Spans
    masked: Spans
    sealed_forgotten: Spans
    masked_forgotten: Spans
    gaps: Sequence[tuple[str, Span]]  # cause, span
    covers: Sequence[tuple[str, Span]]
    reductions: Sequence[tuple[str, Span]]  # step, span
    holds: Spans
    frames: int
    sealed_bytes: int


def balance(camera: str, entries: Entries, window: Span) -> Account:
    """The account of `window`; it begins with the first entry where that is later."""
    gaps = normal(_clip([span for _, span in entries.gaps], window))
    kept = normal(_clip(entries.sealed, window))
    gone = normal(_clip(entries.sealed_forgotten, window))
    first_us = min((spans[0][0] for spans in (gaps, kept, gone) if spans), default=window[1])
    recorded = without(kept, gaps)
    masked = shared(normal(_clip(entries.masked, window)), recorded)
    forgotten = without(gone, normal([*recorded, *gaps]))
    unexplained = without(normal([(first_us, window[1])]), normal([*recorded, *gaps, *forgotten]))
    return Account(
        camera=camera,
        first_us=first_us,
        until_us=window[1],
        recorded_us=total_us(recorded),
        masked_us=total_us(masked),
        covered_us=total_us(shared(masked, normal(span for _, span in entries.covers))),
        gap_us=total_us(gaps),
        gap_us_by_cause=_by_cause(entries.gaps, normal([window])),
        frames=entries.frames,
        sealed_bytes=entries.sealed_bytes,
        unexplained_us=total_us(unexplained),
        unexplained=tuple(unexplained[:MOST_UNEXPLAINED]),
        forgotten_us=total_us(forgotten),
        masked_forgotten_us=total_us(without(shared(normal(_clip(entries.masked_forgotten, window)), recorded), masked)),
        held_us=total_us(shared(recorded, normal(entries.holds))),
        reduced_us_by_step=_by_cause(entries.reductions, masked),
    )


def _clip(spans: Spans, window: Span) -> list[Span]:
    return [(max(start, window[0]), min(end, window[1])) for start, end in spans]


def _by_cause(intervals: Sequence[tuple[str, Span]], within: Spans) -> tuple[tuple[str, int], ...]:
    """The time of each cause, as far as it lies `within` those normal spans."""
    spans: dict[str, list[Span]] = {}
    for cause, span in intervals:
        spans.setdefault(cause, []).append(span)
    joined = {cause: shared(normal(spans[cause]), within) for cause in sorted(spans)}
    return tuple((cause, total_us(each)) for cause, each in joined.items())
