"""The motion detector on the simulated street and on real clips, against what is known of them."""

from __future__ import annotations

import av
import numpy as np
import pytest

from lamppost.detect.motion import MotionDetector
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.vision import Frame, Kind


def watch(path, *, is_primed=False, first=0, last=None):
    """Observations of the frames of a clip from `first` up to `last`."""
    with av.open(str(path)) as container:
        frames = []
        for index, picture in enumerate(container.decode(video=0)):
            if last is not None and index >= last:
                break
            if index >= first:
                planes = np.ascontiguousarray(picture.reformat(format="yuv420p").to_ndarray())
                frames.append(Frame(planes, round(picture.time * 90_000), round(picture.time * 1_000_000)))
    detector = MotionDetector()
    if is_primed:
        detector.prime([frame for frame in frames if frame.pts_90k < 5 * 90_000])
    return [detector.observe(frame) for frame in frames], frames[0].width_px * frames[0].height_px


def masked_share(observation, area):
    return sum(detection.box.area for detection in observation.detections) / area


def bodies(street, index):
    return [true for true in street.truth(index) if true.kind is not Kind.FACE]


def who_stands(street, frames):
    """Objects at rest in the first frames: background to any motion detector."""
    places: dict[int, list[object]] = {}
    for index in range(frames):
        for true in bodies(street, index):
            places.setdefault(true.object_id, []).append(true.box)
    return {key for key, boxes in places.items() if max(boxes.count(box) for box in boxes) > 0.25 * frames}


@pytest.mark.parametrize(("seed", "has_noise", "is_primed"), [(1, False, True), (2, True, True), (3, False, False)])
def test_whoever_moves_or_stops_in_the_street_is_covered(seed, has_noise, is_primed):
    fps = 10
    street = Street(StreetSettings(seed=seed, people=6, vehicles=4, fps=fps, has_noise=has_noise))
    detector = MotionDetector()

    def frame(index):
        return Frame(street.frame(index).copy(), index * 90_000 // fps, index * 1_000_000 // fps)

    known_s = 5.0 if is_primed else 1.4
    if is_primed:
        detector.prime([frame(index) for index in range(0, 50, 2)])
    stood = who_stands(street, int(known_s * fps))
    seen = missed = 0
    for index in range(20 * fps):
        observation = detector.observe(frame(index))
        if not observation.is_settled:
            assert index < 2 * fps
            continue
        mask = np.zeros((720, 1280), np.bool_)
        for detection in observation.detections:
            box = detection.box.padded(0.1, 8).clipped(1280, 720)
            mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = True
        for box in (true.box for true in bodies(street, index) if true.object_id not in stood):
            seen += 1
            missed += mask[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)].mean() < 0.95
    assert seen > 1000
    assert missed <= 0.01 * seen


def test_vehicles_in_a_parking_lot(shared_data):
    observations, area = watch(shared_data / "clips" / "intel_car-detection.mp4")
    for first, last in ((62, 104), (190, 236), (318, 342)):
        assert all(state.is_settled and masked_share(state, area) > 0.03 for state in observations[first:last])
    assert any(state.is_settled for state in observations[:49])
    for first, last in ((20, 49), (130, 170), (255, 300), (360, 377)):
        assert all(masked_share(state, area) < 0.015 for state in observations[first:last])


@pytest.mark.long
def test_six_persons_one_by_one(shared_data):
    observations, area = watch(shared_data / "clips" / "intel_one-by-one-person-detection.mp4")
    for first, last in ((60, 196), (236, 450), (508, 702), (748, 866), (924, 1202), (1244, 1362)):
        # The first and the last second show a shoe or a shadow.
        assert all(state.is_settled and masked_share(state, area) > 0.08 for state in observations[first + 10 : last - 10])
    for first, last in ((15, 50), (205, 225), (480, 500), (1372, 1394)):
        assert all(masked_share(state, area) < 0.02 for state in observations[first:last])


def test_infrared_calms_down_after_the_light_has_changed(shared_data):
    observations, area = watch(shared_data / "clips" / "frigate_ir_motion-1.mp4")
    assert any(state.is_scene_change for state in observations)
    assert all(state.is_settled and masked_share(state, area) < 0.02 for state in observations[150:])


@pytest.mark.parametrize("is_primed", [False, True])
def test_a_moving_camera_stays_unsettled(shared_data, is_primed):
    observations, _area = watch(shared_data / "clips" / "libfacedet_motorbike_demo.mp4", is_primed=is_primed)
    assert not any(state.is_settled for state in observations)
