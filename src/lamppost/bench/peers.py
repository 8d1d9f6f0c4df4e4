"""Reference trackers, where they are installed: the same boxes go through them, for figures to stand beside.

The library is `trackers` by Roboflow (Apache-2.0): SORT (arXiv:1602.00763), ByteTrack (arXiv:2110.06864), OC-SORT (arXiv:2203.14360),
BoT-SORT (arXiv:2206.14651) and C-BIoU (arXiv:2211.14317). McByte needs the pictures and is left out; so is the correction of BoT-SORT
for a camera that moves.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib.util import find_spec
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from lamppost.bench.followers import Follower, Found

_CLASSES: Final[Mapping[str, str]] = MappingProxyType(
    {
        "SORT": "SORTTracker",
        "ByteTrack": "ByteTrackTracker",
        "OC-SORT": "OCSORTTracker",
        "BoT-SORT": "BoTSORTTracker",
        "C-BIoU": "CBIoUTracker",
    }
)


def has_peers() -> bool:
    """Whether the library is installed; it is no dependency of Lamppost."""
    return find_spec("trackers") is not None


def peers() -> tuple[Follower, ...]:
    """Each of them twice: with its defaults, and told the frame rate and the time of every frame."""
    return tuple(_Peer(name, is_timed=is_timed) for name in _CLASSES for is_timed in (False, True))


class _Peer:
    """One tracker of the library, made anew for each sequence."""

    def __init__(self, name: str, *, is_timed: bool) -> None:
        self.name = f"{name}, timed" if is_timed else name
        self._class = _CLASSES[name]
        self._is_timed = is_timed
        self._tracker: Any = None
        self._detections: Callable[..., Any] = dict

    def start(self, fps: float) -> None:
        # Imported here: they are optional, and slow to import.
        import supervision
        import trackers

        settings: dict[str, Any] = {"enable_cmc": False} if self._class == "BoTSORTTracker" else {}
        if self._is_timed:
            settings["frame_rate"] = fps
        self._tracker = getattr(trackers, self._class)(**settings)
        self._detections = supervision.Detections

    def prepare(self, boxes_xyxy_px: NDArray[np.float64], scores: NDArray[np.float64]) -> Any:
        return self._detections(xyxy=boxes_xyxy_px, confidence=scores)

    def update(self, at_s: float, prepared: Any) -> Any:
        return self._tracker.update(prepared, timestamp=at_s if self._is_timed else None)

    def read(self, answer: Any) -> Found:
        followed = answer.tracker_id >= 0
        return np.asarray(answer.tracker_id[followed], np.int64), np.asarray(answer.xyxy[followed], np.float64)
