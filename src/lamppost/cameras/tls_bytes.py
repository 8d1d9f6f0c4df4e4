"""Speaks TLS in bytes that others carry, so that a search that never waits can ask devices that speak nothing else.

Nobody's certificate is judged here, and so nothing that is secret may ever be said this way: a search has no password.
"""

from __future__ import annotations

import hashlib
import ssl
from typing import Final

_READ_BYTES: Final = 16 * 1024


class TlsBytes:
    """One conversation, as its beginner; each method may raise `OSError`, of which `ssl.SSLError` is one."""

    def __init__(self, context: ssl.SSLContext) -> None:
        self._came, self._goes = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = context.wrap_bio(self._came, self._goes)
        self.is_open = False
        self.certificate_sha256 = ""  # of who is there, once it is open

    def open(self) -> bool:
        """Go on shaking hands; whether that is done."""
        try:
            self._tls.do_handshake()
        except ssl.SSLWantReadError:
            return False
        self.is_open = True
        self.certificate_sha256 = hashlib.sha256(self._tls.getpeercert(binary_form=True) or b"").hexdigest()
        return True

    def take(self, content: bytes) -> None:
        """These bytes have come."""
        self._came.write(content)

    def heard(self) -> bytes:
        """What they say; empty where that is not whole yet."""
        said = bytearray()
        try:
            while part := self._tls.read(_READ_BYTES):
                said += part
        except (ssl.SSLWantReadError, ssl.SSLZeroReturnError):
            pass
        return bytes(said)

    def say(self, content: bytes) -> None:
        self._tls.write(content)

    def to_send(self) -> bytes:
        """The bytes that are to go out now."""
        return self._goes.read()
