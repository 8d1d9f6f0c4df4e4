"""Which cameras there are: those that are recorded, those that will be within a second, and those that only have books any more."""

from __future__ import annotations

from lamppost.api.context import Context
from lamppost.api.problems import not_found
from lamppost.base.errors import ConfigError
from lamppost.pipeline.config_file import ConfigFile


def readable_config(context: Context) -> ConfigFile | None:
    """The configuration file; None where there is none, or somebody has just made a mistake in it."""
    if context.config is None:
        return None
    try:
        return ConfigFile(context.config)
    except ConfigError:
        return None


def require_known(context: Context, camera: str) -> None:
    """Raises 404 for a camera that is neither configured nor booked."""
    if context.camera(camera) is not None or camera in context.index.cameras():
        return
    # One that was added a moment ago: the node takes the file over within a second.
    file = readable_config(context)
    if file is None or file.camera(camera) is None:
        raise not_found("camera")
