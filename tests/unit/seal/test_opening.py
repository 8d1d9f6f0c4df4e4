"""Any k shares open an epoch, fewer do not, and a share of another epoch is refused."""

from __future__ import annotations

import hashlib
import itertools
from dataclasses import replace
from pathlib import Path

import pytest

from camera_packets import START_US
from lamppost.base.errors import KeyFileError, NotEnoughShares, ShareMismatch
from lamppost.seal.age import AgeSealer
from lamppost.seal.custodians import CustodianKey, create_key_file, read_key_file
from lamppost.seal.envelopes import EpochSeal, ShareEnvelope, share_name
from lamppost.seal.notes import verify_note
from lamppost.seal.opening import open_epoch, read_seal
from lamppost.seal.sealer import seal_epoch
from lamppost.seal.shares import combine, new_epoch_key
from lamppost.store.vault import Vault
from sealed_site import Site


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def keys_of(site: Site) -> list[CustodianKey]:
    return [key for path in site.keys for key in read_key_file(path)]


def files_of(site: Site, epoch_id: str = "epoch-a") -> dict[str, bytes]:
    return Vault(site.folder.vault).read("plaza", epoch_id)


def test_any_two_of_three_open_and_one_does_not(site: Site) -> None:
    sealed = seal_epoch(site.request("epoch-a", START_US))
    content, keys = AgeSealer(sealed.recipient).seal(b"video"), keys_of(site)
    for chosen in itertools.permutations(keys, 2):
        assert open_epoch(files_of(site), chosen, site.signer.public).open(content) == b"video"
    for key in keys:
        with pytest.raises(NotEnoughShares, match="2 of 3 custodians are needed, 1 key of those given opens a share"):
            open_epoch(files_of(site), [key, key], site.signer.public)
        with pytest.raises(KeyFileError):
            key.open(content)


@pytest.mark.parametrize(("threshold", "shares"), [(2, 2), (2, 16), (3, 5), (16, 16)])
def test_all_sizes_split_and_combine(threshold: int, shares: int) -> None:
    key = new_epoch_key()
    mnemonics = key.split(threshold, shares)
    assert len(set(mnemonics)) == shares
    assert combine(mnemonics[:threshold]).recipient == key.recipient
    with pytest.raises(ShareMismatch, match="do not make a key") as caught:
        combine(mnemonics[: threshold - 1])
    assert mnemonics[0].split()[5] not in str(caught.value)


def test_shares_are_slip39_with_no_passphrase_one_group_and_exponent_0() -> None:
    from shamir_mnemonic import Share

    for number, mnemonic in enumerate(new_epoch_key().split(2, 3)):
        share = Share.from_mnemonic(mnemonic)
        assert (share.extendable, share.iteration_exponent, share.group_count, share.group_threshold) == (True, 0, 1, 1)
        assert (share.index, share.member_threshold) == (number, 2)


def test_a_share_of_another_epoch_is_refused_even_if_signed(site: Site) -> None:
    sealed = seal_epoch(site.request("epoch-a", START_US))
    seal_epoch(site.request("epoch-b", START_US))
    mixed = files_of(site) | {"share-1.age": files_of(site, "epoch-b")["share-1.age"]}
    with pytest.raises(ShareMismatch, match="epoch epoch-a: share 1 is not the one that was sealed"):
        open_epoch(mixed, keys_of(site), site.signer.public)
    assert sealed.epoch_id == "epoch-a"


def forge(site: Site, *, mnemonics: list[str], shares_epoch: str, recipient: str) -> dict[str, bytes]:
    """What a recorder that lies would sign: envelopes that open, and a seal note that has their hashes."""
    files = files_of(site)
    seal = read_seal(files, site.signer.public)
    for number, (custodian, mnemonic) in enumerate(zip(seal.custodians, mnemonics, strict=True), start=1):
        envelope = ShareEnvelope("plaza", shares_epoch, recipient, number, 3, 2, mnemonic)
        files[share_name(number)] = AgeSealer(custodian).seal(site.signer.sign(envelope.to_text()))
    hashes = tuple(hashlib.sha256(files[share_name(number)]).hexdigest() for number in (1, 2, 3))
    sealed = replace(seal.sealed, recipient=recipient, share_sha256s=hashes)
    files["seal.note"] = site.signer.sign(EpochSeal(sealed, seal.custodians).to_text())
    return files


def test_shares_of_another_key_than_the_sealed_one_are_refused(site: Site) -> None:
    seal_epoch(site.request("epoch-a", START_US))
    key, other = new_epoch_key(), new_epoch_key()
    good = forge(site, mnemonics=key.split(2, 3), shares_epoch="epoch-a", recipient=key.recipient)
    assert open_epoch(good, keys_of(site), site.signer.public).recipient == key.recipient
    lying = forge(site, mnemonics=other.split(2, 3), shares_epoch="epoch-a", recipient=key.recipient)
    with pytest.raises(ShareMismatch, match="another key than the one sealed to"):
        open_epoch(lying, keys_of(site), site.signer.public)


def test_an_envelope_of_another_epoch_is_refused(site: Site) -> None:
    seal_epoch(site.request("epoch-a", START_US))
    key = new_epoch_key()
    lying = forge(site, mnemonics=key.split(2, 3), shares_epoch="epoch-b", recipient=key.recipient)
    with pytest.raises(ShareMismatch, match="belongs to something else"):
        open_epoch(lying, keys_of(site), site.signer.public)


def test_an_envelope_never_shows_its_share() -> None:
    assert "sesame" not in repr(ShareEnvelope("plaza", "epoch-a", "age1", 1, 3, 2, "open sesame"))


def test_a_custodian_replaced_since_opens_no_older_epoch(site: Site, tmp_path: Path) -> None:
    seal_epoch(site.request("epoch-a", START_US))
    create_key_file(tmp_path / "new.key", site.clock)
    keys = [keys_of(site)[0], *read_key_file(tmp_path / "new.key")]
    with pytest.raises(NotEnoughShares, match="1 key of those given opens"):
        open_epoch(files_of(site), keys, site.signer.public)


def test_nothing_secret_lies_in_the_vault_in_plaintext(site: Site) -> None:
    seal_epoch(site.request("epoch-a", START_US))
    for content in files_of(site).values():
        assert b"AGE-SECRET-KEY" not in content
        assert b"mnemonic" not in content


@pytest.mark.parametrize("change", [(b"threshold: 2", b"threshold: 02"), (b"shares: 3", b"shares: 4"), (b"share: 3", b"share: 2")])
def test_a_seal_note_has_one_form_only(site: Site, change: tuple[bytes, bytes]) -> None:
    seal_epoch(site.request("epoch-a", START_US))
    text = verify_note(files_of(site)["seal.note"], site.signer.public)
    assert EpochSeal.parse(text).to_text() == text
    with pytest.raises(ShareMismatch):
        EpochSeal.parse(text.replace(*change))
