from __future__ import annotations

import cv2
import numpy as np
import pytest

from lamppost.base.errors import MediaError
from lamppost.mask.paint import Palette, Rgb
from lamppost.mask.stills import cover_still, encode_still, mask_still
from lamppost.model.vision import Box, CoverCause, Detection, Kind

FACE = Detection(Kind.FACE, Box(60, 60, 80, 90), 0.9)


def noise(seed: int) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (200, 150, 3), np.uint8)


@pytest.mark.parametrize("suffix", [".jpg", ".png", ".webp", ".bmp", ".TIFF"])
def test_pixels_under_a_mask_do_not_affect_one_byte(suffix: str) -> None:
    first, second = noise(1), noise(1)
    (mask,) = mask_still(first, [FACE], Palette()).masks
    second[mask.y0 : mask.y1, mask.x0 : mask.x1] = noise(2)[mask.y0 : mask.y1, mask.x0 : mask.x1]
    encoded = [encode_still(mask_still(each, [FACE], Palette()), suffix) for each in (first, second)]
    assert encoded[0] == encoded[1]


def test_colours_and_the_rest_of_the_picture_stay() -> None:
    image = noise(1)
    before = image.copy()
    still = mask_still(image, [FACE], Palette.of_one(Rgb(250, 10, 20)))
    assert np.array_equal(image, before)
    decoded = cv2.imdecode(np.frombuffer(encode_still(still, ".png"), np.uint8), cv2.IMREAD_COLOR)[:, :, ::-1]
    (mask,) = still.masks
    assert decoded[mask.y0, mask.x0].tolist() == [250, 10, 20]
    outside = np.ones(image.shape[:2], np.bool_)
    outside[mask.y0 : mask.y1, mask.x0 : mask.x1] = False
    assert np.array_equal(decoded[outside], before[outside])


def test_a_cover_tells_nothing() -> None:
    first, second = cover_still(noise(1), Palette()), cover_still(noise(2), Palette())
    assert np.array_equal(first.rgb, second.rgb)
    assert first.covered is CoverCause.PRESET


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(MediaError, match="cannot be written"):
        encode_still(cover_still(noise(1), Palette()), ".xyz")
