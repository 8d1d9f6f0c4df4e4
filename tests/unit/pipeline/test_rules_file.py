"""A rules file gives its rules, or one line for each mistake with the line where it stands, and never anything else."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.model.rules import RuleBook
from lamppost.pipeline.rules_file import MOST_BYTES, load_rules, parse_rules

WHERE = Path("rules.toml")
LINE = '[[line]]\nname = "gate"\npoints = [[0.1, 0.5], [0.9, 0.5]]\n'  # 3 lines
ZONE = '[[zone]]\nname = "square"\npoints = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]\n'  # 3 lines
PLANE = "".join(f"{{ image = [{x}, {y}], map_m = [{10 * x}, {10 * y}] }}," for x in (0.1, 0.9) for y in (0.1, 0.9))


def parse(text: str) -> RuleBook:
    return parse_rules(text.encode(), WHERE)


def refusal(text: str) -> list[tuple[int, str]]:
    """Line and text of every mistake."""
    with pytest.raises(ConfigError) as caught:
        parse(text)
    found: list[tuple[int, str]] = []
    for line in caught.value.problem.split("\n"):
        name, number, said = line.split(": ", 2)
        assert name == "rules.toml"
        found.append((int(number.removeprefix("line ")), said))
    return found


def test_a_rules_file_is_read(tmp_path: Path) -> None:
    path = tmp_path / "rules.toml"
    path.write_bytes(b"\xef\xbb\xbf" + (LINE + ZONE).replace("\n", "\r\n").encode())  # as Windows writes it
    book = load_rules(path)
    assert [line.name for line in book.line] == ["gate"]
    assert book.zone[0].points == ((0.1, 0.1), (0.9, 0.1), (0.9, 0.9))


MISTAKES = [
    ("", "[[line", 1, "this is not TOML"),
    (LINE, 'x = "never closed', 4, "this is not TOML"),
    (LINE, "name = 'again'", 4, "this is not TOML"),
    ("", "[[lines]]", 1, "lines is not a key of rules; did you mean 'line'?"),
    (LINE, "pionts = 1", 4, "line[1].pionts is not a key of rules; did you mean 'points'?"),
    (LINE, "kinds = [\n'person',\n'car']", 6, "line[1].kinds[2]: must be 'person', 'bicycle', 'vehicle' or 'object'"),
    (LINE, "kinds = ['persn']", 4, "did you mean 'person'?"),
    (LINE, "anchor = 'fot'", 4, "did you mean 'foot'?"),
    (LINE, "[[line]]\nname = 'North Gate'\npoints = [[0, 0], [1, 1]]", 5, "line[2].name: a name has 1 to 63 lower-case letters"),
    (LINE, "[[line]]\nname = 'x'", 4, "line[2].points is missing"),
    (LINE, "[[line]]\nname = 'x'\npoints = [\n[0, 0],\n[640,\n360]]", 8, "line[2].points: coordinates are shares"),
    (LINE, "[[line]]\nname = 'x'\npoints = [\n[0, 0], [0, 0]]", 6, "line[2].points: two points that follow each other are the same"),
    ("", "[[zone]]\nname = 'x'\npoints = [[0,0],[0.9,0.8],[1,0],[0,1]]", 3, "zone[1].points: its edges cross each other"),
    ("", "[[zone]]\nname = 'x'\npoints = [[0,0],[1,1],[1,0],[0,1]]", 3, "zone[1].points: its edges cross each other"),
    ("", "[[zone]]\nname = 'x'\npoints = [[0,0],[0.5,0.5],[1,1]]", 3, "zone[1].points: its corners enclose nothing"),
    (ZONE, "area_m2 = inf", 4, "zone[1].area_m2: must be"),
    (ZONE, "[[zone]]\nname = 'square'\npoints = [[0,0],[0,1],[1,1]]", 5, "two places are called 'square'"),
    (LINE, "[[rule]]\nname = 'r'\ntype = 'line_crosed'", 6, "rule[1].type is none that there is; did you mean 'line_crossed'?"),
    (LINE, "[[rule]]\nname = 'r'", 4, "rule[1].type is missing; known here: line_crossed, "),
    (LINE, "[[rule]]\nname = 'r'\ntype = 'line_crossed'\nline = 'gte'", 7, "and there is none; did you mean 'gate'?"),
    (LINE, "[[rule]]\nname = 'r'\ntype = 'dwell'\nafter_s = 2\nzone = 'gate'", 8, "and there is none: 'gate' is a line"),
    (LINE, "[[rule]]\nname = 'r'\ntype = 'line_crossed'\nline = 'gate'\nway = 'x'", 8, "rule[1].way is not a key of rules; did you mean"),
    (LINE, "[[rule]]\nname = 'r'\ntype = 'line_crossed'\nline = 'gate'\nseverity = 'alert'", 8, "did you mean 'alarm'?"),
    (ZONE, "[[rule]]\nname = 'r'\ntype = 'crowd_density'\nzone = 'square'", 4, "needs [calibration], or area_m2 of the zone 'square'"),
    (ZONE, "[[rule]]\nname = 'r'\ntype = 'queue'\nzone = 'square'\nmost_m = 9", 8, "needs [calibration] for most_m"),
    (ZONE, "[[rule]]\nname = 'r'\ntype = 'queue'\nzone = 'square'", 4, "rule[1]: say what is too long: most, or most_m"),
    (LINE, "[calibration]\npoints = [{ image = [0.1, 0.1], map_m = [0, 0] }]", 5, "calibration.points: must have at least 4 items"),
    (LINE, "[calibration]\npoints = [{ image = [0.1, 0.1] },\n" + PLANE + "]", 5, "calibration.points[1]: give map_m or lat_lon"),
    (LINE, "\n[calibration]\npoints = [" + "{ image = [0.5, 0.5], map_m = [0, 0] }," * 4 + "]", 5, "too many of them lie in a line"),
    (LINE, "[heat_map]\ncolumns = 1000", 5, "heat_map.columns: must be less than or equal to 128"),
    ("", "line = 5", 1, "line: must be a valid tuple"),
]  # fmt: skip


@pytest.mark.parametrize(("before", "wrong", "line", "said"), MISTAKES, ids=[said for *_, said in MISTAKES])
def test_a_mistake_has_its_line_and_says_what_to_do(before: str, wrong: str, line: int, said: str) -> None:
    ((found_line, found),) = refusal(before + wrong)
    assert said in found
    assert found_line == line


def test_all_mistakes_are_told_at_once_each_in_its_line() -> None:
    text = """[[line]]
