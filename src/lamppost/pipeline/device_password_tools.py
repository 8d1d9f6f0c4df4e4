"""Where the passwords of a node's cameras lie, for who changes one: the device book, the configuration, and a note of what is pending.

The note `devices/pending/CAMERA` names a password that a device is about to take. What it names is forgotten by nobody but who settles it.
"""

from __future__ import annotations

import re
import threading
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory, remove_durable, write_durable
from lamppost.base.errors import CameraError, CameraRefused, ConfigChanged, ConfigError
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.pipeline.credentials import CredentialKeeper, forget_replaced
from lamppost.pipeline.device_access import device_user
from lamppost.pipeline.device_passwords import MOST_OFFERED
from lamppost.pipeline.device_talk import DeviceTalk, open_talk
from lamppost.pipeline.probing import probe_stream
from lamppost.store.device_locks import PATIENCE_S, DeviceLocks, DeviceWork

STREAM_S: Final = 0.1
MOST_PENDING: Final = MOST_OFFERED
_ATTEMPTS: Final = 3
_NUMBER: Final = re.compile(r"[0-9a-f]{16}")


class NodePasswords:
    """As `device_passwords.PasswordTools`; for one change, by one thread."""

    def __init__(
        self,
        folder: DataFolder,
        config: Path | None,
        settings: Settings,
        clock: Clock,
        keeper: CredentialKeeper,
        act: Callable[[str, Mapping[str, Any]], None],
        *,
        by: str,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._folder = folder
        self._config = config
        self._settings = settings
        self._clock = clock
        self._act = act
        self._keeper = keeper
        self._locks = DeviceLocks(folder, clock, by)
        self._patience_s = patience_s

    def alone(self, camera: str, work: DeviceWork) -> AbstractContextManager[None]:
        return self._locks.hold(camera, work, patience_s=self._patience_s)

    def current(self, camera: CameraSettings) -> str | None:
        return self._keeper.password_of(camera)

    def keep(self, camera: str, password: str) -> str:
        credential = self._keeper.keep(camera, password)
        self._note(camera, (credential, *pending_of(self._folder, camera)))
        return credential

    def password(self, credential: str) -> str:
        return self._keeper.password(credential)

    def forget(self, credential: str) -> None:
        self._keeper.forget(credential)
        for path in _notes(self._folder):
            left = tuple(number for number in pending_of(self._folder, path.name) if number != credential)
            self._note(path.name, left)

    def pending(self, camera: CameraSettings) -> tuple[str, ...]:
        kept = {each.credential_id for each in self._keeper.kept() if each.camera == camera.name}
        return tuple(number for number in pending_of(self._folder, camera.name) if number in kept and number != camera.credential)

    def talk(self, camera: CameraSettings, password: str | None) -> DeviceTalk:
        return open_talk(camera, self._settings, self._clock, password)

    def check_stream(self, camera: CameraSettings, password: str) -> None:
        plain = camera.model_copy(update={"username": device_user(camera), "password": None, "password_file": None, "credential": None})
        revealed = CameraSettings.model_validate(plain.model_dump(exclude={"rules"}) | {"password": password})
        try:
            probe_stream(
                revealed,
                camera.url,
                seconds=STREAM_S,
                clock=self._clock,
                stop=threading.Event(),
                networks=self._settings.devices.camera_networks,
            )
        except CameraRefused:
            raise
        except CameraError:
            return  # it is away, or has no stream to spare: nothing was said about the password

    def name(self, camera: CameraSettings, fields: Fields, first: Callable[[], object]) -> None:
        if self._config is None:
            raise ConfigError("this node runs without a configuration file", remedy="start it with one")
        for _ in range(_ATTEMPTS):
            file = ConfigFile(self._config)
            before = file.camera(camera.name)
            now = file.set(camera.name, fields)
            try:
                file.replace(first=first)
            except ConfigChanged:
                continue
            named = str(fields["credential"])
            self._note(camera.name, tuple(number for number in pending_of(self._folder, camera.name) if number != named))
            forget_replaced(self._folder, self._keeper, before, now)
            return
        raise ConfigError("others are changing the configuration just now", remedy="give the command again: the device has the new one")

    def act(self, camera: str, detail: Mapping[str, Any]) -> None:
        self._act(camera, detail)

    def _note(self, camera: str, credentials: tuple[str, ...]) -> None:
        path = _folder(self._folder) / camera
        if credentials:
            make_directory(path.parent, 0o700)
            write_durable(path, "".join(f"{number}\n" for number in credentials[:MOST_PENDING]).encode(), 0o600)
        elif path.exists():
            remove_durable(path)


def pending_credentials(folder: DataFolder) -> frozenset[str]:
    """All that some device may have taken already, so that nobody forgets them."""
    return frozenset(number for path in _notes(folder) for number in pending_of(folder, path.name))


def pending_of(folder: DataFolder, camera: str) -> tuple[str, ...]:
    """Of one camera, the newest first."""
    try:
        text = (_folder(folder) / camera).read_text(encoding="ascii")
    except (OSError, UnicodeDecodeError):
        return ()
    return tuple(_NUMBER.findall(text))[:MOST_PENDING]


def _folder(folder: DataFolder) -> Path:
    return folder.devices.parent / "pending"


def _notes(folder: DataFolder) -> tuple[Path, ...]:
    place = _folder(folder)
    return tuple(path for path in place.iterdir() if not path.name.startswith(".")) if place.is_dir() else ()
