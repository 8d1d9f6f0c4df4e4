"""What is mended after a crash is what the dead process would have written."""

from __future__ import annotations

from pathlib import Path

import pytest

from camera_packets import encode
from lamppost.base.clock import ManualClock
from lamppost.base.errors import StoreError
from lamppost.model.books import JournalRecord, ReductionClosed, ReductionOpened, Rendition, SegmentClosed, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.pipeline.recovering import recover
from lamppost.record.segments import RecordChain, SegmentWriter
from lamppost.seal.notes import create_signer
from lamppost.store.journal import JournalWriter, read_journal


def test_a_record_that_is_durable_already_stays_byte_for_byte(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path), ManualClock()
    signer = create_signer(folder.keys / "recorder.key")
    parameters, packets = encode(frames=30)
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:

        def journal_but_the_last(record: JournalRecord) -> None:
            if isinstance(record, SegmentClosed):
                raise StoreError("killed here")
            journal.append(record)

        writer = SegmentWriter(
            camera="gate",
            rendition=Rendition.MASKED,
            folder=folder,
            run_id="run",
            parameters=parameters,
            journal=journal_but_the_last,
            chain=RecordChain(),
            sign=signer.sign,
            clock=clock,
        )
        for packet in packets:
            writer.write(packet)
        with pytest.raises(StoreError):
            writer.close(SegmentEnd.ROTATED)
    (record_path,) = tmp_path.rglob("*.record")
    durable = record_path.read_bytes()
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        recover(folder, "analyst", journal, sign=signer.sign, clock=clock)
    assert record_path.read_bytes() == durable
    closed = [
        record
        for path in sorted((folder.journal / "analyst").glob("*.jsonl"))
        for record in read_journal(path).records
        if isinstance(record, SegmentClosed)
    ]
    assert [record.end for record in closed] == [SegmentEnd.ROTATED]


def test_a_step_of_overload_that_was_left_open_ends_where_the_masked_video_does(tmp_path: Path) -> None:
    folder, clock = DataFolder(tmp_path), ManualClock()
    signer = create_signer(folder.keys / "recorder.key")
    parameters, packets = encode(frames=60)
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        writer = SegmentWriter(
            camera="gate",
            rendition=Rendition.MASKED,
            folder=folder,
            run_id="run",
            parameters=parameters,
            journal=journal.append,
            chain=RecordChain(),
            sign=signer.sign,
            clock=clock,
        )
        journal.append(ReductionOpened("r", "gate", "fewer_frames", packets[10].wall_us))
        for packet in packets:
            writer.write(packet)
        written_us = writer.last_end_us
    clock.advance(3600)
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        recover(folder, "analyst", journal, sign=signer.sign, clock=clock)
        recover(folder, "analyst", journal, sign=signer.sign, clock=clock)
    closed = [
        record
        for path in sorted((folder.journal / "analyst").glob("*.jsonl"))
        for record in read_journal(path).records
        if isinstance(record, ReductionClosed)
    ]
    assert [(record.reduction_id, record.end_us) for record in closed] == [("r", written_us)]
