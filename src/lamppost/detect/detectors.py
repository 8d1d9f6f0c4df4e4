"""Which detector reads which layout of the catalogue, and what all of them promise."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, Protocol, Unpack

import numpy as np
from numpy.typing import NDArray

from lamppost.detect import faces, rfdetr, yolox, yunet
from lamppost.detect.entry import Layout, ModelEntry
from lamppost.detect.looking import Options
from lamppost.model.vision import Detection, Frame, Kind, Region


class Detector(Protocol):
    """Finds things of some kinds in a picture, and keeps nothing of it."""

    @property
    def model_sha256(self) -> str: ...

    @property
    def kinds(self) -> tuple[Kind, ...]: ...

    @property
    def start_score(self) -> float: ...

    def detect(self, frame: Frame) -> tuple[Detection, ...]: ...

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]: ...

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]: ...


_DETECTORS: Final[dict[Layout, Callable[..., Detector]]] = {
    Layout.CENTERFACE: faces.FaceDetector,
    Layout.YUNET: yunet.YuNetDetector,
    Layout.YOLOX: yolox.YoloxDetector,
    Layout.RFDETR: rfdetr.RfDetrDetector,
}
_USUAL_SCORES: Final = {
    Layout.CENTERFACE: faces.USUAL_SCORE,
    Layout.YUNET: yunet.USUAL_SCORE,
    Layout.YOLOX: yolox.USUAL_SCORE,
    Layout.RFDETR: rfdetr.USUAL_SCORE,
}


def open_detector(entry: ModelEntry, **options: Unpack[Options]) -> Detector:
    """The detector that reads the layout of `entry`. Raises `ModelError`."""
    return _DETECTORS[entry.layout](entry=entry, **options)


def usual_score(entry: ModelEntry) -> float:
    """The least score that counts where no other is asked for."""
    return _USUAL_SCORES[entry.layout]
