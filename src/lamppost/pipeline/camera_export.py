"""Writes the configured cameras as a table that an import takes back, without a secret."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from lamppost.ingest.locator import parse_locator
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.camera_columns import COLUMNS, EXPORTED, ORIGIN, SETTINGS, text_of
from lamppost.pipeline.camera_import import Origin
from lamppost.pipeline.camera_table import write_table
from lamppost.pipeline.new_address import STREAM_ADDRESSES

_EXAMPLES: Final = (
    {"name": "# a row that begins with # is left out"},
    {
        "name": "#plaza-north",
        "address": "10.20.0.11",
        "vendor": "hikvision",
        "channel": "1",
        "username": "lamppost",
        "password": "secret",
        "preset": "motion",
        "site": "Old Town",
        "installed": "2024-05-31",
        "purpose": "traffic counts",
    },
    {
        "name": "#",
        "title": "Harbour, pier 3",
        "url": "rtsps://10.20.0.12/axis-media/media.amp",
        "username": "lamppost",
        "password_env": "PIER_PASSWORD",
        "schedule": "mon-fri 06:00-20:00 | sat,sun 08:00-24:00",
        "sealed_days": "3",
        "site": "Harbour",
        "device_url": "https://10.20.0.12",
    },
)


def export_table(settings: Settings, origins: Mapping[str, Origin]) -> str:
    """All cameras, each with what it has of its own."""
    return write_table(EXPORTED, (_row(camera, origins.get(camera.name, {})) for camera in settings.camera))


def template_table() -> str:
    """A header with every column, and examples that are left out when it is given as it is."""
    return write_table(COLUMNS, _EXAMPLES)


def _row(camera: CameraSettings, origin: Origin) -> dict[str, str]:
    row = {"name": camera.name} | {key: text_of(key, getattr(camera, key)) for key in SETTINGS}
    main = parse_locator(camera.url)
    row["username"] = camera.username or main.username
    for key in STREAM_ADDRESSES:
        if row[key]:
            locator = parse_locator(row[key])
            plain = locator.request_url or row[key]
            # What may be a password in a path stays here; a camera that is there needs no address to be known again.
            row[key] = plain if locator.shown == plain or not locator.request_url else ""
    return row | {key: text_of(key, origin[key]) for key in ORIGIN if key in origin}
