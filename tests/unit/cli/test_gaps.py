"""`lamppost camera gaps` accounts for every moment, in any window, and says so by its exit code."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.base.clock import US_PER_S, ManualClock, format_utc
from lamppost.model.books import GapClosed, GapOpened
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from street_books import Street

Lamppost = Callable[..., Result]
START_US = 1_700_000_000 * US_PER_S


class House:
    """A node that recorded 6 s, was without its camera for 10 s, and recorded 6 s more; then it was stopped."""

    def __init__(self, root: Path, *, is_told: bool = True) -> None:
        self.folder = DataFolder(root / "lamppost-data")
        self.clock = ManualClock(START_US)
        with JournalWriter(self.folder.journal / "recorder-1", clock=self.clock) as journal:
            street = Street(self.folder, journal, self.clock, is_real_time=True)
            street.record(6)
            if is_told:
                journal.append(GapOpened("gone", "plaza", "camera_unreachable", self.clock.wall_us(), "no route"))
            self.clock.advance(10)
            street.last_end_us = self.clock.wall_us()
            street.run_id = "run-2"
            if is_told:
                journal.append(GapClosed("gone", self.clock.wall_us()))
            street.record(6)
            journal.append(GapOpened("end", "plaza", "stopped", self.clock.wall_us(), ""))
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()


@pytest.fixture
def site(lamppost: Lamppost, here: Path) -> Path:
    lamppost("init", "--camera", "plaza=sim://plaza")
    return here


def test_the_account_names_every_cause_and_every_gap(lamppost: Lamppost, site: Path) -> None:
    House(site)
    result = lamppost("camera", "gaps", "--json")
    assert result.exit_code == 0, result.output
    (account,) = json.loads(result.output)
    assert (account["camera"], account["recorded_us"], account["unexplained_us"]) == ("plaza", 12 * US_PER_S, 0)
    assert dict(account["gap_us_by_cause"])["camera_unreachable"] == 10 * US_PER_S
    gone, end = account["gaps"]
    assert (gone["cause"], gone["detail"], end["cause"], end["to"]) == ("camera_unreachable", "no route", "stopped", None)
    text = lamppost("camera", "gaps", "plaza").output
    for words in ("camera_unreachable", "10.0 s", "no route", "0.000 s", "now"):
        assert words in text


@pytest.mark.parametrize(("after_s", "recorded_s", "gap_s"), [(0, 12, 10), (3, 9, 10), (6, 6, 10), (11, 6, 5), (16, 6, 0), (19, 3, 0)])
def test_a_window_is_cut_exactly(lamppost: Lamppost, site: Path, after_s: int, recorded_s: int, gap_s: int) -> None:
    House(site)
    since = format_utc(START_US + after_s * US_PER_S)
    (account,) = json.loads(lamppost("camera", "gaps", "--since", since, "--json").output)
    assert account["recorded_us"] == recorded_s * US_PER_S
    assert dict(account["gap_us_by_cause"]).get("camera_unreachable", 0) == gap_s * US_PER_S
    assert account["unexplained_us"] == 0


def test_what_nothing_explains_is_told_and_fails(lamppost: Lamppost, site: Path) -> None:
    House(site, is_told=False)
    result = lamppost("camera", "gaps")
    assert result.exit_code == 1
    assert "10.000 s" in result.output


@pytest.mark.parametrize(
    ("arguments", "words"), [(("park",), "nothing is known"), (("--since", "yesterday"), "is not a time"), (("--since", "5 apples"), "24h")]
)
def test_what_cannot_be_asked_is_told(lamppost: Lamppost, site: Path, arguments: tuple[str, ...], words: str) -> None:
    House(site)
    result = lamppost("camera", "gaps", *arguments)
    assert result.exit_code == 2
    assert words in result.output


def test_before_anything_was_recorded_it_says_what_to_do(lamppost: Lamppost, site: Path) -> None:
    result = lamppost("camera", "gaps")
    assert result.exit_code == 1
    assert "no index" in result.output
