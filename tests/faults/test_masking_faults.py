"""Stalls, damage, seeks and jumps in time at random points: no frame leaves uncovered that should not.

The whole way of a camera's packets through the analyst is gone in this process, down to the segments on the disk. Two
judges look at what left: one knows what was injected and which frames must be covered for it, the other looks for the
walker's colour in the stored video.
"""

from __future__ import annotations

import random
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import pytest

from lamppost.base.clock import ManualClock, SystemClock
from lamppost.detect.motion import MotionDetector
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, Packet, RunStarted, StreamParameters
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Detection, Frame, MaskedFrame, Preset, Region
from lamppost.pipeline.analysing import CameraAnalysis, MaskingPlan
from lamppost.pipeline.feed import PacketsDropped
from lamppost.pipeline.feed_reader import FeedReader
from lamppost.pipeline.masked_run import MaskedTools
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.pipeline.turns import Turns
from lamppost.record.segments import RecordChain
from marked_street import FPS, GOP, HEIGHT_PX, WIDTH_PX, MarkDetector, film, marks_in

LOOK_BACK_S = 0.5
LOOK_BACK_90K = 45_000
STEP_90K = 90_000 // FPS
CLIP = 600  # pictures; what is filmed goes round
CALM = 30  # pictures before the first fault and after the last one
FAULTS = 100
BACK_SHARE = 0.1


@dataclass
class Story:
    """What the feed brings, and what it does to it. Frames are known by their `wall_us`, which no two packets share.

    `broken` cannot be shown, `after_jump` are the first frames after time or content jumped, and in `stalled`
    frames the detector takes too long and finds nothing.
    """

    items: list[Packet | PacketsDropped] = field(default_factory=list)
    broken: set[int] = field(default_factory=set)
    after_jump: set[int] = field(default_factory=set)
    stalled: dict[int, float] = field(default_factory=dict)


class Camera:
    """Films the marked street on and on, from wherever the cursor is put, in whatever time it is told."""

    def __init__(self, story: Story) -> None:
        self.story = story
        self.index = 0  # of the next picture
        self.shift_90k = 0
        self.wall_us = 1_700_000_000_000_000

    def next(self) -> Packet:
        data, is_keyframe = film(CLIP)[self.index % CLIP], self.index % GOP == 0
        pts_90k = self.index * STEP_90K + self.shift_90k
        packet = Packet(data, pts_90k, pts_90k, STEP_90K, self.wall_us, is_keyframe)
        self.index += 1
        self.wall_us += 1_000_000 // FPS
        return packet

    def film(self, pictures: int) -> None:
        self.story.items += [self.next() for _ in range(pictures)]

    def spoil(self, pictures: int) -> None:
        """So many pictures go on, none of which may be shown."""
        packets = [self.next() for _ in range(pictures)]
        self.story.items += packets
        self.story.broken |= {packet.wall_us for packet in packets}

    @property
    def to_keyframe(self) -> int:
        """Pictures before the next keyframe."""
        return -self.index % GOP


Fault = Callable[[Camera, random.Random], None]


def stall(camera: Camera, dice: random.Random) -> None:
    """The detector takes longer than the look-back, and what it finds is lost, time and again."""
    for _ in range(dice.randint(1, 24)):
        packet = camera.next()
        camera.story.items.append(packet)
        camera.story.stalled[packet.wall_us] = dice.uniform(LOOK_BACK_S + 0.01, 2.0)


