"""Says in one line what went wrong with a camera, and what to do about it; no secret is in it."""

from __future__ import annotations

import errno
import re
import ssl
from urllib.parse import urlsplit

from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable, UnsupportedStream
from lamppost.ingest.locator import Locator
from lamppost.ingest.rtsp.messages import Message
from lamppost.model.networks import REFUSED_REMEDY

_CHECK_NETWORK = "check host name, network and camera"


def went_silent(locator: Locator, doing: str, timeout_s: float) -> CameraUnreachable:
    """The error for a peer that accepted the connection and sends nothing, or nothing of use."""
    return CameraUnreachable(
        f"{locator.shown} went silent while {doing}: nothing came for {timeout_s:g} s",
        remedy="check the camera's power and network",
    )


def is_no_camera(locator: Locator) -> UnsupportedStream:
    """The error for a peer that speaks something else."""
    return UnsupportedStream(
        f"{locator.shown} does not answer as an RTSP camera does", remedy="is this the RTSP port? Often it is 554, or 322 for rtsps"
    )


def hung_up(locator: Locator, doing: str) -> CameraUnreachable:
    """The error for a peer that closes the connection before it plays."""
    return CameraUnreachable(f"{locator.shown} hung up while {doing}", remedy="has it too many viewers?")


def is_unknown(locator: Locator) -> CameraUnreachable:
    """The error for a host name that nobody knows."""
    return CameraUnreachable(f"{locator.shown} cannot be reached: no address is known for its host name", remedy=_CHECK_NETWORK)


def is_elsewhere(locator: Locator, why: str) -> CameraRefused:
    """The error for an address that no camera may have; nothing has connected to it."""
    return CameraRefused(f"{locator.shown} is not connected to: {why}", remedy=REFUSED_REMEDY)


def offers_no_video(locator: Locator, offered: str) -> UnsupportedStream:
    """The error for a session without video that can be recorded; `offered` names what there is."""
    if offered == "no video":
        return UnsupportedStream(f"{locator.shown} sends no video", remedy="choose a stream that carries H.264 or H.265 video")
    return UnsupportedStream(f"{locator.shown} sends {offered}, which is not read", remedy="set the camera to H.264 or H.265")


def wants_password_itself(locator: Locator, *, took_digest: bool) -> CameraRefused:
    """The error for a peer that takes nothing but the password in the clear, and is not to have it."""
    why = "it took a digest before" if took_digest else "allow_basic is false"
    return CameraRefused(
        f"{locator.shown} wants its password in the clear, and does not get it: {why}",
        remedy="make sure that it is the right camera, and switch on digest there; if it knows none, set allow_basic = true",
    )


def of_status(locator: Locator, reply: Message) -> CameraError:
    """The error for a reply that is no success."""
    shown, status = locator.shown, reply.status
    if status in (401, 403):
        return CameraRefused(f"{shown} refuses the user or password", remedy="check username and password of this camera")
    if status == 404:
        return CameraUnreachable(f"{shown}: the camera knows no such stream (404)", remedy="check the path of the stream")
    if 300 <= status < 400:
        return CameraUnreachable(
            f"{shown} points to another address ({status}){_place(reply.header('location'))}, and no redirect is followed",
            remedy="if you trust that address, write it into the camera's url",
        )
    if status in (459, 460, 461):
        return UnsupportedStream(
            f"{shown} does not send RTP this way ({status}{_reason(reply)})",
            remedy='set transport to "tcp" or "udp", whichever it is not now',
        )
    return CameraUnreachable(f"{shown} answered with an error: {status}{_reason(reply)}", remedy="has it too many viewers?")


def of_os_error(locator: Locator, error: OSError, doing: str, timeout_s: float) -> CameraError:
    """The error for a failed system call or TLS; its cause holds no address."""
    translated = _of_os_error(locator, error, doing, timeout_s)
    translated.__cause__ = error
    return translated


def _of_os_error(locator: Locator, error: OSError, doing: str, timeout_s: float) -> CameraError:
    shown = locator.shown
    if isinstance(error, ssl.SSLCertVerificationError):
        return CameraRefused(
            f"{shown} is not vouched for: {error.verify_message or 'its certificate fails the test'}",
            remedy="give its certificate_sha256, if you know the certificate to be the camera's own",
        )
    if isinstance(error, ssl.SSLError):
        return UnsupportedStream(
            f"{shown} does not speak TLS as it should ({error.reason or 'it hung up'})", remedy="is this the rtsps port? Often it is 322"
        )
    if isinstance(error, ConnectionRefusedError):
        return CameraUnreachable(f"{shown} refuses connections", remedy="check host and port, and that RTSP is switched on")
    if error.errno == errno.ETIMEDOUT:
        return went_silent(locator, doing, timeout_s)
    return CameraUnreachable(f"{shown} cannot be reached while {doing}: {error.strerror or 'unknown error'}", remedy=_CHECK_NETWORK)


def is_another(locator: Locator, fingerprint: str) -> CameraRefused:
    """The error for a peer whose certificate is not the pinned one."""
    return CameraRefused(
        f"{locator.shown} shows another certificate than the one that is pinned: SHA-256 {fingerprint}",
        remedy="if the camera was given a new one, set certificate_sha256 anew; else somebody is in the path",
    )


def _reason(reply: Message) -> str:
    reason = re.sub(r"[^\x20-\x7e]", "?", reply.reason)[:60]
    return f" {reason}" if reason else ""


def _place(url: str | None) -> str:
    """Host and port of a redirect, when they can be shown; the rest may hold a secret."""
    try:
        parts = urlsplit(url or "")
        place = f"{parts.hostname}:{parts.port}" if parts.port else parts.hostname or ""
    except ValueError:
        return ""
    return f" at {place}" if re.fullmatch(r"[A-Za-z0-9.:\[\]-]{1,80}", place) else ""
