"""Answers that are bytes of files: what they hold open is closed, however they end."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from typing import Final

from fastapi.responses import StreamingResponse
from starlette.types import Message, Receive, Scope, Send

from lamppost.base.logging import get_logger

_RANGE: Final = re.compile(r"bytes=(?:(\d{1,18})-(\d{0,18})|-(\d{1,18}))")


STALL_S: Final = 60.0  # for one block, of a megabyte at most: who takes longer has gone, or means to keep what we hold open


class HeldAnswer(StreamingResponse):
    """Streams `blocks`, and calls `close` at the end: when all was sent, when the caller has gone or stalls, when reading failed."""

    def __init__(
        self,
        blocks: Iterator[bytes],
        close: Callable[[], None],
        *,
        media_type: str,
        headers: Mapping[str, str],
        status: HTTPStatus = HTTPStatus.OK,
    ) -> None:
        super().__init__(blocks, status.value, headers, media_type)
        self._close = close

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def in_time(message: Message) -> None:
            try:
                async with asyncio.timeout(STALL_S):
                    await send(message)
            except TimeoutError as error:
                raise _Stalled from error

        try:
            await super().__call__(scope, receive, in_time)
        except _Stalled:
            get_logger("server").info("who does not take what they asked for is left", path=scope["path"])
        finally:
            self._close()


class _Stalled(Exception):
    """They take nothing; the server ends the connection of an answer that is not whole."""


class NotSatisfiable(Exception):
    """No byte of the range is in the file."""


def read_range(header: str, size_bytes: int) -> tuple[int, int] | None:
    """First byte and end of the one range in a `Range` header (RFC 9110, 14.1.2).

    None for no range, several, or what is none: the whole is meant then.
    Raises `NotSatisfiable`.
    """
    found = _RANGE.fullmatch(header.strip())
    if found is None:
        return None
    first, last, suffix = found.groups()
    if suffix is not None:
        start, end = max(0, size_bytes - int(suffix)), size_bytes
        if not int(suffix):
            raise NotSatisfiable
    else:
        start, end = int(first), min(int(last) + 1, size_bytes) if last else size_bytes
        if last and int(last) < start:
            return None
    if start >= size_bytes:
        raise NotSatisfiable
    return start, end
