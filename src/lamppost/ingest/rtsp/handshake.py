"""The conversation that opens a session: one request at a time, signed where the camera asks for it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamppost.base.digest import InTheClear, SignIn
from lamppost.ingest.locator import Locator, Scheme
from lamppost.ingest.rtsp import failures
from lamppost.ingest.rtsp.messages import Headers, Message, format_request, safe_url

_MOST_SENT: Final = 3  # of one request: unsigned, signed, signed with a fresh nonce
_DEFAULT_SESSION_S: Final = 60.0

Then = Callable[[Message], None]


@dataclass(slots=True)
class _Exchange:
    """A request under way, and what its reply is for; `then` may be called with any status but 401."""

    method: str
    url: str
    headers: Headers
    then: Then
    sent: int = 0


class Conversation:
    """Requests and their replies, in turn. A reply counts for the request under way, whatever its CSeq says.

    Without TLS the password itself is sent only where `clear` says so, which learns here whether the camera takes a digest.
    """

    def __init__(self, locator: Locator, send: Callable[[bytes], None], clear: InTheClear) -> None:
        self._locator = locator
        self._send = send
        self._clear = clear
        self._sign_in = SignIn(locator.username, locator.password)
        self._exchange: _Exchange | None = None
        self._cseq = 0
        self._session = ""
        self.session_s = _DEFAULT_SESSION_S

    @property
    def is_waiting(self) -> bool:
        return self._exchange is not None

    def request(self, method: str, url: str, then: Then, headers: Headers = ()) -> None:
        """Send a request; `then` gets the reply."""
        self._exchange = _Exchange(method, safe_url(url), headers, then)
        self._send_out(self._exchange)

    def farewell(self, url: str) -> bytes:
        """A TEARDOWN whose reply nobody waits for; empty when there is no session."""
        return self._format(_Exchange("TEARDOWN", safe_url(url), (), lambda _reply: None)) if self._session else b""

    def take(self, reply: Message) -> None:
        """Match a reply to the request under way. Raises `CameraRefused` when signing in has failed."""
        exchange = self._exchange
        if exchange is None or reply.status < 200:
            return
        if reply.status == 401:
            if not self._sign_in.learn(reply.all("www-authenticate")) or exchange.sent >= _MOST_SENT:
                raise failures.of_status(self._locator, reply)
            if self._locator.scheme is not Scheme.RTSPS and self._sign_in.is_in_the_clear and self._clear.is_refused:
                raise failures.wants_password_itself(self._locator, took_digest=self._clear.has_taken_digest)
            self._send_out(exchange)
            return
        self._exchange = None
        if reply.status < 300:
            self._sign_in.accept()
            self._clear.has_taken_digest = self._clear.has_taken_digest or self._sign_in.has_sent_digest
            # A session begins with SETUP; some cameras name one earlier, and mean another.
            if exchange.method == "SETUP":
                self._learn_session(reply)
        exchange.then(reply)

    def _send_out(self, exchange: _Exchange) -> None:
        exchange.sent += 1
        self._send(self._format(exchange))

    def _format(self, exchange: _Exchange) -> bytes:
        self._cseq += 1
        headers = list(exchange.headers)
        answer = self._sign_in.answer(exchange.method, exchange.url)
        if answer is not None:
            headers.append(("Authorization", answer))
        if self._session:
            headers.append(("Session", self._session))
        return format_request(exchange.method, exchange.url, self._cseq, tuple(headers))

    def _learn_session(self, reply: Message) -> None:
        name, *options = (reply.header("session") or "").split(";")
        self._session = name.strip()[:256]
        for option in options:
            match = re.fullmatch(r"\s*timeout\s*=\s*([0-9]{1,6})\s*", option, re.IGNORECASE)
            if match is not None and int(match[1]) > 0:
                self.session_s = float(match[1])
