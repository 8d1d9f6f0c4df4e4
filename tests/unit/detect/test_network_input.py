"""What a network is shown: the right pixels in the right colours, and the shape of things where it matters."""

from __future__ import annotations

import cv2
import numpy as np
import pytest

from face_truth import frame_of
from lamppost.detect.crops import Crop, Fit
from lamppost.detect.entry import Colours
from lamppost.detect.network_input import show_frame, show_still
from lamppost.model.vision import Frame, Region


def red_and_blue(is_full_range=False):
    """Left half red, right half blue, 128x64, as a frame and as RGB."""
    rgb = np.zeros((64, 128, 3), np.uint8)
    rgb[:, :64, 0] = rgb[:, 64:, 2] = 200
    return frame_of(rgb, is_full_range), rgb


def shown(frame, crop, colours=Colours.RGB):
    target = np.full((3, crop.canvas[1], crop.canvas[0]), 1, np.uint8)
    show_frame(frame, crop, target, colours)
    return target.astype(np.int16)


def crop_of(region, size, canvas=None):
    return Crop(region, size, canvas or size, 1.0)


@pytest.mark.parametrize("is_full_range", [False, True])
def test_a_frame_has_the_colours_that_were_filmed(is_full_range):
    frame, rgb = red_and_blue(is_full_range)
    target = shown(frame, crop_of(Region(0, 0, 128, 64), (64, 32)))
    assert np.abs(target[:, :, :28] - rgb[0, 0][:, None, None]).max() < 12
    assert np.abs(target[:, :, -28:] - rgb[0, -1][:, None, None]).max() < 12


def test_full_range_is_brought_to_the_same_colours():
    rgb = cv2.resize(np.random.default_rng(1).integers(30, 220, (8, 8, 3)).astype(np.uint8), (256, 256), interpolation=cv2.INTER_CUBIC)
    limited, full = (shown(frame_of(rgb, is_full), Fit(256).whole((256, 256))) for is_full in (False, True))
    assert np.abs(limited - full).mean() < 1.5


def test_channels_stand_in_the_order_that_the_network_wants():
    frame, rgb = red_and_blue()
    crop = crop_of(Region(0, 0, 128, 64), (128, 64))
    assert np.abs(shown(frame, crop)[:, 5, 5] - (200, 0, 0)).max() < 6
    assert np.abs(shown(frame, crop, Colours.BGR)[:, 5, 5] - (0, 0, 200)).max() < 6
    for colours, first in ((Colours.RGB, 200), (Colours.BGR, 0)):
        target = np.empty((3, 64, 128), np.uint8)
        show_still(rgb, crop, target, colours)
        assert target[:, 5, 5].tolist() == [first, 0, 200 - first]


def test_a_crop_at_full_size_is_the_very_pixels_of_that_part():
    rgb = np.random.default_rng(5).integers(0, 256, (96, 160, 3)).astype(np.uint8)
    frame = frame_of(rgb)
    everything = shown(frame, crop_of(Region(0, 0, 160, 96), (160, 96)))
    part = shown(frame, crop_of(Region(34, 18, 98, 82), (64, 64)))
    assert (part == everything[:, 18:82, 34:98]).all()


def test_padding_is_grey_and_at_the_lower_right():
    frame = Frame(np.full((48, 64), 16, np.uint8), 0, 0)
    target = shown(frame, crop_of(Region(0, 0, 64, 32), (16, 8), (32, 32)))
    assert (target[:, 8:] == 114).all()
    assert (target[:, :, 16:] == 114).all()
    assert not (target[:, :8, :16] == 114).any()


def test_the_frame_is_left_as_it_is():
    frame, _ = red_and_blue(is_full_range=True)
    before = frame.i420.copy()
    frame.i420.setflags(write=False)
    for size in ((128, 64), (64, 32)):
        shown(frame, crop_of(Region(0, 0, 128, 64), size))
    assert (frame.i420 == before).all()
