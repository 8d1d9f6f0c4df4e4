"""Boxes around everything that moves or is not part of the place, for a camera that stands still.

The picture is compared, small and in grey, with a background that is learnt at
the start and followed slowly, and only where nothing stands in front. So a
thing that stops stays foreground until it leaves. Where the method cannot
tell, it says foreground, and the masks grow: never the other way round.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.base.clock import TICKS_PER_S
from lamppost.detect.background import Background, LearningWindow, Learnt, has_shifted
from lamppost.detect.blobs import find_components, merge_boxes
from lamppost.detect.colour import ColourBackground
from lamppost.detect.countable import find_things
from lamppost.detect.ghosts import is_background, is_removal
from lamppost.detect.values import LONG_SIDE_PX, Flags, Grey, Picture, SmallPicture, shrink
from lamppost.model.vision import Box, Detection, Frame, Kind, Observation

_LONGEST_STEP_S = 1.0  # a pause counts as this much time for the model, not more
_WEAK_RATIO = 0.6  # of the threshold: what touches something strong
_STAYING_RATIO = 0.8  # where something was a moment ago
_SURE_AFTER_S = 2.0
_LEAST_EDGES = 0.01
# Nothing new: hardly a pixel differs by so much from the picture compared last, and that was a moment ago.
_CHANGE_LEVELS, _CHROMA_CHANGE_LEVELS = 4, 3
_LONGEST_REST_S = 0.5
# Boxes over this much of the picture for this long: the model is wrong, not the picture.
_FULL_SHARE = 0.8
_FULL_S = 5.0
# With this much in front, and this often, a bumped camera is looked for.
_SHIFT_SHARE = 0.25
_SHIFT_EVERY_S = 0.4
_STILL_SHARE = 0.95  # of a thing's pixels
_UPDATE_S = 0.2  # between two updates of the background
_KNOWN_AFTER_S = 6.0  # what leaves sooner was on its way when the background was learnt
_REMOVED_MOSTLY = 0.2  # of its pixels were in doubt when the background was learnt: it moved already
_NO_BOXES = np.empty((0, 4), np.int32)
_REFRESH_S = 0.5  # between two looks at what edges and thresholds the background has


@dataclass(frozen=True, slots=True)
class MotionSettings:
    """What may be set; the defaults suit a street camera.

    Shares are of the picture's area. `base_levels` is the least difference in
    grey levels (0 to 255) that counts as foreground.
    """

    long_side_px: int = LONG_SIDE_PX
    base_levels: float = 9.0
    least_area_share: float = 0.0003
    scene_change_share: float = 0.55
    learn_s: float = 1.2
    prime_s: float = 5.0
    adapt_s: float = 10.0
    ghost_still_s: float = 4.0


class MotionDetector:
    """Watches one camera; frames come in the order of their `pts_90k`.

    `observe` reports `is_settled=False` until the background has been learnt
    and whenever it must be learnt anew: the whole frame is then to be covered.
    A step back of `pts_90k` (a new run) counts as no time passed. The size of frames may change, as long as
    what is left of them at `long_side_px` does not: nothing is forgotten then. Who only masks needs no `things` found.
    """

    def __init__(self, settings: MotionSettings | None = None, *, finds_things: bool = True) -> None:
        self._settings = settings or MotionSettings()
        self._finds_things = finds_things
        self._size = (0, 0)  # width, height of the small pictures
        self._last_s: float | None = None
        self._compared: SmallPicture | None = None
        self._rested_s = 0.0  # since a picture was compared
        self._forget()

    def prime(self, frames: Sequence[Frame]) -> None:
        """Learn the background from the first seconds of a file, before its first frame is observed.

        Frames beyond `prime_s` are ignored. When too much moves in them,
        `observe` learns by itself as it does for a live camera.
        """
        if not frames:
            return
        settings, first_s = self._settings, frames[0].pts_90k / TICKS_PER_S
        last_s = min(settings.prime_s, frames[-1].pts_90k / TICKS_PER_S - first_s)
        window = LearningWindow(max(0.2, last_s))
        for frame in frames:
            at_s = frame.pts_90k / TICKS_PER_S
            if frame.is_intact and at_s - first_s <= settings.prime_s:
                window.add(at_s, shrink(frame, self._settings.long_side_px))
        learnt = window.learn()
        if learnt is not None:
            self._adopt(learnt)

    def observe(self, frame: Frame, small: SmallPicture | None = None) -> Observation:
        """What is in front of the background in `frame`, as boxes in its pixel coordinates.

        `small` is `frame` shrunk to `long_side_px`, where somebody has done so already.
        """
        at_s = frame.pts_90k / TICKS_PER_S
        dt_s = 0.0 if self._last_s is None else min(max(0.0, at_s - self._last_s), _LONGEST_STEP_S)
        if self._last_s is not None and at_s < self._last_s and self._background is None:
            self._window = LearningWindow(self._settings.learn_s)
        self._last_s = at_s
        small = small or shrink(frame, self._settings.long_side_px)
        is_new_size = self._size not in ((0, 0), small.size)
        self._size = small.size
        if is_new_size:
            self._forget()
        if self._background is None:
            return self._learn(at_s, small, is_scene_change=is_new_size)
        self._rested_s += dt_s
        if self._rested_s < _LONGEST_REST_S and self._looks_the_same(small):
            return self._observation(frame)
        dt_s, self._rested_s, self._compared = self._rested_s, 0.0, small
        return self._compare(self._background, frame, small, dt_s, at_s)

    def _forget(self) -> None:
        self._background: Background | None = None
        self._window = LearningWindow(self._settings.learn_s)

    def _adopt(self, learnt: Learnt) -> None:
        self._window = LearningWindow(self._settings.learn_s)  # its pictures are needed no more
        self._background = Background(learnt, adapt_s=self._settings.adapt_s, base_levels=self._settings.base_levels)
        self._colour = ColourBackground(learnt.chroma, adapt_s=self._settings.adapt_s)
        self._unsure = learnt.unsure.copy()
        self._moved_first = learnt.unsure
        self._is_sure = False
        self._known_s = 0.0  # since the background was learnt
        self._foreground: Flags = np.zeros(learnt.noise.shape, np.bool_)
        self._boxes = _NO_BOXES
        self._things = _NO_BOXES
        self._recent: Picture = learnt.luma.copy()
        self._still_s: Picture = np.zeros(learnt.noise.shape, np.float32)
        self._scratch: Picture = np.empty(learnt.noise.shape, np.float32)
        self._compared, self._rested_s = None, 0.0
        self._since_update_s = self._since_refresh_s = self._since_shift_s = self._covered_s = 0.0

    def _learn(self, at_s: float, small: SmallPicture, *, is_scene_change: bool) -> Observation:
        self._window.add(at_s, small)
        learnt = self._window.learn()
        if learnt is not None:
            self._adopt(learnt)
        return Observation((), is_settled=False, is_scene_change=is_scene_change)

    def _looks_the_same(self, small: SmallPicture) -> bool:
        """True when too few pixels differ from the picture compared last for anything to have come or gone."""
        last = self._compared
        if last is None:
            return False
        changed_px = _count_changes(small.luma, last.luma, _CHANGE_LEVELS)
        changed_px += 4 * _count_changes(small.chroma, last.chroma, _CHROMA_CHANGE_LEVELS)
        return changed_px < self._least_px(small.luma.size) // 2

    def _least_px(self, size_px: int) -> int:
        return max(4, round(self._settings.least_area_share * size_px))

    def _compare(self, background: Background, frame: Frame, small: SmallPicture, dt_s: float, at_s: float) -> Observation:
        ratio = background.compare(small.luma, self._foreground)
        ratio = np.maximum(ratio, self._colour.ratio(small.chroma, self._foreground, small.size))
        strong = ratio > 1.0
        if self._is_scene_change(background, strong, dt_s):
            self._forget()
            return self._learn(at_s, small, is_scene_change=True)
        self._since_update_s += dt_s
        is_update_due = self._since_update_s >= _UPDATE_S - 1e-6
        if is_update_due:
            self._follow_stillness(background, self._since_update_s)
        weak = ratio > _WEAK_RATIO
        if not self._is_sure:
            self._unsure &= (self._still_s < _SURE_AFTER_S) | weak
            self._is_sure = not self._unsure.any()
            weak |= self._unsure
            strong |= self._unsure
        strong |= self._foreground & (ratio > _STAYING_RATIO)
        found, doubtful = find_components(weak, strong, self._least_px(weak.size))
        self._known_s += dt_s
        found, freed, removed = self._drop_ghosts(background, small, ratio, weak, found)
        self._boxes = merge_boxes(found, gap_px=3, tall_px=weak.shape[0] // 5)
        if self._finds_things:
            corners = ((x0, y0, x1, y1) for x0, y0, x1, y1 in self._boxes.tolist())
            self._things = find_things(background.lit, background.mean, corners)
        self._foreground = self._cover(self._boxes)
        if is_update_due:
            self._update(background, small)
        removed = merge_boxes(removed, gap_px=3, tall_px=weak.shape[0] // 5)
        return self._observation(frame, np.concatenate([doubtful, freed]), removed)

    def _update(self, background: Background, small: SmallPicture) -> None:
        """Follow what changes slowly."""
        dt_s, self._since_update_s = self._since_update_s, 0.0
        free = ~self._foreground
        background.update(free, dt_s)
        self._colour.update(small.chroma, free, dt_s)
        self._since_refresh_s += dt_s
        if self._since_refresh_s >= _REFRESH_S:
            self._since_refresh_s = 0.0
            background.refresh()

    def _is_scene_change(self, background: Background, strong: Flags, dt_s: float) -> bool:
        limit, size_px = self._settings.scene_change_share, strong.size
        # A camera that moves changes its edges everywhere, and its plain walls nowhere.
        if np.count_nonzero(strong) > limit * size_px:
            return True
        if background.edge_px > _LEAST_EDGES * size_px and np.count_nonzero(strong & background.is_edge) > limit * background.edge_px:
            return True
        covered = np.count_nonzero(self._foreground) / size_px
        self._covered_s = self._covered_s + dt_s if covered > _FULL_SHARE else 0.0
        self._since_shift_s += dt_s
        if covered > _SHIFT_SHARE and self._since_shift_s >= _SHIFT_EVERY_S:
            self._since_shift_s = 0.0
            return has_shifted(background.mean, background.lit)
        return self._covered_s > _FULL_S

    def _follow_stillness(self, background: Background, dt_s: float) -> None:
        step = self._scratch
        np.subtract(background.lit, self._recent, out=step)
        moves = np.abs(step) > background.threshold
        step *= np.float32(min(1.0, dt_s / 1.0))
        self._recent += step
        self._still_s += np.float32(dt_s)
        np.copyto(self._still_s, 0.0, where=moves)

    def _drop_ghosts(
        self, background: Background, small: SmallPicture, ratio: Picture, weak: Flags, found: NDArray[np.int32]
    ) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.int32]]:
        """Of `found`, what stays, what turned out to be background, and of that what a thing uncovered that had belonged there."""
        kept, removed = np.ones(len(found), np.bool_), np.zeros(len(found), np.bool_)
        for index, box in enumerate(found):
            window = (slice(box[1], box[3]), slice(box[0], box[2]))
            still = self._still_s[window][weak[window]] >= self._settings.ghost_still_s
            if still.size == 0 or still.mean() < _STILL_SHARE:
                continue
            shape, area = np.zeros(weak.shape, np.bool_), np.zeros(weak.shape, np.bool_)
            shape[window], area[window] = weak[window], True
            if is_background(background.lit, background.mean, ratio, shape, box):
                removed[index] = self._belonged(shape) and is_removal(background.lit, background.mean, shape, box)
                background.absorb(area)
                self._colour.absorb(small.chroma, area)
                self._unsure[window] = False
                kept[index] = False
        return found[kept], found[~kept], found[removed]

    def _belonged(self, shape: Flags) -> bool:
        """Whether what stood there, now gone for as long as a ghost must be still, had been part of the place before."""
        known_s = self._known_s - self._settings.ghost_still_s
        return known_s >= _KNOWN_AFTER_S and float(self._moved_first[shape].mean()) < _REMOVED_MOSTLY

    def _cover(self, boxes: NDArray[np.int32]) -> Flags:
        covered = np.zeros(self._foreground.shape, np.bool_)
        for x0, y0, x1, y1 in boxes:
            covered[max(0, y0 - 1) : y1 + 1, max(0, x0 - 1) : x1 + 1] = True
        return covered

    def _observation(self, frame: Frame, doubts: NDArray[np.int32] = _NO_BOXES, uncovered: NDArray[np.int32] = _NO_BOXES) -> Observation:
        moving, things, doubtful, gone = (
            _in_frame(boxes, frame, self._foreground.shape) for boxes in (self._boxes, self._things, doubts, uncovered)
        )
        return Observation(
            detections=tuple(Detection(Kind.OBJECT, box, 1.0) for box in moving),
            doubts=tuple(doubtful),
            things=tuple(Detection(Kind.OBJECT, box, 1.0) for box in things),
            uncovered=tuple(gone),
        )


def _in_frame(boxes: NDArray[np.int32], frame: Frame, shape: tuple[int, ...]) -> list[Box]:
    """`boxes` of the small picture (its `shape` is height, width) in pixels of `frame`."""
    sx, sy = frame.width_px / shape[1], frame.height_px / shape[0]
    return [Box(x0 * sx, y0 * sy, x1 * sx, y1 * sy) for x0, y0, x1, y1 in boxes.tolist()]


def _count_changes(one: Grey, other: Grey, levels: int) -> int:
    columns = one.shape[-1]
    _limit, changes = cv2.threshold(cv2.absdiff(one.reshape(-1, columns), other.reshape(-1, columns)), levels, 1, cv2.THRESH_BINARY)
    return cv2.countNonZero(changes)
