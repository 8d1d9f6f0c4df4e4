"""Says how many may talk with devices for minutes at once: each of them keeps a thread from all other requests meanwhile."""

from __future__ import annotations

import threading
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Final

from lamppost.api.context import Context
from lamppost.api.problems import Problem

MOST_AT_ONCE: Final = 4


class DevicePlaces:
    """The places of one application."""

    def __init__(self) -> None:
        self.free = threading.BoundedSemaphore(MOST_AT_ONCE)


@contextmanager
def device_place(context: Context) -> Generator[None]:
    """Have one of the places; raises 429 where others have them all."""
    places = context.keep(DevicePlaces, DevicePlaces)
    if not places.free.acquire(blocking=False):
        raise Problem(
            HTTPStatus.TOO_MANY_REQUESTS,
            f"{MOST_AT_ONCE} devices are audited or changed just now",
            kind="busy",
            remedy="try again in a minute",
            headers={"Retry-After": "30"},
        )
    try:
        yield
    finally:
        places.free.release()
