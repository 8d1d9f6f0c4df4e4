"""A street in which one walker has a colour that nothing else has: whoever sees that colour in masked video has seen a leak."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from fractions import Fraction
from functools import cache
from pathlib import Path

import av
import cv2
import numpy as np

from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.i420 import planes_of
from lamppost.model.vision import Box, Detection, Frame, Kind, Region

WIDTH_PX, HEIGHT_PX, FPS, GOP = 320, 192, 10, 10
MARK = (110, 228, 228)  # Y, U, V: a violet that neither the street nor any mask comes near
_FOUND_FROM = 165  # the detector is keener than the judge: chroma bleeds where the camera encodes
_SHOWN_FROM = 200
_WALKER_PX = (26, 52)
_STEP_PX = 3


@cache
def _scenery() -> np.ndarray:
    return Street(StreetSettings(seed=4, people=0, vehicles=0, width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=FPS)).frame(0)


def walker_at(index: int) -> tuple[int, int]:
    """Left and top of the walker in picture `index`: from side to side, and slowly up and down the street."""
    way_px = WIDTH_PX - _WALKER_PX[0]
    done_px = index * _STEP_PX % (2 * way_px)
    x = done_px if done_px <= way_px else 2 * way_px - done_px
    return x & ~1, (60 + round(40 * np.sin(index / 23))) & ~1


def picture(index: int) -> np.ndarray:
    """Picture `index`, I420."""
    i420 = _scenery().copy()
    x, y = walker_at(index)
    width, height = _WALKER_PX
    for plane, level, half in zip(planes_of(i420), MARK, (1, 2, 2), strict=True):
        plane[y // half : (y + height) // half, x // half : (x + width) // half] = level
    return i420


@cache
def film(pictures: int) -> tuple[bytes, ...]:
    """The first `pictures` as a camera sends them: H.264, an access unit each, a keyframe with parameter sets every second."""
    context = av.CodecContext.create("libx264", "w")
    context.width, context.height, context.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
    context.time_base, context.framerate, context.thread_count = Fraction(1, FPS), Fraction(FPS), 1
    fixed = f"keyint={GOP}:min-keyint={GOP}:scenecut=0:repeat-headers=1:annexb=1"
    context.options = {"preset": "veryfast", "tune": "zerolatency", "crf": "24", "x264-params": fixed}
    units = []
    for index in range(pictures):
        frame = av.VideoFrame.from_ndarray(picture(index), format="yuv420p")
        frame.pts = index
        units += [bytes(packet) for packet in context.encode(frame)]
    assert len(units) == pictures
    return tuple(units)


def marked(i420: np.ndarray, least: int = _SHOWN_FROM) -> np.ndarray:
    """Which chroma samples have the walker's colour, shape (height / 2, width / 2)."""
    _luma, blue, red = planes_of(i420)
    return (blue > least) & (red > least)


class MarkDetector:
    """Finds the walker by its colour, in the parts that it is shown: a detector that is never wrong."""

    start_score = 0.5

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        shown = np.zeros((frame.height_px // 2, frame.width_px // 2), np.uint8)
        for region in regions:
            shown[region.y0 // 2 : region.y1 // 2, region.x0 // 2 : region.x1 // 2] = 1
        shown &= marked(frame.i420, _FOUND_FROM)
        count, _labels, stats, _centres = cv2.connectedComponentsWithStats(shown, connectivity=8)
        boxes = [Box(2 * x, 2 * y, 2 * (x + w), 2 * (y + h)) for x, y, w, h, _area in stats[1:count].tolist()]
        return tuple(Detection(Kind.FACE, box, 1.0) for box in boxes)


def marks_in(path: Path) -> Iterator[int]:
    """How many marked samples each picture of a masked clip shows, decoded anew."""
    with av.open(str(path)) as container:
        for decoded in container.decode(video=0):
            yield int(np.count_nonzero(marked(np.ascontiguousarray(decoded.reformat(format="yuv420p").to_ndarray()))))
