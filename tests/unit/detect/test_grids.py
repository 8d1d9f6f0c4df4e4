"""Cells become the boxes that a network means, and never boxes without bounds."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from lamppost.detect.grids import MOST_CANDIDATES, choose_best, decode_boxes, locate_cells


def test_cells_stand_row_by_row_one_grid_after_the_other():
    cells = locate_cells(np.arange(10), 64, 32, (16, 32))
    assert cells.tolist() == [*([x, y, 16] for y in (0, 1) for x in range(4)), [0, 0, 32], [1, 0, 32]]
    assert locate_cells(np.array([9, 5]), 64, 32, (16, 32)).tolist() == [[1, 0, 32], [1, 1, 16]]
    assert locate_cells(np.empty(0, np.intp), 64, 32, (16, 32)).shape == (0, 3)


@given(st.floats(1, 60), st.floats(1, 60), st.floats(2, 100), st.floats(2, 100), st.sampled_from([8, 16, 32]))
def test_a_box_that_was_put_into_a_cell_comes_out_again(x, y, width, height, stride):
    column, row = int(x // stride), int(y // stride)
    raw = np.array([[x / stride - column, y / stride - row, math.log(width / stride), math.log(height / stride)]], np.float32)
    box = decode_boxes(raw, np.array([[column, row, stride]], np.float32))[0]
    assert box == pytest.approx([x - width / 2, y - height / 2, x + width / 2, y + height / 2], abs=0.01)


@given(arrays.arrays(np.float32, (16, 4), elements=st.floats(width=32)))
def test_boxes_are_finite_whatever_the_network_says(raw):
    boxes = decode_boxes(raw, locate_cells(np.arange(16), 32, 32, (8,)))
    assert np.isfinite(boxes).all()
    assert (boxes[:, 2:] >= boxes[:, :2]).all()


def test_the_best_come_first_and_are_bounded():
    scores = np.linspace(0, 1, 3 * MOST_CANDIDATES, dtype=np.float32)
    best = choose_best(scores, 0.5)
    assert best[0] == scores.size - 1
    assert len(best) == MOST_CANDIDATES
    assert choose_best(np.array([np.nan, 0.1, 0.9, 0.2], np.float32), 0.15).tolist() == [2, 3]
