"""Searches run one at a time in the background, tell what they find at once, and always come to an end."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import ConfigError, StoreError
from lamppost.model.device_settings import DeviceSettings
from lamppost.model.devices import DeviceIdentity, FoundDevice
from lamppost.pipeline import device_searches
from lamppost.pipeline.device_searches import KEPT_US, MOST_KEPT, DeviceSearches, RunningSearch, SearchState

SETTINGS = DeviceSettings(interfaces=("10.0.0.1",))
DEVICE = FoundDevice("10.0.0.7", "http://10.0.0.7", DeviceIdentity(), (), "")


class Search:
    """A search that goes on until a test lets it end."""

    def __init__(self) -> None:
        self.asked: dict[str, Any] = {}
        self.has_begun = threading.Event()
        self.may_end = threading.Event()
        self.error: Exception | None = None

    def __call__(self, networks: object, clock: object, **asked: Any) -> tuple[FoundDevice, ...]:
        self.asked = asked
        asked["on_found"]((DEVICE,))
        asked["on_progress"](0.5)
        self.has_begun.set()
        while not (self.may_end.wait(0.01) or asked["stop"].is_set()):
            pass
        if self.error is not None:
            raise self.error
        return (DEVICE,)


@pytest.fixture
def search(monkeypatch: pytest.MonkeyPatch) -> Search:
    made = Search()
    monkeypatch.setattr(device_searches, "search", made)
    return made


@pytest.fixture
def searches(search: Search) -> Iterator[DeviceSearches]:
    made = DeviceSearches(ManualClock())
    yield made
    made.close()
    assert not [thread for thread in threading.enumerate() if thread.name == "device-search"]


def begun(searches: DeviceSearches, search: Search, **asked: Any) -> RunningSearch:
    running = searches.begin(SETTINGS, **asked)
    assert running is not None
    assert search.has_begun.wait(5)
    return running


def ended(searches: DeviceSearches, search: Search) -> None:
    search.may_end.set()
    thread = searches._thread
    assert thread is not None
    thread.join(5)
    assert not thread.is_alive()


def test_what_is_found_is_told_at_once_and_one_search_runs_at_a_time(searches: DeviceSearches, search: Search) -> None:
    running = begun(searches, search)
    assert (running.state, running.progress, running.found) == (SearchState.RUNNING, 0.5, (DEVICE,))
    assert search.asked["interfaces"] == ("10.0.0.1",), "those of the settings"
    asked: list[str] = []
    assert searches.begin(SETTINGS, first=lambda: asked.append("recorded")) is None
    assert asked == [], "what does not begin is not on the record"
    ended(searches, search)
    assert (running.state, running.progress, running.problem) == (SearchState.DONE, 1.0, "")
    assert searches.find(running.id) is running
    assert searches.find("other") is None


def test_what_cannot_be_put_on_the_record_is_not_done(searches: DeviceSearches, search: Search) -> None:
    def first() -> None:
        raise StoreError("the disk is full")

    with pytest.raises(StoreError):
        searches.begin(SETTINGS, first=first)
    assert not search.has_begun.is_set()
    begun(searches, search, ranges=("10.0.0.0/30",), interfaces=("10.0.0.2",))
    assert (search.asked["ranges"], search.asked["interfaces"]) == (("10.0.0.0/30",), ("10.0.0.2",))


@pytest.mark.parametrize("error", [ConfigError("no such interface"), OSError(24, "Too many open files")])
def test_one_that_fails_says_why(searches: DeviceSearches, search: Search, error: Exception) -> None:
    search.error = error
    running = begun(searches, search)
    ended(searches, search)
    assert running.state is SearchState.FAILED
    assert running.problem


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")
def test_a_mistake_of_ours_leaves_no_search_that_runs_for_ever(searches: DeviceSearches, search: Search) -> None:
    search.error = RuntimeError("a bug")
    running = begun(searches, search)
    ended(searches, search)
    assert running.state is SearchState.FAILED


def test_closing_ends_the_search_and_nothing_begins_after_it(searches: DeviceSearches, search: Search) -> None:
    running = begun(searches, search)
    searches.close()
    assert running.state is SearchState.FAILED
    assert running.problem
    assert searches.begin(SETTINGS) is None


def test_a_few_searches_are_remembered_for_a_while(search: Search, monkeypatch: pytest.MonkeyPatch) -> None:
    clock = ManualClock()
    made = DeviceSearches(clock)
    search.may_end.set()
    ids: list[str] = []
    for _ in range(MOST_KEPT + 3):
        ids.append(begun(made, search).id)
        ended(made, search)
    assert [each for each in ids if made.find(each)] == ids[-MOST_KEPT:]
    clock.advance(KEPT_US / US_PER_S + 1)
    last = begun(made, search).id
    made.close()
    assert [each for each in [*ids, last] if made.find(each)] == [last]
