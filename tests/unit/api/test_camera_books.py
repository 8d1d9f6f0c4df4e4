"""Gaps and health of a camera over time, and an account in which nothing is missing."""

from __future__ import annotations

import json

import pytest

from lamppost.api.permit import API
from lamppost.base.clock import US_PER_S, format_utc
from lamppost.model.books import EventClosed, EventOpened, GapClosed, GapOpened, JournalRecord, ReductionClosed, ReductionOpened, Severity
from lamppost.store.bookkeeping import Bookkeeper
from served_node import ServedNode

NOW_US = 1_700_000_000 * US_PER_S
HOUR_US = 3600 * US_PER_S


def write(served: ServedNode, *records: JournalRecord) -> None:
    with Bookkeeper(served.context.folder, served.context.clock) as books:
        books.add(list(records), "test/1")


def test_gaps_are_listed_with_their_cause_and_accounted_for(served: ServedNode) -> None:
    write(
        served,
        GapOpened("g1", "plaza", "starting", NOW_US - 2 * HOUR_US, ""),
        GapClosed("g1", NOW_US - HOUR_US),
        GapOpened("g2", "plaza", "camera_unreachable", NOW_US - HOUR_US, "rtsp://op:kanarienvogel@192.0.2.1/ is silent"),
    )
    answer = served.client().get(f"{API}/cameras/plaza/gaps", params={"from": format_utc(NOW_US - 3 * HOUR_US)})
    assert answer.status_code == 200, answer.text
    told = answer.json()
    assert [(gap["id"], gap["cause"], gap["to"]) for gap in told["items"]] == [
        ("g1", "starting", format_utc(NOW_US - HOUR_US)), ("g2", "camera_unreachable", None),
    ]  # fmt: skip
    account = told["account"]
    assert (account["asked_s"], account["unexplained_s"], account["recorded_s"]) == (3 * 3600, 0, 0)
    assert account["gap_s_by_cause"] == {"starting": 3600, "camera_unreachable": 3600}, "what lasts is counted until now"
    assert "kanarienvogel" not in answer.text
    later = served.client().get(f"{API}/cameras/plaza/gaps", params={"from": format_utc(NOW_US - HOUR_US // 2)}).json()
    assert [gap["id"] for gap in later["items"]] == ["g2"]
    assert later["account"]["gap_s_by_cause"] == {"camera_unreachable": 1800}


def test_the_list_of_cameras_says_since_when_nothing_comes(served: ServedNode) -> None:
    write(served, GapOpened("g2", "plaza", "camera_unreachable", NOW_US - HOUR_US, ""))
    listed = {camera["name"]: camera for camera in served.client().get(f"{API}/cameras").json()["items"]}
    assert listed["plaza"]["since"] == format_utc(NOW_US - HOUR_US)
    assert listed["bridge"]["since"] is None


def test_health_tells_of_the_camera_and_not_of_the_street(served: ServedNode) -> None:
    write(
        served,
        EventOpened("e1", "camera_moved", Severity.WARNING, "plaza", NOW_US - 500, json.dumps({"note": "it looks elsewhere"})),
        EventClosed("e1", NOW_US - 400),
        EventOpened("e2", "camera_lost", Severity.WARNING, "plaza", NOW_US - 300, json.dumps({"problem": "no route"})),
        EventOpened("e3", "zone_entered", Severity.WARNING, "plaza", NOW_US - 200, "{}"),
        EventOpened("e4", "camera_lost", Severity.WARNING, "bridge", NOW_US - 200, "{}"),
        ReductionOpened("r1", "plaza", "fewer_frames", NOW_US - 300),
        ReductionClosed("r1", NOW_US - 200),
    )
    told = served.client().get(f"{API}/cameras/plaza/health").json()
    assert [(event["id"], event["detail"], event["ended"] is None) for event in told["events"]] == [
        ("e1", "it looks elsewhere", False), ("e2", "no route", True),
    ]  # fmt: skip
    assert [reduction["step"] for reduction in told["reductions"]] == ["fewer_frames"]
    assert "from" in told["reductions"][0]


@pytest.mark.parametrize("what", ["gaps", "health"])
def test_what_cannot_be_asked_is_told(served: ServedNode, what: str) -> None:
    client = served.client()
    assert client.get(f"{API}/cameras/nowhere/{what}").status_code == 404
    backwards = {"from": format_utc(NOW_US - 10), "to": format_utc(NOW_US - HOUR_US)}
    assert client.get(f"{API}/cameras/plaza/{what}", params=backwards).status_code == 422
    assert client.get(f"{API}/cameras/plaza/{what}", params={"from": "yesterday"}).status_code == 422
    assert client.get(f"{API}/cameras/plaza/{what}", params={"from": format_utc(NOW_US + HOUR_US)}).status_code == 422
    assert served.client("viewer@camera:bridge").get(f"{API}/cameras/plaza/{what}").status_code == 404


def test_a_camera_that_was_taken_out_still_has_books(served: ServedNode) -> None:
    write(served, GapOpened("g1", "gone", "removed", NOW_US - HOUR_US, ""))
    assert served.client().get(f"{API}/cameras/gone/gaps").json()["items"][0]["cause"] == "removed"
    assert served.client("viewer@site:old-town").get(f"{API}/cameras/gone/gaps").status_code == 404
