"""Faces in one picture, as boxes: CenterFace, with a vectorised decode.

CenterFace (Xu et al., 2019, arXiv:1911.03599) gives a heat map at a quarter of
the input's size, and for every cell the logarithm of the face's height and width
and the offset of its centre. Its landmark output is cut off (see `catalogue`).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Unpack

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.crops import Size
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.looking import Candidates, NetworkDetector, Options
from lamppost.detect.network import Outputs

USUAL_SCORE: Final = 0.2  # low on purpose: a face too many is masked, a face too few is shown
_CELL_PX: Final = 4  # of the heat map, in input pixels
_CANDIDATES: Final = 4096  # boxes that non-maximum suppression looks at, best first


@dataclass(frozen=True, slots=True)
class _CenterFaceReading:
    stride_px: int
    usual_score: float = USUAL_SCORE
    most_overlap: float = 0.3
    keeps_shape: bool = False

    def read(self, outputs: Outputs, index: int, canvas: Size, least_score: float) -> Candidates:
        del canvas  # the heat map has its shape
        heat, extent, offset = (outputs[role, self.stride_px][index] for role in (OutputRole.SCORE, OutputRole.SIZE, OutputRole.OFFSET))
        boxes, scores = decode(heat[0], extent, offset, least_score, self.stride_px)
        return Candidates(boxes, scores, np.zeros(len(scores), np.intp))


class FaceDetector(NetworkDetector):
    """Finds faces with CenterFace.

    Pictures are scaled down to `long_side_px` (never up), and whole ones stretched to sides that are multiples of 32.
    """

    def __init__(self, *, entry: ModelEntry = CENTERFACE, **options: Unpack[Options]) -> None:
        super().__init__(entry, _CenterFaceReading(entry.outputs[0].strides_px[0]), **options)


def decode(
    heat: NDArray[np.float32],
    size: NDArray[np.float32],
    offset: NDArray[np.float32],
    score_threshold: float,
    stride_px: int = _CELL_PX,
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4) as x0, y0, x1, y1 in input pixels and scores (n,), best first.

    `heat` has shape (h, w); `size` (log of height, width) and `offset` (y, x) have (2, h, w).
    """
    rows, columns = np.nonzero(heat > score_threshold)
    if not rows.size:  # as a rule
        return np.empty((0, 4), np.float32), np.empty(0, np.float32)
    scores = heat[rows, columns]
    order = np.argsort(-scores, kind="stable")[:_CANDIDATES]
    rows, columns, scores = rows[order], columns[order], scores[order]
    # NaN or a runaway logarithm must not become a box without bounds.
    extents = np.exp(np.clip(np.nan_to_num(size[:, rows, columns]), -8, 8)) * stride_px
    y = (rows + offset[0, rows, columns] + 0.5) * stride_px
    x = (columns + offset[1, rows, columns] + 0.5) * stride_px
    boxes = np.stack([x - extents[1] / 2, y - extents[0] / 2, x + extents[1] / 2, y + extents[0] / 2], axis=1)
    return boxes.astype(np.float32), scores.astype(np.float32)
