"""How a segment ends: its record first, then the journal. What a full disk refused is ended later, by the same process.

Recovery would do it at the next start; until then the index called such a segment
open, and retention passed it over.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.books import FragmentWritten, JournalRecord, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.record.chain import RecordChain, UnendedSegment
from lamppost.record.segment_record import finish_segment

MOST_UNENDED: Final = 64


class SegmentEndings:
    """Ends the segments of one camera's rendition, in whose `chain` waits what could not be ended yet.

    Each step may fail, on the disk in spite of the error or not, and is done
    again with the next call; doing it twice does no harm. After a crash,
    recovery goes on from what the journal says.
    """

    def __init__(
        self, folder: DataFolder, chain: RecordChain, journal: Callable[[JournalRecord], None], sign: Callable[[bytes], bytes]
    ) -> None:
        self._folder, self._chain, self._journal, self._sign = folder, chain, journal, sign

    def end(self, opened: SegmentOpened, fragments: Sequence[FragmentWritten], end: SegmentEnd) -> None:
        """End a segment whose file is closed; raises `StoreError`, after which `end_earlier` tries again."""
        segment = self._await(UnendedSegment(opened, tuple(fragments), end, self._chain.previous_sha256))
        self._finish(segment)
        self._conclude(segment)

    def await_end(self, opened: SegmentOpened) -> None:
        """The journal failed at `opened`, and may have it or not: say it again, and end what holds no footage."""
        segment = UnendedSegment(opened, (), SegmentEnd.RUN_ENDED, self._chain.previous_sha256)
        segment.is_journalled = False
        self._await(segment)

    def end_earlier(self) -> None:
        """End what could not be ended before, oldest first; raises `StoreError` where the journal still fails.

        What a file still refuses waits on, and keeps nothing else from being recorded.
        """
        for segment in tuple(self._chain.unended):
            try:
                self._finish(segment)
            except StoreError as error:
                get_logger("record").debug("a segment cannot be ended yet", segment=segment.opened.segment_id, problem=str(error))
            else:
                self._conclude(segment)

    def _await(self, segment: UnendedSegment) -> UnendedSegment:
        waiting = self._chain.unended
        waiting.append(segment)
        if len(waiting) > MOST_UNENDED:
            left = waiting.pop(0)
            get_logger("record").warning("a segment is left for the next start to end", segment=left.opened.segment_id)
        return segment

    def _finish(self, segment: UnendedSegment) -> None:
        if segment.closed is not None:
            return
        # Behind a later record it can only be ended as recovery does: that one names another as the one before it.
        is_next = self._chain.is_next(segment.opened.sequence)
        segment.closed = finish_segment(
            folder=self._folder,
            opened=segment.opened,
            fragments=segment.fragments,
            end=segment.end if is_next else SegmentEnd.RECOVERED,
            previous_sha256=self._chain.previous_sha256 if is_next else segment.previous_sha256,
            sign=self._sign,
        )
        self._chain.advance(segment.opened.sequence, segment.closed.record_sha256)

    def _conclude(self, segment: UnendedSegment) -> None:
        if not segment.is_journalled:
            self._journal(segment.opened)
            segment.is_journalled = True
        if segment.closed is not None:
            self._journal(segment.closed)
        self._chain.unended.remove(segment)
