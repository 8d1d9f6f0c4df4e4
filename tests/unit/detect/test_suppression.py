"""One box for each thing, and none lost."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from lamppost.detect.suppression import suppress, suppress_by_class, suppress_cut
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
    no_flags = np.empty(0, np.bool_)
    assert suppress_cut(*nothing, np.empty(0, np.intp), no_flags, 0.3).size == 0
    assert suppress(*nothing, 0.3).size == suppress_by_class(*nothing, np.empty(0, np.intp), 0.3).size == 0


def kept_of(*seen):
    """`seen`: (box, score, class, is_cut)."""
    boxes = np.array([box for box, *_ in seen], np.float32)
    scores = np.array([score for _, score, *_ in seen], np.float32)
    classes = np.array([each for *_, each, _ in seen], np.intp)
    return suppress_cut(boxes, scores, classes, np.array([is_cut for *_, is_cut in seen]), 0.3).tolist()


def test_what_a_border_cuts_goes_where_it_is_seen_better_and_stays_elsewhere():
    whole = ((0, 0, 40, 40), 0.5, 0, False)
    part, other_half = ((0, 0, 40, 20), 0.9, 0, True), ((0, 20, 40, 40), 0.8, 0, True)
    assert kept_of(part, whole) == [1]  # whatever the scores
    assert kept_of(part, other_half) == [0, 1]  # nobody sees it whole
    assert kept_of(((0, 0, 40, 20), 0.9, 1, True), whole) == [0, 1]  # another kind of thing
    assert kept_of(((0, 20, 40, 80), 0.9, 0, True), whole) == [0, 1]  # goes on where the whole one ends
    assert kept_of(part, ((0, 0, 40, 19), 0.7, 0, True)) == [0]


@given(CORNERS, st.randoms())
def test_every_box_is_kept_or_hidden_by_one_that_is(corners, chance):
    boxes, scores = arrays_of(corners)
    classes = np.array([chance.randrange(2) for _ in boxes], np.intp)
    is_cut = np.array([chance.random() < 0.5 for _ in boxes])
    kept = suppress_cut(boxes, scores, classes, is_cut, 0.3)
    assert (np.diff(scores[kept]) <= 0).all()
    for index in set(range(len(boxes))) - set(kept.tolist()):
        box = Box(*map(float, boxes[index]))
        hiders = [Box(*map(float, boxes[each])) for each in kept if classes[each] == classes[index]]
        best = max(box.intersection(each) / box.area if is_cut[index] else box.iou(each) for each in hiders)
        assert best >= (0.799 if is_cut[index] else 0.299)


@given(st.integers(0, 2**32 - 1), st.integers(230, 330))
def test_many_boxes_are_suppressed_as_few_are(seed, count):
    chance = np.random.default_rng(seed)
    corners = chance.uniform(0, 90, (count, 2)).astype(np.float32)
    boxes = np.concatenate([corners, corners + chance.uniform(0, 40, (count, 2)).astype(np.float32)], axis=1)
    scores, classes = chance.permutation(np.linspace(1, 0.1, count, dtype=np.float32)), chance.integers(0, 3, count)
    kept = set(suppress_by_class(boxes, scores, classes, 0.4).tolist())
    for each in range(3):
        own = np.flatnonzero(classes == each)
        assert {index for index in kept if classes[index] == each} == set(own[suppress(boxes[own], scores[own], 0.4)].tolist())
