"""From `lamppost.toml` to settings, and from a mistake in it to one line."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, cast

from pydantic import ValidationError

from lamppost.base.errors import ConfigError
from lamppost.base.toml_places import TomlPlaces
from lamppost.ingest.locator import check_transport, parse_locator
from lamppost.model.carriers import NOTIFY_FILES
from lamppost.model.layout import DataFolder
from lamppost.model.mistakes import Mistake, dotted, mistakes_of
from lamppost.model.server_settings import SERVER_FILES
from lamppost.model.settings import FILLED_IN, CameraSettings, Settings
from lamppost.pipeline.equipment import counting_entry, equip
from lamppost.pipeline.rules_file import load_rules

CAMERA_FILES = ("password_file", "rules_file")
"""Settings of a camera that name files beside the configuration."""


def load_settings(path: Path) -> Settings:
    """Read and validate the whole of `path`; the data folder comes back absolute. Rules files are named in it, and not read.

    Raises `ConfigError` with one line for each mistake; values are never shown,
    since one of them may be a password.
    """
    return read_settings(read_configuration(path), path)


def load_whole(path: Path) -> Settings:
    """As `load_settings`, with the rules of every camera, and with all checked that `serve` needs; raises `ConfigError`."""
    return complete(load_settings(path))


def complete(settings: Settings) -> Settings:
    """The settings with the rules of every camera read; raises `ConfigError` for what `serve` would not start with."""
    check_cameras(settings)
    check_carriers(settings)
    return with_rules(settings)


def with_rules(settings: Settings) -> Settings:
    """The settings with every `rules_file` read; raises `ConfigError` with one line for each mistake in any of them."""
    named = dict.fromkeys(camera.rules_file for camera in settings.camera if camera.rules_file is not None)
    books, refused = {}, list[str]()
    for path in named:
        try:
            books[path] = load_rules(path)
        except ConfigError as error:
            refused.append(str(error))
    if refused:
        raise ConfigError("\n".join(refused))
    cameras = tuple(
        camera.model_copy(update={"rules": books[camera.rules_file] if camera.rules_file is not None else None})
        for camera in settings.camera
    )
    return settings.model_copy(update={"camera": cameras})


def named_files(path: Path) -> tuple[Path, ...]:
    """The rules files that the configuration `path` names; none where it cannot be read."""
    try:
        settings = load_settings(path)
    except ConfigError:
        return ()
    return tuple(dict.fromkeys(camera.rules_file for camera in settings.camera if camera.rules_file is not None))


def read_configuration(path: Path) -> str:
    """The text of the file; raises `ConfigError`."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError as error:
        raise ConfigError(f"there is no configuration at {path}", remedy="run `lamppost init`, or name one with -c") from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", remedy="it must be a text file that this user may read") from error


def read_settings(content: str, path: Path) -> Settings:
    """The settings in `content`, the text of `path`; as `load_settings`."""
    try:
        tables = tomllib.loads(content)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: this is not TOML: {_place_only(str(error))}", remedy="look at that line") from error
    except (ValueError, RecursionError) as error:  # a number of thousands of digits, brackets a thousand deep
        raise ConfigError(f"{path}: this is not TOML that can be read", remedy="compare it with what `lamppost init` writes") from error
    mistakes = _written_in_vain(tables)
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        mistakes += mistakes_of(error, Settings, hidden=FILLED_IN)
        raise ConfigError(_lines(path, content, mistakes)) from error
    if mistakes:
        raise ConfigError(_lines(path, content, mistakes))
    base = path.resolve().parent
    cameras = tuple(
        camera.model_copy(update={key: base / named for key in CAMERA_FILES if (named := getattr(camera, key)) is not None})
        for camera in settings.camera
    )
    carriers = tuple(
        carrier.model_copy(update={key: base / path for key in NOTIFY_FILES if (path := getattr(carrier, key)) is not None})
        for carrier in settings.notify
    )
    models = settings.models
    if models.folder is not None:
        models = models.model_copy(update={"folder": (base / models.folder).resolve()})
    server = settings.server.model_copy(
        update={key: base / named for key in SERVER_FILES if (named := getattr(settings.server, key)) is not None}
    )
    places = {"server": server, "data": (base / settings.data).resolve(), "models": models}
    return settings.model_copy(update=places | {"camera": cameras, "notify": carriers})


def _place_only(message: str) -> str:
    """The message of tomllib with its place, without a quoted piece of the file."""
    return message.split("'")[0].rstrip() if "'" in message and "(at" not in message else message


def _written_in_vain(tables: dict[str, Any]) -> tuple[Mistake, ...]:
    """Takes out of the cameras' tables what nobody may write there, and tells of it."""
    found: list[Mistake] = []
    cameras: list[Any] = tables["camera"] if isinstance(tables.get("camera"), list) else []
    for index, camera in enumerate(cameras):
        if not isinstance(camera, dict):
            continue
        table = cast("dict[str, Any]", camera)
        for key in FILLED_IN.intersection(table):
            del table[key]
            place = ("camera", index, key)
            text = f"{dotted(place)} is not a setting: what it would hold stands in a file of its own, which rules_file names"
            found.append(Mistake(place, "extra_forbidden", text))
    return tuple(found)


def _lines(path: Path, content: str, mistakes: tuple[Mistake, ...]) -> str:
    places = TomlPlaces(content)
    # What is wrong with the whole, such as a name that stands there twice, has no line.
    lines = [f"line {places.line_of(mistake.place)}: " if mistake.place else "" for mistake in mistakes]
    return "\n".join(f"{path}: {line}{mistake.text}" for line, mistake in zip(lines, mistakes, strict=True))


def check_cameras(settings: Settings) -> None:
    """Raise `ConfigError` for a camera whose address, password file, preset or model cannot be used, before anything is started."""
    models = settings.models.folder or DataFolder(settings.data).models
    for camera in settings.camera:
        camera.resolved_password()
        check_address(camera)
        try:
            equip(camera.preset or settings.masking.preset, models, settings.masking.face_model)
            if camera.rules_file is not None:
                counting_entry(settings.analysis.model if camera.counting_model is None else camera.counting_model, models)
        except ConfigError as error:
            raise ConfigError(f"camera {camera.name}: {error.problem}", remedy=error.remedy) from error


def check_carriers(settings: Settings) -> None:
    """Raise `ConfigError` for a carrier whose files cannot be read, before anything is started."""
    for carrier in settings.notify:
        for key in NOTIFY_FILES:
            path = getattr(carrier, key)
            if path is not None and not os.access(path, os.R_OK):
                raise ConfigError(
                    f"carrier {carrier.name}: its {key} {path} cannot be read", remedy="is it there, and may Lamppost's user read it?"
                )


def check_address(camera: CameraSettings) -> None:
    """Raise `ConfigError` for an address that cannot be used, or that does not go with how it is to be reached."""
    for url in (camera.url, *((camera.sub_url,) if camera.sub_url else ())):
        try:
            check_transport(parse_locator(url, username=camera.username), camera.transport, camera.certificate_sha256)
        except ConfigError as error:
            raise ConfigError(f"camera {camera.name}: {error.problem}", remedy=error.remedy) from error
