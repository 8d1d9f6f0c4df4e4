"""Masked pictures: painted here and encoded here, with nothing of the source's file but its pixels."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.base.errors import MediaError
from lamppost.mask.paint import Palette, align, fill_of
from lamppost.mask.planner import merge_masks, padding_of
from lamppost.model.i420 import narrowed
from lamppost.model.vision import CoverCause, Detection, Mask, MaskedFrame

_JPEG_QUALITY, _WEBP_QUALITY = 92, 90


@dataclass(frozen=True, slots=True)
class MaskedStill:
    """A picture that may be shown. `rgb` has shape (height, width, 3); made in this file alone."""

    rgb: NDArray[np.uint8]
    masks: tuple[Mask, ...]
    covered: CoverCause | None


def mask_still(rgb: NDArray[np.uint8], detections: Iterable[Detection], palette: Palette) -> MaskedStill:
    """A copy with every detection padded, aligned to 16 pixels and filled with its constant colour."""
    height_px, width_px = rgb.shape[:2]
    aligned = (align(padding_of(each.kind).around(each.box), fill_of(each.kind), width_px, height_px) for each in detections)
    masks = merge_masks([mask for mask in aligned if mask is not None])
    painted = rgb.copy()
    for mask in masks:
        colour = palette.fills[mask.fill]
        painted[mask.y0 : mask.y1, mask.x0 : mask.x1] = (colour.red, colour.green, colour.blue)
    return MaskedStill(painted, masks, None)


def cover_still(rgb: NDArray[np.uint8], palette: Palette) -> MaskedStill:
    """A picture of the same size in one constant colour."""
    covered = np.empty(rgb.shape, np.uint8)
    covered[:] = (palette.cover.red, palette.cover.green, palette.cover.blue)
    return MaskedStill(covered, (), CoverCause.PRESET)


def encode_still(still: MaskedStill, suffix: str) -> bytes:
    """The picture as a file of the kind that `suffix` (such as `.png`) names; no EXIF, no profile, no thumbnail.

    Raises `MediaError` when that kind cannot be written.
    """
    return _encode(np.ascontiguousarray(still.rgb[:, :, ::-1]), suffix)


def encode_frame(frame: MaskedFrame, suffix: str) -> bytes:
    """A frame of masked video as a picture of the kind that `suffix` names; raises `MediaError`."""
    i420 = frame.i420 if not frame.is_full_range else narrowed(frame.i420)
    return _encode(np.asarray(cv2.cvtColor(i420, cv2.COLOR_YUV2BGR_I420), np.uint8), suffix)


def _encode(bgr: NDArray[np.uint8], suffix: str) -> bytes:
    options = {".jpg": _JPEG, ".jpeg": _JPEG, ".webp": (int(cv2.IMWRITE_WEBP_QUALITY), _WEBP_QUALITY)}.get(suffix.lower(), ())
    try:
        is_written, encoded = cv2.imencode(suffix.lower(), bgr, options)
    except cv2.error as error:
        raise MediaError(f"a picture of the kind {suffix} cannot be written") from error
    if not is_written:
        raise MediaError(f"a picture of the kind {suffix} cannot be written")
    return encoded.tobytes()


_JPEG = (int(cv2.IMWRITE_JPEG_QUALITY), _JPEG_QUALITY)
