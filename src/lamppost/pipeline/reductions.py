"""One camera's account of what its masked video gave up, step by step."""

from __future__ import annotations

from collections.abc import Callable

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import JournalRecord, ReductionClosed, ReductionOpened
from lamppost.model.vision import ReductionStep
from lamppost.pipeline.pending import PendingRecords


class ReductionKeeper:
    """Writes a step when it begins and when it ends.

    It lives as long as its camera's analysis. What the journal could not take is
    written, in order, before anything else: a step is never left open for that.
    """

    def __init__(self, camera: str, journal: Callable[[JournalRecord], None], clock: Clock) -> None:
        self._camera = camera
        self._clock = clock
        self._open: ReductionOpened | None = None
        self._pending = PendingRecords(journal)  # an end and a beginning, at most

    def note(self, step: ReductionStep | None, wall_us: int) -> None:
        """What is shown from `wall_us` on is reduced to `step`; None for not at all."""
        self._pending.write()
        name = step.value if step else None
        if self._open is not None and self._open.step != name:
            self.end(wall_us)
        if name is not None and self._open is None:
            self._open = ReductionOpened(timed_id(self._clock.wall_us()), self._camera, name, wall_us)
            self._write(self._open)

    def end(self, end_us: int) -> None:
        """Close the open step, if any: nothing follows, or something else does."""
        if self._open is not None:
            reduction, self._open = self._open, None
            self._write(ReductionClosed(reduction.reduction_id, max(end_us, reduction.start_us)))

    def _write(self, record: JournalRecord) -> None:
        self._pending.add(record)
        self._pending.write()
