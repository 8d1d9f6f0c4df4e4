"""What is stored of movement is of one camera, one place and one minute; no table could join cameras, or hold a path."""

from __future__ import annotations

import ast
import dataclasses
import re

import pytest

from lamppost.model.happening import CountedMinute, EventChange, Findings, Tally
from lamppost.store.schema import METADATA
from source_trees import trees

OF_A_PERSON = re.compile(r"track|traject|(?:^|_)(?:box|crop|position|lat|lon|east|north|ground|embedding|[xy]\d?)(?:_|$)")
COUNTING = ("events", "snapshots", "minutes", "tallies", "quarters", "quarter_tallies", "notices", "deliveries")


@pytest.mark.parametrize("name", COUNTING)
def test_no_table_has_room_for_a_track_or_a_place(name: str) -> None:
    for column in METADATA.tables[name].columns:
        assert not OF_A_PERSON.search(column.name), column.name


def test_no_table_is_of_two_cameras() -> None:
    for table in METADATA.sorted_tables:
        assert sum("camera" in column.name for column in table.columns) <= 1, table.name


@pytest.mark.parametrize("kind", [EventChange, Findings, CountedMinute, Tally])
def test_nothing_that_is_reported_has_room_for_one(kind: type) -> None:
    for field in dataclasses.fields(kind):
        assert not OF_A_PERSON.search(field.name), field.name


def test_what_is_followed_goes_no_further_than_the_watch() -> None:
    # Scenes hold tracks; they live in events/ and in the watch of a run, and what writes records does not see into them.
    readers = {path for path, tree in trees().items() if "track_id" in {getattr(node, "attr", "") for node in ast.walk(tree)}}
    assert not {path for path in readers if path.split("/")[0] in {"store", "notify", "cli", "model", "seal", "record"}}


@pytest.mark.parametrize("name", ["track_id", "box", "x", "y0", "east", "position_m", "trajectory"])
def test_a_forbidden_column_is_found(name: str) -> None:
    assert OF_A_PERSON.search(name)
