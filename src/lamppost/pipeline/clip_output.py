"""Masked video of one clip, encoded behind the masking, in a file that appears under its name when it is whole."""

from __future__ import annotations

import contextlib
import os
import secrets
from collections.abc import Generator, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Protocol

from lamppost.base.errors import MediaError
from lamppost.decode.files import Colours
from lamppost.mask.clips import ClipWriter
from lamppost.mask.encoder import MaskedEncoder
from lamppost.model.media import Packet
from lamppost.model.vision import MaskedFrame
from lamppost.pipeline.alongside import Behind


class Shape(Protocol):
    """What a clip's pictures are like; colours and aspect are known with its first frame."""

    colours: Colours
    sample_aspect: Fraction

    @property
    def frame_interval_90k(self) -> int: ...


class ClipOutput:
    """Encoder and file of one clip, in a thread behind the masking."""

    def __init__(self, path: Path, frames: Shape, threads: int) -> None:
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

    def __enter__(self) -> ClipOutput:
        return self

    def __exit__(self, *failure: object) -> None:
        self._behind.close()
        if self._writer is not None:
            # After a failure the file is thrown away: that it cannot be ended well is no news.
            with contextlib.suppress(MediaError):
                self._writer.close()


@contextlib.contextmanager
def staged(target: Path) -> Generator[Path]:
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
