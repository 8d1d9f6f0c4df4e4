"""Frames in, masked frames out, and nothing in between that could let a raw one by.

Every frame waits until `look_back_s` more of the stream has been seen. Whatever
is not certain covers it whole: the start, a change of the scene, damage, missing
packets, a jump in time, a detector that is late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.mask.paint import Palette, cover, paint
from lamppost.mask.planner import BEFORE_S, MaskPlanner
from lamppost.model.vision import CoverCause, Detection, Frame, MaskedFrame, Observation, Preset
from lamppost.track.boxes import BoxTracker, Track

_HELD_LIMIT = 600  # frames; reached only when timestamps hardly go on
_GAP_S = 1.0  # a longer pause in a live stream is a gap
_GAP_INTERVALS = 4  # and so is one much longer than those before, in a slow stream
_FACE_HOLD_S = 1.0
_MOTION_HOLD_S = 0.4
# With fewer frames a second, boxes are held for so many of them: what is missed once is not shown for it.
_HOLD_STEPS = 2.5
_BEFORE_STEPS = 1.25
_LONGEST_STEP_S = 20.0  # the longest GOP of a smart codec
_DETECTOR_SHARE = 0.5  # of the time, when the face detector is adapted to a slow machine


class Faces(Protocol):
    """Finds faces in one frame."""

    def detect(self, frame: Frame) -> tuple[Detection, ...]: ...


class Motion(Protocol):
    """Watches one camera and says what moves."""

    def observe(self, frame: Frame) -> Observation: ...


@dataclass(slots=True)
class _Held:
    """A frame that waits for its look-back; once covered, it stays so."""

    frame: Frame
    at_s: float
    cause: CoverCause | None


class MaskingPipeline:
    """Masks one run of one camera: as many frames out as in, in order, each once.

    `preset` `motion` needs `faces` and `motion`, `faces` needs `faces`, `all`
    neither. A live pipeline watches the clock: a face detection that takes
    longer than `look_back_s` covers what waits, and the cadence adapts to a slow
    machine, at most to one detection in every `look_back_s`.
    """

    def __init__(
        self,
        *,
        preset: Preset,
        faces: Faces | None,
        motion: Motion | None,
        look_back_s: float,
        detect_interval_s: float,
        clock: Clock,
        palette: Palette | None = None,
        is_live: bool = True,
    ) -> None:
        if preset is not Preset.ALL and faces is None:
            raise ValueError(f"the preset {preset.value} needs a face detector")
        if preset is Preset.MOTION and motion is None:
            raise ValueError("the preset motion needs a motion detector")
        self._preset = preset
        self._faces = faces if preset is not Preset.ALL else None
        self._motion = motion if preset is Preset.MOTION else None
        self._look_back_s = look_back_s
        self._usual_interval_s = self._least_interval_s = self._interval_s = min(detect_interval_s, look_back_s)
        self._clock = clock
        self._palette = palette or Palette()
        self._is_live = is_live
        self._held: deque[_Held] = deque()
        self._planner: MaskPlanner | None = None
        self._face_tracker = BoxTracker(hold_s=_FACE_HOLD_S)
        self._motion_tracker = BoxTracker(hold_s=_MOTION_HOLD_S)
        self._cause: CoverCause | None = CoverCause.STARTING
        self._cover_next: CoverCause | None = None
        self._last_face_s: float | None = None
        self._last_frame: Frame | None = None
        self._last_s: float | None = None  # the last moment known of, be it masked or left out
        self._usual_step_s: float | None = None
        self._masked_step_s = 0.0  # between the last two frames

    @property
    def motion(self) -> Motion | None:
        """What has learnt the background: for another pipeline that goes on with the same camera where this one ends."""
        return self._motion

    def push(self, frame: Frame) -> tuple[MaskedFrame, ...]:
        """Take in the next frame; returns those whose look-back is now complete."""
        at_s = frame.pts_90k / TICKS_PER_S
        self._watch_time(at_s)
        self._watch_step(at_s)
        self._held.append(_Held(frame, at_s, self._judge(frame, at_s)))
        self._last_frame = frame
        return self._release(at_s - self._look_back_s)

    def pass_over(self, pts_90k: int) -> None:
        """A picture of this time is left out on purpose: nothing is missing there. Pictures may come in decoding order."""
        at_s = pts_90k / TICKS_PER_S
        if self._last_s is not None and at_s > self._last_s:
            self._watch_time(at_s)

    def ease(self, *, is_eased: bool) -> None:
        """Look for faces no more often than once in every look-back, or again as often as was asked for."""
        self._least_interval_s = self._look_back_s if is_eased else self._usual_interval_s
        self._interval_s = max(self._interval_s, self._least_interval_s) if is_eased else self._least_interval_s

    def cover_rest(self, cause: CoverCause) -> tuple[MaskedFrame, ...]:
        """Nothing is looked at from here on: the frames that wait leave at once, covered with `cause`."""
        self.drop(cause)
        return self._release(None)

    def drop(self, cause: CoverCause) -> None:
        """Something is missing before the next frame: what waits, and the next one, are covered with `cause`.

        What follows stays covered until it is intact and every detector has seen it.
        """
        self._cover_held(cause)
        self._cause = self._cover_next = cause

    def flush(self) -> tuple[MaskedFrame, ...]:
        """The run is over: the frames that wait leave with all that was seen of it."""
        if self._held and self._cause is None and self._last_frame is not None:
            # Nothing will look at the last frames from later on, so the faces are looked for once more.
            at_s = self._held[-1].at_s
            if self._last_face_s != at_s and self._faces is not None and not self._find_faces(self._last_frame, at_s):
                self._cover_held(CoverCause.DETECTOR_STALLED)
        return self._release(None)

    def _watch_time(self, at_s: float) -> None:
        last_s, self._last_s = self._last_s, at_s
        if last_s is None:
            return
        step_s, usual_s = at_s - last_s, self._usual_step_s
        if step_s <= 0 or (usual_s is not None and step_s > max(_GAP_S, _GAP_INTERVALS * usual_s)):
            self.drop(self._cover_next or CoverCause.TIMESTAMP_GAP)  # what is known to be missing explains the gap
        else:
            self._usual_step_s = step_s if usual_s is None else usual_s + (step_s - usual_s) / 8

    def _watch_step(self, at_s: float) -> None:
        """Hold boxes for longer where frames are further apart."""
        if self._last_frame is None:
            return
        self._masked_step_s = min(max(0.0, at_s - self._last_frame.pts_90k / TICKS_PER_S), _LONGEST_STEP_S)
        self._face_tracker.hold_for(max(_FACE_HOLD_S, _HOLD_STEPS * self._masked_step_s))
        self._motion_tracker.hold_for(max(_MOTION_HOLD_S, _HOLD_STEPS * self._masked_step_s))

    def _judge(self, frame: Frame, at_s: float) -> CoverCause | None:
        """Why `frame` must be covered, or None; all detectors that are due have seen it after."""
        if self._preset is Preset.ALL:
            return CoverCause.PRESET
        if not frame.is_intact:
            # No detector may learn from a broken picture; so nobody looks at what waits from later on either.
            self._cause = self._cause or CoverCause.DECODER_ERROR
            self._cover_held(self._cause)
            return self._cause
        if self._planner is None:
            self._planner = MaskPlanner(frame.width_px, frame.height_px)
        is_settled = self._watch_motion(frame, at_s)
        self._watch_faces(frame, at_s, is_settled=is_settled)
        cause, self._cover_next = self._cause or self._cover_next, None
        return cause

    def _watch_motion(self, frame: Frame, at_s: float) -> bool:
        if self._motion is None:
            return True
        observation = self._motion.observe(frame)
        if observation.is_scene_change:
            self._cover_held(CoverCause.SCENE_CHANGED)
            self._cause = CoverCause.SCENE_CHANGED
        elif not observation.is_settled and self._cause is None:
            self._cause = CoverCause.STARTING
        self._note(self._motion_tracker.update(at_s, observation.detections), at_s)
        return observation.is_settled and not observation.is_scene_change

    def _watch_faces(self, frame: Frame, at_s: float, *, is_settled: bool) -> None:
        is_due = self._last_face_s is None or at_s - self._last_face_s >= self._interval_s - 1e-6
        # Whatever the cadence: no cover ends before the faces of this very frame are known.
        if not is_due and not (self._cause is not None and is_settled):
            self._note(self._face_tracker.predict(at_s), at_s)
            return
        if not self._find_faces(frame, at_s):
            self._cover_held(CoverCause.DETECTOR_STALLED)
            self._cause = CoverCause.DETECTOR_STALLED
        elif self._cause is not None and is_settled:
            self._cause = None

    def _find_faces(self, frame: Frame, at_s: float) -> bool:
        """Look for faces; false when it took longer than the look-back allows."""
        if self._faces is None:
            return True
        started_s = self._clock.monotonic_s()
        found = self._faces.detect(frame)
        took_s = self._clock.monotonic_s() - started_s
        self._last_face_s = at_s
        self._note(self._face_tracker.update(at_s, found), at_s)
        if not self._is_live:
            return True
        wanted_s = min(self._look_back_s, max(self._least_interval_s, took_s / _DETECTOR_SHARE))
        self._interval_s += (wanted_s - self._interval_s) / 4
        # Where frames are further apart than the look-back, what waits waits for the next frame in any case.
        return took_s <= max(self._look_back_s, self._masked_step_s)

    def _note(self, tracks: Sequence[Track], at_s: float) -> None:
        if self._planner is not None:
            for track in tracks:
                self._planner.note(track.track_id, track.kind, track.box, at_s)

    def _cover_held(self, cause: CoverCause) -> None:
        for held in self._held:
            held.cause = held.cause or cause

    def _release(self, until_s: float | None) -> tuple[MaskedFrame, ...]:
        """Frames up to `until_s` (all of them for None), painted or covered."""
        left: list[MaskedFrame] = []
        while self._held and (until_s is None or self._held[0].at_s <= until_s + 1e-6 or len(self._held) > _HELD_LIMIT):
            held = self._held.popleft()
            is_early = until_s is not None and held.at_s > until_s + 1e-6
            left.append(self._leave(held, CoverCause.TIMESTAMP_GAP if is_early else None))
        return tuple(left)

    def _leave(self, held: _Held, early: CoverCause | None) -> MaskedFrame:
        masks = self._planner.masks(held.at_s, max(BEFORE_S, _BEFORE_STEPS * self._masked_step_s)) if self._planner is not None else ()
        cause = held.cause or early
        if cause is not None:
            return cover(held.frame, cause, self._palette)
        return paint(held.frame, masks, self._palette)
