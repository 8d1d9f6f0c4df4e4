"""One run of one camera on its way from packets to masked segments."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass

from lamppost.base.clock import Clock
from lamppost.base.ids import timed_id
from lamppost.decode.packets import PacketDecoder
from lamppost.mask.encoder import MaskedEncoder
from lamppost.model.books import JournalRecord, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import Packet, StreamParameters
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Frame, MaskedFrame
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.record.segments import RecordChain, SegmentWriter


@dataclass(frozen=True, slots=True)
class MaskedTools:
    """What every masked run in a process shares."""

    folder: DataFolder
    settings: RecordingSettings
    journal: Callable[[JournalRecord], None]
    sign: Callable[[bytes], bytes]
    clock: Clock
    threads: int


class MaskedRun:
    """Decoder, masker, encoder and segment writer of one run, and nothing that outlives it."""

    def __init__(
        self,
        camera: str,
        parameters: StreamParameters,
        tools: MaskedTools,
        *,
        masking: MaskingPipeline,
        chain: RecordChain,
        covers: CoverKeeper,
    ) -> None:
        self.frames = 0
        self.covered_frames = 0
        self.is_covered = True
        self._camera = camera
        self._tools = tools
        self._masking = masking
        self._chain = chain
        self._frame_interval_90k = parameters.frame_interval_90k
        self._decoder = PacketDecoder(parameters, threads=tools.threads)
        self._encoder: MaskedEncoder | None = None
        self._writer: SegmentWriter | None = None
        self._covers = covers
        self._last_us = 0

    def take(self, packet: Packet) -> None:
        """Decode one packet and write what the masker lets go."""
        for frame in self._decoder.decode(packet):
            self._mask(frame)

    def drop(self, cause: CoverCause) -> None:
        """Packets are missing before the next one: cover until all is known again."""
        self._masking.drop(cause)

    def finish(self, end: SegmentEnd) -> None:
        """Bring everything that is on its way to the disk, and close."""
        for frame in self._decoder.flush():
            self._mask(frame)
        for masked in self._masking.flush():
            self._encode(masked)
        self._close(end)

    def abandon(self) -> None:
        """Close after a failure: frames on their way are not shown."""
        self._close(SegmentEnd.RUN_ENDED)

    def _mask(self, frame: Frame) -> None:
        for masked in self._masking.push(frame):
            self._encode(masked)

    def _encode(self, masked: MaskedFrame) -> None:
        if self._encoder is None:
            self._encoder = MaskedEncoder(
                masked.width_px,
                masked.height_px,
                frame_interval_90k=self._frame_interval_90k,
                is_full_range=masked.is_full_range,
                threads=self._tools.threads,
                is_live=True,
            )
        self._covers.note(masked)
        self.frames += 1
        self.is_covered = masked.covered is not None
        self.covered_frames += self.is_covered
        self._last_us = masked.wall_us
        for packet in self._encoder.encode(masked):
            self._write(packet)

    def _write(self, packet: Packet) -> None:
        if self._writer is None and self._encoder is not None:
            self._writer = SegmentWriter(
                camera=self._camera,
                rendition=Rendition.MASKED,
                folder=self._tools.folder,
                run_id=timed_id(self._tools.clock.wall_us()),
                parameters=self._encoder.parameters,
                sealing=None,
                journal=self._tools.journal,
                chain=self._chain,
                sign=self._tools.sign,
                segment_s=self._tools.settings.segment_s,
                sync_interval_s=self._tools.settings.sync_interval_s,
                clock=self._tools.clock,
            )
        if self._writer is not None:
            self._writer.write(packet)

    def _close(self, end: SegmentEnd) -> None:
        with contextlib.ExitStack() as ends:  # last in, first out; each of them also when one before it fails
            ends.callback(self._covers.end, self._last_us)
            ends.callback(self._close_writer, end)
            self._decoder.close()
            if self._encoder is not None:
                for packet in self._encoder.flush():
                    self._write(packet)

    def _close_writer(self, end: SegmentEnd) -> None:
        if self._writer is not None:
            self._writer.close(end)
