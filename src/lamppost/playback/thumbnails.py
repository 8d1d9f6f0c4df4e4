"""Makes small pictures of moments in the past from the keyframes of masked video, and does not let who scrubs take the machine."""

# pyright: reportUnknownMemberType=false
from __future__ import annotations

import os
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final

import av
import av.error
import cv2
from av.video.reformatter import Interpolation

from lamppost.base.errors import MediaError, StoreError
from lamppost.playback.boxes import read_moof
from lamppost.playback.parts import Part, PartsShelf, SegmentParts
from lamppost.playback.turns import Turns
from lamppost.store.footage import Footage

MOST_BYTES: Final = 32 << 20
LEAST_WIDTH_PX: Final = 80
MOST_WIDTH_PX: Final = 640
_JPEG_QUALITY: Final = 82
_LATE_US: Final = 2_000_000  # so long after the last picture of a run it still stands for the moment
_LARGEST_MOOF: Final = 1 << 20


@dataclass(frozen=True, slots=True)
class Thumbnail:
    """A masked picture as JPEG, and when it was taken."""

    jpeg: bytes
    wall_us: int


class Thumbnails:
    """Keyframes as JPEG, `most_bytes` of them remembered. Serves several threads.

    Whoever else makes pictures waits in the same `turns`.
    """

    def __init__(self, footage: Footage, shelf: PartsShelf, *, turns: Turns | None = None, most_bytes: int = MOST_BYTES) -> None:
        self._footage, self._shelf, self._most_bytes = footage, shelf, most_bytes
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[str, int, int], Thumbnail] = OrderedDict()
        self._held_bytes = 0
        self._turns = turns or Turns()

    def at(self, camera: str, wall_us: int, width_px: int) -> Thumbnail | None:
        """The keyframe at `wall_us` or before it, `width_px` wide at most (0: as it is); None when there is no picture then.

        What was covered is shown as it is: covered. Raises `TooManyPictures`, and `StoreError` when it cannot be read.
        """
        segment = self._footage.last_before(camera, wall_us)
        if segment is None or wall_us >= segment.end_us + _LATE_US:
            return None
        file = self._shelf.of(segment)
        part = _keyframe(file, wall_us) if file is not None else None
        if file is None or part is None:
            return None
        key = (segment.segment_id, part.offset, width_px)
        with self._lock:
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
        with self._turns.turn():
            jpeg = make_jpeg(file, part, width_px)
        return None if jpeg is None else self._keep(key, Thumbnail(jpeg, part.start_us))

    def _keep(self, key: tuple[str, int, int], thumbnail: Thumbnail) -> Thumbnail:
        with self._lock:
            if key not in self._kept:
                self._held_bytes += len(thumbnail.jpeg)
                self._kept[key] = thumbnail
            while self._held_bytes > self._most_bytes and self._kept:
                _, oldest = self._kept.popitem(last=False)
                self._held_bytes -= len(oldest.jpeg)
        return thumbnail


def _keyframe(file: SegmentParts, wall_us: int) -> Part | None:
    return next((part for part in reversed(file.parts) if part.is_sync and part.start_us <= wall_us), None)


def make_jpeg(file: SegmentParts, part: Part, width_px: int) -> bytes | None:
    """The first picture of `part`, a keyframe, as JPEG; None when the file is gone. Raises `StoreError`."""
    sample = _first_sample(file, part)
    if sample is None:
        return None
    try:
        return jpeg_of(file.pictures.decoder, sample, width_px)
    except MediaError as error:
        raise StoreError(f"a picture of the segment {file.path} cannot be shown", remedy="run `lamppost check`") from error


def jpeg_of(decoder: bytes, sample: bytes, width_px: int) -> bytes:
    """A keyframe as JPEG, `width_px` wide at most (0: as it is); `decoder` is the content of its `avcC`. Raises `MediaError`."""
    try:
        picture = _decode(decoder, sample)
        width, height = picture.width, picture.height
        if 0 < width_px < width:
            width, height = width_px & ~1, max(2, round(height * width_px / width) & ~1)
        shown = picture.reformat(width, height, format="bgr24", interpolation=Interpolation.AREA)
        is_written, encoded = cv2.imencode(".jpg", shown.to_ndarray(), (int(cv2.IMWRITE_JPEG_QUALITY), _JPEG_QUALITY))
    except (av.error.FFmpegError, cv2.error, ValueError) as error:
        raise MediaError("a piece of masked video holds no picture that can be shown") from error
    if not is_written:
        raise MediaError("a picture cannot be written")
    return encoded.tobytes()


def _first_sample(file: SegmentParts, part: Part) -> bytes | None:
    try:
        descriptor = os.open(file.path, os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the segment {file.path}: {error.strerror}", remedy="look at the disk") from error
    try:
        length = int.from_bytes(os.pread(descriptor, 4, part.offset), "big")
        moof = read_moof(os.pread(descriptor, min(length, part.length, _LARGEST_MOOF), part.offset))
        first = moof.samples[0] if moof.samples else None
        if first is None or not first.is_sync or first.offset + first.length > part.length:
            raise StoreError(f"a fragment of the segment {file.path} is not what its record says", remedy="run `lamppost check`")
        return os.pread(descriptor, first.length, part.offset + first.offset)
    except OSError as error:
        raise StoreError(f"cannot read the segment {file.path}: {error.strerror}", remedy="look at the disk") from error
    finally:
        os.close(descriptor)


def _decode(decoder: bytes, sample: bytes) -> av.VideoFrame:
    context = av.CodecContext.create("h264", "r")
    context.extradata = decoder
    context.thread_count = 1
    pictures = [*context.decode(av.Packet(sample)), *context.decode(None)]
    if not pictures:
        raise ValueError("no picture came out")
    return pictures[0]
