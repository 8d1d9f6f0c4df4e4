"""Views live as long as they are used, are nobody else's, and are never too many."""

from __future__ import annotations

import pytest

from lamppost.api import view_book
from lamppost.api.view_book import ViewBook
from lamppost.base.clock import ManualClock


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


def test_a_view_is_its_users_alone(clock: ManualClock) -> None:
    views = ViewBook(clock)
    view = views.open("ada", ("plaza",), 10, 20, "")
    assert views.find(view.view_id, "ada") == view
    assert views.find(view.view_id, "bob") is None
    assert views.find("", "ada") is None


def test_use_renews_it_for_an_hour_and_for_twelve_at_most(clock: ManualClock) -> None:
    views = ViewBook(clock)
    view = views.open("ada", ("plaza",), 10, 20, "")
    for _ in range(12):
        clock.advance(3599)
        assert views.find(view.view_id, "ada") is not None
    assert views.expires_us(view.view_id) == clock.wall_us() + 12_000_000
    clock.advance(12)
    assert views.find(view.view_id, "ada") is None
    idle = views.open("ada", ("plaza",), 10, 20, "")
    clock.advance(3600)
    assert views.find(idle.view_id, "ada") is None


def test_a_step_of_the_wall_clock_ends_none(clock: ManualClock) -> None:
    views = ViewBook(clock)
    view = views.open("ada", ("plaza",), 10, 20, "")
    clock.step_wall(1e6)
    assert views.find(view.view_id, "ada") is not None


def test_one_more_than_thirty_two_takes_the_place_of_the_least_used(clock: ManualClock) -> None:
    views = ViewBook(clock)
    others = views.open("bob", ("plaza",), 10, 20, "")
    opened = [views.open("ada", ("plaza",), 10, 20, "") for _ in range(32)]
    assert views.find(opened[0].view_id, "ada") is not None
    views.open("ada", ("plaza",), 10, 20, "")
    assert views.find(opened[0].view_id, "ada") is not None, "used lately"
    assert views.find(opened[1].view_id, "ada") is None
    assert views.find(others.view_id, "bob") is not None, "another user's stay"


def test_all_together_are_bounded(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(view_book, "MOST", 10)
    views = ViewBook(clock)
    opened = [views.open(f"user-{number}", ("plaza",), 10, 20, "") for number in range(12)]
    assert [views.find(view.view_id, view.user_id) is not None for view in opened] == [False] * 2 + [True] * 10


@pytest.mark.parametrize(
    ("camera", "from_us", "to_us", "is_held"),
    [("plaza", 10, 20, True), ("plaza", 12, 12, True), ("plaza", 9, 20, False), ("plaza", 10, 21, False), ("bridge", 12, 13, False)],
)
def test_it_holds_a_camera_and_a_time(clock: ManualClock, camera: str, from_us: int, to_us: int, is_held: bool) -> None:
    assert ViewBook(clock).open("ada", ("plaza", "square"), 10, 20, "").holds(camera, from_us, to_us) == is_held
