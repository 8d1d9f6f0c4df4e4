"""The configurations that both media services show: sources, encoders, PTZ, metadata, analytics."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.machine import Call, StreamShape
from lamppost.cameras.simulated.markup import Markup, tag
from lamppost.cameras.simulated.tokens import ENCODERS, METADATA_CONFIGURATION, PTZ_CONFIGURATION, PTZ_NODE, SOURCE, SOURCE_CONFIGURATION

PROFILE_NAMES: Final = ("mainStream", "subStream")
H264_PROFILE: Final = "Baseline"  # as the simulated street is encoded
SPACES: Final = "http://www.onvif.org/ver10/tptz"
MULTICAST: Final = tag(
    "tt:Multicast",
    tag("tt:Address", tag("tt:Type", "IPv4"), tag("tt:IPv4Address", "0.0.0.0")),  # noqa: S104 - ONVIF for "none"
    tag("tt:Port", 0),
    tag("tt:TTL", 1),
    tag("tt:AutoStart", False),
)


def video_source(call: Call, name: str) -> Markup:
    """The configuration of the one video source."""
    shape = call.machine.streams[0]
    bounds = tag("tt:Bounds", x=0, y=0, width=shape.width_px, height=shape.height_px)
    known = (tag("tt:Name", "VideoSourceConfig"), tag("tt:UseCount", 2), tag("tt:SourceToken", SOURCE), bounds)
    return tag(name, *known, token=SOURCE_CONFIGURATION)


def size(shape: StreamShape) -> tuple[Markup, Markup]:
    """Width and height."""
    return tag("tt:Width", shape.width_px), tag("tt:Height", shape.height_px)


def encoder1(call: Call, number: int, name: str) -> Markup:
    """A video encoder as Media1 knows it. It has no word for H.265: that is shown as H.264, which real cameras do as well."""
    shape = call.machine.streams[number]
    rate = (
        tag("tt:FrameRateLimit", shape.fps),
        tag("tt:EncodingInterval", 1),
        tag("tt:BitrateLimit", shape.kbit_per_s),
    )
    return tag(
        name,
        tag("tt:Name", ENCODERS[number]),
        tag("tt:UseCount", 1),
        tag("tt:Encoding", "H264"),
        tag("tt:Resolution", *size(shape)),
        tag("tt:Quality", 5.0),
        tag("tt:RateControl", *rate),
        tag("tt:H264", tag("tt:GovLength", shape.fps * shape.keyframe_interval_s), tag("tt:H264Profile", H264_PROFILE)),
        MULTICAST,
        tag("tt:SessionTimeout", "PT60S"),
        token=ENCODERS[number],
    )


def encoder2(call: Call, number: int, name: str) -> Markup:
    """A video encoder as Media2 knows it."""
    shape = call.machine.streams[number]
    return tag(
        name,
        tag("tt:Name", ENCODERS[number]),
        tag("tt:UseCount", 1),
        tag("tt:Encoding", shape.codec),
        tag("tt:Resolution", *size(shape)),
        tag("tt:RateControl", tag("tt:FrameRateLimit", shape.fps), tag("tt:BitrateLimit", shape.kbit_per_s), ConstantBitRate=False),
        MULTICAST,
        tag("tt:Quality", 5.0),
        token=ENCODERS[number],
        GovLength=shape.fps * shape.keyframe_interval_s,
        Profile=H264_PROFILE if shape.codec == "H264" else "Main",
    )


def space(name: str, uri: str, least: float, *, has_two: bool = False) -> Markup:
    """A coordinate system of the head, up to 1 on each axis."""
    bounds = (tag("tt:Min", least), tag("tt:Max", 1.0))
    return tag(name, tag("tt:URI", f"{SPACES}/{uri}"), tag("tt:XRange", *bounds), tag("tt:YRange", *bounds) if has_two else None)


def ptz(name: str) -> Markup:
    """The configuration of the head; it says all that is expected of one that moves absolutely, relatively and continuously."""
    turn, zoom = f"{SPACES}/PanTiltSpaces", f"{SPACES}/ZoomSpaces"
    speed = (
        tag("tt:PanTilt", x=1.0, y=1.0, space=f"{turn}/GenericSpeedSpace"),
        tag("tt:Zoom", x=1.0, space=f"{zoom}/ZoomGenericSpeedSpace"),
    )
    return tag(
        name,
        tag("tt:Name", "PTZConfig"),
        tag("tt:UseCount", 2),
        tag("tt:NodeToken", PTZ_NODE),
        tag("tt:DefaultAbsolutePantTiltPositionSpace", f"{turn}/PositionGenericSpace"),
        tag("tt:DefaultAbsoluteZoomPositionSpace", f"{zoom}/PositionGenericSpace"),
        tag("tt:DefaultRelativePanTiltTranslationSpace", f"{turn}/TranslationGenericSpace"),
        tag("tt:DefaultRelativeZoomTranslationSpace", f"{zoom}/TranslationGenericSpace"),
        tag("tt:DefaultContinuousPanTiltVelocitySpace", f"{turn}/VelocityGenericSpace"),
        tag("tt:DefaultContinuousZoomVelocitySpace", f"{zoom}/VelocityGenericSpace"),
        tag("tt:DefaultPTZSpeed", *speed),
        tag("tt:DefaultPTZTimeout", "PT5S"),
        tag("tt:PanTiltLimits", space("tt:Range", "PanTiltSpaces/PositionGenericSpace", -1.0, has_two=True)),
        tag("tt:ZoomLimits", space("tt:Range", "ZoomSpaces/PositionGenericSpace", 0.0)),
        token=PTZ_CONFIGURATION,
    )


def metadata(call: Call, name: str) -> Markup:
    """The metadata stream of the main profile."""
    return tag(
        name,
        tag("tt:Name", "MetadataConfig"),
        tag("tt:UseCount", 1),
        tag("tt:PTZStatus", tag("tt:Status", False), tag("tt:Position", False)),
        tag("tt:Analytics", call.state.sends_metadata),
        MULTICAST,
        tag("tt:SessionTimeout", "PT60S"),
        token=METADATA_CONFIGURATION,
    )
