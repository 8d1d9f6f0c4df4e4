"""Persons, bicycles and vehicles in one picture, as boxes, by a network that asks questions instead of looking at a grid: RF-DETR.

RF-DETR (Robinson et al., "RF-DETR: Neural Architecture Search for Real-Time Detection Transformers", 2025,
arXiv:2511.09554) answers a few hundred
queries, each with a box in shares of the picture (centre, width, height) and a number for each label, of which
the logistic function makes a score. Files that also draw the outlines of things are run without that: those outputs are
cut off (see `graph`).
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.crops import Size
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.grids import choose_best
from lamppost.detect.looking import Candidates, NetworkDetector, Options
from lamppost.detect.network import Outputs

USUAL_SCORE: Final = 0.3
_LEAST_SCORE: Final = 1e-4
_FARTHEST: Final = 2.0  # in sides of the picture; a runaway number must not become a box without bounds


@dataclass(frozen=True, slots=True)
class _RfDetrReading:
    """`kind_of_column` has for each column of scores the position of its kind, shape (c,)."""

    kind_of_column: NDArray[np.intp]
    usual_score: float = USUAL_SCORE
    most_overlap: float = 0.7  # queries hardly ever answer with the same thing twice: two people may stand close
    keeps_shape: bool = False

    def read(self, outputs: Outputs, index: int, canvas: Size, least_score: float) -> Candidates:
        answers = outputs[OutputRole.SCORE, 0][index]
        # A query has one kind: that of its best answer.
        column = answers.argmax(axis=1)
        strength = answers[np.arange(len(answers)), column]
        least = min(max(least_score, _LEAST_SCORE), 1 - _LEAST_SCORE)
        best = choose_best(strength, math.log(least / (1 - least)))
        scores = 1 / (1 + np.exp(-np.clip(strength[best], -50, 50)))
        boxes = _corners(outputs[OutputRole.BOX, 0][index][best]) * np.array([*canvas, *canvas], np.float32)
        return Candidates(boxes, scores.astype(np.float32), self.kind_of_column[column[best]])


def _corners(raw: NDArray[np.float32]) -> NDArray[np.float32]:
    """Boxes (n, 4) as x0, y0, x1, y1, of `raw`: centre x and y, width, height; all in shares of the picture."""
    bounded = np.clip(np.nan_to_num(raw, nan=0.0), -_FARTHEST, _FARTHEST)
    halves = np.maximum(bounded[:, 2:], 0) / 2
    return np.concatenate([bounded[:, :2] - halves, bounded[:, :2] + halves], axis=1).astype(np.float32)


class RfDetrDetector(NetworkDetector):
    """Finds what its entry's labels count as, with RF-DETR and what answers in the same way.

    Pictures are stretched, up or down, to the square that the network takes. Boxes of one kind hide each other where they
    overlap by seven tenths.
    """

    def __init__(self, *, entry: ModelEntry, **options: Unpack[Options]) -> None:
        kinds = entry.reported_kinds
        read = (entry.kinds[index] for index in entry.read_classes)
        columns = np.array([kinds.index(kind) for kind in read if kind is not None], np.intp)
        super().__init__(entry, _RfDetrReading(columns), **options)
