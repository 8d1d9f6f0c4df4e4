"""From frames and stills to what a network takes in: scaled, in its order of colours, written right into a batch."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.crops import Crop
from lamppost.detect.entry import Colours
from lamppost.detect.values import scale_into
from lamppost.model.i420 import chroma_of, luma_of, narrowed
from lamppost.model.vision import Frame, Region

_PADDING: Final = 114  # the grey that YOLOX was trained with around its pictures
_CONVERSIONS: Final = {Colours.RGB: cv2.COLOR_YUV2RGB_I420, Colours.BGR: cv2.COLOR_YUV2BGR_I420}


def show_frame(frame: Frame, crop: Crop, target: NDArray[np.uint8], colours: Colours) -> None:
    """Write a part of `frame` into `target`, shape (3, height, width), as the network wants it.

    The planes are scaled first and converted after: fewer pixels to convert. BT.601, as FFmpeg and OpenCV assume by default.
    """
    planes = _planes(frame, crop)
    if frame.is_full_range:
        planes = narrowed(planes)
    _write(np.asarray(cv2.cvtColor(planes, _CONVERSIONS[colours]), np.uint8), target)


def show_still(image: NDArray[np.uint8], crop: Crop, target: NDArray[np.uint8], colours: Colours) -> None:
    """Write all of a still, shape (height, width, 3), RGB, into `target`, as `show_frame` does."""
    size = crop.shown
    shrinks = size[0] < image.shape[1] and size[1] < image.shape[0]
    small = np.asarray(cv2.resize(image, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR), np.uint8)
    _write(small if colours is Colours.RGB else small[:, :, ::-1], target)


def _planes(frame: Frame, crop: Crop) -> NDArray[np.uint8]:
    """The crop as I420 at its shown size; the frame's own planes where that is all of it."""
    width, height = crop.shown
    part = crop.part
    if part == Region(0, 0, width, height) and (width, height) == (frame.width_px, frame.height_px):
        return frame.i420
    planes = np.empty((height * 3 // 2, width), np.uint8)
    rows, columns = slice(part.y0 // 2, part.y1 // 2), slice(part.x0 // 2, part.x1 // 2)
    scale_into(frame.luma[part.y0 : part.y1, part.x0 : part.x1], luma_of(planes))
    for plane, small in zip(chroma_of(frame.i420), chroma_of(planes), strict=True):
        scale_into(plane[rows, columns], small)
    return planes


def _write(picture: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    height, width = picture.shape[:2]
    cv2.split(picture, [channel[:height, :width] for channel in target])
    target[:, height:] = _PADDING
    target[:, :height, width:] = _PADDING
