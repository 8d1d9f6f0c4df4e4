"""Tallies as they stand in a journal: one JSON object each."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Sequence
from typing import Any, Final, cast

from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import CountedKind

_KEYS: Final = frozenset({"measure", "kind", "count", "total", "most", "bins"})
_MOST_COUNT: Final = 2**53  # far below what the index can hold, so that sums stay below it too
_MOST_BINS: Final = 128 * 128  # cells of the largest heat map


def tally_to_json(tally: Tally) -> str:
    """One line of JSON; what is None is left out."""
    fields: dict[str, Any] = {"measure": tally.measure.value, "count": tally.count}
    if tally.kind is not None:
        fields["kind"] = tally.kind.value
    for name in ("total", "most"):
        value: float | None = getattr(tally, name)
        if value is not None:
            fields[name] = round(value, 3)
    if tally.bins is not None:
        fields["bins"] = [round(value, 3) for value in tally.bins]
    return json.dumps(fields, separators=(",", ":"))


def tally_from_json(text: str) -> Tally:
    """The tally that `text` is; raises `ValueError` for anything else."""
    try:
        fields: Any = json.loads(text)
    except RecursionError as error:  # brackets a thousand deep
        raise ValueError(f"{text[:80]!r} is no tally") from error
    if not isinstance(fields, dict) or not {"measure", "count"} <= fields.keys() <= _KEYS:
        raise ValueError(f"{text[:80]!r} is no tally")
    content = cast("dict[str, Any]", fields)
    count, kind, bins = content["count"], content.get("kind"), content.get("bins")
    if type(count) is not int or not 0 <= count <= _MOST_COUNT:
        raise ValueError("the count of a tally is a whole number, 0 or more")
    values = None if bins is None else _numbers(bins)
    total, most = content.get("total"), content.get("most")
    return Tally(
        Measure(content["measure"]),
        None if kind is None else CountedKind(kind),
        count,
        None if total is None else _number(total),
        None if most is None else _number(most),
        values,
    )


def bins_to_json(bins: tuple[float, ...] | None) -> str | None:
    """A list of numbers, or None."""
    return None if bins is None else json.dumps([round(value, 3) for value in bins], separators=(",", ":"))


def bins_from_json(text: str | None) -> tuple[float, ...] | None:
    """The reverse of `bins_to_json`."""
    return None if text is None else tuple(float(value) for value in json.loads(text))


def _numbers(bins: Any) -> tuple[float, ...]:
    if not isinstance(bins, list) or len(values := cast("Sequence[Any]", bins)) > _MOST_BINS:
        raise ValueError(f"the bins of a tally are a list of {_MOST_BINS} numbers at most")
    return tuple(map(_number, values))


def _number(value: Any) -> float:
    if type(value) not in (int, float) or not abs(value) <= sys.float_info.max:
        raise ValueError(f"{str(value)[:80]} is no number")
    return float(value)


def add_up(one: Tally, other: Tally) -> Tally:
    """Both together; of the same measure and kind."""
    bins = one.bins or other.bins
    if one.bins is not None and other.bins is not None:
        # The grid of a heat map may have changed in between: then the newer one counts.
        bins = tuple(a + b for a, b in zip(one.bins, other.bins, strict=True)) if len(one.bins) == len(other.bins) else other.bins
    return Tally(one.measure, one.kind, one.count + other.count, _sum(one.total, other.total), _most(one.most, other.most), bins)


def united(tallies: Iterable[Tally]) -> list[Tally]:
    """One tally of each measure and kind: those of one added up, in the order in which they came first."""
    found: dict[tuple[Measure, CountedKind | None], Tally] = {}
    for tally in tallies:
        key = (tally.measure, tally.kind)
        found[key] = add_up(found[key], tally) if key in found else tally
    return list(found.values())


def _sum(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else one + other


def _most(one: float | None, other: float | None) -> float | None:
    return other if one is None else one if other is None else max(one, other)
