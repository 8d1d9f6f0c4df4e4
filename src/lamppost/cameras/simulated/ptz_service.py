"""The ONVIF PTZ service: one head that turns in real time, and its presets."""

from __future__ import annotations

from typing import Final

from lamppost.base.clock import format_utc
from lamppost.cameras.simulated.configurations import SPACES, ptz, space
from lamppost.cameras.simulated.events_service import seconds
from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.nodes import Node
from lamppost.cameras.simulated.soap import SoapRefusal, is_true, required
from lamppost.cameras.simulated.state import SPEED_PER_S, Preset
from lamppost.cameras.simulated.tokens import PTZ_CONFIGURATION, PTZ_NODE

_DEFAULT_S: Final = 5.0
_LONGEST_S: Final = 60.0
_MOST_PRESETS: Final = 64


def _spaces(name: str) -> Markup:
    return tag(
        name,
        space("tt:AbsolutePanTiltPositionSpace", "PanTiltSpaces/PositionGenericSpace", -1.0, has_two=True),
        space("tt:AbsoluteZoomPositionSpace", "ZoomSpaces/PositionGenericSpace", 0.0),
        space("tt:RelativePanTiltTranslationSpace", "PanTiltSpaces/TranslationGenericSpace", -1.0, has_two=True),
        space("tt:RelativeZoomTranslationSpace", "ZoomSpaces/TranslationGenericSpace", -1.0),
        space("tt:ContinuousPanTiltVelocitySpace", "PanTiltSpaces/VelocityGenericSpace", -1.0, has_two=True),
        space("tt:ContinuousZoomVelocitySpace", "ZoomSpaces/VelocityGenericSpace", -1.0),
        space("tt:PanTiltSpeedSpace", "PanTiltSpaces/GenericSpeedSpace", 0.0),
        space("tt:ZoomSpeedSpace", "ZoomSpaces/ZoomGenericSpeedSpace", 0.0),
    )


def _node(call: Call) -> Markup:
    if call.body.value("NodeToken", PTZ_NODE) != PTZ_NODE:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoEntity"), "there is no such node")
    counts = (tag("tt:MaximumNumberOfPresets", _MOST_PRESETS), tag("tt:HomeSupported", False))
    spaces = _spaces("tt:SupportedPTZSpaces")
    return tag("tptz:PTZNode", tag("tt:Name", "PTZNode"), spaces, *counts, token=PTZ_NODE, FixedHomePosition=False)


def _configuration(call: Call) -> Call:
    """The call, where it names the one configuration or none."""
    named = call.body.value("PTZConfigurationToken") or call.body.value("ConfigurationToken")
    if named not in ("", PTZ_CONFIGURATION):
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoConfig"), "there is no such configuration")
    return call


def _configuration_options(call: Call) -> Markup:
    _configuration(call)
    longest = tag("tt:PTZTimeout", tag("tt:Min", "PT0S"), tag("tt:Max", f"PT{_LONGEST_S:g}S"))
    return tag("tptz:PTZConfigurationOptions", _spaces("tt:Spaces"), longest)


def _show_configuration(call: Call) -> Markup:
    _configuration(call)
    return ptz("tptz:PTZConfiguration")


def _head(call: Call) -> Call:
    """The call, where its profile has a head to turn."""
    if required(call.body, "ProfileToken") not in call.machine.vendor.profile_tokens:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoProfile"), "there is no such profile")
    call.state.settle(call.machine.now_s())
    return call


def _vector(body: Node, name: str, otherwise: tuple[float, float, float] = (0.0, 0.0, 0.0)) -> tuple[float, float, float]:
    """Pan, tilt and zoom of the vector `name`; what is left out is as in `otherwise`."""
    vector = body.first(name)
    if vector is None:
        raise SoapRefusal("Sender", ("ter:InvalidArgs",), f"{name} is missing")
    turn, zoom = vector.first("PanTilt"), vector.first("Zoom")
    try:
        asked = zip((turn, turn, zoom), "xyx", otherwise, strict=True)
        parts = [float(node.attributes.get(key, "0")) if node is not None else kept for node, key, kept in asked]
    except ValueError as error:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:InvalidVelocity"), "a vector has numbers") from error
    if not all(-1 <= part <= 1 for part in parts):
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:InvalidPosition"), "a vector is within -1 and 1")
    return parts[0], parts[1], parts[2]


