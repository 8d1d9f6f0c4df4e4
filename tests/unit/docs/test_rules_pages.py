"""The pages about rules show files that can be used, mistakes as they are told, and every key that there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import get_args

import pytest

from lamppost.base.errors import ConfigError
from lamppost.model.rules import CalibrationPoints, Correspondence, HeatMap, Line, Rule, RuleBook, Zone
from lamppost.model.settings import CameraSettings
from lamppost.model.vision_settings import AnalysisSettings
from lamppost.pipeline.rules_file import parse_rules

DOCS = Path(__file__).parents[3] / "docs"
PAGES = {name: (DOCS / name / "rules.md").read_text(encoding="utf-8") for name in ("guide", "reference")}
TYPES = get_args(get_args(Rule)[0])


def blocks(page: str, language: str = "toml") -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", PAGES[page], flags=re.MULTILINE | re.DOTALL)


def is_of_rules(text: str) -> bool:
    return bool(tomllib.loads(text).keys() & RuleBook.model_fields.keys())


EXAMPLES = [(page, text) for page in PAGES for text in blocks(page) if is_of_rules(text)]


@pytest.mark.parametrize(("page", "text"), EXAMPLES)
def test_every_example_can_be_used(page: str, text: str) -> None:
    assert not parse_rules(text.encode(), Path(page)).is_empty


def test_the_examples_are_those_that_were_promised() -> None:
    books = [parse_rules(text.encode(), Path(page)) for page, text in EXAMPLES]
    assert any(len(book.line) == 4 for book in books)
    points = [point for book in books if book.calibration for point in book.calibration.points]
    assert any(point.lat_lon for point in points)
    assert any(point.map_m for point in points)
    assert any(book.heat_map for book in books)
    used = {rule.type for book in books for rule in book.rule}
    assert {"crowd_density", "occupancy", "wrong_way", "stopped_vehicle", "queue", "object_left"} <= used


def test_settings_beside_the_rules_are_such() -> None:
    others = [tomllib.loads(text) for text in blocks("guide") if not is_of_rules(text)]
    assert {key for tables in others for key in tables} == {"camera", "analysis"}
    for tables in others:
        for camera in tables.get("camera", ()):
            CameraSettings.model_validate(camera)
        AnalysisSettings.model_validate(tables.get("analysis", {}))


@pytest.mark.parametrize("model", [Line, Zone, CalibrationPoints, Correspondence, HeatMap, *TYPES], ids=lambda model: model.__name__)
def test_every_key_stands_there(model: type) -> None:
    for key in model.model_fields:
        assert f"`{key}`" in PAGES["reference"]


def test_every_type_of_rule_stands_there_with_its_own_keys() -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| [^|]+ \| (.*) \|$", PAGES["reference"], flags=re.MULTILINE))
    for rule in TYPES:
        keys = set(rule.model_fields) - {"name", "type", "severity", "cooldown_s"}
        assert set(re.findall(r"(?:^|<br>)`(\w+)`: ", rows[get_args(rule.model_fields["type"].annotation)[0]])) == keys


def test_mistakes_are_told_as_the_page_says() -> None:
    wrong = """[[line]]
name = "gate"
points = [[128, 446], [1150, 446]]
[[zone]]
name = "square"
points = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
[[rule]]
name = "out"
type = "line_crosed"
line = "gate"
[[rule]]
name = "too_fast"
type = "dwell"
zone = "sqare"
after_s = 5
"""
    (shown,) = blocks("reference", "text")
    with pytest.raises(ConfigError) as caught:
        parse_rules(wrong.encode(), Path("gate.rules.toml"))
    assert str(caught.value) == shown.strip()


def test_the_picture_of_forward_is_there() -> None:
    assert "../images/forward.svg" in PAGES["reference"]
    assert "<script" not in (DOCS / "images" / "forward.svg").read_text()
