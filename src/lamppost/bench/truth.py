"""What is really to be seen in clips and pictures: sets of boxes that people drew, or that a simulation knows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lamppost.model.vision import Box
from lamppost.pipeline.clip_masking import FrameSource


class Label(StrEnum):
    """What a box of the truth is; `ignore` is too small, too hidden or too doubtful to be judged."""

    FACE = "face"
    HEAD = "head"
    PLATE = "plate"
    PERSON = "person"
    BICYCLE = "bicycle"
    VEHICLE = "vehicle"
    IGNORE = "ignore"


SCORED = (Label.FACE, Label.HEAD, Label.PLATE)  # what may leak


@dataclass(frozen=True, slots=True)
class TruthBox:
    """One box in pixels of the picture. `track` tells the boxes of one thing from those of others; None in stills."""

    label: Label
    box: Box
    track: int | None = None


Boxes = Mapping[int, tuple[TruthBox, ...]]
"""By the number of the frame, from 0."""


@dataclass(frozen=True, slots=True)
class ClipSet:
    """A clip with its truth; `labels` are those that were annotated throughout. `open` opens its frames."""

    name: str
    labels: frozenset[Label]
    boxes: Boxes
    open: Callable[[], AbstractContextManager[FrameSource]]
    note: str = ""


@dataclass(frozen=True, slots=True)
class Still:
    """One picture, read when it is wanted, and its boxes."""

    name: str
    read: Callable[[], NDArray[np.uint8]]
    boxes: tuple[TruthBox, ...]


@dataclass(frozen=True, slots=True)
class StillSet:
    """Pictures with their truth."""

    name: str
    labels: frozenset[Label]
    stills: tuple[Still, ...]
    note: str = ""


TruthSet = ClipSet | StillSet


@dataclass(frozen=True, slots=True)
class Annotations:
    """What one file of boxes says: of the frames of a clip, or of pictures by their paths."""

    labels: frozenset[Label]
    frames: Boxes = field(default_factory=lambda: dict[int, tuple[TruthBox, ...]]())
    pictures: Mapping[str, tuple[TruthBox, ...]] = field(default_factory=lambda: dict[str, tuple[TruthBox, ...]]())


def label_of(name: str) -> Label | None:
    """What a name of other people's sets means, or None: `license_plate` is a plate, `pedestrian` a person."""
    plain = name.strip().lower().replace("-", "_").replace(" ", "_")
    return _NAMES.get(plain)


def _names() -> Iterator[tuple[str, Label]]:
    for label in Label:
        yield label.value, label
        yield f"{label.value}s", label
    for label, names in _OTHER_NAMES.items():
        for name in names:
            yield name, label


_OTHER_NAMES = {
    Label.PLATE: ("license_plate", "licence_plate", "licenseplate", "licence", "license", "number_plate", "numberplate", "lp"),
    Label.PERSON: ("pedestrian", "people", "human", "body"),
    Label.BICYCLE: ("bike", "cyclist"),
    Label.VEHICLE: ("car", "truck", "bus", "van", "motorcycle", "motorbike"),
    Label.IGNORE: ("ignored", "crowd", "distractor"),
}
_NAMES: Mapping[str, Label] = dict(_names())
