"""One picture of FFmpeg's, in any pixel format, as the I420 array that a `Frame` holds."""

from __future__ import annotations

from typing import cast

import av
import av.error
import cv2
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from lamppost.base.errors import MediaError
from lamppost.model.i420 import narrowed, planes_of
from lamppost.model.vision import Frame

_LEAST_HALVED_PX = 320
_PLANAR_420 = frozenset({"yuv420p", "yuvj420p"})


def to_i420(picture: av.VideoFrame) -> tuple[NDArray[np.uint8], bool]:
    """The picture as I420 and whether it uses the full range 0 to 255.

    8-bit 4:2:0 is copied as it is; everything else (4:2:2, 10 bit, grey, RGB)
    is converted to limited range. An odd last row or column is left out.

    Raises `MediaError` when the picture is smaller than 2x2 or cannot be converted.
    """
    if picture.width < 2 or picture.height < 2:
        raise MediaError(f"a picture of {picture.width}x{picture.height} is too small to mask")
    is_full_range = picture.format.name == "yuvj420p" or picture.color_range == ColorRange.JPEG.value
    if picture.format.name not in _PLANAR_420:
        name = picture.format.name
        try:
            picture = picture.reformat(format="yuv420p", dst_color_range=ColorRange.MPEG.value)
        except (av.error.FFmpegError, ValueError) as error:
            raise MediaError(f"the pixel format {name} cannot be converted") from error
        is_full_range = False
    return _copy_planes(picture), is_full_range


def _copy_planes(picture: av.VideoFrame) -> NDArray[np.uint8]:
    width, height = picture.width & ~1, picture.height & ~1
    i420 = np.empty((height * 3 // 2, width), np.uint8)
    flat = i420.reshape(-1)
    offset = 0
    for plane, shrink in zip(picture.planes, (1, 2, 2), strict=True):
        rows, columns = height // shrink, width // shrink
        memory = cast("memoryview", plane)  # a plane has the buffer interface; its type stub does not say so
        source = np.frombuffer(memory, np.uint8)[: rows * plane.line_size].reshape(rows, plane.line_size)
        flat[offset : offset + rows * columns].reshape(rows, columns)[:] = source[:, :columns]
        offset += rows * columns
    return i420


def turn(i420: NDArray[np.uint8], quarter_turns: int, *, is_mirrored: bool = False) -> NDArray[np.uint8]:
    """I420 turned counter-clockwise by quarters, after a flip left to right if mirrored."""
    if quarter_turns % 4 == 0 and not is_mirrored:
        return i420
    height, width = i420.shape[0] * 2 // 3, i420.shape[1]
    if quarter_turns % 2:
        height, width = width, height
    turned = np.empty((height * 3 // 2, width), np.uint8)
    for plane, target in zip(planes_of(i420), planes_of(turned), strict=True):
        target[:] = np.rot90(plane[:, ::-1] if is_mirrored else plane, quarter_turns)
    return turned


def halved_size(width_px: int, height_px: int) -> tuple[int, int]:
    """Half of both sides, even; a picture that would become narrower than 320 pixels keeps its size."""
    if width_px // 2 < _LEAST_HALVED_PX or height_px < 4:
        return width_px & ~1, height_px & ~1
    return width_px // 4 * 2, height_px // 4 * 2


def halve(i420: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """I420 scaled down by area averaging to its `halved_size`."""
    width, height = halved_size(i420.shape[1], i420.shape[0] * 2 // 3)
    if width == i420.shape[1]:
        return i420
    halved = np.empty((height * 3 // 2, width), np.uint8)
    for plane, target in zip(planes_of(i420), planes_of(halved), strict=True):
        target[:] = cv2.resize(plane, (target.shape[1], target.shape[0]), interpolation=cv2.INTER_AREA)
    return halved


def rgb_of(frame: Frame) -> NDArray[np.uint8]:
    """`frame` as RGB, shape (height, width, 3), by BT.601 as FFmpeg and OpenCV assume by default."""
    i420 = narrowed(frame.i420) if frame.is_full_range else frame.i420
    return np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2RGB_I420), np.uint8)
