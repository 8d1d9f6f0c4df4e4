"""One picture out of masked video, as a JPEG of the size that is wanted."""

from __future__ import annotations

import io
from typing import Final

import av
import cv2
import numpy as np
from av.error import FFmpegError

from lamppost.base.errors import MediaError

_QUALITY: Final = 82


def picture_of(init: bytes, fragment: bytes, width_px: int | None = None) -> bytes:
    """The first picture of a masked fragment that begins with a keyframe, `width_px` wide, or as it is.

    `init` is `ftyp` and `moov`, `fragment` `moof` and `mdat`: of a masked segment, or of a live stream.
    Raises `MediaError` where there is no picture in it.
    """
    try:
        with av.open(io.BytesIO(init + fragment), "r", format="mp4") as container:
            stream = container.streams.video[0]
            stream.thread_type, stream.thread_count = "NONE", 1
            frame = next(container.decode(stream))
            width, height = frame.width, frame.height
            if width_px is not None and width_px < width:
                width, height = width_px, max(2, round(frame.height * width_px / frame.width))
            pixels = frame.to_ndarray(format="bgr24", width=width, height=height)
    except (FFmpegError, StopIteration, IndexError) as error:
        raise MediaError("there is no picture in this piece of masked video") from error
    is_written, encoded = cv2.imencode(".jpg", np.ascontiguousarray(pixels), (int(cv2.IMWRITE_JPEG_QUALITY), _QUALITY))
    if not is_written:
        raise MediaError("the picture cannot be written")
    return encoded.tobytes()
