"""A small site for tests: custodians, epochs in a vault, and a sealed run or two."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from camera_packets import START_US, encode
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.books import EpochSealed, JournalRecord, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.record.segments import RecordChain, SealingEpoch, SegmentWriter
from lamppost.seal.age import AgeSealer
from lamppost.seal.custodians import create_key_file
from lamppost.seal.notes import NoteSigner, create_signer
from lamppost.seal.sealer import SealRequest, seal_epoch


@dataclass
class Site:
    """One camera, `plaza`, with epochs of `epoch_s`, 2 of 3 custodians."""

    root: Path
    camera: str = "plaza"
    epoch_s: float = 600.0
    books: list[JournalRecord] = field(default_factory=list)
    chain: RecordChain = field(default_factory=RecordChain)
    clock: ManualClock = field(default_factory=ManualClock)
    epochs: dict[int, EpochSealed] = field(default_factory=dict)
    writer: SegmentWriter | None = None

    def __post_init__(self) -> None:
        self.signer: NoteSigner = create_signer(self.folder.keys / "recorder.key")
        self.keys = [self.root / "custodians" / f"{number}.key" for number in (1, 2, 3)]
        self.custodians = tuple(create_key_file(path, self.clock) for path in self.keys)

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.root / "data")

    def request(self, epoch_id: str, start_us: int, threshold: int = 2) -> SealRequest:
        return SealRequest(
            camera=self.camera,
            epoch_id=epoch_id,
            sequence=0,
            start_us=start_us,
            end_us=start_us + round(self.epoch_s * US_PER_S),
            threshold=threshold,
            custodians=self.custodians,
            signing_key=str(self.folder.keys / "recorder.key"),
            vault=str(self.folder.vault),
        )

    def sealing(self, wall_us: int) -> SealingEpoch:
        length_us = round(self.epoch_s * US_PER_S)
        number = (wall_us - START_US) // length_us
        if number not in self.epochs:
            self.epochs[number] = seal_epoch(self.request(f"epoch-{number}", START_US + number * length_us))
        sealed = self.epochs[number]
        return SealingEpoch(sealed.epoch_id, sealed.end_us, AgeSealer(sealed.recipient).seal)

    def record(self, start_s: float = 0.0, frames: int = 125, *, run_id: str = "run-1", is_closed: bool = True, gop: int = 25) -> None:
        """A run that starts `start_s` after START_US; an open one is flushed but not closed."""
        parameters, packets = encode(frames=frames, gop=gop, start_us=START_US + round(start_s * US_PER_S))
        self.writer = SegmentWriter(
            camera=self.camera,
            rendition=Rendition.SEALED,
            folder=self.folder,
            run_id=run_id,
            parameters=parameters,
            journal=self.books.append,
            chain=self.chain,
            sign=self.signer.sign,
            clock=self.clock,
            sealing=self.sealing,
            segment_s=2.0,
        )
        for packet in packets:
            self.writer.write(packet)
        if is_closed:
            self.writer.close(SegmentEnd.STOPPED)
