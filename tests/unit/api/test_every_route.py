"""Every role, every camera in and out of its scope, every route: made from the OpenAPI document, so that none can be missed.

Who lacks a permission is answered 403 or 404 and shown nothing; who has it is never refused. Whatever routes are added
later are in here without a change.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from concurrent.futures import CancelledError
from dataclasses import dataclass
from typing import Any

import pytest
from fastapi.routing import APIRoute, APIWebSocketRoute
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse
from starlette.websockets import WebSocketDisconnect

from lamppost.api import timeline
from lamppost.api.app import RESOURCES, create_app
from lamppost.api.permit import API, ON_KEY, PERMISSION_KEY, AnySignedIn, permit_of
from lamppost.base.clock import ManualClock
from lamppost.model.access import OF_THE_NODE, PERMITTED, Permission, Role
from served_node import ServedNode

CAMERAS = {"plaza": "old-town", "bridge": "harbour"}
SCOPES = ("*", "camera:plaza", "site:harbour")
GIVEN = {"user_id": "nobody", "token_id": "none", "event_id": "none", "hold_id": "none", "segment": "none", "part": "1.m4s", "name": "none"}


@dataclass(frozen=True)
class Asked:
    """One operation on one camera, or on none."""

    method: str
    path: str
    permission: Permission | None
    on: str
    camera: str | None

    @property
    def url(self) -> str:
        path = self.path
        for name in {part.split("}")[0] for part in path.split("{")[1:]}:
            path = path.replace(f"{{{name}}}", self.camera if name == "camera" and self.camera else GIVEN.get(name, "none"))
        return path


def operations(served: ServedNode) -> Iterator[Asked]:
    for path, methods in served.app.openapi()["paths"].items():
        for method, operation in methods.items():
            permission = Permission(operation[PERMISSION_KEY]) if PERMISSION_KEY in operation else None
            for camera in CAMERAS if "{camera}" in path else (None,):
                yield Asked(method.upper(), path, permission, operation[ON_KEY], camera)


def may(role: Role, scope: str, asked: Asked) -> bool:
    if asked.permission is None:
        return True
    if asked.permission not in PERMITTED[role]:
        return False
    if asked.on == "node" or asked.permission in OF_THE_NODE:
        return scope == "*"
    if asked.camera is None:
        return True
    return scope in ("*", f"camera:{asked.camera}", f"site:{CAMERAS[asked.camera]}")


def ask(client: TestClient, asked: Asked) -> Any:
    return client.request(asked.method, asked.url, json={} if asked.method in ("POST", "PUT", "PATCH") else None)


def test_the_document_names_what_every_operation_needs(served: ServedNode) -> None:
    found = list(operations(served))
    assert len({asked.path for asked in found}) > 50
    assert {asked.on for asked in found} == {"camera", "node", "filtered", "signed_in", "anybody"}
    assert {asked.path for asked in found if asked.on == "anybody"} == {
        f"{API}/session", f"{API}/session/link", f"{API}/session/link/facts"
    }  # fmt: skip


def test_nobody_gets_in(served: ServedNode) -> None:
    client = served.client("")
    clock = served.context.clock
    assert isinstance(clock, ManualClock)
    for asked in operations(served):
        if asked.on != "anybody":
            clock.advance(1.0)  # who asks too fast is answered 429
            assert ask(client, asked).status_code == 401, asked


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", list(Role))
def test_who_may_not_is_refused_and_who_may_is_not(served: ServedNode, role: Role, scope: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamppost.api.live.FIRST_PICTURE_S", 0.01)
    monkeypatch.setattr("lamppost.api.live_hls.FIRST_PARTS_S", 0.01)
    client = served.client(f"{role.value}@{scope}")
    reads = 0
    with client:
        for asked in operations(served):
            if asked.on in ("anybody", "signed_in"):
                continue
            answer = ask(client, asked)
            if may(role, scope, asked):
                assert answer.status_code not in (401, 405), asked
                # What is refused beyond the permit is a view that is missing, and nothing else.
                assert answer.status_code != 403 or answer.json()["type"].endswith(("view-required", "forbidden")), asked
            else:
                assert answer.status_code in (403, 404), (asked, answer.text)
                others = [name for name in CAMERAS if scope not in ("*", f"camera:{name}", f"site:{CAMERAS[name]}")]
                reads += sum(name in answer.text for name in others if name != asked.camera)
    assert reads == 0


def test_lists_leave_out_what_somebody_may_not_see(served: ServedNode) -> None:
    client = served.client("administrator@camera:plaza")
    for path in ("cameras", "sites", "privacy", "session"):
        text = client.get(f"{API}/{path}").text
        assert "plaza" in text
        assert "bridge" not in text


def sockets() -> list[APIWebSocketRoute]:
    return [route for _, router in RESOURCES for route in router.routes if isinstance(route, APIWebSocketRoute)]


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", list(Role))
def test_sockets_are_guarded_alike(served: ServedNode, role: Role, scope: str) -> None:
    assert len(sockets()) >= 2
    with served.client(f"{role.value}@{scope}") as client:
        for route in sockets():
            permission, on = permit_of(route)
            for camera in CAMERAS if "{camera}" in route.path else (None,):
                asked = Asked("GET", API + route.path, permission, on, camera)
                if may(role, scope, asked):
                    # The client's way to hang up is to cancel the application.
                    with contextlib.suppress(CancelledError), client.websocket_connect(asked.url):
                        pass
                else:
                    with pytest.raises((WebSocketDenialResponse, WebSocketDisconnect)), client.websocket_connect(asked.url):
                        pass


def test_a_permit_that_was_forgotten_is_found(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The break that this file exists for: a route that asks for a sign-in alone, where it was to ask for a camera."""
    (route,) = [each for each in timeline.router.routes if isinstance(each, APIRoute)]
    gates = [dependency for dependency in route.dependant.dependencies if type(dependency.call).__name__ == "Permit"]
    monkeypatch.setattr(gates[0], "call", AnySignedIn())
    monkeypatch.setattr(route, "openapi_extra", None)
    served.app = create_app(served.context)
    forgotten = [asked for asked in operations(served) if asked.on == "signed_in" and "{camera}" in asked.path]
    assert [asked.path for asked in forgotten] == [f"{API}/cameras/{{camera}}/timeline"] * len(CAMERAS)


def test_what_names_a_camera_asks_for_a_permission_on_it(served: ServedNode) -> None:
    assert [asked.path for asked in operations(served) if "{camera}" in asked.path and asked.on != "camera"] == []
