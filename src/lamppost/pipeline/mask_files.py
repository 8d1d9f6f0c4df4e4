"""Masks files by themselves, without a camera, a data folder or a key.

An output appears under its name when it is whole; a failure, a full disk or
Ctrl-C leaves nothing behind.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any, Protocol

from lamppost import __version__
from lamppost.base.clock import TICKS_PER_S, Clock, format_utc
from lamppost.base.errors import LamppostError, MediaError
from lamppost.decode.files import FileFrames
from lamppost.decode.stills import read_still
from lamppost.mask.stills import encode_still
from lamppost.model.vision import CoverCause, Mask, Preset
from lamppost.pipeline.clip_masking import ClipMasker, MaskSettings, library_versions
from lamppost.pipeline.clip_output import ClipOutput, staged
from lamppost.pipeline.mask_jobs import MaskJob
from lamppost.pipeline.mask_report import ReportWriter, Tally, Totals

_MISSING_SHARE = 0.02  # an edit list may leave out a frame or two
_STILL_NOTE = "motion cannot be judged in a still picture: only what models find was masked"


class Watch(Protocol):
    """Is told how far the work is."""

    def started(self, job: MaskJob, nominal_frames: int) -> None: ...
    def advanced(self, frames: int) -> None: ...
    def ended(self, job: MaskJob, tally: Tally, notes: Sequence[str], error: LamppostError | None) -> None: ...


NoteFrame = Callable[[float, tuple[Mask, ...], CoverCause | None], None]


class FileMasker:
    """Masks one file after the other with the same settings; detectors of faces are loaded once."""

    def __init__(self, settings: MaskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._masker = ClipMasker(settings, clock)

    def run(self, jobs: Sequence[MaskJob], watch: Watch, report: ReportWriter | None) -> Totals:
        """Mask all; what fails is told to `watch` and the report, and the others go on."""
        totals = Totals()
        if not all(job.is_picture for job in jobs):
            self._masker.load()
        for job in jobs:
            tally, notes, error = Tally(), list[str](), None
            if report is not None:
                report.open_input(str(job.source), str(job.target), "picture" if job.is_picture else "clip")
            size: tuple[int, int] | None = None
            try:
                size = self._mask(job, watch, notes, _noting(tally, report, watch))
            except (LamppostError, MemoryError) as failure:
                error = failure if isinstance(failure, LamppostError) else MediaError(f"{job.source} is too large for the memory")
            notes += _notes_on(tally, error)
            if report is not None:
                report.close_input(tally, size, notes, str(error) if error else None)
            totals.add(tally, is_failed=error is not None)
            watch.ended(job, tally, notes, error)
        return totals

    def describe(self) -> dict[str, Any]:
        """The head of a report: settings, models, versions."""
        settings = {name: value for name, value in asdict(self._settings).items() if name not in ("threads", "models")}
        return {
            "lamppost": __version__,
            "made": format_utc(self._clock.wall_us()),
            "settings": settings,
            "models": self._masker.equipment.describe(),
            "libraries": library_versions(),
        }

    def _mask(self, job: MaskJob, watch: Watch, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        try:
            job.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"the folder {job.target.parent} cannot be made: {error.strerror}") from error
        with staged(job.target) as staging:
            if job.is_picture:
                watch.started(job, 1)
                return self._mask_picture(job, staging, notes, note_frame)
            return self._mask_clip(job, staging, watch, notes, note_frame)

    def _mask_picture(self, job: MaskJob, staging: Path, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        image = read_still(job.source)
        still = self._masker.mask_still(image)
        if self._settings.preset is Preset.MOTION:
            notes.append(_STILL_NOTE)
        note_frame(0.0, still.masks, still.covered)
        try:
            staging.write_bytes(encode_still(still, job.target.suffix))
        except OSError as error:
            raise MediaError(f"{job.target} cannot be written: {error.strerror}") from error
        return int(image.shape[1]), int(image.shape[0])

    def _mask_clip(self, job: MaskJob, staging: Path, watch: Watch, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        settings = self._settings
        with FileFrames(job.source, threads=settings.threads) as frames:
            watch.started(job, frames.nominal_frames)
            with ClipOutput(staging, frames, settings.threads) as output, contextlib.closing(self._masker.mask_frames(frames)) as masked:
                for frame in masked:
                    output.take(frame)
                    note_frame(frame.pts_90k / TICKS_PER_S, frame.masks, frame.covered)
                if frames.missing_frames > frames.nominal_frames * _MISSING_SHARE:
                    notes.append(
                        f"the clip is cut short or damaged: {frames.missing_frames} of {frames.nominal_frames} frames are not in it"
                    )
                return output.finish()


def _noting(tally: Tally, report: ReportWriter | None, watch: Watch) -> NoteFrame:
    def note(pts_s: float, masks: tuple[Mask, ...], covered: CoverCause | None) -> None:
        tally.count(masks, covered)
        if report is not None:
            report.add_frame(pts_s, masks, covered)
        watch.advanced(1)

    return note


def _notes_on(tally: Tally, error: LamppostError | None) -> list[str]:
    """What the person who asked should know about an output."""
    if error is not None or not tally.total_frames:
        return []
    moved = tally.causes.get(CoverCause.SCENE_CHANGED.value, 0) + tally.causes.get(CoverCause.STARTING.value, 0)
    if moved > tally.total_frames / 4:
        return ["much is covered whole: the camera moves, or too much moves before it; --preset faces masks faces alone"]
    return []
