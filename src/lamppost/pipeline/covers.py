"""One camera's account of what was covered whole in the masked video."""

from __future__ import annotations

from collections.abc import Callable

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import CoverClosed, CoverOpened, JournalRecord
from lamppost.model.vision import MaskedFrame
from lamppost.pipeline.pending import PendingRecords


class CoverKeeper:
    """Writes a cover when it begins and when it ends, from the frames that leave.

    It lives as long as its camera's analysis. What the journal could not take is
    written, in order, before anything else: a cover is never left open for that.
    """

    def __init__(self, camera: str, journal: Callable[[JournalRecord], None], clock: Clock) -> None:
        self._camera = camera
        self._clock = clock
        self._open: CoverOpened | None = None
        self._pending = PendingRecords(journal)  # an end and a beginning, at most

    def note(self, frame: MaskedFrame) -> None:
        """Take one outgoing frame into account; frames come in order of time."""
        self._pending.write()
        cause = frame.covered.value if frame.covered else None
        if self._open is not None and self._open.cause != cause:
            self.end(frame.wall_us)
        if cause is not None and self._open is None:
            self._open = CoverOpened(cover_id=timed_id(self._clock.wall_us()), camera=self._camera, cause=cause, start_us=frame.wall_us)
            self._write(self._open)

    def end(self, end_us: int) -> None:
        """Close the open cover, if any: the scene is visible again, or nothing follows."""
        if self._open is not None:
            cover, self._open = self._open, None
            self._write(CoverClosed(cover_id=cover.cover_id, end_us=max(end_us, cover.start_us)))

    def _write(self, record: JournalRecord) -> None:
        self._pending.add(record)
        self._pending.write()
