"""What is published of an event: complete, described, and without room for anybody."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from lamppost.model.books import Severity
from lamppost.model.event_document import (
    KNOWN_TYPES,
    NODE_TYPES,
    SCHEMA_NAME,
    EventDocument,
    EventSnapshot,
    detail_of,
    document_of,
    event_schema,
)
from lamppost.model.happening import EventChange, EventType, Findings, Phase
from lamppost.model.rules import CountedKind, Rule, Way
from lamppost.pipeline.alarms import find_conditions
from node_reports import worst_reports

DOCS = Path(__file__).parents[3] / "docs"
PAGE = (DOCS / "reference" / "events.md").read_text(encoding="utf-8")
EXAMPLES = re.findall(r"^```json\n(.*?)^```", PAGE, flags=re.MULTILINE | re.DOTALL)
FINDINGS = Findings(CountedKind.PERSON, 214, 4.123456, "per_m2", 4.0, 2, ("forward",), "look")
SNAPSHOT = EventSnapshot(file="snapshots/gate/one.jpg", sha256="a" * 64)


def a_change(findings: Findings = FINDINGS, rule: str = "crush", place: str = "stage") -> EventChange:
    return EventChange("e1", Phase.UPDATE, EventType.CROWD_DENSITY, Severity.WARNING, 1_000_000, rule, place, findings)


def a_document(**changed: Any) -> EventDocument:
    fields: dict[str, Any] = {
        "event_id": "20261128T193004Z-5f0c81aa",
        "sequence": 3,
        "phase": Phase.UPDATE,
        "kind": "crowd_density",
        "severity": Severity.WARNING,
        "camera": "gate",
        "start_us": 1_000_000,
        "end_us": None,
        "detail": detail_of(a_change()),
    }
    return document_of(**(fields | changed))


def sent(document: EventDocument) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(document.model_dump_json())
    return content


def names(schema: Any) -> set[str]:
    """Every property that a schema has room for, at any depth."""
    found: set[str] = set()
    if isinstance(schema, dict):
        found |= set(schema.get("properties", {}))
        for part in schema.values():
            found |= names(part)
    elif isinstance(schema, list):
        for part in schema:
            found |= names(part)
    return found


def objects(schema: dict[str, Any]) -> list[dict[str, Any]]:
    return [schema, *(part for part in schema["$defs"].values() if part["type"] == "object")]


# What is said


def test_what_an_event_found_comes_out_of_its_detail_again() -> None:
    content = sent(a_document(site="harbour", updated_us=2_500_000, snapshot=SNAPSHOT))
    assert content == {
        "schema": SCHEMA_NAME,
        "id": "20261128T193004Z-5f0c81aa",
        "sequence": 3,
        "phase": "update",
        "type": "crowd_density",
        "severity": "warning",
        "site": "harbour",
        "camera": "gate",
        "rule": "crush",
        "place": "stage",
        "kind": "person",
        "count": 214,
        "value": 4.123,
        "unit": "per_m2",
        "limit": 4.0,
        "level": 2,
        "ways": ["forward"],
        "note": "look",
        "started": "1970-01-01T00:00:01.000Z",
        "updated": "1970-01-01T00:00:02.500Z",
        "ended": None,
        "snapshot": {"file": "snapshots/gate/one.jpg", "url": None, "sha256": "a" * 64},
    }


def test_a_detail_says_only_what_there_is_to_say() -> None:
    assert json.loads(detail_of(a_change(Findings(), "", ""))) == {}
    assert json.loads(detail_of(a_change(Findings(count=0, value=0.0), "full", "plaza"))) == {
        "rule": "full",
        "place": "plaza",
        "count": 0,
        "value": 0.0,
    }


def test_health_of_a_camera_has_no_rule_and_no_place() -> None:
    document = a_document(kind="camera_moved", detail=detail_of(a_change(Findings(note="by a tenth"), "", "")))
    assert (document.rule, document.place, document.note) == (None, None, "by a tenth")


def test_an_alarm_of_the_node_says_its_problem_in_one_line_without_a_password() -> None:
    problem = "cannot reach\nrtsp://user:hunter2@camera/stream"
    content = sent(a_document(kind="camera_lost", detail=json.dumps({"problem": problem})))
    assert content["note"].startswith("cannot reach rtsp://")
    assert "hunter2" not in json.dumps(content)
    assert (content["rule"], content["count"], content["kind"]) == (None, None, None)


def test_a_long_problem_is_cut() -> None:
    note = a_document(detail=json.dumps({"problem": "x" * 5000})).note
    assert len(note) == 500
    assert note.endswith("…")


def test_an_end_says_up_to_when_and_nothing_else_does() -> None:
    assert a_document(phase=Phase.END, end_us=3_000_000).ended == "1970-01-01T00:00:03.000Z"
    assert a_document(phase=Phase.UPDATE, end_us=3_000_000).ended is None, "the row has ended since"
    late = a_document(phase=Phase.END, end_us=3_000_000, updated_us=9_000_000)
    assert (late.ended, late.updated) == ("1970-01-01T00:00:03.000Z", "1970-01-01T00:00:09.000Z")
    with pytest.raises(ValidationError):
        EventDocument.model_validate(sent(a_document()) | {"ended": "1970-01-01T00:00:03.000Z"})


@pytest.mark.parametrize("detail", ["", "[]", "{", '{"count": "many"}', '{"kind": "cat"}'])
def test_an_event_is_told_of_even_when_its_detail_cannot_be_read(detail: str) -> None:
    assert "cannot be read" in a_document(detail=detail).note


def test_what_the_document_has_no_field_for_stays_out_of_it() -> None:
    content = sent(a_document(detail=json.dumps({"rule": "x", "track_id": 7, "box": [1, 2, 3, 4], "path": [[0, 1]]})))
    assert "track" not in json.dumps(content)
    assert "box" not in json.dumps(content)


@given(
    st.builds(
        Findings,
        kind=st.sampled_from([None, *CountedKind]),
        count=st.none() | st.integers(0, 10_000),
        value=st.none() | st.floats(0, 1e6),
        unit=st.sampled_from([None, "", "s", "m", "per_m2"]),
        limit=st.none() | st.floats(0, 1e6),
        level=st.none() | st.integers(1, 8),
        ways=st.sampled_from([(), ("forward",), ("backward", "forward")]),
        note=st.text(max_size=600),
    )
)
def test_whatever_was_found_can_be_published_and_read_back(findings: Findings) -> None:
    document = a_document(detail=detail_of(a_change(findings)))
    assert EventDocument.model_validate_json(document.model_dump_json()) == document
    assert (document.kind, document.count, document.unit, document.level) == (findings.kind, findings.count, findings.unit, findings.level)
    assert document.ways == tuple(Way(way) for way in findings.ways)


# The schema


def test_the_schema_has_no_room_for_a_track_or_a_place_of_anybody() -> None:
    forbidden = re.compile(r"track|box|path|position|score|point|bbox|lat|lon|(?:^|_)[xy]\d?(?:_|$)|crop|face|person|plate|pixel|embedding")
    assert sorted(name for name in names(event_schema()) if forbidden.search(name.lower())) == []
    assert forbidden.search("track_id")
    assert forbidden.search("map_position")


def test_no_other_field_is_let_in() -> None:
    for part in objects(event_schema()):
        assert part["additionalProperties"] is False
        assert set(part["required"]) == set(part["properties"]), "always there"
    with pytest.raises(ValidationError):
        EventDocument.model_validate(sent(a_document()) | {"track_id": 7})


def test_every_field_is_described() -> None:
    for part in objects(event_schema()):
        assert [name for name, field in part["properties"].items() if not field.get("description")] == []


@pytest.mark.parametrize(
    "wrong",
    [
        {"severity": "fatal"},
        {"phase": "begin"},
        {"type": "Two Words"},
        {"level": 0},
        {"count": -1},
        {"started": "2026-11-28 19:30"},
        {"kind": "face"},
        {"ways": ["up"]},
        {"schema": "lamppost/event/2"},
        {"sequence": -1},
        {"note": "x" * 501},
    ],
    ids=lambda wrong: next(iter(wrong)),
)
def test_what_is_no_event_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        EventDocument.model_validate(sent(a_document()) | wrong)


# What the code can raise, and what the page says


def test_every_type_of_rule_is_a_type_of_event() -> None:
    types = {name for rule in get_args(get_args(Rule)[0]) for name in get_args(rule.model_fields["type"].annotation)}
    assert types <= {event_type.value for event_type in EventType}


def test_every_alarm_of_the_node_is_known() -> None:
    assert {condition.kind for condition in find_conditions(worst_reports())} == set(NODE_TYPES)


def test_every_type_is_explained_and_no_other() -> None:
    tables = PAGE.split("## What rules find")[1].split("## Examples")[0]
    assert sorted(re.findall(r"^\| `(\w+)` \|", tables, flags=re.MULTILINE)) == sorted(KNOWN_TYPES)


def test_the_examples_are_events() -> None:
    assert len(EXAMPLES) == 3
    for example in EXAMPLES:
        document = EventDocument.model_validate_json(example)
        assert document.type in KNOWN_TYPES
        assert sent(document) == json.loads(example)


def test_the_schema_file_is_that_of_the_code() -> None:
    assert json.loads((DOCS / "reference" / "event.schema.json").read_text(encoding="utf-8")) == event_schema()
