from __future__ import annotations

import numpy as np
import pytest

from lamppost.detect.values import shrink
from lamppost.model.vision import Frame


@pytest.mark.parametrize(("width_px", "height_px"), [(640, 360), (320, 240), (176, 100), (8, 8)])
def test_a_small_picture_outlives_the_frame(width_px: int, height_px: int) -> None:
    """The frame is painted in place later on; what is compared with it then is what was seen."""
    pixels = np.random.default_rng(1).integers(0, 256, (height_px * 3 // 2, width_px), np.uint8)
    small = shrink(Frame(pixels, 0, 0))
    luma, chroma = small.luma.copy(), small.chroma.copy()
    pixels.fill(0)
    assert np.array_equal(small.luma, luma)
    assert np.array_equal(small.chroma, chroma)
