"""Addresses of cameras that come through the API: what they may be, and what stays hidden of them."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any, Final

from pydantic import SecretStr

from lamppost.api.problems import Mistake, Problem
from lamppost.base.errors import ConfigError
from lamppost.cameras.web import DeviceAddress
from lamppost.ingest.locator import Locator, Scheme, parse_locator
from lamppost.model.networks import CameraNetworks
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.camera_places import REMEDY, misplaced
from lamppost.pipeline.credentials import has_password
from lamppost.pipeline.device_access import device_address
from lamppost.pipeline.new_address import STREAM_ADDRESSES

# A file of the server is for who has a shell on it.
_ALLOWED: Final = frozenset({Scheme.RTSP, Scheme.RTSPS, Scheme.SIM})


def shown(url: str) -> str:
    """The address without user, password, and what may be one in its path."""
    try:
        return parse_locator(url).shown
    except ConfigError:
        return "***"


def checked(url: str, key: str) -> Locator:
    """The address taken apart; raises 422 for one that is not to be had through the API."""
    try:
        locator = parse_locator(url)
    except ConfigError as error:
        raise refused(key, error.problem) from error
    if locator.scheme not in _ALLOWED:
        raise refused(key, "through the API a camera's address begins with rtsp://, rtsps:// or sim://")
    return locator


def require_places(fields: Mapping[str, Any], networks: CameraNetworks) -> None:
    """Raises 422 with every address to which nothing will ever connect."""
    mistakes = [Mistake(at=f"body.{key}", problem=f"{why_not}; {REMEDY}") for key, why_not in misplaced(fields, networks).items()]
    if mistakes:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=mistakes)


def refused(key: str, problem: str) -> Problem:
    """422 with one mistake."""
    mistake = Mistake(at=f"body.{key}", problem=problem)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=[mistake])


def settled(given: dict[str, Any], password: SecretStr | None, before: CameraSettings | None) -> tuple[dict[str, Any], SecretStr | None]:
    """What was given with user and password taken out of its addresses, and the password.

    An address as it was shown stays what it is. Raises 422 where one moves to another place and the password of `before`
    would go with it: who may change an address need not know the password, and shall not learn it.
    """
    fields, has_moved = dict(given), False
    for key in STREAM_ADDRESSES:
        url = fields.get(key)
        if url is None:
            continue
        now = getattr(before, key) if before is not None else None
        if now is not None and url == shown(now):
            del fields[key]
            continue
        locator = checked(url, key)
        if locator.scheme is Scheme.SIM:
            continue
        fields[key] = locator.request_url
        if locator.username and "username" not in given:
            fields["username"] = locator.username
        if locator.password and password is None:
            password = SecretStr(locator.password)
        has_moved = has_moved or before is None or place_of(locator) not in places_of(before)
    has_moved = has_moved or _device_moves(fields, before)
    if has_moved and before is not None and password is None and has_password(before):
        raise refused("password", "the address is another one: give the password of the camera there, too")
    return fields, password


def _device_moves(fields: dict[str, Any], before: CameraSettings | None) -> bool:
    """Whether the device would be asked, with the password, at another place than before."""
    if before is None or fields.get("device_url") is None:
        return False
    try:
        wanted = DeviceAddress.of(fields["device_url"])
    except ConfigError as error:
        raise refused("device_url", error.problem) from error
    try:
        return wanted != device_address(before)
    except ConfigError:  # it had none
        return True


def place_of(locator: Locator) -> tuple[str, str, int]:
    """Whom one would talk to."""
    return locator.scheme.value, locator.host.lower(), locator.port


def places_of(camera: CameraSettings) -> set[tuple[str, str, int]]:
    """Whom a configured camera's password goes to."""
    return {place_of(parse_locator(url)) for url in (camera.url, camera.sub_url) if url is not None}


def without_password(camera: CameraSettings) -> dict[str, Any]:
    """The settings of a camera that is to have none any more, wherever it is kept."""
    fields: dict[str, Any] = {"password": None, "password_file": None, "credential": None}
    for key in STREAM_ADDRESSES:
        locator = parse_locator(getattr(camera, key) or camera.url)
        if getattr(camera, key) is not None and locator.password:
            fields |= {key: locator.request_url, "username": camera.username or locator.username}
    return fields
