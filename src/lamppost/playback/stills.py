"""One picture out of a masked stream that is being made: the newest, for who wants no more than that."""

from __future__ import annotations

from lamppost.base.errors import MediaError, StoreError
from lamppost.playback.boxes import pictures_of, read_moof
from lamppost.playback.thumbnails import jpeg_of


def picture_of(init: bytes, fragment: bytes, width_px: int) -> bytes:
    """The first picture of a masked fragment that begins with a keyframe, as JPEG, `width_px` wide at most.

    `init` is `ftyp` and `moov`, `fragment` `moof` and `mdat`. Raises `MediaError` where there is no picture in it.
    """
    try:
        decoder = pictures_of(init).decoder
        samples = read_moof(fragment[: int.from_bytes(fragment[:4], "big")]).samples
    except StoreError as error:
        raise MediaError("there is no picture in this piece of masked video") from error
    if not samples:
        raise MediaError("there is no picture in this piece of masked video")
    first = samples[0]
    return jpeg_of(decoder, fragment[first.offset : first.offset + first.length], width_px)
