"""A signed note is what others' tools expect, and one changed byte is enough."""

from __future__ import annotations

import base64
import hashlib
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import given
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError, KeyFileError, ShareMismatch
from lamppost.seal.notes import NoteSigner, VerifierKey, create_signer, verify_note

SIGNER = NoteSigner(Ed25519PrivateKey.from_private_bytes(bytes(range(32))))


def test_the_example_of_the_specification_verifies() -> None:
    # https://c2sp.org/signed-note and golang.org/x/mod/sumdb/note.
    key = VerifierKey.parse("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = b"If you think cryptography is the answer to your problem,\nthen you don't know what your problem is.\n"
    signature = "x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    note = text + f"\n\N{EM DASH} PeterNeumann {signature}\n".encode()
    assert verify_note(note, key) == text


def test_a_note_is_laid_out_as_specified() -> None:
    note = SIGNER.sign(b"one\n\ntwo\n")
    text, _, line = note.rpartition(b"\n\n")
    assert text + b"\n" == b"one\n\ntwo\n"
    dash, name, encoded = line.decode().strip().split(" ")
    decoded = base64.b64decode(encoded)
    expected = hashlib.sha256(b"lamppost-recorder\n\x01" + SIGNER.public.public).digest()[:4]
    assert (dash, name, decoded[:4], len(decoded)) == ("\N{EM DASH}", "lamppost-recorder", expected, 68)
    assert VerifierKey.parse(str(SIGNER.public)) == SIGNER.public


@given(st.binary(max_size=200), st.data())
def test_any_changed_byte_is_seen(text: bytes, data: st.DataObject) -> None:
    note = SIGNER.sign(text + b"\n")
    assert verify_note(note, SIGNER.public) == text + b"\n"
    position, bit = data.draw(st.integers(0, len(note) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(note)
    changed[position] ^= 1 << bit
    with pytest.raises(ShareMismatch):
        verify_note(bytes(changed), SIGNER.public)


def test_other_signatures_do_not_disturb_and_do_not_count() -> None:
    other = NoteSigner(Ed25519PrivateKey.from_private_bytes(bytes(32)))
    both = SIGNER.sign(b"text\n") + other.sign(b"text\n").rpartition(b"\n\n")[2]
    assert verify_note(both, SIGNER.public) == verify_note(both, other.public) == b"text\n"
    with pytest.raises(ShareMismatch, match="not signed by"):
        verify_note(other.sign(b"text\n"), SIGNER.public)
    with pytest.raises(ShareMismatch, match="not a signed note"):
        verify_note(b"text\n", SIGNER.public)


def test_the_key_is_private_made_once_and_loads_again(tmp_path: Path) -> None:
    path = tmp_path / "keys" / "recorder.key"
    signer = create_signer(path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert NoteSigner.load(path).public == signer.public == VerifierKey.load(path.with_suffix(".pub"))
    with pytest.raises(ConfigError, match="exists"):
        create_signer(path)


@pytest.mark.parametrize("content", [b"", b"nonsense", None, "ec"])
def test_what_is_no_key_is_told(tmp_path: Path, content: bytes | str | None) -> None:
    path = tmp_path / "recorder.key"
    if content == "ec":
        key = generate_private_key(SECP256R1())
        content = key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(KeyFileError, match=r"recorder\.key"):
        NoteSigner.load(path)
    with pytest.raises(KeyFileError, match=r"recorder\.key"):
        VerifierKey.load(path)


@pytest.mark.debian
def test_openssl_verifies_a_note(tmp_path: Path) -> None:
    create_signer(tmp_path / "recorder.key")
    note = NoteSigner.load(tmp_path / "recorder.key").sign(b"hello\n")
    (tmp_path / "text").write_bytes(b"hello\n")
    (tmp_path / "signature").write_bytes(base64.b64decode(note.split()[-1])[4:])
    subprocess.run(["openssl", "pkey", "-in", "recorder.key", "-pubout", "-out", "public.pem"], cwd=tmp_path, check=True)
    arguments = ["-verify", "-pubin", "-inkey", "public.pem", "-rawin", "-in", "text", "-sigfile", "signature"]
    subprocess.run(["openssl", "pkeyutl", *arguments], cwd=tmp_path, check=True, capture_output=True)
