"""Masks files by themselves, without a camera, a data folder or a key.

An output appears under its name when it is whole; a failure, a full disk or
Ctrl-C leaves nothing behind.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost import __version__
from lamppost.base.clock import TICKS_PER_S, Clock, format_utc
from lamppost.base.errors import LamppostError, MediaError
from lamppost.base.machine import usable_cores
from lamppost.decode.files import FileFrames
from lamppost.decode.stills import read_still
from lamppost.detect.entry import ModelEntry
from lamppost.detect.motion import MotionDetector
from lamppost.mask.clips import ClipWriter
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Palette, Rgb
from lamppost.mask.stills import cover_still, encode_still, mask_still
from lamppost.model.media import Packet
from lamppost.model.vision import CoverCause, Detection, Frame, Kind, Mask, MaskedFrame, Preset
from lamppost.pipeline.alongside import Ahead, Behind, Meanwhile
from lamppost.pipeline.equipment import WEAK_SCORE, equip
from lamppost.pipeline.held_start import HeldStart
from lamppost.pipeline.mask_jobs import MaskJob
from lamppost.pipeline.mask_report import ReportWriter, Tally, Totals
from lamppost.pipeline.masking import REFRESH_S, MaskingPipeline

if TYPE_CHECKING:
    from lamppost.detect.detectors import Detector

_CLIP_SIDE_PX = 640
_MOST_THREADS = 8  # each holds a picture, and more hardly make a clip faster
_STILL_SIDES_PX = (640, 1280, 1920)
_PRIME_S = 5.0
_PRIME_FRAMES, _PRIME_LEAST_FRAMES, _PRIME_BYTES = 50, 16, 200_000_000
_HELD_BYTES = 400_000_000  # the first seconds at 1080p and 25 frames a second
_MISSING_SHARE = 0.02  # an edit list may leave out a frame or two
_STILL_NOTE = "motion cannot be judged in a still picture: faces alone were masked"


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """How files are masked. `fill` is one colour for all kinds, as `#rrggbb`, or None.

    `models` is the folder of the models that did not come with Lamppost. Decoder, encoder and detectors have `threads`
    each: as many as this process may use cores.
    """

    preset: Preset = Preset.MOTION
    fill: str | None = None
    look_back_s: float = 1.0
    detect_interval_s: float = 0.2
    refresh_s: float = REFRESH_S
    score_threshold: float = 0.2
    face_model: str = "centerface"
    models: Path | None = None
    threads: int = field(default_factory=lambda: min(usable_cores(), _MOST_THREADS))

    @property
    def palette(self) -> Palette:
        """Raises `ValueError` when `fill` is no colour."""
        return Palette() if self.fill is None else Palette.of_one(parse_colour(self.fill))


class Watch(Protocol):
    """Is told how far the work is."""

    def started(self, job: MaskJob, nominal_frames: int) -> None: ...
    def advanced(self, frames: int) -> None: ...
    def ended(self, job: MaskJob, tally: Tally, notes: Sequence[str], error: LamppostError | None) -> None: ...


NoteFrame = Callable[[float, tuple[Mask, ...], CoverCause | None], None]


def parse_colour(text: str) -> Rgb:
    """`#rrggbb`; raises `ValueError` for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"{text!r} is not a colour such as #203040")
    return Rgb(*bytes.fromhex(digits))


