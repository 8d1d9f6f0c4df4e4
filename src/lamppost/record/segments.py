"""Writes a run's packets into segment files: bytes first, then the journal, never the index.

The order is the promise. A segment is journalled once its file and folder are
durable, a fragment once its bytes are written, the end once the signed record
is durable. So whatever the journal names is there, and recovery needs no key.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from lamppost.base.clock import US_PER_S, Clock
from lamppost.base.durable import make_directory, sync_directory, write_all
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.model.books import FragmentWritten, JournalRecord, Rendition, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.model.media import Fragment, Packet, StreamParameters
from lamppost.record.chain import RecordChain
from lamppost.record.endings import SegmentEndings
from lamppost.record.fragments import FragmentMuxer
from lamppost.record.tar import BLOCK_BYTES, INIT_NAME, member, part_name

__all__ = ["RecordChain", "SealingEpoch", "SegmentWriter"]


@dataclass(frozen=True, slots=True)
class SealingEpoch:
    """What a segment is sealed with: `seal` encrypts to the epoch's recipient; no key is in it."""

    epoch_id: str
    end_us: int
    seal: Callable[[bytes], bytes]


class SegmentWriter:
    """Writes one run of packets as segments of one rendition.

    Every fragment is complete by itself: a crash loses the open one, and what
    lies past the last whole fragment is cut off before anyone reads it. A
    segment starts with a keyframe and is changed at the first keyframe after
    `segment_s` or after its epoch's end; no frame is lost between two.

    Sealed: a tar whose members are age files; the decode timeline goes on over
    the run's segments and each repeats the init, so the init and all chunks of
    a run make one video. Masked: an MP4 with a timeline of its own, which plays
    by itself at any time.
    """

    def __init__(
        self,
        *,
        camera: str,
        rendition: Rendition,
        folder: DataFolder,
        run_id: str,
        parameters: StreamParameters,
        journal: Callable[[JournalRecord], None],
        chain: RecordChain,
        sign: Callable[[bytes], bytes],
        clock: Clock,
        sealing: Callable[[int], SealingEpoch] | None = None,
        segment_s: float = 60.0,
        sync_interval_s: float = 5.0,
    ) -> None:
        if (sealing is None) == (rendition is Rendition.SEALED):
            raise ValueError("sealed segments need `sealing`, masked ones take none")
        self._camera, self._rendition, self._folder, self._run_id = camera, rendition, folder, run_id
        self._parameters, self._journal, self._chain = parameters, journal, chain
        self._endings = SegmentEndings(folder, chain, journal, sign)
        self._sealing, self._clock = sealing, clock
        self._segment_us = round(segment_s * US_PER_S)
        self._sync_interval_s = sync_interval_s
        self._muxer = FragmentMuxer(parameters)
        self._segment: _OpenSegment | None = None
        self._segment_start_us: int | None = None
        self._part = 0
        self._last_end_us: int | None = None
        self._is_over = False

    @property
    def last_end_us(self) -> int | None:
        """UTC end of the last fragment that is written and journalled; None before the first."""
        return self._last_end_us

    def write(self, packet: Packet) -> None:
        """Append `packet`; raises `StoreError` or `SealError`, after which only `close` does anything.

        Raises what `FragmentMuxer.write` raises as well.
        """
        if self._is_over:
            raise StoreError(f"camera {self._camera}: the segment writer is closed", remedy="start a new run")
        is_masked = self._rendition is Rendition.MASKED
        if is_masked and self._is_due(packet):
            self._drain()
            self._end_segment(SegmentEnd.ROTATED)
            self._muxer = FragmentMuxer(self._parameters)
        for fragment in self._muxer.write(packet):
            self._append(fragment)
        # A keyframe completes the fragment before it, which still belongs to the old segment.
        if not is_masked and self._is_due(packet):
            self._end_segment(SegmentEnd.ROTATED)
        if self._segment_start_us is None:
            self._segment_start_us = packet.wall_us

    def close(self, end: SegmentEnd) -> None:
        """Write what is left and end the segment; does nothing the second time.

        What cannot be ended, since the disk is full, the next writer of this `chain` ends.

        After a failed `write` what was pending is dropped: behind a lost
        fragment nothing may follow that would hide the gap.
        """
        try:
            if not self._is_over:
                self._drain()
        finally:
            self._is_over = True
            self._end_segment(end)

    def _drain(self) -> None:
        for fragment in self._muxer.close():
            self._append(fragment)

    def _is_due(self, packet: Packet) -> bool:
        if not packet.is_keyframe or self._segment_start_us is None:
            return False
        epoch = self._segment.epoch if self._segment is not None else None
        is_epoch_over = epoch is not None and packet.wall_us >= epoch.end_us
        return is_epoch_over or packet.wall_us - self._segment_start_us >= self._segment_us

    def _append(self, fragment: Fragment) -> None:
        is_written = False
        try:
            if self._segment is None:
                self._segment = self._open_segment(fragment.start_us)
            self._part += 1
            self._journal(self._segment.append(fragment, self._part))
            self._segment.keep()
            self._last_end_us = fragment.end_us
            self._segment.sync_if_due()
            is_written = True
        finally:
            self._is_over = self._is_over or not is_written

    def _open_segment(self, wall_us: int) -> _OpenSegment:
        # Before there is a file: while the journal fails, each attempt would leave one.
        self._endings.end_earlier()
        epoch = self._sealing(wall_us) if self._sealing is not None else None
        init = self._muxer.init
        header = init if epoch is None else member(INIT_NAME, epoch.seal(init), wall_us // US_PER_S)
        segment_id = timed_id(wall_us)
        path = self._folder.segment(self._camera, self._rendition, segment_id, wall_us)
        opened = SegmentOpened(
            segment_id=segment_id,
            camera=self._camera,
            rendition=self._rendition,
            path=self._folder.relative(path),
            run_id=self._run_id,
            epoch_id=epoch.epoch_id if epoch is not None else None,
            sequence=self._chain.take(),
            wall_us=wall_us,
            header_bytes=len(header),
            header_sha256=hashlib.sha256(header).hexdigest(),
        )
        segment = _OpenSegment(path, opened, header, epoch, self._clock, self._sync_interval_s)
        try:
            self._journal(opened)
        except StoreError:
            segment.release()
            self._endings.await_end(opened)
            raise
        return segment

    def _end_segment(self, end: SegmentEnd) -> None:
        segment, self._segment, self._segment_start_us = self._segment, None, None
        if segment is None:
            return
        segment.release()
        self._endings.end(segment.opened, segment.fragments, end)


class _OpenSegment:
    """A segment's file while it grows; durable with its first bytes once constructed."""

    def __init__(
        self, path: Path, opened: SegmentOpened, header: bytes, epoch: SealingEpoch | None, clock: Clock, sync_interval_s: float
    ) -> None:
        self.opened = opened
        self.epoch = epoch
        self.fragments: list[FragmentWritten] = []
        self._path, self._clock, self._sync_interval_s = path, clock, sync_interval_s
        self._candidate: FragmentWritten | None = None
        self._position = len(header)
        make_directory(path.parent)
        try:
            self._descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o640)
        except OSError as error:
            raise self._failure(error) from error
        try:
            write_all(self._descriptor, header)
            os.fsync(self._descriptor)
            sync_directory(path.parent)
        except OSError as error:
            self.release()
            # Nothing names it yet; a disk that stays full must not fill with one for each attempt.
            with contextlib.suppress(OSError):
                path.unlink()
            raise self._failure(error) from error
        self._synced_at_s = clock.monotonic_s()

    def append(self, fragment: Fragment, number: int) -> FragmentWritten:
        """Write `fragment`; it counts once `keep` is called, after it was journalled."""
        if self.epoch is None:
            content, start = fragment.data, self._position
            written = content
        else:
            content, start = self.epoch.seal(fragment.data), self._position + BLOCK_BYTES
            written = member(part_name(number), content, fragment.start_us // US_PER_S)
        try:
            write_all(self._descriptor, written)
        except OSError as error:
            raise self._failure(error) from error
        self._position += len(written)
        self._candidate = FragmentWritten(
            segment_id=self.opened.segment_id,
            offset=start,
            length=len(content),
            sha256=hashlib.sha256(content).hexdigest(),
            start_us=fragment.start_us,
            end_us=fragment.end_us,
            first_pts_90k=fragment.first_pts_90k,
            frames=fragment.frames,
            is_sync=fragment.is_sync,
        )
        return self._candidate

    def keep(self) -> None:
        """The fragment written last is journalled."""
        if self._candidate is not None:
            self.fragments.append(self._candidate)
            self._candidate = None

    def sync_if_due(self) -> None:
        """Make the file's bytes durable every `sync_interval_s`."""
        now_s = self._clock.monotonic_s()
        if now_s - self._synced_at_s < self._sync_interval_s:
            return
        try:
            os.fdatasync(self._descriptor)
        except OSError as error:
            raise self._failure(error) from error
        self._synced_at_s = now_s

    def release(self) -> None:
        """Close the file as it is."""
        os.close(self._descriptor)

    def _failure(self, error: OSError) -> StoreError:
        return StoreError(
            f"camera {self.opened.camera}: cannot write the segment {self._path}: {error.strerror}",
            remedy="free some space, or check that the disk is healthy and writable",
        )
