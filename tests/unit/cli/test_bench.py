"""`lamppost bench leak` from a folder of truth to a table, a JSON file and a plot."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import Result

Lamppost = Callable[..., Result]

STREET = """
[[set]]
name = "street"
media = "sim://plaza?people=3&vehicles=1&width=640&height=360&fps=5"
format = "sim"
seconds = 6
note = "simulated"
"""


@pytest.fixture
def truth(tmp_path: Path) -> Path:
    (tmp_path / "truth").mkdir()
    (tmp_path / "truth" / "truth.toml").write_text(STREET)
    return tmp_path / "truth"


def test_a_street_is_measured_from_end_to_end(lamppost: Lamppost, truth: Path, tmp_path: Path) -> None:
    figures, plot = tmp_path / "leak.json", tmp_path / "leak.png"
    arguments = ("--preset", "motion", "--preset", "all", "--json", str(figures), "--plot", str(plot), "--no-peer")
    result = lamppost("bench", "leak", "--truth", str(truth), *arguments)
    assert result.exit_code == 0, result.output
    assert "street: simulated" in result.output
    assert plot.read_bytes().startswith(b"\x89PNG")
    found = json.loads(figures.read_text())
    assert found["format"] == "lamppost-leak-1"
    assert [subject["name"] for subject in found["subjects"]] == ["lamppost motion", "lamppost all"]
    (street,) = found["sets"]
    motion, all_covered = street["results"]["lamppost motion"], street["results"]["lamppost all"]
    assert motion["frames"] == all_covered["frames"] == 30
    assert sum(rate["n"] for rate in motion["leaks"]["face"].values()) > 20
    assert all(rate["k"] == 0 for rate in all_covered["leaks"]["face"].values()), "what is covered whole leaks nothing"
    assert all_covered["covered"]["rate"] == 1
    assert 0 < motion["over_masked"]["share"] < 1
    again = lamppost("bench", "leak", "--truth", str(truth), *arguments)
    assert again.exit_code == 2
    assert "leak.json exists" in again.output


def test_what_cannot_run_is_left_out_with_a_line_and_what_was_asked_for_is_an_error(lamppost: Lamppost, truth: Path) -> None:
    asked = lamppost("bench", "leak", "--truth", str(truth), "--preset", "persons")
    assert asked.exit_code == 2
    assert "needs a model that finds a person" in asked.output


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--set", "alley"), "has no set 'alley'"),
        (("--plot", "leak.pdf"), "neither a .png nor an .svg"),
        (("--json", "absent/leak.json"), "does not exist"),
        (("--media", "elsewhere", "--truth", "absent"), "is not a folder"),
    ],
)
def test_a_mistake_has_one_line(lamppost: Lamppost, truth: Path, arguments: tuple[str, ...], message: str) -> None:
    result = lamppost("bench", "leak", "--truth", str(truth), "--preset", "all", *arguments)
    assert result.exit_code == 2
    assert message in result.output
    assert "Traceback" not in result.output
