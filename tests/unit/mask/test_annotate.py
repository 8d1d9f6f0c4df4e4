"""What is drawn over a masked picture stands where it should, in all three planes, and nothing else of the picture changes."""

from __future__ import annotations

import inspect
import math

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from lamppost.mask import annotate, plates, strokes
from lamppost.mask.annotate import Annotator
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Blank, Covers, Palette, Rgb, paint
from lamppost.mask.strokes import Outline, make_stroke
from lamppost.model.drawing import Drawing, DrawnLine, DrawnZone
from lamppost.model.i420 import planes_of
from lamppost.model.vision import CoverCause, Fill, Frame, Mask, MaskedFrame

WIDTH_PX, HEIGHT_PX = 426, 240
STROKE_PX, RIM_PX = 3, 1  # at this height
LINE_LEVELS = Rgb(255, 193, 7).to_yuv(is_full_range=False)


def masked(seed: int = 1, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX, *, is_full_range: bool = False) -> MaskedFrame:
    pixels = np.random.default_rng(seed).integers(0, 256, (height_px * 3 // 2, width_px), np.uint8)
    return paint(Frame(pixels, 900, 5, is_full_range), [Mask(16, 32, 64, 80, Fill.PERSON)], Palette())


def changed(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Which samples of luma (height, width) and of chroma (height / 2, width / 2) differ."""
    height = before.shape[0] * 2 // 3
    chroma = (before[height:] != after[height:]).reshape(2, height // 2, -1)
    return before[:height] != after[:height], chroma[0] | chroma[1]


def drawn(drawing: Drawing, frame: MaskedFrame | None = None) -> tuple[NDArray[np.bool_], NDArray[np.bool_], MaskedFrame]:
    frame = frame or masked()
    before = frame.i420.copy()
    after = Annotator().annotate(frame, drawing)
    return *changed(before, after.i420), after


def zone_of(*points: tuple[float, float]) -> Drawing:
    """An outline without a word."""
    return Drawing(zones=(DrawnZone(points, "", ""),))


def test_it_is_drawn_in_the_frame_itself_which_can_be_written_no_more() -> None:
    frame = masked()
    after = Annotator().annotate(frame, zone_of((0.2, 0.2), (0.8, 0.2), (0.5, 0.8)))
    assert after is frame
    assert not frame.i420.flags.writeable
    luma, chroma, _ = drawn(Drawing())
    assert not luma.any()
    assert not chroma.any()


def test_a_frame_that_shares_its_picture_leaves_it_to_the_others_as_it_was() -> None:
    covers = Covers(Palette())
    first, second = (covers.cover(masked(), CoverCause.PRESET) for _ in range(2))
    assert first.i420 is second.i420
    after = Annotator().annotate(first, Drawing(title="gate"))
    assert after is not first
    assert (after.pts_90k, after.wall_us, after.covered, after.masks) == (first.pts_90k, first.wall_us, CoverCause.PRESET, ())
    assert len(np.unique(second.i420[:HEIGHT_PX])) == 1
    assert not np.array_equal(after.i420, second.i420)
    assert not after.i420.flags.writeable


shares = st.floats(0, 1)
points = st.lists(st.tuples(shares, shares), min_size=3, max_size=6)


@settings(max_examples=60, deadline=None)
@given(points)
def test_an_outline_changes_its_pixels_and_no_others(corners: list[tuple[float, float]]) -> None:
    luma, chroma, _ = drawn(zone_of(*corners))
    far = distances(corners) > STROKE_PX / 2 + RIM_PX + 0.5
    assert not (luma & far).any()
    # A sample of chroma belongs to four pixels.
    assert not (chroma & far.reshape(HEIGHT_PX // 2, 2, WIDTH_PX // 2, 2).all(axis=(1, 3))).any()


def distances(corners: list[tuple[float, float]]) -> NDArray[np.float64]:
    """Of the middle of every pixel to the nearest edge of a polygon."""
    x, y = np.meshgrid(np.arange(WIDTH_PX) + 0.5, np.arange(HEIGHT_PX) + 0.5)
    nearest = np.full((HEIGHT_PX, WIDTH_PX), math.inf)
    scaled = [(px * WIDTH_PX, py * HEIGHT_PX) for px, py in corners]
    for (ax, ay), (bx, by) in zip(scaled, [*scaled[1:], scaled[0]], strict=True):
        length = (bx - ax) ** 2 + (by - ay) ** 2
        along = np.clip(((x - ax) * (bx - ax) + (y - ay) * (by - ay)) / length, 0, 1) if length else np.zeros_like(x)
        nearest = np.minimum(nearest, np.hypot(x - ax - along * (bx - ax), y - ay - along * (by - ay)))
    return nearest


@settings(max_examples=40, deadline=None)
@given(points)
def test_the_middle_of_an_outline_has_its_colour_in_every_plane(corners: list[tuple[float, float]]) -> None:
    _, _, after = drawn(zone_of(*corners))
    luma, *chroma = planes_of(after.i420)
    away = distances(corners)
    levels = Rgb(79, 195, 247).to_yuv(is_full_range=False)
    assert (luma[away <= STROKE_PX / 2 - 0.5] == levels[0]).all()
    # Chroma has the colour where all four pixels have it.
    is_whole = (away <= STROKE_PX / 2 - 0.5).reshape(HEIGHT_PX // 2, 2, WIDTH_PX // 2, 2).all(axis=(1, 3))
    for plane, level in zip(chroma, levels[1:], strict=True):
        assert (np.abs(plane[is_whole].astype(int) - level) <= 1).all()


def test_a_line_along_every_edge_of_the_picture_stays_inside() -> None:
    luma, chroma, after = drawn(zone_of((0, 0), (1, 0), (1, 1), (0, 1)))
    for side in (luma[0], luma[-1], luma[:, 0], luma[:, -1], chroma[0], chroma[-1], chroma[:, 0], chroma[:, -1]):
        assert side.mean() > 0.95
    assert not luma[6:-6, 6:-6].any()
    assert not chroma[3:-3, 3:-3].any()
    assert after.i420.shape == (HEIGHT_PX * 3 // 2, WIDTH_PX)


@pytest.mark.parametrize("is_full_range", [False, True])
@pytest.mark.parametrize("y", [0.5, 0.5 + 1 / HEIGHT_PX])  # on an even row and on an odd one
def test_half_a_sample_of_chroma_takes_half_of_the_colour(y: float, is_full_range: bool) -> None:
    colour = Rgb(255, 0, 0)
    blank = Blank(64, 240, is_full_range)
    stroke = make_stroke(Outline((((-20.0, y * 240), (84.0, y * 240)),), (), False, 2, 0, colour), blank)
    i420 = np.full((360, 64), 128, np.uint8)
    stroke.lay(i420.reshape(-1))
    luma, _, red = colour.to_yuv(is_full_range=is_full_range)
    rows = [row for row in range(240) if (i420[row] == luma).all()]
    assert len(rows) == 2, "two rows, fully covered"
    assert rows[0] == round(y * 240) - 1
    levels = planes_of(i420)[2][:, 16].astype(int)
    taken = {row: level for row, level in enumerate(levels) if level != 128}
    if rows[0] % 2 == 0:
        assert taken == {rows[0] // 2: red}
    else:
        assert taken == {row // 2: pytest.approx((128 + red) / 2, abs=1) for row in rows}


@settings(max_examples=50, deadline=None)
@given(st.data())
def test_no_level_runs_over_whatever_lies_under_it(data: st.DataObject) -> None:
    level = data.draw(st.sampled_from([0, 16, 128, 235, 255]))
    colour = Rgb(*(data.draw(st.integers(0, 255)) for _ in range(3)))
    path = tuple(data.draw(st.tuples(st.floats(-10, 74), st.floats(-10, 58))) for _ in range(3))
    stroke = make_stroke(Outline((path,), (path,), True, 3, 2, colour), Blank(64, 48, is_full_range=True))
    assert len(np.unique(stroke.at)) == len(stroke.at)
    assert (stroke.at < 64 * 72).all()
    flat = np.full(64 * 72, level, np.uint8)
    stroke.lay(flat)
    levels = [level, *colour.to_yuv(is_full_range=True), *Rgb(8, 10, 14).to_yuv(is_full_range=True)]
    assert flat.min() >= min(levels) - 1
    assert flat.max() <= max(levels) + 1


# Lines, and which way is forward


def line(*corners: tuple[float, float], forward: int = 3, backward: int = 4, name: str = "") -> Drawing:
    return Drawing(lines=(DrawnLine(corners, name, forward, backward),))


@pytest.mark.parametrize("degrees", range(0, 360, 30))
def test_the_arrow_points_to_the_right_of_who_looks_along_the_line(degrees: int) -> None:
    along = np.array([math.cos(math.radians(degrees)), math.sin(math.radians(degrees))])
    right = np.array([-along[1], along[0]])  # rows are counted downwards
    size, middle = np.array([WIDTH_PX, HEIGHT_PX]), np.array([0.5, 0.5])
    _, _, after = drawn(line(tuple(middle - along * 60 / size), tuple(middle + along * 60 / size)))
    luma = after.i420[:HEIGHT_PX].astype(int)

    def is_yellow(way: NDArray[np.float64]) -> bool:
        """Whether a neck leads away from the line to that side."""
        around = [middle * size + way * reach for reach in (5, 7, 9)]
        return all(abs(luma[int(y) - 1 : int(y) + 2, int(x) - 1 : int(x) + 2] - LINE_LEVELS[0]).min() <= 8 for x, y in around)

    assert is_yellow(right)
    frame = masked()
    yellow_before = frame.i420[:HEIGHT_PX]
    x, y = (middle * size - right * 5).astype(int)
    assert not (yellow_before[y - 1 : y + 2, x - 1 : x + 2] == LINE_LEVELS[0]).all()


def test_a_count_changes_its_own_plate_and_nothing_else() -> None:
    annotator = Annotator()
    results = [
        annotator.annotate(masked(), line((0.3, 0.5), (0.7, 0.5), forward=forward, backward=backward)).i420.copy()
        for forward, backward in ((3, 4), (8, 4), (3, 7))
    ]
    for other, is_below in ((results[1], True), (results[2], False)):
        luma, _ = changed(results[0], other)
        rows = np.nonzero(luma.any(axis=1))[0]
        assert rows.size
        assert (rows > HEIGHT_PX / 2 + 20 if is_below else rows < HEIGHT_PX / 2 - 2).all()
        columns = np.nonzero(luma.any(axis=0))[0]
        assert abs(columns.mean() - WIDTH_PX / 2) < 12


def test_a_line_of_one_place_and_one_beyond_the_picture_are_no_trouble() -> None:
    for corners in (((0.5, 0.5), (0.5, 0.5)), ((1.0, 1.0), (1.0, 0.9)), ((0.0, 0.0), (0.0, 1.0)), ((0, 1), (1, 1), (1, 0))):
        luma, _, _ = drawn(line(*corners, name="a-name"))
        assert luma.any()


# Words


def test_the_bar_takes_the_upper_rows_alone_and_the_words_stand_at_its_ends() -> None:
    luma, chroma, after = drawn(Drawing(title="Köln", time="12:34:56"))
    height = np.nonzero(luma.any(axis=1))[0].max() + 1
    assert height == 22
    assert not chroma[height // 2 :].any()
    bright = after.i420[:height] > 150
    assert bright[:, : WIDTH_PX // 3].any()
    assert bright[:, WIDTH_PX * 2 // 3 :].any()
    assert not bright[:, WIDTH_PX // 3 : WIDTH_PX // 2].any()


def test_digits_are_as_wide_as_each_other_so_that_a_clock_stands_still() -> None:
    lettering = plates.Lettering(20, is_full_range=False)
    ink = plates.Ink(Rgb(255, 255, 255), Rgb(0, 0, 0))
    assert len({lettering.plate(text, ink).width_px for text in ("11:11:11", "00:00:00", "12:34:56")}) == 1
    widest = lettering.plate("00", ink)
    assert widest.luma[:, -3:].max() <= 20, "nothing is cut off"


@pytest.mark.parametrize(("width_px", "height_px"), [(2, 2), (16, 16), (64, 48), (166, 90), (854, 480), (1920, 1080)])
@pytest.mark.parametrize("is_full_range", [False, True])
def test_every_size_can_be_drawn_on(width_px: int, height_px: int, is_full_range: bool) -> None:
    full = Drawing(
        (DrawnLine(((0.1, 0.2), (0.9, 0.8)), "lane", 1_000_000, 0, True),),
        (DrawnZone(((0.1, 0.1), (0.9, 0.1), (0.5, 1.0)), "square", "12", True),),
        "a title that is longer than a small picture is wide " * 3,
        "2026-11-28 03:10:35 UTC",
        tuple(f"note {number}" for number in range(20)),
    )
    frame = masked(1, width_px, height_px, is_full_range=is_full_range)
    luma, chroma, _ = drawn(full, frame)
    assert luma.any()
    assert chroma.any()


def test_what_is_kept_for_the_next_picture_is_bounded() -> None:
    annotator = Annotator()
    frame = masked()
    for number in range(700):
        annotator.annotate(frame, Drawing(notes=(str(number),), zones=(DrawnZone(((0, 0), (1, 0), (1, number / 700)), "", ""),)))
    board = annotator._board
    assert board is not None
    assert len(board._plates) <= 512
    assert len(board._strokes) <= 512


def test_another_size_of_picture_is_drawn_anew() -> None:
    annotator = Annotator()
    drawing = Drawing(title="gate", zones=(DrawnZone(((0.2, 0.3), (0.8, 0.3), (0.5, 0.8)), "square", "1"),))
    annotator.annotate(masked(), drawing)
    again = annotator.annotate(masked(2, 640, 360), drawing)
    assert np.array_equal(again.i420, Annotator().annotate(masked(2, 640, 360), drawing).i420)


def test_a_drawing_can_be_encoded_like_any_masked_picture() -> None:
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX)
    packets = [*encoder.encode(Annotator().annotate(masked(), Drawing(title="gate"))), *encoder.flush()]
    assert len(packets) == 1


# The choke point


def test_what_draws_knows_no_raw_frame() -> None:
    for module in (annotate, plates, strokes):
        assert not hasattr(module, "Frame")
    assert set(inspect.get_annotations(Annotator.annotate).values()) == {"MaskedFrame", "Drawing"}


def test_words_are_drawn_with_a_font_that_came_along() -> None:
    assert cv2.FontFace("sans").getName() == "sans"
