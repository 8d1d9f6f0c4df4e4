"""One line for each request, without its query and its headers; and how many there were, for the metrics."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from lamppost.api.answer_times import AnswerTimes
from lamppost.base.clock import Clock
from lamppost.base.logging import get_logger

_UPGRADED: Final = 101
_NO_ANSWER: Final = 499  # who asked had gone
# What players and probes ask for many times a second tells nothing, one by one.
_QUIET: Final = ("/healthz", "/readyz", "/metrics", "/assets/")
_QUIET_PARTS: Final = ("/segments/", "/live/", "/thumbnail.jpg")


class AccessLog:
    """ASGI middleware. Addresses in it name cameras and events, never what somebody typed: a query may hold a view or a time."""

    def __init__(self, app: ASGIApp, clock: Clock) -> None:
        self._app = app
        self._clock = clock
        self._log = get_logger("access")
        self.answered: Counter[str] = Counter()
        """By class of status, such as `2xx`."""
        self.times = AnswerTimes()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] not in ("http", "websocket"):
            await self._app(scope, receive, send)
            return
        began_s = self._clock.monotonic_s()
        seen: dict[str, int] = {}

        async def watch(message: Message) -> None:
            if message["type"] in ("http.response.start", "websocket.http.response.start"):
                seen["status"] = message["status"]
                self.times.note(self._clock.monotonic_s() - began_s)
            elif message["type"] == "websocket.accept":
                seen["status"] = _UPGRADED
            elif message["type"] == "http.response.body":
                seen["size_bytes"] = seen.get("size_bytes", 0) + len(message.get("body", b""))
            await send(message)

        try:
            await self._app(scope, receive, watch)
        finally:
            self._note(scope, seen, self._clock.monotonic_s() - began_s)

    def _note(self, scope: Scope, seen: dict[str, int], took_s: float) -> None:
        status = seen.get("status", _NO_ANSWER)
        self.answered[f"{status // 100}xx"] += 1
        path = str(scope["path"])
        is_quiet = status < 400 and (path.startswith(_QUIET) or any(part in path for part in _QUIET_PARTS))
        tell: Any = self._log.debug if is_quiet else self._log.info
        tell(
            "request",
            method=scope.get("method", "WS"),
            path=path,
            status=status,
            took_ms=round(took_s * 1000, 1),
            size_bytes=seen.get("size_bytes", 0),
            who=scope.get("state", {}).get("who", "-"),
        )
