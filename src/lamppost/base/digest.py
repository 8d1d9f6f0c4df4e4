"""Signs in at a camera: Digest (RFC 7616 and what came before it) and Basic (RFC 7617).

The strongest challenge that a camera makes is answered: SHA-256 before MD5
before Basic. User and password stand in no `repr`, error or log.
"""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

_HASHES: Final[dict[str, Callable[[bytes], str]]] = {
    "MD5": lambda content: hashlib.md5(content, usedforsecurity=False).hexdigest(),
    "SHA-256": lambda content: hashlib.sha256(content).hexdigest(),
}
_STRENGTHS: Final = {"SHA-256-SESS": 4, "SHA-256": 4, "MD5-SESS": 3, "MD5": 3, "BASIC": 1}
_MOST_TEXT: Final = 8192
_MOST_CHALLENGES: Final = 16
# A scheme's name, or a parameter: name=token, name="quoted \" string".
_PIECE = re.compile(r'\s*,?\s*([A-Za-z0-9!#$%&\'*+.^_`|~-]+)(?:\s*=\s*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]*)))?')


@dataclass(frozen=True, slots=True)
class Challenge:
    """What a camera wants to be answered; `algorithm` is `BASIC` for Basic."""

    algorithm: str
    realm: str = ""
    nonce: str = ""
    opaque: str | None = None
    has_qop: bool = False
    is_stale: bool = False


def parse_challenges(values: Iterable[str]) -> list[Challenge]:
    """The challenges in `WWW-Authenticate` headers that can be answered, strongest first."""
    found: list[Challenge] = []
    for value in values:
        for scheme, parameters in _schemes(value[:_MOST_TEXT]):
            challenge = _challenge(scheme, parameters)
            if challenge is not None and len(found) < _MOST_CHALLENGES:
                found.append(challenge)
    return sorted(found, key=lambda challenge: -_STRENGTHS[challenge.algorithm])


def _schemes(value: str) -> list[tuple[str, dict[str, str]]]:
    schemes: list[tuple[str, dict[str, str]]] = []
    position = 0
    while (piece := _PIECE.match(value, position)) is not None:
        position = piece.end()
        name, quoted, token = piece[1], piece[2], piece[3]
        if quoted is None and token is None:
            schemes.append((name.lower(), {}))
        elif schemes:
            text = re.sub(r"\\(.)", r"\1", quoted) if quoted is not None else token
            schemes[-1][1].setdefault(name.lower(), text)
    return schemes


def _challenge(scheme: str, parameters: dict[str, str]) -> Challenge | None:
    realm = parameters.get("realm", "")
    if scheme == "basic":
        return Challenge("BASIC", realm)
    algorithm = parameters.get("algorithm", "MD5").upper()
    qop = parameters.get("qop")
    offered = {word.strip().lower() for word in qop.split(",")} if qop else {"auth"}
    if scheme != "digest" or algorithm not in _STRENGTHS or algorithm == "BASIC" or "auth" not in offered:
        return None
    is_stale = parameters.get("stale", "").lower() == "true"
    return Challenge(algorithm, realm, parameters.get("nonce", ""), parameters.get("opaque"), bool(qop), is_stale)


@dataclass(slots=True)
class InTheClear:
    """Whether one camera may have its password itself, over a connection that others can read; kept from one connection to the next.

    `allowed` is what the configuration says. Where it says nothing, the camera may have it until it has taken a digest: who wants
    the password itself after that is somebody else, or was set anew.
    """

    allowed: bool | None = None
    has_taken_digest: bool = False

    @property
    def is_refused(self) -> bool:
        return not (self.allowed if self.allowed is not None else not self.has_taken_digest)


class SignIn:
    """One user's answers to one camera's challenges.

    It is asked after each 401 whether another attempt makes sense: a wrong
    password is sent once, so that no account is locked by trying.
    """

    __slots__ = ("_challenge", "_count", "_is_accepted", "_password", "_sent", "_username")

    def __init__(self, username: str, password: str) -> None:
        self._username = username
        self._password = password
        self._challenge: Challenge | None = None
        self._count = 0
        self._sent: Challenge | None = None
        self._is_accepted = False

    def __repr__(self) -> str:
        return "SignIn(***)"

    def learn(self, challenges: Iterable[str]) -> bool:
        """Take in the challenges of a 401; true when the same request may be sent once more."""
        parsed = parse_challenges(challenges)
        before, self._challenge = self._sent, parsed[0] if parsed else None
        self._count = 0
        if self._challenge is None or not (self._username or self._password):
            return False
        return before is None or self._challenge.is_stale or (self._is_accepted and self._challenge.nonce != before.nonce)

    @property
    def is_in_the_clear(self) -> bool:
        """Whether the next answer would carry the password itself."""
        return self._challenge is not None and self._challenge.algorithm == "BASIC"

    @property
    def has_sent_digest(self) -> bool:
        """Whether the last answer was a digest."""
        return self._sent is not None and self._sent.algorithm != "BASIC"

    def accept(self) -> None:
        """Take note that the camera was content: from now on a 401 with another nonce means a nonce grown old."""
        self._is_accepted = True

    def answer(self, method: str, url: str) -> str | None:
        """The value of `Authorization` for a request; None before any challenge, and for nobody."""
        challenge = self._sent = self._challenge
        if challenge is None or not (self._username or self._password):
            return None
        if challenge.algorithm == "BASIC":
            return "Basic " + base64.b64encode(f"{self._username}:{self._password}".encode("utf-8", "surrogateescape")).decode()
        self._count += 1
        return self._digest(challenge, method, url)

    def _digest(self, challenge: Challenge, method: str, url: str) -> str:
        base = challenge.algorithm.removesuffix("-SESS")
        digest = _HASHES[base]
        client_nonce, count = secrets.token_hex(16), f"{self._count:08x}"
        secret = digest(f"{self._username}:{challenge.realm}:{self._password}".encode("utf-8", "surrogateescape"))
        if challenge.algorithm != base:
            secret = digest(f"{secret}:{challenge.nonce}:{client_nonce}".encode("utf-8", "surrogateescape"))
        request = digest(f"{method}:{url}".encode("utf-8", "surrogateescape"))
        middle = f"{challenge.nonce}:{count}:{client_nonce}:auth" if challenge.has_qop else challenge.nonce
        response = digest(f"{secret}:{middle}:{request}".encode("utf-8", "surrogateescape"))
        parts = [
            f"username={_quoted(self._username)}",
            f"realm={_quoted(challenge.realm)}",
            f"nonce={_quoted(challenge.nonce)}",
            f"uri={_quoted(url)}",
            f'response="{response}"',
        ]
        # Old cameras know no algorithm but MD5 and choke on its name.
        parts += [f"algorithm={challenge.algorithm}"] if challenge.algorithm != "MD5" else []
        parts += [f"opaque={_quoted(challenge.opaque)}"] if challenge.opaque is not None else []
        if challenge.has_qop:
            parts += ["qop=auth", f"nc={count}", f'cnonce="{client_nonce}"']
        elif challenge.algorithm != base:
            parts.append(f'cnonce="{client_nonce}"')
        return "Digest " + ", ".join(parts)


def _quoted(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
