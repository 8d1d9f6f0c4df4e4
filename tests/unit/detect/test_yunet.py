"""YuNet's faces are where its numbers say, and where people said that they are."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

import tiny_models
from face_truth import frame_of, read_rgb, truth_boxes
from lamppost.detect.catalogue import YUNET_N, YUNET_S
from lamppost.detect.yunet import YuNetDetector
from lamppost.model.vision import Box, Kind

GREY = np.full((64, 64, 3), 128, np.uint8)


def detector_that_sees(tmp_path, faces, **more):
    """`faces`: (stride, column, row, class score, objectness, four numbers of the box)."""
    outputs = tiny_models.empty_yunet()
    for stride, column, row, score, objectness, box in faces:
        place = row * (tiny_models.SIDE_PX // stride) + column
        outputs[f"cls_{stride}"][0, place] = score
        outputs[f"obj_{stride}"][0, place] = objectness
        outputs[f"bbox_{stride}"][0, place] = box
    entry = tiny_models.keep(tmp_path, tiny_models.yunet_entry(), tiny_models.constant_model("input", outputs))
    return YuNetDetector(entry=entry, models=tmp_path, **more)


def test_boxes_scores_and_kind_come_from_all_three_grids(tmp_path):
    faces = [(8, 1, 2, 0.8, 0.5, (0.5, 0.5, 0, 0)), (16, 2, 1, 1.0, 0.9, (0, 0, 0, np.log(0.5))), (32, 0, 1, 0.5, 0.6, (0.5, 0.25, 0, 0))]
    found = detector_that_sees(tmp_path, faces).detect_rgb(GREY)
    assert [detection.kind for detection in found] == [Kind.FACE] * 3
    assert [detection.score for detection in found] == pytest.approx([0.9, 0.4, 0.3])
    assert [detection.box for detection in found] == [Box(24, 12, 40, 20), Box(8, 16, 16, 24), Box(0, 24, 32, 56)]


def test_the_score_is_class_times_objectness(tmp_path):
    faces = [(8, 1, 2, 0.9, 0.2, (0.5, 0.5, 0, 0)), (8, 5, 5, 0.2, 0.9, (0.5, 0.5, 0, 0))]
    assert detector_that_sees(tmp_path, faces).detect_rgb(GREY) == ()
    assert len(detector_that_sees(tmp_path, faces, score_threshold=0.1).detect_rgb(GREY)) == 2


def test_boxes_are_in_the_pixels_of_the_picture(tmp_path):
    detector = detector_that_sees(tmp_path, [(16, 1, 1, 1, 1, (0.5, 0.5, 0, 0))], long_side_px=64)
    (found,) = detector.detect_rgb(np.full((64, 640, 3), 128, np.uint8)[:, :128].repeat(2, axis=0))
    assert found.box == Box(32, 32, 64, 64)
    (framed,) = detector.detect(frame_of(np.full((256, 256, 3), 128, np.uint8)))
    assert framed.box == Box(64, 64, 128, 128)


def test_one_face_is_one_box_and_it_ends_where_the_picture_ends(tmp_path):
    faces = [(8, 0, 0, 0.9, 1, (0.5, 0.5, 1, 1)), (8, 1, 0, 0.8, 1, (-0.4, 0.5, 1, 1)), (32, 1, 1, 1, 1, (5, 5, 0, 0))]
    (found,) = detector_that_sees(tmp_path, faces).detect_rgb(GREY)
    assert (found.box.x0, found.box.y0, found.score) == (0, 0, pytest.approx(0.9))


def test_the_network_is_shown_blue_first(tmp_path):
    detector = detector_that_sees(tmp_path, [])
    shown = []
    run = detector._network.run
    detector._network.run = lambda picture: shown.append(picture) or run(picture)
    detector.detect_rgb(np.full((64, 64, 3), (10, 20, 30), np.uint8))
    assert shown[0][0, :, 0, 0].tolist() == [30, 20, 10]


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=6, max_size=6))
def test_whatever_the_network_says_boxes_lie_in_the_picture(tmp_path_factory, numbers):
    score, objectness, *box = numbers
    detector = detector_that_sees(tmp_path_factory.mktemp("models"), [(8, 3, 3, score, objectness, box)])
    for found in detector.detect_rgb(GREY):
        assert found.box.clipped(64, 64) == found.box
        assert 0 <= found.score <= 1


@pytest.mark.parametrize("entry", [YUNET_N, YUNET_S], ids=lambda entry: entry.name)
def test_most_faces_are_found_where_people_drew_them(shared_data, entry):
    detector = YuNetDetector(entry=entry, models=shared_data / "models")
    assert detector.model_sha256 == entry.sha256
    faces = hits = boxes = 0
    for name, truths in truth_boxes(shared_data / "faces"):
        found = detector.detect_rgb(read_rgb(shared_data / "faces" / name))
        hits += sum(any(truth.iou(detection.box) >= 0.5 for detection in found) for truth in truths)
        faces, boxes = faces + len(truths), boxes + len(found)
    assert faces == 43
    assert hits >= 41
    assert boxes <= 55


def test_a_frame_and_a_still_give_the_same_faces(shared_data):
    detector = YuNetDetector(models=shared_data / "models")
    image = read_rgb(shared_data / "faces" / "2008_001009.jpg")  # 360x480
    still, framed = detector.detect_rgb(image), detector.detect(frame_of(image))
    assert len(still) >= 2
    assert all(max(one.box.iou(other.box) for other in framed) > 0.9 for one in still if one.score > 0.5)
