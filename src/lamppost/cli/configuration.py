"""What is given on the command line of a configuration: where it is, and a camera in place of those in it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.configuration import check_address

DEFAULT_CONFIG = Path("lamppost.toml")


def check_camera(name: str, url: str, **more: Any) -> CameraSettings:
    """A camera given on the command line; raises `ConfigError` for a name, an address or a setting that cannot be used."""
    try:
        camera = CameraSettings(name=name, url=url, **more)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"a camera on the command line cannot be used: {problem}") from error
    if not url.isprintable():  # bytes that are no UTF-8 among them
        raise ConfigError(f"camera {name}: its address holds characters that cannot stand in a text file")
    check_address(camera)
    return camera


def one_camera(settings: Settings, url: str) -> Settings:
    """The settings with one camera, called `demo`, in place of those configured; raises `ConfigError`."""
    return settings.model_copy(update={"camera": (check_camera("demo", url),)})
