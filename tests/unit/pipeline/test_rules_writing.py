"""Rules that are written say what they said, and what somebody wrote beside them stays."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.rules import RuleBook
from lamppost.pipeline.rules_file import parse_rules
from lamppost.pipeline.rules_writing import render_rules, write_rules

SHARE = st.floats(0, 1, allow_nan=False).map(lambda share: round(share, 6))
KINDS = st.lists(st.sampled_from(["person", "bicycle", "vehicle", "object"]), min_size=1, unique=True)
PLACE = {"kinds": KINDS, "anchor": st.sampled_from(["foot", "centre"])}
NAMES = ["gate", "north_gate", "quay-2", "a1", "z"]


@st.composite
def books(draw: st.DrawFn) -> RuleBook:
    """Rules of all kinds that fit together."""

    def optional(strategies: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
        return draw(st.fixed_dictionaries({}, optional=strategies))

    lines = [
        {"name": f"line-{name}", "points": [[draw(SHARE), 0.1], [draw(SHARE), 0.9]], **optional(PLACE)}
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
    ]
    zones = [
        {
            "name": f"zone-{name}",
            "points": [[0.1, 0.1], [0.8 + draw(SHARE) / 10, 0.1], [0.8, 0.9]],
            "area_m2": draw(st.floats(1, 1e4)),
            **optional(PLACE),
        }
        for name in draw(st.lists(st.sampled_from(NAMES), unique=True))
    ]
    rules: list[dict[str, Any]] = []
    common: dict[str, st.SearchStrategy[Any]] = {"severity": st.sampled_from(["info", "warning", "alarm"]), "cooldown_s": st.floats(0, 100)}
    for number, name in enumerate(draw(st.lists(st.sampled_from(NAMES), max_size=6))):
        kinds: list[dict[str, Any]] = [
            {"type": "line_crossed", "line": each["name"], **optional({"ways": st.just(["forward"])})} for each in lines
        ]
        for each in zones:
            kinds += [
                {"type": "dwell", "zone": each["name"], "after_s": draw(st.floats(0.1, 100))},
                {"type": "occupancy", "zone": each["name"], "most": draw(st.integers(0, 50))},
                {"type": "crowd_density", "zone": each["name"], **optional({"levels_per_m2": st.just([1.0, 3.5])})},
                {"type": "wrong_way", "zone": each["name"], "direction": [[0.1, draw(SHARE)], [0.9, 0.5]]},
                {"type": "queue", "zone": each["name"], "most": 3},
            ]
        if kinds:
            rules.append({"name": f"{name}-{number}", **draw(st.sampled_from(kinds)), **optional(common)})
    calibration = {
        "points": [
            {"image": [x, y], "map_m": [x * 9, y * 7 + draw(SHARE) / 100]} for x, y in ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9), (0.1, 0.9))
        ]
    }
    parts = optional(
        {"heat_map": st.fixed_dictionaries({}, optional={"columns": st.integers(4, 128)}), "calibration": st.just(calibration)}
    )
    return RuleBook.model_validate({"line": lines, "zone": zones, "rule": rules, **parts})


def read(text: str) -> RuleBook:
    return parse_rules(text.encode(), Path("rules.toml")) if text.strip() else RuleBook()


@settings(deadline=None, max_examples=60)
@given(books())
def test_rules_go_to_text_and_come_back(book: RuleBook) -> None:
    if not book.is_empty:
        text = render_rules(book)
        assert read(text) == book
        assert render_rules(book, text) == text, "what says so already is not touched"


@settings(deadline=None, max_examples=60)
@given(books(), books())
def test_whatever_the_file_said_before_it_says_the_new_rules(before: RuleBook, after: RuleBook) -> None:
    if not after.is_empty:
        assert read(render_rules(after, render_rules(before))) == after


WRITTEN = """# Rules of the gate, by Ada.

# The door that everybody takes.
[[line]]
name = "door"  # not the back door
points = [[0.10, 0.5],
          [0.90, 0.5]]
kinds = ["person", "bicycle", "vehicle", "object"]  # all of them, on purpose

[[line]]
name = "back"
points = [[0.1, 0.2], [0.9, 0.2]]

# When to call.
[[rule]]
name = "late"
type = "line_crossed"
line = "door"
severity = "warning"  # the default, said aloud
"""


def test_what_is_the_same_stays_to_the_letter() -> None:
    book = read(WRITTEN)
    assert render_rules(book, WRITTEN) == WRITTEN
    more = RuleBook.model_validate(book.model_dump() | {"line": (*book.model_dump()["line"], {"name": "new", "points": [[0, 0], [1, 1]]})})
    text = render_rules(more, WRITTEN)
    assert read(text) == more
    assert all(line in text.splitlines() for line in WRITTEN.splitlines())


def test_a_line_that_moves_keeps_what_stands_beside_it() -> None:
    fields = read(WRITTEN).model_dump()
    fields["line"][0]["points"] = [[0.2, 0.5], [0.9, 0.6]]
    moved = RuleBook.model_validate(fields)
    text = render_rules(moved, WRITTEN)
    assert read(text) == moved
    for comment in ("# not the back door", "# all of them, on purpose", "# The door that everybody takes.", "# When to call."):
        assert comment in text


def test_a_line_that_goes_takes_nothing_else_with_it() -> None:
    fields = read(WRITTEN).model_dump()
    fields["line"] = fields["line"][:1]
    text = render_rules(RuleBook.model_validate(fields), WRITTEN)
    assert [line.name for line in read(text).line] == ["door"]
    assert "# not the back door" in text


def test_a_file_is_made_with_its_folder_and_can_be_read_by_a_person(tmp_path: Path) -> None:
    book = RuleBook.model_validate({"line": [{"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]}]})
    path = tmp_path / "rules" / "gate.toml"
    write_rules(path, book, "")
    assert path.read_text() == '[[line]]\nname = "door"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n'
