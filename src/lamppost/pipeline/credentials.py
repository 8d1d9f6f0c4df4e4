"""Keeps passwords of cameras encrypted in the device book, and tells them to who connects: nobody else has both book and key.

Whoever copies the database alone has no password. AES-256-GCM, a new nonce for
each; a password opens under its own number and for its own camera alone.
"""

from __future__ import annotations

import contextlib
import secrets
import threading
from collections.abc import Callable, Collection, Generator, Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Final, Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from pydantic import SecretStr

from lamppost.base.clock import Clock, SystemClock
from lamppost.base.durable import remove_durable
from lamppost.base.errors import ConfigError, LamppostError, StoreError
from lamppost.ingest.locator import parse_locator
from lamppost.model.layout import DataFolder
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.config_file import ConfigFile, Fields
from lamppost.store.book_file import First, nothing
from lamppost.store.camera_key import CameraKeys, key_id_of
from lamppost.store.device_book import DeviceBook
from lamppost.store.device_credentials import Credential, CredentialChange

LONGEST_BYTES: Final = 1024
_NONCE_BYTES: Final = 12
_BLOCK_BYTES: Final = 64  # a sealed password does not tell how long it is, to this
_ATTEMPTS: Final = 3
_ID_BYTES: Final = 8

Trouble = Callable[[str, LamppostError], None]
"""Called with a camera and why its password cannot be read."""


def has_password(camera: CameraSettings) -> bool:
    """Whether the camera has one, wherever it is kept."""
    kept = (camera.password, camera.password_file, camera.credential)
    return any(each is not None for each in kept) or bool(parse_locator(camera.url).password)


class CredentialKeeper:
    """The passwords of the cameras of `folder`; many threads may share it, and processes each have one.

    A password that was kept is there after a power loss, with the key that reads it. Nothing is made where nothing is kept.
    Raises `StoreError`, also where the key is lost or another one.
    """

    def __init__(self, folder: DataFolder, clock: Clock | None = None) -> None:
        self._folder = folder
        self._clock = clock or SystemClock()
        self._keys = CameraKeys(folder)
        self._book: DeviceBook | None = None
        self._mutex = threading.Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.close()

    def close(self) -> None:
        with self._mutex:
            if self._book is not None:
                self._book.close()
            self._book = None

    def keep(self, camera: str, password: str) -> str:
        """The number under which the password is kept; raises `ConfigError` for what cannot be one."""
        return self.keep_all({camera: password})[camera]

    def keep_all(self, passwords: Mapping[str, str]) -> Mapping[str, str]:
        """The numbers of the passwords, by camera; all are kept, or none."""
        for password in passwords.values():
            check_password(password)
        if not passwords:
            return {}
        now_us = self._clock.wall_us()
        with self._opened().changing_credentials() as change:
            key = self._key(change)
            kept = [
                _seal(Credential(secrets.token_hex(_ID_BYTES), camera, key_id_of(key), b"", now_us), password, key)
                for camera, password in passwords.items()
            ]
            change.put(kept)
        return {credential.camera: credential.credential_id for credential in kept}

    def password(self, credential: str, camera: str | None = None) -> str:
        """The password under that number; with `camera`, only where it is of that camera."""
        if not self._folder.devices.is_file():
            raise _unknown(camera or credential)
        for _ in range(_ATTEMPTS):
            found = self._opened().credential(credential)
            if found is None or camera not in (None, found.camera):
                raise _unknown(camera or credential)
            # Looked up again where the key was changed between the two.
            if (key := self._keys.find(found.key_id)) is not None:
                return _opened_up(found, key)
        raise self._keys.lost()

    def password_of(self, camera: CameraSettings) -> str | None:
        """The password of a configured camera, wherever it is kept; also raises `ConfigError`."""
        if camera.credential is None:
            return camera.resolved_password()
        return self.password(camera.credential, camera.name)

    def revealed(self, camera: CameraSettings) -> CameraSettings:
        """The camera with its password in the clear, for who connects; also raises `ConfigError`."""
        password = self.password_of(camera)
        secret = SecretStr(password) if password is not None else None
        return camera.model_copy(update={"password": secret, "password_file": None, "credential": None})

    def forget(self, credential: str) -> None:
        self.forget_all((credential,))

    def forget_all(self, credentials: Collection[str]) -> None:
        """One that is not there is fine."""
        if credentials and self._folder.devices.is_file():
            self._opened().forget_credentials(credentials)

    def kept(self) -> tuple[Credential, ...]:
        """All, sealed."""
        return self._opened().credentials() if self._folder.devices.is_file() else ()

    def change_key(self, *, forget: bool = False, first: First = nothing) -> int:
        """Encrypt every password with a new key, and destroy the one before; returns how many.

        Killed anywhere, every password can be read afterwards. With `forget`, those that cannot be read now are forgotten;
        otherwise nothing is changed where there is one.
        """
        with self._opened().changing_credentials(first=first) as change:
            # Removes what a change that was cut off has left, before there are two again.
            with contextlib.suppress(StoreError) if forget else contextlib.nullcontext():
                self._keys.settle(change.key_id())
            passwords = {credential: self._readable(credential, forget=forget) for credential in change.all()}
            key = self._keys.prepare()
            readable = {credential: password for credential, password in passwords.items() if password is not None}
            change.forget([credential.credential_id for credential in passwords if credential not in readable])
            change.put([_seal(replace(each, key_id=key_id_of(key)), password, key) for each, password in readable.items()])
            change.use_key(key_id_of(key))
        with self._opened().changing_credentials() as change:
            self._keys.settle(change.key_id())
        return len(readable)

    def _readable(self, credential: Credential, *, forget: bool) -> str | None:
        try:
            key = self._keys.find(credential.key_id)
            if key is None:
                raise self._keys.lost()
            return _opened_up(credential, key)
        except StoreError:
            if not forget:
                raise
            return None

    def _key(self, change: CredentialChange) -> bytes:
        """The one key, made where there is none; durable before anything is encrypted with it."""
        key_id = change.key_id()
        if key_id is not None:
            key = self._keys.find(key_id)
            if key is not None:
                return key
            if change.all():
                raise self._keys.lost()
        key = self._keys.first()
        change.use_key(key_id_of(key))
        return key

    def _opened(self) -> DeviceBook:
        with self._mutex:
            if self._book is None:
                self._book = DeviceBook(self._folder)
            return self._book


