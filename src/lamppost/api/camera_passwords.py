"""Keeps what a camera wants to hear encrypted, beside no other setting, and tells it to nobody."""

from __future__ import annotations

import re
import stat
from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from pathlib import Path
from typing import Final

from pydantic import SecretStr

from lamppost.api.context import Context
from lamppost.api.problems import Mistake, Problem
from lamppost.base.clock import US_PER_S
from lamppost.base.durable import remove_durable
from lamppost.base.errors import ConfigError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.credentials import CredentialKeeper, check_password, forget_replaced, naming
from lamppost.pipeline.device_password_tools import pending_credentials

# Files that older versions kept passwords in.
_OURS: Final = re.compile(r"[a-z0-9-]{1,63}\.[0-9a-f]{8}\.password|\.[a-z0-9-]{1,63}\.[0-9a-f]{8}\.password\.[0-9a-f]{8}\.tmp")
_YOUNG_US: Final = 60 * US_PER_S  # one that is younger may be about to be named


def keeper_of(context: Context) -> CredentialKeeper:
    """The one keeper of this application."""
    return context.keep(CredentialKeeper, lambda: CredentialKeeper(context.folder, context.clock))


@contextmanager
def kept_password(context: Context, camera: str, password: SecretStr | None) -> Generator[Fields]:
    """The settings that name a new password; none where there is none. It is forgotten again when the change fails."""
    if password is None:
        yield {}
        return
    text = password.get_secret_value()
    try:
        check_password(text)
    except ConfigError as error:
        problem = error.problem.replace("the password", "it", 1)
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "the request cannot be used",
            kind="invalid",
            errors=[Mistake(at="body.password", problem=problem)],
        ) from error
    with naming(keeper_of(context), camera, text) as fields:
        yield fields


def forget_password(context: Context, before: CameraSettings | None, now: CameraSettings | None) -> None:
    """Forget the password that `before` named and `now` does not, where it is one of ours; somebody's own files stay."""
    forget_replaced(context.folder, keeper_of(context), before, now)


def sweep_passwords(folder: DataFolder, config: Path | None, now_us: int) -> int:
    """Forget passwords that the configuration does not name: somebody was killed between the two. How many there were.

    Nothing is forgotten where the configuration is not known, or cannot be read. Raises `StoreError`.
    """
    if config is None or not (folder.camera_passwords.is_dir() or folder.devices.is_file()):
        return 0
    try:
        cameras = ConfigFile(config).before.camera
    except ConfigError:
        return 0
    return _sweep_files(folder, cameras, now_us) + _sweep_credentials(folder, cameras, now_us)


def _sweep_files(folder: DataFolder, cameras: tuple[CameraSettings, ...], now_us: int) -> int:
    if not folder.camera_passwords.is_dir():
        return 0
    named = {camera.password_file.resolve() for camera in cameras if camera.password_file is not None}
    removed = 0
    for path in folder.camera_passwords.iterdir():
        if _OURS.fullmatch(path.name) and path.resolve() not in named and _is_old_file(path, now_us):
            remove_durable(path)
            removed += 1
    return removed


def _sweep_credentials(folder: DataFolder, cameras: tuple[CameraSettings, ...], now_us: int) -> int:
    # What a device may have taken already is not forgotten: who finds the old one refused tries it.
    named = {camera.credential for camera in cameras} | pending_credentials(folder)
    with CredentialKeeper(folder) as keeper:
        left = [each.credential_id for each in keeper.kept() if each.credential_id not in named and each.kept_us < now_us - _YOUNG_US]
        keeper.forget_all(left)
    return len(left)


def _is_old_file(path: Path, now_us: int) -> bool:
    try:
        status = path.lstat()
    except FileNotFoundError:
        return False
    return stat.S_ISREG(status.st_mode) and status.st_mtime_ns // 1000 < now_us - _YOUNG_US
