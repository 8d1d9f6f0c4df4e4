"""A device's streams: Media2 (Profile T) first, and Media1 (Profile S) where it has no Media2 or that fails.

Metadata streams are told of and never asked for.
"""

from __future__ import annotations

import contextlib
import re
from typing import Any, Final
from urllib.parse import urlsplit, urlunsplit

from lamppost.base.errors import CameraError, CameraRefused, CameraUnreachable
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.faults import SoapFault, lacking
from lamppost.cameras.onvif.reading import address, line, many, read
from lamppost.cameras.onvif.soap import Soap
from lamppost.model.devices import StreamProfile

_MOST_PROFILES: Final = 16
_PORTS: Final = {"rtsp": 554, "rtsps": 322}
_CODECS: Final = {"h264": "h264", "h265": "hevc", "hevc": "hevc", "jpeg": "mjpeg", "mpeg4": "mpeg4"}


def profiles_of(soap: Soap, host: str) -> tuple[StreamProfile, ...]:
    """The profiles with an address, the largest picture first. Raises `CameraError`."""
    failed: CameraError | None = None
    for service, ask in ((Service.MEDIA2, _by_media2), (Service.MEDIA1, _by_media1)):
        if not soap.knows(service):
            continue
        try:
            found = ask(soap, host)
        except (CameraRefused, CameraUnreachable):
            raise
        except CameraError as error:
            failed = error
            continue
        if found:
            return tuple(sorted(found, key=lambda profile: -(profile.width_px or 0) * (profile.height_px or 0)))
    raise failed or lacking("stream that it names an address of")


def snapshot_of(soap: Soap, token: str) -> str:
    """The address of a still, as the device names it."""
    if soap.knows(Service.MEDIA2):
        with contextlib.suppress(SoapFault):
            return address(soap.call(Service.MEDIA2, "GetSnapshotUri", ProfileToken=token))
    return address(read(soap.call(Service.MEDIA1, "GetSnapshotUri", ProfileToken=token), "Uri"))


def _by_media2(soap: Soap, host: str) -> list[StreamProfile]:
    found: list[StreamProfile] = []
    for profile in many(soap.call(Service.MEDIA2, "GetProfiles", Type=["VideoSource", "VideoEncoder", "Metadata", "PTZ"]))[:_MOST_PROFILES]:
        parts = read(profile, "Configurations")
        encoder, token = read(parts, "VideoEncoder"), line(read(profile, "token"))
        if encoder is None or not token:
            continue
        with contextlib.suppress(SoapFault):  # one of several that cannot be had
            url = stream_url(soap.call(Service.MEDIA2, "GetStreamUri", Protocol="RTSP", ProfileToken=token), host)
            found += [_profile(profile, token, url, encoder, parts, "Metadata")] if url else []
    return found


def _by_media1(soap: Soap, host: str) -> list[StreamProfile]:
    found: list[StreamProfile] = []
    setup = {"Stream": "RTP-Unicast", "Transport": {"Protocol": "RTSP"}}
    profiles = many(soap.call(Service.MEDIA1, "GetProfiles"))[:_MOST_PROFILES]
    # A server that does not say how it encodes still sends what its source films.
    is_told = any(read(profile, "VideoEncoderConfiguration") is not None for profile in profiles)
    for profile in profiles:
        encoder, token = read(profile, "VideoEncoderConfiguration"), line(read(profile, "token"))
        is_video = encoder is not None or (not is_told and read(profile, "VideoSourceConfiguration") is not None)
        if not is_video or not token:
            continue
        with contextlib.suppress(SoapFault):
            said = soap.call(Service.MEDIA1, "GetStreamUri", StreamSetup=setup, ProfileToken=token)
            url = stream_url(read(said, "Uri"), host)
            found += [_profile(profile, token, url, encoder, profile, "MetadataConfiguration")] if url else []
    return found


def _profile(profile: Any, token: str, url: str, encoder: Any, parts: Any, metadata: str) -> StreamProfile:
    fps = _number(read(encoder, "RateControl", "FrameRateLimit"))
    gop = _number(read(encoder, "GovLength") or read(encoder, "H264", "GovLength") or read(encoder, "MPEG4", "GovLength"))
    codec = re.sub(r"[^a-z0-9]", "", line(read(encoder, "Encoding"), 32).lower().removeprefix("video/"))
    width, height = (_number(read(encoder, "Resolution", side)) for side in ("Width", "Height"))
    return StreamProfile(
        token=token,
        name=line(read(profile, "Name"), 64),
        stream_url=url,
        codec=_CODECS.get(codec, codec),
        width_px=int(width) if width else None,
        height_px=int(height) if height else None,
        fps=fps,
        kbit_per_s=_number(read(encoder, "RateControl", "BitrateLimit")),
        keyframe_interval_s=round(gop / fps, 2) if gop and fps else None,
        has_ptz=read(parts, "PTZ") is not None or read(parts, "PTZConfiguration") is not None,
        has_metadata=read(parts, metadata) is not None,
        source=line(read(parts, "VideoSource", "SourceToken") or read(parts, "VideoSourceConfiguration", "SourceToken"), 64),
    )


def stream_url(said: Any, host: str) -> str:
    """The address of a stream with the host that we talk to: a device behind another network names one of its own.

    User and password in it are left out. Empty where it is no RTSP address.
    """
    text = address(said)
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError:
        return ""
    if parts.scheme not in _PORTS or re.search(r"['\"<>\\]", text):
        return ""
    bare = f"[{host}]" if ":" in host else host
    place = bare if not port or port == _PORTS[parts.scheme] else f"{bare}:{port}"
    return urlunsplit((parts.scheme, place, parts.path, parts.query, ""))


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if 0 < number < 1e9 else None
