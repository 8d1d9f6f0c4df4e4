"""What rules hand on has no room for a track, a path or a place of anybody, and cannot take one in by name."""

from __future__ import annotations

import ast
import dataclasses
import re

import pytest

from lamppost.model.event_document import EventDocument, EventSnapshot
from lamppost.model.happening import CountedMinute, EventChange, Findings, Tally
from source_trees import trees

OF_SOMEBODY = re.compile(r"track|box|path|position|point|score|crop|face|person|plate|ground|moving|lat|lon|(?:^|_)[xy]\d?(?:_|$)")
HANDED_ON = {"EventChange", "Findings"}


@pytest.mark.parametrize(
    ("kind", "fields"),
    [
        (EventChange, ("event_id", "phase", "type", "severity", "wall_us", "rule", "place", "findings")),
        (Findings, ("kind", "count", "value", "unit", "limit", "level", "ways", "note")),
    ],
)
def test_an_event_has_these_fields_and_no_other(kind: type, fields: tuple[str, ...]) -> None:
    assert tuple(field.name for field in dataclasses.fields(kind)) == fields
    assert "__slots__" in kind.__dict__, "nothing can be hung on it"


@pytest.mark.parametrize("kind", [EventChange, Findings, Tally, CountedMinute])
def test_what_leaves_the_room_has_no_field_of_somebody(kind: type) -> None:
    assert [field.name for field in dataclasses.fields(kind) if OF_SOMEBODY.search(field.name)] == []


@pytest.mark.parametrize("model", [EventDocument, EventSnapshot])
def test_what_is_published_has_no_field_of_somebody(model: type[EventDocument] | type[EventSnapshot]) -> None:
    assert [name for name in model.model_fields if OF_SOMEBODY.search(name)] == []


def told_of_somebody(tree: ast.AST) -> list[str]:
    """Names of somebody in what is put into an event."""
    found: list[str] = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in HANDED_ON:
            for part in ast.walk(ast.Module([ast.Expr(value) for value in (*node.args, *(word.value for word in node.keywords))], [])):
                if isinstance(part, ast.Attribute) and part.attr in {"track_id", "box", "ground_m", "x0", "x1", "y0", "y1"}:
                    found.append(part.attr)
    return found


def test_no_event_is_made_of_a_track_or_a_box() -> None:
    made = {path: told_of_somebody(tree) for path, tree in trees().items() if path.startswith("events/")}
    assert made
    assert {path: names for path, names in made.items() if names} == {}


def test_one_that_is_made_of_a_track_is_found() -> None:
    assert told_of_somebody(ast.parse("Findings(count=moving.track_id)")) == ["track_id"]
    assert told_of_somebody(ast.parse("Findings(value=one.box.x0)"))
