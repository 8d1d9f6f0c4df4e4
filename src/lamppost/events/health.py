"""Notices that a camera's picture is of no use: frozen, black, blurred, covered, or of another place than before.

A look each second compares a small picture with what this camera usually shows. What is usual is learnt slowly, and
only from pictures that nothing is wrong with. What cannot be told apart surely is not told: a scene without noise that
stands still looks frozen, and so nothing is called frozen before this camera's pictures have differed.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Final

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.base.ids import timed_id
from lamppost.model.books import Severity
from lamppost.model.happening import EventChange, EventType, Findings, Phase

_EVERY_S: Final = 1.0
_LEARN_LOOKS: Final = 20  # until it is known what is usual
_LEARN_SHARE: Final = 0.03  # of each look, of what is usual
_SIDE_PX: Final = 160
_DARK_LEVEL: Final = 28  # of luma in the limited range, where black is 16
_DARK_SPREAD: Final = 4.0
_BLUR_RATIO: Final = 0.3  # of the usual sharpness; light and contrast taken out
_BARE_RATIO: Final = 0.2  # of the usual edges
_LEAST_EDGES: Final = 1.0  # grey levels of gradient: a plain wall has no sharpness to lose
_LEAST_AGREEMENT: Final = 0.35  # of the edges with where they usually are
_MOVED_AGREEMENT: Final = 0.12

Luma = NDArray[np.uint8]
Floats = NDArray[np.float32]

# For how long it must be so, before it begins and before it is over.
_PATIENCE_S: Final[Mapping[EventType, float]] = MappingProxyType(
    {
        EventType.PICTURE_FROZEN: 20.0,
        EventType.PICTURE_BLACK: 5.0,
        EventType.PICTURE_BLURRED: 30.0,
        EventType.CAMERA_COVERED: 5.0,
        EventType.CAMERA_MOVED: 8.0,
    }
)
_NOTES: Final[Mapping[EventType, str]] = MappingProxyType(
    {
        EventType.PICTURE_FROZEN: "the same picture comes again and again",
        EventType.PICTURE_BLACK: "there is no light in the picture",
        EventType.PICTURE_BLURRED: "the picture has lost its sharpness: focus, water or dirt",
        EventType.CAMERA_COVERED: "something is before the lens: hardly any edge of the place is left",
        EventType.CAMERA_MOVED: "the camera shows another place than before: it was turned, or bumped",
    }
)
_RECOVERY_S: Final = 3.0


@dataclass(slots=True)
class _State:
    since_s: float | None = None  # it is so since then, or, while told, it is not so since then
    since_us: int = 0
    event_id: str = ""


class PictureHealth:
    """Watches the pictures of one camera, over all its runs; what is told of them says nothing of what they show.

    Times are of the stream; where they run back, a new run begins, and what is usual stays known.
    """

    def __init__(self) -> None:
        self._states = {kind: _State() for kind in _PATIENCE_S}
        self._looked_s: float | None = None
        self._looks = 0
        self._last: Luma | None = None
        self._has_differed = False
        self._edges: Floats | None = None  # where edges usually are
        self._strength = 0.0  # of gradients, usually
        self._sharpness = 0.0
        self._moved_looks = 0

    def observe(self, at_s: float, wall_us: int, luma: Luma) -> tuple[EventChange, ...]:
        """Look at a picture, shape (height, width), some hundred pixels wide; most calls come too soon and do nothing."""
        if self._looked_s is not None and 0 <= at_s - self._looked_s < _EVERY_S:
            return ()
        is_new_run = self._looked_s is None or at_s < self._looked_s
        self._looked_s = at_s
        if is_new_run:
            for state in self._states.values():
                if not state.event_id:
                    state.since_s = None
        wrong = self._judge(luma)
        changes = [
            change for kind, state in self._states.items() for change in self._settle(kind, state, at_s, wall_us, is_so=kind in wrong)
        ]
        if self._states[EventType.CAMERA_MOVED].event_id and EventType.CAMERA_MOVED in wrong:
            self._moved_looks += 1
            if self._moved_looks > _LEARN_LOOKS:  # told for long enough: this is the place now
                self._looks, self._edges, self._moved_looks = 0, None, 0
        return tuple(changes)

    def close(self, wall_us: int) -> tuple[EventChange, ...]:
        """Nothing is watched any more: what stands ends."""
        return tuple(self._end(kind, state, wall_us) for kind, state in self._states.items() if state.event_id)

    def _judge(self, luma: Luma) -> frozenset[EventType]:
        wrong: set[EventType] = set()
        is_same = self._last is not None and self._last.shape == luma.shape and not cv2.absdiff(luma, self._last).any()
        self._has_differed |= self._last is not None and not is_same
        self._last = luma.copy()
        mean, spread = (float(value[0, 0]) for value in cv2.meanStdDev(luma))
        if mean < _DARK_LEVEL and spread < _DARK_SPREAD:
            return frozenset({EventType.PICTURE_BLACK})
        small = cv2.resize(luma, (_SIDE_PX, max(8, round(_SIDE_PX * luma.shape[0] / luma.shape[1]))), interpolation=cv2.INTER_AREA)
        edges = _gradient(np.asarray(small, np.uint8))
        strength = float(edges.mean())
        sharpness = _sharpness(luma, spread)
        if self._looks >= _LEARN_LOOKS and self._edges is not None and self._edges.shape == edges.shape:
            wrong |= self._compare(edges, strength, sharpness)
        if not wrong and is_same and self._has_differed:
            wrong.add(EventType.PICTURE_FROZEN)
        if not wrong:
            self._learn(edges, strength, sharpness)
        return frozenset(wrong)

    def _compare(self, edges: Floats, strength: float, sharpness: float) -> set[EventType]:
        if self._edges is None or self._strength < _LEAST_EDGES:
            return set()
        agreement = _agreement(edges, self._edges)
        if strength < _BARE_RATIO * self._strength and agreement < _LEAST_AGREEMENT:
            return {EventType.CAMERA_COVERED}
        if sharpness < _BLUR_RATIO * self._sharpness and agreement >= _MOVED_AGREEMENT:
            return {EventType.PICTURE_BLURRED}
        return {EventType.CAMERA_MOVED} if agreement < _MOVED_AGREEMENT else set()

    def _learn(self, edges: Floats, strength: float, sharpness: float) -> None:
        self._looks += 1
        if self._edges is None or self._edges.shape != edges.shape:
            self._edges, self._strength, self._sharpness, self._looks = edges.copy(), strength, sharpness, 1
            return
        share = max(_LEARN_SHARE, 1 / self._looks)
        self._edges += np.float32(share) * (edges - self._edges)
        self._strength += share * (strength - self._strength)
        self._sharpness += share * (sharpness - self._sharpness)

    def _settle(self, kind: EventType, state: _State, at_s: float, wall_us: int, *, is_so: bool) -> tuple[EventChange, ...]:
        if is_so == bool(state.event_id):
            state.since_s = None
            return ()
        if state.since_s is None or at_s < state.since_s:
            state.since_s, state.since_us = at_s, wall_us
        if at_s - state.since_s < (_PATIENCE_S[kind] if is_so else _RECOVERY_S):
            return ()
        state.since_s = None
        if not is_so:
            return (self._end(kind, state, state.since_us),)
        state.event_id = timed_id(state.since_us)
        return (_change(state.event_id, Phase.START, kind, state.since_us),)

    def _end(self, kind: EventType, state: _State, wall_us: int) -> EventChange:
        change = _change(state.event_id, Phase.END, kind, wall_us)
        state.event_id, state.since_s = "", None
        return change


def _change(event_id: str, phase: Phase, kind: EventType, wall_us: int) -> EventChange:
    return EventChange(event_id, phase, kind, Severity.WARNING, wall_us, "", "", Findings(note=_NOTES[kind]))


def _gradient(luma: Luma) -> Floats:
    """The size of the gradient in grey levels a pixel, shape as `luma`."""
    across, down = cv2.Sobel(luma, cv2.CV_32F, 1, 0, scale=0.125), cv2.Sobel(luma, cv2.CV_32F, 0, 1, scale=0.125)
    return np.asarray(cv2.magnitude(across, down), np.float32)


def _sharpness(luma: Luma, spread: float) -> float:
    """How much of the contrast is in the finest detail; the light's strength is taken out."""
    _mean, fine = cv2.meanStdDev(cv2.Laplacian(luma, cv2.CV_32F))
    return float(fine[0, 0]) / max(1.0, spread)


def _agreement(edges: Floats, usual: Floats) -> float:
    """The correlation of edges with where they usually are, -1 to 1; the strength of light is taken out."""
    a, b = edges - edges.mean(), usual - usual.mean()
    return float((a * b).sum() / max(1e-6, float(np.sqrt((a * a).sum() * (b * b).sum()))))
