"""Changes the cameras in `lamppost.toml` and leaves every other line, comments too, as somebody wrote it.

The changed text is validated whole before a byte is written, and replaces the
file in one step: a running `lamppost serve` reads the old one or the new one.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.configuration import check_cameras, read_configuration, read_settings, with_rules

Fields = Mapping[str, str | float | tuple[str, ...] | None]
"""Settings of a camera; None takes one out."""


class ConfigFile:
    """One configuration file, being changed. Raises `ConfigError` when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = content = read_configuration(path)
        read_settings(content, path)  # what is wrong already is told in the usual words
        try:
            self._document = tomlkit.parse(content)
        except TOMLKitError as error:
            raise ConfigError(f"{path} cannot be changed by a program", remedy="change it by hand") from error

    def add(self, name: str, fields: Fields) -> CameraSettings:
        """A new camera at the end; raises `ConfigError` when there is one of that name."""
        if self._find(name) is not None:
            raise ConfigError(f"{self._path} has a camera {name!r} already", remedy="change it with `lamppost camera set`")
        table = tomlkit.table()
        table["name"] = name
        _put(table, fields)
        if not self._cameras():
            self._document["camera"] = tomlkit.aot()
        cast(Any, self._document)["camera"].append(table)
        return self._camera(name)

    def set(self, name: str, fields: Fields) -> CameraSettings:
        """Change settings of a camera; raises `ConfigError` when there is none of that name."""
        _put(self._table(name), fields)
        return self._camera(name)

    def remove(self, name: str) -> None:
        """Take a camera out; raises `ConfigError` when there is none of that name."""
        self._table(name)
        names = [_name(table) for table in self._cameras()]
        del cast(Any, self._document)["camera"][names.index(name)]
        if len(names) == 1:
            del self._document["camera"]

    def settings(self) -> Settings:
        """The whole of it, as it now is; raises `ConfigError` for what `serve` would refuse."""
        settings = read_settings(self._text(), self._path)
        check_cameras(settings)
        return with_rules(settings)

    def replace(self) -> None:
        """Validate once more, and replace the file durably; owner and mode stay.

        Raises `ConfigError` where somebody else has changed it since it was read.
        """
        self.settings()
        if read_configuration(self._path) != self._content:
            raise ConfigError(f"{self._path} was changed by somebody else just now", remedy="give the command again; nothing was changed")
        status = self._path.stat()
        # A link is followed: it may be how the file came to its place.
        target = self._path.resolve()
        write_durable(target, self._text().encode(), mode=stat.S_IMODE(status.st_mode))
        if os.geteuid() == 0:
            os.chown(target, status.st_uid, status.st_gid)

    def _camera(self, name: str) -> CameraSettings:
        return next(camera for camera in self.settings().camera if camera.name == name)

    def _cameras(self) -> list[Table]:
        cameras = cast("dict[str, Any]", self._document).get("camera")
        if cameras is None:
            return []
        if not isinstance(cameras, AoT):
            raise ConfigError(f"{self._path}: its cameras are no tables [[camera]]", remedy="write each as a table [[camera]]")
        return cameras.body

    def _text(self) -> str:
        return self._document.as_string()

    def _find(self, name: str) -> Table | None:
        return next((table for table in self._cameras() if _name(table) == name), None)

    def _table(self, name: str) -> Table:
        table = self._find(name)
        if table is None:
            known = ", ".join(_name(table) for table in self._cameras()[:20]) or "none"
            raise ConfigError(f"{self._path} has no camera {name!r}", remedy=f"it has: {known}")
        return table


def _name(table: Table) -> str:
    return str(cast("dict[str, Any]", table).get("name"))


def _put(table: Table, fields: Fields) -> None:
    settings = cast("dict[str, Any]", table)
    for key, value in fields.items():
        if value is None:
            settings.pop(key, None)
        else:
            settings[key] = list(value) if isinstance(value, tuple) else value
