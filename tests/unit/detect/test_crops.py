"""Every region is shown whole, at full size where it can be, in few sizes."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from lamppost.detect.crops import Fit, input_size, letterbox_size
from lamppost.model.vision import Region

FACES, FIXED, KEEPS = Fit(640), Fit(416, keeps_shape=True, is_fixed=True), Fit(416, keeps_shape=True)
EVEN = st.integers(8, 1200).map(lambda half: 2 * half)


@st.composite
def scenes(draw):
    """The size of a picture and regions in it."""
    size = (draw(EVEN), draw(EVEN))
    regions = []
    for _ in range(draw(st.integers(1, 6))):
        # Even, as regions are, and as large as a gaze makes them where the picture has room for it.
        wide, high = min(size[0], 64), min(size[1], 64)
        x0, y0 = 2 * draw(st.integers(0, (size[0] - wide) // 2)), 2 * draw(st.integers(0, (size[1] - high) // 2))
        right, lower = draw(st.integers((x0 + wide) // 2, size[0] // 2)), draw(st.integers((y0 + high) // 2, size[1] // 2))
        regions.append(Region(x0, y0, 2 * right, 2 * lower))
    return size, regions


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


@given(scenes(), st.sampled_from([FACES, FIXED, KEEPS]))
def test_every_region_is_in_a_crop_that_shows_it_as_large_as_it_may_be(scene, fit):
    size, regions = scene
    crops = fit.crops(regions, size)
    assert len(crops) <= len(regions)
    for region in regions:
        # On even pixels a region may be two pixels longer.
        least = min(1.0, fit.long_side_px / (max(region.x1 - region.x0, region.y1 - region.y0) + 2))
        assert any(
            part.x0 <= region.x0 and part.y0 <= region.y0 and part.x1 >= region.x1 and part.y1 >= region.y1 and scale >= least - 1e-9
            for part, scale in ((crop.part, crop.scale) for crop in crops)
        )


@given(scenes(), st.sampled_from([FACES, FIXED, KEEPS]))
def test_crops_lie_on_even_pixels_and_fit_their_input(scene, fit):
    size, regions = scene
    for crop in fit.crops(regions, size):
        part = crop.part
        assert 0 <= part.x0 < part.x1 <= size[0]
        assert 0 <= part.y0 < part.y1 <= size[1]
        assert all(side % 2 == 0 for side in (part.x0, part.y0, part.x1, part.y1, *crop.shown))
        assert all(
            2 <= shown <= canvas <= fit.long_side_px + 63 and canvas % 32 == 0
            for shown, canvas in zip(crop.shown, crop.canvas, strict=True)
        )
        if fit is FIXED:
            assert crop.canvas == (416, 416)
        if not fit.keeps_shape:
            # Stretched by what is missing to the next size, and never shrunk.
            assert crop.shown == crop.canvas
            assert crop.shown[0] >= (part.x1 - part.x0) * crop.scale - 2


@given(st.lists(st.tuples(st.integers(64, 1400), st.integers(64, 1000)), min_size=200, max_size=200))
def test_inputs_have_few_sizes(sides):
    regions = [Region(100, 100, 100 + width, 100 + height) for width, height in sides]
    assert len({crop.canvas for region in regions for crop in FACES.crops([region], (3840, 2160))}) <= 14 * 14


def test_a_small_region_is_shown_at_full_size_with_what_lies_around_it():
    (crop,) = FACES.crops([Region(300, 200, 440, 350)], (1280, 720))
    assert (crop.part, crop.shown, crop.canvas, crop.scale) == (Region(290, 194, 450, 354), (160, 160), (160, 160), 1.0)
    (crop,) = FACES.crops([Region(1180, 0, 1280, 90)], (1280, 720))  # in a corner it grows inwards
    assert crop.part == Region(1152, 0, 1280, 96)


def test_a_large_region_is_scaled_down():
    (crop,) = FACES.crops([Region(0, 0, 1280, 400)], (1280, 720))
    assert (crop.part, crop.canvas, crop.scale) == (Region(0, 0, 1280, 448), (640, 224), 0.5)


def test_a_region_inside_another_is_not_shown_twice_unless_it_is_shown_larger():
    inner, outer, everything = Region(100, 100, 300, 300), Region(60, 60, 500, 500), Region(0, 0, 1920, 1080)
    assert len(FACES.crops([inner, outer], (1920, 1080))) == 1
    assert len(FACES.crops([inner, inner], (1920, 1080))) == 1
    assert len(FACES.crops([everything, inner], (1920, 1080))) == 2
    assert len(FACES.crops([everything, inner], (1920 // 3, 1080 // 3))) == 1


def test_what_lies_outside_the_picture_is_left_out():
    assert FACES.crops([Region(-40, -10, 0, 30), Region(700, 0, 800, 10)], (640, 480)) == ()
    (crop,) = FACES.crops([Region(-40, -10, 61, 31)], (640, 480))
    assert crop.part == Region(0, 0, 64, 32)


def test_whole_pictures_are_shown_as_their_networks_were_trained():
    assert FACES.whole((480, 270)).shown == (480, 288)
    assert (KEEPS.whole((768, 432)).shown, KEEPS.whole((768, 432)).canvas) == ((416, 234), (416, 256))
    assert (FIXED.whole((178, 100)).shown, FIXED.whole((178, 100)).canvas) == ((416, 234), (416, 416))
