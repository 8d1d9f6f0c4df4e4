"""Turning cameras: by hand, to saved positions, and by tours; the picture is covered from before it moves until it stands still."""

from __future__ import annotations

from collections.abc import Callable, Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated, Any, Final, TypeVar

from fastapi import APIRouter, Depends, Path, Response
from pydantic import BaseModel, ConfigDict, Field

from lamppost.api.context import Context
from lamppost.api.device_care import passwords_of
from lamppost.api.editing import config_path
from lamppost.api.known_cameras import require_known
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.base.errors import CameraError, ConfigError, LamppostError
from lamppost.base.logging import redact
from lamppost.cameras.onvif.device import OnvifDevice
from lamppost.cameras.onvif.ptz import LONGEST_MOVE_S, Ptz
from lamppost.model.access import Permission
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.covering import Covering, NotCovered
from lamppost.pipeline.device_access import device_address, device_password, device_user, device_web
from lamppost.pipeline.head_line import Head, SteeringTools
from lamppost.pipeline.heads import HeadCover, head_of, turned_with
from lamppost.pipeline.helm import Helm
from lamppost.pipeline.steering import Steering
from lamppost.pipeline.tours import Stay
from lamppost.store.device_book import TourStep

MOST_TOURS: Final = 16
MOST_STEPS: Final = 32
_ANSWER_S: Final = 3.0  # a joystick waits for it
_LINE: Final = r"^[^\x00-\x1f\x7f]+$"

Answer = TypeVar("Answer")
router = APIRouter()
Steerer = Annotated[Identity, Depends(Permit(Permission.STEER_CAMERAS))]
TourName = Annotated[str, Path(min_length=1, max_length=63, pattern=r"^[^\x00-\x1f\x7f/]+$")]
Speed = Annotated[float, Field(ge=-1, le=1, allow_inf_nan=False)]


class _Body(BaseModel):
    model_config = ConfigDict(extra="forbid")


class Move(_Body):
    """Speeds, from -1 to 1: right, up and nearer are positive. It stops by itself."""

    pan: Speed = 0.0
    tilt: Speed = 0.0
    zoom: Speed = 0.0
    for_s: float = Field(ge=0.1, le=LONGEST_MOVE_S, allow_inf_nan=False)


class PresetWanted(_Body):
    """A saved position."""

    token: str = Field(min_length=1, max_length=64, pattern=_LINE)


class NewPreset(_Body):
    """Where it stands now is saved under this name."""

    name: str = Field(min_length=1, max_length=64, pattern=_LINE)


class PresetNow(BaseModel):
    """A position that is saved in the device."""

    token: str
    name: str


class Step(_Body):
    """A saved position, and for how long it stays there."""

    preset: str = Field(min_length=1, max_length=64, pattern=_LINE)
    stay_s: float = Field(ge=5, le=3600, allow_inf_nan=False)


class TourBody(_Body):
    """The steps of a tour, which begins anew after the last."""

    steps: list[Step] = Field(min_length=1, max_length=MOST_STEPS)


class TourNow(BaseModel):
    """A tour that an operator has fixed."""

    name: str
    steps: list[Step]
    is_running: bool


class PtzNow(BaseModel):
    """How a camera can be turned. While `is_moving`, its picture is covered."""

    has_ptz: bool
    problem: str
    presets: list[PresetNow]
    tours: list[TourNow]
    is_moving: bool


class Turned(BaseModel):
    """The order was given, while the picture was covered; it stays so until the camera stands still."""

    is_moving: bool


