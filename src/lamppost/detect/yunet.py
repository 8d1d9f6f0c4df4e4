"""Faces in one picture, as boxes: YuNet, a tenth of CenterFace's work.

YuNet (Wu et al., "YuNet: A Tiny Millisecond-level Face Detector", Machine
Intelligence Research 20, 2023) gives for each cell of three grids a class score, an
objectness and a box; the score of a face is their product. Its points of faces
are cut off (see `network`).
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.catalogue import YUNET_N
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.grids import choose_best, decode_boxes, make_cells
from lamppost.detect.network import Network
from lamppost.detect.network_input import input_size, shrink_still, shrink_to_rgb, to_input
from lamppost.detect.suppression import suppress
from lamppost.model.vision import Box, Detection, Frame

_NMS_IOU = 0.45  # of the authors' test settings


class YuNetDetector:
    """Finds faces; every call stands for itself, nothing is kept between pictures.

    Pictures are scaled down to `long_side_px` (never up) and stretched to sides that
    are multiples of 32. The weights lie in the folder `models`, where
    `lamppost model pull` put them. Raises `ModelError` when they are missing or altered.
    """

    def __init__(
        self,
        *,
        entry: ModelEntry = YUNET_N,
        models: Path | None = None,
        threads: int = 1,
        score_threshold: float = 0.2,
        long_side_px: int | None = None,
        providers: tuple[str, ...] = ("CPUExecutionProvider",),
    ) -> None:
        self._network = Network(entry, models=models, threads=threads, providers=providers)
        self._kind = entry.reported_kinds[0]
        self._strides_px = tuple(sorted({output.strides_px[0] for output in entry.outputs}))
        self._score_threshold = score_threshold
        self._long_side_px = long_side_px or entry.input.long_side_px

    @property
    def model_sha256(self) -> str:
        """The pinned hash of the weights in use, for reports."""
        return self._network.entry.sha256

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """Faces of `frame` in its own pixel coordinates, best score first."""
        size = input_size(frame.width_px, frame.height_px, self._long_side_px)
        return self._infer(shrink_to_rgb(frame, size), frame.width_px, frame.height_px)

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """Faces of a still picture, shape (height, width, 3), RGB, any size, in its pixel coordinates."""
        height_px, width_px = image.shape[:2]
        return self._infer(shrink_still(image, input_size(width_px, height_px, self._long_side_px)), width_px, height_px)

    def _infer(self, small: NDArray[np.uint8], width_px: int, height_px: int) -> tuple[Detection, ...]:
        outputs = self._network.run(to_input(small, self._network.entry.input.colours))
        by_role = {
            role: np.concatenate([outputs[role, stride][0] for stride in self._strides_px])
            for role in (OutputRole.SCORE, OutputRole.OBJECTNESS, OutputRole.BOX)
        }
        height, width = small.shape[:2]
        cells = make_cells(width, height, self._strides_px)
        scores = np.clip(by_role[OutputRole.SCORE][:, 0], 0, 1) * np.clip(by_role[OutputRole.OBJECTNESS][:, 0], 0, 1)
        best = choose_best(scores, self._score_threshold)
        boxes, scores = decode_boxes(by_role[OutputRole.BOX][best], cells[best]), scores[best]
        np.clip(boxes, 0, (width, height, width, height), out=boxes)
        keep = suppress(boxes, scores, _NMS_IOU)
        boxes = boxes[keep] * np.array([width_px / width, height_px / height] * 2, np.float32)
        return tuple(
            Detection(self._kind, Box(*map(float, box)), min(1.0, float(score)))
            for box, score in zip(boxes, scores[keep], strict=True)
            if box[2] > box[0] and box[3] > box[1]
        )
