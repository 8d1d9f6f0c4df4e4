"""Entity tags (RFC 9110, 8.8.3): who has an answer already gets none again, and nobody overwrites what they have not seen."""

from __future__ import annotations

import hashlib
from http import HTTPStatus
from typing import Any, Final

from fastapi import Request
from fastapi.encoders import jsonable_encoder
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamppost.api.problems import Problem

LARGEST_BYTES: Final = 4 << 20  # a longer answer goes out as it is made


def etag_of_content(content: Any) -> str:
    """The tag of an answer with this content, as its GET gives it: a model, or what JSON can hold."""
    return _tag(JSONResponse(jsonable_encoder(content)).body)


def require_match(request: Request, etag: str) -> None:
    """Raises 428 where `If-Match` is missing, 412 where it names another state than `etag`."""
    given = request.headers.get("if-match", "").strip()
    if not given:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            "say which state you have seen: somebody else may be changing the same",
            kind="match-required",
            remedy="send its ETag as If-Match",
        )
    named = {part.strip().removeprefix("W/").strip('"') for part in given.split(",")}
    if given != "*" and etag.strip('"') not in named:
        raise changed()


def changed() -> Problem:
    """412: what the caller saw is not what it is now."""
    return Problem(
        HTTPStatus.PRECONDITION_FAILED,
        "somebody else has changed it since you saw it",
        kind="changed",
        remedy="look at it again, and make your change to what it is now",
    )


class EntityTags:
    """ASGI middleware: gives JSON of a GET its tag, and answers 304 to who has it. Media and streams pass as they are."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or not scope["path"].startswith("/api/"):
            await self._app(scope, receive, send)
            return
        await self._app(scope, receive, _Tagging(Headers(scope=scope).get("if-none-match", ""), send).take)


class _Tagging:
    def __init__(self, known: str, send: Send) -> None:
        self._known = known
        self._send = send
        self._start: Message | None = None
        self._body = b""

    async def take(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = Headers(raw=message["headers"])
            is_json = headers.get("content-type", "").startswith("application/json")
            if message["status"] == HTTPStatus.OK and is_json and "etag" not in headers:
                self._start = message
                return
        elif message["type"] == "http.response.body" and self._start is not None:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                await self._finish()
                return
            if len(self._body) > LARGEST_BYTES:
                await self._release(more=True)
            return
        await self._send(message)

    async def _finish(self) -> None:
        assert self._start is not None  # noqa: S101 - whoever calls has looked
        tag = _tag(self._body)
        headers = MutableHeaders(scope=self._start)
        headers["etag"] = tag
        headers["cache-control"] = "private, no-cache"
        if tag in _tags(self._known):
            self._start["status"] = HTTPStatus.NOT_MODIFIED.value
            del headers["content-length"]
            self._body = b""
        await self._release(more=False)

    async def _release(self, *, more: bool) -> None:
        start, self._start = self._start, None
        assert start is not None  # noqa: S101 - whoever calls has looked
        await self._send(start)
        body, self._body = self._body, b""
        await self._send({"type": "http.response.body", "body": body, "more_body": more})


def _tag(body: bytes | memoryview) -> str:
    return f'"{hashlib.sha256(body).hexdigest()[:32]}"'


def _tags(header: str) -> frozenset[str]:
    return frozenset(part.strip().removeprefix("W/") for part in header.split(","))
