"""A camera's masking comes back after a failure, and stops when it is told to."""

from __future__ import annotations

import socket
import threading
from pathlib import Path

from camera_packets import encode
from lamppost.base.clock import ManualClock, SystemClock
from lamppost.base.errors import StoreError
from lamppost.model.books import FragmentWritten, JournalRecord, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import RunStarted
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import Preset
from lamppost.pipeline.analysing import RETRY_S, CameraAnalysis, MaskingPlan
from lamppost.pipeline.feed import FeedWriter
from lamppost.pipeline.feed_reader import FeedReader
from lamppost.pipeline.masked_run import MaskedTools
from lamppost.pipeline.masking import MaskingPipeline, Motion
from lamppost.pipeline.spectator import Spectator
from lamppost.pipeline.turns import Turns
from lamppost.record.segments import RecordChain


class PassingClock(ManualClock):
    """Time that goes on whenever somebody looks."""

    def monotonic_s(self) -> float:
        self.advance(RETRY_S / 20)
        return super().monotonic_s()


def test_a_disk_that_was_full_for_a_moment_does_not_end_masking(tmp_path: Path) -> None:
    clock, stop = PassingClock(), threading.Event()
    records: list[JournalRecord] = []
    refusals = 0

    def journal(record: JournalRecord) -> None:
        nonlocal refusals
        if isinstance(record, SegmentOpened) and not refusals:
            refusals += 1
            raise StoreError("the disk is full")
        records.append(record)

    def make_masking(_motion: Motion | None, _spectator: Spectator) -> MaskingPipeline:
        return MaskingPipeline(preset=Preset.ALL, faces=None, motion=None, look_back_s=0.1, detect_interval_s=0.1, clock=clock)

    tools = MaskedTools(DataFolder(tmp_path), RecordingSettings(), journal, lambda text: text + b"\n-- signed\n", clock, 1)
    reader = FeedReader(SystemClock())
    plan = MaskingPlan(Preset.ALL, tools, make_masking)
    analysis = CameraAnalysis("gate", plan, chain=RecordChain(), stop=stop, reader=reader, turns=Turns(1))
    parameters, packets = encode(frames=250, gop=25)
    near, far = socket.socketpair()
    near.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8 << 20)
    feed = FeedWriter()
    feed.offer(near)
    feed.start_run(RunStarted(parameters))
    thread = threading.Thread(target=analysis.run)
    thread.start()
    analysis.offer(far)
    for packet in packets:
        before = feed.dropped_packets
        feed.send(packet)
        while feed.dropped_packets > before and packet.is_keyframe:  # the socket was full: try this keyframe again
            before = feed.dropped_packets
            feed.send(packet)
    feed.detach()
    while analysis.status.state != "waiting" or not records:
        assert thread.is_alive()
        stop.wait(0.01)
    stop.set()
    thread.join(10)
    reader.close()
    assert not thread.is_alive()
    assert refusals == 1
    assert any(isinstance(record, SegmentOpened) for record in records)
    assert sum(record.frames for record in records if isinstance(record, FragmentWritten)) > 25
