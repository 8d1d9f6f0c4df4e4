"""Shares are there whole, on every mirror, or nowhere; and gone means gone everywhere."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamppost.base.errors import StoreError
from lamppost.store import vault as vault_module
from lamppost.store.vault import MAX_FILE_BYTES, Vault

FILES = {"share-1.age": b"one", "share-2.age": b"two", "seal.note": b"note"}


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault", [tmp_path / "mirror"])


def test_what_is_put_is_read_and_listed(vault: Vault, tmp_path: Path) -> None:
    vault.put("plaza", "e1", FILES)
    vault.put("gate", "e2", FILES)
    assert vault.read("plaza", "e1") == FILES
    assert vault.epochs() == [("gate", "e2"), ("plaza", "e1")]
    assert vault.epochs("plaza") == [("plaza", "e1")]
    assert vault.missing("plaza", "e1") == ()
    assert (tmp_path / "mirror" / "plaza" / "e1" / "share-1.age").read_bytes() == b"one"
    with pytest.raises(StoreError, match="exists already"):
        vault.put("plaza", "e1", FILES)
    assert vault.read("plaza", "e1") == FILES


@pytest.mark.parametrize("fails_at", range(8))
def test_a_put_that_fails_anywhere_shows_no_part_of_an_epoch(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    calls = iter(range(1000))
    real = os.fsync

    def failing(descriptor: int) -> None:
        if next(calls) == fails_at:
            raise OSError(5, "Input/output error")
        real(descriptor)

    (tmp_path / "vault" / "plaza").mkdir(parents=True)
    (tmp_path / "mirror" / "plaza").mkdir(parents=True)
    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", failing)
        with pytest.raises(StoreError, match="cannot store the shares"):
            vault.put("plaza", "e1", FILES)
    for root in ("vault", "mirror"):
        for folder in (tmp_path / root / "plaza").iterdir():
            assert {path.name: path.read_bytes() for path in folder.iterdir()} == FILES
    if (tmp_path / "vault" / "plaza" / "e1").exists():
        assert vault.missing("plaza", "e1") == ()


def test_shares_go_first_and_on_every_mirror(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put("plaza", "e1", FILES)
    removed: list[str] = []
    real = Path.unlink
    monkeypatch.setattr(Path, "unlink", lambda self, missing_ok=False: (removed.append(self.name), real(self, missing_ok))[1])
    vault.delete("plaza", "e1")
    assert removed == ["share-1.age", "share-2.age", "seal.note"] * 2
    assert vault.epochs() == []
    assert list((tmp_path / "mirror" / "plaza").iterdir()) == []
    vault.delete("plaza", "e1")


def test_a_mirror_that_fails_is_told_and_the_others_are_done(vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vault.put("plaza", "e1", FILES)
    real = vault_module._delete

    def failing(folder: Path, *, keep_note: bool) -> None:
        if "mirror" not in folder.parts:
            raise OSError(30, "Read-only file system")
        real(folder, keep_note=keep_note)

    with monkeypatch.context() as patched:
        patched.setattr(vault_module, "_delete", failing)
        with pytest.raises(StoreError, match=r"destroy the shares of epoch e1 of camera plaza.*Read-only file system"):
            vault.delete("plaza", "e1")
    assert vault.missing("plaza", "e1") == (tmp_path / "mirror",)
    assert vault.epochs() == [("plaza", "e1")]
    vault.delete("plaza", "e1")
    assert vault.epochs() == []


def test_half_written_epochs_are_invisible_and_swept(vault: Vault, tmp_path: Path) -> None:
    stale = tmp_path / "vault" / "plaza" / ".staging-e1-abcd"
    stale.mkdir(parents=True)
    (stale / "share-1.age").write_bytes(b"one")
    assert vault.epochs() == []
    assert vault.remove_stale() == 1
    assert list(stale.parent.iterdir()) == []


def test_what_is_not_there_or_too_large_is_told(vault: Vault, tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="was it shredded"):
        vault.read("plaza", "e9")
    vault.put("plaza", "e1", FILES)
    (tmp_path / "vault" / "plaza" / "e1" / "share-1.age").write_bytes(bytes(MAX_FILE_BYTES + 1))
    with pytest.raises(StoreError, match="larger"):
        vault.read("plaza", "e1")
