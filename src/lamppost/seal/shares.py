"""Splits an epoch's key into SLIP-39 shares and puts it together again.

SLIP-39 (https://github.com/satoshilabs/slips/blob/master/slip-0039.md) with an
empty passphrase, extendable, exponent 0, one group. The secret is the identity
as its 74 ASCII characters, so that any SLIP-39 tool gives back what age reads.
"""

from __future__ import annotations

from collections.abc import Sequence

import pyrage
import shamir_mnemonic
from shamir_mnemonic.utils import MnemonicError

from lamppost.base.errors import ShareMismatch

IDENTITY_CHARS = 74


class EpochKey:
    """An epoch's key in memory: opens what was sealed to its recipient, and never shows itself."""

    def __init__(self, identity: pyrage.x25519.Identity) -> None:
        self._identity = identity
        self.recipient = str(identity.to_public())

    def open(self, content: bytes) -> bytes:
        """What the age file `content` holds; raises `ShareMismatch` when it is altered or another key's."""
        try:
            return bytes(pyrage.decrypt(content, [self._identity]))
        except pyrage.DecryptError as error:
            raise ShareMismatch(f"it was not sealed to {self.recipient}, or is damaged") from error

    def split(self, threshold: int, shares: int) -> list[str]:
        """`shares` mnemonics, any `threshold` of which give the key back."""
        secret = str(self._identity).encode("ascii")
        if len(secret) != IDENTITY_CHARS:
            raise ShareMismatch("an age identity has another length than expected")
        (mnemonics,) = shamir_mnemonic.generate_mnemonics(1, [(threshold, shares)], secret, extendable=True, iteration_exponent=0)
        return list(mnemonics)

    def __repr__(self) -> str:
        return f"EpochKey({self.recipient})"


def new_epoch_key() -> EpochKey:
    """A fresh random key."""
    return EpochKey(pyrage.x25519.Identity.generate())


def combine(mnemonics: Sequence[str]) -> EpochKey:
    """The key that exactly k mnemonics make; raises `ShareMismatch`, which never quotes one."""
    try:
        secret = shamir_mnemonic.combine_mnemonics(list(mnemonics))
        return EpochKey(pyrage.x25519.Identity.from_str(secret.decode("ascii")))
    except (MnemonicError, pyrage.IdentityError, UnicodeDecodeError):
        raise ShareMismatch("the shares do not make a key: one of them is altered, or of another epoch") from None
