"""Changes cameras and settings in `lamppost.toml` and leaves every other line, comments too, as somebody wrote it.

The changed text is validated whole before a byte is written, and replaces the
file in one step: a running `lamppost serve` reads the old one or the new one.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import stat
import tomllib
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

import tomlkit
from tomlkit import TOMLDocument
from tomlkit.exceptions import TOMLKitError
from tomlkit.items import AoT, Table

from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigChanged, ConfigError
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.configuration import check_cameras, read_configuration, read_settings, with_rules

Fields = Mapping[str, str | float | tuple[str, ...] | None]
"""Settings of a camera or of a table; None takes one out."""


class ConfigFile:
    """One configuration file, being changed; `before` is what it said. Raises `ConfigError` when it cannot be read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._content = content = read_configuration(path)
        self.before = read_settings(content, path)  # what is wrong already is told in the usual words
        try:
            self._document = tomlkit.parse(content)
        except TOMLKitError as error:
            raise ConfigError(f"{path} cannot be changed by a program", remedy="change it by hand") from error

    def add(self, name: str, fields: Fields) -> CameraSettings:
        """A new camera at the end; raises `ConfigError` when there is one of that name."""
        self.put_all({name: fields}, {})
        return self._camera(name)

    def set(self, name: str, fields: Fields) -> CameraSettings:
        """Change settings of a camera; raises `ConfigError` when there is none of that name."""
        _put(self._table(name), fields)
        return self._camera(name)

    def put_all(self, added: Mapping[str, Fields], changed: Mapping[str, Fields]) -> None:
        """New cameras at the end, in their order, and settings of others; whatever is made of them is validated by who asks for it, once.

        Raises `ConfigError` where a new one is there, or one to be changed is not.
        """
        tables = {_name(table): table for table in self._cameras()}
        for name, fields in changed.items():
            _put(tables[name] if name in tables else self._table(name), fields)
        taken = next((name for name in added if name in tables), None)
        if taken is not None:
            raise ConfigError(f"{self._path} has a camera {taken!r} already", remedy="change it with `lamppost camera set`")
        last = self._cameras()[-1] if tables else None
        is_apart = last is None or self._text().endswith("\n\n")
        if last is None and added:
            self._document["camera"] = tomlkit.aot()
        for name, fields in added.items():
            table = tomlkit.table()
            table["name"] = name
            _put(table, fields)
            if last is not None and not is_apart:
                last.add(tomlkit.nl())
            cast(Any, self._document)["camera"].append(table)
            last, is_apart = table, False

    def remove(self, name: str) -> None:
        """Take a camera out; raises `ConfigError` when there is none of that name."""
        self._table(name)
        names = [_name(table) for table in self._cameras()]
        del cast(Any, self._document)["camera"][names.index(name)]
        if len(names) == 1:
            del self._document["camera"]

    def set_table(self, table: str, fields: Fields) -> None:
        """Change settings of a table such as `masking`, which is made where there is none."""
        tables = cast("dict[str, Any]", self._document)
        if not isinstance(tables.get(table, {}), dict):
            raise ConfigError(f"{self._path}: {table} is no table", remedy=f"write it as [{table}]")
        if table not in tables:
            cameras = self._cameras()
            if cameras and not self._text().endswith("\n\n"):
                cameras[-1].add(tomlkit.nl())
            tables[table] = tomlkit.table()
        _put(tables[table], fields)

    def set_top(self, fields: Fields) -> None:
        """Change settings that stand in no table, such as `site`."""
        _put(self._document, fields)

    def revision(self, camera: str | None = None) -> str:
        """A word that is another one when the file, or the camera in it, says something else than when it was read; "" for none."""
        if camera is None:
            return _digest(self._content)
        cameras = tomllib.loads(self._content).get("camera", [])
        found = next((table for table in cameras if table.get("name") == camera), None)
        return _digest(json.dumps(found, sort_keys=True, default=str)) if found is not None else ""

    def camera(self, name: str) -> CameraSettings | None:
        """What the file said of a camera; None where it had none of that name."""
        return next((camera for camera in self.before.camera if camera.name == name), None)

    def settings(self) -> Settings:
        """The whole of it, as it now is; raises `ConfigError` for what `serve` would refuse."""
        settings = read_settings(self._text(), self._path)
        check_cameras(settings)
        return with_rules(settings)

    def replace(self, *, first: Callable[[], object] | None = None) -> None:
        """Validate once more, and replace the file durably; owner and mode stay.

        `first` is called when the new one is on the disk and not yet in its place, and puts the change on the record. Where it
        raises, nothing is changed.

        Raises `ConfigChanged` where somebody else has changed it since it was read, and `StoreError` where it cannot be written.
        """
        self.settings()
        with _alone(self._path):
            if read_configuration(self._path) != self._content:
                raise ConfigChanged(
                    f"{self._path} was changed by somebody else just now", remedy="give the command again; nothing was changed"
                )
            status = self._path.stat()
            # A link is followed: it may be how the file came to its place.
            target = self._path.resolve()
            write_durable(target, self._text().encode(), mode=stat.S_IMODE(status.st_mode), first=first)
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

    def _table(self, name: str) -> Table:
        table = next((table for table in self._cameras() if _name(table) == name), None)
        if table is None:
            known = ", ".join(_name(table) for table in self._cameras()[:20]) or "none"
            raise ConfigError(f"{self._path} has no camera {name!r}", remedy=f"it has: {known}")
        return table


def _name(table: Table) -> str:
    return str(cast("dict[str, Any]", table).get("name"))


@contextmanager
def _alone(path: Path) -> Generator[None]:
    """While it lasts, nobody else who asks this way replaces the file; who waited finds it changed."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError as error:
        raise ConfigError(f"{path} cannot be read: {error.strerror}", remedy="it must be a text file that this user may read") from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX)  # held for one write, by whom it was replaced or by us
        yield
    finally:
        os.close(descriptor)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def _put(table: Table | TOMLDocument, fields: Fields) -> None:
    settings = cast("dict[str, Any]", table)
    for key, value in fields.items():
        if value is None:
            settings.pop(key, None)
        else:
            settings[key] = list(value) if isinstance(value, tuple) else value
