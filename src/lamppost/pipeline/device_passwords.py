"""Changes the password of a camera on its device, so that a crash at any moment leaves one that works and that we know.

The new one is kept before the device hears of it, and the old one until the device takes the new one: in between, both are known, and
`settle` finds out which one the device has taken.
"""

from __future__ import annotations

import secrets
import string
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final, Protocol

from lamppost.base.errors import CameraError, CameraRefused, ConfigError
from lamppost.ingest.locator import Scheme, parse_locator
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import Fields
from lamppost.pipeline.device_access import device_password, device_user
from lamppost.pipeline.new_address import ADDRESSES
from lamppost.store.device_locks import DeviceWork

LENGTH: Final = 16  # as long as every maker's devices take
SHORTEST: Final = 8
LONGEST: Final = 32
_LETTERS: Final = string.ascii_letters + string.digits
# What some devices cut a password at, or take for the beginning of something else, in spite of all standards.
_REFUSED: Final = frozenset("\"'\\&<>%:@/?#= ")

REFUSED_BY_STREAM: Final = "its video is not given to who signs in with the new password: device and video have users of their own there"


class PasswordTalk(Protocol):
    """A conversation in which a password can be changed; each raises `CameraError`."""

    def identity(self) -> object: ...
    def set_password(self, username: str, new: str) -> None: ...


class PasswordTools(Protocol):
    """What a change needs; what is kept or written is durable on return. Each raises `StoreError`."""

    def alone(self, camera: str, work: DeviceWork) -> AbstractContextManager[None]:
        """While nobody else works on the device; raises `DeviceBusy` where somebody does."""
        ...

    def current(self, camera: CameraSettings) -> str | None:
        """The password that the configuration names, None where it stands in the camera's address; raises `ConfigError`."""
        ...

    def keep(self, camera: str, password: str) -> str:
        """Keep it under a number, which is returned."""
        ...

    def password(self, credential: str) -> str: ...
    def forget(self, credential: str) -> None: ...
    def pending(self, camera: CameraSettings) -> tuple[str, ...]:
        """Numbers that are kept for the camera and that its settings do not name, the newest first."""
        ...

    def talk(self, camera: CameraSettings, password: str | None) -> AbstractContextManager[PasswordTalk]: ...
    def check_stream(self, camera: CameraSettings, password: str) -> None:
        """Raises `CameraRefused` where the video is not given to who signs in with it; other trouble says nothing."""
        ...

    def name(self, camera: CameraSettings, fields: Fields, first: Callable[[], object]) -> None:
        """Have the configuration name it; `first` is called before it is so. Raises `ConfigError`."""
        ...

    def act(self, camera: str, detail: Mapping[str, Any]) -> None:
        """Put `camera_password_rotated` on the record."""
        ...


def make_password() -> str:
    """A strong one that every device takes: letters of both kinds and digits."""
    while True:
        made = "".join(secrets.choice(_LETTERS) for _ in range(LENGTH))
        if any(map(str.islower, made)) and any(map(str.isupper, made)) and any(map(str.isdigit, made)):
            return made


def check_password(password: str) -> None:
    """Raise `ConfigError`, without the password, for one that some device may not take as it is."""
    is_plain = password.isascii() and password.isprintable() and not _REFUSED & set(password)
    if not is_plain or not SHORTEST <= len(password) <= LONGEST:
        raise ConfigError(
            f"the new password cannot be used: give {SHORTEST} to {LONGEST} letters, digits and signs",
            remedy=f"leave out {''.join(sorted(_REFUSED)).strip()}, or give none, and a strong one is made",
        )


def rotate(camera: CameraSettings, new: str, tools: PasswordTools) -> None:
    """Have the device take `new`, and the configuration name it.

    Raises `CameraError` where the device does not: then the old one holds, or, where the device is gone in the middle of it, both are
    kept, and `settle` finds out. Raises `DeviceBusy` before it begins, `ConfigError` and `StoreError`.
    """
    check_password(new)
    user = device_user(camera)
    if not user:
        raise ConfigError(f"camera {camera.name} has no user whose password could be changed", remedy="set its username and password")
    with tools.alone(camera.name, DeviceWork.PASSWORD):
        _rotate(camera, user, new, tools)


def _rotate(camera: CameraSettings, user: str, new: str, tools: PasswordTools) -> None:
    old = tools.current(camera)
    stale = tools.pending(camera)
    with tools.talk(camera, old) as talk:
        talk.identity()  # so that it is there, and the old one works
        credential = tools.keep(camera.name, new)
        tools.act(camera.name, {"user": user})
        try:
            talk.set_password(user, new)
        except ConfigError:  # it was not even asked
            tools.forget(credential)
            raise
        except CameraError as error:
            _find_out(camera, old, credential, tools, error)
    try:
        _sign_in(camera, new, tools)
    except CameraRefused as error:
        _go_back(camera, old, credential, tools)
        raise CameraRefused(f"{camera.name} has not taken the new password: {error.problem}", remedy="the old one holds") from error
    _name(camera, credential, tools)
    for number in (*stale, camera.credential):
        if number is not None:
            tools.forget(number)


def settle(camera: CameraSettings, tools: PasswordTools) -> bool:
    """After a crash, where the configured password is refused: whether one that was being set is the right one, and is named now.

    Raises `DeviceBusy` before it begins, `StoreError` and `ConfigError`.
    """
    with tools.alone(camera.name, DeviceWork.SETTLE):
        for credential in tools.pending(camera):
            try:
                _sign_in(camera, tools.password(credential), tools)
            except CameraError:
                continue
            _name(camera, credential, tools)
            return True
        return False


def _sign_in(camera: CameraSettings, password: str, tools: PasswordTools) -> None:
    with tools.talk(camera, password) as talk:
        talk.identity()
    tools.check_stream(camera, password)


def _find_out(camera: CameraSettings, old: str | None, credential: str, tools: PasswordTools, error: CameraError) -> None:
    """The device did not say yes: it may have taken it all the same. Returns where it has; else raises `error`."""
    try:
        with tools.talk(camera, tools.password(credential)) as talk:
            talk.identity()
        return
    except CameraRefused:
        pass
    except CameraError:
        raise error from None  # it is gone: both are kept
    with tools.talk(camera, old) as talk:
        talk.identity()
    tools.forget(credential)
    raise error


def _go_back(camera: CameraSettings, old: str | None, credential: str, tools: PasswordTools) -> None:
    """Set the old one again; where that fails, both stay known."""
    with tools.talk(camera, tools.password(credential)) as talk:
        try:
            talk.identity()
        except CameraRefused:
            pass  # it never took the new one
        else:
            talk.set_password(device_user(camera), device_password(camera, old))
    with tools.talk(camera, old) as talk:
        talk.identity()
    tools.forget(credential)


def _name(camera: CameraSettings, credential: str, tools: PasswordTools) -> None:
    fields: dict[str, str | None] = {"credential": credential, "password": None, "password_file": None}
    for key in ADDRESSES:
        url = getattr(camera, key)
        if url is None or key == "device_url":
            continue
        locator = parse_locator(url)
        if locator.scheme in (Scheme.RTSP, Scheme.RTSPS) and locator.password:
            fields |= {key: locator.request_url, "username": camera.username or locator.username}
    tools.name(camera, fields, lambda: tools.act(camera.name, {"user": device_user(camera), "is_done": True}))
