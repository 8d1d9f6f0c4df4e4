"""Custodians' keys: reading them, telling what is wrong with one, making trial ones.

No message here holds a part of a secret key.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pyrage

from lamppost.base.clock import Clock, format_utc
from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ConfigError, KeyFileError
from lamppost.base.ids import AGE_RECIPIENT

MIN_CUSTODIANS, MAX_CUSTODIANS = 2, 16
_MAX_KEY_FILE_BYTES = 64 * 1024
_SECRET = "AGE-SECRET-KEY-1"  # noqa: S105  # how every X25519 identity starts; no secret
_NOT_IDENTITIES = (
    ("age-encryption.org/v1", "is protected by a passphrase", "decrypt it first: age -d -o plain.key FILE"),
    ("-----BEGIN AGE ENCRYPTED FILE-----", "is protected by a passphrase", "decrypt it first: age -d -o plain.key FILE"),
    ("-----BEGIN", "is a key of another kind", "custodians use age keys: age-keygen -o my.key"),
    ("AGE-SECRET-KEY-PQ-", "is a post-quantum key, which Lamppost cannot use yet", "use an X25519 key: age-keygen -o my.key"),
    ("AGE-PLUGIN-", "needs a plug-in, which Lamppost does not run", "decrypt the share with `age -d` and use the stock-tool recipe"),
    ("ssh-", "is an SSH key", "custodians use age keys: age-keygen -o my.key"),
    ("age1", "holds a public key", "name the file that holds the line AGE-SECRET-KEY-1…, as age-keygen wrote it"),
)


class CustodianKey:
    """A custodian's secret key in memory; it never shows itself."""

    def __init__(self, identity: pyrage.x25519.Identity, source: str) -> None:
        self._identity = identity
        self.source = source
        self.recipient = str(identity.to_public())

    def open(self, content: bytes) -> bytes:
        """What an age file holds; raises `KeyFileError` when this key does not open it."""
        try:
            return bytes(pyrage.decrypt(content, [self._identity]))
        except pyrage.DecryptError as error:
            raise KeyFileError(f"the key in {self.source} does not open this") from error

    def __repr__(self) -> str:
        return f"CustodianKey({self.recipient}, from {self.source})"


def check_custodians(recipients: Sequence[str], threshold: int) -> None:
    """Raise `ConfigError` unless they are 2 to 16 different age recipients and 2 <= threshold <= their number."""
    for number, recipient in enumerate(recipients, 1):
        if recipient.strip().upper().startswith(_SECRET):
            raise ConfigError("a custodian is given by a SECRET key", remedy="give the line age1…, and treat that key as exposed")
        if not AGE_RECIPIENT.fullmatch(recipient) or not _is_recipient(recipient):
            raise ConfigError(f"custodian {number} is not an age recipient", remedy="give the line age1… of age-keygen")
    if len(set(recipients)) != len(recipients):
        raise ConfigError("the same custodian is given twice", remedy="give each custodian once")
    if not MIN_CUSTODIANS <= len(recipients) <= MAX_CUSTODIANS:
        raise ConfigError(f"{len(recipients)} custodians are given", remedy=f"give {MIN_CUSTODIANS} to {MAX_CUSTODIANS}")
    if not 2 <= threshold <= len(recipients):
        raise ConfigError(f"a threshold of {threshold} with {len(recipients)} custodians", remedy=f"give 2 to {len(recipients)}")


def read_key_file(path: Path) -> tuple[CustodianKey, ...]:
    """The keys in an age identity file, at least one; raises `KeyFileError`."""
    try:
        with path.open("rb") as file:
            raw = file.read(_MAX_KEY_FILE_BYTES + 1)
    except OSError as error:
        raise KeyFileError(f"cannot read the key file {path}: {error.strerror}", remedy="check its name and its permissions") from error
    if len(raw) > _MAX_KEY_FILE_BYTES:
        raise KeyFileError(f"{path} is too large for a key file", remedy="name the file that age-keygen wrote")
    lines = [line.strip() for line in raw.decode("utf-8", "replace").splitlines()]
    lines = [line for line in lines if line and not line.startswith("#")]
    if not lines:
        raise KeyFileError(f"{path} holds no key", remedy="name the file that age-keygen wrote")
    return tuple(_read_line(line, path) for line in lines)


def create_key_file(path: Path, clock: Clock) -> str:
    """Make a key as `age-keygen` does, in a new file (0600); return its recipient."""
    if path.exists():
        raise ConfigError(f"the key file {path} exists", remedy="a key is never replaced; choose another name")
    identity = pyrage.x25519.Identity.generate()
    recipient = str(identity.to_public())
    make_directory(path.parent, 0o700)
    content = f"# created: {format_utc(clock.wall_us())}\n# public key: {recipient}\n{identity}\n"
    write_durable(path, content.encode(), mode=0o600)
    return recipient


def _read_line(line: str, path: Path) -> CustodianKey:
    for start, problem, remedy in _NOT_IDENTITIES:
        if line.startswith(start):
            raise KeyFileError(f"the key file {path} {problem}", remedy=remedy.replace("FILE", str(path)))
    if not line.upper().startswith(_SECRET):
        raise KeyFileError(f"{path} is not an age key file", remedy="name the file that age-keygen wrote")
    try:
        return CustodianKey(pyrage.x25519.Identity.from_str(line), str(path))
    except pyrage.IdentityError as error:
        raise KeyFileError(f"the key in {path} is damaged", remedy="use an intact copy of it") from error


def _is_recipient(text: str) -> bool:
    try:
        pyrage.x25519.Recipient.from_str(text)
    except pyrage.RecipientError:
        return False
    return True
