"""What all detectors do alike: show a network crops of a frame in batches, and give its boxes back in the frame's pixels.

A detector of one layout adds how that layout's numbers are read (see `Reading`), and nothing else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol, TypedDict

import numpy as np
from numpy.typing import NDArray

from lamppost.detect.crops import Crop, Fit, Size
from lamppost.detect.entry import ModelEntry
from lamppost.detect.network import Network, Outputs
from lamppost.detect.network_input import show_frame, show_still
from lamppost.detect.providers import AUTO
from lamppost.detect.suppression import suppress_by_class, suppress_cut
from lamppost.model.providers import Provider
from lamppost.model.vision import Box, Detection, Frame, Kind, Region

_BORDER_PX: Final = 3  # of the input: what comes so near the border of a crop may go on beyond it
_OVERHANG: Final = 0.25  # of a crop's sides: so far beyond its crop may a box reach, where the picture goes on there

Show = Callable[[Crop, NDArray[np.uint8]], None]


class Runs(Protocol):
    """A network, or what stands before one: see `network.Network` and `shared.SharedNetwork`."""

    @property
    def entry(self) -> ModelEntry: ...

    def most_pictures(self, width_px: int, height_px: int) -> int: ...

    def run(self, pictures: NDArray[np.uint8]) -> Outputs: ...


@dataclass(frozen=True, slots=True)
class Candidates:
    """What a network says of one picture: boxes (n, 4) in input pixels, scores (n,), the positions of their kinds (n,)."""

    boxes: NDArray[np.float32]
    scores: NDArray[np.float32]
    kinds: NDArray[np.intp]

    def __getitem__(self, chosen: NDArray[np.intp]) -> Candidates:
        return Candidates(self.boxes[chosen], self.scores[chosen], self.kinds[chosen])


class Reading(Protocol):
    """How the numbers of one layout become boxes.

    `usual_score` is the least score that counts unless another is asked for; boxes of a kind that
    overlap by `most_overlap` are one; `keeps_shape` is true for networks that were trained on padded pictures.
    """

    @property
    def usual_score(self) -> float: ...
    @property
    def most_overlap(self) -> float: ...
    @property
    def keeps_shape(self) -> bool: ...

    def read(self, outputs: Outputs, index: int, canvas: Size, least_score: float) -> Candidates:
        """What the picture `index` of a batch of the size `canvas` shows, best score first; kinds as in the entry's `reported_kinds`."""
        ...


class Options(TypedDict, total=False):
    """What every detector takes; what is left out, or None, is as its layout has it.

    With a `network` given, `models`, `threads` and `providers` are its own affair.
    """

    models: Path | None
    threads: int
    score_threshold: float | None
    weak_score: float | None
    long_side_px: int | None
    providers: tuple[Provider, ...]
    network: Runs | None


