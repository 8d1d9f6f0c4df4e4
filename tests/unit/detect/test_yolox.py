"""YOLOX's persons, bicycles and vehicles are where its numbers say, and where the clips have them."""

from __future__ import annotations

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_models
from face_truth import frame_of
from lamppost.detect.catalogue import YOLOX_NANO
from lamppost.detect.yolox import YoloxDetector
from lamppost.model.vision import Box, Frame, Kind, Region

GREY = np.full((64, 64, 3), 128, np.uint8)
FIRST = {8: 0, 16: 64, 32: 80}  # where each grid begins


def detector_that_sees(tmp_path, things, **more):
    """`things`: (stride, column, row, four numbers of the box, objectness, scores by label)."""
    rows = tiny_models.empty_rows()
    for stride, column, row, box, objectness, scores in things:
        place = rows[0, FIRST[stride] + row * (tiny_models.SIDE_PX // stride) + column]
        place[:5] = (*box, objectness)
        for label, score in scores.items():
            place[5 + tiny_models.LABELS.index(label)] = score
    entry = tiny_models.keep(tmp_path, tiny_models.yolox_entry(), tiny_models.constant_model("images", {"output": rows}))
    return YoloxDetector(entry=entry, models=tmp_path, **more)


def test_labels_become_kinds_from_all_three_grids(tmp_path):
    things = [
        (8, 1, 1, (0.5, 0.5, 0, 0), 0.9, {"person": 1.0}),
        (16, 2, 0, (0.5, 0.5, 0, 0), 0.8, {"truck": 1.0, "car": 0.2}),
        (32, 1, 1, (0.5, 0.5, 0, 0), 0.5, {"bicycle": 0.8}),
        (16, 0, 3, (0.5, 0.5, 0, 0), 1.0, {"dog": 1.0}),
    ]
    detector = detector_that_sees(tmp_path, things)
    found = detector.detect_rgb(GREY)
    assert detector.kinds == (Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE)
    assert [(each.kind, each.box) for each in found] == [
        (Kind.PERSON, Box(8, 8, 16, 16)),
        (Kind.VEHICLE, Box(32, 0, 48, 16)),
        (Kind.BICYCLE, Box(32, 32, 64, 64)),
    ]
    assert [each.score for each in found] == pytest.approx([0.9, 0.8, 0.4])


def test_a_rider_stays_beside_the_bicycle_and_a_pickup_is_one_vehicle(tmp_path):
    same = (0.5, 0.5, 0, 0)
    things = [
        (8, 1, 1, same, 0.9, {"person": 1.0}),
        (8, 2, 1, (-0.5, 0.5, 0, 0), 0.8, {"bicycle": 1.0}),
        (16, 2, 2, same, 0.9, {"car": 1.0}),
        (16, 3, 2, (-0.5, 0.5, 0, 0), 0.7, {"truck": 1.0}),
    ]
    found = detector_that_sees(tmp_path, things).detect_rgb(GREY)
    assert sorted(each.kind for each in found) == [Kind.BICYCLE, Kind.PERSON, Kind.VEHICLE]


def test_a_wide_picture_is_letterboxed_and_boxes_are_in_its_pixels(tmp_path):
    detector = detector_that_sees(
        tmp_path, [(16, 1, 1, (0.5, 0.5, 0, 0), 1, {"person": 1}), (16, 1, 3, (0.5, 0.5, 0, 0), 1, {"person": 1})]
    )
    shown = []
    run = detector._network.run
    detector._network.run = lambda picture: shown.append(picture) or run(picture)
    rgb = np.full((128, 256, 3), (10, 20, 30), np.uint8)
    (found,) = detector.detect_rgb(rgb)  # the second one lies in the padding
    assert found.box == Box(64, 64, 128, 128)
    assert shown[0].shape == (1, 3, 64, 64)
    assert shown[0][0, :, 31, 63].tolist() == [30, 20, 10]
    assert (shown[0][0, :, 32:] == 114).all()
    assert [each.box for each in detector.detect(frame_of(rgb))] == [found.box]


def test_a_fixed_network_is_shown_squares_one_by_one_of_what_lies_around_a_region(tmp_path):
    detector = detector_that_sees(tmp_path, [(16, 1, 1, (0.5, 0.5, 0, 0), 1, {"person": 1})])
    frame = frame_of(np.full((256, 256, 3), 90, np.uint8))
    found = detector.detect_regions(frame, [Region(20, 20, 60, 50), Region(128, 128, 256, 256)])
    assert [each.box for each in found] == [Box(160, 160, 192, 192), Box(24, 18, 40, 34)]


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=6, max_size=6))
def test_whatever_the_network_says_boxes_lie_in_the_picture(tmp_path_factory, numbers):
    *box, objectness, score = numbers
    detector = detector_that_sees(tmp_path_factory.mktemp("models"), [(8, 3, 3, box, objectness, {"car": score})])
    for found in detector.detect_rgb(GREY):
        assert found.box.clipped(64, 64) == found.box
        assert 0 <= found.score <= 1


@pytest.fixture(scope="module")
def detector(shared_data):
    return YoloxDetector(models=shared_data / "models")


def frames(path, numbers):
    with av.open(str(path)) as clip:
        for number, frame in enumerate(clip.decode(video=0)):
            if number in numbers:
                yield number, Frame(np.ascontiguousarray(frame.to_ndarray(format="yuv420p")), 0, 0)
            if number >= max(numbers):
                return


def test_a_person_is_seen_while_one_is_there(detector, shared_data):
    assert detector.model_sha256 == YOLOX_NANO.sha256
    path = shared_data / "clips" / "intel_one-by-one-person-detection.mp4"
    there = [*range(80, 190, 20), *range(260, 440, 30), *range(530, 690, 30)]
    away = [0, 20, 210, 225, 470, 490]
    seen = {number: [each.kind for each in detector.detect(frame)] for number, frame in frames(path, {*there, *away})}
    assert sum(Kind.PERSON in seen[number] for number in there) >= 0.9 * len(there)
    assert sum(Kind.PERSON in seen[number] for number in away) == 0


def test_a_bus_ahead_is_a_vehicle(detector, shared_data):
    path = shared_data / "clips" / "libfacedet_motorbike_demo.mp4"
    numbers = set(range(0, 60, 10))
    seen = [[each for each in detector.detect(frame) if each.kind is Kind.VEHICLE] for _, frame in frames(path, numbers)]
    assert len(seen) == len(numbers)
    assert sum(bool(each) for each in seen) >= 5


def test_any_size_is_taken(shared_data):
    small = YoloxDetector(models=shared_data / "models", long_side_px=256)
    for size in [(333, 511), (7, 5), (2, 2), (641, 33)]:
        assert isinstance(small.detect_rgb(np.full((*size, 3), 90, np.uint8)), tuple)