name = "gate"
points = [[0.1, 0.5], [9, 0.5]]
[[zone]]
name = "The Square"
pionts = []
[[rule]]
name = "one"
type = "nothing"
[[rule]]
name = "two"
type = "line_crossed"
line = "gaet"
[[rule]]
name = "three"
type = "dwell"
after_s = 1
zone = "The Square"
[[rule]]
name = "two"
type = "line_crossed"
line = "gate"
[calibration]
points = []
"""
    assert [line for line, _ in refusal(text)] == [3, 4, 5, 6, 9, 13, 20, 24]


def test_a_wrong_zone_is_no_reason_to_doubt_the_rule_that_watches_it() -> None:
    text = ZONE.replace("0.9", "9.0") + "[[rule]]\nname = 'r'\ntype = 'crowd_density'\nzone = 'square'"
    assert [said for _, said in refusal(text)] == [
        "zone[1].points: coordinates are shares of the picture's width and height, from 0 to 1, and no pixels"
    ]


@pytest.mark.parametrize("text", ["", "\n\n", "# only words\n", f"[calibration]\npoints = [{PLANE}]\n"])
def test_an_empty_file_shows_the_least_that_one_holds(text: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text)
    assert "nothing to count" in str(caught.value)
    parse("[[line]]\nname = 'gate'\npoints = [[0.1, 0.5], [0.9, 0.5]]")
    assert 'name = "gate" and points = [[0.1, 0.5], [0.9, 0.5]]' in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1


def test_what_is_no_file_of_text_is_told_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00[[line]]")
    (tmp_path / "large").write_bytes(b"#" * (MOST_BYTES + 1))
    os.mkfifo(tmp_path / "pipe")
    told = {}
    for name in ("absent", ".", "binary", "large", "pipe", "absent/x"):
        with pytest.raises(ConfigError) as caught:
            load_rules(tmp_path / name)
        told[name] = str(caught.value)
        assert len(told[name].splitlines()) == 1
        assert str(tmp_path) in told[name]
    assert "there is no rules file" in told["absent"]
    assert "is a folder" in told["."]
    assert "not text in UTF-8" in told["binary"]
    assert "more than 1 MiB" in told["large"]
    assert "no file of text" in told["pipe"]


def test_a_book_in_code_refuses_the_same_with_the_place() -> None:
    rules = [{"name": "r", "type": "dwell", "zone": "squar", "after_s": 1}, {"name": "r", "type": "dwell", "zone": "square", "after_s": 1}]
    zone = {"name": "square", "points": [(0, 0), (1, 0), (1, 1)]}
    with pytest.raises(ValidationError) as caught:
        RuleBook.model_validate({"zone": [zone], "rule": rules})
    assert [(error["loc"], error["msg"]) for error in caught.value.errors()] == [
        (("rule", 1, "name"), "two rules are called 'r'"),
        (("rule", 0, "zone"), "the rule 'r' watches the zone 'squar', and there is none; did you mean 'square'?"),
    ]


# Anything that somebody may have written

WORDS = st.sampled_from(
    [
        *("[[line]]", "[[zone]]", "[[rule]]", "[calibration]", "[heat_map]", "[", "]", "{", "}", "=", ",", ".", "\n", "\n", "#", '"', "'"),
        *("name", "points", "type", "kinds", "anchor", "line", "zone", "rule", "after_s", "most", "most_m", "area_m2", "direction", '"""'),
        *('"gate"', '"square"', '"line_crossed"', '"queue"', '"crowd_density"', "[[0.1, 0.2], [0.9, 0.2], [0.5, 1]]", "[0, 1]", "[]"),
        *("0.5", "-1", "inf", "nan", "1e400", "99999999999999999999", "true", "1979-05-27", "é", "\0", "\r", "\ufeff", "name = 'x'"),
    ]
)


