"""What is chosen: nothing held, everything too old, never more than is needed, always the oldest."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.books import Rendition
from lamppost.model.settings import CameraSettings, RetentionSettings, SealingSettings, Settings
from lamppost.store.retention import (
    CameraLimits,
    Cause,
    Choice,
    Footage,
    RetentionLimits,
    Shelf,
    Situation,
    choose,
    whole_epochs,
)

RECIPIENTS = (
    "age1dlyrzmflglgun8wg27pw0jrcuk55tjgyg3ccg0p6sp59evhvrveq78aury",
    "age1cy8su7y90zyy3r9ryryr8txk5vw0xe05m5ka88vtn7xu508fsazs9s5vlk",
)
CAMERAS = ("gate", "plaza", "quay")
EPOCH = 40
NOW = 1000


@st.composite
def footage(draw: st.DrawFn) -> list[Footage]:
    found: list[Footage] = []
    for camera, rendition in itertools.product(CAMERAS, Rendition):
        us = draw(st.integers(0, 200))
        for number in range(draw(st.integers(0, 12))):
            length = draw(st.integers(0, 15))
            epoch = f"{camera}-{us // EPOCH}" if rendition is Rendition.SEALED else None
            name = f"{camera}-{rendition.value}-{number}"
            is_open = draw(st.integers(0, 9)) == 0
            found.append(Footage(name, camera, rendition, us, us + length, draw(st.integers(0, 50)), epoch, is_open))
            us += length + draw(st.integers(0, 30))
    return found


@st.composite
def situations(draw: st.DrawFn, stored: list[Footage]) -> Situation:
    used: Counter[str] = Counter()
    for one in stored:
        used[one.camera] += one.size_bytes
    spans = st.lists(st.tuples(st.integers(-10, 500), st.integers(1, 60)).map(lambda s: (s[0], s[0] + s[1])), max_size=3)
    in_use = draw(st.sets(st.sampled_from(sorted({one.epoch_id for one in stored if one.epoch_id} or {""})), max_size=3))
    limits = st.builds(CameraLimits, st.integers(500, 1100), st.integers(500, 1100), st.sampled_from([0, 0, 50, 100, 200]))
    return Situation(
        now_us=NOW,
        free_bytes=draw(st.integers(0, 300)),
        limits=RetentionLimits(draw(limits), {"plaza": draw(limits)}, draw(st.sampled_from([0, 100, 400]))),
        holds={camera: draw(spans) for camera in CAMERAS},
        used_bytes=used,
        is_in_use=in_use.__contains__,
    )


def shelves(stored: list[Footage]) -> list[Shelf]:
    found: list[Shelf] = []
    for camera, rendition in itertools.product(CAMERAS, Rendition):
        here = sorted((one for one in stored if (one.camera, one.rendition) == (camera, rendition)), key=lambda one: one.start_us)
        if here:
            found.append(Shelf(camera, rendition, here[0].start_us, here))
    return found


def of(choice: Choice, cause: Cause) -> list[Footage]:
    return [chosen.footage for chosen in choice.chosen if chosen.cause is cause]


@settings(deadline=None)
@given(data=st.data())
def test_the_rules_hold(data: st.DataObject) -> None:
    stored = data.draw(footage())
    situation = data.draw(situations(stored))
    choice = choose(shelves(stored), situation, 10_000)
    chosen = [one.footage for one in choice.chosen]
    assert len({one.segment_id for one in chosen}) == len(chosen)
    allowed = [one for one in stored if _may_go(one, situation)]
    assert all(one in allowed for one in chosen), "nothing that is held, open or in use"
    _check_age(allowed, choice, situation)
    _check_bytes(stored, allowed, choice, situation)
    _check_pressure(allowed, choice, situation)


def _may_go(one: Footage, situation: Situation) -> bool:
    if one.is_open or (one.epoch_id and situation.is_in_use(one.epoch_id)):
        return False
    moments = range(one.start_us, max(one.end_us, one.start_us + 1))  # every microsecond of it
    return not any(start <= moment < end for start, end in situation.holds[one.camera] for moment in moments)


def _check_age(allowed: list[Footage], choice: Choice, situation: Situation) -> None:
    old = of(choice, Cause.AGE)
    for one in allowed:
        limits = situation.limits.camera(one.camera)
        limit_us = limits.sealed_us if one.rendition is Rendition.SEALED else limits.masked_us
        if one.start_us < NOW - limit_us:
            assert one in old, "what is too old goes"
            siblings = [other for other in allowed if one.epoch_id is not None and other.epoch_id == one.epoch_id]
            assert all(other in old for other in siblings), "an epoch goes whole"
        elif one in old and one.rendition is Rendition.SEALED:
            siblings = [other for other in allowed if other.epoch_id == one.epoch_id]
            assert min(other.start_us for other in siblings) < NOW - limit_us, "before its time only with its epoch"
        elif one in old:
            assert one.start_us < NOW - limit_us + max(1, limit_us // 100), "a hundredth early at most"


def _check_bytes(stored: list[Footage], allowed: list[Footage], choice: Choice, situation: Situation) -> None:
    old = of(choice, Cause.AGE)
    for camera in CAMERAS:
        limit = situation.limits.camera(camera).max_bytes
        much = [one for one in of(choice, Cause.BYTES) if one.camera == camera]
        before = sum(one.size_bytes for one in stored if one.camera == camera and one not in old)
        after = before - sum(one.size_bytes for one in much)
        if much:
            assert limit
            assert after + much[-1].size_bytes > limit, "not one more than needed"
        left = [one for one in allowed if one.camera == camera and one not in old and one not in much]
        assert not limit or after <= limit or not left, "as long as it is too much and anything may go"
        if much and left:
            assert max(one.start_us for one in much) <= min(one.start_us for one in left), "the oldest"


def _check_pressure(allowed: list[Footage], choice: Choice, situation: Situation) -> None:
    pressed = of(choice, Cause.PRESSURE)
    others = [one.footage for one in choice.chosen if one.cause is not Cause.PRESSURE]
    need = situation.limits.keep_free_bytes - situation.free_bytes - sum(one.size_bytes for one in others)
    freed = sum(one.size_bytes for one in pressed)
    left = [one for one in allowed if one not in others and one not in pressed]
    if pressed:
        assert freed - pressed[-1].size_bytes < need, "as few as needed"
        assert [one.start_us for one in pressed] == sorted(one.start_us for one in pressed)
        assert not left or pressed[-1].start_us <= min(one.start_us for one in left), "the oldest of all cameras"
    assert freed >= need or not left
    assert choice.missing_bytes == max(0, need - freed)
    assert choice.is_exhausted == (need > freed)


def test_no_more_than_the_limit_but_a_whole_epoch() -> None:
    stored = [Footage(f"s{n}", "plaza", Rendition.SEALED, n, n + 1, 1, f"e{n // 6}") for n in range(24)]
    situation = Situation(NOW, 0, RetentionLimits(CameraLimits(1, 1, 0), {}, 0), {}, {}, lambda _: False)
    assert len(choose(shelves(stored), situation, 8).chosen) == 12


def test_a_shelf_of_which_nothing_can_be_wanted_is_not_read() -> None:
    def trap() -> Iterator[Footage]:
        raise AssertionError("it was read")
        yield

    situation = Situation(NOW, 100, RetentionLimits(CameraLimits(500, 500, 100), {}, 100), {}, {"plaza": 100}, lambda _: False)
    assert choose([Shelf("plaza", Rendition.SEALED, 501, trap())], situation, 10).chosen == ()


def test_an_epoch_goes_when_nothing_of_it_stays() -> None:
    going = [Footage(f"s{n}", "plaza", Rendition.SEALED, n, n + 1, 1, f"e{n // 2}") for n in range(5)]
    assert whole_epochs(going, {"e0": 2, "e1": 3, "e2": 1}) == ("e0", "e2")


def test_the_limits_of_a_camera_replace_the_common_ones() -> None:
    configured = Settings(
        sealing=SealingSettings(custodians=RECIPIENTS, threshold=2),
        retention=RetentionSettings(sealed_days=1, masked_days=2, max_gb=3, keep_free_gb=4),
        camera=(CameraSettings(name="gate", url="sim://plaza", sealed_days=0.5), CameraSettings(name="quay", url="sim://plaza", max_gb=1)),
    )
    limits = RetentionLimits.of(configured)
    day_us = 86_400_000_000
    assert limits.camera("gate") == CameraLimits(day_us // 2, 2 * day_us, 3 * 10**9)
    assert limits.camera("quay") == CameraLimits(day_us, 2 * day_us, 10**9)
    assert limits.camera("gone") == limits.common == CameraLimits(day_us, 2 * day_us, 3 * 10**9)
    assert limits.keep_free_bytes == 4 * 10**9


@pytest.mark.parametrize(("span", "is_held"), [((0, 10), False), ((0, 11), True), ((19, 20), True), ((20, 30), False), ((12, 13), True)])
def test_spans_are_half_open(span: tuple[int, int], is_held: bool) -> None:
    assert Footage("s", "plaza", Rendition.MASKED, 10, 20, 1).overlaps(span) == is_held
    assert Footage("s", "plaza", Rendition.MASKED, 12, 12, 1).overlaps(span) == (span == (12, 13))
