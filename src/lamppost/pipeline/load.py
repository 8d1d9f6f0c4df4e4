"""Decides how much each camera's masked video gives up where one process cannot mask everything.

Quick to give up, slow to ask for more: what falls behind is covered, which is
worse than any step; what goes up too early falls behind again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from lamppost.model.vision import ReductionStep

STEPS: Final = tuple(ReductionStep)
BEHIND_S: Final = 1.0
QUEUE_SHARE: Final = 0.5
REDUCE_AFTER_S: Final = 1.0  # of strain without a break
GRACE_S: Final = 5.0  # from a camera's first packets: what came while this process was starting is not held against it
SETTLE_S: Final = 3.0  # between two steps down: what has piled up needs time to go
RESTORE_AFTER_S: Final = 20.0  # of calm without a break
PATIENCE_LIMIT_S: Final = 320.0
FAILED_WITHIN_S: Final = 60.0  # a step up that had to be taken back so soon was too early
_CALM_SHARE = 0.5  # of the strain that reduces
_EASING = 0.7  # a strain that fell to this share since it was last looked at is going by itself


@dataclass(frozen=True, slots=True)
class Load:
    """How one camera's masking keeps up: seconds from a packet's time until now, and how full its queue is, 0 to 1.

    `is_stalled`: its detector took too long, and what waited was covered for it. `has_begun`: packets have come.
    """

    behind_s: float
    queue_share: float
    is_stalled: bool = False
    has_begun: bool = True

    @property
    def strain(self) -> float:
        """1 and more is too much."""
        return max(self.behind_s / BEHIND_S, self.queue_share / QUEUE_SHARE, 1.01 if self.is_stalled else 0.0)


@dataclass(slots=True)
class _Course:
    """One camera on its way down and up. Times are monotonic."""

    level: int = 0
    began_s: float | None = None
    changed_s: float | None = None
    restored_s: float | None = None
    strained_since_s: float | None = None
    strain_then: float = 0.0
    calm_since_s: float | None = None
    patience_s: float = RESTORE_AFTER_S

    def look(self, now_s: float, load: Load) -> None:
        strain = load.strain
        if self.began_s is None and load.has_begun:
            self.began_s = now_s
        if strain <= 1.0 or self.began_s is None or now_s - self.began_s < GRACE_S:
            self.strained_since_s = None
        elif self.strained_since_s is None or (self.level and strain < _EASING * self.strain_then):
            # After a step down, what has piled up goes by itself: as long as it goes, no other step is needed.
            self.strained_since_s, self.strain_then = now_s, strain
        if strain > _CALM_SHARE:
            self.calm_since_s = None
        elif self.calm_since_s is None:
            self.calm_since_s = now_s

    def is_strained(self, now_s: float, for_s: float) -> bool:
        return self.strained_since_s is not None and now_s - self.strained_since_s >= for_s

    def may_go_down(self, now_s: float) -> bool:
        is_settled = self.changed_s is None or now_s - self.changed_s >= SETTLE_S
        return self.level < len(STEPS) and is_settled

    def is_due_up(self, now_s: float) -> bool:
        if not self.level or self.calm_since_s is None:
            return False
        since_s = self.calm_since_s if self.changed_s is None else max(self.calm_since_s, self.changed_s)
        return now_s - since_s >= self.patience_s

    def go_down(self, now_s: float) -> None:
        if self.restored_s is not None:
            is_failed = now_s - self.restored_s <= FAILED_WITHIN_S
            self.patience_s = min(PATIENCE_LIMIT_S, 2 * self.patience_s) if is_failed else RESTORE_AFTER_S
            self.restored_s = None
        self.level += 1
        self._changed(now_s)

    def go_up(self, now_s: float) -> None:
        self.level -= 1
        self.restored_s = now_s
        self._changed(now_s)

    def _changed(self, now_s: float) -> None:
        self.changed_s = now_s
        self.strained_since_s = self.calm_since_s = None


class LoadControl:
    """The step of every camera of one process, from how they keep up; to be asked about twice a second.

    One camera that falls behind alone is reduced alone. When more do, the
    process is overloaded, and all its cameras go down by one step together. A camera
    moves by one step at a time, and up only after calm: 20 s at first,
    twice as long after each step up that failed, 320 s at most.
    """

    def __init__(self) -> None:
        self._courses: dict[str, _Course] = {}

    def decide(self, now_s: float, loads: Mapping[str, Load]) -> dict[str, ReductionStep | None]:
        """The step that each camera of `loads` shall be at; None is everything. Cameras that are gone are forgotten."""
        self._courses = {camera: self._courses.get(camera, _Course()) for camera in loads}
        for camera, load in loads.items():
            self._courses[camera].look(now_s, load)
        courses = list(self._courses.values())
        is_whole = sum(course.is_strained(now_s, REDUCE_AFTER_S / 2) for course in courses) > 1
        due = [course for course in courses if course.is_strained(now_s, REDUCE_AFTER_S)]
        for course in courses if due and is_whole else due:
            if course.may_go_down(now_s):
                course.go_down(now_s)
        for course in courses:
            if not is_whole and course.is_due_up(now_s):
                course.go_up(now_s)
        return {camera: STEPS[course.level - 1] if course.level else None for camera, course in self._courses.items()}
