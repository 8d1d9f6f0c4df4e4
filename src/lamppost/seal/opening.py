"""Opens an epoch: k custodians' keys and the vault's files in, the epoch's key out.

Whatever does not fit what was signed is refused whole.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence

from lamppost.base.errors import KeyFileError, NotEnoughShares, ShareMismatch
from lamppost.seal.custodians import CustodianKey
from lamppost.seal.envelopes import SEAL_NOTE_NAME, EpochSeal, ShareEnvelope, share_name
from lamppost.seal.notes import VerifierKey, verify_note
from lamppost.seal.shares import EpochKey, combine


def read_seal(files: Mapping[str, bytes], recorder: VerifierKey) -> EpochSeal:
    """The verified seal note among an epoch's files; raises `ShareMismatch`."""
    note = files.get(SEAL_NOTE_NAME)
    if note is None:
        raise ShareMismatch("an epoch in the vault has no seal note", remedy="was it shredded?")
    return EpochSeal.parse(verify_note(note, recorder))


def open_epoch(files: Mapping[str, bytes], keys: Sequence[CustodianKey], recorder: VerifierKey) -> EpochKey:
    """The key of the epoch whose vault files are `files` (name to content).

    Raises `NotEnoughShares` when fewer than k keys open a share each, and
    `ShareMismatch` when a share is not the one that was sealed.
    """
    seal = read_seal(files, recorder)
    sealed = seal.sealed
    by_recipient = {key.recipient: key for key in keys}
    able = [(number, by_recipient[c]) for number, c in enumerate(seal.custodians, start=1) if c in by_recipient]
    able = [(number, key) for number, key in able if share_name(number) in files]
    if len(able) < sealed.threshold:
        raise NotEnoughShares(
            f"camera {sealed.camera}, epoch {sealed.epoch_id}: {sealed.threshold} of {sealed.shares} custodians are needed, "
            f"{_count(len(able))} of those given {'opens' if len(able) == 1 else 'open'} a share",
            remedy="give one --key for each custodian who takes part",
        )
    mnemonics = [_open_share(files[share_name(number)], number, key, seal, recorder) for number, key in able[: sealed.threshold]]
    epoch_key = combine(mnemonics)
    if epoch_key.recipient != sealed.recipient:
        raise ShareMismatch(f"camera {sealed.camera}: the shares of epoch {sealed.epoch_id} make another key than the one sealed to")
    return epoch_key


def _open_share(content: bytes, number: int, key: CustodianKey, seal: EpochSeal, recorder: VerifierKey) -> str:
    sealed = seal.sealed
    where = f"camera {sealed.camera}, epoch {sealed.epoch_id}: share {number}"
    if hashlib.sha256(content).hexdigest() != sealed.share_sha256s[number - 1]:
        raise ShareMismatch(f"{where} is not the one that was sealed", remedy="use an intact copy of the vault")
    try:
        opened = key.open(content)
    except KeyFileError as error:
        raise ShareMismatch(f"{where} does not open with its custodian's key") from error
    envelope = ShareEnvelope.parse(verify_note(opened, recorder))
    expected = (sealed.camera, sealed.epoch_id, sealed.recipient, number, sealed.shares, sealed.threshold)
    found = (envelope.camera, envelope.epoch_id, envelope.recipient, envelope.number, envelope.shares, envelope.threshold)
    if found != expected:
        raise ShareMismatch(f"{where} belongs to something else")
    return envelope.mnemonic


def _count(keys: int) -> str:
    return f"{keys} key" if keys == 1 else f"{keys} keys"
