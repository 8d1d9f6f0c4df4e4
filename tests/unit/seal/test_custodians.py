"""A wrong key file is named with a remedy, and never shown."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pyrage
import pytest

from lamppost.base.clock import ManualClock
from lamppost.base.errors import ConfigError, KeyFileError
from lamppost.seal.age import AgeSealer
from lamppost.seal.custodians import check_custodians, create_key_file, read_key_file

RECIPIENTS = [str(pyrage.x25519.Identity.generate().to_public()) for _ in range(17)]


def test_a_key_file_is_written_as_age_keygen_does_and_opens(tmp_path: Path) -> None:
    path = tmp_path / "trial" / "1.key"
    recipient = create_key_file(path, ManualClock())
    lines = path.read_text().splitlines()
    assert lines[:2] == ["# created: 2023-11-14T22:13:20.000Z", f"# public key: {recipient}"]
    assert path.stat().st_mode & 0o777 == 0o600
    assert path.parent.stat().st_mode & 0o777 == 0o700
    (key,) = read_key_file(path)
    assert key.open(AgeSealer(recipient).seal(b"hello")) == b"hello"
    assert lines[2] not in repr(key)
    with pytest.raises(ConfigError, match="exists"):
        create_key_file(path, ManualClock())


@pytest.mark.debian
def test_age_keygen_and_lamppost_read_each_others_files(tmp_path: Path) -> None:
    subprocess.run(["age-keygen", "-o", "theirs.key"], cwd=tmp_path, check=True, capture_output=True)
    (key,) = read_key_file(tmp_path / "theirs.key")
    recipient = create_key_file(tmp_path / "ours.key", ManualClock())
    shown = subprocess.run(["age-keygen", "-y", "ours.key"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert shown.stdout.strip() == recipient
    assert f"# public key: {key.recipient}" in (tmp_path / "theirs.key").read_text()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("hello\n", "is not an age key file"),
        ("", "holds no key"),
        ("# only a comment\n", "holds no key"),
        pytest.param(RECIPIENTS[0], "holds a public key — name the file that holds the line AGE-SECRET-KEY-1", id="public"),
        ("age-encryption.org/v1\n-> scrypt x 18\n", "protected by a passphrase — decrypt it first"),
        ("-----BEGIN AGE ENCRYPTED FILE-----\n", "protected by a passphrase"),
        ("-----BEGIN OPENSSH PRIVATE KEY-----\n", "is a key of another kind"),
        ("ssh-ed25519 AAAA", "is an SSH key"),
        ("AGE-PLUGIN-YUBIKEY-1QQQ", "needs a plug-in"),
        ("AGE-SECRET-KEY-PQ-1QQQ", "post-quantum"),
        ("AGE-SECRET-KEY-1CANARYCANARY", "is damaged"),
        ("\x00\xff" * 40_000, "too large"),
    ],
)
def test_what_is_wrong_with_a_key_file_is_told_without_showing_it(tmp_path: Path, content: str, words: str) -> None:
    path = tmp_path / "my.key"
    path.write_text(content)
    with pytest.raises(KeyFileError, match=re.escape(words)) as caught:
        read_key_file(path)
    assert str(path) in str(caught.value)
    assert "CANARY" not in str(caught.value)
    assert "\n" not in str(caught.value)


def test_a_missing_key_file_and_a_folder_are_told(tmp_path: Path) -> None:
    with pytest.raises(KeyFileError, match="No such file"):
        read_key_file(tmp_path / "no.key")
    with pytest.raises(KeyFileError, match="Is a directory"):
        read_key_file(tmp_path)


@pytest.mark.parametrize(
    ("recipients", "threshold", "words"),
    [
        (RECIPIENTS[:1], 2, "1 custodians"),
        (RECIPIENTS, 2, "17 custodians"),
        (RECIPIENTS[:3], 1, "threshold of 1"),
        (RECIPIENTS[:3], 4, "threshold of 4"),
        ([RECIPIENTS[0], RECIPIENTS[0]], 2, "twice"),
        ([RECIPIENTS[0], RECIPIENTS[1][:-1] + ("c" if RECIPIENTS[1].endswith("q") else "q")], 2, "not an age recipient"),
        ([RECIPIENTS[0], "AGE-SECRET-KEY-1CANARY"], 2, "SECRET key"),
    ],
)
def test_custodians_that_cannot_be_are_refused(recipients: list[str], threshold: int, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        check_custodians(recipients, threshold)
    assert "CANARY" not in str(caught.value)