def damage(camera: Camera, dice: random.Random) -> None:
    """A packet is lost, torn, garbled, or said to be corrupt; all that builds on it is broken until the next keyframe."""
    manner = dice.choice(["lost", "said", "torn", "garbled", "declared"])
    packet = camera.next()
    if manner == "said":
        camera.story.items.append(replace(packet, is_corrupt=True))
    elif manner == "torn":
        camera.story.items.append(replace(packet, data=packet.data[: dice.randint(1, max(1, len(packet.data) // 2))]))
        if not camera.to_keyframe:
            return  # FFmpeg may repeat the picture before it without a sign, and no later packet misses it
    elif manner == "garbled":
        at = dice.randrange(len(packet.data) // 3, len(packet.data))
        camera.story.items.append(replace(packet, data=packet.data[:at] + dice.randbytes(len(packet.data) - at)))
        return  # some of it decodes without a sign: then the detector sees what the viewer would, and the second judge decides
    elif manner == "declared":
        # The recorder goes on at a keyframe.
        lost = 1 + camera.to_keyframe
        for _ in range(lost - 1):
            camera.next()
        camera.story.items.append(PacketsDropped(lost))
        camera.story.after_jump.add(camera.wall_us)
        return
    camera.story.broken.add(packet.wall_us)
    camera.spoil(camera.to_keyframe)


def seek(camera: Camera, dice: random.Random) -> None:
    """The stream goes on somewhere else, as a file does that is wound: with the time of that place."""
    keyframe = camera.index // GOP
    # Back is the rarer way, and not far: frames that wait leave when time has caught up, or when the encoder, which
    # takes no time that runs back, has ended the run.
    camera.index = (keyframe + (-dice.randint(1, 3) if dice.random() < BACK_SHARE else dice.randint(3, 60))) * GOP
    camera.story.after_jump.add(camera.wall_us)


def jump(camera: Camera, dice: random.Random) -> None:
    """Time steps forward, back, or stands still; the pictures go on."""
    forth, back = [dice.uniform(1.2, 3.0), dice.uniform(3.0, 4000.0)], [-dice.uniform(0.1, 5.0), -1 / FPS]
    seconds = dice.choice(back if dice.random() < BACK_SHARE else forth)
    camera.shift_90k += round(seconds * 90_000)
    camera.story.after_jump.add(camera.wall_us)


FAULT_KINDS: dict[str, Fault] = {"stall": stall, "damage": damage, "seek": seek, "jump": jump}


def tell(fault: Fault, faults: int, seed: int) -> Story:
    """`faults` faults at random points, some of them within the cover of the one before."""
    dice, story = random.Random(seed), Story()
    camera = Camera(story)
    camera.film(CALM)
    for _ in range(faults):
        fault(camera, dice)
        camera.film(dice.randint(1, 30))
    camera.film(CALM)
    return story


@dataclass
class Witness:
    """What went into the pipeline and what came out, by `wall_us`, in order."""

    runs: list[list[Frame]] = field(default_factory=list)  # what each pipeline was given
    left: list[MaskedFrame] = field(default_factory=list)
    looks: dict[int, float] = field(default_factory=dict)  # seconds that a look took


class SlowMarkDetector(MarkDetector):
    """Finds the walker, but for the frames at which it is said to be stalled."""

    def __init__(self, clock: ManualClock, story: Story, witness: Witness, *, is_noticed: bool) -> None:
        self._clock, self._story, self._witness, self._is_noticed = clock, story, witness, is_noticed

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        took_s = self._story.stalled.get(frame.wall_us, 0.01)
        self._witness.looks[frame.wall_us] = took_s
        if self._is_noticed:
            self._clock.advance(took_s)
        return super().detect_regions(frame, regions) if took_s < LOOK_BACK_S else ()


class WatchedPipeline(MaskingPipeline):
    """The pipeline as it is, with a witness; `blind` takes a sense from it, to see that the judges find out."""

    def __init__(self, witness: Witness, blind: str, **settings: object) -> None:
        super().__init__(**settings)  # type: ignore[arg-type]
        self._witness, self._blind, self._told_90k = witness, blind, 0
        self._run: list[Frame] = []
        witness.runs.append(self._run)

    def push(self, frame: Frame) -> tuple[MaskedFrame, ...]:
        self._run.append(frame)
        if self._blind == "damage":
            frame = replace(frame, is_intact=True)
        if self._blind == "jump":
            self._told_90k += STEP_90K
            frame = replace(frame, pts_90k=self._told_90k)
        return self._saw(super().push(frame))

    def drop(self, cause: CoverCause) -> None:
        if not self._blind:
            super().drop(cause)

    def flush(self) -> tuple[MaskedFrame, ...]:
        return self._saw(super().flush())

    def cover_rest(self, cause: CoverCause) -> tuple[MaskedFrame, ...]:
        return self._saw(super().cover_rest(cause))

    def _saw(self, left: tuple[MaskedFrame, ...]) -> tuple[MaskedFrame, ...]:
        self._witness.left += left
        return left


def mask(story: Story, folder: Path, preset: Preset, blind: str = "") -> Witness:
    """Bring `story` to a camera's analysis; masked segments lie in `folder` then."""
    clock, witness = ManualClock(), Witness()
    detector = SlowMarkDetector(clock, story, witness, is_noticed=blind != "stall")

    def make_masking(motion: object, _spectator: object) -> MaskingPipeline:
        return WatchedPipeline(
            witness,
            blind,
            preset=preset,
            faces=detector,
            motion=motion or MotionDetector(),
            look_back_s=LOOK_BACK_S,
            detect_interval_s=0.2,
            clock=clock,
        )

    tools = MaskedTools(DataFolder(folder), RecordingSettings(), lambda record: None, lambda text: text + b"\n-- signed\n", clock, 1)
    reader = FeedReader(SystemClock())
    plan = MaskingPlan(preset, tools, make_masking)
    analysis = CameraAnalysis("gate", plan, chain=RecordChain(), stop=threading.Event(), reader=reader, turns=Turns(1))
    try:
        analysis.take(RunStarted(StreamParameters(Codec.H264, b"", WIDTH_PX, HEIGHT_PX, STEP_90K)))
        for item in story.items:
            clock.advance(1 / FPS)
            analysis.take(item)
        analysis.finish()
    finally:
        reader.close()
    return witness


def must_be_covered(story: Story, witness: Witness, preset: Preset) -> Iterator[tuple[int, str]]:
    """`wall_us` of frames that may not be shown, and why; judged from what was injected and what the detector did."""
    for run in witness.runs:
        is_known = False  # since the last fault a look at an intact frame was in time
        for index, frame in enumerate(run):
            took_s = witness.looks.get(frame.wall_us)
            is_in_time = took_s is not None and took_s <= LOOK_BACK_S
            fault = fault_at(story, run, index, took_s)
            if fault:
                yield frame.wall_us, fault
                yield from ((before.wall_us, f"waiting before {fault}") for before in waiting(run, index, fault))
            is_known = is_in_time if fault else is_known or is_in_time
            if not is_known and preset is Preset.FACES:
                yield frame.wall_us, "not looked at since"


def fault_at(story: Story, run: Sequence[Frame], index: int, took_s: float | None) -> str:
    """Why this frame cannot be shown; empty where nothing is wrong with it."""
    wall_us = run[index].wall_us
    if wall_us in story.broken:
        return "damage"
    # A pipeline that begins with this frame does not miss what was before. One that has seen a single frame cannot tell a
    # jump from a slow stream, looks at the second one as well, and takes some frames to learn how far apart they are.
    learns_until = 40 if len(run) > 1 and run[1].wall_us in story.after_jump else 1
    is_back = index > 0 and run[index].pts_90k <= run[index - 1].pts_90k
    is_jump = wall_us in story.after_jump and (index > learns_until or is_back)
    if is_jump:
        return "jump"
    return "stall" if took_s is not None and took_s > LOOK_BACK_S else ""


def waiting(run: Sequence[Frame], index: int, fault: str) -> Iterator[Frame]:
    """What waits for its look-back when the fault at `index` comes, and is never seen from later on."""
    known_90k = run[index - 1].pts_90k if fault == "jump" else run[index].pts_90k
    for before in reversed(run[:index]):
        if not known_90k - LOOK_BACK_90K < before.pts_90k <= known_90k:
            return
        yield before


def faults_found(story: Story, witness: Witness, folder: Path, preset: Preset) -> dict[str, int]:
    """What each judge objects to; also how many frames were shown, which must not be none."""
    shown = {frame.wall_us for frame in witness.left if frame.covered is None}
    reasons = [reason for wall_us, reason in must_be_covered(story, witness, preset) if wall_us in shown]
    files = sorted(folder.rglob("*.mp4"))
    marks = [count for path in files for count in marks_in(path)]
    return {
        "shown although it must be covered": len(reasons),
        "marked in the stored video": sum(count > 0 for count in marks),
        "shown": len(shown),
        "stored": len(marks),
    } | {reason: reasons.count(reason) for reason in set(reasons)}


def check(kind: str, preset: Preset, folder: Path, faults: int = FAULTS, seed: int = 1) -> None:
    story = tell(FAULT_KINDS[kind], faults, seed)
    witness = mask(story, folder, preset)
    found = faults_found(story, witness, folder, preset)
    assert found["shown although it must be covered"] == 0, found
    assert found["marked in the stored video"] == 0, found
    assert found["shown"] > 0.2 * sum(len(run) for run in witness.runs), "covers end"
    assert found["stored"] > 0.15 * len(story.items), "what was covered was stored as well"


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_hundred_faults(kind: str, tmp_path: Path) -> None:
    check(kind, Preset.FACES, tmp_path)


@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_faults_where_everything_that_moves_is_masked(kind: str, tmp_path: Path) -> None:
    check(kind, Preset.MOTION, tmp_path, faults=20)


@pytest.mark.long
@pytest.mark.parametrize("seed", range(2, 5))
@pytest.mark.parametrize("preset", [Preset.FACES, Preset.MOTION])
@pytest.mark.parametrize("kind", FAULT_KINDS)
def test_a_hundred_faults_again_and_again(kind: str, preset: Preset, seed: int, tmp_path: Path) -> None:
    check(kind, preset, tmp_path, seed=seed)


def test_without_faults_the_walker_is_never_seen(tmp_path: Path) -> None:
    story = Story()
    Camera(story).film(200)
    witness = mask(story, tmp_path, Preset.FACES)
    found = faults_found(story, witness, tmp_path, Preset.FACES)
    assert found["marked in the stored video"] == 0
    assert found["shown"] == found["stored"] == 200


@pytest.mark.parametrize("kind", ["stall", "damage", "jump"])
def test_a_pipeline_that_lacks_a_sense_is_found_out(kind: str, tmp_path: Path) -> None:
    story = tell(seek if kind == "jump" else FAULT_KINDS[kind], 20, seed=1)
    witness = mask(story, tmp_path, Preset.FACES, blind=kind)
    found = faults_found(story, witness, tmp_path, Preset.FACES)
    assert found["shown although it must be covered"] > 20, found
    if kind == "stall":
        assert found["marked in the stored video"] > 0, found
