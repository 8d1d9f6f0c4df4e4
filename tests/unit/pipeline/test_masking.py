"""No frame leaves before the masker has spoken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.clock import ManualClock
from lamppost.detect.gaze import Gaze
from lamppost.detect.values import SmallPicture
from lamppost.model.vision import Box, CoverCause, Detection, Frame, Kind, MaskedFrame, Observation, Preset, Region
from lamppost.pipeline.masking import ROUNDING_S, MaskingPipeline

WIDTH_PX, HEIGHT_PX = 320, 192
LOOK_BACK_S = 0.5


def frame_at(pts_90k: int, *, is_intact: bool = True) -> Frame:
    return Frame(np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 200, np.uint8), pts_90k, pts_90k, is_intact=is_intact)


@dataclass
class ScriptedFaces:
    """Finds what its script says; may take its time."""

    clock: ManualClock
    script: dict[int, tuple[Detection, ...]] = field(default_factory=dict)
    slow: dict[int, float] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)
    start_score: float = 0.0

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        self.seen.append(frame.pts_90k)
        self.clock.advance(self.slow.get(frame.pts_90k, 0.0))
        return self.script.get(frame.pts_90k, ())


class Everywhere(Gaze):
    """Looks at the whole picture whenever it is asked where to look."""

    def changed(self, at_s: float, small: SmallPicture, size: tuple[int, int], **_more: object) -> tuple[Region, ...]:
        return (Region(0, 0, *size),)


@dataclass
class ScriptedMotion:
    script: dict[int, Observation] = field(default_factory=dict)
    seen: list[int] = field(default_factory=list)

    def observe(self, frame: Frame, small: SmallPicture | None = None) -> Observation:
        self.seen.append(frame.pts_90k)
        return self.script.get(frame.pts_90k, Observation(()))


@dataclass
class Bench:
    clock: ManualClock
    faces: ScriptedFaces
    motion: ScriptedMotion
    pipeline: MaskingPipeline


def make(preset: Preset = Preset.MOTION, *, is_live: bool = True) -> Bench:
    clock = ManualClock()
    faces, motion = ScriptedFaces(clock), ScriptedMotion()
    pipeline = MaskingPipeline(
        preset=preset,
        faces=faces,
        motion=motion,
        look_back_s=LOOK_BACK_S,
        detect_interval_s=0.2,
        clock=clock,
        is_live=is_live,
        make_gaze=Everywhere,
    )
    return Bench(clock, faces, motion, pipeline)


def run(bench: Bench, times: list[int], damaged: frozenset[int] = frozenset()) -> list[MaskedFrame]:
    out = []
    for pts in times:
        out += bench.pipeline.push(frame_at(pts, is_intact=pts not in damaged))
    return out + list(bench.pipeline.flush())


def covers_box(frame: MaskedFrame, box: Box) -> bool:
    """Whether every pixel of `box` lies under some mask, judged by the painted pixels."""
    inside = box.clipped(WIDTH_PX, HEIGHT_PX)
    if inside.x1 <= inside.x0 or inside.y1 <= inside.y0:
        return True
    x0, y0, x1, y1 = int(inside.x0), int(inside.y0), int(np.ceil(inside.x1)), int(np.ceil(inside.y1))
    return bool((frame.i420[y0:y1, x0:x1] != 200).all())


def causes(frames: list[MaskedFrame]) -> list[CoverCause | None]:
    return [frame.covered for frame in frames]


TIMES = [index * 3600 for index in range(50)]

boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), st.floats(-30, 300), st.floats(-30, 180), st.floats(4, 90), st.floats(4, 90))
detections = st.lists(st.builds(Detection, st.sampled_from([Kind.OBJECT, Kind.FACE, Kind.VEHICLE]), boxes, st.just(1.0)), max_size=3)


@st.composite
def stories(draw: st.DrawFn) -> tuple[list[int], dict[int, Observation], dict[int, tuple[Detection, ...]], frozenset[int], list[bool]]:
    """Random times, detections, scene changes, damage and drops."""
    steps = draw(st.lists(st.integers(900, 20_000), min_size=2, max_size=40))
    times = [sum(steps[:index]) for index in range(len(steps))]
    motion = {
        pts: Observation(
            tuple(draw(detections)),
            is_settled=draw(st.integers(0, 9)) > 0,
            is_scene_change=draw(st.integers(0, 14)) == 0,
        )
        for pts in times
    }
    faces = {pts: tuple(draw(detections)) for pts in times}
    damaged = frozenset(pts for pts in times if draw(st.integers(0, 14)) == 0)
    drops = [draw(st.integers(0, 14)) == 0 for _ in times]
    return times, motion, faces, damaged, drops


@settings(deadline=None, max_examples=150)
@given(stories(), st.booleans())
def test_no_frame_leaves_before_the_masker_has_spoken(story, is_live: bool) -> None:
    times, motion, faces, damaged, drops = story
    bench = make(is_live=is_live)
    bench.motion.script, bench.faces.script = motion, faces
    out: list[MaskedFrame] = []
    left_at: dict[int, int] = {}
    for pts, is_dropped in zip(times, drops, strict=True):
        if is_dropped:
            bench.pipeline.drop(CoverCause.PACKETS_DROPPED)
        left = bench.pipeline.push(frame_at(pts, is_intact=pts not in damaged))
        left_at.update({frame.pts_90k: pts for frame in left})
        out += left
    out += bench.pipeline.flush()

    assert [frame.pts_90k for frame in out] == times, "every frame once, in order"
    assert not damaged & set(bench.motion.seen + bench.faces.seen), "no detector learns from damage"
    looked_at = set(bench.faces.seen)
    look_back_90k = (LOOK_BACK_S - (ROUNDING_S if is_live else 0)) * 90_000
    for frame in out:
        pts = frame.pts_90k
        assert left_at.get(pts, pts + 10**9) >= pts + look_back_90k - 1, "the look-back was seen"
        if frame.covered is not None:
            assert len(np.unique(frame.i420[:HEIGHT_PX])) == 1
            continue
        assert pts not in damaged
        assert motion[pts].is_settled
        assert not motion[pts].is_scene_change
        window = [other for other in times if pts - 1 <= other <= pts + look_back_90k and other not in damaged]
        assert not any(motion[other].is_scene_change for other in window)
        for detection in motion[pts].detections + (faces[pts] if pts in looked_at else ()):
            assert covers_box(frame, detection.box), (pts, detection)


def test_a_box_that_appears_masks_its_place_before() -> None:
    bench = make()
    box = Box(100, 60, 140, 120)
    appears = 30 * 3600
    bench.motion.script = {pts: Observation((Detection(Kind.OBJECT, box, 1.0),)) for pts in TIMES if pts >= appears}
    out = run(bench, TIMES)
    masked = [frame.pts_90k for frame in out if frame.masks]
    assert masked[0] == appears - 13 * 3600
    assert all(covers_box(frame, box) for frame in out if frame.pts_90k >= masked[0])


def test_one_who_enters_is_masked_where_they_came_from() -> None:
    bench = make()
    for index, pts in enumerate(TIMES[30:]):
        bench.motion.script[pts] = Observation((Detection(Kind.OBJECT, Box(100 + 4 * index, 60, 140 + 4 * index, 120), 1.0),))
    out = run(bench, TIMES)
    assert covers_box(out[25], Box(80, 60, 120, 120)), "five frames earlier they stood 20 px to the left"


def test_starting_is_covered_until_motion_is_settled_and_faces_were_looked_for() -> None:
    bench = make()
    bench.motion.script = {pts: Observation((), is_settled=False) for pts in TIMES[:20]}
    out = run(bench, TIMES)
    assert causes(out) == [CoverCause.STARTING] * 20 + [None] * 30
    assert TIMES[20] in bench.faces.seen


def test_a_scene_change_covers_what_was_held_too() -> None:
    bench = make()
    bench.motion.script = {pts: Observation((), is_settled=False, is_scene_change=pts == TIMES[30]) for pts in TIMES[30:40]}
    out = run(bench, TIMES)
    assert causes(out) == [None] * 17 + [CoverCause.SCENE_CHANGED] * 23 + [None] * 10


def test_damage_is_covered_until_an_intact_frame_was_seen_by_all() -> None:
    out = run(bench := make(), TIMES, frozenset(TIMES[20:31]))
    # Frames 7 to 19 wait for their look-back, which nobody can give them any more.
    assert causes(out) == [None] * 7 + [CoverCause.DECODER_ERROR] * 24 + [None] * 19
    assert TIMES[31] in bench.faces.seen


def test_damage_at_the_end_shows_no_frame_that_no_face_detector_has_followed() -> None:
    out = run(bench := make(Preset.FACES), TIMES, frozenset(TIMES[48:]))
    last_looked = max(bench.faces.seen)
    assert last_looked < TIMES[47]
    assert all(frame.covered for frame in out if frame.pts_90k > last_looked)


def test_dropped_packets_cover_what_was_held_and_what_follows() -> None:
    bench = make()
    out = []
    for pts in TIMES:
        if pts == TIMES[25]:
            bench.pipeline.drop(CoverCause.PACKETS_DROPPED)
        out += bench.pipeline.push(frame_at(pts, is_intact=not TIMES[25] <= pts < TIMES[30]))
    out += bench.pipeline.flush()
    assert causes(out) == [None] * 12 + [CoverCause.PACKETS_DROPPED] * 19 + [None] * 19


def test_a_jump_in_time_is_a_gap_and_a_slow_clip_is_not() -> None:
    jumped = TIMES[:25] + [pts + 200_000 for pts in TIMES[25:]]
    out = run(make(), jumped)
    assert causes(out) == [None] * 12 + [CoverCause.TIMESTAMP_GAP] * 14 + [None] * 24
    assert set(causes(run(make(), [index * 180_000 for index in range(9)]))) == {None}


def test_a_long_first_step_does_not_hide_a_later_jump() -> None:
    times = [0, *(2_070_000 + index * 3600 for index in range(20)), *(2_592_000 + index * 3600 for index in range(20))]
    out = run(make(), times)
    assert out[21].covered is CoverCause.TIMESTAMP_GAP, "five seconds are missing before it"


def test_a_late_detection_covers_what_waits_until_one_is_in_time() -> None:
    bench = make()
    bench.faces.slow = {TIMES[20]: 0.8}
    out = run(bench, TIMES)
    stalled = [index for index, cause in enumerate(causes(out)) if cause is CoverCause.DETECTOR_STALLED]
    assert stalled == list(range(7, 21))
    assert TIMES[21] in bench.faces.seen
    assert set(causes(out)) == {None, CoverCause.DETECTOR_STALLED}


def test_a_file_has_time() -> None:
    bench = make(is_live=False)
    bench.faces.slow = dict.fromkeys(TIMES, 5.0)
    assert set(causes(run(bench, TIMES))) == {None}


def test_a_slow_machine_looks_less_often_but_once_in_every_look_back() -> None:
    bench = make()
    bench.faces.slow = dict.fromkeys(TIMES, 0.4)
    run(bench, [index * 3600 for index in range(200)])
    gaps = np.diff(bench.faces.seen[3:-1]) / 90_000
    assert gaps.max() <= LOOK_BACK_S + 0.04 + 1e-9
    assert gaps.min() > 0.2


def test_all_is_covered_and_nothing_is_looked_at() -> None:
    bench = make(Preset.ALL)
    assert set(causes(run(bench, TIMES))) == {CoverCause.PRESET}
    assert bench.faces.seen == bench.motion.seen == []


def test_faces_alone() -> None:
    bench = make(Preset.FACES)
    face = Detection(Kind.FACE, Box(50, 50, 70, 80), 0.9)
    bench.faces.script = dict.fromkeys(TIMES, (face,))
    out = run(bench, TIMES)
    assert bench.motion.seen == []
    assert all(covers_box(frame, face.box.padded(0.3)) for frame in out)
    assert len({frame.masks for frame in out}) == 1, "a box that stands still stays still"


def test_a_detector_that_is_missing_is_refused() -> None:
    with pytest.raises(ValueError, match="face detector"):
        MaskingPipeline(preset=Preset.FACES, faces=None, motion=None, look_back_s=0.5, detect_interval_s=0.2, clock=ManualClock())


def test_frames_do_not_pile_up_when_time_hardly_goes_on() -> None:
    bench = make()
    out = [left for index in range(700) for left in bench.pipeline.push(frame_at(index))]
    assert len(out) == 100
    assert causes(out) == [CoverCause.TIMESTAMP_GAP] * 100


def test_what_is_left_out_on_purpose_is_no_gap_and_what_is_missing_is_one() -> None:
    for missing in (frozenset[int](), frozenset(range(450, 520))):
        bench = make()
        out: list[MaskedFrame] = []
        for index in range(900):  # a keyframe every four seconds, at 25 fps
            if index in missing:
                continue
            if index % 100:
                bench.pipeline.pass_over(index * 3600)
            else:
                out += bench.pipeline.push(frame_at(index * 3600))
        out += bench.pipeline.flush()
        assert len(out) == (8 if missing else 9)
        covered = [frame.pts_90k // 360_000 for frame in out if frame.covered is CoverCause.TIMESTAMP_GAP]
        assert covered == ([4, 6] if missing else [])


def test_a_box_that_is_missed_once_stays_masked_with_few_frames_too() -> None:
    bench = make(Preset.FACES)
    face = Detection(Kind.FACE, Box(50, 50, 70, 80), 0.9)
    times = [index * 90_000 for index in range(8)]
    bench.faces.script = {pts: (face,) for pts in times if pts != times[4]}
    assert all(covers_box(frame, face.box) for frame in run(bench, times))


def test_where_less_is_masked_faces_are_looked_for_once_in_every_look_back() -> None:
    bench = make(Preset.FACES)
    bench.pipeline.ease(is_eased=True)
    run(bench, [index * 18_000 for index in range(30)])
    gaps = np.diff(bench.faces.seen[1:-1]) / 90_000
    assert (gaps.min(), gaps.max()) == pytest.approx((0.6, 0.6))
    bench.pipeline.ease(is_eased=False)
    seen = len(bench.faces.seen)
    run(bench, [index * 18_000 for index in range(30, 50)])
    assert len(bench.faces.seen) - seen >= 20


def test_the_rest_is_covered_at_once_where_nothing_is_looked_at_any_more() -> None:
    bench = make()
    shown = [left for pts in TIMES for left in bench.pipeline.push(frame_at(pts))]
    rest = bench.pipeline.cover_rest(CoverCause.OVERLOAD)
    assert [frame.pts_90k for frame in (*shown, *rest)] == TIMES
    assert set(causes(list(rest))) == {CoverCause.OVERLOAD}
    assert set(causes(shown)) == {None}


@pytest.mark.parametrize("fps", [10, 25])
@pytest.mark.parametrize("tremble_90k", [0, 1, 90])
def test_a_live_frame_does_not_wait_for_one_more_because_of_how_times_are_rounded(fps: int, tremble_90k: int) -> None:
    bench = make(Preset.FACES)
    step_90k = 90_000 // fps
    waited: list[int] = []
    for index in range(40):
        pts_90k = index * step_90k + tremble_90k * (index % 2)
        waited += [index - frame.pts_90k // step_90k for frame in bench.pipeline.push(frame_at(pts_90k))]
    assert set(waited) == {-(-fps // 2)}  # the first one half a second later, within a millisecond


def test_a_file_waits_for_the_whole_look_back() -> None:
    bench = make(Preset.FACES, is_live=False)
    waited: list[int] = []
    for index in range(40):
        pts_90k = index * 9000 - (index % 2)
        waited += [index - (frame.pts_90k + 1) // 9000 for frame in bench.pipeline.push(frame_at(pts_90k))]
    assert set(waited) == {5, 6}
