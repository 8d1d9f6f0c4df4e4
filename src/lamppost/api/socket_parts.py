"""A socket sends and listens at once: whoever serves it is done when the first of its parts is."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from typing import Any, Final

_NORMAL: Final = 1000


async def first_to_end(*parts: Coroutine[Any, Any, int]) -> int:
    """Run `parts` together until one ends; the others are cancelled and have ended when this returns.

    Returns the code to close the socket with: that of the part that ended, 1000 (RFC 6455, section 7.4.1) where it failed.
    """
    tasks = [asyncio.create_task(part) for part in parts]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        return next((task.result() for task in done if task.exception() is None), _NORMAL)
    finally:
        for task in tasks:
            task.cancel()
        # No `gather`: cancelled while it waits, it raises the cancellation of a part in place of its caller's own.
        await asyncio.wait(tasks)
        for task in tasks:
            if not task.cancelled():
                task.exception()  # looked at, or asyncio speaks of it
