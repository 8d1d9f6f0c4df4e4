"""WebSockets of a served node, as a browser or a program opens them."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Mapping
from concurrent.futures import CancelledError
from typing import Any

from starlette.testclient import WebSocketDenialResponse, WebSocketTestSession
from starlette.websockets import WebSocketDisconnect

from furnished_node import FurnishedNode
from lamppost.api.permit import API


@contextlib.contextmanager
def talk(node: FurnishedNode, path: str, headers: Mapping[str, str]) -> Iterator[WebSocketTestSession]:
    """An open socket; raises `WebSocketDenialResponse` where it is refused."""
    node.clock.advance(0.5)
    node.client_of_all.cookies.clear()
    given = {name: value for name, value in headers.items() if value}
    # The client's way to hang up is to cancel the application.
    with contextlib.suppress(CancelledError), node.client_of_all.websocket_connect(API + path, headers=given) as socket:
        yield socket


def knock(node: FurnishedNode, path: str, headers: Mapping[str, str]) -> tuple[int, bytes]:
    """Open a socket: 200 with the first pictures where it shows any, or the status and content of the refusal."""
    try:
        with talk(node, path, headers) as socket:
            return 200, b"".join(first(socket)) if path.endswith("/live") else b""
    except WebSocketDenialResponse as refusal:
        return refusal.status_code, refusal.content
    except WebSocketDisconnect as end:
        return end.code, b""


def first(socket: WebSocketTestSession) -> list[bytes]:
    """What comes until the first picture, and it."""
    found: list[bytes] = []
    pictures = 0
    while pictures < 2:  # the init, and a fragment
        message: dict[str, Any] = dict(socket.receive())
        if message["type"] == "websocket.close":
            raise WebSocketDisconnect(message["code"])
        pictures += message.get("bytes") is not None
        found.append(message.get("bytes") or json.dumps(message.get("text")).encode())
    return found
