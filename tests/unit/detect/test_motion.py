"""Whatever moves, came or stands is boxed; what left, flickers or darkens is not, in drawn scenes."""

from __future__ import annotations

import numpy as np
import pytest

from drawn_scene import HEIGHT, SPRITE, WIDTH, Scene, settled, truth
from lamppost.detect.blobs import MOST_BOXES
from lamppost.detect.motion import MotionDetector, MotionSettings
from lamppost.model.vision import Box, Frame, Kind


def covered(box, observation):
    mask = np.zeros((HEIGHT, WIDTH), np.bool_)
    for detection in observation.detections:
        grown = detection.box.padded(0.1, 4).clipped(WIDTH, HEIGHT)
        mask[int(grown.y0) : int(grown.y1), int(grown.x0) : int(grown.x1)] = True
    return float(mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].mean())


def masked_share(observation):
    return sum(detection.box.area for detection in observation.detections) / (WIDTH * HEIGHT)


@pytest.mark.parametrize("fps", [5, 12.5, 30])
def test_it_settles_after_the_same_time_at_any_frame_rate(fps):
    scene, detector = Scene(), MotionDetector()
    states = [detector.observe(scene.frame(index / fps)).is_settled for index in range(int(2.5 * fps))]
    assert states == sorted(states)
    first_s = states.index(True) / fps
    assert 0.9 <= first_s <= 1.7


@pytest.mark.parametrize("fps", [5, 15, 30])
def test_a_walker_is_covered(fps):
    scene = Scene()
    detector = settled(scene, fps)
    shares = []
    for index in range(int(8 * fps)):
        x, y = -30 + 85 * index / fps, 180
        box = truth(int(x), y)
        observation = detector.observe(scene.frame(3 + index / fps, [(x, y)]))
        assert observation.is_settled
        assert all(detection.kind is Kind.OBJECT and detection.score == 1 for detection in observation.detections)
        if box.width >= 16:
            shares.append(covered(box, observation))
    assert np.mean(np.array(shares) >= 0.95) >= 0.99


def test_one_who_stops_stays_covered_for_minutes_and_is_let_go_when_leaving():
    scene, fps = Scene(), 5
    detector = settled(scene, fps)
    at_s, worst = 3.0, 1.0
    for index in range(fps * 134):
        walked = min(index, 25) + max(0, index - fps * 125)  # 5 s in, 120 s standing, then away
        x = -20 + 14 * walked
        at_s += 1 / fps
        observation = detector.observe(scene.frame(at_s, [(x, 170)]))
        if index > 30 and truth(x, 170).width == SPRITE[0]:
            worst = min(worst, covered(truth(x, 170), observation))
    assert worst >= 0.95
    for _index in range(fps * 8):
        at_s += 1 / fps
        observation = detector.observe(scene.frame(at_s))
    assert masked_share(observation) < 0.01


def test_a_place_uncovered_by_what_was_there_from_the_start_is_freed():
    scene, fps = Scene(), 10
    detector = settled(scene, fps, things=[(300, 150)])
    at_s, shares = 3.0, []
    for index in range(fps * 20):
        at_s += 1 / fps
        things = [(300 + 9 * index, 150)] if index < 40 else []
        shares.append(masked_share(detector.observe(scene.frame(at_s, things))))
    assert shares[5] > 0.01
    assert shares[-1] < 0.01


def test_noise_alone_is_not_masked():
    scene = Scene(noise=7)
    detector = settled(scene)
    shares = [masked_share(detector.observe(scene.frame(3 + index / 10))) for index in range(100)]
    assert max(shares) < 0.01


def test_slow_light_is_followed():
    scene = Scene()
    detector = settled(scene)
    for index in range(600):
        at_s = index / 10
        observation = detector.observe(scene.frame(3 + at_s, gain=1 - 0.3 * np.sin(at_s / 15), offset=10 * np.sin(at_s / 9)))
        assert observation.is_settled
        assert masked_share(observation) < 0.02


