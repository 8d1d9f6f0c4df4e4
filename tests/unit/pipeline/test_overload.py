"""At every step of overload, who walks by stays masked, the books are right, and a covered picture shows nothing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import cast

import numpy as np
import pytest

from camera_packets import encode
from lamppost.base.clock import ManualClock, us_from_90k
from lamppost.detect.motion import MotionDetector
from lamppost.ingest.simulation import StreetEncoder
from lamppost.ingest.street import StreetSettings
from lamppost.model.books import FragmentWritten, JournalRecord, ReductionClosed, ReductionOpened, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, Packet, RunStarted, StreamParameters
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Detection, Frame, Kind, MaskedFrame, Preset, ReductionStep, Region
from lamppost.pipeline.analysing import CameraAnalysis, MaskingPlan
from lamppost.pipeline.feed import PacketsDropped
from lamppost.pipeline.feed_reader import FeedQueue, FeedReader
from lamppost.pipeline.load import STEPS, LoadControl
from lamppost.pipeline.masked_run import MaskedTools
from lamppost.pipeline.masking import MaskingPipeline, Motion
from lamppost.pipeline.spectator import Spectator
from lamppost.pipeline.turns import Turns
from lamppost.record.segments import RecordChain

STREET = StreetSettings(seed=4, people=5, vehicles=2, width_px=704, height_px=396, fps=15)
INTERVAL_90K = 90_000 // STREET.fps
SECONDS = 24
START_US = 1_700_000_000_000_000


@cache
def street_packets() -> tuple[StreamParameters, tuple[Packet, ...]]:
    """A simulated street as its camera sends it, a keyframe each second."""
    encoder = StreetEncoder(STREET, Codec.H264)
    packets = tuple(
        Packet(
            encoder.encode(index),
            index * INTERVAL_90K,
            index * INTERVAL_90K,
            INTERVAL_90K,
            START_US + us_from_90k(index * INTERVAL_90K),
            is_keyframe=index % STREET.fps == 0,
        )
        for index in range(SECONDS * STREET.fps)
    )
    return StreamParameters(Codec.H264, b"", STREET.width_px, STREET.height_px, INTERVAL_90K), packets


@dataclass
class SlowFaces:
    """Finds nobody, and takes its time over it, on a clock of its own or none."""

    clock: ManualClock | None = None
    takes_s: float = 0.0
    start_score: float = 0.0

    def detect_regions(self, _frame: Frame, _regions: Sequence[Region]) -> tuple[Detection, ...]:
        if self.clock is not None:
            self.clock.advance(self.takes_s)
        return ()


@dataclass
class Bench:
    """One camera's analysis without threads: what it journals, and what leaves it."""

    root: Path
    clock: ManualClock
    faces: SlowFaces
    preset: Preset = Preset.MOTION
    records: list[JournalRecord] = field(default_factory=list)
    shown: list[MaskedFrame] = field(default_factory=list)

    def __post_init__(self) -> None:
        tools = MaskedTools(DataFolder(self.root), RecordingSettings(), self.records.append, lambda text: text + b"\n-- x\n", self.clock, 1)

        def make(motion: Motion | None, spectator: Spectator) -> MaskingPipeline:
            faces = self.faces if self.preset is not Preset.ALL else None
            learnt = (motion or MotionDetector()) if self.preset is Preset.MOTION else None
            return MaskingPipeline(
                preset=self.preset,
                faces=faces,
                motion=learnt,
                look_back_s=0.5,
                detect_interval_s=0.2,
                clock=self.clock,
                spectator=spectator,
            )

        self.analysis = CameraAnalysis(
            "gate",
            MaskingPlan(self.preset, tools, make),
            chain=RecordChain(),
            stop=threading.Event(),
            reader=cast(FeedReader, None),
            turns=Turns(1),
        )
        note = self.analysis._covers.note

        def watch(frame: MaskedFrame) -> None:
            self.shown.append(frame)
            note(frame)

        self.analysis._covers.note = watch  # ty: every frame that leaves passes here

    def reductions(self) -> list[tuple[str, int, int]]:
        """(step, start, end) of every step, in order; all are closed."""
        opened = [record for record in self.records if isinstance(record, ReductionOpened)]
        ends = {record.reduction_id: record.end_us for record in self.records if isinstance(record, ReductionClosed)}
        return [(record.step, record.start_us, ends[record.reduction_id]) for record in opened]

    def spans(self) -> list[tuple[int, int]]:
        return [(record.start_us, record.end_us) for record in self.records if isinstance(record, FragmentWritten)]


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, ManualClock(START_US), SlowFaces())