@router.get("/cameras/{camera}/ptz")
def show_ptz(camera: str, identity: Steerer) -> PtzNow:
    """Whether and how it turns. The device is asked for its positions, twice a minute at most."""
    context = identity.context
    require_known(context, camera)
    steering = steering_of(context)
    helm = steering.helm(camera)
    profiles = context.devices.profiles(camera)
    has_ptz = any(profile.has_ptz for profile in profiles)
    presets: list[PresetNow] = []
    problem = helm.problem
    if has_ptz or not profiles:
        try:
            presets = [PresetNow(token=preset.token, name=preset.name) for preset in helm.presets()]
            has_ptz = True
        except LamppostError as error:
            problem = redact(error.problem)
        finally:
            steering.settle(camera)
    running = steering.running_tour(camera)
    tours = [
        TourNow(name=name, steps=[Step(preset=step.preset, stay_s=step.stay_s) for step in steps], is_running=name == running)
        for name, steps in context.devices.tours(camera).items()
    ]
    return PtzNow(has_ptz=has_ptz, problem=problem, presets=presets, tours=tours, is_moving=helm.is_moving)


@router.post("/cameras/{camera}/ptz/move")
def move(camera: str, body: Move, identity: Steerer) -> Turned:
    """Turn for a moment. Ask again before it is over, and it goes on."""
    return _steer(identity, camera, lambda helm: helm.move(identity.name, body.pan, body.tilt, body.zoom, body.for_s))


@router.post("/cameras/{camera}/ptz/stop")
def stop(camera: str, identity: Steerer) -> Turned:
    """Stand still, now."""
    return _steer(identity, camera, lambda helm: helm.stop(identity.name))


@router.post("/cameras/{camera}/ptz/preset")
def go_to(camera: str, body: PresetWanted, identity: Steerer) -> Turned:
    """Turn to a saved position."""
    return _steer(identity, camera, lambda helm: helm.go_to(identity.name, body.token))


@router.post("/cameras/{camera}/ptz/presets", status_code=HTTPStatus.CREATED)
def save_preset(camera: str, body: NewPreset, identity: Steerer) -> PresetNow:
    """Save where it stands now; nothing moves."""
    saved = _ask_head(identity, camera, lambda helm: helm.save_preset(identity.name, body.name))
    return PresetNow(token=saved.token, name=saved.name)


@router.delete("/cameras/{camera}/ptz/presets/{token}", status_code=HTTPStatus.NO_CONTENT)
def remove_preset(camera: str, token: Annotated[str, Path(max_length=64, pattern=_LINE)], identity: Steerer) -> Response:
    """Forget a saved position; nothing moves."""
    _ask_head(identity, camera, lambda helm: helm.remove(identity.name, token))
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.put("/cameras/{camera}/ptz/tours/{tour}")
def put_tour(camera: str, tour: TourName, body: TourBody, identity: Steerer) -> TourNow:
    """Fix a tour, or another one in its place; it runs once it is started."""
    context = identity.context
    require_known(context, camera)

    def put(tours: dict[str, tuple[TourStep, ...]]) -> None:
        tours[tour] = tuple(TourStep(step.preset, step.stay_s) for step in body.steps)
        if len(tours) > MOST_TOURS:
            raise Problem(HTTPStatus.CONFLICT, f"a camera has {MOST_TOURS} tours at most", kind="exists", remedy="remove one first")

    _change_tours(identity, camera, tour, put, {"tour": tour, "steps": [step.preset for step in body.steps]})
    return TourNow(name=tour, steps=body.steps, is_running=False)


@router.delete("/cameras/{camera}/ptz/tours/{tour}", status_code=HTTPStatus.NO_CONTENT)
def remove_tour(camera: str, tour: TourName, identity: Steerer) -> Response:
    """Forget a tour; one that runs is stopped."""

    def remove(tours: dict[str, tuple[TourStep, ...]]) -> None:
        if tours.pop(tour, None) is None:
            raise not_found("tour")

    _change_tours(identity, camera, tour, remove, {"tour": tour, "state": "removed"})
    return Response(status_code=HTTPStatus.NO_CONTENT)


@router.post("/cameras/{camera}/ptz/tours/{tour}/start")
def start_tour(camera: str, tour: TourName, identity: Steerer) -> Turned:
    """Go from position to position, covered on each way, until somebody stops it, steers by hand, or the server ends."""
    context = identity.context
    steps = context.devices.tours(camera).get(tour)
    if steps is None:
        raise not_found("tour")
    require_known(context, camera)
    steering = steering_of(context)
    with _told_as_problem():
        steering.start_tour(camera, identity.name, tour, [Stay(step.preset, step.stay_s) for step in steps])
    return Turned(is_moving=steering.helm(camera).is_moving)


