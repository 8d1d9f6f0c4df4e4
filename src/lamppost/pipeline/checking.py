"""`lamppost check`, put together: the store looks, with readers that verify signatures."""

from __future__ import annotations

from lamppost.base.clock import Clock, SystemClock
from lamppost.model.books import EpochSealed
from lamppost.model.layout import DataFolder
from lamppost.pipeline.recovering import recover
from lamppost.record.segment_record import SegmentRecord, verify_record
from lamppost.seal.envelopes import EpochSeal
from lamppost.seal.notes import NoteSigner, VerifierKey, verify_note
from lamppost.store.check import check
from lamppost.store.check_report import CheckReport, CheckTools
from lamppost.store.journal import JournalWriter


def check_folder(folder: DataFolder, *, repair: bool, deep: bool) -> CheckReport:
    """Check `folder`, and with `repair` mend first what can be mended.

    Only a repair that ends a torn segment needs the recorder's signing key.
    Raises `KeyFileError`, `StoreError` and `DataFolderBusy`.
    """
    clock = SystemClock()
    public = VerifierKey.load(folder.keys / "recorder.pub")

    def read_record(note: bytes) -> SegmentRecord:
        return verify_record(note, lambda signed: verify_note(signed, public))

    def read_seal(note: bytes) -> EpochSealed:
        return EpochSeal.parse(verify_note(note, public)).sealed

    tools = CheckTools(read_record=read_record, read_seal=read_seal, recover=lambda writer: _recover(folder, writer, clock))
    return check(folder, clock=clock, tools=tools, repair=repair, deep=deep)


def _recover(folder: DataFolder, writer: str, clock: Clock) -> None:
    signer = NoteSigner.load(folder.keys / "recorder.key")
    with JournalWriter(folder.journal / writer, clock=clock) as journal:
        recover(folder, writer, journal, sign=signer.sign, clock=clock)
