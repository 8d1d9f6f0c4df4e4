from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.mask.paint import BLOCK_PX, Blank, Covers, Palette, Rgb, align, fill_of, paint
from lamppost.model.vision import Box, CoverCause, Fill, Frame, Kind, Mask

WIDTH_PX, HEIGHT_PX = 166, 90  # no multiple of 16, even


def noise(seed: int, *, is_full_range: bool = False) -> Frame:
    pixels = np.random.default_rng(seed).integers(0, 256, (HEIGHT_PX * 3 // 2, WIDTH_PX), np.uint8)
    return Frame(pixels, 900, 5, is_full_range)


coordinates = st.floats(-50, 250, allow_nan=False)


@given(coordinates, coordinates, st.floats(0.1, 200), st.floats(0.1, 200), st.sampled_from(list(Fill)))
def test_a_mask_holds_its_box_on_whole_blocks(x0: float, y0: float, width: float, height: float, fill: Fill) -> None:
    box = Box(x0, y0, x0 + width, y0 + height)
    mask = align(box, fill, WIDTH_PX, HEIGHT_PX)
    inside = box.clipped(WIDTH_PX, HEIGHT_PX)
    if inside.x1 <= inside.x0 or inside.y1 <= inside.y0:
        assert mask is None
        return
    assert mask is not None
    assert mask.x0 <= inside.x0
    assert mask.y0 <= inside.y0
    assert mask.x1 >= inside.x1
    assert mask.y1 >= inside.y1
    assert mask.x0 % BLOCK_PX == mask.y0 % BLOCK_PX == 0
    assert mask.x1 % BLOCK_PX == 0 or mask.x1 == WIDTH_PX
    assert mask.y1 % BLOCK_PX == 0 or mask.y1 == HEIGHT_PX
    assert mask.x1 - inside.x1 < BLOCK_PX


def test_every_plane_is_constant_under_a_mask_and_untouched_beside_it() -> None:
    frame = noise(1)
    before = frame.i420.copy()
    masked = paint(frame, [Mask(16, 32, 64, 80, Fill.PERSON)], Palette())
    luma = masked.i420[:HEIGHT_PX]
    chroma = masked.i420[HEIGHT_PX:].reshape(2, HEIGHT_PX // 2, WIDTH_PX // 2)
    assert len(np.unique(luma[32:80, 16:64])) == 1
    for plane in chroma:
        assert len(np.unique(plane[16:40, 8:32])) == 1
    outside = np.ones((HEIGHT_PX, WIDTH_PX), np.bool_)
    outside[32:80, 16:64] = False
    assert np.array_equal(luma[outside], before[:HEIGHT_PX][outside])
    assert np.array_equal(chroma[:, outside[::2, ::2]], before[HEIGHT_PX:].reshape(chroma.shape)[:, outside[::2, ::2]])
    assert masked.covered is None
    assert (masked.pts_90k, masked.wall_us) == (900, 5)


def test_a_person_lies_above_a_vehicle_whatever_the_order() -> None:
    vehicle, person = Mask(0, 0, 64, 64, Fill.VEHICLE), Mask(32, 32, 96, 80, Fill.PERSON)
    first, second = paint(noise(1), [vehicle, person], Palette()), paint(noise(1), [person, vehicle], Palette())
    assert np.array_equal(first.i420, second.i420)
    assert first.i420[40, 40] == Palette().fills[Fill.PERSON].to_yuv(is_full_range=False)[0]


def test_a_masked_frame_cannot_be_painted_on_again() -> None:
    masked = paint(noise(1), [], Palette())
    with pytest.raises(ValueError, match="read-only"):
        masked.i420[0, 0] = 1


def test_a_frame_is_painted_in_its_own_memory_and_leaves_once() -> None:
    frame = noise(1)
    masked = paint(frame, [Mask(0, 0, 64, 64, Fill.PERSON)], Palette())
    assert masked.i420 is frame.i420
    with pytest.raises(ValueError, match="painted"):
        paint(frame, [], Palette())


def test_memory_of_another_is_not_painted_on() -> None:
    two = np.stack([noise(1).i420, noise(2).i420])
    before = two.copy()
    masked = paint(Frame(two[0], 900, 5), [Mask(0, 0, 64, 64, Fill.PERSON)], Palette())
    assert np.array_equal(two, before)
    assert not np.array_equal(masked.i420, before[0])
    with pytest.raises(ValueError, match="read-only"):
        masked.i420[0, 0] = 1


def test_covers_of_one_size_share_one_picture() -> None:
    palette = Palette(cover=Rgb(0, 0, 0))  # black, which the two ranges write differently
    covers = Covers(palette)
    first, second = covers.cover(noise(1), CoverCause.STARTING), covers.cover(noise(2), CoverCause.SCENE_CHANGED)
    assert first.i420 is second.i420
    assert (first.covered, second.covered) == (CoverCause.STARTING, CoverCause.SCENE_CHANGED)
    with pytest.raises(ValueError, match="read-only"):
        first.i420[0, 0] = 1
    other = covers.cover(noise(1, is_full_range=True), CoverCause.STARTING)
    assert np.array_equal(other.i420, Covers(palette).cover_blank(Blank(WIDTH_PX, HEIGHT_PX, True), 0, 0, CoverCause.STARTING).i420)
    assert not np.array_equal(other.i420, first.i420)


@pytest.mark.parametrize("is_full_range", [False, True])
def test_a_cover_holds_nothing_of_its_frame(is_full_range: bool) -> None:
    first = Covers(Palette()).cover(noise(1, is_full_range=is_full_range), CoverCause.STARTING)
    second = Covers(Palette()).cover(noise(2, is_full_range=is_full_range), CoverCause.STARTING)
    assert np.array_equal(first.i420, second.i420)
    assert first.covered is CoverCause.STARTING
    assert len(np.unique(first.i420[:HEIGHT_PX])) == 1


def test_colours_follow_the_range() -> None:
    white, red = Rgb(255, 255, 255), Rgb(255, 0, 0)
    assert white.to_yuv(is_full_range=False) == (235, 128, 128)
    assert white.to_yuv(is_full_range=True) == (255, 128, 128)
    assert Rgb(0, 0, 0).to_yuv(is_full_range=False) == (16, 128, 128)
    assert red.to_yuv(is_full_range=False) == (81, 90, 240)
    assert red.to_yuv(is_full_range=True) == (76, 85, 255)


def test_one_colour_overrides_all_kinds() -> None:
    palette = Palette.of_one(Rgb(1, 2, 3))
    assert {palette.fills[fill] for fill in Fill} == {Rgb(1, 2, 3)}


def test_every_kind_has_its_colour_group() -> None:
    groups = {kind: fill_of(kind) for kind in Kind}
    assert {kind for kind, fill in groups.items() if fill is Fill.PERSON} == {Kind.FACE, Kind.HEAD, Kind.PERSON}
    assert groups[Kind.VEHICLE] is Fill.VEHICLE
    assert groups[Kind.OBJECT] is Fill.OTHER
