"""Lets users of the simulated camera in: HTTP Digest with nonces that grow old, and WS-UsernameToken."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import re
import secrets
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Final

from lamppost.base.clock import US_PER_S, Clock, parse_utc
from lamppost.cameras.simulated.nodes import Node

_HASHES: Final[Mapping[str, Callable[[bytes], str]]] = {
    "MD5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda content: hashlib.sha256(content).hexdigest(),
}
_PARAMETER = re.compile(r'([a-z0-9]+)\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', re.IGNORECASE)
_TOKEN_LIFE_S: Final = 300.0
_MOST_TOKENS: Final = 256


class Gate:
    """Decides who a request is from; `users` is the camera's own table and may change at any time."""

    def __init__(self, users: Mapping[str, str], realm: str, clock: Clock, *, algorithms: tuple[str, ...], nonce_life_s: float) -> None:
        self._users = users
        self._realm = realm
        self._clock = clock
        self._algorithms = algorithms
        self._nonce_life_s = nonce_life_s
        self._secret = secrets.token_bytes(16)
        self._tokens: OrderedDict[str, None] = OrderedDict()

    def challenges(self, *, is_stale: bool, is_rtsp: bool = False) -> list[str]:
        """The values of `WWW-Authenticate`: the strongest first (RFC 7616 3.7), each on a line of its own.

        RTSP 1.0 has the digest of RFC 2069, which knows neither `qop` nor an algorithm; GStreamer and live555 speak no other. Many
        readers take the last challenge, and want the nonce right after the realm.
        """
        stale = ", stale=true" if is_stale else ""
        challenges: list[str] = []
        for algorithm in self._algorithms:
            more = "" if is_rtsp and algorithm == "MD5" else f', qop="auth", opaque="{self._opaque()}", algorithm={algorithm}'
            challenges.append(f'Digest realm="{self._realm}", nonce="{self._nonce()}"{stale}{more}')
        return challenges

    def user(self, method: str, target: str, authorization: str) -> tuple[str, bool]:
        """Who signs this request, empty where nobody rightly does; and whether only the nonce is too old."""
        scheme, _, rest = authorization[:4096].partition(" ")
        if scheme.lower() != "digest":
            return "", False
        given = {match[1].lower(): match[3] or re.sub(r"\\(.)", r"\1", match[2] or "") for match in _PARAMETER.finditer(rest)}
        name, algorithm = given.get("username", ""), given.get("algorithm", "MD5").upper()
        digest = _HASHES.get(algorithm)
        if digest is None or algorithm not in self._algorithms or name not in self._users:
            return "", False
        if given.get("realm") != self._realm or given.get("uri") != target or not self._is_ours(given.get("nonce", "")):
            return "", False
        qop = given.get("qop")
        # Who speaks RFC 2069 alone leaves it out, and is taken (RFC 2617 3.2.2.1); that knew no SHA.
        if qop != "auth" and not (qop is None and algorithm == "MD5"):
            return "", False
        secret = digest(f"{name}:{self._realm}:{self._users[name]}".encode())
        signed = digest(f"{method}:{target}".encode())
        middle = given["nonce"] if qop is None else f"{given['nonce']}:{given.get('nc', '')}:{given.get('cnonce', '')}:{qop}"
        if not hmac.compare_digest(digest(f"{secret}:{middle}:{signed}".encode()), given.get("response", "")):
            return "", False
        is_old = self._clock.monotonic_s() - int(given["nonce"].partition("-")[0], 16) / 1000 > self._nonce_life_s
        return ("", True) if is_old else (name, False)

    def token_user(self, header: Node, device_us: int) -> str:
        """Who signs a SOAP header with a WS-UsernameToken, by the camera's clock; empty where nobody rightly does."""
        token = header.first("UsernameToken")
        if token is None:
            return ""
        name, given = token.value("Username"), token.value("Password")
        created, encoded = token.value("Created"), token.value("Nonce")
        try:
            nonce = base64.b64decode(encoded, validate=True)
            is_fresh = abs(parse_utc(created) - device_us) <= _TOKEN_LIFE_S * US_PER_S
        except (ValueError, binascii.Error):
            return ""
        if name not in self._users or not is_fresh or encoded in self._tokens:
            return ""
        # WS-Security UsernameToken Profile 1.1, section 3.1: SHA-1 is what it names.
        sha1 = hashlib.sha1(nonce + created.encode() + self._users[name].encode(), usedforsecurity=False)
        if not hmac.compare_digest(base64.b64encode(sha1.digest()).decode(), given):
            return ""
        self._tokens[encoded] = None
        if len(self._tokens) > _MOST_TOKENS:
            self._tokens.popitem(last=False)
        return name

    def _nonce(self) -> str:
        made = f"{int(self._clock.monotonic_s() * 1000):x}"
        return f"{made}-{self._sign(made)}"

    def _opaque(self) -> str:
        return self._sign("opaque")[:16]

    def _is_ours(self, nonce: str) -> bool:
        made, _, signature = nonce.partition("-")
        return hmac.compare_digest(self._sign(made), signature)

    def _sign(self, content: str) -> str:
        return hmac.new(self._secret, content.encode(), "sha256").hexdigest()[:32]
