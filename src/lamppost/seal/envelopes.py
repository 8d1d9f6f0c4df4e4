"""The two texts of an epoch: its seal note, and the envelope around each share.

The seal note is public: which camera and hours, for whom, and the hash of every
share file. An envelope holds one share. It is signed by the recorder and then
encrypted to one custodian, so that what a custodian opens says what it opens.

```
lamppost epoch seal v1                lamppost epoch share v1
camera: plaza                         camera: plaza
epoch: 20261123T100000Z-0a1b2c3d      epoch: 20261123T100000Z-0a1b2c3d
sequence: 12                          recipient: age1…
start-us: 1795514400000000            share: 1 of 3
end-us: 1795515000000000              threshold: 2
recipient: age1…                      mnemonic: word word …
threshold: 2
shares: 3
share: 1 CUSTODIAN-RECIPIENT SHA256   (one line for each share file)
```
"""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.base.errors import ShareMismatch
from lamppost.model.books import EpochSealed

SEAL_NOTE_NAME = "seal.note"
_SEAL_TITLE = "lamppost epoch seal v1"
_SHARE_TITLE = "lamppost epoch share v1"
_SEAL_KEYS = ("camera", "epoch", "sequence", "start-us", "end-us", "recipient", "threshold", "shares")
_SHARE_KEYS = ("camera", "epoch", "recipient", "share", "threshold", "mnemonic")


def share_name(number: int) -> str:
    """The file of share `number`, counted from 1."""
    return f"share-{number}.age"


@dataclass(frozen=True, slots=True)
class EpochSeal:
    """What was sealed, for whom; `custodians` are age recipients in the order of the shares."""

    sealed: EpochSealed
    custodians: tuple[str, ...]

    def to_text(self) -> bytes:
        """The canonical text, ending in a newline."""
        it = self.sealed
        values = (it.camera, it.epoch_id, it.sequence, it.start_us, it.end_us, it.recipient, it.threshold, it.shares)
        lines = [_SEAL_TITLE, *(f"{key}: {value}" for key, value in zip(_SEAL_KEYS, values, strict=True))]
        for number, (custodian, sha256) in enumerate(zip(self.custodians, it.share_sha256s, strict=True), start=1):
            lines.append(f"share: {number} {custodian} {sha256}")
        return ("\n".join(lines) + "\n").encode()

    @classmethod
    def parse(cls, text: bytes) -> EpochSeal:
        """Read the canonical text; raises `ShareMismatch`."""
        try:
            lines = text.decode("ascii").split("\n")
            values = dict(line.split(": ", 1) for line in lines[1 : 1 + len(_SEAL_KEYS)])
            shares = [line.removeprefix("share: ").split(" ") for line in lines[1 + len(_SEAL_KEYS) : -1]]
            seal = cls(
                EpochSealed(
                    epoch_id=values["epoch"],
                    camera=values["camera"],
                    sequence=int(values["sequence"]),
                    start_us=int(values["start-us"]),
                    end_us=int(values["end-us"]),
                    recipient=values["recipient"],
                    threshold=int(values["threshold"]),
                    shares=int(values["shares"]),
                    share_sha256s=tuple(sha256 for _, _, sha256 in shares),
                ),
                tuple(custodian for _, custodian, _ in shares),
            )
        except (ValueError, KeyError) as error:
            raise ShareMismatch(f"a seal note cannot be read: {error}") from error
        it = seal.sealed
        if seal.to_text() != text or it.shares != len(shares) or not 2 <= it.threshold <= it.shares <= 16:
            raise ShareMismatch(f"the seal note of epoch {it.epoch_id} is not in canonical form")
        return seal


@dataclass(frozen=True, slots=True)
class ShareEnvelope:
    """One share and what it belongs to. `number` counts from 1."""

    camera: str
    epoch_id: str
    recipient: str
    number: int
    shares: int
    threshold: int
    mnemonic: str

    def to_text(self) -> bytes:
        """The canonical text, ending in a newline."""
        values = (self.camera, self.epoch_id, self.recipient, f"{self.number} of {self.shares}", self.threshold, self.mnemonic)
        lines = [_SHARE_TITLE, *(f"{key}: {value}" for key, value in zip(_SHARE_KEYS, values, strict=True))]
        return ("\n".join(lines) + "\n").encode()

    @classmethod
    def parse(cls, text: bytes) -> ShareEnvelope:
        """Read the canonical text; raises `ShareMismatch`, which never quotes it."""
        try:
            values = dict(line.split(": ", 1) for line in text.decode("ascii").split("\n")[1 : 1 + len(_SHARE_KEYS)])
            number, shares = values["share"].split(" of ")
            envelope = cls(
                camera=values["camera"],
                epoch_id=values["epoch"],
                recipient=values["recipient"],
                number=int(number),
                shares=int(shares),
                threshold=int(values["threshold"]),
                mnemonic=values["mnemonic"],
            )
        except (ValueError, KeyError):
            raise ShareMismatch("a share's envelope cannot be read") from None
        if envelope.to_text() != text:
            raise ShareMismatch(f"a share's envelope of epoch {envelope.epoch_id} is not in canonical form")
        return envelope

    def __repr__(self) -> str:
        return f"ShareEnvelope({self.camera}, {self.epoch_id}, {self.number} of {self.shares})"
