"""Encrypts to an age recipient (https://age-encryption.org/v1): the lock without the key."""

from __future__ import annotations

import pyrage

from lamppost.base.errors import SealError


class AgeSealer:
    """Seals to one X25519 recipient; each result is one complete age file.

    Threads may share it. Raises `SealError` when `recipient` is none.
    """

    def __init__(self, recipient: str) -> None:
        try:
            self._recipients = [pyrage.x25519.Recipient.from_str(recipient)]
        except pyrage.RecipientError as error:
            raise SealError(f"{recipient[:12]!r}… is not an age recipient", remedy="it is a line 'age1' and 58 more characters") from error
        self.recipient = recipient

    def seal(self, content: bytes) -> bytes:
        """`content` as a binary age file."""
        try:
            return bytes(pyrage.encrypt(content, self._recipients))
        except pyrage.EncryptError as error:
            raise SealError(f"cannot seal {len(content)} bytes: {error}") from error
