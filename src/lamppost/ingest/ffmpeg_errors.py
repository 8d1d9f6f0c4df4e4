"""Translates FFmpeg's errors into one line for a person, with every secret left behind.

FFmpeg's errors carry the URL, password and all, as their file name. So the
error that is chained as a cause is a copy without it; the original goes no
further. FFmpeg's log lines carry it too: PyAV drops all of them unless
somebody calls `av.logging.set_level`, and nothing in Lamppost does.
"""

from __future__ import annotations

from av import error as ffmpeg

from lamppost.base.errors import CameraError, CameraUnreachable, UnsupportedStream
from lamppost.ingest.locator import Locator


def without_secret(error: ffmpeg.FFmpegError, shown: str) -> Exception:
    """A copy of `error` that names `shown` instead of the real address."""
    return OSError(error.errno, f"FFmpeg: {error.strerror}", shown)


def translate(error: ffmpeg.FFmpegError, locator: Locator, *, doing: str) -> CameraError:
    """The `CameraError` that says what `error` means; its cause is free of secrets."""
    translated = _of_file(error, locator, doing)
    translated.__cause__ = without_secret(error, locator.shown)
    return translated


def _of_file(error: ffmpeg.FFmpegError, locator: Locator, doing: str) -> CameraError:
    if isinstance(error, FileNotFoundError):
        return CameraUnreachable(f"{locator.shown} does not exist", remedy="check the path; it is relative to the working directory")
    if isinstance(error, PermissionError):
        return CameraUnreachable(f"{locator.shown} may not be read", remedy="give this user the right to read it")
    return UnsupportedStream(
        f"{doing} {locator.shown} failed: {error.strerror}", remedy="give a whole MP4, MKV, MPEG-TS or raw H.264/H.265 file"
    )