class FileMasker:
    """Masks one file after the other with the same settings; detectors of faces are loaded once."""

    def __init__(self, settings: MaskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._palette = settings.palette
        self._equipment = equip(settings.preset, settings.models, settings.face_model)
        self._detectors: dict[tuple[str, int], Meanwhile[Detector]] = {}

    def run(self, jobs: Sequence[MaskJob], watch: Watch, report: ReportWriter | None) -> Totals:
        """Mask all; what fails is told to `watch` and the report, and the others go on."""
        totals = Totals()
        if not all(job.is_picture for job in jobs):
            for entry in self._equipment.entries:
                self._load(entry)
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
            "models": [{"name": entry.name, "sha256": entry.sha256} for entry in self._equipment.entries],
            "libraries": {name: metadata.version(name) for name in ("av", "numpy", "onnxruntime", "opencv-python-headless")},
        }

    def _mask(self, job: MaskJob, watch: Watch, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        try:
            job.target.parent.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise MediaError(f"the folder {job.target.parent} cannot be made: {error.strerror}") from error
        with _staged(job.target) as staging:
            if job.is_picture:
                watch.started(job, 1)
                return self._mask_picture(job, staging, notes, note_frame)
            return self._mask_clip(job, staging, watch, notes, note_frame)

    def _mask_picture(self, job: MaskJob, staging: Path, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        image = read_still(job.source)
        if self._settings.preset is Preset.ALL:
            still = cover_still(image, self._palette)
        else:
            still = mask_still(image, self._find(image), self._palette)
            if self._settings.preset is Preset.MOTION:
                notes.append(_STILL_NOTE)
        note_frame(0.0, still.masks, still.covered)
        try:
            staging.write_bytes(encode_still(still, job.target.suffix))
        except OSError as error:
            raise MediaError(f"{job.target} cannot be written: {error.strerror}") from error
        return int(image.shape[1]), int(image.shape[0])

    def _find(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        """What is to be masked in a still."""
        for entry in self._equipment.entries:
            # Small faces show at full size, large ones only when the picture is made small.
            sides = (entry.input.long_side_px,) if entry.input.is_fixed else _sides_for(image.shape)
            for detector in (self._detector(entry, side) for side in sides):
                for seen in detector.detect_rgb(image):
                    target = self._equipment.targets.of(seen.kind, seen.box)
                    if target is not None and seen.score >= detector.start_score:
                        yield Detection(*target, seen.score)

    def _mask_clip(self, job: MaskJob, staging: Path, watch: Watch, notes: list[str], note_frame: NoteFrame) -> tuple[int, int]:
        settings = self._settings
        with FileFrames(job.source, threads=settings.threads) as frames:
            watch.started(job, frames.nominal_frames)
            start, source = list[Frame](), iter(frames)
            if settings.preset is Preset.MOTION:
                held = HeldStart(source, hold_s=_PRIME_S, interval_90k=frames.frame_interval_90k, most_bytes=_HELD_BYTES)
                # What does not fit, such as 4K, is decoded once more instead.
                start = held.spread(_PRIME_FRAMES) if held.holds_all else _first_frames(job.source, settings.threads)
                source = iter(held)
            masking = self._pipeline(start)
            del start  # painted as they leave, and let go
            with _ClipOutput(staging, frames, settings.threads) as output, Ahead(source, name="decode") as ahead:

                def leave(masked: tuple[MaskedFrame, ...]) -> None:
                    for frame in masked:
                        output.take(frame)
                        note_frame(frame.pts_90k / TICKS_PER_S, frame.masks, frame.covered)

                for frame in ahead:
                    leave(masking.push(frame))
                leave(masking.flush())
                if frames.missing_frames > frames.nominal_frames * _MISSING_SHARE:
                    notes.append(
                        f"the clip is cut short or damaged: {frames.missing_frames} of {frames.nominal_frames} frames are not in it"
                    )
                return output.finish()

    def _pipeline(self, start: Sequence[Frame]) -> MaskingPipeline:
        settings, equipment = self._settings, self._equipment
        motion: MotionDetector | None = None
        if settings.preset is Preset.MOTION:
            motion = MotionDetector()
            motion.prime(start)
        return MaskingPipeline(
            preset=settings.preset,
            faces=self._detector(equipment.faces) if equipment.faces else None,
            things=[self._detector(entry) for entry in equipment.things],
            targets=equipment.targets,
            motion=motion,
            look_back_s=settings.look_back_s,
            detect_interval_s=settings.detect_interval_s,
            refresh_s=settings.refresh_s,
            clock=self._clock,
            palette=self._palette,
            is_live=False,
        )

    def _detector(self, entry: ModelEntry, side_px: int = _CLIP_SIDE_PX) -> Detector:
        self._load(entry, side_px)
        return self._detectors[entry.name, side_px].get()

    def _load(self, entry: ModelEntry, side_px: int = _CLIP_SIDE_PX) -> None:
        if (entry.name, side_px) not in self._detectors:
            self._detectors[entry.name, side_px] = Meanwhile(lambda: _open(self._settings, entry, side_px), name="load")


def _open(settings: MaskSettings, entry: ModelEntry, side_px: int) -> Detector:
    # Imported here: ONNX and its runtime take a tenth of a second to load, in which the first frames are decoded already.
    from lamppost.detect.detectors import open_detector

    is_face = Kind.FACE in entry.reported_kinds
    return open_detector(
        entry,
        models=settings.models,
        threads=settings.threads,
        score_threshold=settings.score_threshold if is_face else None,
        weak_score=WEAK_SCORE,
        long_side_px=side_px,
    )


class _ClipOutput:
    """Encoder and file of one clip, in a thread behind the masking."""

    def __init__(self, path: Path, frames: FileFrames, threads: int) -> None:
        self._path = path
        self._frames = frames
        self._threads = threads
        self._encoder: MaskedEncoder | None = None
        self._writer: ClipWriter | None = None
        self._behind: Behind[MaskedFrame] = Behind(self._encode, name="encode")
        self._size = (0, 0)

    def take(self, frame: MaskedFrame) -> None:
        self._behind.put(frame)

    def finish(self) -> tuple[int, int]:
        """Everything is in the file; returns width and height."""
        self._behind.finish()
        if self._encoder is not None:
            self._write(self._encoder.flush())
        if self._writer is not None:
            self._writer.close()
        return self._size

    def _encode(self, frame: MaskedFrame) -> None:
        if self._encoder is None:
            colours = self._frames.colours
            self._size = (frame.width_px, frame.height_px)
            self._encoder = MaskedEncoder(
                *self._size,
                frame_interval_90k=self._frames.frame_interval_90k,
                is_full_range=frame.is_full_range,
                colours=(colours.primaries, colours.transfer, colours.matrix),
                sample_aspect=self._frames.sample_aspect,
                threads=self._threads,
            )
        self._write(self._encoder.encode(frame))

    def _write(self, packets: Sequence[Packet]) -> None:
        for packet in packets:
            if self._writer is None and self._encoder is not None:
                self._writer = ClipWriter(self._path, self._encoder.parameters)
            if self._writer is not None:
                self._writer.write(packet)

    def __enter__(self) -> _ClipOutput:
        return self

    def __exit__(self, *failure: object) -> None:
        self._behind.close()
        if self._writer is not None:
            # After a failure the file is thrown away: that it cannot be ended well is no news.
            with contextlib.suppress(MediaError):
                self._writer.close()


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


def _first_frames(source: Path, threads: int) -> list[Frame]:
    """Frames spread over the first seconds, from which the background is learnt; bounded in memory."""
    kept: list[Frame] = []
    with FileFrames(source, threads=threads) as frames:
        interval_90k = frames.frame_interval_90k
        for frame in frames:
            if frame.pts_90k > _PRIME_S * TICKS_PER_S:
                break
            most = max(_PRIME_LEAST_FRAMES, min(_PRIME_FRAMES, _PRIME_BYTES // frame.i420.nbytes))
            step_90k = max(interval_90k, round(_PRIME_S * TICKS_PER_S / most))
            if not kept or frame.pts_90k - kept[-1].pts_90k >= step_90k - interval_90k // 2:
                kept.append(frame)
    return kept


def _sides_for(shape: tuple[int, ...]) -> Iterator[int]:
    longest_px = max(shape[0], shape[1])
    for index, side in enumerate(_STILL_SIDES_PX):
        if index == 0 or longest_px > _STILL_SIDES_PX[index - 1]:
            yield side


@contextlib.contextmanager
def _staged(target: Path) -> Generator[Path]:
    """A path beside `target` that becomes `target` when all went well, and vanishes otherwise."""
    # Without the name itself, which may be as long as a name can be.
    staging = target.with_name(f".{secrets.token_hex(8)}.tmp{target.suffix}")
    try:
        yield staging
        try:
            descriptor = os.open(staging, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
            staging.replace(target)
        except OSError as error:
            raise MediaError(f"{target} cannot be written: {error.strerror}") from error
    finally:
        staging.unlink(missing_ok=True)
