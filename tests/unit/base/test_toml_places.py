"""Every key and value of a TOML text has its line, however it is written."""

from __future__ import annotations

import json
import tomllib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.toml_places import Place, TomlPlaces

TEXT = '''# a comment = [ "no key"
title = "a [[table]] in a string # and no comment"

[zone.'north gate'] # [zone.x]
points = [
    [0.1, 0.2], # first ]
    [0.3,
     0.4],
]
deep.er.still = { a = 1, b = [ { c = 2 }, { c = 3 } ] }

[[rule]]
name = """
[[rule]]
name = "x" \\"""
"""
  [rule.more]
  x = 1

[[rule]]
"name" = ''' + "'''\n[[rule]]\n''''" + '''
when = 1979-05-27 07:32:00
[[rule.part]]
x = 1
[[rule.part]]
x = "]"
'''  # fmt: skip


@pytest.mark.parametrize(
    ("place", "line"),
    [
        (("title",), 2),
        (("zone",), 4),
        (("zone", "north gate"), 4),
        (("zone", "north gate", "points"), 5),
        (("zone", "north gate", "points", 0, 1), 6),
        (("zone", "north gate", "points", 1, 0), 7),
        (("zone", "north gate", "points", 1, 1), 8),
        (("zone", "north gate", "deep", "er", "still", "b", 1, "c"), 10),
        (("rule",), 12),
        (("rule", 0), 12),
        (("rule", 0, "name"), 13),
        (("rule", 0, "more", "x"), 18),
        (("rule", 1), 20),
        (("rule", 1, "name"), 21),
        (("rule", 1, "when"), 24),
        (("rule", 1, "part", 0), 25),
        (("rule", 1, "part", 1, "x"), 28),
    ],
)
def test_the_line_of_what_stands_there(place: Place, line: int) -> None:
    assert tomllib.loads(TEXT)["rule"][1]["name"].endswith("'"), "the text is TOML"
    assert TomlPlaces(TEXT).line_of(place) == line


@pytest.mark.parametrize(
    ("place", "line"),
    [((), 1), (("absent",), 1), (("rule", 1, "absent"), 20), (("rule", 0, "more", "absent", 3), 17), (("rule", 7), 12)],
)
def test_what_is_missing_has_the_line_of_the_table_it_is_missing_in(place: Place, line: int) -> None:
    assert TomlPlaces(TEXT).line_of(place) == line


# Any document, written in any way. Each value is a text of its own, so that the line can be found by looking for it.

KEYS = st.sampled_from(["a", "b-1", "x y", "", "a.b", "[q]", '"', "'", "#", "é\n"])


@st.composite
def documents(draw: st.DrawFn, depth: int = 3) -> dict[str, Any]:
    def value(depth: int) -> Any:
        kind = draw(st.sampled_from(["leaf", "leaf", "list", "table", "tables"] if depth else ["leaf"]))
        if kind == "list":
            return [value(depth - 1) for _ in range(draw(st.integers(0, 3)))]
        if kind == "tables":
            return [draw(documents(depth - 1)) for _ in range(draw(st.integers(1, 3)))]
        return draw(documents(depth - 1)) if kind == "table" else "leaf"

    return {key: value(depth) for key in draw(st.lists(KEYS, max_size=3, unique=True))}


