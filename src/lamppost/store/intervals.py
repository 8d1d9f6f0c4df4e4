"""Arithmetic on half-open intervals of time, for the account of what was recorded.

A *spans* value is a sequence of `(start_us, end_us)` pairs; where it says
*normal*, they are ascending, not empty, and neither overlap nor touch.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

Span = tuple[int, int]
Spans = Sequence[Span]


def normal(spans: Iterable[Span]) -> list[Span]:
    """The union of `spans`; those that are empty or run backwards count for nothing."""
    merged: list[Span] = []
    for start, end in sorted(span for span in spans if span[0] < span[1]):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], end))
        else:
            merged.append((start, end))
    return merged


def shared(first: Spans, second: Spans) -> list[Span]:
    """What lies in both; takes and gives normal spans."""
    return list(_shared(first, second))


def without(spans: Spans, taken: Spans) -> list[Span]:
    """What lies in `spans` and not in `taken`; takes and gives normal spans."""
    left: list[Span] = []
    index = 0
    for start, end in spans:
        while index < len(taken) and taken[index][1] <= start:
            index += 1
        ahead = index
        while ahead < len(taken) and taken[ahead][0] < end:
            if start < taken[ahead][0]:
                left.append((start, taken[ahead][0]))
            start = max(start, taken[ahead][1])
            ahead += 1
        if start < end:
            left.append((start, end))
    return left


def total_us(spans: Spans) -> int:
    """How long normal spans are together."""
    return sum(end - start for start, end in spans)


def _shared(first: Spans, second: Spans) -> Iterator[Span]:
    i = j = 0
    while i < len(first) and j < len(second):
        start, end = max(first[i][0], second[j][0]), min(first[i][1], second[j][1])
        if start < end:
            yield start, end
        if first[i][1] <= second[j][1]:
            i += 1
        else:
            j += 1
