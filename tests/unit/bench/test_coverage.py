"""A face counts as covered by the pixels of its ellipse."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.bench.coverage import covered_share, draw_boxes, draw_masks
from lamppost.model.vision import Box, Fill, Mask

WIDTH, HEIGHT = 96, 64
boxes = st.builds(
    lambda x, y, w, h: Box(x, y, x + w, y + h), st.floats(-30, 100), st.floats(-30, 70), st.floats(0.5, 80), st.floats(0.5, 80)
)
masks = st.lists(
    st.builds(
        lambda x, y, w, h: Mask(16 * x, 16 * y, min(WIDTH, 16 * (x + w)), min(HEIGHT, 16 * (y + h)), Fill.PERSON),
        st.integers(0, 5),
        st.integers(0, 3),
        st.integers(1, 4),
        st.integers(1, 4),
    ),
    max_size=4,
)


@given(boxes, masks)
def test_the_share_is_that_of_counting_pixel_by_pixel(box: Box, drawn: list[Mask]) -> None:
    masked = draw_masks(drawn, WIDTH, HEIGHT)
    inside = [
        (x, y)
        for y in range(HEIGHT)
        for x in range(WIDTH)
        if ((x + 0.5 - (box.x0 + box.x1) / 2) / (box.width / 2)) ** 2 + ((y + 0.5 - (box.y0 + box.y1) / 2) / (box.height / 2)) ** 2 <= 1
    ]
    share = covered_share(box, masked)
    if not inside:
        assert share is None
    else:
        assert share == pytest.approx(sum(masked[y, x] for x, y in inside) / len(inside))


@given(boxes, masks)
def test_more_masks_never_cover_less(box: Box, drawn: list[Mask]) -> None:
    shares = [covered_share(box, draw_masks(drawn[:count], WIDTH, HEIGHT)) for count in range(len(drawn) + 1)]
    if shares[0] is not None:
        assert shares == sorted(share for share in shares if share is not None)
        assert covered_share(box, draw_masks([], WIDTH, HEIGHT, is_covered=True)) == 1.0


@given(st.lists(boxes, max_size=4))
def test_a_drawn_box_holds_what_it_touches(several: list[Box]) -> None:
    drawn = draw_boxes(several, WIDTH, HEIGHT)
    for box in several:
        inside = box.clipped(WIDTH, HEIGHT)
        if inside.width > 0 and inside.height > 0:
            assert drawn[int(inside.y0), int(inside.x0)]
    if not several:
        assert not np.any(drawn)
