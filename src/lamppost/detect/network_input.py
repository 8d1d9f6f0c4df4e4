"""From frames and stills to what a network takes in: scaled, in its order of colours, written right into a batch."""

from __future__ import annotations

from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.crops import Crop
from lamppost.detect.entry import Colours
from lamppost.detect.values import scale_down
from lamppost.model.i420 import chroma_of, narrowed
from lamppost.model.vision import Frame, Region

_PADDING: Final = 114  # the grey that YOLOX was trained with around its pictures
_CONVERSIONS: Final = {Colours.RGB: cv2.COLOR_YUV2RGB_I420, Colours.BGR: cv2.COLOR_YUV2BGR_I420}


def show_frame(frame: Frame, crop: Crop, target: NDArray[np.float32], colours: Colours) -> None:
    """Write a part of `frame` into `target`, shape (3, height, width), as the network wants it: 0 to 255.

    The planes are scaled first and converted after: fewer pixels to convert. BT.601, as FFmpeg and OpenCV assume by default.
    """
    planes = _planes(frame, crop)
    if frame.is_full_range:
        planes = narrowed(planes)
    _write(np.asarray(cv2.cvtColor(planes, _CONVERSIONS[colours]), np.uint8), target)


def show_still(image: NDArray[np.uint8], crop: Crop, target: NDArray[np.float32], colours: Colours) -> None:
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
    planes[:height] = scale_down(frame.luma[part.y0 : part.y1, part.x0 : part.x1], (width, height))
    for plane, small in zip(chroma_of(frame.i420), chroma_of(planes), strict=True):
        small[:] = scale_down(plane[rows, columns], (width // 2, height // 2))
    return planes


def _write(picture: NDArray[np.uint8], target: NDArray[np.float32]) -> None:
    height, width = picture.shape[:2]
    # Split as bytes and converted plane by plane: half the time of one strided pass.
    for channel, plane in zip(target, cv2.split(picture), strict=True):
        channel[:height, :width] = plane
    target[:, height:] = _PADDING
    target[:, :height, width:] = _PADDING