def test_exposure_that_steps_is_not_taken_for_things():
    scene = Scene()
    detector = settled(scene)
    for index in range(30):
        observation = detector.observe(scene.frame(3 + index / 10, gain=0.8, offset=4))
        assert observation.is_settled
        assert masked_share(observation) < 0.02


def test_a_cut_is_a_scene_change_and_learnt_anew():
    scene, other = Scene(1), Scene(2)
    detector = settled(scene)
    states = [detector.observe(other.frame(3 + index / 10)) for index in range(30)]
    assert states[0].is_scene_change
    assert not states[0].is_settled
    assert not any(state.is_settled for state in states[:9])
    assert states[-1].is_settled
    assert masked_share(states[-1]) < 0.01


def test_a_bumped_camera_is_a_scene_change():
    scene = Scene()
    detector = settled(scene)
    states = [detector.observe(scene.frame(3 + index / 10, shift=(9, 14))) for index in range(4)]
    assert any(state.is_scene_change for state in states)
    assert not states[-1].is_settled
    assert all(not state.is_settled or masked_share(state) > 0.5 for state in states)


@pytest.mark.parametrize("is_primed", [False, True])
def test_a_panning_camera_never_settles(is_primed):
    scene, detector = Scene(), MotionDetector()
    frames = [scene.frame(index / 15, shift=(0, 3 * index)) for index in range(90)]
    if is_primed:
        detector.prime(frames[:75])
    assert not any(detector.observe(frame).is_settled for frame in frames)


def test_a_file_starts_settled_when_primed():
    scene, detector = Scene(), MotionDetector()
    frames = [scene.frame(index / 10, [(-30 + 12 * index, 170)]) for index in range(60)]
    detector.prime(frames[:50])
    for index, frame in enumerate(frames):
        observation = detector.observe(frame)
        assert observation.is_settled
        box = truth(-30 + 12 * index, 170)
        assert box.width < 16 or covered(box, observation) >= (0.95 if box.width == SPRITE[0] else 0.85)


def test_priming_with_nothing_or_too_little_leaves_it_to_observe():
    scene, detector = Scene(), MotionDetector()
    detector.prime([])
    detector.prime([scene.frame(0)])
    assert not detector.observe(scene.frame(0)).is_settled


def test_a_coat_as_bright_as_the_place_is_seen_by_its_colour():
    scene = Scene()
    detector = settled(scene)
    frame = scene.frame(3)
    planes = frame.i420.copy()
    chroma = planes[HEIGHT:].reshape(2, HEIGHT // 2, WIDTH // 2)
    chroma[0, 85:130, 150:170] = 108
    chroma[1, 85:130, 150:170] = 165
    observation = detector.observe(Frame(planes, frame.pts_90k, frame.wall_us))
    assert covered(Box(300, 170, 340, 260), observation) >= 0.95


def test_another_picture_size_starts_anew():
    detector = settled(Scene())
    small = np.full((270, 320), 90, np.uint8)
    observation = detector.observe(Frame(small, 300_000, 3_300_000))
    assert observation.is_scene_change
    assert not observation.is_settled


def test_time_that_runs_back_or_stands_still_is_survived():
    scene = Scene()
    detector = settled(scene)
    for at_s in (2.0, 0.0, 0.0, 0.1):
        assert detector.observe(scene.frame(at_s)).is_settled


def test_the_number_of_boxes_is_bounded():
    scene = Scene()
    detector = settled(scene, settings=MotionSettings(scene_change_share=0.95))
    frame = scene.frame(3)
    planes = frame.i420.copy()
    for y in range(0, HEIGHT, 36):
        for x in range(0, WIDTH, 32):
            planes[y : y + 12, x : x + 12] = 235 if scene.place[y, x] < 120 else 16
    observation = detector.observe(Frame(planes, frame.pts_90k, frame.wall_us))
    assert observation.is_settled
    assert 1 <= len(observation.detections) <= MOST_BOXES


def test_odd_little_pictures_are_taken():
    detector = MotionDetector()
    for index in range(30):
        picture = np.full((3, 2), 90, np.uint8)
        detector.observe(Frame(picture, index * 9000, index * 100_000))
