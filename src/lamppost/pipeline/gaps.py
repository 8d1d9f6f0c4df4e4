"""One camera's account of what was not recorded, written when it begins.

A gap stays open until a fragment is on the disk, not until a packet arrives:
what was received and lost before its fragment was whole belongs to the gap.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.model.books import FragmentWritten, GapClosed, GapOpened, JournalRecord
from lamppost.model.media import Gap, GapCause
from lamppost.pipeline.pending import PendingRecords

HELD_LIMIT: Final = 64


class GapKeeper:
    """Keeps at most one gap open; every write goes to the journal first.

    Give `journal` to the segment writer: the first fragment that it writes
    closes the open gap where that fragment starts. What the journal could not
    take is written, in order, before anything else; until then an open gap goes
    on under its first cause, so that no moment is without a record.
    """

    def __init__(self, camera: str, journal: Callable[[JournalRecord], None], clock: Clock) -> None:
        self._camera = camera
        self._journal = journal
        self._clock = clock
        self._open: GapOpened | None = None
        self._pending = PendingRecords(journal)  # four, and two for each that is held, at most
        self._held: list[Gap] = []  # declared since the open gap began: which of them it holds, the next fragment tells
        self.gaps = 0

    @property
    def cause(self) -> str | None:
        """Why nothing is recorded now, or None while recording."""
        return self._open.cause if self._open else None

    def resume(self, left_open: GapOpened) -> None:
        """Take over a gap that an earlier life of this camera left open."""
        self._open = left_open

    def begin(self, cause: GapCause, start_us: int, detail: str = "") -> None:
        """Open a gap; the same cause goes on, another one takes over where it starts."""
        self._held.clear()  # nothing was kept since, so they lie in the gap that is open
        if self._open is not None:
            self._pending.write()
            if self._open.cause == cause.value:
                return
            start_us = max(start_us, self._open.start_us)
            self._pending.add(GapClosed(gap_id=self._open.gap_id, end_us=start_us))
        self._open = self._new_gap(cause, start_us, detail)
        self._pending.add(self._open)
        self._pending.write()

    def end(self, end_us: int) -> None:
        """Close the open gap, if there is one."""
        if self._open is not None:
            gap, self._open = self._open, None
            self._pending.add(GapClosed(gap_id=gap.gap_id, end_us=max(end_us, gap.start_us)))
            self._pending.write()

    def declare(self, gap: Gap) -> None:
        """Write a gap that is over already: packets that were lost or damaged between others."""
        if self._open is not None:
            self._hold(gap)
            return
        self.begin(gap.cause, gap.start_us, gap.detail)
        self.end(gap.end_us)

    def journal(self, record: JournalRecord) -> None:
        """The journal for a segment writer: a fragment ends the open gap, and has the holes that were declared in it."""
        if isinstance(record, FragmentWritten):
            self._release_held(record.start_us)
        self._pending.write()
        self._journal(record)
        if isinstance(record, FragmentWritten):
            self.end(record.start_us)

    def _hold(self, gap: Gap) -> None:
        if len(self._held) < HELD_LIMIT:
            self._held.append(gap)
        else:
            self._held[-1] = replace(self._held[-1], end_us=max(self._held[-1].end_us, gap.end_us))

    def _release_held(self, from_us: int) -> None:
        """Have the held gaps written before the fragment from `from_us` on; earlier ones lie in the open gap."""
        for gap in self._held:
            if gap.end_us > from_us:
                opened = self._new_gap(gap.cause, max(gap.start_us, from_us), gap.detail)
                self._pending.add(opened, GapClosed(gap_id=opened.gap_id, end_us=gap.end_us))
        self._held.clear()

    def _new_gap(self, cause: GapCause, start_us: int, detail: str) -> GapOpened:
        self.gaps += 1
        return GapOpened(gap_id=timed_id(self._clock.wall_us()), camera=self._camera, cause=cause.value, start_us=start_us, detail=detail)
