"""What a masked run has begun is ended, also where one of its ends fails."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import cast

import pytest

from camera_packets import encode
from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import CoverClosed, CoverOpened, JournalRecord, SegmentClosed, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Frame, MaskedFrame
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.masked_run import MaskedRun, MaskedTools
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.record.segments import RecordChain


class CoveringMasker:
    """Covers every frame at once."""

    def push(self, frame: Frame) -> Iterator[MaskedFrame]:
        yield MaskedFrame(frame.i420, frame.pts_90k, frame.wall_us, (), CoverCause.STARTING)

    def flush(self) -> Iterator[MaskedFrame]:
        return iter(())


def test_a_cover_ends_although_its_segment_cannot_be_ended(tmp_path: Path) -> None:
    records: list[JournalRecord] = []

    def journal(record: JournalRecord) -> None:
        if isinstance(record, SegmentClosed):
            raise StoreError("the disk is full")
        records.append(record)

    parameters, packets = encode(frames=30)
    tools = MaskedTools(DataFolder(tmp_path), RecordingSettings(), journal, lambda text: text + b"\n-- signed\n", ManualClock(), 1)
    covers = CoverKeeper("gate", journal, tools.clock)
    run = MaskedRun("gate", parameters, tools, masking=cast(MaskingPipeline, CoveringMasker()), chain=RecordChain(), covers=covers)
    for packet in packets:
        run.take(packet)
    with pytest.raises(StoreError, match="full"):
        run.finish(SegmentEnd.STOPPED)
    (opened,) = [record for record in records if isinstance(record, CoverOpened)]
    (closed,) = [record for record in records if isinstance(record, CoverClosed)]
    assert (closed.cover_id, closed.end_us) == (opened.cover_id, packets[-1].wall_us)
