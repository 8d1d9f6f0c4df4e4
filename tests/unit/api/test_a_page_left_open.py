"""A page that nobody touches keeps nobody signed in, and what two pages change at once is not lost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketTestSession

from lamppost.access.desk import MOST_PREFERENCES, Desk
from lamppost.access.passwords import Passwords
from lamppost.api import event_feed, live
from lamppost.api.permit import API
from lamppost.api.security import BACKGROUND_HEADER, PLAIN_COOKIE
from lamppost.base.clock import ManualClock
from lamppost.base.durable import make_directory
from lamppost.model.server_settings import ServerSettings
from served_node import ServedNode

PREFERENCES = f"{API}/account/preferences"
ORIGIN = {"Origin": "http://testserver"}


@pytest.fixture
def page(served: ServedNode) -> Iterator[TestClient]:
    """A browser in which Anna has signed in; who does nothing for an hour is signed out."""
    folder, clock = served.context.folder, served.context.clock
    make_directory(folder.root / "keys")
    settings = ServerSettings(session_hours=12, idle_minutes=60)
    desk = Desk(folder, clock, settings=lambda: settings, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    served.context.desk = desk
    begun = desk.use_link(desk.setup_link() or "", name="anna", password="seven quiet lanterns")
    yield TestClient(
        served.app,
        cookies={PLAIN_COOKIE: begun.cookie},
        headers={**ORIGIN, "X-CSRF-Token": begun.signed_in.csrf, "Accept": "application/json"},
    )
    desk.close()


def wait(served: ServedNode, minutes: float) -> None:
    assert isinstance(served.context.clock, ManualClock)
    served.context.clock.advance(minutes * 60)


def look(page: TestClient, path: str = "/cameras", **headers: str) -> int:
    return page.get(f"{API}{path}", headers=headers).status_code


def leave(socket: WebSocketTestSession) -> None:
    socket.send({"type": "websocket.disconnect", "code": 1000, "reason": ""})
    while socket.receive()["type"] != "websocket.close":
        pass


def test_what_somebody_does_keeps_them_signed_in(served: ServedNode, page: TestClient) -> None:
    for _ in range(3):
        wait(served, 50)
        assert look(page) == 200
    wait(served, 61)
    assert look(page) == 401


@pytest.mark.parametrize("headers", [{BACKGROUND_HEADER: "1"}, {"Accept": "image/avif,image/webp,*/*;q=0.8"}])
def test_what_a_page_asks_by_itself_does_not(served: ServedNode, page: TestClient, headers: dict[str, str]) -> None:
    wait(served, 50)
    assert look(page, **headers) == 200
    wait(served, 11)
    assert look(page, **headers) == 401, "an hour is over since somebody did something"


def test_a_websocket_does_not(served: ServedNode, page: TestClient) -> None:
    wait(served, 50)
    with page, page.websocket_connect(f"{API}/events/feed", headers=ORIGIN) as socket:
        leave(socket)
    wait(served, 11)
    assert look(page) == 401


@pytest.mark.parametrize("path", ["/events/feed", "/cameras/plaza/live"])
def test_a_websocket_that_has_nothing_to_tell_says_so(served: ServedNode, monkeypatch: pytest.MonkeyPatch, path: str) -> None:
    monkeypatch.setattr(event_feed, "PING_S", 0.001)
    monkeypatch.setattr(live, "PING_S", 0.001)
    with served.client() as client, client.websocket_connect(API + path) as socket:
        words = [socket.receive_json()["type"] for _ in range(3)]
        assert "ping" in words
        leave(socket)


def test_a_change_of_preferences_keeps_what_it_does_not_name(page: TestClient) -> None:
    walls = [{"id": "1", "name": "North"}]
    assert page.put(PREFERENCES, json={"theme": "dark", "language": "de", "layouts": walls}).status_code == 200
    changed = page.patch(PREFERENCES, json={"theme": "light", "language": None})
    assert changed.json() == {"theme": "light", "layouts": walls} == page.get(PREFERENCES).json()


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_nobody_overwrites_preferences_that_they_have_not_seen(page: TestClient, method: str) -> None:
    page.put(PREFERENCES, json={"layouts": ["one"], "share": 0.5, "name": "Nördlich"})
    seen = page.get(PREFERENCES).headers["etag"]
    first = page.request(method, PREFERENCES, json={"layouts": ["one", "two"]}, headers={"If-Match": seen})
    assert first.status_code == 200
    second = page.request(method, PREFERENCES, json={"layouts": ["one", "three"]}, headers={"If-Match": seen})
    assert second.status_code == 412
    assert page.get(PREFERENCES).json()["layouts"] == ["one", "two"]


def test_too_many_preferences_leave_what_was_there(page: TestClient) -> None:
    page.put(PREFERENCES, json={"theme": "dark"})
    large: dict[str, Any] = {"layouts": ["x" * (MOST_PREFERENCES - 10)]}
    assert page.patch(PREFERENCES, json=large).status_code == 413
    assert page.get(PREFERENCES).json() == {"theme": "dark"}
