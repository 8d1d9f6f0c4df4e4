from __future__ import annotations

import av
import numpy as np
import pytest

from lamppost.base.errors import MediaError
from lamppost.decode.pictures import to_i420, turn
from lamppost.model.i420 import planes_of


def test_420_is_copied_byte_by_byte_and_odd_edges_are_left_out() -> None:
    picture = av.VideoFrame(35, 21, "yuv420p")
    rng = np.random.default_rng(3)
    expected = []
    for plane, (rows, columns) in zip(picture.planes, ((20, 34), (10, 17), (10, 17)), strict=True):
        pixels = rng.integers(0, 256, (plane.height, plane.line_size), np.uint8)
        plane.update(pixels.tobytes())
        expected.append(pixels[:rows, :columns])
    i420, is_full_range = to_i420(picture)
    assert i420.shape == (30, 34)
    assert not is_full_range
    for plane, pixels in zip(planes_of(i420), expected, strict=True):
        assert np.array_equal(plane, pixels)


def test_full_range_stays_full_range() -> None:
    picture = av.VideoFrame(16, 16, "yuvj420p")
    for plane in picture.planes:
        plane.update(b"\xff" * plane.buffer_size)
    i420, is_full_range = to_i420(picture)
    assert is_full_range
    assert i420.min() == 255


@pytest.mark.parametrize("name", ["yuv422p", "yuv444p", "yuv420p10le", "gray", "rgb24", "yuvj422p", "bgra", "pal8"])
def test_other_formats_become_420(name: str) -> None:
    grey = av.VideoFrame.from_ndarray(np.full((32, 48, 3), 200, np.uint8), format="rgb24")
    picture = grey if name == "pal8" else grey.reformat(format=name)
    i420, is_full_range = to_i420(picture)
    assert i420.shape == (48, 48)
    assert not is_full_range
    assert abs(float(i420[:32].mean()) - (16 + 200 / 255 * 219)) < 3
    assert abs(float(i420[32:].mean()) - 128) < 2


def test_too_small_a_picture_is_refused() -> None:
    with pytest.raises(MediaError, match="too small"):
        to_i420(av.VideoFrame(1, 16, "yuv420p"))


def test_turning_turns_all_planes() -> None:
    i420 = np.zeros((6, 8), np.uint8)  # 8 wide, 4 high
    planes_of(i420)[0][0, 0] = 9  # upper left
    planes_of(i420)[1][0, 0] = 7
    counter_clockwise = turn(i420, 1)
    assert counter_clockwise.shape == (12, 4)
    assert planes_of(counter_clockwise)[0][-1, 0] == 9
    assert planes_of(counter_clockwise)[1][-1, 0] == 7
    assert planes_of(turn(i420, 0, is_mirrored=True))[0][0, -1] == 9
    assert np.array_equal(turn(turn(i420, 1), 3), i420)
