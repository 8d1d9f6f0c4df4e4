"""One box for each thing, and none lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamppost.detect.suppression import suppress, suppress_by_class
from lamppost.model.vision import Box

CORNERS = st.lists(st.tuples(*[st.floats(0, 90, width=32)] * 2, *[st.floats(1, 40, width=32)] * 2), min_size=1, max_size=30)


def arrays_of(corners):
    boxes = np.array([(x, y, x + w, y + h) for x, y, w, h in corners], np.float32)
    return boxes, np.linspace(1, 0.5, len(boxes), dtype=np.float32)


@given(CORNERS)
def test_suppression_keeps_a_box_near_every_box(corners):
    boxes, scores = arrays_of(corners)
    kept = [Box(*map(float, boxes[index])) for index in suppress(boxes, scores, 0.3)]
    for row in boxes:
        assert max(Box(*map(float, row)).iou(box) for box in kept) >= 0.299
    for index, box in enumerate(kept):
        assert all(box.iou(other) < 0.301 for other in kept[index + 1 :])


@given(CORNERS, st.randoms())
def test_each_class_is_suppressed_as_if_it_were_alone(corners, chance):
    boxes, scores = arrays_of(corners)
    classes = np.array([chance.randrange(3) for _ in boxes], np.intp)
    kept = suppress_by_class(boxes, scores, classes, 0.3)
    assert (np.diff(scores[kept]) <= 0).all()
    for each in range(3):
        own = np.flatnonzero(classes == each)
        assert {int(index) for index in kept if classes[index] == each} == {
            int(own[index]) for index in suppress(boxes[own], scores[own], 0.3)
        }


def test_nothing_gives_nothing():
    nothing = np.empty((0, 4), np.float32), np.empty(0, np.float32)
    assert suppress(*nothing, 0.3).size == suppress_by_class(*nothing, np.empty(0, np.intp), 0.3).size == 0
