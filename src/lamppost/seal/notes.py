"""Signs what the recorder says: segment records, seal notes and shares, as signed notes.

A signed note (https://c2sp.org/signed-note) is a text, an empty line and lines
`— name base64(key hash, signature)`; any tool of the transparency-log family
verifies it. The key opens nothing. It is Ed25519 (RFC 8032) in PKCS #8.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from dataclasses import dataclass
from pathlib import Path

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ConfigError, KeyFileError, ShareMismatch

RECORDER_NAME = "lamppost-recorder"
_DASH = "\N{EM DASH} ".encode()
_ED25519 = b"\x01"


@dataclass(frozen=True, slots=True)
class VerifierKey:
    """A name and a 32-byte Ed25519 public key, written `name+hash+base64`."""

    name: str
    public: bytes

    @classmethod
    def parse(cls, text: str) -> VerifierKey:
        """Read the form of the signed-note specification; raises `ValueError`."""
        name, key_hash, encoded = text.strip().split("+", 2)
        decoded = base64.b64decode(encoded, validate=True)
        key = cls(name, decoded[1:])
        if decoded[:1] != _ED25519 or len(key.public) != 32 or not name or key_hash != key.key_hash.hex():
            raise ValueError("not an Ed25519 verifier key")
        return key

    @classmethod
    def load(cls, path: Path) -> VerifierKey:
        """The key in `path` (`keys/recorder.pub`); raises `KeyFileError`."""
        try:
            return cls.parse(path.read_text("ascii"))
        except OSError as error:
            raise KeyFileError(
                f"cannot read the recorder's public key {path}: {error.strerror}", remedy="copy keys/recorder.pub from the server"
            ) from error
        except ValueError as error:
            raise KeyFileError(f"{path} is not a recorder's public key", remedy="copy keys/recorder.pub from the server") from error

    @property
    def key_hash(self) -> bytes:
        """Four bytes that tell keys apart."""
        return hashlib.sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:4]

    def __str__(self) -> str:
        return f"{self.name}+{self.key_hash.hex()}+{base64.b64encode(_ED25519 + self.public).decode()}"


class NoteSigner:
    """Signs notes with one Ed25519 key."""

    def __init__(self, key: Ed25519PrivateKey, name: str = RECORDER_NAME) -> None:
        self._key = key
        public = key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
        self.public = VerifierKey(name, public)

    @classmethod
    def load(cls, path: Path) -> NoteSigner:
        """The signer whose key lies in `path` (PEM); raises `KeyFileError`."""
        try:
            key = serialization.load_pem_private_key(path.read_bytes(), None)
        except OSError as error:
            raise KeyFileError(
                f"cannot read the recorder's key {path}: {error.strerror}", remedy="let Lamppost's user read it; `lamppost init` makes one"
            ) from error
        except (ValueError, TypeError, UnsupportedAlgorithm) as error:
            raise KeyFileError(f"{path} is not a recorder's key (Ed25519 in PEM)", remedy="restore it, or run `lamppost init`") from error
        if not isinstance(key, Ed25519PrivateKey):
            raise KeyFileError(f"{path} holds a key of another kind than Ed25519", remedy="restore it, or run `lamppost init`")
        return cls(key)

    def sign(self, text: bytes) -> bytes:
        """The note: `text`, which ends in a newline, and its signature."""
        if not text.endswith(b"\n"):
            raise ValueError("the text of a note ends in a newline")
        signature = base64.b64encode(self.public.key_hash + self._key.sign(text))
        return text + b"\n" + _DASH + self.public.name.encode() + b" " + signature + b"\n"


def create_signer(path: Path) -> NoteSigner:
    """Make a key at `path` (0600) and its public half beside it (`.pub`); never replaces one."""
    if path.exists():
        raise ConfigError(f"{path} exists", remedy="a recorder's key is made once; keep it")
    key = Ed25519PrivateKey.generate()
    pem = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    signer = NoteSigner(key)
    make_directory(path.parent)
    write_durable(path.with_suffix(".pub"), f"{signer.public}\n".encode(), mode=0o644)
    write_durable(path, pem, mode=0o600)
    return signer


def verify_note(note: bytes, public: VerifierKey) -> bytes:
    """The text of a note that `public` has signed, its newline included; raises `ShareMismatch`."""
    text, separator, signatures = note.rpartition(b"\n\n")
    if not separator or not signatures.endswith(b"\n"):
        raise ShareMismatch("not a signed note")
    text += b"\n"
    for line in signatures[:-1].split(b"\n"):
        signature = _signature_by(public, line)
        if signature is None:
            continue
        try:
            Ed25519PublicKey.from_public_bytes(public.public).verify(signature, text)
        except InvalidSignature as error:
            raise ShareMismatch(f"a signature by {public.name} does not fit its text") from error
        return text
    raise ShareMismatch(
        f"not signed by {public.name} ({public.key_hash.hex()})", remedy="is it from another installation, or an older recorder's key?"
    )


def _signature_by(public: VerifierKey, line: bytes) -> bytes | None:
    head = _DASH + public.name.encode() + b" "
    if not line.startswith(head):
        return None
    try:
        decoded = base64.b64decode(line[len(head) :], validate=True)
    except binascii.Error:
        return None
    if base64.b64encode(decoded) != line[len(head) :]:
        return None  # other bits behind the last byte: one signature has one spelling
    return decoded[4:] if decoded[:4] == public.key_hash and len(decoded) == 68 else None
