"""Faces in one picture, as boxes: CenterFace with a fast path from I420 and a vectorised decode.

CenterFace (Xu et al., 2019, arXiv:1911.03599) gives a heat map at a quarter of
the input's size, and for every cell the logarithm of the face's height and width
and the offset of its centre. Its landmark output is cut off (see `catalogue`).
"""

from __future__ import annotations

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import CENTERFACE, Network, OutputRole
from lamppost.model.vision import Box, Detection, Frame

_STRIDE = 32  # the network halves five times
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
        threads: int = 1,
        score_threshold: float = 0.2,
        long_side_px: int = 640,
        providers: tuple[str, ...] = ("CPUExecutionProvider",),
    ) -> None:
        self._network = Network(CENTERFACE, threads=threads, providers=providers)
        self._score_threshold = score_threshold
        self._long_side_px = long_side_px

    @property
    def model_sha256(self) -> str:
        """The pinned hash of the weights in use, for reports."""
        return CENTERFACE.sha256

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Faces of `frame` in its own pixel coordinates, best score first."""
        size = input_size(frame.width_px, frame.height_px, self._long_side_px)
        return self._infer(shrink_to_rgb(frame, size), frame.width_px, frame.height_px)

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """Faces of a still picture, shape (height, width, 3), RGB, any size, in its pixel coordinates."""
        height_px, width_px = image.shape[:2]
        width, height = input_size(width_px, height_px, self._long_side_px)
        shrinks = width < width_px and height < height_px
        small = cv2.resize(image, (width, height), interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)
        return self._infer(np.asarray(small, np.uint8), width_px, height_px)

    def _infer(self, small: NDArray[np.uint8], width_px: int, height_px: int) -> tuple[Detection, ...]:
        picture = np.ascontiguousarray(small.transpose(2, 0, 1)[np.newaxis], dtype=np.float32)
        outputs = self._network.run(picture)
        boxes, scores = decode(
            outputs[OutputRole.SCORE][0, 0], outputs[OutputRole.SIZE][0], outputs[OutputRole.OFFSET][0], self._score_threshold
        )
        height, width = small.shape[:2]
        np.clip(boxes, 0, (width, height, width, height), out=boxes)
        keep = suppress(boxes, scores, _NMS_IOU)
        boxes = boxes[keep] * np.array([width_px / width, height_px / height] * 2, np.float32)
        return tuple(
            Detection(CENTERFACE.kind, Box(*map(float, box)), min(1.0, float(score)))
            for box, score in zip(boxes, scores[keep], strict=True)
            if box[2] > box[0] and box[3] > box[1]
        )


def input_size(width_px: int, height_px: int, long_side_px: int) -> tuple[int, int]:
    """Width and height of the network's input for a picture: multiples of 32, rounded up."""
    scale = min(1.0, long_side_px / max(width_px, height_px))
    return (
        max(1, math.ceil(round(width_px * scale) / _STRIDE)) * _STRIDE,
        max(1, math.ceil(round(height_px * scale) / _STRIDE)) * _STRIDE,
    )


def shrink_to_rgb(frame: Frame, size: tuple[int, int]) -> NDArray[np.uint8]:
    """`frame` as RGB of `size` (width, height, both even), shape (height, width, 3).

    The planes are scaled first and converted after: a quarter or less of the
    pixels to convert. BT.601, as FFmpeg and OpenCV assume by default.
    """
    width, height = size
    half_w, half_h = frame.width_px // 2, frame.height_px // 2
    chroma = frame.i420[frame.height_px :].reshape(2, half_h, half_w)
    planes = np.empty((height * 3 // 2, width), np.uint8)
    _scale_plane(frame.luma, planes[:height])
    small_chroma = planes[height:].reshape(2, height // 2, width // 2)
    _scale_plane(chroma[0], small_chroma[0])
    _scale_plane(chroma[1], small_chroma[1])
    if frame.is_full_range:
        _narrow_range(planes, height)
    return np.asarray(cv2.cvtColor(planes, cv2.COLOR_YUV2RGB_I420), np.uint8)


def _scale_plane(plane: NDArray[np.uint8], target: NDArray[np.uint8]) -> None:
    shrinks = target.shape[0] < plane.shape[0] and target.shape[1] < plane.shape[1]
    size = (target.shape[1], target.shape[0])
    target[:] = cv2.resize(plane, size, interpolation=cv2.INTER_AREA if shrinks else cv2.INTER_LINEAR)


def _narrow_range(planes: NDArray[np.uint8], height: int) -> None:
    # OpenCV's conversion knows the limited range alone: luma 16 to 235, chroma 16 to 240.
    planes[:height] = np.rint(planes[:height] * np.float32(219 / 255) + 16)
    planes[height:] = np.rint((planes[height:] - np.float32(128)) * np.float32(224 / 255) + 128)


def decode(
    heat: NDArray[np.float32], size: NDArray[np.float32], offset: NDArray[np.float32], score_threshold: float
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Boxes (n, 4) as x0, y0, x1, y1 in input pixels and scores (n,), best first.

    `heat` has shape (h, w); `size` (log of height, width) and `offset` (y, x) have (2, h, w).
    """
    rows, columns = np.nonzero(heat > score_threshold)
    scores = heat[rows, columns]
    order = np.argsort(-scores, kind="stable")[:_CANDIDATES]
    rows, columns, scores = rows[order], columns[order], scores[order]
    # NaN or a runaway logarithm must not become a box without bounds.
    extents = np.exp(np.clip(np.nan_to_num(size[:, rows, columns]), -8, 8)) * _CELL_PX
    y = (rows + offset[0, rows, columns] + 0.5) * _CELL_PX
    x = (columns + offset[1, rows, columns] + 0.5) * _CELL_PX
    boxes = np.stack([x - extents[1] / 2, y - extents[0] / 2, x + extents[1] / 2, y + extents[0] / 2], axis=1)
    return boxes.astype(np.float32), scores.astype(np.float32)


def suppress(boxes: NDArray[np.float32], scores: NDArray[np.float32], iou: float) -> NDArray[np.intp]:
    """Indices of the boxes kept by greedy non-maximum suppression, best score first."""
    order = np.argsort(-scores, kind="stable")
    areas = (boxes[:, 2] - boxes[:, 0]) * (boxes[:, 3] - boxes[:, 1])
    kept: list[int] = []
    while order.size:
        best, rest = int(order[0]), order[1:]
        kept.append(best)
        sides = np.minimum(boxes[best, 2:], boxes[rest, 2:]) - np.maximum(boxes[best, :2], boxes[rest, :2])
        shared = np.prod(np.maximum(sides, 0), axis=1)
        order = rest[shared < iou * (areas[best] + areas[rest] - shared)]
    return np.array(kept, np.intp)
