"""Pictures and what is seen in them: frames, detections, tracks, masks.

Only `MaskedFrame` may leave the pipeline. Nothing here can name a person: a
detection has a kind, a score and a box, and no room for anything else.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from numpy.typing import NDArray

from lamppost.model.i420 import luma_of


class Kind(StrEnum):
    """The allow-list of what a detector may report."""

    FACE = "face"
    HEAD = "head"
    PLATE = "plate"
    PERSON = "person"
    BICYCLE = "bicycle"
    VEHICLE = "vehicle"
    OBJECT = "object"  # something that moves and is not in the background


COUNTED_KINDS = frozenset({Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE, Kind.OBJECT})
"""What may be counted (`rules.CountedKind`)."""


class Fill(StrEnum):
    """The colour groups of masks: one constant colour each."""

    PERSON = "person"
    VEHICLE = "vehicle"
    OTHER = "other"


class CoverCause(StrEnum):
    """Why a whole frame was covered, as kept in the index."""

    STARTING = "starting"  # no background and no detection yet
    DETECTOR_STALLED = "detector_stalled"
    DECODER_ERROR = "decoder_error"
    TIMESTAMP_GAP = "timestamp_gap"
    PACKETS_DROPPED = "packets_dropped"  # the analyst could not keep up
    SCENE_CHANGED = "scene_changed"  # the camera moved, or the light changed at once
    TURNED = "turned"  # somebody turns the camera
    OVERLOAD = "overload"  # the last step of overload
    PRESET = "preset"  # the preset `all`


class ReductionStep(StrEnum):
    """What the masked video gives up, one step after the other, where the machine cannot mask everything."""

    FEWER_FRAMES = "fewer_frames"
    LOWER_RESOLUTION = "lower_resolution"
    KEYFRAMES_ONLY = "keyframes_only"
    COVERED = "covered"


class Preset(StrEnum):
    """What is masked."""

    MOTION = "motion"  # faces and everything that moves: the default
    FACES = "faces"  # faces alone
    HEADS = "heads"  # faces, and the upper part of persons
    PERSONS = "persons"  # faces, and persons whole
    ALL = "all"  # the whole frame, for cameras that only count


@dataclass(frozen=True, slots=True)
class Frame:
    """One decoded picture, unmasked. It never leaves the pipeline.

    `i420` has shape (height * 3 / 2, width), dtype uint8, C-contiguous: the
    planes Y, U, V of 4:2:0, width and height even. `is_intact` is false when
    the decoder concealed damage, or when a reference was missing.
    """

    i420: NDArray[np.uint8]
    pts_90k: int
    wall_us: int
    is_full_range: bool = False
    is_intact: bool = True

    @property
    def width_px(self) -> int:
        return int(self.i420.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.i420.shape[0]) * 2 // 3

    @property
    def luma(self) -> NDArray[np.uint8]:
        """The Y plane as a view, shape (height, width)."""
        return luma_of(self.i420)


@dataclass(frozen=True, slots=True)
class Box:
    """An axis-aligned box in pixels: left and top inside, right and bottom outside."""

    x0: float
    y0: float
    x1: float
    y1: float

    @property
    def width(self) -> float:
        return self.x1 - self.x0

    @property
    def height(self) -> float:
        return self.y1 - self.y0

    @property
    def area(self) -> float:
        return max(0.0, self.width) * max(0.0, self.height)

    def union(self, other: Box) -> Box:
        """The smallest box that holds both."""
        return Box(min(self.x0, other.x0), min(self.y0, other.y0), max(self.x1, other.x1), max(self.y1, other.y1))

    def intersection(self, other: Box) -> float:
        """Shared area in square pixels."""
        width = min(self.x1, other.x1) - max(self.x0, other.x0)
        height = min(self.y1, other.y1) - max(self.y0, other.y0)
        return max(0.0, width) * max(0.0, height)

    def iou(self, other: Box) -> float:
        """Intersection over union, 0 to 1."""
        shared = self.intersection(other)
        return shared / (self.area + other.area - shared) if shared else 0.0

    def padded(self, ratio: float, least_px: float = 0.0) -> Box:
        """Grown on each side by `ratio` of its extent, at least by `least_px`."""
        dx, dy = max(self.width * ratio, least_px), max(self.height * ratio, least_px)
        return Box(self.x0 - dx, self.y0 - dy, self.x1 + dx, self.y1 + dy)

    def moved(self, dx: float, dy: float) -> Box:
        """The same box elsewhere."""
        return Box(self.x0 + dx, self.y0 + dy, self.x1 + dx, self.y1 + dy)

    def clipped(self, width_px: int, height_px: int) -> Box:
        """The part inside a picture of that size; may be empty."""
        return Box(max(0.0, self.x0), max(0.0, self.y0), min(float(width_px), self.x1), min(float(height_px), self.y1))


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a frame to look at: even sides in frame pixels, right and lower one outside."""

    x0: int
    y0: int
    x1: int
    y1: int

    @property
    def box(self) -> Box:
        return Box(self.x0, self.y0, self.x1, self.y1)


@dataclass(frozen=True, slots=True)
class Detection:
    """Something seen in one frame. `score` is 0 to 1; motion has score 1."""

    kind: Kind
    box: Box
    score: float


@dataclass(frozen=True, slots=True)
class Track:
    """Where a followed object is at one moment. The id is random, of one camera and one run, and means nothing elsewhere.

    `is_seen` is false where the box was carried on without a detection.
    """

    track_id: int
    kind: Kind
    box: Box
    is_seen: bool


@dataclass(frozen=True, slots=True)
class Observation:
    """What the detectors say of one frame.

    `is_settled` is false while the background is still being learnt;
    `is_scene_change` says that the whole picture changed at once, so that
    nothing known of it holds. `doubts` are places that may hold something all the
    same: too faint or too small for a detection, or just taken for background. `things` are what may be counted of the
    motion, each by itself, and `uncovered` the places where something that belonged to the background is gone, once each.
    """

    detections: tuple[Detection, ...]
    doubts: tuple[Box, ...] = ()
    is_settled: bool = True
    is_scene_change: bool = False
    things: tuple[Detection, ...] = ()
    uncovered: tuple[Box, ...] = ()


@dataclass(frozen=True, slots=True)
class Mask:
    """One box to fill, aligned to 16-pixel blocks."""

    x0: int
    y0: int
    x1: int
    y1: int
    fill: Fill


@dataclass(frozen=True, slots=True)
class MaskedFrame:
    """A picture that may be shown: every mask is painted, or all is covered.

    Made by `mask/` alone. `i420` as in `Frame`.
    """

    i420: NDArray[np.uint8]
    pts_90k: int
    wall_us: int
    masks: tuple[Mask, ...]
    covered: CoverCause | None
    is_full_range: bool = False

    @property
    def width_px(self) -> int:
        return int(self.i420.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.i420.shape[0]) * 2 // 3
