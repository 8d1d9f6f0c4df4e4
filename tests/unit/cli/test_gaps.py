"""What became of every moment: on a line for each camera, also where there is no terminal; and what nobody can explain fails."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from lamppost.base.clock import ManualClock
from lamppost.model.books import GapClosed, GapOpened
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from street_books import Street

Lamppost = Callable[..., Result]


class House:
    def __init__(self, here: Path) -> None:
        self.folder, self.clock = DataFolder(here / "data"), ManualClock()

    def record(self, *, is_stopped: bool) -> None:
        """Three seconds of plaza, a hole of two, three seconds more; then a stop, or nothing."""
        with JournalWriter(self.folder.journal / "recorder-1", clock=self.clock) as journal:
            street = Street(self.folder, journal, self.clock)
            street.record()
            journal.append(GapOpened("hole", "plaza", "camera_unreachable", self.clock.wall_us(), "no route"))
            self.clock.advance(2)
            journal.append(GapClosed("hole", self.clock.wall_us()))
            street.record()
            if is_stopped:
                journal.append(GapOpened("stop", "plaza", "stopped", self.clock.wall_us(), ""))
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()


@pytest.fixture
def house(here: Path, lamppost: Lamppost) -> House:
    assert lamppost("init", "--data", "data", "--camera", "plaza=sim://plaza").exit_code == 0
    return House(here)


def test_each_camera_has_a_line_and_each_gap_its_cause(house: House, lamppost: Lamppost, monkeypatch: pytest.MonkeyPatch) -> None:
    house.record(is_stopped=True)
    monkeypatch.setenv("COLUMNS", "80")
    result = lamppost("camera", "gaps", "plaza")
    assert result.exit_code == 0, result.output
    heading, line, *gaps = result.output.splitlines()
    assert heading.split() == ["camera", "since", "span", "recorded", "masked", "covered", "gaps", "unexplained", "causes"]
    assert line.startswith("plaza ")
    assert "camera_unreachable 2.0 s" in line, "nothing is cut off"
    assert [gap.split(") ")[-1] for gap in gaps if "camera_unreachable" in gap] == ["camera_unreachable: no route"]
    (account,) = json.loads(lamppost("camera", "gaps", "--json").output)
    assert (account["recorded_us"], account["unexplained_us"]) == (6_000_000, 0)
    assert [(gap["cause"], gap["to"] is None) for gap in account["gaps"]] == [("camera_unreachable", False), ("stopped", True)]


def test_what_nobody_can_explain_fails(house: House, lamppost: Lamppost) -> None:
    house.record(is_stopped=False)
    assert lamppost("camera", "gaps").exit_code == 1
    (account,) = json.loads(lamppost("camera", "gaps", "--json").output)
    assert account["unexplained_us"] > 0


@pytest.mark.parametrize(("arguments", "words"), [(("nowhere",), "nothing is known"), (("--since", "lately"), "is not a time")])
def test_what_cannot_be_answered_is_told(house: House, lamppost: Lamppost, arguments: tuple[str, ...], words: str) -> None:
    house.record(is_stopped=True)
    result = lamppost("camera", "gaps", *arguments)
    assert result.exit_code == 2
    assert words in result.output
