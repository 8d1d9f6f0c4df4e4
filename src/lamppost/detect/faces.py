"""Faces in one picture, as boxes: CenterFace with a fast path from I420 and a vectorised decode.

CenterFace (Xu et al., 2019, arXiv:1911.03599) gives a heat map at a quarter of
the input's size, and for every cell the logarithm of the face's height and width
and the offset of its centre. Its landmark output is cut off (see `catalogue`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import CENTERFACE
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.network import Network
from lamppost.detect.network_input import input_size, shrink_still, shrink_to_rgb, to_input
from lamppost.detect.suppression import suppress
from lamppost.model.vision import Box, Detection, Frame, Region

_CELL_PX = 4  # of the heat map, in input pixels
_NMS_IOU = 0.3
_CANDIDATES = 4096  # boxes that non-maximum suppression looks at, best first


class FaceDetector:
    """Finds faces; every call stands for itself, nothing is kept between pictures.

    `score_threshold` is low on purpose: a face too many is masked, a face
    too few is shown. Pictures are scaled down to `long_side_px` (never up) and
    stretched to sides that are multiples of 32. Raises `ModelError` when the
    weights are missing or altered.
    """

    def __init__(
        self,
        *,
        entry: ModelEntry = CENTERFACE,
        models: Path | None = None,
        threads: int = 1,
        score_threshold: float = 0.2,
        long_side_px: int = 640,
        providers: tuple[str, ...] = ("CPUExecutionProvider",),
    ) -> None:
        self._network = Network(entry, models=models, threads=threads, providers=providers)
        self._kind = entry.reported_kinds[0]
        self._stride_px = entry.outputs[0].strides_px[0]
        self._score_threshold = score_threshold
        self._long_side_px = long_side_px

    @property
    def model_sha256(self) -> str:
        """The pinned hash of the weights in use, for reports."""
        return self._network.entry.sha256

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Faces of `frame` in its own pixel coordinates, best score first."""
        size = input_size(frame.width_px, frame.height_px, self._long_side_px)
        return self._infer(shrink_to_rgb(frame, size), frame.width_px, frame.height_px)

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        """Faces in parts of `frame`, in its own pixel coordinates."""
        found: list[Detection] = []
        for region in regions:
            part = Frame(_crop(frame, region), frame.pts_90k, frame.wall_us, frame.is_full_range)
            found += [replace(each, box=each.box.moved(region.x0, region.y0)) for each in self.detect(part)]
        return tuple(found)

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """Faces of a still picture, shape (height, width, 3), RGB, any size, in its pixel coordinates."""
        height_px, width_px = image.shape[:2]
        width, height = input_size(width_px, height_px, self._long_side_px)
        return self._infer(shrink_still(image, (width, height)), width_px, height_px)

    def _infer(self, small: NDArray[np.uint8], width_px: int, height_px: int) -> tuple[Detection, ...]:
        outputs = self._network.run(to_input(small, self._network.entry.input.colours))
        heat, extent, offset = (outputs[role, self._stride_px][0] for role in (OutputRole.SCORE, OutputRole.SIZE, OutputRole.OFFSET))
        boxes, scores = decode(heat[0], extent, offset, self._score_threshold, self._stride_px)
        height, width = small.shape[:2]
        np.clip(boxes, 0, (width, height, width, height), out=boxes)
        keep = suppress(boxes, scores, _NMS_IOU)
        boxes = boxes[keep] * np.array([width_px / width, height_px / height] * 2, np.float32)
        return tuple(
            Detection(self._kind, Box(*map(float, box)), min(1.0, float(score)))
            for box, score in zip(boxes, scores[keep], strict=True)
            if box[2] > box[0] and box[3] > box[1]
        )


def _crop(frame: Frame, region: Region) -> NDArray[np.uint8]:
    if (region.x0, region.y0, region.x1, region.y1) == (0, 0, frame.width_px, frame.height_px):
        return frame.i420
    blue, red = frame.i420[frame.height_px :].reshape(2, frame.height_px // 2, frame.width_px // 2)
    rows, columns = slice(region.y0 // 2, region.y1 // 2), slice(region.x0 // 2, region.x1 // 2)
    luma = frame.luma[region.y0 : region.y1, region.x0 : region.x1]
    flat = np.concatenate([np.ascontiguousarray(plane).reshape(-1) for plane in (luma, blue[rows, columns], red[rows, columns])])
    return flat.reshape(-1, region.x1 - region.x0)


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
    scores = heat[rows, columns]
    order = np.argsort(-scores, kind="stable")[:_CANDIDATES]
    rows, columns, scores = rows[order], columns[order], scores[order]
    # NaN or a runaway logarithm must not become a box without bounds.
    extents = np.exp(np.clip(np.nan_to_num(size[:, rows, columns]), -8, 8)) * stride_px
    y = (rows + offset[0, rows, columns] + 0.5) * stride_px
    x = (columns + offset[1, rows, columns] + 0.5) * stride_px
    boxes = np.stack([x - extents[1] / 2, y - extents[0] / 2, x + extents[1] / 2, y + extents[0] / 2], axis=1)
    return boxes.astype(np.float32), scores.astype(np.float32)