def play(bench: Bench, steps: dict[int, ReductionStep | None]) -> None:
    """The whole street; `steps` says from which second on which step is wanted."""
    parameters, packets = street_packets()
    bench.analysis.take(RunStarted(parameters))
    for index, packet in enumerate(packets):
        if index % STREET.fps == 0 and index // STREET.fps in steps:
            bench.analysis.wanted_step = steps[index // STREET.fps]
        bench.analysis.take(packet)
    bench.analysis.finish()
    assert bench.analysis.status.problem == ""


def hidden_share(frame: MaskedFrame, street: StreetEncoder) -> float:
    """The smallest share of any walker's or vehicle's box that lies under masks; 1 where all is covered or nobody is there."""
    if frame.covered is not None:
        return 1.0
    scale = frame.width_px / STREET.width_px
    under = np.zeros((frame.height_px, frame.width_px), np.bool_)
    for mask in frame.masks:
        under[mask.y0 : mask.y1, mask.x0 : mask.x1] = True
    shares = [1.0]
    for truth in street.street.truth(frame.pts_90k // INTERVAL_90K):
        if truth.kind is not Kind.FACE:
            box = truth.box
            window = under[round(box.y0 * scale) : round(box.y1 * scale), round(box.x0 * scale) : round(box.x1 * scale)]
            shares.append(float(window.mean()) if window.size else 1.0)
    return min(shares)


@pytest.mark.parametrize("step", [None, *ReductionStep])
def test_everybody_is_masked_at_every_step(bench: Bench, step: ReductionStep | None) -> None:
    play(bench, {0: None, 4: step})
    street = StreetEncoder(STREET, Codec.H264)
    for frame in bench.shown:
        assert hidden_share(frame, street) >= 0.9, (frame.pts_90k / 90_000, step)
    visible = [frame for frame in bench.shown if frame.covered is None and frame.pts_90k > 10 * 90_000]
    wanted = {None: 15, ReductionStep.FEWER_FRAMES: 5, ReductionStep.LOWER_RESOLUTION: 5, ReductionStep.KEYFRAMES_ONLY: 1}
    assert len(visible) == pytest.approx(wanted.get(step, 0) * (SECONDS - 10), abs=max(wanted.get(step, 0), 1))
    is_small = step in (ReductionStep.LOWER_RESOLUTION, ReductionStep.KEYFRAMES_ONLY)  # the size of nothing does not matter
    assert {frame.width_px for frame in bench.shown[-5:]} == {352 if is_small else 704}
    assert bench.reductions() == ([(step.value, START_US + 4_000_000, START_US + SECONDS * 1_000_000)] if step else [])


def test_the_masked_time_has_no_holes_down_and_up_again(bench: Bench) -> None:
    play(bench, {0: None, 3: STEPS[0], 6: STEPS[1], 9: STEPS[2], 12: STEPS[3], 15: STEPS[2], 17: STEPS[1], 19: STEPS[0], 21: None})
    spans = bench.spans()
    assert spans[0][0] == START_US
    for (_, end_us), (start_us, _) in pairwise(spans):
        assert abs(start_us - end_us) <= 20, "each fragment begins where the one before it ends"
    assert abs(spans[-1][1] - (START_US + SECONDS * 1_000_000)) <= 20
    seconds = [3, 6, 9, 12, 15, 17, 19, 21]
    steps = [STEPS[0], STEPS[1], STEPS[2], STEPS[3], STEPS[2], STEPS[1], STEPS[0]]
    assert bench.reductions() == [
        (step.value, START_US + start * 1_000_000, START_US + end * 1_000_000)
        for step, (start, end) in zip(steps, pairwise(seconds), strict=True)
    ]
    street = StreetEncoder(STREET, Codec.H264)
    assert min(hidden_share(frame, street) for frame in bench.shown) >= 0.9
    overload = [frame for frame in bench.shown if frame.covered is CoverCause.OVERLOAD]
    assert {frame.pts_90k // 90_000 for frame in overload} >= {12, 13, 14}
    # A change of the picture's size begins another file.
    assert len([record for record in bench.records if isinstance(record, SegmentOpened)]) == 4


def test_keyframes_of_a_stream_with_b_frames_come_one_by_one(bench: Bench) -> None:
    parameters, packets = encode(frames=200, gop=25, b_frames=2)
    bench.preset = Preset.ALL
    bench.analysis.take(RunStarted(parameters))
    bench.analysis.wanted_step = ReductionStep.KEYFRAMES_ONLY
    for packet in packets:
        bench.analysis.take(packet)
    bench.analysis.finish()
    keyframes = [packet.pts_90k for packet in packets if packet.is_keyframe]
    assert [frame.pts_90k for frame in bench.shown][-6:] == keyframes[-6:]


def test_packets_that_were_dropped_are_no_masked_time(bench: Bench) -> None:
    parameters, packets = street_packets()
    bench.analysis.wanted_step = ReductionStep.KEYFRAMES_ONLY
    bench.analysis.take(RunStarted(parameters))
    kept = [packet for packet in packets if not 5 <= packet.pts_90k / 90_000 < 9]
    for packet in kept:
        if packet.pts_90k == 9 * 90_000:
            bench.analysis.take(PacketsDropped(60))
        bench.analysis.take(packet)
    bench.analysis.finish()
    holes = [start - end for (_, end), (start, _) in pairwise(bench.spans()) if start - end > 1000]
    assert len(holes) == 1
    assert holes[0] >= 4_000_000
    after = [frame.covered for frame in bench.shown if frame.pts_90k == 9 * 90_000]
    assert after == [CoverCause.PACKETS_DROPPED]


def covered_file(root: Path, seed: int) -> str:
    """What is written of a camera that is covered from its first packet on."""
    bench = Bench(root, ManualClock(START_US), SlowFaces())
    parameters, packets = encode(frames=200, gop=25, seed=seed)
    bench.analysis.wanted_step = ReductionStep.COVERED
    bench.analysis.take(RunStarted(parameters))
    for packet in packets:
        bench.analysis.take(packet)
    bench.analysis.finish()
    assert {frame.covered for frame in bench.shown} == {CoverCause.OVERLOAD}
    assert len(bench.shown) == 8
    (path,) = root.rglob("*.mp4")
    return hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_covered_camera_writes_the_same_bytes_whatever_it_sees(tmp_path: Path) -> None:
    assert len({covered_file(tmp_path / str(seed), seed) for seed in range(4)}) == 1


class Stalled:
    """A camera that films on while its masking takes its time, all on one clock."""

    def __init__(self, bench: Bench) -> None:
        self.bench, self.control, self.items = bench, LoadControl(), FeedQueue()
        bench.analysis._queue = self.items
        self.parameters, self.packets = encode(frames=250, gop=25)
        self.sent, self.is_dropping, self.dropped = 0, False, 0
        self.next_look_s = 0.0
        bench.analysis.take(RunStarted(self.parameters))
        self.steps: list[tuple[float, ReductionStep | None]] = []

    def film(self) -> None:
        """Put what has been filmed by now into the queue, as the recorder would: dropping to a keyframe where it is full."""
        while self.sent * 40_000 <= self.bench.clock.wall_us() - START_US:
            round_number, index = divmod(self.sent, len(self.packets))
            packet = self.packets[index]
            offset = round_number * len(self.packets) * 3600
            moved = Packet(
                packet.data, packet.pts_90k + offset, packet.dts_90k + offset, 3600, START_US + self.sent * 40_000, packet.is_keyframe
            )
            self.is_dropping = (self.is_dropping and not moved.is_keyframe) or self.items.share >= 1
            if self.is_dropping:
                self.dropped += 1
            else:
                if self.dropped:
                    self.items.put(PacketsDropped(self.dropped))
                    self.dropped = 0
                self.items.put(moved)
            self.sent += 1

    def run(self, for_s: float) -> None:
        clock = self.bench.clock
        until_s = clock.monotonic_s() + for_s
        while clock.monotonic_s() < until_s:
            self.film()
            if self.items.share > 0:
                item = self.items.get(0)
                assert item is not None
                self.bench.analysis._in_hand_us = getattr(item, "wall_us", None)
                self.look()
                self.bench.analysis.take(item)
            else:
                clock.advance(0.01)
                self.look()

    def look(self) -> None:
        now_s = self.bench.clock.monotonic_s()
        if now_s >= self.next_look_s:
            self.next_look_s = now_s + 0.5
            step = self.control.decide(now_s, {"gate": self.bench.analysis.load()})["gate"]
            if step is not self.bench.analysis.wanted_step:
                self.steps.append((now_s, step))
            self.bench.analysis.wanted_step = step


def test_a_stalled_analyst_walks_down_the_steps_and_up_again(tmp_path: Path) -> None:
    clock = ManualClock(START_US)
    bench = Bench(tmp_path, clock, SlowFaces(clock, 0.0), preset=Preset.FACES)
    stalled = Stalled(bench)
    stalled.run(10)
    assert stalled.steps == []
    bench.faces.takes_s = 2.5  # slower than a keyframe a second
    stalled.run(60)
    down = [step for _, step in stalled.steps][:4]
    assert down == list(STEPS)
    assert stalled.steps[0][0] <= 10 + 2 + 2 * 2.5, "nobody looks while the only thread of this test detects"
    bench.faces.takes_s = 0.001
    stalled.run(400)
    up = [step for _, step in stalled.steps][-4:]
    assert up == [STEPS[2], STEPS[1], STEPS[0], None]
    assert bench.analysis.status.step == ""
    bench.analysis.finish()
    booked = [step for step, _, _ in bench.reductions()]
    assert set(booked) == {step.value for step in STEPS}
    for (_, _, end_us), (_, start_us, _) in pairwise(bench.reductions()):
        assert end_us <= start_us


def test_away_from_a_keyframe_what_can_be_given_up_is_given_up_at_once(bench: Bench) -> None:
    parameters, packets = street_packets()
    bench.analysis.take(RunStarted(parameters))
    wanted = {50: STEPS[1], 170: STEPS[0], 200: STEPS[2], 260: None}  # frames 51, 171, 201 and 261 are no keyframes
    for index, packet in enumerate(packets):
        bench.analysis.wanted_step = wanted.get(index - 1, bench.analysis.wanted_step)
        bench.analysis.take(packet)
    bench.analysis.finish()

    def at(index: int) -> int:
        return packets[index].wall_us

    assert bench.reductions() == [
        ("fewer_frames", at(51), at(60)),
        ("lower_resolution", at(60), at(180)),
        ("fewer_frames", at(180), at(201)),
        ("keyframes_only", at(201), at(270)),
    ]
    assert {frame.width_px for frame in bench.shown if packets[210].pts_90k <= frame.pts_90k < packets[270].pts_90k} == {352}
    for (_, end_us), (start_us, _) in pairwise(bench.spans()):
        assert abs(start_us - end_us) <= 20
    street = StreetEncoder(STREET, Codec.H264)
    assert min(hidden_share(frame, street) for frame in bench.shown) >= 0.9
