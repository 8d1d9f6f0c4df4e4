"""Promise: with the same masks, pixels under them do not affect one byte of output."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Palette, align, cover, paint
from lamppost.model.vision import Box, CoverCause, Fill, Frame, Mask

WIDTH_PX, HEIGHT_PX, FRAMES = 150, 102, 30


def source(seed: int) -> list[np.ndarray]:
    """A different street for every seed, with motion of its own."""
    noise = np.random.default_rng(seed).integers(0, 256, (HEIGHT_PX * 3 // 2, WIDTH_PX), np.uint8)
    return [np.roll(noise, index * (seed + 1), axis=1) for index in range(FRAMES)]


def blend(below: np.ndarray, under_masks: np.ndarray, masks: list[Mask]) -> np.ndarray:
    """`below`, with the pixels under the masks taken from the other source."""
    mixed = below.copy()
    luma, other_luma = mixed[:HEIGHT_PX], under_masks[:HEIGHT_PX]
    shape = (2, HEIGHT_PX // 2, WIDTH_PX // 2)
    chroma, other_chroma = mixed[HEIGHT_PX:].reshape(shape), under_masks[HEIGHT_PX:].reshape(shape)
    for mask in masks:
        luma[mask.y0 : mask.y1, mask.x0 : mask.x1] = other_luma[mask.y0 : mask.y1, mask.x0 : mask.x1]
        half = (slice(mask.y0 // 2, mask.y1 // 2), slice(mask.x0 // 2, mask.x1 // 2))
        for plane, other in zip(chroma, other_chroma, strict=True):
            plane[half] = other[half]
    return mixed


def encode(pictures: list[np.ndarray], masks: list[list[Mask]], *, is_live: bool, threads: int) -> list[bytes]:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, is_live=is_live, threads=threads)
    packets = []
    for index, (picture, of_frame) in enumerate(zip(pictures, masks, strict=True)):
        packets += encoder.encode(paint(Frame(picture, index * 3600, index), of_frame, Palette()))
    return [packet.data for packet in [*packets, *encoder.flush()]]


mask_lists = st.lists(
    st.tuples(st.integers(-20, 140), st.integers(-20, 90), st.integers(1, 90), st.integers(1, 90), st.sampled_from(list(Fill))),
    min_size=1,
    max_size=3,
)


@settings(deadline=None, max_examples=40)
@given(mask_lists, st.booleans(), st.sampled_from([1, 2]))
def test_pixels_under_masks_do_not_affect_one_byte(boxes: list[tuple[int, int, int, int, Fill]], is_live: bool, threads: int) -> None:
    masks: list[list[Mask]] = []
    for index in range(FRAMES):
        moved = [align(Box(x + index, y, x + index + w, y + h), fill, WIDTH_PX, HEIGHT_PX) for x, y, w, h, fill in boxes]
        masks.append([mask for mask in moved if mask is not None])
    street, people = source(1), source(2)
    crowded = [blend(below, other, of_frame) for below, other, of_frame in zip(street, people, masks, strict=True)]
    assert encode(street, masks, is_live=is_live, threads=threads) == encode(crowded, masks, is_live=is_live, threads=threads)


@pytest.mark.parametrize("is_live", [False, True])
def test_a_covered_frame_tells_nothing_of_its_source(is_live: bool) -> None:
    outputs = []
    for seed in (1, 2):
        encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, is_live=is_live)
        packets = []
        for index, picture in enumerate(source(seed)):
            packets += encoder.encode(cover(Frame(picture, index * 3600, index), CoverCause.STARTING, Palette()))
        outputs.append([packet.data for packet in [*packets, *encoder.flush()]])
    assert outputs[0] == outputs[1]


def test_the_comparison_can_fail() -> None:
    masks = [[Mask(16, 16, 64, 64, Fill.PERSON)]] * FRAMES
    street, people = source(1), source(2)
    crowded = [blend(below, other, of_frame) for below, other, of_frame in zip(street, people, masks, strict=True)]
    smaller = [[Mask(16, 16, 64, 48, Fill.PERSON)]] * FRAMES
    assert encode(street, smaller, is_live=True, threads=1) != encode(crowded, smaller, is_live=True, threads=1)
