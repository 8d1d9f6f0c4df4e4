"""Passwords: argon2id, long rather than odd, and none that everybody tries first."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Generator
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from lamppost.access.throttle import SignInThrottled
from lamppost.base.errors import ConfigError

SHORTEST: Final = 12
LONGEST: Final = 256
AT_ONCE: Final = 2  # each takes 64 MiB, and four threads of the processor
MOST_WAITING: Final = 16  # for one of them; a request that waits keeps a thread of the server
BUSY_S: Final = 1.0
# What lists of leaked passwords begin with, of that length and more; NIST SP 800-63B, 3.1.1.2 asks for such a list.
_COMMON: Final = frozenset(
    {
        "123456789012", "1234567890123", "012345678901", "qwertyuiop12", "qwertyuiop123", "qwerty123456", "1q2w3e4r5t6y", "1qaz2wsx3edc",
        "1qaz2wsx3edc4rfv", "password1234", "password12345", "passw0rd1234", "passwordpassword", "iloveyou1234", "administrator",
        "administrator1", "letmein12345", "welcome12345", "changeme1234", "lamppost1234", "lamppostlamppost", "abcdefghijkl",
        "asdfghjkl123", "football1234",
    }
)  # fmt: skip


class Passwords:
    """Hashes and compares; RFC 9106's second recommended setting, which a small server bears as well.

    Two at a time, however many ask: a burst of guesses takes no more memory than that. Raises `SignInThrottled` where
    too many wait already.
    """

    def __init__(self, hasher: PasswordHasher | None = None) -> None:
        self._hasher = hasher or PasswordHasher(time_cost=3, memory_cost=64 * 1024, parallelism=4)
        # Compared with where there is no such user, so that an unknown name takes as long as a wrong password.
        self._nobody = self._hasher.hash("nobody has this password")
        self._turns = threading.BoundedSemaphore(AT_ONCE)
        self._places = threading.BoundedSemaphore(AT_ONCE + MOST_WAITING)

    def make(self, password: str, *, name: str = "") -> str:
        """The encoded hash; raises `ConfigError` for a password that is too short, or that everybody tries first."""
        if len(password) < SHORTEST:
            raise ConfigError(f"the password has fewer than {SHORTEST} characters", remedy="take some words that do not belong together")
        if len(password) > LONGEST:
            raise ConfigError(f"the password has more than {LONGEST} characters", remedy="take a shorter one")
        if password.lower() in _COMMON or len(set(password)) < 4 or (name and name.lower() in password.lower()):
            raise ConfigError(
                "the password is one of the first that anybody would try", remedy="take some words that do not belong together"
            )
        with self._turn():
            return self._hasher.hash(password)

    def is_right(self, password_hash: str | None, password: str) -> bool:
        """Whether `password` has that hash; as slow where there is none."""
        try:
            with self._turn():
                return self._hasher.verify(password_hash or self._nobody, password[:LONGEST]) and password_hash is not None
        except (VerificationError, InvalidHashError):
            return False

    def is_dated(self, password_hash: str) -> bool:
        """Whether it was made with settings that are not today's, and should be made anew while the password is known."""
        return self._hasher.check_needs_rehash(password_hash)

    @contextlib.contextmanager
    def _turn(self) -> Generator[None]:
        if not self._places.acquire(blocking=False):
            raise SignInThrottled(BUSY_S)
        try:
            with self._turns:
                yield
        finally:
            self._places.release()
