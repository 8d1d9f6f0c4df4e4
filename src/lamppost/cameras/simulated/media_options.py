"""What can be set of the simulated camera's pictures, in the words of both media services: bit rates, and nothing else of a stream."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from lamppost.cameras.simulated.configurations import H264_PROFILE, metadata, size, video_source
from lamppost.cameras.simulated.machine import Call, Operation, StreamShape
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.soap import SoapRefusal, invalid, number
from lamppost.cameras.simulated.tokens import ENCODERS, METADATA_CONFIGURATION, SOURCE, SOURCE_CONFIGURATION

_LEAST_KBIT_PER_S, _MOST_KBIT_PER_S = 64, 16_384


def no_configuration() -> SoapRefusal:
    """A token of no configuration."""
    return SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoConfig"), "there is no such configuration")


def named(call: Call, own: str) -> Call:
    """The call, where its `ConfigurationToken` is `own` or left out; and its profile, where it names one, is there."""
    if call.body.value("ConfigurationToken") not in ("", own):
        raise no_configuration()
    profile_number(call)
    return call


def profile_number(call: Call) -> int | None:
    """Which profile is named; None where none is."""
    token = call.body.value("ProfileToken")
    if token and token not in call.machine.vendor.profile_tokens:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoProfile"), "there is no such profile")
    return call.machine.vendor.profile_tokens.index(token) if token else None


def encoder_numbers(call: Call) -> range:
    """The encoders that `ConfigurationToken` or `ProfileToken` picks; all where neither stands there."""
    token = call.body.value("ConfigurationToken")
    if token and token not in ENCODERS:
        raise no_configuration()
    picked = ENCODERS.index(token) if token else profile_number(call)
    return range(len(ENCODERS)) if picked is None else range(picked, picked + 1)


def _between(name: str, least: float, most: float) -> Markup:
    return tag(name, tag("tt:Min", least), tag("tt:Max", most))


def _gov_length(shape: StreamShape) -> int:
    return shape.fps * shape.keyframe_interval_s


def _options1(call: Call) -> Markup:
    shapes = [call.machine.streams[one] for one in encoder_numbers(call)]
    gov_lengths, rates = [_gov_length(shape) for shape in shapes], [shape.fps for shape in shapes]
    h264 = tag(
        "tt:H264",
        *(tag("tt:ResolutionsAvailable", *size(shape)) for shape in shapes),
        _between("tt:GovLengthRange", min(gov_lengths), max(gov_lengths)),
        _between("tt:FrameRateRange", min(rates), max(rates)),
        _between("tt:EncodingIntervalRange", 1, 1),
        tag("tt:H264ProfilesSupported", H264_PROFILE),
    )
    return tag("trt:Options", _between("tt:QualityRange", 5, 5), h264)


def _options2(call: Call) -> Markup:
    shown: list[Markup] = []
    for one in encoder_numbers(call):
        shape = call.machine.streams[one]
        shown.append(
            tag(
                "tr2:Options",
                tag("tt:Encoding", shape.codec),
                _between("tt:QualityRange", 5.0, 5.0),
                tag("tt:ResolutionsAvailable", *size(shape)),
                _between("tt:BitrateRange", _LEAST_KBIT_PER_S, _MOST_KBIT_PER_S),
                GovLengthRange=f"{_gov_length(shape)} {_gov_length(shape)}",
                FrameRatesSupported=shape.fps,
                ProfilesSupported=H264_PROFILE if shape.codec == "H264" else "Main",
            )
        )
    return join(*shown)


def _set_encoder(call: Call) -> Markup:
    """Take another bit rate; anything else has to be what it is, for the picture does not change by it."""
    given = call.body.first("Configuration")
    if given is None or given.attributes.get("token") not in ENCODERS:
        raise no_configuration()
    place = ENCODERS.index(given.attributes["token"])
    shape = call.machine.streams[place]
    if any(given.value(name, str(known)) != str(known) for name, known in (("Width", shape.width_px), ("Height", shape.height_px))):
        raise _unchangeable("resolution")
    if given.first("FrameRateLimit") is not None and number(given, "FrameRateLimit", 0, 1000) != shape.fps:
        raise _unchangeable("frame rate")
    if _asked_gov_length(given, shape) != str(_gov_length(shape)):
        raise _unchangeable("distance of keyframes")
    if given.first("BitrateLimit") is not None:
        wanted = replace(shape, kbit_per_s=int(number(given, "BitrateLimit", _LEAST_KBIT_PER_S, _MOST_KBIT_PER_S)))
        main, sub = call.machine.streams
        call.machine.streams = (wanted, sub) if place == 0 else (main, wanted)
    return Markup()


def _asked_gov_length(given: Node, shape: StreamShape) -> str:
    return given.value("GovLength") or given.attributes.get("GovLength", "") or str(_gov_length(shape))


def _unchangeable(what: str) -> SoapRefusal:
    return invalid("ter:ConfigModify", f"the {what} cannot be set")


def _instances1(call: Call) -> Markup:
    named(call, SOURCE_CONFIGURATION)
    counts = {"TotalNumber": len(ENCODERS), "JPEG": 0, "H264": len(ENCODERS), "MPEG4": 0}
    return join(*(tag(f"trt:{name}", count) for name, count in counts.items()))


def _instances2(call: Call) -> Markup:
    named(call, SOURCE_CONFIGURATION)
    codec = call.machine.streams[0].codec
    return tag("tr2:Info", tag("tr2:Codec", tag("tr2:Encoding", codec), tag("tr2:Number", len(ENCODERS))), tag("tr2:Total", len(ENCODERS)))


def _source_options(call: Call, name: str) -> Markup:
    named(call, SOURCE_CONFIGURATION)
    shape = call.machine.streams[0]
    bounds = tag(
        "tt:BoundsRange",
        _between("tt:XRange", 0, 0),
        _between("tt:YRange", 0, 0),
        _between("tt:WidthRange", shape.width_px, shape.width_px),
        _between("tt:HeightRange", shape.height_px, shape.height_px),
    )
    return tag(name, bounds, tag("tt:VideoSourceTokensAvailable", SOURCE))


def _metadata_options(call: Call, name: str) -> Markup:
    named(call, METADATA_CONFIGURATION)
    flags = ("PanTiltStatusSupported", "ZoomStatusSupported", "PanTiltPositionSupported", "ZoomPositionSupported")
    return tag(name, tag("tt:PTZStatusFilterOptions", *(tag(f"tt:{flag}", False) for flag in flags)))


def _synchronize(call: Call) -> Markup:
    """Every second begins with a keyframe: there is nothing to do."""
    named(call, "")
    return Markup()


def _create_profile(_: Call) -> Markup:
    raise SoapRefusal("Receiver", ("ter:Action", "ter:MaxNVTProfiles"), "there are as many profiles as there can be")


def _delete_profile(call: Call) -> Markup:
    named(call, "")
    raise SoapRefusal("Sender", ("ter:Action", "ter:DeletionOfFixedProfile"), "a fixed profile stays")


def _source(call: Call, name: str) -> Markup:
    return video_source(named(call, SOURCE_CONFIGURATION), name)


def _metadata(call: Call, name: str) -> Markup:
    return metadata(named(call, METADATA_CONFIGURATION), name)


OPTIONS1: Final[dict[str, Operation]] = {
    "GetVideoEncoderConfigurationOptions": _options1,
    "SetVideoEncoderConfiguration": _set_encoder,
    "GetGuaranteedNumberOfVideoEncoderInstances": _instances1,
    "GetVideoSourceConfiguration": lambda call: _source(call, "trt:Configuration"),
    "GetCompatibleVideoSourceConfigurations": lambda call: _source(call, "trt:Configurations"),
    "GetVideoSourceConfigurationOptions": lambda call: _source_options(call, "trt:Options"),
    "GetMetadataConfiguration": lambda call: _metadata(call, "trt:Configuration"),
    "GetCompatibleMetadataConfigurations": lambda call: _metadata(call, "trt:Configurations"),
    "GetMetadataConfigurationOptions": lambda call: _metadata_options(call, "trt:Options"),
    "SetSynchronizationPoint": _synchronize,
    "CreateProfile": _create_profile,
    "DeleteProfile": _delete_profile,
}
OPTIONS2: Final[dict[str, Operation]] = {
    "GetVideoEncoderConfigurationOptions": _options2,
    "SetVideoEncoderConfiguration": _set_encoder,
    "GetVideoEncoderInstances": _instances2,
    "GetVideoSourceConfigurationOptions": lambda call: _source_options(call, "tr2:Options"),
    "GetMetadataConfigurationOptions": lambda call: _metadata_options(call, "tr2:Options"),
    "SetSynchronizationPoint": _synchronize,
    "CreateProfile": _create_profile,
    "DeleteProfile": _delete_profile,
}