@settings(max_examples=400, deadline=None)
@given(st.lists(WORDS, max_size=24))
def test_any_text_gives_rules_or_one_line_a_mistake(words: list[str]) -> None:
    give_to_the_reader(" ".join(words).encode())


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=60))
def test_any_bytes_give_rules_or_one_line_a_mistake(content: bytes) -> None:
    give_to_the_reader(content)


VALUES = st.recursive(
    st.one_of(
        st.sampled_from(["gate", "square", "", "line_crossed", "queue", "dwell", "person", "foot", "x" * 70]),
        st.sampled_from([0, 1, -1, 0.5, 2.5, 1e300, 10**30, True]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=4), st.dictionaries(st.sampled_from(["name", "type", "points", "zone", "line"]), inner, max_size=3)
    ),
    max_leaves=6,
)
KEYS = ["name", "points", "kinds", "anchor", "area_m2", "type", "zone", "line", "after_s", "most", "most_m", "direction", "levels_per_m2"]


@st.composite
def almost_right(draw: st.DrawFn) -> str:
    """A good file, of which some keys have another value."""
    text = ""
    for part in draw(st.lists(st.sampled_from(["line", "zone", "rule"]), max_size=5)):
        table: dict[str, object] = {"name": draw(st.sampled_from(["gate", "square", "r1", "r2"]))}
        if part == "rule":
            table |= {"type": draw(st.sampled_from(["queue", "dwell", "line_crossed", "crowd_density"])), "zone": "square", "after_s": 1}
        else:
            table["points"] = [[0.1, 0.1], [0.9, 0.1], [0.9, 0.9]]
        table |= draw(st.dictionaries(st.sampled_from(KEYS), VALUES, max_size=2))
        text += f"[[{part}]]\n" + "".join(f"{key} = {inline(value)}\n" for key, value in table.items())
    return text


def inline(value: object) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return json.dumps(value)


@settings(max_examples=300, deadline=None)
@given(almost_right())
def test_a_file_that_is_almost_right_is_told_where_it_is_not(text: str) -> None:
    give_to_the_reader(text.encode())


def give_to_the_reader(content: bytes) -> None:
    try:
        book = parse_rules(content, WHERE)
    except ConfigError as error:
        lines = str(error).splitlines()
        last = content.count(b"\n") + 1
        for line in lines:
            assert line.startswith("rules.toml: ")
            number = line.split(": ")[1]
            assert not number.startswith("line ") or 1 <= int(number.removeprefix("line ")) <= last
        assert len(set(lines)) == len(lines), "no mistake is told twice"
    else:
        assert RuleBook.model_validate_json(book.model_dump_json()) == book, "as processes hand it on"
