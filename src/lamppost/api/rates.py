"""How fast somebody may ask: a bucket of requests for each, filled again at a steady pace."""

from __future__ import annotations

import math
from collections import OrderedDict
from dataclasses import dataclass
from http import HTTPStatus
from typing import Final

from fastapi.requests import HTTPConnection
from starlette.types import ASGIApp, Receive, Scope, Send

from lamppost.api.problems import Problem
from lamppost.api.security import address_of
from lamppost.base.clock import Clock

MOST_BUCKETS: Final = 20_000


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
    """ASGI middleware for the API. Who shows a cookie or a token is told apart by it, everybody else by their address.

    A made-up cookie buys nothing: it is another bucket, but each address has one of all its requests as well.
    """

    def __init__(self, app: ASGIApp, clock: Clock, *, known: Rate = KNOWN, unknown: Rate = UNKNOWN) -> None:
        self._app = app
        self._clock = clock
        self._known = known
        self._unknown = unknown
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http" and scope["path"].startswith("/api/"):
            wait_s = self._take(scope)
            if wait_s > 0:
                problem = Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "too many requests",
                    kind="rate",
                    remedy="ask more slowly",
                    headers={"Retry-After": str(math.ceil(wait_s))},
                )
                await problem.response()(scope, receive, send)
                return
        await self._app(scope, receive, send)

    def _take(self, scope: Scope) -> float:
        connection = HTTPConnection(scope)
        shown = connection.headers.get("authorization") or connection.headers.get("cookie") or ""
        address = address_of(connection)
        if not shown:
            return self._take_from(f"address {address}", self._unknown)
        return max(
            self._take_from(f"shown {hash(shown)}", self._known),
            self._take_from(f"all of {address}", Rate(self._known.per_s * 10, self._known.burst * 10)),
        )

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
