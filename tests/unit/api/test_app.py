"""Every route says what it needs, and every error is a problem document."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from fastapi import APIRouter, Depends

from lamppost.api.app import create_app
from lamppost.api.permit import API, Anybody, Permit
from lamppost.api.problems import MEDIA_TYPE
from lamppost.model.access import Permission
from served_node import ServedNode


def test_what_is_not_there_is_a_problem(served: ServedNode) -> None:
    answer = served.client().get(f"{API}/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == 404


def test_a_route_without_a_permit_is_refused(served: ServedNode) -> None:
    router = APIRouter()
    router.add_api_route("/bare", lambda: {})
    with pytest.raises(TypeError, match="0 permits"):
        create_app(served.context, [("bare", router)])


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("operator@*", "/probe/plaza", 200),
        ("operator@camera:plaza", "/probe/plaza", 200),
        ("operator@site:old-town", "/probe/plaza", 200),
        ("operator@site:harbour", "/probe/plaza", 404),
        ("viewer@camera:plaza", "/probe/plaza", 403),
        ("operator@camera:bridge", "/probe/plaza", 404),
        ("operator@*", "/probe/unknown", 200),
        ("", "/probe/plaza", 401),
        ("nobody", "/probe/plaza", 401),
        ("privacy_officer@*", "/node", 200),
        ("privacy_officer@camera:plaza", "/node", 403),
    ],
)
def test_who_may(served: ServedNode, token: str, path: str, status: int) -> None:
    router = APIRouter()
    router.add_api_route("/probe/{camera}", lambda: {}, dependencies=[Depends(Permit(Permission.WATCH_PAST))])
    router.add_api_route("/node", lambda: {}, dependencies=[Depends(Permit(Permission.SEE_SYSTEM))])
    router.add_api_route("/open", lambda: {}, dependencies=[Depends(Anybody())])
    served.app = create_app(served.context, [("probe", router)])
    assert served.client(token).get(API + path).status_code == status


@pytest.mark.parametrize(
    ("token", "camera", "status"),
    [("", "plaza", 401), ("viewer@camera:bridge", "plaza", 404), ("custodian@*", "plaza", 403), ("viewer@*", "unknown", 404)],
)
def test_a_refused_websocket_is_told_once_why(served: ServedNode, token: str, camera: str, status: int) -> None:
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "websocket.connect"}

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {
        "type": "websocket",
        "path": f"{API}/cameras/{camera}/live",
        "raw_path": f"{API}/cameras/{camera}/live".encode(),
        "query_string": b"",
        "headers": [(b"authorization", f"Bearer {token}".encode())] if token else [],
        "scheme": "ws",
        "subprotocols": [],
        "client": ("192.0.2.1", 50_000),
        "server": ("localhost", 80),
        "extensions": {"websocket.http.response": {}},
        "state": {},
    }
    asyncio.run(served.app(scope, receive, send))
    assert [message["type"] for message in sent] == ["websocket.http.response.start", "websocket.http.response.body"]
    assert sent[0]["status"] == status
