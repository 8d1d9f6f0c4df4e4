"""The ONVIF imaging service: how the picture is made, set and read back."""

from __future__ import annotations

from typing import Final

from lamppost.cameras.simulated.machine import Call, Operation
from lamppost.cameras.simulated.markup import Markup, join, tag
from lamppost.cameras.simulated.soap import SoapRefusal, number, required
from lamppost.cameras.simulated.tokens import SOURCE

_CUTS: Final = ("ON", "OFF", "AUTO")


def _source(call: Call) -> Call:
    if required(call.body, "VideoSourceToken") != SOURCE:
        raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:NoSource"), "there is no such video source")
    return call


def _settings(call: Call) -> Markup:
    # The schema wants them in the order of the alphabet.
    return tag("timg:ImagingSettings", *(tag(f"tt:{name}", value) for name, value in sorted(_source(call).state.imaging.items())))


def _set_settings(call: Call) -> Markup:
    settings = _source(call).body.first("ImagingSettings")
    if settings is None:
        raise SoapRefusal("Sender", ("ter:InvalidArgs",), "ImagingSettings is missing")
    wanted: dict[str, float | str] = {}
    for name, known in call.state.imaging.items():
        if settings.first(name) is None:
            continue
        if isinstance(known, float):
            wanted[name] = number(settings, name, 0, 100)
        elif (cut := settings.value(name)) in _CUTS:
            wanted[name] = cut
        else:
            raise SoapRefusal("Sender", ("ter:InvalidArgVal", "ter:SettingsInvalid"), f"{name} is ON, OFF or AUTO")
    call.state.imaging.update(wanted)
    return Markup()


def _options(call: Call) -> Markup:
    _source(call)
    bounds = join(tag("tt:Min", 0.0), tag("tt:Max", 100.0))
    ranges = {name: tag(f"tt:{name}", bounds) for name in ("Brightness", "ColorSaturation", "Contrast", "Sharpness")}
    cuts = (tag("tt:IrCutFilterModes", mode) for mode in _CUTS)
    return tag("timg:ImagingOptions", ranges["Brightness"], ranges["ColorSaturation"], ranges["Contrast"], *cuts, ranges["Sharpness"])


def _status(call: Call) -> Markup:
    _source(call)
    return tag("timg:Status", tag("tt:FocusStatus20", tag("tt:Position", 0.0), tag("tt:MoveStatus", "IDLE")))


def _move_options(call: Call) -> Markup:
    _source(call)
    return tag("timg:MoveOptions")  # the focus is fixed


OPERATIONS: Final[dict[str, Operation]] = {
    "GetImagingSettings": _settings,
    "SetImagingSettings": _set_settings,
    "GetOptions": _options,
    "GetStatus": _status,
    "GetMoveOptions": _move_options,
}
