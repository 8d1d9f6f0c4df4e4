"""The short-lived child that makes epochs' keys, has their shares stored, and ends.

`python -m lamppost.seal.sealer` reads requests from standard input, one JSON
object a line, and answers each with one: `{"camera": ..., "epoch_id": ...}` and
either `sealed`, an `EpochSealed`, or `error`, one line. Public things only. No
process that lives longer ever holds a key, and this one forgets each before it
makes the next. An epoch that fails stores nothing, and does not keep out the others.
"""

from __future__ import annotations

import hashlib
import json
import resource
import signal
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from lamppost.base.errors import LamppostError, SealError, ShareMismatch
from lamppost.model.books import EpochSealed
from lamppost.seal.age import AgeSealer
from lamppost.seal.custodians import check_custodians
from lamppost.seal.envelopes import SEAL_NOTE_NAME, EpochSeal, ShareEnvelope, share_name
from lamppost.seal.notes import NoteSigner
from lamppost.seal.shares import EpochKey, combine, new_epoch_key
from lamppost.store.vault import Vault

LONGEST_LIFE_S = 60  # twice what a parent waits before it kills
MAX_REQUESTS = 16  # in one life
MAX_REQUEST_BYTES = 64 * 1024


@dataclass(frozen=True, slots=True)
class SealRequest:
    """What the parent asks for; times are UTC in microseconds, paths absolute."""

    camera: str
    epoch_id: str
    sequence: int
    start_us: int
    end_us: int
    threshold: int
    custodians: tuple[str, ...]
    signing_key: str
    vault: str
    mirrors: tuple[str, ...] = ()

    def to_json(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def from_json(cls, raw: bytes) -> SealRequest:
        """Raises `SealError`."""
        try:
            fields: dict[str, Any] = json.loads(raw)
            fields["custodians"], fields["mirrors"] = tuple(fields["custodians"]), tuple(fields["mirrors"])
            return cls(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise SealError("the request to the sealer cannot be read") from error


def seal_epoch(request: SealRequest) -> EpochSealed:
    """Make the key, split it, prove that k shares give it back, store; raises `LamppostError`."""
    check_custodians(request.custodians, request.threshold)
    signer = NoteSigner.load(Path(request.signing_key))
    key = new_epoch_key()
    mnemonics = key.split(request.threshold, len(request.custodians))
    # The last k, so that the interpolation is exercised and not the shares that were drawn at random.
    if combine(mnemonics[-request.threshold :]).recipient != key.recipient:
        raise ShareMismatch(f"camera {request.camera}: the shares of epoch {request.epoch_id} do not give the key back")
    files = _share_files(request, key, mnemonics, signer)
    sealed = EpochSealed(
        epoch_id=request.epoch_id,
        camera=request.camera,
        sequence=request.sequence,
        start_us=request.start_us,
        end_us=request.end_us,
        recipient=key.recipient,
        threshold=request.threshold,
        shares=len(mnemonics),
        share_sha256s=tuple(hashlib.sha256(content).hexdigest() for content in files.values()),
    )
    files[SEAL_NOTE_NAME] = signer.sign(EpochSeal(sealed, request.custodians).to_text())
    Vault(Path(request.vault), [Path(mirror) for mirror in request.mirrors]).put(request.camera, request.epoch_id, files)
    return sealed


def _share_files(request: SealRequest, key: EpochKey, mnemonics: list[str], signer: NoteSigner) -> dict[str, bytes]:
    files: dict[str, bytes] = {}
    for number, (custodian, mnemonic) in enumerate(zip(request.custodians, mnemonics, strict=True), start=1):
        envelope = ShareEnvelope(
            camera=request.camera,
            epoch_id=request.epoch_id,
            recipient=key.recipient,
            number=number,
            shares=len(mnemonics),
            threshold=request.threshold,
            mnemonic=mnemonic,
        )
        files[share_name(number)] = AgeSealer(custodian).seal(signer.sign(envelope.to_text()))
    return files


def main() -> int:
    """Serve the requests; the exit status is 0 when each was answered."""
    # A core file would hold the key.
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    # A parent that was killed kills nobody.
    signal.alarm(LONGEST_LIFE_S)
    try:
        requests = [SealRequest.from_json(line) for line in sys.stdin.buffer.read(MAX_REQUEST_BYTES * MAX_REQUESTS).splitlines()]
    except LamppostError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    for request in requests:
        sys.stdout.write(json.dumps({"camera": request.camera, "epoch_id": request.epoch_id} | _answer(request)) + "\n")
        sys.stdout.flush()
    return 0


def _answer(request: SealRequest) -> dict[str, Any]:
    try:
        return {"sealed": asdict(seal_epoch(request))}
    except LamppostError as error:
        return {"error": f"cannot seal an epoch: {error}"}


if __name__ == "__main__":
    sys.exit(main())
