"""Numbered pictures of a folder as the frames of a clip."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

import cv2
import numpy as np

from lamppost.base.clock import TICKS_PER_S, us_from_90k
from lamppost.base.errors import MediaError
from lamppost.decode.stills import read_still
from lamppost.model.vision import Frame


class PictureFrames:
    """The frames that `paths` show, one picture each, `fps` of them a second; limited range, BT.601.

    An odd last row or column is left out. Iterating raises `MediaError` when a picture cannot be read, or has another size.
    """

    def __init__(self, paths: Sequence[Path], fps: float) -> None:
        self._paths = tuple(paths)
        self._fps = fps

    @property
    def frame_interval_90k(self) -> int:
        """The time between two frames."""
        return max(1, round(TICKS_PER_S / self._fps))

    def again(self) -> PictureFrames:
        """The same pictures from the first."""
        return PictureFrames(self._paths, self._fps)

    def __iter__(self) -> Iterator[Frame]:
        size: tuple[int, int] | None = None
        for index, path in enumerate(self._paths):
            image = read_still(path)
            height, width = image.shape[0] & ~1, image.shape[1] & ~1
            if size not in (None, (width, height)) or min(width, height) < 2:
                raise MediaError(f"{path} is of another size than the pictures before it, or too small", remedy="a clip has one size")
            size = (width, height)
            planes = np.asarray(cv2.cvtColor(image[:height, :width], cv2.COLOR_RGB2YUV_I420), np.uint8)
            pts_90k = round(index * TICKS_PER_S / self._fps)
            yield Frame(planes, pts_90k, us_from_90k(pts_90k))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is open between two pictures."""
