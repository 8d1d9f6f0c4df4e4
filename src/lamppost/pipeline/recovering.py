"""What a process mends before it goes on where an earlier life of it was cut off."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from lamppost.base.clock import Clock
from lamppost.base.logging import get_logger
from lamppost.model.books import (
    CoverClosed,
    EventClosed,
    FragmentWritten,
    GapOpened,
    ReductionClosed,
    SegmentClosed,
    SegmentEnd,
    SegmentOpened,
)
from lamppost.model.layout import DataFolder
from lamppost.record.chain import previous_record_sha256
from lamppost.record.segment_record import finish_segment, recorded_end
from lamppost.store.journal import JournalWriter
from lamppost.store.recovery import recover_writer

Sign = Callable[[bytes], bytes]


def recover(folder: DataFolder, writer: str, journal: JournalWriter, *, sign: Sign, clock: Clock) -> dict[str, GapOpened]:
    """Close what `writer` left open; return the gap that each camera is still in.

    A cover or a reduction that was left open is closed where it was: the masked segment ended
    there, and nothing was shown since. An event that was left open ends now: who lives finds it anew.
    """
    recovered = recover_writer(folder, writer, finish=_finisher(folder, sign), journal=journal, clock=clock)
    # Where an earlier recovery closed the segments and was cut off itself: nothing was shown until now.
    ends_us = max((closed.end_us for closed in recovered.closed), default=clock.wall_us())
    for cover in recovered.covers:
        journal.append(CoverClosed(cover_id=cover.cover_id, end_us=max(cover.start_us, ends_us)))
    for reduction in recovered.reductions:
        journal.append(ReductionClosed(reduction_id=reduction.reduction_id, end_us=max(reduction.start_us, ends_us)))
    for event in recovered.events:
        journal.append(EventClosed(event_id=event.event_id, end_us=max(event.start_us, clock.wall_us())))
    if recovered.closed or recovered.dropped:
        get_logger("store").warning("mended what was cut off", segments=len(recovered.closed), dropped=len(recovered.dropped))
    return {gap.camera: gap for gap in recovered.gaps}


def _finisher(folder: DataFolder, sign: Sign) -> Callable[[SegmentOpened, Sequence[FragmentWritten], SegmentEnd], SegmentClosed]:
    def finish(opened: SegmentOpened, fragments: Sequence[FragmentWritten], end: SegmentEnd) -> SegmentClosed:
        return finish_segment(
            folder=folder,
            opened=opened,
            fragments=fragments,
            end=recorded_end(folder.root / opened.path, fragments) or end,
            previous_sha256=previous_record_sha256(folder, opened),
            sign=sign,
        )

    return finish
