"""From the frames of one run to counts and events: looks, follows, measures, judges, and keeps nothing of it.

It sees what masking sees, at the same moment and before anything is painted; tracks live here, in memory, and end with the run.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, Protocol

from lamppost.base.clock import TICKS_PER_S
from lamppost.detect.motion import MotionDetector
from lamppost.detect.values import SmallPicture
from lamppost.events.health import PictureHealth
from lamppost.events.minutes import MinuteBook
from lamppost.events.rule_keeper import RuleKeeper
from lamppost.events.scene import SceneNow
from lamppost.events.scene_reader import SceneReader
from lamppost.model.happening import CountedMinute, EventChange
from lamppost.model.rules import RuleBook
from lamppost.model.vision import Box, Frame, Observation
from lamppost.pipeline.finding import Finder
from lamppost.pipeline.sight import Detector

# Over a longer step nobody knows what happened between two pictures: it is not observed.
LONGEST_STEP_S: Final = 0.75
_MOST_UNCOVERED: Final = 64


class Witness(Protocol):
    """Is told what was seen: every look, changes of events, and minutes that are over."""

    def note_scene(self, scene: SceneNow) -> None: ...
    def note_changes(self, changes: Sequence[EventChange], pts_90k: int) -> None: ...
    def note_minutes(self, minutes: Sequence[CountedMinute]) -> None: ...


class Ledgers:
    """What outlives a run: the open minutes and the rules of one camera."""

    def __init__(self, book: RuleBook) -> None:
        self.minutes = MinuteBook(book)
        self.rules = RuleKeeper(book)

    def adopt(self, book: RuleBook) -> tuple[EventChange, ...]:
        """Go on by other rules; events of rules that are gone end. Minutes are to be flushed before."""
        self.minutes = MinuteBook(book)
        return self.rules.adopt(book)


class StreetWatch:
    """Watches one run of one camera by `book`; what it finds goes to `witness`.

    With a `detector` it looks every `interval_s`, and counts the kinds that it tells apart; without one it follows
    what moves, as `object`. Where the background is not known, and where pictures are missing, nothing is observed:
    those seconds are unknown, not zero. With `health`, the picture itself is watched as well. `see` raises `ModelError` when the
    detector fails.
    """

    def __init__(
        self,
        book: RuleBook,
        ledgers: Ledgers,
        witness: Witness,
        *,
        detector: Detector | None,
        interval_s: float,
        health: PictureHealth | None = None,
    ) -> None:
        self._health = health
        self._ledgers = ledgers
        self._witness = witness
        self._detector = detector
        self._interval_s = interval_s
        self._own_motion = MotionDetector()
        self._size = (0, 0)
        self._last_s: float | None = None  # the last moment that was observed
        self._last_90k = 0
        self._looked_s: float | None = None
        self._frame_s = 0.0
        self._uncovered: list[Box] = []
        self.adopt(book)

    def adopt(self, book: RuleBook) -> None:
        """Go on by other rules; what is followed is followed anew. Raises `ConfigError` for a calibration that cannot be."""
        self._book = book
        self._reader = SceneReader(book)
        self._finder = Finder(self._detector)
        self._last_s = None

    def see(self, frame: Frame, small: SmallPicture, observation: Observation | None) -> None:
        at_s = frame.pts_90k / TICKS_PER_S
        if self._health is not None:
            self._tell(self._health.observe(at_s, frame.wall_us, small.luma), frame.pts_90k)
        if self._book.is_empty:
            return
        self._notice_size(frame)
        if observation is None and self._detector is None:
            observation = self._own_motion.observe(frame, small)
        if observation is not None:
            self._uncovered = [*self._uncovered, *observation.uncovered][-_MOST_UNCOVERED:]
        if not self._is_due(at_s):
            return
        is_known = observation is None or (not observation.is_scene_change and (observation.is_settled or self._detector is not None))
        if is_known:
            self._look(frame, at_s, observation)
        else:
            self._last_s = None
            self._tell(self._ledgers.rules.rest(at_s), frame.pts_90k)
            self._tell_minutes(frame.wall_us)

    def finish(self) -> None:
        """The run is over: nothing is observed from here on, and what was seen last is told."""
        self._end_scene()
        self._tell(self._ledgers.rules.close(), self._last_90k)

    def _is_due(self, at_s: float) -> bool:
        """Whether this picture is nearer to the time of the next look than the one after it will be."""
        step_s, self._frame_s = at_s - self._frame_s, at_s
        if self._looked_s is not None and 0 <= at_s - self._looked_s + max(0.0, step_s) / 2 < self._interval_s:
            return False
        self._looked_s = at_s
        return True

    def _notice_size(self, frame: Frame) -> None:
        size = (frame.width_px, frame.height_px)
        if size == self._size:
            return
        if self._size != (0, 0):
            self._end_scene()
            self._finder = Finder(self._detector)
        self._size = size
        self._tell(self._ledgers.rules.adopt(self._book, aspect=frame.width_px / frame.height_px), frame.pts_90k)

    def _look(self, frame: Frame, at_s: float, observation: Observation | None) -> None:
        uncovered, self._uncovered = self._uncovered, []
        scene = self._reader.read(at_s, frame.wall_us, self._finder.find(frame, at_s, observation), self._size, uncovered)
        step_s = 0.0 if self._last_s is None else at_s - self._last_s
        self._last_s, self._last_90k = at_s, frame.pts_90k
        self._take(scene, step_s if 0 < step_s <= LONGEST_STEP_S else 0.0)

    def _take(self, scene: SceneNow, step_s: float) -> None:
        self._ledgers.minutes.note(scene, step_s)
        self._witness.note_scene(scene)
        self._tell(self._ledgers.rules.judge(scene), self._last_90k)
        self._tell_minutes(scene.wall_us)

    def _end_scene(self) -> None:
        last = self._reader.forget()
        if last is not None:
            self._take(last, 0.0)
        self._last_s = self._looked_s = None

    def _tell(self, changes: Sequence[EventChange], pts_90k: int) -> None:
        if changes:
            self._witness.note_changes(changes, pts_90k)

    def _tell_minutes(self, wall_us: int) -> None:
        minutes = self._ledgers.minutes.take(wall_us)
        if minutes:
            self._witness.note_minutes(minutes)
