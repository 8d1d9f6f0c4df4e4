"""From a picture file to upright RGB pixels, without anything else that the file holds."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.base.errors import MediaError

_LARGEST_BYTES = 256 << 20


def read_still(path: Path) -> NDArray[np.uint8]:
    """The picture, shape (height, width, 3), RGB, turned as its EXIF orientation says.

    Transparency is dropped: what a transparent pixel hides would otherwise pass.
    Raises `MediaError` when it cannot be read, or holds several pictures.
    """
    try:
        if path.stat().st_size > _LARGEST_BYTES:
            raise MediaError(f"{path} is larger than {_LARGEST_BYTES >> 20} MiB", remedy="make it smaller first")
        encoded = np.frombuffer(path.read_bytes(), np.uint8)
    except OSError as error:
        raise MediaError(f"{path} cannot be read: {error.strerror}") from error
    try:
        pictures = cv2.imcount(str(path))
        # Orientation is applied by default (IMREAD_IGNORE_ORIENTATION would leave it).
        image = cv2.imdecode(encoded, cv2.IMREAD_COLOR) if encoded.size else None
    except cv2.error as error:
        raise MediaError(f"{path} cannot be read as a picture") from error
    if image is None:
        raise MediaError(f"{path} cannot be read as a picture", remedy="is it a picture file, and whole?")
    if pictures > 1:
        raise MediaError(f"{path} holds {pictures} pictures", remedy="convert an animation to a clip, and pages to single files")
    return np.ascontiguousarray(image[:, :, ::-1], np.uint8)
