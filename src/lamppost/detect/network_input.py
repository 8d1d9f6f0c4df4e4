"""From frames and stills to what a network takes in: scaled, in RGB or BGR, letterboxed or stretched."""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.entry import Colours
from lamppost.model.vision import Frame

_STRIDE = 32  # these networks halve five times
_PADDING = 114  # the grey that YOLOX was trained with around its pictures


def input_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height of the network's input for a picture: multiples of 32, rounded up."""
    scale = min(1.0, long_side_px / max(width_px, height_px))
    return (
        max(1, math.ceil(round(width_px * scale) / _STRIDE)) * _STRIDE,
        max(1, math.ceil(round(height_px * scale) / _STRIDE)) * _STRIDE,
    )


def shrink_to_rgb(frame: Frame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """`frame` as RGB of `size` (width, height, both even), shape (height, width, 3).

    The planes are scaled first and converted after: a quarter or less of the
    pixels to convert. BT.601, as FFmpeg and OpenCV assume by default.
    """
    width, height = size
    half_w, half_h = frame.width_px // 2, frame.height_px // 2
    chroma = frame.i420[frame.height_px :].reshape(2, half_h, half_w)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    _scale_plane(frame.luma, planes[:height])
    small_chroma = planes[height:].reshape(2, height // 2, width // 2)
    _scale_plane(chroma[0], small_chroma[0])
    _scale_plane(chroma[1], small_chroma[1])
    if frame.is_full_range:
        _narrow_range(planes, height)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420), np.uint8)


def _scale_plane(plane: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    shrinks = target.shape[0] < plane.shape[0] and target.shape[1] < plane.shape[1]
    size = (target.shape[1], target.shape[0])
    target[:] = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _narrow_range(planes: NDArray[np.uint8], height: int) -> None:
    # OpenCV's conversion knows the limited range alone: luma 16 to 235, chroma 16 to 240.
    planes[:height] = np.rint(planes[:height] * np.float32(219 / 255) + 16)
    planes[height:] = np.rint((planes[height:] - np.float32(128)) * np.float32(224 / 255) + 128)


def shrink_still(image: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A still, shape (height, width, 3), at `size` (width, height)."""
    shrinks = size[0] < image.shape[1] and size[1] < image.shape[0]
    return np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)


def letterbox_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height, both even, of a picture whose long side is scaled to `long_side_px`, up or down, and its shape kept."""
    scale = long_side_px / max(width_px, height_px)
    return max(2, 2 * round(width_px * scale / 2)), max(2, 2 * round(height_px * scale / 2))


def pad(small: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """`small` in the upper left of a grey picture of `size` (width, height)."""
    canvas = np.full((size[1], size[0], 3), _PADDING, np.uint8)
    canvas[: small.shape[0], : small.shape[1]] = small
    return canvas


def to_input(rgb: NDArray[np.uint8], colours: Colours) -> NDArray[np.float32]:
    """RGB of shape (height, width, 3) as (1, 3, height, width), float32, 0 to 255, in the network's order of channels."""
    channels = rgb if colours is Colours.RGB else rgb[:, :, ::-1]
    return np.ascontiguousarray(channels.transpose(2, 0, 1)[np.newaxis], dtype=np.float32)
