"""Turns a camera (ONVIF PTZ): for an operator, by hand, by saved positions and by tours; nothing that is detected gets here."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from math import isfinite
from typing import Any, Final

from lamppost.base.errors import UnreadableReply
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.faults import lacking
from lamppost.cameras.onvif.reading import line, many, read

LONGEST_MOVE_S: Final = 2.0
_MOST_PRESETS: Final = 256


@dataclass(frozen=True, slots=True)
class Preset:
    """A position that is saved in the device."""

    token: str
    name: str


@dataclass(frozen=True, slots=True)
class PtzStatus:
    """How the head stands, as it says: not every head says what is so. None for what it does not say.

    `position` is pan, tilt and zoom, in whatever measure the device has.
    """

    is_moving: bool | None
    position: tuple[float | None, float | None, float | None] = (None, None, None)


class Ptz:
    """The head of one camera, in one thread; `profile` is the token of a profile with PTZ. Raises `CameraError`."""

    def __init__(self, device: OnvifDevice, profile: str) -> None:
        if not device.has(Service.PTZ):
            raise lacking("head that turns")
        self._soap = device.soap
        self._profile = profile

    def presets(self) -> tuple[Preset, ...]:
        found = many(self._call("GetPresets"))[:_MOST_PRESETS]
        presets = (Preset(line(read(each, "token"), 64), line(read(each, "Name"), 64)) for each in found)
        return tuple(preset for preset in presets if preset.token)

    def go_to(self, token: str) -> None:
        self._call("GotoPreset", PresetToken=token)

    def save_preset(self, name: str) -> str:
        """Save where it stands now as `name`; the token that the device gives it."""
        token = line(self._call("SetPreset", PresetName=name), 64)
        if not token:
            raise UnreadableReply("the device has saved the position and does not say under which token")
        return token

    def remove(self, token: str) -> None:
        self._call("RemovePreset", PresetToken=token)

    def move(self, pan: float, tilt: float, zoom: float, for_s: float) -> None:
        """Turn with these speeds, -1 to 1 each; it stops by itself after `for_s`, which is 2 s at most."""
        speeds = [max(-1.0, min(1.0, speed)) if isfinite(speed) else 0.0 for speed in (pan, tilt, zoom)]
        velocity: dict[str, Any] = {}
        if speeds[0] or speeds[1]:
            velocity["PanTilt"] = {"x": speeds[0], "y": speeds[1]}
        if speeds[2]:
            velocity["Zoom"] = {"x": speeds[2]}
        if not velocity or not for_s > 0:
            self.stop()
            return
        self._call("ContinuousMove", Velocity=velocity, Timeout=timedelta(seconds=min(for_s, LONGEST_MOVE_S)))

    def stop(self) -> None:
        self._call("Stop", PanTilt=True, Zoom=True)

    def status(self) -> PtzStatus:
        said = self._call("GetStatus")
        states = [line(read(said, "MoveStatus", axis), 16).upper() for axis in ("PanTilt", "Zoom")]
        known = [state for state in states if state in ("IDLE", "MOVING")]
        pan, tilt, zoom = (_number(read(said, "Position", *path)) for path in (("PanTilt", "x"), ("PanTilt", "y"), ("Zoom", "x")))
        return PtzStatus("MOVING" in known if known else None, (pan, tilt, zoom))

    def _call(self, operation: str, **arguments: Any) -> Any:
        return self._soap.call(Service.PTZ, operation, ProfileToken=self._profile, **arguments)


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if isfinite(number) else None
