"""What lies in the regions comes back once, in the frame's pixels, and in as few runs of the network as can be."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from face_truth import frame_of, read_rgb, truth_boxes
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.faces import FaceDetector
from lamppost.detect.yolox import YoloxDetector
from lamppost.detect.yunet import YuNetDetector
from lamppost.model.vision import Box, Frame, Kind, Region

CELL_PX = 4


class BrightSpots:
    """A network in CenterFace's layout that takes each bright rectangle for a face; its score is how bright it is."""

    def __init__(self, entry: ModelEntry = CENTERFACE, most: int = 16) -> None:
        self.entry = entry
        self.most = most
        self.shapes: list[tuple[int, ...]] = []

    def most_pictures(self, width_px: int, height_px: int) -> int:
        return self.most

    def run(self, pictures):
        self.shapes.append(pictures.shape)
        count, _, height, width = pictures.shape
        heat = np.zeros((count, 1, height // CELL_PX, width // CELL_PX), np.float32)
        size, offset = np.zeros((2, count, 2, height // CELL_PX, width // CELL_PX), np.float32)
        for index, picture in enumerate(pictures):
            found, _, stats, _ = cv2.connectedComponentsWithStats((picture[1] > 60).astype(np.uint8))
            for x, y, w, h, _ in stats[1:found]:
                middle_x, middle_y = (x + w / 2) / CELL_PX, (y + h / 2) / CELL_PX
                row, column = int(middle_y), int(middle_x)
                heat[index, 0, row, column] = picture[1, int(y + h / 2), int(x + w / 2)] / 255
                size[index, :, row, column] = np.log([h / CELL_PX, w / CELL_PX])
                offset[index, :, row, column] = middle_y - row - 0.5, middle_x - column - 0.5
        return {(OutputRole.SCORE, 4): heat, (OutputRole.SIZE, 4): size, (OutputRole.OFFSET, 4): offset}


def scene(*spots, size=(1280, 720)):
    """Black but for the `spots`: boxes, or boxes with a grey level."""
    rgb = np.zeros((size[1], size[0], 3), np.uint8)
    for spot in spots:
        box, level = spot if isinstance(spot, tuple) else (spot, 250)
        rgb[int(box.y0) : int(box.y1), int(box.x0) : int(box.x1)] = level
    return frame_of(rgb)


def is_near(box, other, px=1.5):
    return max(abs(a - b) for a, b in zip((box.x0, box.y0, box.x1, box.y1), (other.x0, other.y0, other.x1, other.y1), strict=True)) <= px


def test_a_thing_in_a_region_is_where_it_is_in_the_frame():
    face = Box(700, 300, 740, 350)
    network = BrightSpots()
    (found,) = FaceDetector(network=network).detect_regions(scene(face, Box(100, 100, 130, 140)), [Region(650, 260, 790, 400)])
    assert is_near(found.box, face)
    assert found.kind is Kind.FACE
    assert network.shapes == [(1, 3, 160, 160)]


def test_nothing_to_look_at_asks_the_network_nothing():
    network = BrightSpots()
    assert FaceDetector(network=network).detect_regions(scene(), []) == ()
    assert network.shapes == []


def test_crops_of_one_size_run_together_and_others_apart():
    network = BrightSpots(most=3)
    regions = [Region(x, 100, x + 128, 228) for x in range(0, 1200, 160)] + [Region(0, 300, 250, 500), Region(600, 300, 850, 500)]
    faces = [Box(x + 40, 140, x + 70, 180) for x in range(0, 1200, 160)] + [Box(100, 350, 150, 420), Box(700, 350, 750, 420)]
    found = FaceDetector(network=network).detect_regions(scene(*faces), regions)
    assert len(found) == len(faces)
    assert all(any(is_near(each.box, face) for each in found) for face in faces)
    assert sorted(network.shapes) == [(2, 3, 128, 128), (2, 3, 224, 256), (3, 3, 128, 128), (3, 3, 128, 128)]


def test_what_two_regions_show_is_one_thing():
    face = Box(300, 300, 340, 350)
    regions = [Region(0, 0, 1280, 720), Region(240, 250, 400, 410), Region(260, 240, 420, 400)]
    (found,) = FaceDetector(network=BrightSpots()).detect_regions(scene(face), regions)
    assert is_near(found.box, face, px=3)


def test_what_one_region_cuts_is_whole_where_another_shows_it():
    face = Box(300, 300, 360, 360)
    left, right = Region(200, 280, 328, 408), Region(296, 280, 424, 408)
    (found,) = FaceDetector(network=BrightSpots()).detect_regions(scene(face), [left, right])
    assert is_near(found.box, face)


def test_what_every_region_cuts_is_kept_in_all_its_parts():
    face = Box(280, 300, 360, 360)
    left, right = Region(192, 280, 320, 408), Region(320, 280, 448, 408)
    found = FaceDetector(network=BrightSpots()).detect_regions(scene(face), [left, right])
    assert len(found) == 2
    assert is_near(found[0].box.union(found[1].box), face)


def test_the_end_of_the_picture_cuts_nothing():
    face = Box(0, 300, 40, 350)
    found = FaceDetector(network=BrightSpots()).detect_regions(scene(face), [Region(0, 280, 128, 408), Region(0, 300, 128, 428)])
    assert len(found) == 1


def test_a_weak_score_is_told_only_to_those_who_ask():
    frame = scene((Box(100, 100, 140, 150), 80), Box(300, 100, 340, 150))
    usual, weak = FaceDetector(network=BrightSpots(), score_threshold=0.5), None
    assert [each.score > 0.5 for each in usual.detect_regions(frame, [Region(80, 80, 400, 200)])] == [True]
    weak = FaceDetector(network=BrightSpots(), score_threshold=0.5, weak_score=0.1)
    assert [each.score > 0.5 for each in weak.detect_regions(frame, [Region(80, 80, 400, 200)])] == [True, False]
    assert (usual.start_score, weak.start_score) == (0.5, 0.5)
    assert FaceDetector(network=BrightSpots()).start_score == 0.2


SPOTS = st.lists(st.tuples(st.integers(0, 15), st.integers(0, 8)), min_size=1, max_size=8, unique=True)


@given(SPOTS, st.lists(st.tuples(st.integers(0, 1100), st.integers(0, 600), st.integers(64, 700), st.integers(64, 500)), max_size=5))
def test_whatever_the_regions_what_they_show_whole_is_found_and_nothing_leaves_the_frame(cells, regions):
    faces = [Box(80 * x + 24, 80 * y + 20, 80 * x + 56, 80 * y + 60) for x, y in cells]
    wanted = [Region(x, y, min(1280, x + w), min(720, y + h)) for x, y, w, h in regions]
    found = FaceDetector(network=BrightSpots()).detect_regions(scene(*faces), wanted)
    for face in faces:
        if any(part.x0 <= face.x0 and part.y0 <= face.y0 and part.x1 >= face.x1 and part.y1 >= face.y1 for part in wanted):
            assert sum(each.box.iou(face) > 0.7 for each in found) == 1
    assert all(each.box.clipped(1280, 720) == each.box for each in found)
    assert [each.score for each in found] == sorted((each.score for each in found), reverse=True)


def test_the_whole_frame_is_a_region_like_others(shared_data):
    detector = FaceDetector()
    image = read_rgb(shared_data / "faces" / "2008_001009.jpg")
    frame = frame_of(image)
    assert detector.detect(frame) == detector.detect_regions(frame, [Region(0, 0, frame.width_px, frame.height_px)]) != ()


@pytest.mark.parametrize("layout", [FaceDetector, YuNetDetector])
def test_crops_show_the_faces_that_the_whole_picture_shows(shared_data, layout):
    detector = layout(models=shared_data / "models")
    hits = whole_hits = 0
    for name, truths in truth_boxes(shared_data / "faces"):
        rgb = read_rgb(shared_data / "faces" / name)
        frame = frame_of(np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]))
        regions = [_around(truth, frame) for truth in truths]
        whole, parts = detector.detect(frame), detector.detect_regions(frame, regions)
        whole_hits += sum(any(truth.iou(each.box) >= 0.5 for each in whole) for truth in truths)
        hits += sum(any(truth.iou(each.box) >= 0.5 for each in parts) for truth in truths)
    assert whole_hits >= (43 if layout is FaceDetector else 41)  # of 43; as many as before there were crops
    assert hits >= whole_hits - 1


def _around(box: Box, frame: Frame) -> Region:
    grown = box.padded(0.75).clipped(frame.width_px, frame.height_px)
    return Region(int(grown.x0), int(grown.y0), int(grown.x1), int(grown.y1))


def test_persons_are_found_in_crops(shared_data):
    rgb = read_rgb(shared_data / "faces" / "2007_007763.jpg")
    frame = frame_of(np.ascontiguousarray(rgb[: rgb.shape[0] // 2 * 2, : rgb.shape[1] // 2 * 2]))
    detector = YoloxDetector(entry=YOLOX_NANO, models=shared_data / "models")
    whole = [each for each in detector.detect(frame) if each.kind is Kind.PERSON and each.score > 0.5]
    found = detector.detect_regions(frame, [_around(each.box, frame) for each in whole])
    assert whole
    assert all(any(each.kind is Kind.PERSON and each.box.iou(person.box) > 0.6 for each in found) for person in whole)


def test_a_network_that_fails_is_told():
    class Broken(BrightSpots):
        def run(self, pictures):
            raise ModelError("broken")

    with pytest.raises(ModelError, match="broken"):
        FaceDetector(network=Broken()).detect_regions(scene(), [Region(0, 0, 64, 64)])
