"""Masks are found again in masked video, after its encoder, and nothing else is taken for one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.decode.files import FileFrames
from lamppost.mask.paint import Blank, Covers, Palette, align, paint
from lamppost.mask.planner import padding_of
from lamppost.mask.reading import MaskReader, hidden_by
from lamppost.model.books import SegmentOpened
from lamppost.model.vision import Box, CoverCause, Fill, Frame, Kind, MaskedFrame
from masked_video import HEIGHT_PX, WIDTH_PX, record_masked, street, walker


def as_decoded(frame: MaskedFrame) -> Frame:
    return Frame(frame.i420, frame.pts_90k, frame.wall_us, frame.is_full_range)


@pytest.mark.parametrize("size", [(640, 368), (638, 358), (200, 100)])
@pytest.mark.parametrize("is_full_range", [False, True])
def test_a_mask_is_found_where_it_was_painted(size: tuple[int, int], is_full_range: bool) -> None:
    width_px, height_px = size
    noise = np.random.default_rng(1).integers(16, 235, (height_px * 3 // 2, width_px), np.uint8)
    mask = align(Box(40, 20, 90, 120), Fill.OTHER, width_px, height_px)
    assert mask is not None
    found = MaskReader().read(as_decoded(paint(Frame(noise, 0, 0, is_full_range), [mask], Palette())))
    assert found.boxes == (Box(mask.x0, mask.y0, mask.x1, mask.y1),)
    assert not found.is_covered


def test_a_covered_picture_says_so_and_an_empty_street_holds_nothing() -> None:
    cover = Covers(Palette()).cover_blank(Blank(640, 368), 0, 0, CoverCause.STARTING)
    assert MaskReader().read(as_decoded(cover)).is_covered
    empty = MaskReader().read(street(0))
    assert (empty.boxes, empty.share, empty.is_covered) == ((), 0.0, False)


def test_faces_on_a_moving_thing_belong_to_it_and_those_alone_are_left_out() -> None:
    masks = [align(Box(*box), fill, WIDTH_PX, HEIGHT_PX) for box, fill in (
        ((100, 100, 200, 300), Fill.OTHER), ((120, 100, 160, 140), Fill.PERSON), ((400, 100, 440, 140), Fill.PERSON),
    )]  # fmt: skip
    found = MaskReader().read(as_decoded(paint(street(0), [mask for mask in masks if mask], Palette())))
    assert found.boxes == (Box(96, 96, 208, 304),)


def test_masks_are_found_after_the_encoder(tmp_path: Path) -> None:
    books = record_masked(tmp_path, 3, start_us=1_700_000_000_000_000)
    opened = next(record for record in books if isinstance(record, SegmentOpened))
    reader, seen = MaskReader(), 0
    with FileFrames(tmp_path / opened.path) as frames:
        for index, frame in enumerate(frames):
            painted = align(walker(index / 10), Fill.OTHER, WIDTH_PX, HEIGHT_PX)
            expected = (Box(painted.x0, painted.y0, painted.x1, painted.y1),) if painted else ()
            assert reader.read(frame).boxes == expected
            seen += 1
    assert seen == 30


@settings(deadline=None)
@given(st.floats(0, 400), st.floats(0, 200), st.floats(20, 200), st.floats(20, 150))
def test_what_a_mask_hides_is_known_to_a_block(x: float, y: float, width: float, height: float) -> None:
    hidden = Box(x, y, x + width, y + height)
    mask = align(padding_of(Kind.OBJECT).around(hidden), Fill.OTHER, 4096, 4096)
    assert mask is not None
    guess = hidden_by(Box(mask.x0, mask.y0, mask.x1, mask.y1))
    assert guess.y1 == pytest.approx(hidden.y1, abs=16)
    # At the picture's edge a mask ends.
    if mask.x0 > 0:
        assert (guess.x0 + guess.x1) / 2 == pytest.approx((hidden.x0 + hidden.x1) / 2, abs=9)
