"""`Idempotency-Key` on creations: what is sent twice is done once, and answered alike.

For a day the answer is kept and given again, to the same user for the same
request, while they may do what they might then. An answer that holds a secret
is kept by nobody: who asks again learns that it was done. Of who has not signed
in nothing is kept, and nothing is written.
"""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any, Final

from fastapi.requests import HTTPConnection
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamppost.access.desk import Desk, SignedIn
from lamppost.api.context import Context
from lamppost.api.problems import Problem
from lamppost.api.security import identify
from lamppost.store.access_book import AnswerRow

LONGEST_KEY: Final = 200
LARGEST_KEPT_BYTES: Final = 64 * 1024
_SECRET: Final = ("/session", "/account/", "/users")
REPLAYED: Final = "idempotency-replayed"


class Idempotency:
    """ASGI middleware for POST below `/api/`; without the header it does nothing."""

    def __init__(self, app: ASGIApp, context: Context) -> None:
        self._app = app
        self._context = context

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        headers = Headers(scope=scope) if scope["type"] == "http" else None
        key = headers.get("idempotency-key") if headers is not None else None
        desk = self._context.desk
        if (
            key is None
            or headers is None
            or scope["method"] != "POST"
            or not scope["path"].startswith("/api/")
            or not isinstance(desk, Desk)
        ):
            await self._app(scope, receive, send)
            return
        if not 1 <= len(key) <= LONGEST_KEY:
            await _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, f"an Idempotency-Key has 1 to {LONGEST_KEY} characters")(scope, receive, send)
            return
        who = await run_in_threadpool(_who, HTTPConnection(scope))
        if who is None:
            await self._app(scope, receive, send)  # which refuses it, or lets them sign in: that is kept for nobody anyway
            return
        body = await _read(receive)
        if body is None:
            return
        request = _hash(f"{scope['path']}?{scope['query_string'].decode('latin-1')}\n".encode() + body)
        asked = f"{request} {_hash(_what_they_may(who).encode())}"
        caller = who.user_id
        before = await run_in_threadpool(desk.book.begin_answer, caller, key, asked, self._context.clock.wall_us())
        if before is not None:
            await _again(before, asked)(scope, receive, send)
            return
        answer = _Answer(send)
        try:
            await self._app(scope, _replay(body, receive), answer.take)
        finally:
            await run_in_threadpool(desk.book.end_answer, caller, key, *answer.to_keep(scope["path"]))


class _Answer:
    """Passes an answer on, and remembers it."""

    def __init__(self, send: Send) -> None:
        self._send = send
        self._status = 0
        self._body: bytes | None = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self._status = message["status"]
        elif message["type"] == "http.response.body" and self._body is not None:
            body = self._body + bytes(message.get("body", b""))
            self._body = body if len(body) <= LARGEST_KEPT_BYTES else None
        await self._send(message)

    def to_keep(self, path: str) -> tuple[int, str]:
        """Status and content; status 0 where nothing was done, so that it may be tried again."""
        if not HTTPStatus.OK <= self._status < HTTPStatus.MULTIPLE_CHOICES:
            return 0, ""
        is_secret = path.removeprefix("/api/v1").startswith(_SECRET)
        return self._status, "" if is_secret or self._body is None else self._body.decode("utf-8", "replace")


def _who(connection: HTTPConnection) -> SignedIn | None:
    try:
        return identify(connection)
    except Problem:
        return None


def _what_they_may(who: SignedIn) -> str:
    return "\n".join(sorted(f"{grant.role.value}@{grant.scope.text}" for grant in who.grants))


def _again(before: AnswerRow, asked: str) -> Response:
    was, now = before.request_sha256.split(), asked.split()
    if was[0] != now[0]:
        return _refuse(HTTPStatus.UNPROCESSABLE_ENTITY, "this Idempotency-Key was used for another request")
    if was != now:
        return _refuse(HTTPStatus.CONFLICT, "this was asked before, and you may do other things now than then")
    if not before.status:
        return _refuse(HTTPStatus.CONFLICT, "the same request is being answered")
    if not before.content and before.status != HTTPStatus.NO_CONTENT:
        return _refuse(HTTPStatus.CONFLICT, "this was done before; its answer held a secret or was long, and was not kept")
    return Response(before.content or None, before.status, {REPLAYED: "true"}, "application/json")


def _refuse(status: HTTPStatus, detail: str) -> Response:
    return Problem(status, detail, kind="idempotency", remedy="use a new key for a new request").response()


async def _read(receive: Receive) -> bytes | None:
    """All of it, or None where they have gone; how long it may be is `BodyLimit`'s to say."""
    pieces: list[bytes] = []
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            return None
        pieces.append(bytes(message.get("body", b"")))
        if not message.get("more_body"):
            return b"".join(pieces)


def _replay(body: bytes, receive: Receive) -> Any:
    waiting = [{"type": "http.request", "body": body, "more_body": False}]

    async def again() -> Message:
        return waiting.pop() if waiting else await receive()

    return again


def _hash(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
