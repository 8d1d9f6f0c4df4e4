"""What a network is shown: the right size, the right colours, and the shape of things where it matters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.detect.entry import Colours
from lamppost.detect.network_input import input_size, letterbox_size, pad, shrink_still, shrink_to_rgb, to_input
from lamppost.model.vision import Frame


def red_and_blue(is_full_range=False):
    """Left half red, right half blue, 128x64, as a frame and as RGB."""
    rgb = np.zeros((64, 128, 3), np.uint8)
    rgb[:, :64, 0] = rgb[:, 64:, 2] = 200
    planes = cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420).astype(np.float32)
    if is_full_range:
        planes[:64] = (planes[:64] - 16) * 255 / 219
        planes[64:] = (planes[64:] - 128) * 255 / 224 + 128
    return Frame(np.clip(np.rint(planes), 0, 255).astype(np.uint8), 0, 0, is_full_range=is_full_range), rgb


@given(st.integers(1, 5000), st.integers(1, 5000), st.integers(32, 1280))
def test_input_sides_are_multiples_of_32_and_bounded(width, height, long_side):
    sides = input_size(width, height, long_side)
    assert all(side % 32 == 0 and 32 <= side <= long_side + 31 for side in sides)


@given(st.integers(2, 5000), st.integers(2, 5000), st.integers(1, 40))
def test_a_letterboxed_picture_keeps_its_shape(width, height, side):
    small_w, small_h = letterbox_size(width, height, 32 * side)
    assert max(small_w, small_h) == 32 * side
    assert small_w % 2 == small_h % 2 == 0
    assert abs(small_w * height - small_h * width) <= 2 * max(width, height)


@pytest.mark.parametrize("is_full_range", [False, True])
def test_a_frame_has_the_colours_that_were_filmed(is_full_range):
    frame, rgb = red_and_blue(is_full_range)
    small = shrink_to_rgb(frame, (64, 32)).astype(int)
    assert np.abs(small[:, :28] - rgb[0, 0]).max() < 12
    assert np.abs(small[:, -28:] - rgb[0, -1]).max() < 12


def test_channels_stand_in_the_order_that_the_network_wants():
    _, rgb = red_and_blue()
    assert to_input(rgb, Colours.RGB)[0, :, 0, 0].tolist() == [200, 0, 0]
    as_bgr = to_input(rgb, Colours.BGR)
    assert as_bgr[0, :, 0, 0].tolist() == [0, 0, 200]
    assert (as_bgr.shape, as_bgr.dtype, as_bgr.flags.c_contiguous) == ((1, 3, 64, 128), np.float32, True)


def test_padding_is_grey_and_at_the_lower_right():
    small = shrink_still(np.zeros((10, 20, 3), np.uint8), (8, 4))
    canvas = pad(small, (32, 32))
    assert (canvas[:4, :8] == 0).all()
    assert (canvas[4:] == 114).all()
    assert (canvas[:, 8:] == 114).all()
