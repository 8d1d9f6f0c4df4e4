"""Retries grow, stay under their cap and never march in step."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lamppost.ingest.backoff import Backoff


@given(st.integers(), st.floats(0.1, 5), st.floats(5, 60))
def test_delays_double_under_the_cap_with_jitter(seed: int, first_s: float, cap_s: float) -> None:
    backoff = Backoff(first_s=first_s, cap_s=cap_s, random=Random(seed))
    whole_s = first_s
    for _ in range(20):
        assert whole_s / 2 <= backoff.next_s() <= whole_s <= cap_s
        whole_s = min(cap_s, whole_s * 2)


def test_an_answer_resets_it() -> None:
    backoff = Backoff(random=Random(1))
    for _ in range(10):
        backoff.next_s()
    backoff.reset()
    assert backoff.next_s() <= 0.5


def test_two_cameras_do_not_come_back_at_once() -> None:
    one, other = Backoff(random=Random(1)), Backoff(random=Random(2))
    assert [one.next_s() for _ in range(5)] != [other.next_s() for _ in range(5)]
