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
from lamppost.model.media import MaskedPacket, StreamParameters
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Frame, MaskedFrame
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.live import LivePublisher
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


class ListeningPublisher:
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.packets: list[MaskedPacket] = []
        self.ends = 0

    def publish(self, packet: MaskedPacket, parameters: StreamParameters) -> None:
        assert parameters.parameter_sets
        self.packets.append(packet)

    def end(self) -> None:
        self.ends += 1


def test_every_picture_is_published_at_once_also_a_covered_one_and_the_stream_ends_with_the_run(tmp_path: Path) -> None:
    parameters, packets = encode(frames=30)
    tools = MaskedTools(DataFolder(tmp_path), RecordingSettings(), lambda _record: None, lambda text: text + b"\n-- x\n", ManualClock(), 2)
    live = ListeningPublisher()
    run = MaskedRun(
        "gate",
        parameters,
        tools,
        masking=cast(MaskingPipeline, CoveringMasker()),
        chain=RecordChain(),
        covers=CoverKeeper("gate", lambda _record: None, tools.clock),
        live=cast(LivePublisher, live),
    )
    for index, packet in enumerate(packets):
        run.take(packet)
        assert [one.wall_us for one in live.packets] == [one.wall_us for one in packets[: index + 1]], "none waits for the next one"
    assert live.packets[0].is_keyframe
    assert {type(packet) for packet in live.packets} == {MaskedPacket}
    assert live.ends == 0
    run.finish(SegmentEnd.STOPPED)
    assert (len(live.packets), live.ends) == (30, 1)
