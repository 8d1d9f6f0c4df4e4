"""Persons, bicycles and vehicles in one picture, as boxes, whether they move or stand: YOLOX.

YOLOX (Ge et al., 2021, arXiv:2107.08430) gives for each cell of three grids a box,
an objectness and a score for each class; what counts is objectness times the
class score. Scores of classes that count as nothing here are not computed.
"""

from __future__ import annotations

import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import YOLOX_NANO
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.grids import choose_best, decode_boxes, make_cells
from lamppost.detect.network import Network
from lamppost.detect.network_input import letterbox_size, pad, shrink_still, shrink_to_rgb, to_input
from lamppost.detect.suppression import suppress_by_class
from lamppost.model.vision import Box, Detection, Frame, Kind

_STEP_PX = 32
_NMS_IOU = 0.5


class YoloxDetector:
    """Finds what its entry's labels count as; every call stands for itself.

    Pictures are scaled, their shape kept, so that the long side is `long_side_px`,
    and padded with grey to multiples of 32, or to the square that a fixed network
    wants. Boxes of one kind hide each other where they overlap by half; a rider
    stays beside the bicycle. Raises `ModelError` when the weights are missing or altered.
    """

    def __init__(
        self,
        *,
        entry: ModelEntry = YOLOX_NANO,
        models: Path | None = None,
        threads: int = 1,
        score_threshold: float = 0.25,
        long_side_px: int | None = None,
        providers: tuple[str, ...] = ("CPUExecutionProvider",),
    ) -> None:
        self._network = Network(entry, models=models, threads=threads, providers=providers)
        self._score_threshold = score_threshold
        self._is_fixed = entry.input.is_fixed
        self._long_side_px = entry.input.long_side_px if self._is_fixed or long_side_px is None else long_side_px
        self._strides_px = entry.outputs[0].strides_px
        read = [entry.kinds[index] for index in entry.read_classes]
        self._kinds = entry.reported_kinds
        # For each column of scores, the number of its kind.
        self._kind_of_column = np.array([self._kinds.index(kind) for kind in read if kind is not None], np.intp)

    @property
    def model_sha256(self) -> str:
        """The pinned hash of the weights in use, for reports."""
        return self._network.entry.sha256

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it can report."""
        return self._kinds

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """What is in `frame`, in its own pixel coordinates, best score first."""
        size = letterbox_size(frame.width_px, frame.height_px, self._long_side_px)
        return self._infer(shrink_to_rgb(frame, size), frame.width_px, frame.height_px)

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """What is in a still picture, shape (height, width, 3), RGB, any size, in its pixel coordinates."""
        height_px, width_px = image.shape[:2]
        return self._infer(shrink_still(image, letterbox_size(width_px, height_px, self._long_side_px)), width_px, height_px)

    def _infer(self, small: NDArray[np.uint8], width_px: int, height_px: int) -> tuple[Detection, ...]:
        height, width = small.shape[:2]
        sides = (self._long_side_px, self._long_side_px) if self._is_fixed else (_round_up(width), _round_up(height))
        outputs = self._network.run(to_input(pad(small, sides), self._network.entry.input.colours))
        boxes, scores, kinds = decode(
            outputs[OutputRole.BOX_AND_SCORE, self._strides_px[0]][0],
            make_cells(*sides, self._strides_px),
            self._kind_of_column,
            self._score_threshold,
        )
        np.clip(boxes, 0, (width, height, width, height), out=boxes)
        keep = suppress_by_class(boxes, scores, kinds, _NMS_IOU)
        boxes = boxes[keep] * np.array([width_px / width, height_px / height] * 2, np.float32)
        return tuple(
            Detection(self._kinds[int(kind)], Box(*map(float, box)), min(1.0, float(score)))
            for box, score, kind in zip(boxes, scores[keep], kinds[keep], strict=True)
            if box[2] > box[0] and box[3] > box[1]
        )


def _round_up(side_px: int) -> int:
    return math.ceil(side_px / _STEP_PX) * _STEP_PX


def decode(
    rows: NDArray[np.float32], cells: NDArray[np.float32], kind_of_column: NDArray[np.intp], score_threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32], NDArray[np.intp]]:
    """Boxes (n, 4) in input pixels, scores (n,) and the numbers of their kinds (n,), best first.

    `rows` has shape (cells, 5 + c): a raw box, the objectness, c class scores, the last two 0 to 1;
    `cells` as `make_cells` gives them. A cell has one kind: that of its best score.
    """
    parts = np.clip(rows[:, 4:], 0, 1)
    column = parts[:, 1:].argmax(axis=1)
    scores = parts[:, 0] * parts[np.arange(len(rows)), 1 + column]
    best = choose_best(scores, score_threshold)
    return decode_boxes(rows[best, :4], cells[best]), scores[best], np.asarray(kind_of_column[column[best]], np.intp)