def with_passwords(settings: Settings, trouble: Trouble) -> Settings:
    """The settings with every password in the clear; raises `ConfigError` where a file cannot be read.

    One camera whose encrypted password cannot be read does not keep the others from being recorded: it goes without, and `trouble` is told.
    """
    settings = settings.with_passwords()
    if all(camera.credential is None for camera in settings.camera):
        return settings
    cameras: list[CameraSettings] = []
    with CredentialKeeper(DataFolder(settings.data)) as keeper:
        for camera in settings.camera:
            try:
                cameras.append(keeper.revealed(camera) if camera.credential is not None else camera)
            except LamppostError as error:
                trouble(camera.name, error)
                cameras.append(camera.model_copy(update={"credential": None}))
    return settings.model_copy(update={"camera": tuple(cameras)})


@contextlib.contextmanager
def naming(keeper: CredentialKeeper, camera: str, password: str) -> Generator[Fields]:
    """The settings that name a new password, which is forgotten again where the change of the configuration fails.

    Each password has a number of its own: until the configuration names the new one, the one before it holds, for everybody.
    """
    credential = keeper.keep(camera, password)
    is_named = False
    try:
        yield {"credential": credential, "password_file": None, "password": None}
        is_named = True
    finally:
        if not is_named:
            keeper.forget(credential)


def forget_replaced(folder: DataFolder, keeper: CredentialKeeper, before: CameraSettings | None, now: CameraSettings | None) -> None:
    """Forget the password that `before` named and `now` does not, where it is one of ours; somebody's own files stay."""
    old, file = (before.credential, before.password_file) if before is not None else (None, None)
    if old is not None and old != (now.credential if now is not None else None):
        keeper.forget(old)
    if file is not None and file != (now.password_file if now is not None else None) and is_our_file(folder, file):
        remove_durable(file)


def take_over_files(folder: DataFolder, keeper: CredentialKeeper, config: Path) -> tuple[str, ...]:
    """Keep the passwords encrypted that an older version kept in files of ours; returns whose. Raises `ConfigError` and `StoreError`."""
    file = ConfigFile(config)
    ours = [camera for camera in file.before.camera if camera.password_file is not None and is_our_file(folder, camera.password_file)]
    if not ours:
        return ()
    kept = keeper.keep_all({camera.name: camera.resolved_password() or "" for camera in ours})
    is_named = False
    try:
        for camera in ours:
            file.set(camera.name, {"credential": kept[camera.name], "password_file": None})
        file.replace()
        is_named = True
    finally:
        if not is_named:
            keeper.forget_all(tuple(kept.values()))
    for camera in ours:
        forget_replaced(folder, keeper, camera, None)
    return tuple(camera.name for camera in ours)


def is_our_file(folder: DataFolder, path: Path) -> bool:
    """Whether an older version of Lamppost kept a password there."""
    return path.resolve().parent == folder.camera_passwords.resolve()


def check_password(password: str) -> None:
    """Raises `ConfigError`, without it, for what is no password."""
    if not password or password != password.strip() or not password.isprintable():
        raise ConfigError("the password is empty, begins or ends with a blank, or has more than one line", remedy="give another one")
    if len(password.encode()) > LONGEST_BYTES:
        raise ConfigError(f"the password has more than {LONGEST_BYTES} bytes", remedy="give a shorter one")


def _seal(credential: Credential, password: str, key: bytes) -> Credential:
    nonce = secrets.token_bytes(_NONCE_BYTES)
    content = password.encode()
    content += b"\0" * (-len(content) % _BLOCK_BYTES)
    return replace(credential, sealed=nonce + AESGCM(key).encrypt(nonce, content, _bound_to(credential)))


def _opened_up(credential: Credential, key: bytes) -> str:
    nonce, content = credential.sealed[:_NONCE_BYTES], credential.sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, content, _bound_to(credential)).rstrip(b"\0").decode()
    except InvalidTag as error:
        raise StoreError(
            f"the password of camera {credential.camera} cannot be read: it is not what was kept", remedy="give it again"
        ) from error


def _bound_to(credential: Credential) -> bytes:
    return f"{credential.credential_id} {credential.camera}".encode()


def _unknown(camera: str) -> StoreError:
    return StoreError(
        f"the password of camera {camera} is not in the device book",
        remedy="give it again with `lamppost camera set --password-stdin`, or put the device book back from a backup",
    )
