"""From the frames of a clip, or one still, to masked ones: what a file and a benchmark have in common."""

from __future__ import annotations

from collections.abc import Generator, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from importlib import metadata
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.base.machine import usable_cores
from lamppost.detect.entry import ModelEntry
from lamppost.detect.motion import MotionDetector
from lamppost.mask.paint import Palette, Rgb
from lamppost.mask.stills import MaskedStill, cover_still, mask_still
from lamppost.model.providers import Provider
from lamppost.model.vision import Detection, Frame, Kind, MaskedFrame, Preset
from lamppost.pipeline.alongside import Ahead, Meanwhile
from lamppost.pipeline.equipment import WEAK_SCORE, Equipment, equip
from lamppost.pipeline.held_start import HeldStart
from lamppost.pipeline.masking import REFRESH_S, MaskingPipeline
from lamppost.pipeline.spectator import Spectator

if TYPE_CHECKING:
    from lamppost.detect.detectors import Detector

_CLIP_SIDE_PX = 640
_MOST_THREADS = 8  # each holds a picture, and more hardly make a clip faster
_STILL_SIDES_PX = (640, 1280, 1920)
_PRIME_S = 5.0
_PRIME_FRAMES, _PRIME_LEAST_FRAMES, _PRIME_BYTES = 50, 16, 200_000_000
_HELD_BYTES = 400_000_000  # the first seconds at 1080p and 25 frames a second


@dataclass(frozen=True, slots=True)
class MaskSettings:
    """How files are masked. `fill` is one colour for all kinds, as `#rrggbb`, or None.

    `models` is the folder of the models that did not come with Lamppost; `providers` are tried in their order, and the best that
    is here where there are none. Decoder, encoder and detectors have `threads`
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
    providers: tuple[Provider, ...] = ()
    threads: int = field(default_factory=lambda: min(usable_cores(), _MOST_THREADS))

    @property
    def palette(self) -> Palette:
        """Raises `ValueError` when `fill` is no colour."""
        return Palette() if self.fill is None else Palette.of_one(parse_colour(self.fill))


def parse_colour(text: str) -> Rgb:
    """`#rrggbb`; raises `ValueError` for anything else."""
    digits = text.removeprefix("#")
    if len(digits) != 6:
        raise ValueError(f"{text!r} is not a colour such as #203040")
    return Rgb(*bytes.fromhex(digits))


def library_versions() -> dict[str, str]:
    """The libraries that decide what is masked, with their versions: for reports."""
    return {name: metadata.version(name) for name in ("av", "numpy", "onnxruntime", "opencv-python-headless")}


class FrameSource(Protocol):
    """The frames of a clip, in order, and a way to read them from the start once more."""

    @property
    def frame_interval_90k(self) -> int: ...
    def __iter__(self) -> Iterator[Frame]: ...
    def again(self) -> AbstractContextManager[FrameSource]: ...


class ClipMasker:
    """Masks clips and stills with the same settings; each detector is loaded once.

    Raises `ConfigError` when the preset lacks a model, `ModelError` later when one of them is altered.
    """

    def __init__(self, settings: MaskSettings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        self._palette = settings.palette
        self.equipment: Equipment = equip(settings.preset, settings.models, settings.face_model)
        self._detectors: dict[tuple[str, int], Meanwhile[Detector]] = {}

    def load(self) -> None:
        """Begin to load what clips need, in threads of their own."""
        for entry in self.equipment.entries:
            self._load(entry)

    def mask_frames(self, frames: FrameSource, spectator: Spectator | None = None) -> Generator[MaskedFrame]:
        """As many frames as `frames` has, in order; it is decoded ahead in a thread of its own. A `spectator` sees them before."""
        is_watched = self._settings.preset is Preset.MOTION
        motion, source = primed(frames, finds_things=spectator is not None) if is_watched else (None, iter(frames))
        masking = self._pipeline(motion, spectator)
        with Ahead(source, name="decode") as ahead:
            for frame in ahead:
                yield from masking.push(frame)
            yield from masking.flush()

    def mask_still(self, image: NDArray[np.uint8]) -> MaskedStill:
        """A still, shape (height, width, 3), RGB."""
        if self._settings.preset is Preset.ALL:
            return cover_still(image, self._palette)
        return mask_still(image, self._find(image), self._palette)

    def _find(self, image: NDArray[np.uint8]) -> Iterator[Detection]:
        """What is to be masked in a still."""
        for entry in self.equipment.entries:
            # Small faces show at full size, large ones only when the picture is made small.
            sides = (entry.input.long_side_px,) if entry.input.is_fixed else _sides_for(image.shape)
            for detector in (self._detector(entry, side) for side in sides):
                for seen in detector.detect_rgb(image):
                    target = self.equipment.targets.of(seen.kind, seen.box)
                    if target is not None and seen.score >= detector.start_score:
                        yield Detection(*target, seen.score)

    def _pipeline(self, motion: MotionDetector | None, spectator: Spectator | None) -> MaskingPipeline:
        settings, equipment = self._settings, self.equipment
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
            spectator=spectator,
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
        providers=settings.providers,
    )


def primed(frames: FrameSource, *, finds_things: bool = True) -> tuple[MotionDetector, Iterator[Frame]]:
    """A motion detector that has learnt the background from the first seconds of `frames`, and all of these, from the first one on."""
    motion, source = MotionDetector(finds_things=finds_things), iter(frames)
    held = HeldStart(source, hold_s=_PRIME_S, interval_90k=frames.frame_interval_90k, most_bytes=_HELD_BYTES)
    # What does not fit, such as 4K, is decoded once more instead.
    motion.prime(held.spread(_PRIME_FRAMES) if held.holds_all else _first_frames(frames))
    return motion, iter(held)


def _first_frames(source: FrameSource) -> list[Frame]:
    """Frames spread over the first seconds, from which the background is learnt; bounded in memory."""
    kept: list[Frame] = []
    with source.again() as frames:
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