@router.post("/cameras/{camera}/ptz/tours/stop")
def stop_tour(camera: str, identity: Steerer) -> Turned:
    """No further step; it comes to its position, and stays."""
    steering = steering_of(identity.context)
    steering.stop_tour(camera)
    return Turned(is_moving=steering.helm(camera).is_moving)


def steering_of(context: Context) -> Steering:
    """The one of this application."""
    covering = context.keep(Covering, Covering)  # whoever serves has connected it; else nothing can be covered, and nothing turns
    tools = SteeringTools(
        lambda camera: _open_head(context, camera),
        HeadCover(covering.cover, lambda camera: _turned(context, camera), context.clock).cover,
        lambda who, camera, detail: context.act("camera_steered", who, camera, detail),
        context.clock,
        lambda camera: _access(context, camera),
    )
    return context.keep(Steering, lambda: Steering(tools))


def _turned(context: Context, camera: str) -> tuple[str, ...]:
    """The cameras whose pictures are covered when `camera` is turned."""
    found = context.camera(camera)
    return turned_with(found, context.settings.camera, context.devices.profiles) if found is not None else (camera,)


def _access(context: Context, camera: str) -> object:
    """Where a camera's device is asked, and with what; kept in memory alone."""
    found = ConfigFile(config_path(context)).camera(camera)
    if found is None:
        return None
    return device_address(found), device_user(found), device_password(found, passwords_of(context).current(found))


@contextmanager
def _open_head(context: Context, camera: str) -> Generator[Head]:
    """What turns a camera, by its device. Raises `CameraError` and `ConfigError`."""
    found = ConfigFile(config_path(context)).camera(camera)
    if found is None:
        raise ConfigError(f"there is no camera {camera} any more")
    password = passwords_of(context).current(found)
    with device_web(found, context.settings, context.clock, password, timeout_s=_ANSWER_S) as web:
        user, secret = device_user(found), device_password(found, password)
        device = OnvifDevice(web, context.clock, web.address.host, username=user, password=secret)
        yield Ptz(device, head_of(found, device.profiles()).token)


def _steer(identity: Identity, camera: str, order: Callable[[Helm], None]) -> Turned:
    require_known(identity.context, camera)
    steering = steering_of(identity.context)
    with _told_as_problem():
        steering.steer(camera, order)
    return Turned(is_moving=steering.helm(camera).is_moving)


def _change_tours(
    identity: Identity, camera: str, tour: str, change: Callable[[dict[str, tuple[TourStep, ...]]], None], act: dict[str, Any]
) -> None:
    """Change the tours of a camera, on the record; `tour` runs no more in its old form."""
    context = identity.context
    context.devices.change_tours(camera, change, first=lambda: context.act("camera_steered", identity.name, camera, act))
    if steering_of(context).running_tour(camera) == tour:
        steering_of(context).stop_tour(camera)


def _ask_head(identity: Identity, camera: str, question: Callable[[Helm], Answer]) -> Answer:
    """What moves nothing, and ends no tour."""
    require_known(identity.context, camera)
    steering = steering_of(identity.context)
    try:
        with _told_as_problem():
            return question(steering.helm(camera))
    finally:
        steering.settle(camera)


@contextmanager
def _told_as_problem() -> Generator[None]:
    try:
        yield
    except NotCovered as error:
        headers = {"Retry-After": "2"}
        raise Problem(HTTPStatus.SERVICE_UNAVAILABLE, error.problem, kind="not-covered", remedy=error.remedy, headers=headers) from error
    except CameraError as error:
        raise Problem(HTTPStatus.BAD_GATEWAY, redact(error.problem), kind="failed", remedy=error.remedy) from error
    except ConfigError as error:
        raise Problem(HTTPStatus.CONFLICT, error.problem, kind="nothing-to-try", remedy=error.remedy) from error
