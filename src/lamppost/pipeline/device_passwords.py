"""Changes the password of a camera on its device, so that a crash at any moment leaves one that works and that we know.

The new one is kept before the device hears of it, and the old one until the device has proven that it takes the new one: in between,
both are known, and `settle` finds out which one holds. An answer alone proves nothing, for many devices tell everybody who they are: a
password is proven where the device has asked for it, and was content.
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
from lamppost.pipeline.device_access import device_address, device_password, device_user
from lamppost.pipeline.new_address import ADDRESSES
from lamppost.store.device_locks import DeviceWork

LENGTH: Final = 16  # as long as every maker's devices take
SHORTEST: Final = 8
LONGEST: Final = 32
# At most, so that no account is locked. The newest is the one, for none is kept before it is proven that the one before was not
# taken; unless the device took its time.
MOST_OFFERED: Final = 2
_LETTERS: Final = string.ascii_letters + string.digits
# What some devices cut a password at, or take for the beginning of something else, in spite of all standards.
_REFUSED: Final = frozenset("\"'\\&<>%:@/?#= ")

_OLD_HOLDS: Final = "the old one holds"
_OPEN_REMEDY: Final = "switch sign-in on there; or change it there by hand, and give it with `lamppost camera set --password-stdin`"


class PasswordTalk(Protocol):
    """A conversation in which a password can be changed; each raises `CameraError`."""

    def sign_in(self) -> bool:
        """Whether the device has wanted the password, and taken it; raises `CameraRefused` where it did not take it."""
        ...

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


def rotate(camera: CameraSettings, new: str, tools: PasswordTools, *, in_clear: bool = False) -> None:
    """Have the device take `new`, and the configuration name it.

    ONVIF sends it as it is: over http that is refused, and nothing is asked, unless `in_clear` says that it may be read.

    Raises `CameraError` where the device does not take it: then the old one holds, or, where nothing is proven, both are kept, the
    old one stays named, the error says so, and `settle` finds out. Raises `DeviceBusy` before it begins, `ConfigError` and
    `StoreError`.
    """
    check_password(new)
    user = device_user(camera)
    if not user:
        raise ConfigError(f"camera {camera.name} has no user whose password could be changed", remedy="set its username and password")
    is_readable = device_address(camera).scheme == "http"
    if is_readable and not in_clear:
        raise ConfigError(
            f"camera {camera.name} is asked over http, where others on its network could read the new password",
            remedy="set its device_url to https://; or say that it may be sent in the clear (--in-clear, in the API in_clear)",
        )
    with tools.alone(camera.name, DeviceWork.PASSWORD):
        _rotate(camera, user, new, tools, is_readable=is_readable)


def _rotate(camera: CameraSettings, user: str, new: str, tools: PasswordTools, *, is_readable: bool) -> None:
    old = tools.current(camera)
    stale = tools.pending(camera)
    failure: CameraError | None = None
    with tools.talk(camera, old) as talk:
        if not talk.sign_in():
            raise CameraRefused(f"{camera.name} asks for no password: whether it takes a new one could not be told", remedy=_OPEN_REMEDY)
        credential = tools.keep(camera.name, new)
        tools.act(camera.name, {"user": user, "in_clear": is_readable})
        try:
            talk.set_password(user, new)
        except ConfigError:  # it was not even asked
            tools.forget(credential)
            raise
        except CameraError as error:
            failure = error  # it may have taken it all the same
    _prove(camera, old, credential, tools, failure)
    try:
        tools.check_stream(camera, new)
    except CameraRefused as error:
        _go_back(camera, old, credential, tools)
        raise CameraRefused(f"{camera.name} has not taken the new password: {error.problem}", remedy=_OLD_HOLDS) from error
    _name(camera, credential, tools)
    for number in (*stale, camera.credential):
        if number is not None:
            tools.forget(number)


def settle(camera: CameraSettings, tools: PasswordTools, *, most: int = MOST_OFFERED) -> bool:
    """After a crash, where the configured password is refused: whether one that was being set is the right one, and is named now.

    The newest `most` are offered, once each. Raises `DeviceBusy` before it begins, `StoreError` and `ConfigError`.
    """
    with tools.alone(camera.name, DeviceWork.SETTLE):
        for credential in tools.pending(camera)[:most]:
            password = tools.password(credential)
            try:
                with tools.talk(camera, password) as talk:
                    is_proven = talk.sign_in()
                if is_proven:
                    tools.check_stream(camera, password)
            except CameraError:
                continue
            if is_proven:
                _name(camera, credential, tools)
                return True
        return False


def _prove(camera: CameraSettings, old: str | None, credential: str, tools: PasswordTools, failure: CameraError | None) -> None:
    """Return where the device has taken the new one, whatever it said; else raise, `failure` if there is one."""
    try:
        with tools.talk(camera, tools.password(credential)) as talk:
            if talk.sign_in():
                return
        error = failure or CameraRefused(f"{camera.name} has not proven that it takes the new password", remedy=_OLD_HOLDS)
    except CameraRefused as refused:
        error = failure or CameraRefused(f"{camera.name} has not taken the new password: {refused.problem}", remedy=_OLD_HOLDS)
    except CameraError as gone:
        raise _both_kept(camera, failure or gone) from None
    if not _holds(camera, old, tools):
        raise _both_kept(camera, error)
    tools.forget(credential)
    raise error


def _go_back(camera: CameraSettings, old: str | None, credential: str, tools: PasswordTools) -> None:
    """Set the old one again; where that is not proven, both stay known."""
    try:
        with tools.talk(camera, tools.password(credential)) as talk:
            talk.sign_in()
            talk.set_password(device_user(camera), device_password(camera, old))
    except CameraError as error:
        raise _both_kept(camera, error) from error
    if not _holds(camera, old, tools):
        raise _both_kept(camera, CameraRefused(f"{camera.name} has not proven that it takes the old password again"))
    tools.forget(credential)


def _holds(camera: CameraSettings, password: str | None, tools: PasswordTools) -> bool:
    try:
        with tools.talk(camera, password) as talk:
            return talk.sign_in()
    except CameraError:
        return False


def _both_kept(camera: CameraSettings, error: CameraError) -> CameraError:
    """The same error, with what there is to do."""
    error.remedy = f"both passwords are kept, and the old one stays named: `lamppost camera password {camera.name} --settle` finds out"
    return error


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
