"""One run of one camera on its way from packets to masked segments, as much of it as the machine can mask."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.base.ids import timed_id
from lamppost.decode.packets import PacketDecoder
from lamppost.decode.pictures import halved_size
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Blank, Covers, Palette
from lamppost.model.books import JournalRecord, Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import MaskedPacket, Packet, StreamParameters
from lamppost.model.settings import RecordingSettings
from lamppost.model.vision import CoverCause, Frame, MaskedFrame, ReductionStep
from lamppost.pipeline.covers import CoverKeeper
from lamppost.pipeline.lasting import LastingPackets
from lamppost.pipeline.live import LivePublisher
from lamppost.pipeline.masking import MaskingPipeline
from lamppost.record.segments import RecordChain, SegmentWriter

FEWER_STEP_90K: Final = TICKS_PER_S // 5  # between two masked frames
_HALVED = frozenset({ReductionStep.LOWER_RESOLUTION, ReductionStep.KEYFRAMES_ONLY, ReductionStep.COVERED})
_KEYFRAMES = frozenset({ReductionStep.KEYFRAMES_ONLY, ReductionStep.COVERED})


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
        note_masked: Callable[[MaskedFrame], None] | None = None,
        step: ReductionStep | None = None,
        live: LivePublisher | None = None,
    ) -> None:
        self.frames = 0
        self.covered_frames = 0
        self.covered: CoverCause | None = CoverCause.STARTING
        self.step: ReductionStep | None = None
        self._camera = camera
        self._parameters = parameters
        self._tools = tools
        self._masking = masking
        self._chain = chain
        self._covers = covers
        self._note_masked = note_masked
        self._live = live
        self._is_halved = step in _HALVED
        self._decoder: PacketDecoder | None = None
        # A picture of full size is always decoded before one is covered without decoding.
        self._blank = Blank(*halved_size(parameters.width_px, parameters.height_px))
        self._blanks = Covers(Palette())
        self._encoder: MaskedEncoder | None = None
        self._writer: SegmentWriter | None = None
        self._lasting = LastingPackets()
        self._is_gap_ahead = False
        self._until_90k = 0
        self._last_us = 0
        if step is not None:
            self.change_step(step)

    @property
    def masking(self) -> MaskingPipeline:
        """What masks its frames."""
        return self._masking

    def fits(self, step: ReductionStep | None) -> bool:
        """Whether this run is what another one that began at `step` would be; if not, another one begins at a keyframe."""
        if step is ReductionStep.COVERED:
            return True  # of whatever size: nothing is in it
        return self.step is not ReductionStep.COVERED and (step in _HALVED) == self._is_halved

    def can_change(self, step: ReductionStep | None, *, is_keyframe: bool) -> bool:
        """Whether the next packet, a keyframe or not, may be the first at `step` in this run.

        What gives up all but keyframes begins at once, in whatever size.
        """
        if not is_keyframe and step in _KEYFRAMES:
            return self.step is not ReductionStep.COVERED
        return self.fits(step) and (is_keyframe or self.step not in _KEYFRAMES)

    def change_step(self, step: ReductionStep | None) -> None:
        """Mask from the next packet on as `step` says; to be asked before by `can_change`."""
        is_alone = step is ReductionStep.KEYFRAMES_ONLY
        must_switch, self.step = is_alone != (self.step is ReductionStep.KEYFRAMES_ONLY), step
        if step is ReductionStep.COVERED:
            self._let_go()
            return
        decoder = self._open_decoder()
        decoder.thin(0 if step is None else FEWER_STEP_90K)
        if must_switch:
            for frame in decoder.decode_alone(is_alone=is_alone):
                self._mask(frame)
        self._masking.ease(is_eased=step is not None)

    def take(self, packet: Packet) -> None:
        """Decode one packet, as far as the present step wants it, and write what the masker lets go."""
        if self._is_gap_ahead:
            self._lasting.note_gap(packet.pts_90k)
            self._is_gap_ahead = False
        self._until_90k = max(self._until_90k, packet.pts_90k + (packet.duration_90k or self._parameters.frame_interval_90k))
        if self.step in _KEYFRAMES and not packet.is_keyframe:
            self._masking.pass_over(packet.pts_90k)
        elif self.step is ReductionStep.COVERED:
            self._encode(self._blanks.cover_blank(self._blank, packet.pts_90k, packet.wall_us, CoverCause.OVERLOAD))
        else:
            for frame in self._open_decoder().decode(packet):
                self._mask(frame)

    def drop(self, cause: CoverCause) -> None:
        """Packets are missing before the next one: cover until all is known again."""
        self._is_gap_ahead = True
        self._masking.drop(cause)

    def finish(self, end: SegmentEnd, next_90k: int | None = None) -> None:
        """Bring everything that is on its way to the disk, and close; `next_90k` is where another run goes on."""
        if next_90k is not None:
            self._until_90k = next_90k
        if self._decoder is not None:
            for frame in self._decoder.flush():
                self._mask(frame)
        for masked in self._masking.flush():
            self._encode(masked)
        self._close(end)

    def abandon(self) -> None:
        """Close after a failure: frames on their way are not shown."""
        self._close(SegmentEnd.RUN_ENDED)

    def _open_decoder(self) -> PacketDecoder:
        if self._decoder is None:
            self._decoder = PacketDecoder(self._parameters, threads=self._tools.threads, is_halved=self._is_halved)
        return self._decoder

    def _let_go(self) -> None:
        """Decode no more in this run; what waits leaves covered."""
        if self._decoder is not None:
            self._decoder.close()
            self._decoder = None
        for masked in self._masking.cover_rest(CoverCause.OVERLOAD):
            self._encode(masked)

    def _mask(self, frame: Frame) -> None:
        for masked in self._masking.push(frame):
            self._encode(masked)

    def _encode(self, masked: MaskedFrame) -> None:
        if self._encoder is None:
            self._blank = Blank(masked.width_px, masked.height_px, masked.is_full_range)
            self._encoder = MaskedEncoder(
                masked.width_px,
                masked.height_px,
                frame_interval_90k=self._parameters.frame_interval_90k,
                is_full_range=masked.is_full_range,
                threads=self._tools.threads,
                is_live=True,
            )
        self._covers.note(masked)
        if self._note_masked is not None:
            self._note_masked(masked)
        self.frames += 1
        self.covered = masked.covered
        self.covered_frames += masked.covered is not None
        self._last_us = masked.wall_us
        for packet in self._encoder.encode(masked):
            self._hand_on(packet)

    def _hand_on(self, packet: MaskedPacket) -> None:
        if self._live is not None and self._encoder is not None:
            self._live.publish(packet, self._encoder.parameters)
        for lasting in self._lasting.push(packet, is_reduced=self.step is not None):
            self._write(lasting)

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
            if self._live is not None:
                ends.callback(self._live.end)
            ends.callback(self._covers.end, self._last_us)
            ends.callback(self._close_writer, end)
            if self._decoder is not None:
                self._decoder.close()
            if self._encoder is not None:
                for packet in self._encoder.flush():
                    self._hand_on(packet)
            for lasting in self._lasting.end(self._until_90k, is_reduced=self.step is not None):
                self._write(lasting)

    def _close_writer(self, end: SegmentEnd) -> None:
        if self._writer is not None:
            self._writer.close(end)
