"""A camera's picture settings (ONVIF Imaging): brightness and its like, read and set."""

from __future__ import annotations

from typing import Any, Final

from lamppost.base.errors import ConfigError
from lamppost.cameras.onvif.descriptions import Service
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.faults import lacking
from lamppost.cameras.onvif.reading import line, many, read

_NUMBERS: Final = {"brightness": "Brightness", "contrast": "Contrast", "saturation": "ColorSaturation", "sharpness": "Sharpness"}
_MODES: Final = {"infrared_filter": "IrCutFilter"}


class Imaging:
    """The picture settings of one device. Raises `CameraError`."""

    def __init__(self, device: OnvifDevice) -> None:
        if not device.has(Service.IMAGING):
            raise lacking("picture settings")
        self._device = device

    def sources(self) -> tuple[str, ...]:
        """The tokens of its sensors."""
        media = Service.MEDIA1 if self._device.has(Service.MEDIA1) else Service.IO
        found = many(self._device.soap.call(media, "GetVideoSources"))
        tokens = (line(read(each, "token") or each, 64) for each in found[:64])
        return tuple(token for token in tokens if token)

    def settings(self, source: str) -> dict[str, float | str]:
        """What the device says of `brightness`, `contrast`, `saturation`, `sharpness` and `infrared_filter`."""
        said = self._device.soap.call(Service.IMAGING, "GetImagingSettings", VideoSourceToken=source)
        found: dict[str, float | str] = {}
        for name, theirs in _NUMBERS.items():
            value = read(said, theirs)
            if isinstance(value, int | float):
                found[name] = float(value)
        for name, theirs in _MODES.items():
            value = line(read(said, theirs), 16)
            if value:
                found[name] = value
        return found

    def set(self, source: str, **settings: float | str) -> None:
        """Set some of them; raises `ConfigError` for a name that there is not."""
        names = _NUMBERS | _MODES
        unknown = sorted(settings.keys() - names.keys())
        if unknown:
            raise ConfigError(f"there is no picture setting {unknown[0]!r}", remedy=f"known are {', '.join(names)}")
        theirs: dict[str, Any] = {names[name]: value for name, value in settings.items()}
        self._device.soap.call(
            Service.IMAGING, "SetImagingSettings", VideoSourceToken=source, ImagingSettings=theirs, ForcePersistence=True
        )
