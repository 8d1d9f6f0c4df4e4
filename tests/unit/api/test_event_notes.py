"""Somebody looks after an event, or says something of it: over HTTP, on the record, and seen by whoever may see the event."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from furnished_node import FurnishedNode
from lamppost.base.clock import ManualClock
from talking_sockets import talk

OPERATOR = "operator@camera:plaza"


@pytest.fixture
def node(furnished: FurnishedNode, monkeypatch: pytest.MonkeyPatch) -> FurnishedNode:
    """With a bookkeeper that takes in what is written while somebody waits for it."""
    wait = ManualClock.wait

    def book_and_wait(clock: ManualClock, *given: Any) -> bool:
        furnished.book()
        return wait(clock, *given)

    monkeypatch.setattr(ManualClock, "wait", book_and_wait)
    return furnished


def test_an_acknowledged_event_says_by_whom(node: FurnishedNode) -> None:
    event, who = node.event("plaza"), node.somebody_new(OPERATOR)
    answer = node.ask(who, "POST", f"/events/{event}/acknowledgement", {"text": "  on my\nway "})
    assert answer.status_code == 201, answer.text
    found = answer.json()
    assert found["acknowledged"]["by"] == who.name
    assert [(note["kind"], note["by"], note["text"]) for note in found["notes"]] == [("acknowledged", who.name, "on my way")]
    (act,) = node.acts_of(who.name)
    assert (act.kind, act.subject) == ("event_acknowledged", "plaza")
    assert json.loads(act.detail) == {"event": event, "note": found["notes"][0]["id"]}
    other = node.person("viewer@site:old-town")
    assert node.ask(other, "GET", f"/events/{event}").json() == found
    ids = {state: [each["id"] for each in node.ask(other, "GET", f"/events?state={state}").json()["items"]] for state in (
        "acknowledged", "unacknowledged")}  # fmt: skip
    assert event in ids["acknowledged"]
    assert event not in ids["unacknowledged"]


def test_the_first_who_looks_after_it_does(node: FurnishedNode) -> None:
    event, first, second = node.event("plaza"), node.somebody_new(OPERATOR), node.somebody_new(OPERATOR)
    assert node.ask(first, "POST", f"/events/{event}/acknowledgement", {}).status_code == 201
    answer = node.ask(second, "POST", f"/events/{event}/acknowledgement", {})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lamppost:problem:acknowledged")
    assert first.name in answer.json()["detail"]
    assert node.acts_of(second.name) == []
    assert node.ask(second, "POST", f"/events/{event}/comments", {"text": "me too"}).status_code == 201


def test_comments_stand_in_their_order(node: FurnishedNode) -> None:
    event, who = node.event("plaza"), node.somebody_new(OPERATOR)
    for text in ("a dog", "a cat", "x" * 2000):
        answer = node.ask(who, "POST", f"/events/{event}/comments", {"text": text})
        assert answer.status_code == 201, answer.text
    found = answer.json()
    assert [note["text"] for note in found["notes"]] == ["a dog", "a cat", "x" * 2000]
    assert found["comments"] == 3
    assert found["acknowledged"] is None
    assert {act.kind for act in node.acts_of(who.name)} == {"event_commented"}


@pytest.mark.parametrize("body", [{"text": ""}, {}, {"text": "x" * 2001}, {"text": 7}])
def test_what_is_no_comment_is_refused(node: FurnishedNode, body: dict[str, Any]) -> None:
    who = node.somebody_new(OPERATOR)
    answer = node.ask(who, "POST", f"/events/{node.events['plaza']}/comments", body)
    assert answer.status_code == 422
    assert node.acts_of(who.name) == []


@pytest.mark.parametrize(
    ("grants", "status"), [("viewer@camera:plaza", 403), ("operator@camera:bridge", 404), ("operator@camera:bridge+viewer@*", 403)]
)
def test_who_may_not_leaves_no_note(node: FurnishedNode, grants: str, status: int) -> None:
    event, who = node.event("plaza"), node.somebody_new(grants)
    for path, body in (("acknowledgement", {}), ("comments", {"text": "a dog"})):
        assert node.ask(who, "POST", f"/events/{event}/{path}", body).status_code == status
    assert node.acts_of(who.name) == []
    assert node.ask(node.person(OPERATOR), "GET", f"/events/{event}").json()["notes"] == []


def test_while_the_index_is_behind_it_is_taken_all_the_same(furnished: FurnishedNode) -> None:
    event, who = furnished.event("plaza"), furnished.somebody_new(OPERATOR)
    answer = furnished.ask(who, "POST", f"/events/{event}/acknowledgement", {"text": "seen"})
    assert answer.status_code == 202
    assert answer.json()["notes"] == []
    furnished.book()
    assert furnished.ask(who, "GET", f"/events/{event}").json()["acknowledged"]["by"] == who.name


def test_who_follows_events_hears_of_their_cameras_alone(furnished: FurnishedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamppost.api.event_feed.POLL_S", 0.01)
    who = furnished.person("viewer@camera:plaza")
    with talk(furnished, "/events/feed", who.headers) as socket:
        began_s = time.monotonic()
        while not furnished.app.state.event_feed.listeners:
            assert time.monotonic() - began_s < 10
        others = [furnished.event("bridge") for _ in range(3)]
        event = furnished.event("plaza")
        heard: list[Any] = []
        while not heard or heard[-1]["event"]["id"] != event:
            heard.append(socket.receive_json())
        assert {each["type"] for each in heard} == {"event"}
        assert furnished.leaks("bridge", json.dumps(heard).encode()) == []
        assert not {each["event"]["id"] for each in heard} & set(others)
        furnished.ask(furnished.person(OPERATOR), "POST", f"/events/{event}/comments", {"text": "a dog"})
        furnished.book()
        again = socket.receive_json()["event"]
        assert (again["id"], again["comments"]) == (event, 1)
