"""Counts of single places: a name that two cameras share means one of them, and no other camera shows through."""

from __future__ import annotations

import csv
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path

import httpx
import pytest

from lamppost.base.clock import parse_utc
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, Tally
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.store.counts import add_minute
from lamppost.store.index_file import make_index
from lamppost.store.schema import CAMERAS
from served_node import ServedNode

SPAN = {"from": "2026-11-23T10:00:00Z", "to": "2026-11-23T11:00:00Z", "by": "hour"}
SPOTS = [("plaza", "gate"), ("plaza", "steps"), ("bridge", "gate"), ("bridge", "steps")]


@pytest.fixture
def counted(tmp_path: Path) -> Iterator[ServedNode]:
    with closing(ServedNode.make(tmp_path / "data")) as node:
        engine = make_index(node.context.folder.index)
        at_us = parse_utc("2026-11-23T10:05")
        with engine.begin() as connection:
            for camera in ("plaza", "bridge"):
                connection.execute(CAMERAS.insert().values(camera=camera))
            for number, (camera, place) in enumerate(SPOTS, start=1):
                tally = tally_to_json(Tally(Measure.FORWARD, CountedKind.PERSON, number))
                add_minute(connection, MinuteCounted(f"{camera}-{place}", camera, "line", place, at_us, 60_000, (tally,)))
        engine.dispose()
        yield node


def ask(node: ServedNode, *at: str, path: str = "counts", grants: str = "analyst@*", **more: str) -> httpx.Response:
    wanted: Sequence[tuple[str, str]] = [*SPAN.items(), ("measure", "forward"), *more.items(), *(("at", each) for each in at)]
    return node.client(grants).get(f"/api/v1/{path}", params=wanted)  # type: ignore[return-value]


def spots(answer: httpx.Response) -> set[tuple[str, str]]:
    return {(series["camera"], series["place"]) for series in answer.json()["series"]}


def test_a_place_is_that_of_its_camera(counted: ServedNode) -> None:
    assert spots(ask(counted)) == set(SPOTS)
    assert spots(ask(counted, "plaza/gate", "bridge/steps")) == {("plaza", "gate"), ("bridge", "steps")}
    assert spots(ask(counted, "plaza/gate", "bridge/steps", camera="bridge")) == {("bridge", "steps")}


def test_the_table_has_the_same_rows(counted: ServedNode) -> None:
    rows = list(csv.DictReader(ask(counted, "plaza/gate", "bridge/steps", path="counts.csv").text.splitlines()))
    assert [(row["camera"], row["place"], row["count"]) for row in rows] == [("bridge", "steps", "4"), ("plaza", "gate", "1")]


@pytest.mark.parametrize("at", ["bridge/gate", "bridge/nowhere", "elsewhere/gate"])
def test_a_camera_outside_of_ones_scope_looks_as_if_it_were_not_there(counted: ServedNode, at: str) -> None:
    assert spots(ask(counted, "plaza/gate", grants="analyst@camera:plaza")) == {("plaza", "gate")}
    answer = ask(counted, "plaza/gate", at, grants="analyst@camera:plaza")
    assert (answer.status_code, answer.json()["detail"]) == (404, "there is no such camera")


@pytest.mark.parametrize(("at", "said"), [("gate", "is no place"), ("plaza/nowhere", "nothing was counted at 'nowhere'")])
def test_what_is_no_place_is_told(counted: ServedNode, at: str, said: str) -> None:
    answer = ask(counted, at)
    assert answer.status_code == 422
    assert said in answer.json()["detail"]
