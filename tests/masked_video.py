"""A camera's masked video for tests: something hidden goes over a grey street, from the left to the right."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamppost.base.clock import US_PER_S, us_from_90k
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Covers, Palette, align, paint
from lamppost.model.books import JournalRecord, Rendition, SegmentEnd
from lamppost.model.vision import Box, CoverCause, Fill, Frame, MaskedFrame
from recorded import Recording

WIDTH_PX, HEIGHT_PX, FPS = 640, 368, 10
CROSSING_S = 8.0  # from one side to the other


@cache
def _noise() -> NDArray[np.uint8]:
    return np.random.default_rng(1).normal(110, 4, (HEIGHT_PX, WIDTH_PX)).clip(16, 235).astype(np.uint8)


def street(pts_90k: int, wall_us: int = 0) -> Frame:
    """An empty street with the noise of a camera."""
    i420 = np.full((HEIGHT_PX * 3 // 2, WIDTH_PX), 128, np.uint8)
    i420[:HEIGHT_PX] = np.roll(_noise(), pts_90k // 9000 * 37)
    return Frame(i420, pts_90k, wall_us)


def walker(at_s: float) -> Box:
    """Where the one who walks is hidden."""
    x = (at_s % CROSSING_S) / CROSSING_S * (WIDTH_PX + 80) - 80
    return Box(x, 120, x + 60, 280)


def pictures(seconds: float, *, start_us: int, covered_s: tuple[float, float] = (0, 0)) -> Iterator[MaskedFrame]:
    covers = Covers(Palette())
    for index in range(round(seconds * FPS)):
        pts_90k = index * 90_000 // FPS
        frame = street(pts_90k, start_us + us_from_90k(pts_90k))
        if covered_s[0] <= index / FPS < covered_s[1]:
            yield covers.cover(frame, CoverCause.OVERLOAD)
            continue
        mask = align(walker(index / FPS), Fill.OTHER, WIDTH_PX, HEIGHT_PX)
        yield paint(frame, [mask] if mask else [], Palette())


def record_masked(root: Path, seconds: float, *, start_us: int, covered_s: tuple[float, float] = (0, 0)) -> list[JournalRecord]:
    """Masked segments of the camera `plaza` below `root`, and what was journalled of them."""
    recording = Recording(root)
    recording.clock.step_wall((start_us - recording.clock.wall_us()) / US_PER_S)
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, frame_interval_90k=90_000 // FPS, is_live=True)
    writer = None
    for picture in pictures(seconds, start_us=start_us, covered_s=covered_s):
        for packet in encoder.encode(picture):
            writer = writer or recording.writer(Rendition.MASKED, encoder.parameters, segment_s=10.0)
            writer.write(packet)
            recording.clock.advance(1 / FPS)
    assert writer is not None
    writer.close(SegmentEnd.STOPPED)
    return recording.books
