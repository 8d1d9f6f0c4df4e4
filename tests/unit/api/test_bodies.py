"""Nobody fills the memory by what they send, with or without a length, signed in or not."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from lamppost.api.bodies import LARGEST_BYTES
from lamppost.api.permit import API
from lamppost.api.problems import MEDIA_TYPE
from served_node import ServedNode

PIECE = b"a" * 65_536


@pytest.mark.parametrize("path", ["/session", "/views", "/nothing"])
@pytest.mark.parametrize("headers", [{}, {"Idempotency-Key": "k"}])
def test_a_body_without_end_is_refused_before_it_is_kept(served: ServedNode, path: str, headers: dict[str, str]) -> None:
    asked = 0
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        nonlocal asked
        asked += 1
        return {"type": "http.request", "body": PIECE, "more_body": asked * len(PIECE) < 64 << 20}

    async def send(message: Any) -> None:
        sent.append(message)

    named = {"host": "testserver", "content-type": "application/json"} | headers
    scope = {
        "type": "http",
        "method": "POST",
        "path": API + path,
        "raw_path": (API + path).encode(),
        "query_string": b"",
        "root_path": "",
        "scheme": "http",
        "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
        "client": ("192.0.2.1", 50_000),
        "server": ("testserver", 80),
    }
    asyncio.run(served.app(scope, receive, send))
    assert asked * len(PIECE) <= LARGEST_BYTES + len(PIECE)
    if path != "/nothing":  # where nobody reads, nothing is kept
        assert sent[0]["status"] == 413
        assert (b"connection", b"close") in sent[0]["headers"]
        assert (b"content-type", MEDIA_TYPE.encode()) in sent[0]["headers"]


@pytest.mark.parametrize("token", ["", "administrator@*"])
def test_a_length_that_is_too_long_is_refused_unread(served: ServedNode, token: str) -> None:
    def pieces() -> Iterator[bytes]:
        yield PIECE
        raise AssertionError("it was read")

    for length in (str(LARGEST_BYTES + 1), "9" * 5000):
        answer = served.client(token).post(f"{API}/session", content=pieces(), headers={"Content-Length": length})
        assert answer.status_code == 413
        assert answer.headers["content-type"] == MEDIA_TYPE


def test_the_longest_that_may_come_is_read(served: ServedNode) -> None:
    body = b'{"name": "' + b"a" * (LARGEST_BYTES - 12) + b'"}'
    answer = served.client("").post(f"{API}/session", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 422
