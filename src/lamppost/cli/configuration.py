"""From `lamppost.toml` to settings, and from a mistake in it to one line."""

from __future__ import annotations

import difflib
import os
import tomllib
from pathlib import Path
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from lamppost.base.errors import ConfigError
from lamppost.ingest.locator import check_transport, parse_locator
from lamppost.model.carriers import NOTIFY_FILES
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.equipment import equip

DEFAULT_CONFIG = Path("lamppost.toml")


def load_settings(path: Path) -> Settings:
    """Read and validate the whole of `path`; the data folder comes back absolute.

    Raises `ConfigError` with one line for each mistake; values are never shown,
    since one of them may be a password.
    """
    return read_settings(read_configuration(path), path)


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
    try:
        settings = Settings.model_validate(tables)
    except ValidationError as error:
        raise ConfigError(_explain(path, error)) from error
    base = path.resolve().parent
    cameras = tuple(
        camera.model_copy(update={"password_file": base / camera.password_file}) if camera.password_file else camera
        for camera in settings.camera
    )
    carriers = tuple(
        carrier.model_copy(update={key: base / path for key in NOTIFY_FILES if (path := getattr(carrier, key)) is not None})
        for carrier in settings.notify
    )
    models = settings.models
    if models.folder is not None:
        models = models.model_copy(update={"folder": (base / models.folder).resolve()})
    places = {"data": (base / settings.data).resolve(), "models": models}
    return settings.model_copy(update=places | {"camera": cameras, "notify": carriers})


def _place_only(message: str) -> str:
    """The message of tomllib with its place, without a quoted piece of the file."""
    return message.split("'")[0].rstrip() if "'" in message and "(at" not in message else message


def _explain(path: Path, error: ValidationError) -> str:
    lines: list[str] = []
    for item in error.errors(include_url=False, include_input=False, include_context=False):
        where = _dotted(item["loc"])
        if item["type"] == "extra_forbidden":
            lines.append(f"{path}: {where} is not a setting{_suggestion(item['loc'])}")
        elif item["type"] == "missing":
            lines.append(f"{path}: {where or 'a table'} is missing")
        else:
            lines.append(f"{path}: {where}: {item['msg'].removeprefix('Value error, ')}".replace(": :", ":"))
    return "\n".join(lines)


def _dotted(location: tuple[int | str, ...]) -> str:
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _suggestion(location: tuple[int | str, ...]) -> str:
    known = list(_fields_at(location[:-1]))
    close = difflib.get_close_matches(str(location[-1]), known, n=1)
    return f"; did you mean {close[0]!r}?" if close else f"; known here: {', '.join(known)}"


def _fields_at(location: tuple[int | str, ...]) -> dict[str, Any]:
    model: Any = Settings
    for part in location:
        if isinstance(part, str):
            annotation = model.model_fields[part].annotation
            inner = [kind for kind in get_args(annotation) if isinstance(kind, type) and issubclass(kind, BaseModel)]
            model = inner[0] if inner else annotation
    fields: dict[str, Any] = model.model_fields
    return fields


def check_cameras(settings: Settings) -> None:
    """Raise `ConfigError` for a camera whose address, password file or preset cannot be used, before anything is started."""
    models = settings.models.folder or DataFolder(settings.data).models
    for camera in settings.camera:
        camera.resolved_password()
        _check_address(camera)
        try:
            equip(camera.preset or settings.masking.preset, models, settings.masking.face_model)
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


def check_camera(name: str, url: str, **more: Any) -> CameraSettings:
    """A camera given on the command line; raises `ConfigError` for a name, an address or a setting that cannot be used."""
    try:
        camera = CameraSettings(name=name, url=url, **more)
    except ValidationError as error:
        problem = error.errors(include_url=False, include_input=False)[0]["msg"].removeprefix("Value error, ")
        raise ConfigError(f"a camera on the command line cannot be used: {problem}") from error
    if not url.isprintable():  # bytes that are no UTF-8 among them
        raise ConfigError(f"camera {name}: its address holds characters that cannot stand in a text file")
    _check_address(camera)
    return camera


def _check_address(camera: CameraSettings) -> None:
    for url in (camera.url, *((camera.sub_url,) if camera.sub_url else ())):
        try:
            check_transport(parse_locator(url, username=camera.username), camera.transport, camera.certificate_sha256)
        except ConfigError as error:
            raise ConfigError(f"camera {camera.name}: {error.problem}", remedy=error.remedy) from error


def one_camera(settings: Settings, url: str) -> Settings:
    """The settings with one camera, called `demo`, in place of those configured; raises `ConfigError`."""
    return settings.model_copy(update={"camera": (check_camera("demo", url),)})
