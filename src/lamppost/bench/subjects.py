"""Who is measured: Lamppost with one preset, or a peer; both say which pixels of a picture they mask."""

from __future__ import annotations

import contextlib
import importlib
import importlib.metadata
import importlib.util
import io
from collections.abc import Generator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from lamppost import __version__
from lamppost.base.clock import TICKS_PER_S, Clock
from lamppost.bench.coverage import draw_masks
from lamppost.bench.truth import ClipSet
from lamppost.decode.pictures import rgb_of
from lamppost.model.vision import Preset
from lamppost.pipeline.clip_masking import ClipMasker, MaskSettings

DEFACE_THRESHOLD, DEFACE_MASK_SCALE = 0.2, 1.3  # of its command line, by default


@dataclass(frozen=True, slots=True)
class Masking:
    """What one picture's mask is: `masked` (height, width), true where no pixel of the source shows; `cause` where all is covered."""

    at_s: float
    masked: NDArray[np.bool_]
    cause: str | None = None


class Subject(Protocol):
    """Masks clips and stills, and says who it is. `preset` is what it is asked to mask."""

    @property
    def name(self) -> str: ...
    @property
    def preset(self) -> Preset: ...
    def describe(self) -> dict[str, Any]: ...
    def mask_clip(self, clip: ClipSet) -> Generator[Masking]: ...
    def mask_still(self, image: NDArray[np.uint8]) -> Masking: ...


class LamppostSubject:
    """Lamppost as `lamppost mask` runs it; raises `ConfigError` when the preset lacks a model."""

    def __init__(self, preset: Preset, models: Path | None, clock: Clock) -> None:
        self._masker = ClipMasker(MaskSettings(preset=preset, models=models), clock)
        self.preset = preset
        self.name = " + ".join([f"lamppost {preset.value}", *(entry.name for entry in self._masker.equipment.things)])

    def describe(self) -> dict[str, Any]:
        """Its version, and the models that it looks with."""
        return {"name": self.name, "version": __version__, "preset": self.preset.value, "models": self._masker.equipment.describe()}

    def mask_clip(self, clip: ClipSet) -> Generator[Masking]:
        """The masks of every frame, in order."""
        with clip.open() as frames, closing(self._masker.mask_frames(frames)) as masked:
            for frame in masked:
                drawn = draw_masks(frame.masks, frame.width_px, frame.height_px, is_covered=frame.covered is not None)
                yield Masking(frame.pts_90k / TICKS_PER_S, drawn, frame.covered.value if frame.covered else None)

    def mask_still(self, image: NDArray[np.uint8]) -> Masking:
        """The masks of one picture."""
        still = self._masker.mask_still(image)
        drawn = draw_masks(still.masks, image.shape[1], image.shape[0], is_covered=still.covered is not None)
        return Masking(0.0, drawn, still.covered.value if still.covered else None)


class DefaceSubject:
    """`deface` (ORB-HD, MIT) with the defaults of its command: its own detector, and the pixels that its own code replaces."""

    def __init__(self) -> None:
        self.preset = Preset.FACES
        self._version = importlib.metadata.version("deface")
        self.name = f"deface {self._version}"
        self._drawing: Any = importlib.import_module("deface.deface")
        self._ellipse: Any = importlib.import_module("skimage.draw").ellipse
        with contextlib.redirect_stdout(io.StringIO()):  # it prints what it runs on; `describe` says it
            self._finder: Any = importlib.import_module("deface.centerface").CenterFace(in_shape=None, backend="auto")

    def describe(self) -> dict[str, Any]:
        """Its version and what it runs on."""
        backend = getattr(self._finder, "backend", "unknown")
        session = getattr(self._finder, "sess", None)
        providers: list[str] = session.get_providers() if session is not None else []
        return {
            "name": self.name,
            "version": self._version,
            "backend": f"{backend} {' '.join(providers)}".strip(),
            "threshold": DEFACE_THRESHOLD,
            "mask_scale": DEFACE_MASK_SCALE,
            "shape": "ellipse",
        }

    def mask_clip(self, clip: ClipSet) -> Generator[Masking]:
        """The masks of every frame; each stands for itself."""
        with clip.open() as frames:
            for frame in frames:
                yield Masking(frame.pts_90k / TICKS_PER_S, self._mask(rgb_of(frame)))

    def mask_still(self, image: NDArray[np.uint8]) -> Masking:
        """The masks of one picture."""
        return Masking(0.0, self._mask(image))

    def _mask(self, rgb: NDArray[np.uint8]) -> NDArray[np.bool_]:
        # As its `anonymize_frame` and `draw_det` do: scaled boxes, inside the picture, and the ellipse in each.
        found, _ = self._finder(rgb, threshold=DEFACE_THRESHOLD)
        masked = np.zeros(rgb.shape[:2], np.bool_)
        for each in found:
            x1, y1, x2, y2 = self._drawing.scale_bb(*each[:4].astype(int), DEFACE_MASK_SCALE)
            y1, y2 = max(0, y1), min(rgb.shape[0] - 1, y2)
            x1, x2 = max(0, x1), min(rgb.shape[1] - 1, x2)
            if x2 > x1 and y2 > y1:
                radii = ((y2 - y1) // 2, (x2 - x1) // 2)
                rows, columns = self._ellipse(*radii, *radii)
                masked[y1:y2, x1:x2][rows, columns] = True
        return masked


def has_deface() -> bool:
    """Whether the peer is installed, with what it draws with."""
    return all(importlib.util.find_spec(name) is not None for name in ("deface", "skimage"))
