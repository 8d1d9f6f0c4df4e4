"""Keeps what a camera wants to hear in a file of its own, beside no other setting, and tells it to nobody."""

from __future__ import annotations

import re
import secrets
import stat
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from lamppost.api.problems import Mistake, Problem
from lamppost.base.clock import US_PER_S
from lamppost.base.durable import make_directory, remove_durable, write_durable
from lamppost.base.errors import ConfigError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile, Fields

_OURS: Final = re.compile(r"[a-z0-9-]{1,63}\.[0-9a-f]{8}\.password|\.[a-z0-9-]{1,63}\.[0-9a-f]{8}\.password\.[0-9a-f]{8}\.tmp")
_YOUNG_US: Final = 60 * US_PER_S  # one that is younger may be about to be named


@contextmanager
def kept_password(folder: DataFolder, camera: str, password: SecretStr | None) -> Generator[Fields]:
    """The settings that name a new file with `password`; none where there is none. The file goes again when the change fails.

    Each password has a file of its own: until the configuration names the new one, the one before it holds, for everybody.
    """
    if password is None:
        yield {}
        return
    text = password.get_secret_value()
    if not text or text != text.strip() or not text.isprintable():
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the request cannot be used",
            kind="invalid",
            errors=[Mistake(at="body.password", problem="it is empty, begins or ends with a blank, or has more than one line")],
        )
    make_directory(folder.camera_passwords, 0o700)
    path = folder.camera_passwords / f"{camera}.{secrets.token_hex(4)}.password"
    write_durable(path, f"{text}\n".encode(), 0o600)
    is_named = False
    try:
        yield {"password_file": str(path.resolve()), "password": None}
        is_named = True
    finally:
        if not is_named:
            remove_durable(path)


def forget_password(folder: DataFolder, before: CameraSettings | None, now: CameraSettings | None) -> None:
    """Remove the file that `before` named and `now` does not, where it is one of ours; somebody's own files stay."""
    old = before.password_file if before is not None else None
    new = now.password_file if now is not None else None
    if old is not None and old != new and _is_ours(folder, old):
        remove_durable(old)


def sweep_passwords(folder: DataFolder, config: Path | None, now_us: int) -> int:
    """Remove files of ours that the configuration does not name: a server was killed between the two. How many there were.

    Nothing is removed where the configuration is not known, or cannot be read. Raises `StoreError`.
    """
    if config is None or not folder.camera_passwords.is_dir():
        return 0
    try:
        cameras = ConfigFile(config).before.camera
    except ConfigError:
        return 0
    named = {camera.password_file.resolve() for camera in cameras if camera.password_file is not None}
    removed = 0
    for path in folder.camera_passwords.iterdir():
        if _OURS.fullmatch(path.name) and path.resolve() not in named and _is_old_file(path, now_us):
            remove_durable(path)
            removed += 1
    return removed


def _is_old_file(path: Path, now_us: int) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime_ns // 1000 < now_us - _YOUNG_US


def _is_ours(folder: DataFolder, path: Path) -> bool:
    return path.resolve().parent == folder.camera_passwords.resolve()