class Writer:
    """Writes a document as TOML, choosing anew how; notes the line of every value."""

    def __init__(self, draw: st.DrawFn) -> None:
        self.draw = draw
        self.lines = [""]
        self.where: dict[Place, int] = {}

    def put(self, text: str) -> None:
        first, *more = text.split("\n")
        self.lines[-1] += first
        self.lines += more

    def note(self, place: Place) -> None:
        self.where[place] = len(self.lines)

    def blank(self) -> None:
        self.put(self.draw(st.sampled_from(["", " ", "\n", '\n# [x] = "\n', "\t\n\n"])))

    def key(self, key: str) -> str:
        if key and all(sign.isascii() and (sign.isalnum() or sign in "-_") for sign in key) and self.draw(st.booleans()):
            return key
        return f"'{key}'" if "'" not in key and "\n" not in key and self.draw(st.booleans()) else json.dumps(key)

    def table(self, document: dict[str, Any], header: tuple[str, ...], place: Place) -> None:
        later: list[tuple[str, Any]] = []
        for key, value in document.items():
            if isinstance(value, dict | list) and value and self.draw(st.booleans()):
                is_tables = isinstance(value, dict) or all(isinstance(item, dict) for item in value)
                if is_tables:
                    later.append((key, value))
                    continue
            self.pair(key, value, place, may_dot=True)
            self.put("\n")
            self.blank()
            if self.lines[-1].strip():
                self.put("\n")
        for key, value in later:
            names = (*header, self.key(key))
            is_array = isinstance(value, list)
            for index, table in enumerate(value if is_array else [value]):
                below = (*place, key, index) if is_array else (*place, key)
                self.put("\n" if self.lines[-1].strip() else "")
                self.note(below)
                self.put(f"{'[[' if is_array else '['}{' . '.join(names)}{']]' if is_array else ']'} # end\n")
                self.table(table, names, below)

    def pair(self, key: str, value: Any, place: Place, *, may_dot: bool) -> None:
        self.note((*place, key))
        self.put(self.key(key))
        if may_dot and isinstance(value, dict) and len(value) == 1 and self.draw(st.booleans()):
            ((inner, below),) = value.items()
            self.put(".")
            self.pair(inner, below, (*place, key), may_dot=True)
            return
        self.put(" = ")
        self.value(value, (*place, key))

    def value(self, value: Any, place: Place) -> None:
        if isinstance(value, list):
            self.put("[")
            for index, item in enumerate(value):
                self.blank()
                if self.lines[-1].startswith("#"):
                    self.put("\n")
                self.note((*place, index))
                self.value(item, (*place, index))
                self.put(",")
            self.blank()
            if self.lines[-1].startswith("#"):
                self.put("\n")
            self.put("]")
        elif isinstance(value, dict):
            self.put("{ ")
            for index, (key, item) in enumerate(value.items()):
                self.put(", " if index else "")
                self.pair(key, item, place, may_dot=False)
            self.put(" }")
        else:
            self.put(self.draw(st.sampled_from(LEAVES)))


LEAVES = ['"leaf"', "'[leaf] # {'", "-1_0", "0.5e3", "true", "07:32:00", '"""\n[x]\n"q" \\""""', "'''\n'x' = ]'''", '"\\""', "1979-05-27"]


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_any_document_in_any_writing_is_followed_to_its_end(data: st.DataObject) -> None:
    writer = Writer(data.draw)
    writer.table(data.draw(documents()), (), ())
    text = "\n".join(writer.lines)
    read = tomllib.loads(text)
    places = TomlPlaces(text)
    assert places.places == set(everything(read)), text
    for place, line in writer.where.items():
        assert places.line_of(place) == line, (place, text)


def everything(value: Any, place: Place = ()) -> list[Place]:
    items = list(value.items()) if isinstance(value, dict) else list(enumerate(value)) if isinstance(value, list) else []
    return [below for key, item in items for below in ((*place, key), *everything(item, (*place, key)))]


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("[]{}=.,#'\"\\\n ab1"), max_size=60))
def test_what_is_no_toml_raises_nothing(text: str) -> None:
    places = TomlPlaces(text)
    assert all(1 <= places.line_of(place) <= text.count("\n") + 1 for place in places.places)
    try:
        read = tomllib.loads(text)
    except ValueError:
        return
    assert places.places == set(everything(read))


def test_brackets_that_are_too_deep_end_it() -> None:
    assert TomlPlaces("a = 1\nx = " + "[" * 100_000).line_of(("a",)) == 1
