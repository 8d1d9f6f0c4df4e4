"""What a benchmark returns, and how its table is written."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Figure:
    """One row: what was measured, for us, for the peer, and the ratio that counts."""

    what: str
    ours: str
    peer: str
    ratio: str
    note: str = ""


def table(title: str, figures: Sequence[Figure]) -> str:
    """A Markdown table with a heading."""
    rows = [f"### {title}", "", "| what | Lamppost | peer | ratio | note |", "|---|---|---|---|---|"]
    return "\n".join([*rows, *map(row, figures)]) + "\n"


def row(figure: Figure) -> str:
    """Its row of the table."""
    return f"| {figure.what} | {figure.ours} | {figure.peer} | {figure.ratio} | {figure.note} |"


def median_and_spread(values: Sequence[float], digits: int = 2) -> str:
    """`1.23 (1.10–1.40)`: the median, the least and the greatest."""
    return f"{statistics.median(values):.{digits}f} ({min(values):.{digits}f}–{max(values):.{digits}f})"


def p95(values: Sequence[float]) -> float:
    """The 95th percentile, the nearest that was measured."""
    return sorted(values)[round(0.95 * (len(values) - 1))]


def middle_and_p95(took_ms: Sequence[float]) -> str:
    """`1.2, p95 3.4 ms`: the median, and the 95th percentile."""
    digits = 1 if statistics.median(took_ms) >= 1 else 2
    return f"{statistics.median(took_ms):.{digits}f}, p95 {p95(took_ms):.{digits}f} ms"
