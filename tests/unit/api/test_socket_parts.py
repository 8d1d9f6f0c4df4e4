"""The parts of a socket's conversation end together, and a cancellation from outside stays one."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine
from typing import Any

import pytest

from lamppost.api.socket_parts import first_to_end


async def slow_reader() -> int:
    return 4408


async def lost_line() -> int:
    raise ConnectionError("gone")


async def never() -> int:
    await asyncio.Event().wait()
    return 0


@pytest.mark.parametrize(("part", "code"), [(slow_reader, 4408), (lost_line, 1000)])
def test_the_first_to_end_tells_the_code_and_no_other_goes_on(part: Callable[[], Coroutine[Any, Any, int]], code: int) -> None:
    ended: list[str] = []

    async def other() -> int:
        try:
            return await never()
        finally:
            ended.append("other")

    assert asyncio.run(first_to_end(part(), other())) == code
    assert ended == ["other"]


def test_who_is_cancelled_while_parts_end_learns_of_their_own_cancellation() -> None:
    async def serve() -> None:
        parts: list[asyncio.Task[Any]] = []

        async def other() -> int:
            parts.append(asyncio.current_task())  # type: ignore[arg-type]
            return await never()

        serving = asyncio.create_task(first_to_end(slow_reader(), other()))
        while not parts or not parts[0].cancelling():  # noqa: ASYNC110 - the very next turn of the loop is wanted
            await asyncio.sleep(0)
        # The part is cancelled and has not run since: there are two cancellations now, and only this one is the caller's.
        serving.cancel("the server stops")
        with pytest.raises(asyncio.CancelledError, match="the server stops"):
            await serving

    asyncio.run(serve())
