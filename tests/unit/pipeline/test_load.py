"""Masking gives up quickly where it must, asks for more slowly, and never flutters."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import ReductionStep
from lamppost.pipeline.load import GRACE_S, PATIENCE_LIMIT_S, RESTORE_AFTER_S, SETTLE_S, STEPS, Load, LoadControl

TICK_S = 0.5
CALM, BEHIND, FULL = Load(0.05, 0.02), Load(2.0, 0.2), Load(0.3, 0.9)
LEVELS: dict[ReductionStep | None, int] = {None: 0} | {step: number for number, step in enumerate(STEPS, 1)}


def begun(*cameras: str) -> LoadControl:
    """A control that has known its cameras for a while."""
    control = LoadControl()
    control.decide(-GRACE_S, dict.fromkeys(cameras, CALM))
    return control


def drive(control: LoadControl, loads: dict[str, Load], for_s: float, from_s: float = 0.0) -> list[tuple[float, dict[str, int]]]:
    """(time, level of each camera) after every tick of a constant load."""
    times = [from_s + TICK_S * tick for tick in range(round(for_s / TICK_S))]
    return [(now_s, {camera: LEVELS[step] for camera, step in control.decide(now_s, loads).items()}) for now_s in times]


def first_s(course: list[tuple[float, dict[str, int]]], camera: str, level: int) -> float:
    return next(now_s for now_s, levels in course if levels[camera] == level)


def test_nothing_is_given_up_without_need() -> None:
    assert {level for _, levels in drive(begun("gate"), {"gate": CALM}, 600) for level in levels.values()} == {0}


def test_a_camera_that_is_behind_is_reduced_within_two_seconds_and_in_the_end_covered() -> None:
    for load in (BEHIND, FULL, Load(0.1, 0.1, is_stalled=True)):
        course = drive(begun("gate"), {"gate": load}, 30)
        assert first_s(course, "gate", 1) <= 2.0
        assert first_s(course, "gate", 4) <= 2.0 + 3 * (SETTLE_S + 2 * TICK_S)
        assert course[-1][1]["gate"] == 4


def test_what_came_while_the_process_was_starting_costs_no_step() -> None:
    control = LoadControl()
    assert drive(control, {"gate": Load(0.0, 0.0, has_begun=False)}, 60)[-1][1]["gate"] == 0
    course = drive(control, {"gate": BEHIND}, 10, 60)
    assert 60 + GRACE_S <= first_s(course, "gate", 1) <= 60 + GRACE_S + 2


def test_a_short_burst_changes_nothing() -> None:
    control = begun("gate")
    drive(control, {"gate": BEHIND}, 1.0)
    assert drive(control, {"gate": CALM}, 5, 1.0)[-1][1]["gate"] == 0


def test_one_that_falls_behind_alone_is_reduced_alone() -> None:
    course = drive(begun("gate", "plaza", "bridge"), {"gate": BEHIND, "plaza": CALM, "bridge": CALM}, 20)
    assert course[-1][1] == {"gate": 4, "plaza": 0, "bridge": 0}


def test_where_several_fall_behind_all_go_down_together() -> None:
    course = drive(begun("gate", "plaza", "bridge"), {"gate": BEHIND, "plaza": FULL, "bridge": CALM}, 3)
    assert course[-1][1] == {"gate": 1, "plaza": 1, "bridge": 1}


def test_a_backlog_that_goes_by_itself_costs_no_further_step() -> None:
    control, now_s, behind_s = begun("gate"), 0.0, 4.0
    levels: list[int] = []
    while behind_s > 0.01:
        step = control.decide(now_s, {"gate": Load(behind_s, 0.0)})["gate"]
        levels.append(LEVELS[step])
        behind_s *= 1.0 if step is None else 0.7
        now_s += TICK_S
    assert max(levels) == 1


def test_calm_restores_one_step_after_another() -> None:
    control = begun("gate")
    drive(control, {"gate": BEHIND}, 20)
    course = drive(control, {"gate": CALM}, 100, 20)
    times = [first_s(course, "gate", level) for level in (3, 2, 1, 0)]
    assert times[0] >= 20 + RESTORE_AFTER_S
    assert all(RESTORE_AFTER_S <= later - earlier <= RESTORE_AFTER_S + 2 * TICK_S for earlier, later in pairwise(times))


def test_who_was_restored_too_early_waits_longer_each_time_but_not_for_ever() -> None:
    control, now_s, restored = begun("gate"), 0.0, []
    level = 0
    while now_s < 4000:
        step = control.decide(now_s, {"gate": BEHIND if level == 0 else CALM})["gate"]
        if level and step is None:
            restored.append(now_s)
        level, now_s = LEVELS[step], now_s + TICK_S
    waits = [later - earlier for earlier, later in pairwise(restored)]
    assert waits[:3] == sorted(waits[:3])
    assert waits[1] >= 1.8 * waits[0]
    assert max(waits) <= PATIENCE_LIMIT_S + 5
    assert len(waits) > 5


def test_a_camera_that_is_gone_is_forgotten() -> None:
    control = begun("gate")
    drive(control, {"gate": BEHIND}, 20)
    assert control.decide(21, {}) == {}
    assert control.decide(22, {"gate": CALM}) == {"gate": None}


loads = st.builds(Load, st.floats(0, 20), st.floats(0, 1.2), st.booleans())


@settings(deadline=None, max_examples=200)
@given(st.lists(st.tuples(st.floats(0.1, 30), loads, loads, loads), min_size=1, max_size=60))
def test_steps_go_one_by_one_and_never_flutter(phases: list[tuple[float, Load, Load, Load]]) -> None:
    control, now_s = LoadControl(), 0.0
    courses: dict[str, list[tuple[float, int, float]]] = {camera: [] for camera in ("gate", "plaza", "bridge")}
    for lasts_s, *of_each in phases:
        until_s = now_s + lasts_s
        while now_s < until_s:
            steps = control.decide(now_s, dict(zip(courses, of_each, strict=True)))
            for camera, load in zip(courses, of_each, strict=True):
                courses[camera].append((now_s, LEVELS[steps[camera]], load.strain))
            now_s += TICK_S
    for course in courses.values():
        level, changes = 0, [(0.0, 0)]
        for at_s, now_level, _ in course:
            assert abs(now_level - level) <= 1
            if now_level != level:
                changes.append((at_s, now_level - level))
            level = now_level
        for (earlier_s, direction), (later_s, next_direction) in pairwise(changes):
            if next_direction > 0:
                assert later_s - earlier_s >= (SETTLE_S if direction else 0)
            else:
                assert later_s - earlier_s >= RESTORE_AFTER_S
                assert all(strain <= 0.5 for at_s, _, strain in course if later_s - RESTORE_AFTER_S <= at_s <= later_s)
