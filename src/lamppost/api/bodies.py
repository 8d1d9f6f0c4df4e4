"""How much somebody may send us: no more than the longest honest request, whoever they are, so that nobody fills the memory."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from starlette.datastructures import Headers
from starlette.exceptions import HTTPException
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamppost.api.problems import Problem

LARGEST_BYTES: Final = 1 << 20  # as many lines, zones and rules as a camera may have take a fifth of it
_DETAIL: Final = f"a request holds no more than {LARGEST_BYTES} bytes"
# Nobody reads the rest of it: whoever asks again does so on a new connection.
_HEADERS: Final = {"Connection": "close"}


class TooLong(HTTPException):
    """More came than may; the framework hands on an HTTP error and no other while it reads a body."""

    def __init__(self) -> None:
        super().__init__(HTTPStatus.REQUEST_ENTITY_TOO_LARGE.value, _DETAIL, _HEADERS)


class BodyLimit:
    """ASGI middleware: a longer body is answered 413, at once where its length is told, and before more of it is kept."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        told = Headers(scope=scope).get("content-length", "")
        # What is no number the server has refused already; one of many digits is never made one.
        if told.isdecimal() and (len(told) > 18 or int(told) > LARGEST_BYTES):
            await _refusal().response()(scope, receive, send)
            return
        read_bytes = 0

        async def bounded() -> Message:
            nonlocal read_bytes
            message = await receive()
            read_bytes += len(message.get("body", b""))
            if read_bytes > LARGEST_BYTES:
                raise TooLong
            return message

        try:
            await self._app(scope, bounded, send)
        except TooLong:  # whoever read it stands before the application, and nothing was answered yet
            await _refusal().response()(scope, receive, send)


def _refusal() -> Problem:
    return Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, _DETAIL, headers=_HEADERS)
