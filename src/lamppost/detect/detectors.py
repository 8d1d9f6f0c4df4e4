"""The detector that belongs to an entry of the catalogue: what all of them have in common, and which to open."""

from __future__ import annotations

from pathlib import Path
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.entry import Layout, ModelEntry
from lamppost.detect.faces import FaceDetector
from lamppost.detect.yolox import YoloxDetector
from lamppost.detect.yunet import YuNetDetector
from lamppost.model.vision import Detection, Frame


class Detector(Protocol):
    """Finds things of some kinds in a picture, and keeps nothing of it."""

    @property
    def model_sha256(self) -> str: ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]: ...

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]: ...


def open_detector(
    entry: ModelEntry,
    *,
    models: Path | None = None,
    threads: int = 1,
    score_threshold: float | None = None,
    long_side_px: int | None = None,
    providers: tuple[str, ...] = ("CPUExecutionProvider",),
) -> Detector:
    """The detector that reads the layout of `entry`; None means its own default. Raises `ModelError`."""
    if entry.layout is Layout.YOLOX:
        return YoloxDetector(
            entry=entry,
            models=models,
            threads=threads,
            score_threshold=0.25 if score_threshold is None else score_threshold,
            long_side_px=long_side_px,
            providers=providers,
        )
    face_detector = YuNetDetector if entry.layout is Layout.YUNET else FaceDetector
    return face_detector(
        entry=entry,
        models=models,
        threads=threads,
        score_threshold=0.2 if score_threshold is None else score_threshold,
        long_side_px=long_side_px or entry.input.long_side_px,
        providers=providers,
    )
