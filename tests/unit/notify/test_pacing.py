"""Later each time, never in step, never beyond the cap; and a message that nobody takes delays no other."""

from __future__ import annotations

from random import Random

from hypothesis import given
from hypothesis import strategies as st

from lamppost.notify.pacing import CAP_S, FAILING_NOTICES, FIRST_S, LONGEST_RETRY_AFTER_S, Pace, delay_s


@given(st.integers(1, 10_000), st.integers())
def test_a_delay_is_between_half_and_the_whole_of_its_doubling(failures: int, seed: int) -> None:
    whole_s = min(CAP_S, FIRST_S * 2.0 ** min(failures - 1, 30))
    assert whole_s / 2 <= delay_s(failures, Random(seed)) <= whole_s


def test_two_carriers_do_not_come_back_in_step() -> None:
    assert len({delay_s(5, Random(seed)) for seed in range(20)}) == 20


def test_one_bad_message_pauses_itself_and_never_the_carrier() -> None:
    pace = Pace(Random(1))
    for attempt in range(1, 50):
        pause = pace.fail(("bad", 0), attempt, is_about_all=False)
        assert pause.carrier_s == 0.0
        assert pause.notice_s > 0.0


def test_several_messages_in_a_row_are_the_carriers_trouble() -> None:
    pace = Pace(Random(1))
    pauses = [pace.fail((f"event-{number}", 0), 1, is_about_all=False).carrier_s for number in range(FAILING_NOTICES + 1)]
    assert [pause_s > 0 for pause_s in pauses] == [False] * (FAILING_NOTICES - 1) + [True] * 2
    pace.succeed()
    assert pace.fail(("event", 0), 1, is_about_all=False).carrier_s == 0.0


@given(st.lists(st.tuples(st.booleans(), st.booleans(), st.floats(0, 1e9)), max_size=60), st.integers())
def test_no_pause_is_longer_than_was_promised(outcomes: list[tuple[bool, bool, float]], seed: int) -> None:
    pace = Pace(Random(seed))
    for number, (is_success, is_about_all, retry_after_s) in enumerate(outcomes):
        if is_success:
            pace.succeed()
            continue
        pause = pace.fail((str(number % 5), 0), number + 1, is_about_all=is_about_all, retry_after_s=retry_after_s)
        longest_s = max(CAP_S, min(retry_after_s, LONGEST_RETRY_AFTER_S))
        assert 0 < pause.notice_s <= longest_s
        assert 0 <= pause.carrier_s <= longest_s
        assert pause.carrier_s >= min(retry_after_s, LONGEST_RETRY_AFTER_S)
        assert pause.carrier_s > 0 or not is_about_all


def test_pauses_of_a_carrier_grow_to_the_cap_and_begin_anew() -> None:
    pace = Pace(Random(1))
    pauses = [pace.fail(None, 1, is_about_all=True).carrier_s for _ in range(12)]
    assert pauses[0] <= FIRST_S
    assert pauses[-1] >= CAP_S / 2
    pace.succeed()
    assert pace.fail(None, 1, is_about_all=True).carrier_s <= FIRST_S
