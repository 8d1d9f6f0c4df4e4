"""Reads boxes with ids as the MOTChallenge writes them: the truth, the public detections, and what a tracker made of these.

One line a box: `frame,id,left,top,width,height,confidence,…`, frames counted from 1, with commas or blanks between. The sets of 2015
go on with a point of the world (10 columns in all); later ones with a class and a visibility. Sources:
Leal-Taixé et al., "MOTChallenge 2015", 2015, arXiv:1504.01942; Milan et al., "MOT16", 2016, arXiv:1603.00831.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamppost.base.errors import ConfigError

PEDESTRIAN: Final = 1
# A box that finds one of these is neither right nor wrong: people on vehicles, standing figures, reflections, what distracts.
DISTRACTORS: Final = frozenset({2, 7, 8, 12})
_SHAPE: Final = "lines are frame,id,left,top,width,height,confidence,… with frames counted from 1"
_FIRST_COLUMNS: Final = 6
_WORLD_COLUMNS: Final = 10
_LONGEST: Final = 1_000_000  # frames; more is a slip of the pen, and would take the memory of the machine


@dataclass(frozen=True, slots=True)
class MotBoxes:
    """The boxes of one file, in its order: arrays of the same length.

    `frames` count from 0. `boxes_xywh_px` has shape (n, 4), float64. `classes` are 0 where the file has none.
    """

    frames: NDArray[np.int64]
    ids: NDArray[np.int64]
    boxes_xywh_px: NDArray[np.float64]
    confidences: NDArray[np.float64]
    classes: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.frames)

    @property
    def frame_count(self) -> int:
        """Frames up to the last one that has a box."""
        return int(self.frames.max()) + 1 if len(self) else 0

    def rows_by_frame(self, frame_count: int) -> list[NDArray[np.intp]]:
        """Which rows are of each of the first `frame_count` frames, in the order of the file."""
        order = np.argsort(self.frames, kind="stable")
        cuts = np.searchsorted(self.frames[order], np.arange(frame_count + 1))
        return [order[begin:end] for begin, end in pairwise(cuts.tolist())]


def read_boxes(path: Path) -> MotBoxes:
    """All boxes in `path`; raises `ConfigError` with the line that is wrong."""
    rows: list[list[float]] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read as text", remedy=_SHAPE) from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            rows.append(_parse(line, f"{path}, line {number}"))
    values = np.array(rows, np.float64).reshape(-1, 8)
    return MotBoxes(
        values[:, 0].astype(np.int64) - 1, values[:, 1].astype(np.int64), values[:, 2:6], values[:, 6], values[:, 7].astype(np.int64)
    )


def read_tracks(path: Path) -> MotBoxes:
    """As `read_boxes`, with ids that are there, and each at most once in a frame."""
    tracks = read_boxes(path)
    _check_ids(path, tracks.frames, tracks.ids)
    return tracks


def read_truth(path: Path) -> MotBoxes:
    """As `read_tracks`; the ids of what is not to be judged may be anything."""
    truth = read_boxes(path)
    if not len(truth):
        raise ConfigError(f"the truth {path} is empty")
    judged = truth.confidences != 0
    _check_ids(path, truth.frames[judged], truth.ids[judged])
    return truth


def _check_ids(path: Path, frames: NDArray[np.int64], ids: NDArray[np.int64]) -> None:
    if len(ids) and ids.min() < 0:
        raise ConfigError(f"{path} has boxes without an id", remedy="are these detections, and no tracks?")
    order = np.lexsort((ids, frames))
    again = (np.diff(frames[order]) == 0) & (np.diff(ids[order]) == 0)
    if again.any():
        first = order[int(np.argmax(again))]
        raise ConfigError(f"{path}: frame {frames[first] + 1} has the id {ids[first]} twice")


def _parse(line: str, where: str) -> list[float]:
    """Frame, id, left, top, width, height, confidence, class."""
    try:
        values = [float(value) for value in line.replace(",", " ").split()]
    except ValueError as error:
        raise ConfigError(f"{where}: holds what is no number", remedy=_SHAPE) from error
    # The columns past the seventh may say "unknown" in words of their own.
    first = values[:7]
    if len(values) < _FIRST_COLUMNS or not np.isfinite(first).all() or min(values[4:6]) < 0 or max(map(abs, first)) > 2**53:
        raise ConfigError(f"{where}: is no box", remedy=_SHAPE)
    if not 1 <= values[0] <= _LONGEST or values[0] % 1 or values[1] % 1:
        raise ConfigError(f"{where}: frame {values[0]:g} and id {values[1]:g} are not whole numbers, from 1 on", remedy=_SHAPE)
    confidence = values[6] if len(values) > _FIRST_COLUMNS else 1.0
    has_class = 8 <= len(values) < _WORLD_COLUMNS and values[7] >= 0 and values[7] % 1 == 0
    return [*values[:_FIRST_COLUMNS], confidence, values[7] if has_class else 0.0]
