"""How fast somebody may ask: a bucket of requests for each, filled again at a steady pace."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi.requests import HTTPConnection
from starlette.concurrency import run_in_threadpool
from starlette.types import ASGIApp, Receive, Scope, Send
from starlette.websockets import WebSocket

from lamppost.access.throttle import household
from lamppost.api.problems import Problem
from lamppost.api.security import address_of, find, shown_by
from lamppost.base.clock import Clock
from lamppost.base.errors import StoreError

MOST_BUCKETS: Final = 20_000
PROVEN_S: Final = 60.0  # so long a cookie or token passes for somebody's without being looked up here again


@dataclass(frozen=True, slots=True)
class Rate:
    """So many requests a second for long, and so many at once."""

    per_s: float
    burst: float


KNOWN: Final = Rate(100.0, 600.0)  # a wall of pictures and a scrubbed timeline ask often
UNKNOWN: Final = Rate(10.0, 60.0)


@dataclass(slots=True)
class _Bucket:
    left: float
    at_s: float


class RateLimit:
    """ASGI middleware for the API and its WebSockets. Who is signed in is told apart by what they show, all others by their address.

    A made-up cookie buys nothing: it has to be somebody's before it is asked at the rate of the known.
    """

    def __init__(self, app: ASGIApp, clock: Clock, *, known: Rate = KNOWN, unknown: Rate = UNKNOWN) -> None:
        self._app = app
        self._clock = clock
        self._known = known
        self._unknown = unknown
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()
        self._proven: OrderedDict[str, float] = OrderedDict()  # until when

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] in ("http", "websocket") and scope["path"].startswith("/api/"):
            wait_s = await self._take(HTTPConnection(scope))
            if wait_s > 0:
                problem = Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "too many requests",
                    kind="rate",
                    remedy="ask more slowly",
                    headers={"Retry-After": str(math.ceil(wait_s))},
                )
                await _refuse(problem, scope, receive, send)
                return
        await self._app(scope, receive, send)

    async def _take(self, connection: HTTPConnection) -> float:
        """Takes one, and returns 0; or how long until there is one."""
        place, shown = household(address_of(connection)), shown_by(connection)
        many = Rate(self._known.per_s * 10, self._known.burst * 10)
        if shown and (wait_s := await self._prove(shown, place, connection)) is not None:
            if wait_s > 0:
                return wait_s
            shown = ""
        if not shown:
            return self._take_from(f"address {place}", self._unknown)
        return max(self._take_from(f"shown {shown}", self._known), self._take_from(f"all of {place}", many))

    async def _prove(self, shown: str, place: str, connection: HTTPConnection) -> float | None:
        """None where what is shown is somebody's; otherwise how long to wait, 0 for who is nobody."""
        until_s = self._proven.get(shown)
        if until_s is not None and self._clock.monotonic_s() < until_s:
            return None
        # To look it up costs something as well. Whoever was known a minute ago does not wait for others at their address.
        if until_s is None and (wait_s := self._take_from(f"lookups of {place}", self._known)) > 0:
            return wait_s
        is_somebody = await run_in_threadpool(_is_somebody, connection)
        self._proven.pop(shown, None)
        if not is_somebody:
            return 0.0
        self._proven[shown] = self._clock.monotonic_s() + PROVEN_S
        while len(self._proven) > MOST_BUCKETS:
            self._proven.popitem(last=False)
        return None

    def _take_from(self, key: str, rate: Rate) -> float:
        """Takes one, and returns 0; or how long until there is one."""
        now_s = self._clock.monotonic_s()
        bucket = self._buckets.pop(key, None) or _Bucket(rate.burst, now_s)
        bucket.left = min(rate.burst, bucket.left + (now_s - bucket.at_s) * rate.per_s)
        bucket.at_s = now_s
        self._buckets[key] = bucket
        while len(self._buckets) > MOST_BUCKETS:
            self._buckets.popitem(last=False)
        if bucket.left < 1.0:
            return (1.0 - bucket.left) / rate.per_s
        bucket.left -= 1.0
        return 0.0


def _is_somebody(connection: HTTPConnection) -> bool:
    try:
        return find(connection) is not None
    except StoreError:  # the route says so; until it can be read, nobody is known
        return False


async def _refuse(problem: Problem, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await WebSocket(scope, receive, send).send_denial_response(problem.response())
    else:
        await problem.response()(scope, receive, send)
