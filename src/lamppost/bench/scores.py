"""What masks let through and hide too much of, counted: see docs/reference/leak.md for the definitions."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from types import MappingProxyType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from lamppost.bench.coverage import LEAST_COVERED, covered_share, draw_boxes
from lamppost.bench.rates import Rate, percentile
from lamppost.bench.subjects import Masking
from lamppost.bench.truth import SCORED, Label, TruthBox
from lamppost.model.vision import Preset

RUN_FRAMES = 2  # so many leaking frames in a row make a track one that leaks


class Size(StrEnum):
    """The height of a box of the truth, in pixels of its picture."""

    TINY = "<12"
    SMALL = "12-24"
    LARGE = ">=24"

    @classmethod
    def of(cls, height_px: float) -> Size:
        return cls.TINY if height_px < 12 else cls.SMALL if height_px < 24 else cls.LARGE


# What each preset must mask: any of these alternatives, the first of which all labels are annotated.
MUST_MASK: Mapping[Preset, tuple[frozenset[Label], ...]] = MappingProxyType(
    {
        Preset.FACES: (frozenset({Label.FACE}), frozenset({Label.HEAD})),
        Preset.HEADS: (frozenset({Label.HEAD}), frozenset({Label.FACE})),
        Preset.PERSONS: (frozenset({Label.PERSON}),),
        Preset.MOTION: (frozenset({Label.PERSON}), frozenset({Label.VEHICLE})),
        Preset.ALL: (),
    }
)
_MOVING = frozenset({Label.PERSON, Label.VEHICLE, Label.BICYCLE})
_ALWAYS = frozenset({Label.FACE, Label.HEAD, Label.PLATE, Label.IGNORE})


@dataclass(slots=True)
class _TrackCourse:
    """Of one track: the frames in which it was judged, when they were, and whether it leaked there."""

    frames: list[int] = field(default_factory=lambda: list[int]())
    times_s: list[float] = field(default_factory=lambda: list[float]())
    leaks: list[bool] = field(default_factory=lambda: list[bool]())

    def longest(self, frame_s: float) -> tuple[int, float]:
        """The longest run of leaking frames that follow each other: how many, and seconds, its last frame included."""
        best, best_s, count, began_s = 0, 0.0, 0, 0.0
        for index, leaks in enumerate(self.leaks):
            if not leaks:
                count = 0
                continue
            follows = count and self.frames[index] == self.frames[index - 1] + 1
            count, began_s = (count + 1, began_s) if follows else (1, self.times_s[index])
            run_s = self.times_s[index] - began_s + frame_s
            if run_s > best_s:
                best, best_s = count, run_s
        return best, best_s


@dataclass(slots=True)
class Score:
    """What one subject did to one set. `frame_s` is the nominal time of a frame, None for stills."""

    preset: Preset
    labels: frozenset[Label]
    frame_s: float | None = None
    leaks: dict[tuple[Label, Size], Rate] = field(default_factory=lambda: dict[tuple[Label, Size], Rate]())
    causes: Counter[str] = field(default_factory=lambda: Counter[str]())
    frames: int = 0
    over: Rate = field(default_factory=lambda: Rate(0, 0))  # pixels
    over_uncovered: Rate = field(default_factory=lambda: Rate(0, 0))
    _tracks: dict[tuple[Label, int], _TrackCourse] = field(default_factory=lambda: dict[tuple[Label, int], _TrackCourse]())

    def add(self, index: int, masking: Masking, boxes: Sequence[TruthBox]) -> None:
        """Judge one picture, number `index` of its clip, against its truth."""
        self.frames += 1
        if masking.cause is not None:
            self.causes[masking.cause] += 1
        for box in boxes:
            if box.label in SCORED:
                self._judge(index, masking, box)
        if self.must_mask is not None:
            self._add_area(masking, boxes)

    @property
    def must_mask(self) -> frozenset[Label] | None:
        """The labels whose boxes are no over-masking; None where the set does not tell what the preset must mask, or it must mask all."""
        for wanted in MUST_MASK[self.preset]:
            if wanted <= self.labels:
                more = _MOVING if self.preset is Preset.MOTION else frozenset[Label]()
                return wanted | more | _ALWAYS
        return None

    def rate(self, label: Label, size: Size) -> Rate:
        """Leaks per frame of one label and size."""
        return self.leaks.get((label, size), Rate(0, 0))

    def track_rate(self, label: Label) -> Rate:
        """Tracks that leak in two frames in a row, or more, of all that were judged."""
        runs = self._runs(label)
        return Rate(sum(count >= RUN_FRAMES for count, _ in runs), len(runs))

    def longest_ms(self, label: Label) -> list[float]:
        """The longest leaking run of every track in milliseconds, 0 for one that never leaks."""
        return [seconds * 1000 for _, seconds in self._runs(label)]

    def to_json(self) -> dict[str, Any]:
        """All of it; see docs/reference/leak.md."""
        return {
            "frames": self.frames,
            "covered": Rate(sum(self.causes.values()), self.frames).to_json() | {"causes": dict(self.causes)},
            "leaks": {
                label.value: {size.value: self.rate(label, size).to_json() for size in Size}
                for label in SCORED
                if any(self.rate(label, size).n for size in Size)
            },
            "tracks": {
                label.value: self.track_rate(label).to_json() | {"p99_longest_run_ms": percentile(self.longest_ms(label), 0.99)}
                for label in SCORED
                if self._runs(label)
            },
            "over_masked": self._area_json(self.over),
            "over_masked_without_covered": self._area_json(self.over_uncovered),
        }

    def _area_json(self, area: Rate) -> dict[str, Any] | None:
        # No bounds: neighbouring pixels are anything but independent.
        return {"pixels": area.k, "of": area.n, "share": area.value} if self.must_mask is not None else None

    def _runs(self, label: Label) -> list[tuple[int, float]]:
        frame_s = self.frame_s or 0.0
        return [course.longest(frame_s) for (of, _), course in sorted(self._tracks.items()) if of is label]

    def _judge(self, index: int, masking: Masking, box: TruthBox) -> None:
        share = covered_share(box.box, masking.masked)
        if share is None:
            return
        is_leak, size = share < LEAST_COVERED, Size.of(box.box.height)
        self.leaks[box.label, size] = self.rate(box.label, size) + Rate(int(is_leak), 1)
        if box.track is not None and self.frame_s is not None and size is not Size.TINY:
            course = self._tracks.setdefault((box.label, box.track), _TrackCourse())
            course.frames.append(index)
            course.times_s.append(masking.at_s)
            course.leaks.append(is_leak)

    def _add_area(self, masking: Masking, boxes: Sequence[TruthBox]) -> None:
        height_px, width_px = masking.masked.shape
        must = self.must_mask or frozenset[Label]()
        allowed: NDArray[np.bool_] = draw_boxes([box.box for box in boxes if box.label in must], width_px, height_px)
        area = Rate(int(np.count_nonzero(masking.masked & ~allowed)), masking.masked.size)
        self.over += area
        if masking.cause is None:
            self.over_uncovered += area
