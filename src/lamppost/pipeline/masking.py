"""Frames in, masked frames out, and nothing in between that could let a raw one by.

Every frame waits until `look_back_s` more of the stream has been seen. Whatever
is not certain covers it whole: the start, a change of the scene, damage, missing
packets, a jump in time, a detector that is late.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.detect.gaze import Gaze
from lamppost.detect.values import SmallPicture, shrink
from lamppost.mask.paint import Covers, Palette, paint
from lamppost.mask.planner import BEFORE_S, MaskPlanner
from lamppost.model.vision import Box, CoverCause, Frame, MaskedFrame, Observation, Preset, Track
from lamppost.pipeline.sight import HOLD_STEPS, Detector, Sight
from lamppost.pipeline.spectator import Spectator
from lamppost.pipeline.targets import Targets
from lamppost.track.boxes import BoxTracker

_HELD_LIMIT = 600  # frames; reached only when timestamps hardly go on
_GAP_S = 1.0  # a longer pause in a live stream is a gap
_GAP_INTERVALS = 4  # and so is one much longer than those before, in a slow stream
_MOTION_HOLD_S = 0.4
_BEFORE_STEPS = 1.25
_LONGEST_STEP_S = 20.0  # the longest GOP of a smart codec
REFRESH_S = 20.0
# A live look-back may fall short by this: for a tick that a camera rounded down, every picture would wait for one more.
ROUNDING_S = 0.002


class Motion(Protocol):
    """Watches one camera and says what moves."""

    def observe(self, frame: Frame, small: SmallPicture | None = None) -> Observation: ...


@dataclass(slots=True)
class _Held:
    """A frame that waits for its look-back; once covered, it stays so."""

    frame: Frame
    at_s: float
    cause: CoverCause | None


class MaskingPipeline:
    """Masks one run of one camera: as many frames out as in, in order, each once.

    All presets but `all` need `faces`; `motion` needs `motion`, `heads` and `persons` need among `things` a detector that
    finds persons, which every preset may have (see `equipment`). A live pipeline watches the clock: a look that takes
    longer than `look_back_s` covers what waits. Every `refresh_s` whole frames are looked at, changed or not.
    A `spectator` sees the same frames before they are painted; nothing that it does changes a mask. `is_turned` says of the
    time of a frame (`wall_us`) whether the camera was being turned: then it is covered, and nobody looks at it or counts in it.
    """

    def __init__(
        self,
        *,
        preset: Preset,
        faces: Detector | None,
        motion: Motion | None,
        look_back_s: float,
        detect_interval_s: float,
        clock: Clock,
        things: Sequence[Detector] = (),
        targets: Targets | None = None,
        refresh_s: float = REFRESH_S,
        palette: Palette | None = None,
        is_live: bool = True,
        make_gaze: Callable[[float], Gaze] = Gaze,
        spectator: Spectator | None = None,
        is_turned: Callable[[int], bool] | None = None,
    ) -> None:
        if preset is not Preset.ALL and faces is None:
            raise ValueError(f"the preset {preset.value} needs a face detector")
        if preset is Preset.MOTION and motion is None:
            raise ValueError("the preset motion needs a motion detector")
        if preset in (Preset.HEADS, Preset.PERSONS) and not things:
            raise ValueError(f"the preset {preset.value} needs a detector of persons")
        self._preset = preset
        self._targets = targets or Targets(preset)
        self._motion = motion if preset is Preset.MOTION else None
        self._look_back_s = look_back_s
        self._palette = palette or Palette()
        self._covers = Covers(self._palette)
        self._is_live = is_live
        self._spectator = spectator
        self._is_turned = is_turned
        self._held: deque[_Held] = deque()
        self._planner: MaskPlanner | None = None
        detectors = [] if preset is Preset.ALL else [*([faces] if faces else []), *things]
        self._sights = [
            Sight(
                detector,
                make_gaze(refresh_s),
                clock,
                interval_s=detect_interval_s,
                look_back_s=look_back_s,
                is_live=is_live,
            )
            for detector in detectors
        ]
        self._motion_tracker = BoxTracker(hold_s=_MOTION_HOLD_S)
        self._cause: CoverCause | None = CoverCause.STARTING
        self._cover_next: CoverCause | None = None
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
        return self._release(at_s - self._look_back_s + (ROUNDING_S if self._is_live else 0.0))

    def pass_over(self, pts_90k: int) -> None:
        """A picture of this time is left out on purpose: nothing is missing there. Pictures may come in decoding order."""
        at_s = pts_90k / TICKS_PER_S
        if self._last_s is not None and at_s > self._last_s:
            self._watch_time(at_s)

    def ease(self, *, is_eased: bool) -> None:
        """Look no more often than once in every look-back, or again as often as was asked for."""
        for sight in self._sights:
            sight.ease(is_eased=is_eased)

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
            # Nothing will look at the last frames from later on, so they are looked at once more.
            at_s, frame = self._held[-1].at_s, self._last_frame
            late = [sight for sight in self._sights if not sight.has_looked(at_s)]
            small = shrink(frame) if late else None
            if small is not None and not all([self._look(sight, frame, small, at_s, None) for sight in late]):
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
            # Falls faster than it rises: one long step at the start must not hide the jumps that follow.
            self._usual_step_s = step_s if usual_s is None else usual_s + (step_s - usual_s) / (2 if step_s < usual_s else 8)

    def _watch_step(self, at_s: float) -> None:
        """Hold boxes for longer where frames are further apart."""
        if self._last_frame is None:
            return
        self._masked_step_s = min(max(0.0, at_s - self._last_frame.pts_90k / TICKS_PER_S), _LONGEST_STEP_S)
        self._motion_tracker.hold_for(max(_MOTION_HOLD_S, HOLD_STEPS * self._masked_step_s))
        for sight in self._sights:
            sight.hold_for(self._masked_step_s)

    def _judge(self, frame: Frame, at_s: float) -> CoverCause | None:
        """Why `frame` must be covered, or None; all detectors that are due have seen it after."""
        if self._is_turned is not None and self._is_turned(frame.wall_us):
            return self._judge_turned(frame, at_s)
        if self._preset is Preset.ALL:
            if self._spectator is not None and frame.is_intact:
                self._spectator.see(frame, shrink(frame), None)
            return CoverCause.PRESET
        if not frame.is_intact:
            # No detector may learn from a broken picture; so nobody looks at what waits from later on either.
            self._cause = self._cause or CoverCause.DECODER_ERROR
            self._cover_held(self._cause)
            return self._cause
        if self._planner is None:
            self._planner = MaskPlanner(frame.width_px, frame.height_px)
        small = shrink(frame)
        observation = self._motion.observe(frame, small) if self._motion is not None else None
        if self._spectator is not None:
            self._spectator.see(frame, small, observation)
        is_settled, moving = self._take_motion(observation, at_s)
        self._watch_sights(frame, small, at_s, moving=moving, is_settled=is_settled)
        cause, self._cover_next = self._cause or self._cover_next, None
        return cause

    def _judge_turned(self, frame: Frame, at_s: float) -> CoverCause:
        """Cover `frame` and what waits; the background goes on being learnt, and no detector's time is spent on what nobody sees."""
        self._cover_held(CoverCause.TURNED)
        self._cause, self._cover_next = self._cause or CoverCause.TURNED, None
        if self._motion is not None and frame.is_intact:
            self._take_motion(self._motion.observe(frame, shrink(frame)), at_s)
            self._cause = CoverCause.TURNED  # it sees another place, and that is why
        return CoverCause.TURNED

    def _take_motion(self, observation: Observation | None, at_s: float) -> tuple[bool, list[Box] | None]:
        """Whether the background is known, and what moves in front of it; None where nobody watches that."""
        if observation is None:
            return True, None
        if observation.is_scene_change:
            self._cover_held(CoverCause.SCENE_CHANGED)
            self._cause = CoverCause.SCENE_CHANGED
        elif not observation.is_settled and self._cause is None:
            self._cause = CoverCause.STARTING
        tracks = self._motion_tracker.update(at_s, observation.detections)
        self._note(tracks, at_s)
        for sight in self._sights:
            sight.doubt(observation.doubts)
        return observation.is_settled and not observation.is_scene_change, [track.box for track in tracks]

    def _watch_sights(self, frame: Frame, small: SmallPicture, at_s: float, *, moving: list[Box] | None, is_settled: bool) -> None:
        # Whatever the cadence: no cover ends before all of this very frame was looked at.
        is_whole = self._cause is not None and is_settled
        is_in_time = True
        for sight in self._sights:
            tracks = sight.follow(frame, small, at_s)
            if is_whole or sight.is_due(at_s):
                is_in_time &= self._look(sight, frame, small, at_s, moving, is_whole=is_whole)
            else:
                self._note(tracks, at_s)
        if not is_in_time:
            self._cover_held(CoverCause.DETECTOR_STALLED)
            self._cause = CoverCause.DETECTOR_STALLED
        elif is_whole:
            self._cause = None

    def _look(
        self, sight: Sight, frame: Frame, small: SmallPicture, at_s: float, moving: list[Box] | None, *, is_whole: bool = False
    ) -> bool:
        """Look with one detector; false when it took longer than the look-back allows."""
        tracks, took_s = sight.look(frame, small, at_s, moving, is_whole=is_whole)
        self._note(tracks, at_s)
        # Where frames are further apart than the look-back, what waits waits for the next frame in any case.
        return not self._is_live or took_s <= max(self._look_back_s, self._masked_step_s)

    def _note(self, tracks: Sequence[Track], at_s: float) -> None:
        if self._planner is not None:
            for track in tracks:
                target = self._targets.of(track.kind, track.box)
                if target is not None:
                    self._planner.note(track.track_id, *target, at_s, is_seen=track.is_seen)

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
            return self._covers.cover(held.frame, cause)
        return paint(held.frame, masks, self._palette)
