"""Translates FFmpeg's errors into one line for a person, with every secret left behind.

FFmpeg's errors carry the URL, password and all, as their file name. So the
error that is chained as a cause is a copy without it; the original goes no
further. FFmpeg's log lines carry it too: PyAV drops all of them unless
somebody calls `av.logging.set_level`, and nothing in Lamppost does.
"""

from __future__ import annotations

from av import error as ffmpeg

from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, UnsupportedStream
from lamppost.ingest.locator import Locator, Scheme


def without_secret(error: ffmpeg.FFmpegError, shown: str) -> Exception:
    """A copy of `error` that names `shown` instead of the real address."""
    return OSError(error.errno, f"FFmpeg: {error.strerror}", shown)


def translate(error: ffmpeg.FFmpegError, locator: Locator, *, doing: str, elapsed_s: float, timeout_s: float) -> CameraError:
    """The `CameraError` that says what `error` means; its cause is free of secrets."""
    if locator.scheme is Scheme.FILE:
        translated = _of_file(error, locator, doing)
    else:
        translated = _of_network(error, locator, doing, elapsed_s, timeout_s)
    translated.__cause__ = without_secret(error, locator.shown)
    return translated


def went_silent(locator: Locator, doing: str, timeout_s: float) -> CameraUnreachable:
    """The error for a peer that accepted the connection and sends nothing."""
    return CameraUnreachable(
        f"{locator.shown} went silent while {doing}: nothing came for {timeout_s:g} s",
        remedy="check the camera's power and network",
    )


def _of_file(error: ffmpeg.FFmpegError, locator: Locator, doing: str) -> CameraError:
    if isinstance(error, FileNotFoundError):
        return CameraUnreachable(f"{locator.shown} does not exist", remedy="check the path; it is relative to the working directory")
    if isinstance(error, PermissionError):
        return CameraUnreachable(f"{locator.shown} may not be read", remedy="give this user the right to read it")
    return UnsupportedStream(
        f"{doing} {locator.shown} failed: {error.strerror}", remedy="give a whole MP4, MKV, MPEG-TS or raw H.264/H.265 file"
    )


def _of_network(error: ffmpeg.FFmpegError, locator: Locator, doing: str, elapsed_s: float, timeout_s: float) -> CameraError:
    shown = locator.shown
    if isinstance(error, ffmpeg.HTTPUnauthorizedError | ffmpeg.HTTPForbiddenError):
        return CameraRefused(f"{shown} refuses the user or password", remedy="check username and password of this camera")
    if isinstance(error, ffmpeg.HTTPNotFoundError):
        return CameraUnreachable(f"{shown}: the camera knows no such stream (404)", remedy="check the path of the stream")
    if isinstance(error, ConnectionRefusedError):
        return CameraUnreachable(f"{shown} refuses connections", remedy="check host and port, and that RTSP is switched on")
    if isinstance(error, ffmpeg.HTTPError):
        return CameraUnreachable(f"{shown} answered with an error: {error.strerror}", remedy="has it too many viewers?")
    if isinstance(error, ffmpeg.ExitError | TimeoutError) or elapsed_s >= timeout_s * 0.9:
        return went_silent(locator, doing, timeout_s)
    if isinstance(error, ffmpeg.ProtocolNotFoundError | ffmpeg.PatchWelcomeError | ffmpeg.ArgumentError | NotImplementedError):
        return UnsupportedStream(f"{shown} needs a transport that is not allowed", remedy="let the camera send RTP over TCP")
    if isinstance(error, ffmpeg.InvalidDataError):
        return UnsupportedStream(f"{shown} does not answer as an RTSP camera does", remedy="is this the RTSP port? Often it is 554")
    return CameraUnreachable(f"{shown} cannot be reached while {doing}: {error.strerror}", remedy="check host name, network and camera")
