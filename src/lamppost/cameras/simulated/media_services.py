"""The two ONVIF media services: Media2 of Profile T, and Media1 of Profile S."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.analytics_service import analytics_configuration
from lamppost.cameras.simulated.configurations import (
    PROFILE_NAMES,
    encoder1,
    encoder2,
    metadata,
    ptz,
    size,
    video_source,
)
from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.media_options import OPTIONS1, OPTIONS2, encoder_numbers, named
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, is_true, required
from lamppost.cameras.simulated.tokens import ANALYTICS_CONFIGURATION, ENCODERS, METADATA_CONFIGURATION, SOURCE


def _profile_number(call: Call) -> int:
    token = required(call.body, "ProfileToken")
    if token not in call.machine.vendor.profile_tokens:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoProfile"), "there is no such profile")
    return call.machine.vendor.profile_tokens.index(token)


def _profile1(call: Call, number: int, name: str) -> Markup:
    vendor = call.machine.vendor
    return tag(
        name,
        tag("tt:Name", PROFILE_NAMES[number]),
        video_source(call, "tt:VideoSourceConfiguration"),
        encoder1(call, number, "tt:VideoEncoderConfiguration"),
        analytics_configuration(call, "tt:VideoAnalyticsConfiguration") if call.machine.has("tan") else None,
        ptz("tt:PTZConfiguration"),
        metadata(call, "tt:MetadataConfiguration") if number == 0 else None,
        token=vendor.profile_tokens[number],
        fixed=True,
    )


def _profiles1(call: Call) -> Markup:
    return join(*(_profile1(call, number, "trt:Profiles") for number in range(len(ENCODERS))))


def _media_uri(uri: str) -> Markup:
    flags = (tag("tt:InvalidAfterConnect", False), tag("tt:InvalidAfterReboot", False), tag("tt:Timeout", "PT0S"))
    return tag("trt:MediaUri", tag("tt:Uri", uri), *flags)


def _stream_uri1(call: Call) -> Markup:
    if call.body.value("Stream", "RTP-Unicast") != "RTP-Unicast" or call.body.value("Protocol", "RTSP") not in ("RTSP", "TCP", "UDP"):
        raise invalid("ter:InvalidStreamSetup", "unicast over RTSP is offered")
    return _media_uri(call.machine.stream_url(_profile_number(call), call.base))


def _snapshot_url(call: Call) -> str:
    _profile_number(call)
    return call.base + call.machine.vendor.snapshot_path


def _stream_uri2(call: Call) -> Markup:
    if required(call.body, "Protocol") not in ("RTSP", "RtspUnicast"):
        raise invalid("ter:InvalidStreamSetup", "RTSP is offered")
    return tag("tr2:Uri", call.machine.stream_url(_profile_number(call), call.base))


def _profiles2(call: Call) -> Markup:
    """Media2 shows of a profile what is asked for, and no more than name and token otherwise (Media2 5.2)."""
    wanted = {node.text.strip() for node in call.body.each("Type")}
    token = call.body.value("Token")
    vendor = call.machine.vendor
    if token and token not in vendor.profile_tokens:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoProfile"), "there is no such profile")

    def shown(number: int, kind: str, part: Markup | None) -> Markup | None:
        return part if wanted & {kind, "All"} else None

    profiles: list[Markup] = []
    for number, own in enumerate(vendor.profile_tokens):
        if token and own != token:
            continue
        parts = (
            shown(number, "VideoSource", video_source(call, "tr2:VideoSource")),
            shown(number, "VideoEncoder", encoder2(call, number, "tr2:VideoEncoder")),
            shown(number, "Analytics", analytics_configuration(call, "tr2:Analytics")),
            shown(number, "PTZ", ptz("tr2:PTZ")),
            shown(number, "Metadata", metadata(call, "tr2:Metadata") if number == 0 else None),
        )
        configurations = tag("tr2:Configurations", *parts) if any(parts) else None
        profiles.append(tag("tr2:Profiles", tag("tr2:Name", PROFILE_NAMES[number]), configurations, token=own, fixed=True))
    return join(*profiles)


def _encoders1(call: Call) -> Markup:
    return join(*(encoder1(call, number, "trt:Configurations") for number in range(len(ENCODERS))))


def _encoder1(call: Call) -> Markup:
    return join(*(encoder1(call, number, "trt:Configuration") for number in encoder_numbers(call)))


def _encoders2(call: Call) -> Markup:
    return join(*(encoder2(call, number, "tr2:Configurations") for number in encoder_numbers(call)))


def _video_sources(call: Call) -> Markup:
    shape = call.machine.streams[0]
    return tag("trt:VideoSources", tag("tt:Framerate", float(shape.fps)), tag("tt:Resolution", *size(shape)), token=SOURCE)


def _set_metadata(call: Call) -> Markup:
    configuration = call.body.first("Configuration")
    if configuration is None or configuration.attributes.get("token") != METADATA_CONFIGURATION:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoConfig"), "there is no such configuration")
    call.state.sends_metadata = is_true(configuration.value("Analytics", "false"))
    return Markup()


def _analytics(call: Call, name: str) -> Markup:
    return analytics_configuration(named(call, ANALYTICS_CONFIGURATION), name)


MEDIA1: Final[dict[str, Operation]] = {
    "GetProfiles": _profiles1,
    "GetProfile": lambda call: _profile1(call, _profile_number(call), "trt:Profile"),
    "GetStreamUri": _stream_uri1,
    "GetSnapshotUri": lambda call: _media_uri(_snapshot_url(call)),
    "GetVideoSources": _video_sources,
    "GetVideoSourceConfigurations": lambda call: video_source(call, "trt:Configurations"),
    "GetVideoEncoderConfigurations": _encoders1,
    "GetVideoEncoderConfiguration": _encoder1,
    "GetMetadataConfigurations": lambda call: metadata(call, "trt:Configurations"),
    "SetMetadataConfiguration": _set_metadata,
    "GetVideoAnalyticsConfigurations": lambda call: _analytics(call, "trt:Configurations"),
    "GetVideoAnalyticsConfiguration": lambda call: _analytics(call, "trt:Configuration"),
    "GetCompatibleVideoEncoderConfigurations": _encoders1,
    **OPTIONS1,
}
MEDIA2: Final[dict[str, Operation]] = {
    "GetProfiles": _profiles2,
    "GetStreamUri": _stream_uri2,
    "GetSnapshotUri": lambda call: tag("tr2:Uri", _snapshot_url(call)),
    "GetVideoSourceConfigurations": lambda call: video_source(call, "tr2:Configurations"),
    "GetVideoEncoderConfigurations": _encoders2,
    "GetMetadataConfigurations": lambda call: metadata(call, "tr2:Configurations"),
    "SetMetadataConfiguration": _set_metadata,
    "GetAnalyticsConfigurations": lambda call: analytics_configuration(call, "tr2:Configurations"),
    **OPTIONS2,
}
