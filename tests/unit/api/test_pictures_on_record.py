"""No picture leaves before an act says who looks at what: asked of every route that answers pictures or video.

Which these are the OpenAPI document tells; and every WebSocket that shows what is live.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from all_routes import Operation, operations
from asked_routes import Asked
from furnished_node import CAMERAS, FurnishedNode, Person, t
from lamppost.api.context import Context
from lamppost.api.permit import API
from lamppost.base.errors import StoreError
from lamppost.model.access import Permission
from lamppost.model.books import Act
from talking_sockets import knock

SHOWS = ("image/", "video/", "application/vnd.apple.mpegurl")
WATCHER = "operator@*"
# The parts of the last seconds are the same for a minute; everything else is asked for anew, so that it stops with a grant.
KEPT_A_WHILE = {"GET /cameras/{camera}/live/{part}": "private, max-age=60"}


def picture_routes(node: FurnishedNode) -> Iterator[Operation]:
    paths = node.document["paths"]
    for operation in operations(node.document):
        if operation.method == "SOCKET":
            if operation.permission in (Permission.WATCH_LIVE, Permission.WATCH_PAST):
                yield operation
            continue
        responses = paths[API + operation.path][operation.method.lower()]["responses"].values()
        if any(kind.startswith(SHOWS) for response in responses for kind in response.get("content", {})):
            yield operation


@dataclass
class Watched:
    """The application; remembers what was on the record of somebody when the first of an answer left."""

    app: ASGIApp
    node: FurnishedNode
    actor: str = ""
    acts: list[Act] | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def seen(message: Message) -> None:
            is_content = message["type"] == "http.response.start" or (message["type"] == "websocket.send" and message.get("bytes"))
            if is_content and self.acts is None:
                self.acts = self.node.acts_of(self.actor)
            await send(message)

        await self.app(scope, receive, seen)


def look(node: FurnishedNode, watched: Watched, who: Person, operation: Operation, asked: Asked) -> tuple[list[Act], Any]:
    """What was on the record of `who` when the picture left, and the answer."""
    path = asked.path
    if "view=" in path:
        # Opened as a person opens it: this is what stands on the record of all that is seen with it.
        camera = next(name for name in CAMERAS if name in path or node.segments[name] in path)
        wanted = {"cameras": [camera], "from": t(0), "to": t(60), "reason": "a bag was lost"}
        opened = node.ask(who, "POST", "/views", wanted)
        assert opened.status_code == 201, opened.text
        path = f"{path.partition('view=')[0]}view={opened.json()['id']}"
    watched.actor, watched.acts = who.name, None
    if operation.method == "SOCKET":
        status, content = knock(node, path, who.headers)
        assert (status, bool(content)) == (200, True), operation
        return watched.acts or [], None
    answer = node.ask(who, operation.method, path)
    assert answer.status_code == 200, (operation, answer.text)
    return watched.acts or [], answer


@pytest.fixture(scope="module")
def watched(furnished: FurnishedNode) -> Iterator[Watched]:
    client = furnished.client_of_all
    before = client.app
    found = Watched(furnished.app, furnished)
    client.app = client._transport.app = found  # type: ignore[assignment,attr-defined]
    yield found
    client.app = client._transport.app = before  # type: ignore[attr-defined]


def test_there_are_such_routes(furnished: FurnishedNode) -> None:
    assert len(list(picture_routes(furnished))) >= 9


def test_who_looks_at_what_is_on_the_record_before_the_first_byte(furnished: FurnishedNode, watched: Watched) -> None:
    missing: list[str] = []
    for operation in picture_routes(furnished):
        for number, way in enumerate(operation.row.ways):
            for camera in CAMERAS:
                who = furnished.somebody_new(WATCHER)  # nothing is on their record yet
                acts, _ = look(furnished, watched, who, operation, way(furnished, who, camera))
                if not any(act.subject == camera for act in acts):
                    missing.append(f"{operation.key}, way {number}, {camera}: shown with no act of it")
    assert missing == []


def test_the_other_camera_within_the_same_minute_is_another_act(furnished: FurnishedNode, watched: Watched) -> None:
    for operation in picture_routes(furnished):
        for way in operation.row.ways:
            who = furnished.somebody_new(WATCHER)
            found = [look(furnished, watched, who, operation, way(furnished, who, camera))[0] for camera in CAMERAS]
            assert {act.subject for act in found[-1]} >= set(CAMERAS), operation


def test_each_event_whose_picture_was_looked_at_is_named(furnished: FurnishedNode, watched: Watched) -> None:
    """However fast one follows the other: who looked at which is what the record is for."""
    looked = 0
    for operation in picture_routes(furnished):
        if "{event_id}" in operation.path:
            who = furnished.somebody_new(WATCHER)
            for _ in range(3):
                asked = operation.row.ways[0](furnished, who, "plaza")
                event = asked.path.split("/")[2]
                acts, _ = look(furnished, watched, who, operation, asked)
                assert event in {json.loads(act.detail).get("event") for act in acts}, f"{event} was shown with no act that names it"
                looked += 1
    assert looked >= 3


def test_no_browser_keeps_a_picture(furnished: FurnishedNode, watched: Watched) -> None:
    """Past sign-out and retention it would still be there, and who looks again would not be on the record."""
    kept: dict[str, str] = {}
    for operation in picture_routes(furnished):
        who = furnished.person(WATCHER)
        for way in operation.row.ways if operation.method != "SOCKET" else ():
            _, answer = look(furnished, watched, who, operation, way(furnished, who, "plaza"))
            told = answer.headers.get("cache-control", "")
            if "no-store" not in told:
                kept[operation.key] = told
    assert kept.items() <= KEPT_A_WHILE.items()


def test_nothing_is_shown_that_cannot_be_put_on_the_record(
    furnished: FurnishedNode, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    for operation in picture_routes(furnished):
        for way in operation.row.ways:
            who = furnished.somebody_new(WATCHER)
            asked = way(furnished, who, "plaza")
            if "view=" in asked.path and "clip" not in asked.path:
                continue  # without a view it is refused, and there is none without its act
            with monkeypatch.context() as patch:
                patch.setattr(Context, "act", full)
                if operation.method == "SOCKET":
                    status, content = knock(furnished, asked.path, who.headers)
                else:
                    answer = furnished.ask(who, operation.method, asked.path)
                    status, content = answer.status_code, answer.content
            assert status in (503, 1011), (operation, status)
            assert furnished.leaks("plaza", content) == [], operation
