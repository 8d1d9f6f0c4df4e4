"""Interval arithmetic against sets of whole microseconds."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from lamppost.store.intervals import normal, shared, total_us, without

spans = st.lists(st.tuples(st.integers(0, 40), st.integers(0, 40)), max_size=8)


def _points(items: list[tuple[int, int]]) -> set[int]:
    return {point for start, end in items for point in range(start, end)}


def _is_normal(items: list[tuple[int, int]]) -> bool:
    return all(start < end for start, end in items) and all(a[1] < b[0] for a, b in pairwise(items))


@given(spans)
def test_normal_is_the_union(items: list[tuple[int, int]]) -> None:
    assert _points(normal(items)) == _points(items)
    assert _is_normal(normal(items))
    assert total_us(normal(items)) == len(_points(items))


@given(spans, spans)
def test_shared_is_the_intersection(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    result = shared(normal(first), normal(second))
    assert _points(result) == _points(first) & _points(second)
    assert _is_normal(normal(result))


@given(spans, spans)
def test_without_is_the_difference(first: list[tuple[int, int]], second: list[tuple[int, int]]) -> None:
    result = without(normal(first), normal(second))
    assert _points(result) == _points(first) - _points(second)
    assert _is_normal(result)
