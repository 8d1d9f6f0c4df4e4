"""The report of uptime tells of the cameras that one may see, and of sites by those."""

from __future__ import annotations

import csv
import io
from typing import Any

import pytest
from sqlalchemy import insert

from configured_node import ConfiguredNode
from lamppost.base.clock import US_PER_S, format_utc
from lamppost.store.index_file import open_engine
from lamppost.store.schema import CAMERAS, GAPS

HOUR_US = 3600 * US_PER_S


@pytest.fixture
def node(configured: ConfiguredNode) -> ConfiguredNode:
    """`plaza` was out for half an hour of the last, and `bridge` was never heard of."""
    now_us = configured.context.clock.wall_us()
    row = {"camera": "plaza", "detail": "", "opened_in": "-"}
    engine = open_engine(configured.context.folder.index, is_writer=True)
    with engine.begin() as connection:
        connection.execute(insert(CAMERAS), {"camera": "plaza"})
        starting = {"gap_id": "1", "cause": "starting", "start_us": now_us - HOUR_US, "end_us": now_us - HOUR_US}
        lost = {"gap_id": "2", "cause": "camera_unreachable", "start_us": now_us - HOUR_US // 2, "end_us": None}
        connection.execute(insert(GAPS), [row | starting, row | lost])
    engine.dispose()
    return configured


def lines(node: ConfiguredNode, query: str, grants: str = "viewer@*") -> list[dict[str, Any]]:
    answer = node.client(grants).get(f"/api/v1/uptime?{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()["items"]


def test_by_site_and_by_camera(node: ConfiguredNode) -> None:
    old_town, harbour = sorted(lines(node, "by=site"), key=lambda line: line["site"], reverse=True)
    assert (old_town["site"], old_town["camera"], old_town["cameras"]) == ("Old Town", None, 1)
    assert (old_town["scheduled_s"], old_town["recorded_s"], old_town["uptime"]) == (3600, 1800, 0.5)
    assert (old_town["outages"], old_town["longest_outage_s"], old_town["by_cause"]) == (1, 1800, {"camera_unreachable": 1800})
    assert old_town["asked_s"] - old_town["unknown_s"] == 3600
    assert (harbour["scheduled_s"], harbour["recorded_s"], harbour["uptime"], harbour["outages"]) == (None, None, None, None)
    assert [line["camera"] for line in lines(node, "by=camera")] == ["plaza", "bridge"]


def test_of_a_site_one_sees_the_cameras_that_one_may(node: ConfiguredNode) -> None:
    assert [line["site"] for line in lines(node, "by=site", "viewer@camera:bridge")] == ["Harbour"]


def test_the_table_says_the_same(node: ConfiguredNode) -> None:
    answer = node.client("viewer@*").get("/api/v1/uptime.csv?by=camera")
    rows = list(csv.DictReader(io.StringIO(answer.text)))
    assert [(row["camera"], row["uptime"], row["cause_camera_unreachable_s"]) for row in rows] == [
        ("plaza", "0.5", "1800.0"),
        ("bridge", "", "0"),
    ]


@pytest.mark.parametrize("query", ["from=2020-01-01T00:00:00Z&to=2020-01-01T00:00:00Z", "from=1971-01-01T00:00:00Z", "by=vendor"])
def test_what_cannot_be_reported_is_refused(node: ConfiguredNode, query: str) -> None:
    assert node.client().get(f"/api/v1/uptime?{query}").status_code == 422


def test_the_future_is_not_asked_for(node: ConfiguredNode) -> None:
    report = node.client().get("/api/v1/uptime?to=2100-01-01T00:00:00Z").json()
    assert report["to"] == format_utc(node.context.clock.wall_us())
