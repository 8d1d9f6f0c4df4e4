"""Whatever shows a picture is on the record before it does, under its camera, and is read by who may read of that camera alone."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import insert

from lamppost.base.clock import ManualClock, format_utc
from lamppost.base.errors import StoreError
from lamppost.model.books import Act, EventOpened, Severity, SnapshotTaken
from lamppost.model.settings import CameraSettings
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.index_file import make_index
from lamppost.store.journal import JournalWriter, journal_files, scan_journal
from lamppost.store.schema import ACTS
from served_node import ServedNode

API = "/api/v1"
S = 1_000_000
HOUR_US = 3600 * S


def acts(served: ServedNode) -> list[tuple[str, str, str, dict[str, Any]]]:
    """What the server put on the record, in order."""
    records = [each for path in journal_files(served.context.folder.journal / "server") for each in scan_journal(path, 0).records]
    return [(each.kind, each.actor, each.subject, json.loads(each.detail)) for each in records if isinstance(each, Act)]


def full(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the record takes nothing."""

    def append(_journal: JournalWriter, _record: object) -> None:
        raise StoreError("the journal cannot be written: No space left on device")

    monkeypatch.setattr(JournalWriter, "append", append)


# Live


@pytest.mark.parametrize("part", ["init-1.mp4", "1.m4s"])
def test_parts_of_live_video_are_on_the_record_without_a_playlist(served: ServedNode, part: str) -> None:
    client = served.client("viewer@camera:plaza")
    for _ in range(3):
        assert client.get(f"{API}/cameras/plaza/live/{part}").status_code == 404, "nothing is recorded here"
    assert acts(served) == [("live_viewed", "viewer@camera:plaza", "plaza", {"by": "hls"})], "once a minute"