def _continuous_move(call: Call) -> Markup:
    head = _head(call)
    pan, tilt, zoom = (part * SPEED_PER_S for part in _vector(call.body, "Velocity"))
    asked = call.body.value("Timeout")
    for_s = min(seconds(asked), _LONGEST_S) if asked else _DEFAULT_S
    head.state.move(pan, tilt, zoom, for_s, call.machine.now_s())
    return Markup()


def _go(call: Call, pan: float, tilt: float, zoom: float) -> Markup:
    call.state.go(pan, tilt, zoom, call.machine.now_s())
    return Markup()


def _within(value: float, least: float) -> float:
    return max(least, min(1.0, value))


def _relative_move(call: Call) -> Markup:
    state = _head(call).state
    pan, tilt, zoom = _vector(call.body, "Translation")
    return _go(call, _within(state.pan + pan, -1.0), _within(state.tilt + tilt, -1.0), _within(state.zoom + zoom, 0.0))


def _absolute_move(call: Call) -> Markup:
    state = _head(call).state
    pan, tilt, zoom = _vector(call.body, "Position", (state.pan, state.tilt, state.zoom))
    return _go(call, pan, tilt, _within(zoom, 0.0))


def _stop(call: Call) -> Markup:
    """End turning, zooming, or both where neither is named (PTZ Service, section 5.3.5)."""
    turning, zooming = (is_true(call.body.value(name, "true")) for name in ("PanTilt", "Zoom"))
    _head(call).state.stop(call.machine.now_s(), turning=turning, zooming=zooming)
    return Markup()


def _position(pan: float, tilt: float, zoom: float, name: str) -> Markup:
    turn = tag("tt:PanTilt", x=pan, y=tilt, space=f"{SPACES}/PanTiltSpaces/PositionGenericSpace")
    return tag(name, turn, tag("tt:Zoom", x=zoom, space=f"{SPACES}/ZoomSpaces/PositionGenericSpace"))


def _status(call: Call) -> Markup:
    state = _head(call).state
    word = "MOVING" if state.is_moving(call.machine.now_s()) else "IDLE"
    moving = tag("tt:MoveStatus", tag("tt:PanTilt", word), tag("tt:Zoom", word))
    at = tag("tt:UtcTime", format_utc(call.machine.device_us()))
    return tag("tptz:PTZStatus", _position(state.pan, state.tilt, state.zoom, "tt:Position"), moving, at)


def _presets(call: Call) -> Markup:
    presets = _head(call).state.presets.items()
    return join(
        *(
            tag("tptz:Preset", tag("tt:Name", preset.name), _position(preset.pan, preset.tilt, preset.zoom, "tt:PTZPosition"), token=token)
            for token, preset in presets
        )
    )


def _preset_token(call: Call) -> str:
    token = required(call.body, "PresetToken")
    if token not in call.state.presets:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoToken"), "there is no such preset")
    return token


def _go_to_preset(call: Call) -> Markup:
    preset = _head(call).state.presets[_preset_token(call)]
    return _go(call, preset.pan, preset.tilt, preset.zoom)


def _set_preset(call: Call) -> Markup:
    state = _head(call).state
    given = call.body.value("PresetToken")
    token = given and _preset_token(call)
    if not token:
        if len(state.presets) >= _MOST_PRESETS:
            raise SoapRefusal("Receiver", ("ter:Action", "ter:TooManyPresets"), "there are too many presets")
        token = next(str(number) for number in range(1, _MOST_PRESETS + 2) if str(number) not in state.presets)
    name = call.body.value("PresetName", f"Preset {token}")[:64]
    state.presets[token] = Preset(name, state.pan, state.tilt, state.zoom)
    return tag("tptz:PresetToken", token)


def _remove_preset(call: Call) -> Markup:
    del _head(call).state.presets[_preset_token(call)]
    return Markup()


OPERATIONS: Final[dict[str, Operation]] = {
    "GetNodes": _node,
    "GetNode": _node,
    "GetConfigurations": _show_configuration,
    "GetConfiguration": _show_configuration,
    "GetConfigurationOptions": _configuration_options,
    "GetPresets": _presets,
    "SetPreset": _set_preset,
    "GotoPreset": _go_to_preset,
    "RemovePreset": _remove_preset,
    "ContinuousMove": _continuous_move,
    "RelativeMove": _relative_move,
    "AbsoluteMove": _absolute_move,
    "Stop": _stop,
    "GetStatus": _status,
}