class NetworkDetector:
    """Finds what its entry's labels count as; every call stands for itself, and nothing is kept between pictures.

    Crops of one size run as one batch, as many as `Network.most_pictures` says. With a `weak_score` it
    reports down to that score what may be nothing: enough to go on with what is followed, too little to begin with
    (see `start_score`). Threads may share it. Raises `ModelError` when the weights are missing or altered, or the network fails.
    """

    def __init__(
        self,
        entry: ModelEntry,
        reading: Reading,
        *,
        models: Path | None = None,
        threads: int = 1,
        score_threshold: float | None = None,
        weak_score: float | None = None,
        long_side_px: int | None = None,
        providers: tuple[Provider, ...] = AUTO,
        network: Runs | None = None,
    ) -> None:
        self._network = network or Network(entry, models=models, threads=threads, providers=providers)
        self._reading = reading
        self._start_score = reading.usual_score if score_threshold is None else score_threshold
        self._least_score = self._start_score if weak_score is None else min(weak_score, self._start_score)
        side_px = entry.input.long_side_px
        self._fit = Fit(side_px if entry.input.is_fixed else long_side_px or side_px, reading.keeps_shape, entry.input.is_fixed)
        self._kinds = entry.reported_kinds

    @property
    def model_sha256(self) -> str:
        """The pinned hash of the weights in use, for reports."""
        return self._network.entry.sha256

    @property
    def kinds(self) -> tuple[Kind, ...]:
        """What it can report."""
        return self._kinds

    @property
    def start_score(self) -> float:
        """The least score with which something may begin to be followed."""
        return self._start_score

    def detect(self, frame: Frame) -> tuple[Detection, ...]:
        """What is in `frame`, in its own pixel coordinates, best score first."""
        return self.detect_regions(frame, (Region(0, 0, frame.width_px, frame.height_px),))

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        """What is in these parts of `frame`, and around them as far as the network was shown it.

        In pixel coordinates of the frame, best score first; each thing once where regions overlap. What a
        region's border cuts is reported unless another region shows it better.
        """
        size, colours = (frame.width_px, frame.height_px), self._network.entry.input.colours
        return self._look(self._fit.crops(regions, size), size, lambda crop, target: show_frame(frame, crop, target, colours))

    def detect_rgb(self, image: NDArray[np.uint8]) -> tuple[Detection, ...]:
        """What is in a still picture, shape (height, width, 3), RGB, any size, in its pixel coordinates."""
        size, colours = (image.shape[1], image.shape[0]), self._network.entry.input.colours
        return self._look((self._fit.whole(size),), size, lambda crop, target: show_still(image, crop, target, colours))

    def _look(self, crops: Sequence[Crop], size: Size, show: Show) -> tuple[Detection, ...]:
        found: list[Candidates] = []
        cut: list[NDArray[np.bool_]] = []
        for batch in self._batches(crops):
            width, height = batch[0].canvas
            pictures = np.empty((len(batch), 3, height, width), np.uint8)
            for crop, target in zip(batch, pictures, strict=True):
                show(crop, target)
            outputs = self._network.run(pictures)
            for index, crop in enumerate(batch):
                seen = self._reading.read(outputs, index, crop.canvas, self._least_score)
                if len(seen.scores):
                    found.append(self._settle(seen, crop, size))
                    cut.append(_is_cut(found[-1].boxes, crop, size))
        return self._detections(found, cut)

    def _batches(self, crops: Iterable[Crop]) -> Iterator[list[Crop]]:
        """Crops of one size together, and no more of them than one run takes."""
        by_canvas: dict[Size, list[Crop]] = {}
        for crop in crops:
            by_canvas.setdefault(crop.canvas, []).append(crop)
        for canvas, same in by_canvas.items():
            most = self._network.most_pictures(*canvas)
            for start in range(0, len(same), most):
                yield same[start : start + most]

    def _settle(self, seen: Candidates, crop: Crop, size: Size) -> Candidates:
        """One box for each thing of one crop, in pixels of the whole picture."""
        part, (width, height) = crop.part, crop.shown
        over = (width * _OVERHANG, height * _OVERHANG)
        least = np.array([-over[0] * (part.x0 > 0), -over[1] * (part.y0 > 0)] * 2, np.float32)
        most = np.array([width + over[0] * (part.x1 < size[0]), height + over[1] * (part.y1 < size[1])] * 2, np.float32)
        np.clip(seen.boxes, least, most, out=seen.boxes)
        kept = seen[suppress_by_class(seen.boxes, seen.scores, seen.kinds, self._reading.most_overlap)]
        boxes = kept.boxes * np.array([(part.x1 - part.x0) / width, (part.y1 - part.y0) / height] * 2, np.float32)
        boxes += np.array([part.x0, part.y0] * 2, np.float32)
        return Candidates(np.clip(boxes, 0, np.array([*size, *size], np.float32)), kept.scores, kept.kinds)

    def _detections(self, found: Sequence[Candidates], cut: Sequence[NDArray[np.bool_]]) -> tuple[Detection, ...]:
        if not found:
            return ()
        seen = Candidates(
            np.concatenate([each.boxes for each in found]),
            np.concatenate([each.scores for each in found]),
            np.concatenate([each.kinds for each in found]),
        )
        if len(found) > 1:
            seen = seen[suppress_cut(seen.boxes, seen.scores, seen.kinds, np.concatenate(cut), self._reading.most_overlap)]
        kinds: list[int] = seen.kinds.tolist()
        return tuple(
            Detection(self._kinds[kind], Box(x0, y0, x1, y1), min(1.0, score))
            for (x0, y0, x1, y1), score, kind in zip(seen.boxes.tolist(), seen.scores.tolist(), kinds, strict=True)
            if x1 > x0 and y1 > y0
        )


def _is_cut(boxes: NDArray[np.float32], crop: Crop, size: Size) -> NDArray[np.bool_]:
    """True for boxes (n, 4) that reach a border of the crop behind which the picture goes on."""
    part = crop.part
    near_x, near_y = _BORDER_PX * (part.x1 - part.x0) / crop.shown[0], _BORDER_PX * (part.y1 - part.y0) / crop.shown[1]
    low = np.array([part.x0 + near_x if part.x0 > 0 else -1, part.y0 + near_y if part.y0 > 0 else -1])
    high = np.array(
        [part.x1 - near_x if part.x1 < size[0] else size[0] + 1, part.y1 - near_y if part.y1 < size[1] else size[1] + 1],
    )
    return np.asarray((boxes[:, :2] < low).any(axis=1) | (boxes[:, 2:] > high).any(axis=1), np.bool_)
