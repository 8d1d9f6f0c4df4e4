"""Faces in one picture, as boxes: YuNet, a fifth of CenterFace's work.

YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine
Intelligence Research 20, 2023) gives for each cell of three grids a class score, an
objectness and a box; the score of a face is their product. Its points of faces
are cut off (see `network`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np

from lamppost.detect.catalogue import YUNET_N
from lamppost.detect.crops import Size
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.grids import choose_best, decode_boxes, locate_cells
from lamppost.detect.looking import Candidates, NetworkDetector, Options
from lamppost.detect.network import Outputs

USUAL_SCORE: Final = 0.2


@dataclass(frozen=True, slots=True)
class _YuNetReading:
    strides_px: tuple[int, ...]
    usual_score: float = USUAL_SCORE
    most_overlap: float = 0.45  # of the authors' test settings
    keeps_shape: bool = False

    def read(self, outputs: Outputs, index: int, canvas: Size, least_score: float) -> Candidates:
        score, objectness, box = (
            np.concatenate([outputs[role, stride][index] for stride in self.strides_px])
            for role in (OutputRole.SCORE, OutputRole.OBJECTNESS, OutputRole.BOX)
        )
        scores = np.clip(score[:, 0], 0, 1) * np.clip(objectness[:, 0], 0, 1)
        best = choose_best(scores, least_score)
        cells = locate_cells(best, *canvas, self.strides_px)
        return Candidates(decode_boxes(box[best], cells), scores[best], np.zeros(len(best), np.intp))


class YuNetDetector(NetworkDetector):
    """Finds faces with YuNet.

    Pictures are scaled down to `long_side_px` (never up), and whole ones stretched to sides that
    are multiples of 32. The weights lie in the folder `models`, where `lamppost model pull` put them.
    """

    def __init__(self, *, entry: ModelEntry = YUNET_N, **options: Unpack[Options]) -> None:
        super().__init__(entry, _YuNetReading(tuple(sorted({output.strides_px[0] for output in entry.outputs}))), **options)
