"""The wall clock is stepped while the node records: runs are cut, no picture is lost, the account stays exact."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime

import pytest

from crash.node import Node
from faults.conftest import ShiftedClock
from lamppost.base.clock import US_PER_S, SystemClock
from lamppost.model.layout import DataFolder
from lamppost.model.media import GapCause
from lamppost.store.index import Index
from numbered import NumberAccount, check_numbers, open_originals


def record_through(node: Node, clock: ShiftedClock, steps: list[float]) -> NumberAccount:
    node.start()
    node.await_fragments(3)
    for step in steps:
        clock.step(step)
        node.await_fragments(4)
    node.stop()
    with Index(DataFolder(node.data)) as index:
        gaps = index.gaps(node.camera)
        segments = index.segments(node.camera)
    assert all(gap.end_us is None or gap.end_us >= gap.start_us for gap in gaps)
    assert all(segment.end_us >= segment.start_us for segment in segments)
    account = node.accounts()[node.camera]
    assert all(isinstance(account[name], int) and account[name] >= 0 for name in ("recorded_us", "masked_us", "covered_us", "gap_us"))  # type: ignore[operator]
    return check_numbers(node, fps=10, is_one_count=False, has_stepped=True)


def steps_declared_s(node: Node) -> float:
    with Index(DataFolder(node.data)) as index:
        found = [gap for gap in index.gaps(node.camera) if gap.cause == GapCause.CLOCK_STEPPED.value and gap.end_us is not None]
    return sum((gap.end_us or 0) - gap.start_us for gap in found) / US_PER_S


def assert_no_number_is_missing(node: Node) -> None:
    """The source never stopped: a step of the clock costs no picture."""
    numbers = sorted(shot.number for run in open_originals(node) for shot in run if shot.number is not None)
    assert numbers == list(range(numbers[0], numbers[0] + len(numbers)))


@pytest.mark.long
def test_an_hour_ahead(make_node: Callable[..., Node], shifted_clock: ShiftedClock) -> None:
    node = make_node(environment=shifted_clock.environment)
    assert record_through(node, shifted_clock, [3600]).runs >= 2
    assert 3590 < steps_declared_s(node) < 3610


@pytest.mark.long
def test_an_hour_back(make_node: Callable[..., Node], shifted_clock: ShiftedClock) -> None:
    node = make_node(environment=shifted_clock.environment)
    assert record_through(node, shifted_clock, [-3600]).runs >= 2


@pytest.mark.long
@pytest.mark.parametrize("step", [1.0, -1.0, 1.5, -1.5])
def test_about_a_second(make_node: Callable[..., Node], shifted_clock: ShiftedClock, step: float) -> None:
    node = make_node(environment=shifted_clock.environment)
    account = record_through(node, shifted_clock, [step])
    if abs(step) > 1.2:
        assert account.runs >= 2


@pytest.mark.long
def test_to_and_fro(make_node: Callable[..., Node], shifted_clock: ShiftedClock) -> None:
    node = make_node(environment=shifted_clock.environment)
    record_through(node, shifted_clock, [3600, -3600, 1.5, -1.5, 30, -7200, 7200])


@pytest.mark.long
@pytest.mark.parametrize("turn", ["2026-03-29T01:00:00", "2026-10-25T01:00:00"])
def test_the_change_of_summer_time_is_no_step(make_node: Callable[..., Node], shifted_clock: ShiftedClock, turn: str) -> None:
    """UTC does not change; whoever counted in local time would lose or repeat an hour here."""
    node = make_node(environment={**shifted_clock.environment, "TZ": "Europe/Berlin"})
    turn_us = int(datetime.fromisoformat(turn).replace(tzinfo=UTC).timestamp() * US_PER_S)
    shifted_clock.step((turn_us - SystemClock().wall_us()) / US_PER_S - 20)
    assert record_through(node, shifted_clock, [0.0] * 6).runs == 1
    assert steps_declared_s(node) == 0
    with Index(DataFolder(node.data)) as index:
        account = index.account(node.camera, None)
    assert account is not None
    assert account.first_us < turn_us < account.until_us
    assert set(dict(account.gap_us_by_cause)) <= {"starting", "stopped"}
