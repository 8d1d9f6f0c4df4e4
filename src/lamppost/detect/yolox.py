"""Persons, bicycles and vehicles in one picture, as boxes, whether they move or stand: YOLOX.

YOLOX (Ge et al., 2021, arXiv:2107.08430) gives for each cell of three grids a box,
an objectness and a score for each class; what counts is objectness times the
class score. Scores of classes that count as nothing here are not computed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import YOLOX_NANO
from lamppost.detect.crops import Size
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.grids import choose_best, decode_boxes, locate_cells
from lamppost.detect.looking import Candidates, NetworkDetector, Options
from lamppost.detect.network import Outputs

USUAL_SCORE: Final = 0.25


@dataclass(frozen=True, slots=True)
class _YoloxReading:
    """`kind_of_column` has for each column of class scores the position of its kind, shape (c,)."""

    strides_px: tuple[int, ...]
    kind_of_column: NDArray[np.intp]
    usual_score: float = USUAL_SCORE
    most_overlap: float = 0.5
    keeps_shape: bool = True

    def read(self, outputs: Outputs, index: int, canvas: Size, least_score: float) -> Candidates:
        rows = outputs[OutputRole.BOX_AND_SCORE, self.strides_px[0]][index]
        # No score is higher than the objectness that it is multiplied with: nearly all cells are done with at once.
        cells = np.flatnonzero(rows[:, 4] > least_score)
        likely = rows[cells]
        labelled = likely[:, 5:]
        # A cell has one kind: that of its best score.
        scores = np.minimum(likely[:, 4], 1) * np.minimum(labelled.max(axis=1), 1)
        best = choose_best(scores, least_score)
        boxes = decode_boxes(likely[best, :4], locate_cells(cells[best], *canvas, self.strides_px))
        return Candidates(boxes, scores[best], self.kind_of_column[labelled[best].argmax(axis=1)])


class YoloxDetector(NetworkDetector):
    """Finds what its entry's labels count as, with YOLOX.

    Whole pictures are scaled, up or down, their shape kept, so that the long side is `long_side_px`,
    and padded with grey to multiples of 32, or to the square that a fixed network
    wants. Boxes of one kind hide each other where they overlap by half; a rider
    stays beside the bicycle.
    """

    def __init__(self, *, entry: ModelEntry = YOLOX_NANO, **options: Unpack[Options]) -> None:
        read = [entry.kinds[index] for index in entry.read_classes]
        kinds = entry.reported_kinds
        columns = np.array([kinds.index(kind) for kind in read if kind is not None], np.intp)
        super().__init__(entry, _YoloxReading(entry.outputs[0].strides_px, columns), **options)
