"""Segments written to a folder for tests, with an open-handed journal, sealer and signer."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from camera_packets import encode
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import FragmentWritten, JournalRecord, Rendition, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Packet, StreamParameters
from lamppost.record.segments import RecordChain, SealingEpoch, SegmentWriter


def sign(text: bytes) -> bytes:
    return text + b"\n\xe2\x80\x94 test c2lnbmF0dXJl\n"


def verify(note: bytes) -> bytes:
    return note.rpartition(b"\n\n")[0] + b"\n"


@dataclass
class Recording:
    """Where test segments go, and what was journalled of them."""

    root: Path
    camera: str = "plaza"
    epoch_s: float = 600.0
    books: list[JournalRecord] = field(default_factory=list)
    chain: RecordChain = field(default_factory=RecordChain)
    clock: ManualClock = field(default_factory=ManualClock)
    refuses: type[JournalRecord] | None = None  # what the journal has no room for

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.root)

    def sealing(self, wall_us: int) -> SealingEpoch:
        number = wall_us // round(self.epoch_s * US_PER_S)
        return SealingEpoch(f"epoch-{number}", (number + 1) * round(self.epoch_s * US_PER_S), lambda data: b"sealed:" + data[::-1])

    def journal(self, record: JournalRecord) -> None:
        if self.refuses is not None and isinstance(record, self.refuses):
            raise StoreError("the journal is full")
        self.books.append(record)

    def writer(self, rendition: Rendition, parameters: StreamParameters, *, run_id: str = "run-1", segment_s: float = 2.0) -> SegmentWriter:
        return SegmentWriter(
            camera=self.camera,
            rendition=rendition,
            folder=self.folder,
            run_id=run_id,
            parameters=parameters,
            journal=self.journal,
            chain=self.chain,
            sign=sign,
            clock=self.clock,
            sealing=self.sealing if rendition is Rendition.SEALED else None,
            segment_s=segment_s,
        )

    def record(self, rendition: Rendition, packets: tuple[Packet, ...] = (), *, segment_s: float = 2.0) -> None:
        parameters, encoded = encode(frames=125)
        writer = self.writer(rendition, parameters, segment_s=segment_s)
        for packet in packets or encoded:
            writer.write(packet)
            self.clock.advance(0.04)
        writer.close(SegmentEnd.STOPPED)

    def opened(self) -> list[SegmentOpened]:
        return [record for record in self.books if isinstance(record, SegmentOpened)]

    def closed(self) -> list[SegmentClosed]:
        return [record for record in self.books if isinstance(record, SegmentClosed)]

    def fragments(self, segment_id: str) -> list[FragmentWritten]:
        return [record for record in self.books if isinstance(record, FragmentWritten) and record.segment_id == segment_id]

    def file(self, opened: SegmentOpened) -> Path:
        return self.root / opened.path


def unseal(content: bytes) -> bytes:
    assert content.startswith(b"sealed:")
    return content[7:][::-1]
