"""The device behind a camera: what is known of it, a look at it now, and another password for it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Body, Depends

from lamppost.api.context import BY_SERVER, Context
from lamppost.api.device_models import (
    Device,
    DeviceHealthNow,
    DeviceIs,
    DeviceLook,
    DeviceProfile,
    DeviceWarning,
    NewPassword,
    PasswordChanged,
    StreamNow,
)
from lamppost.api.editing import config_path
from lamppost.api.known_cameras import readable_config
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Mistake, Problem, not_found
from lamppost.base.errors import CameraError, CameraUnreachable, ConfigError, DeviceBusy, LamppostError
from lamppost.base.logging import redact
from lamppost.model.access import Permission
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_access import DeviceExchanged, device_address, device_password
from lamppost.pipeline.device_look import look_at_device
from lamppost.pipeline.device_password_tools import NodePasswords
from lamppost.pipeline.device_passwords import check_password, make_password, rotate
from lamppost.pipeline.device_warnings import Warned, profile_of, stream_figures, warnings_of

MOST_AT_ONCE: Final = 4
_TROUBLES: Final = ("device_exchanged", "device_doubled", "device_moved")

router = APIRouter()
Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]
Editor = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS))]


class DeviceTurns:
    """How many devices are asked for somebody at once, and each by one alone; one for each application."""

    def __init__(self) -> None:
        self._mutex = threading.Lock()
        self._busy: set[str] = set()

    @contextmanager
    def take(self, camera: str) -> Generator[None]:
        """Ask that device; raises 429 where others are being asked."""
        with self._mutex:
            if camera in self._busy or len(self._busy) >= MOST_AT_ONCE:
                raise Problem(
                    HTTPStatus.TOO_MANY_REQUESTS,
                    "devices are being asked just now",
                    kind="busy",
                    remedy="try again in some seconds",
                    headers={"Retry-After": "5"},
                )
            self._busy.add(camera)
        try:
            yield
        finally:
            with self._mutex:
                self._busy.discard(camera)


class PasswordDesk:
    """Changes passwords on devices; one for each application."""

    def change(self, camera: CameraSettings, new: str, tools: NodePasswords, *, in_clear: bool) -> None:
        """As `rotate`."""
        rotate(camera, new, tools, in_clear=in_clear)


@router.get("/cameras/{camera}/device")
def show_device(camera: str, identity: Viewer) -> Device:
    """What is known of the device behind a camera; it is asked nothing."""
    return _device(identity, _known(identity.context, camera))


@router.post("/cameras/{camera}/device/look")
def look(camera: str, identity: Editor, body: Annotated[DeviceLook, Body(default_factory=DeviceLook)]) -> Device:
    """Ask the device now: who it is, its streams, how it is. Up to half a minute. Where it does not answer, `problem` says why."""
    context = identity.context
    found = _configured(context, camera)
    with context.keep(DeviceTurns, DeviceTurns).take(camera):
        try:
            look_at_device(
                found,
                context.settings,
                passwords_of(context).current(found),
                context.devices,
                context.clock,
                is_accepted=body.accept,
                first=lambda: context.act("camera_tested", identity.name, camera, {"device": True, "accept": body.accept}),
            )
        except DeviceExchanged as error:
            raise Problem(HTTPStatus.CONFLICT, error.problem, kind="exchanged", remedy=error.remedy) from error
        except CameraError as error:
            problem, is_reachable = redact(str(error)), not isinstance(error, CameraUnreachable)
            return _device(identity, found).model_copy(update={"problem": problem, "is_reachable": is_reachable})
    return _device(identity, found).model_copy(update={"problem": "", "is_reachable": True})


@router.post("/cameras/{camera}/password")
def change_password(camera: str, identity: Editor, body: Annotated[NewPassword, Body(default_factory=NewPassword)]) -> PasswordChanged:
    """Have the device take another password, sign in with it, and keep it. What was before holds where the device does not take it."""
    context = identity.context
    config_path(context)
    found = _configured(context, camera)
    given = body.new.get_secret_value() if body.new is not None else None
    if given is not None:
        try:
            check_password(given)
        except ConfigError as error:
            mistake = Mistake(at="body.new", problem=f"{error.problem}; {error.remedy}")
            raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=[mistake]) from error
    tools = passwords_of(context, lambda name, detail: context.act("camera_password_rotated", identity.name, name, detail))
    with context.keep(DeviceTurns, DeviceTurns).take(camera), _told_as_problem():
        context.keep(PasswordDesk, PasswordDesk).change(found, given or make_password(), tools, in_clear=body.in_clear)
    return PasswordChanged(at=context.clock.wall_us())


def passwords_of(context: Context, act: Callable[[str, Mapping[str, Any]], None] = lambda _name, _detail: None) -> NodePasswords:
    """The passwords of cameras, for who asks their devices."""
    keeper = context.keep(CredentialKeeper, lambda: CredentialKeeper(context.folder, context.clock))
    return NodePasswords(context.folder, context.config, context.settings, context.clock, keeper, act, by=BY_SERVER)


@contextmanager
def _told_as_problem() -> Generator[None]:
    try:
        yield
    except DeviceBusy:
        raise
    except CameraError as error:
        raise Problem(HTTPStatus.BAD_GATEWAY, redact(error.problem), kind="failed", remedy=error.remedy) from error


def _configured(context: Context, camera: str) -> CameraSettings:
    """From the file: what is in force came here without passwords. Raises 404, and `ConfigError`."""
    found = ConfigFile(config_path(context)).camera(camera)
    if found is None:
        raise not_found("camera")
    return found


def _known(context: Context, camera: str) -> CameraSettings:
    file = readable_config(context)
    found = (file.camera(camera) if file is not None else None) or context.camera(camera)
    if found is None:
        raise not_found("camera")
    return found


def _device(identity: Identity, camera: CameraSettings) -> Device:
    context, may_edit = identity.context, identity.may(Permission.EDIT_CAMERAS, camera.name)
    book = context.devices
    row, profiles, health = book.device(camera.name), book.profiles(camera.name), book.health(camera.name)
    told: Mapping[str, Any] = context.node.state.get("cameras", {}).get(camera.name, {})
    device: Mapping[str, Any] = told.get("device") or {}
    stream = stream_figures(told.get("recording") or {}, profile_of(camera, profiles))
    warned = warnings_of(
        camera,
        vendor=row.identity.vendor if row is not None else "",
        password=_password(context, camera) if may_edit else None,
        profiles=profiles,
        health=health.document if health is not None else {},
        stream=stream,
    )
    return Device(
        camera=camera.name,
        device_url=str(device_address(camera)) if camera.has_device and may_edit else None,
        identity=DeviceIs.of(row.identity) if row is not None else None,
        seen=row.seen_us if row is not None else None,
        is_reachable=device.get("is_reachable"),
        problem=redact(str(device.get("problem", ""))) if may_edit else "",
        warnings=[DeviceWarning.model_validate(asdict(each)) for each in (*_standing(context, camera), *warned)],
        profiles=[DeviceProfile.of(profile, shows_url=may_edit) for profile in profiles],
        health=DeviceHealthNow.of(health.document if health is not None else {}, health.noted_us if health is not None else None),
        stream=StreamNow.of(stream) if stream is not None else None,
    )


def _standing(context: Context, camera: CameraSettings) -> list[Warned]:
    alarms = context.node.state.get("alarms", ())
    return [
        Warned(told["kind"], redact(told["problem"]))
        for told in alarms
        if told.get("camera") == camera.name and told.get("kind") in _TROUBLES
    ]


def _password(context: Context, camera: CameraSettings) -> str | None:
    """What its device is signed in with, to be compared; None where it cannot be read just now, which others tell."""
    try:
        return device_password(camera, passwords_of(context).current(camera))
    except LamppostError:
        return None