def test_no_part_is_fetched_that_cannot_be_put_on_the_record(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    full(served, monkeypatch)

    def feed(_camera: str) -> None:
        raise AssertionError("it was asked for")

    monkeypatch.setattr(served.app.state.live, "feed", feed)
    for path in ("live.m3u8", "live/init-1.mp4", "live/1.m4s"):
        assert served.client().get(f"{API}/cameras/plaza/{path}").status_code == 503


# Pictures of events


@pytest.fixture
def pictured(served: ServedNode) -> ServedNode:
    """Three events of `plaza`, each with its picture."""
    folder, now_us = served.context.folder, served.context.clock.wall_us()
    with JournalWriter(folder.journal / "analyst", clock=served.context.clock) as journal:
        for number in range(3):
            path = f"snapshots/plaza/e{number}.jpg"
            (folder.root / path).parent.mkdir(parents=True, exist_ok=True)
            (folder.root / path).write_bytes(b"\xff\xd8\xff")
            journal.append(EventOpened(f"e{number}", "line_crossed", Severity.WARNING, "plaza", now_us, "{}"))
            journal.append(SnapshotTaken(f"e{number}", "plaza", path, now_us, 3, "0" * 64))
    with Bookkeeper(folder, served.context.clock) as bookkeeper:
        bookkeeper.apply_new()
    return served


def test_each_picture_of_an_event_is_an_act_of_its_own(pictured: ServedNode) -> None:
    client = pictured.client("viewer@*")
    for event in ("e0", "e1", "e0", "e2"):
        answer = client.get(f"{API}/events/{event}/snapshot.jpg")
        assert (answer.status_code, answer.headers["cache-control"]) == (200, "private, no-store")
    assert [(kind, subject, detail) for kind, _, subject, detail in acts(pictured)] == [
        ("snapshot_viewed", "plaza", {"event": event}) for event in ("e0", "e1", "e2")
    ]


# Reading the record


@pytest.fixture
def recorded(served: ServedNode) -> ServedNode:
    """Acts about the camera `plaza`, the user `plaza`, the camera `bridge` and the node."""
    engine = make_index(served.context.folder.index)
    about = [
        ("past_viewed", "plaza"),
        ("footage_forgotten", "plaza"),
        ("user_changed", "plaza"),
        ("link_made", "plaza"),
        ("notification_tested", "plaza"),
        ("past_viewed", "bridge"),
        ("alarm_raised", "node"),
        ("started", "node"),
    ]
    rows = [
        {"act_id": f"a{number}", "kind": kind, "wall_us": number + 1, "actor": "ada", "subject": subject, "detail": "{}"}
        for number, (kind, subject) in enumerate(about)
    ]
    with engine.begin() as connection:
        connection.execute(insert(ACTS), rows)
    engine.dispose()
    return served


@pytest.mark.parametrize(
    ("grants", "asked", "found"),
    [
        ("privacy_officer@camera:plaza", {}, ["footage_forgotten", "past_viewed"]),
        ("privacy_officer@camera:plaza", {"kind": "user_changed"}, []),
        ("privacy_officer@camera:plaza", {"kind": ["user_changed", "past_viewed"]}, ["past_viewed"]),
        ("privacy_officer@camera:plaza", {"camera": "bridge"}, []),
        ("privacy_officer@*", {"camera": "plaza"}, ["footage_forgotten", "past_viewed"]),
        ("privacy_officer@*", {"camera": "plaza", "kind": "link_made"}, []),
        ("privacy_officer@*", {"kind": "link_made"}, ["link_made"]),
    ],
)
def test_of_a_camera_are_acts_about_cameras_alone(recorded: ServedNode, grants: str, asked: dict[str, Any], found: list[str]) -> None:
    answer = recorded.client(grants).get(f"{API}/acts", params=asked)
    assert [act["kind"] for act in answer.json()["items"]] == found
    assert answer.json()["next"] is None


def test_who_may_read_of_everything_reads_everything(recorded: ServedNode) -> None:
    assert len(recorded.client("privacy_officer@*").get(f"{API}/acts").json()["items"]) == 8
    assert "link_made" in recorded.client("privacy_officer@*").get(f"{API}/acts/kinds").json()["items"]
    kinds = recorded.client("privacy_officer@camera:plaza").get(f"{API}/acts/kinds").json()["items"]
    assert kinds == ["alarm_raised", "footage_forgotten", "past_viewed"]


def test_no_camera_is_called_as_the_node_is_on_the_record() -> None:
    with pytest.raises(ValueError, match="no camera can be called so"):
        CameraSettings(name="node", url="sim://plaza")


# Views of the past


@pytest.fixture
def past(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> ServedNode:
    monkeypatch.setattr("lamppost.api.views.require_known", lambda *_: None)
    return served


def view(served: ServedNode, *cameras: str, grants: str = "operator@*", from_h: float = -1, to_h: float = 0, reason: str = "") -> Any:
    now_us = served.context.clock.wall_us()
    times = {"from": format_utc(now_us + round(from_h * HOUR_US)), "to": format_utc(now_us + round(to_h * HOUR_US))}
    return served.client(grants).post(f"{API}/views", json={"cameras": cameras, "reason": reason} | times)


def test_a_view_of_several_cameras_is_found_under_each(past: ServedNode) -> None:
    answer = view(past, "plaza", "bridge", reason="a bag was lost").json()
    told = acts(past)
    assert [(kind, subject) for kind, _, subject, _ in told] == [("past_viewed", "plaza"), ("past_viewed", "bridge")]
    assert {detail["view"] for *_, detail in told} == {answer["id"]}
    with Bookkeeper(past.context.folder, past.context.clock) as bookkeeper:
        bookkeeper.apply_new()
    for camera in ("plaza", "bridge"):
        (act,) = past.client(f"privacy_officer@camera:{camera}").get(f"{API}/acts", params={"camera": camera}).json()["items"]
        assert (act["detail"]["cameras"], act["detail"]["others"]) == ([camera], 1)  # that there was another, and not which


def test_a_second_camera_at_the_same_time_needs_a_reason(past: ServedNode) -> None:
    assert view(past, "plaza").status_code == 201
    refused = view(past, "bridge", from_h=-0.5)
    assert (refused.status_code, refused.json()["type"]) == (422, "urn:lamppost:problem:reason-required")
    assert "another camera" in refused.json()["detail"]
    assert len(acts(past)) == 1
    assert view(past, "bridge", from_h=-0.5, reason="a bag was lost").status_code == 201


@pytest.mark.parametrize(
    "second",
    [
        {"cameras": ("plaza",)},
        {"cameras": ("bridge",), "from_h": -3, "to_h": -1},
        {"cameras": ("bridge",), "grants": "operator@*+viewer@*"},
    ],
)
def test_the_same_camera_another_time_and_another_user_need_none(past: ServedNode, second: dict[str, Any]) -> None:
    assert view(past, "plaza").status_code == 201
    assert view(past, *second.pop("cameras"), **second).status_code == 201


def test_one_of_the_cameras_that_a_reason_was_given_for_needs_no_other(past: ServedNode) -> None:
    assert view(past, "plaza", "bridge", reason="a bag was lost").status_code == 201
    assert view(past, "plaza", from_h=-2).status_code == 201
    assert view(past, "bridge", from_h=-2).status_code == 422, "with the view before it, at a time that no reason was given for"


def test_a_view_that_is_over_asks_for_nothing(past: ServedNode) -> None:
    assert view(past, "plaza").status_code == 201
    clock = past.context.clock
    assert isinstance(clock, ManualClock)
    clock.advance(3601)
    assert view(past, "bridge", from_h=-2).status_code == 201


def test_a_view_that_could_not_be_put_on_the_record_is_none(past: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    with monkeypatch.context() as patch:
        full(past, patch)
        assert view(past, "plaza").status_code == 503
    assert view(past, "bridge").status_code == 201, "nobody looks at the other"
