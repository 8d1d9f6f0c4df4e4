"""What the desk remembers of sessions for some minutes: secrets of codes that were offered, and who has just arrived.

A secret that came back from the browser could be anybody's. Kept in memory: after a restart people begin anew.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.errors import ConfigError

OFFER_S: Final = 900.0
WELCOME_S: Final = 900.0
MOST: Final = 1_000  # the oldest go first


class OfferOver(ConfigError):
    """No secret was offered to this session, or it was too long ago."""


class Offers:
    """By session; many threads may ask it."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._mutex = threading.Lock()
        self._secrets: OrderedDict[str, tuple[str, float]] = OrderedDict()
        self._welcome: OrderedDict[str, float] = OrderedDict()

    def keep(self, session_id: str, secret: str) -> None:
        """In place of the one that was offered before."""
        with self._mutex:
            self._secrets.pop(session_id, None)
            self._secrets[session_id] = (secret, self._clock.monotonic_s() + OFFER_S)
            while len(self._secrets) > MOST:
                self._secrets.popitem(last=False)

    def of(self, session_id: str) -> str:
        """The secret that was offered; raises `OfferOver`."""
        with self._mutex:
            secret, until_s = self._secrets.get(session_id, ("", 0.0))
        if not secret or self._clock.monotonic_s() >= until_s:
            raise OfferOver("the time of this secret for codes is over", remedy="begin anew")
        return secret

    def drop(self, session_id: str) -> None:
        """It is used: neither the secret nor the welcome is good any more."""
        with self._mutex:
            self._secrets.pop(session_id, None)
            self._welcome.pop(session_id, None)

    def welcome(self, session_id: str) -> None:
        """Its owner has just chosen their first password."""
        with self._mutex:
            self._welcome[session_id] = self._clock.monotonic_s() + WELCOME_S
            while len(self._welcome) > MOST:
                self._welcome.popitem(last=False)

    def is_welcome(self, session_id: str) -> bool:
        """Whether that was in this session, some minutes ago at most."""
        with self._mutex:
            return self._clock.monotonic_s() < self._welcome.get(session_id, 0.0)
