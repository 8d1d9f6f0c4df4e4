"""Masked video of a camera, written as a node writes it: the masked encoder, the segment writer, the journal, the index."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path

import numpy as np

from lamppost.base.clock import ManualClock, us_from_90k
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Palette, paint
from lamppost.model.books import Rendition, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import MaskedPacket, StreamParameters
from lamppost.model.vision import Frame
from lamppost.record.chain import RecordChain
from lamppost.record.segments import SegmentWriter
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from recorded import sign

INTERVAL_90K = 9000  # ten pictures a second
START_US = 1_700_000_000_000_000


@cache
def masked_packets(frames: int, width_px: int = 96, height_px: int = 64) -> tuple[StreamParameters, tuple[MaskedPacket, ...]]:
    """Pictures of ten a second whose grey rises by one with each, with a keyframe each second."""
    encoder = MaskedEncoder(width_px, height_px, is_live=True)
    packets: list[MaskedPacket] = []
    for number in range(frames):
        i420 = np.full((height_px * 3 // 2, width_px), 128, np.uint8)
        i420[:height_px] = 20 + number % 200
        packets += encoder.encode(paint(Frame(i420, number * INTERVAL_90K, START_US), [], Palette()))
    packets += encoder.flush()
    return encoder.parameters, tuple(packets)


@dataclass
class MaskedStreet:
    """Records masked video of one camera into a data folder; `open_writer` is left open when asked for."""

    root: Path
    camera: str = "plaza"
    clock: ManualClock = field(default_factory=ManualClock)
    chain: RecordChain = field(default_factory=RecordChain)
    runs: int = 0

    @property
    def folder(self) -> DataFolder:
        return DataFolder(self.root)

    def record(
        self, frames: int, start_us: int, *, segment_s: float = 2.0, size_px: tuple[int, int] = (96, 64), is_left_open: bool = False
    ) -> list[SegmentOpened]:
        """A run of `frames` pictures from `start_us` on, and the index brought up to it; returns its segments."""
        parameters, packets = masked_packets(frames, *size_px)
        opened: list[SegmentOpened] = []
        self.runs += 1
        with JournalWriter(self.folder.journal / f"analyst-{self.camera}", clock=self.clock) as journal:

            def note(record: object) -> None:
                if isinstance(record, SegmentOpened):
                    opened.append(record)
                journal.append(record)  # type: ignore[arg-type]

            writer = SegmentWriter(
                camera=self.camera,
                rendition=Rendition.MASKED,
                folder=self.folder,
                run_id=f"run-{self.runs}",
                parameters=parameters,
                journal=note,
                chain=self.chain,
                sign=sign,
                clock=self.clock,
                segment_s=segment_s,
            )
            for packet in _at(packets, start_us):
                writer.write(packet)
            if not is_left_open:
                writer.close(SegmentEnd.STOPPED)
        self.book()
        return opened

    def book(self) -> None:
        """Bring the index up to the journals."""
        with Bookkeeper(self.folder, self.clock) as bookkeeper:
            bookkeeper.apply_new()

    def file(self, opened: SegmentOpened) -> Path:
        return self.root / opened.path


def _at(packets: tuple[MaskedPacket, ...], start_us: int) -> Iterator[MaskedPacket]:
    for packet in packets:
        yield replace(packet, wall_us=start_us + us_from_90k(packet.pts_90k))
