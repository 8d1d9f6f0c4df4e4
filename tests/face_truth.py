"""Pictures with faces as frames, and the boxes that people drew around the faces."""

from __future__ import annotations

import xml.etree.ElementTree as ElementTree
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box, Frame


def frame_of(rgb: NDArray[np.uint8], is_full_range: bool = False) -> Frame:
    """A picture of even sides as the decoder would give it."""
    planes = np.asarray(cv2.cvtColor(rgb, cv2.COLOR_RGB2YUV_I420))
    if is_full_range:
        height = rgb.shape[0]
        planes = planes.astype(np.float32)
        planes[:height] = (planes[:height] - 16) * 255 / 219
        planes[height:] = (planes[height:] - 128) * 255 / 224 + 128
        planes = np.clip(np.rint(planes), 0, 255).astype(np.uint8)
    return Frame(planes, 0, 0, is_full_range=is_full_range)


def read_rgb(path: Path) -> NDArray[np.uint8]:
    return np.asarray(cv2.cvtColor(cv2.imread(str(path)), cv2.COLOR_BGR2RGB), np.uint8)


def truth_boxes(folder: Path) -> Iterator[tuple[str, list[Box]]]:
    """Each picture's name with its faces, as dlib's XML has them."""
    for name in ("training.xml", "testing.xml"):
        for image in ElementTree.parse(folder / name).getroot().iter("image"):  # noqa: S314 - our own test material
            sides = [[float(box.get(key, "0")) for key in ("left", "top", "width", "height")] for box in image.iter("box")]
            yield image.get("file", ""), [Box(x, y, x + w, y + h) for x, y, w, h in sides]
