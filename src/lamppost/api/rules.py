"""What a camera counts and when it calls: read, checked and changed; and where its ground lies."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field, SkipValidation, ValidationError

from lamppost.api.camera_state import camera_report
from lamppost.api.context import Context
from lamppost.api.editing import change_configuration, config_path, etag_of, invalid, on_record, told, write_beside
from lamppost.api.etags import require_match
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Mistake, Problem, not_found
from lamppost.base.durable import remove_durable
from lamppost.base.errors import ConfigError, LamppostError
from lamppost.events.calibration import GroundPlane
from lamppost.model.access import Permission
from lamppost.model.rules import CalibrationPoints, Correspondence, RuleBook
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.rules_file import MOST_BYTES, check_rules, load_rules
from lamppost.pipeline.rules_writing import write_rules

FOLDER: Final = "rules"
# A calibration that is being made is far off at first, and shall be shown so.
_ANY_ERROR_M: Final = 1e9
_MOST_FILES: Final = 100

router = APIRouter()

Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]
Editor = Annotated[Identity, Depends(Permit(Permission.EDIT_RULES))]
# Checked by hand, so that mistakes are told as in a rules file; the document shows what is wanted all the same.
GivenRules = Annotated[RuleBook, SkipValidation]


class Rules(BaseModel):
    """The rules of a camera."""

    rules: RuleBook
    file: str | None = Field(description="The file that they stand in; null where the camera has none.")
    problem: str = Field(description="What is wrong with the file, where somebody made a mistake in it: then `rules` are those in force.")
    etag: str | None = Field(description="Send it as `If-Match` with a change; null where there is no configuration file.")


class RulesBody(BaseModel):
    """Rules, as in a rules file."""

    model_config = ConfigDict(extra="forbid")

    rules: GivenRules


class RulesChecked(BaseModel):
    """What is wrong with them."""

    errors: list[Mistake] = Field(description="Empty where nothing is.")


class CalibrationBody(BaseModel):
    """Points of the ground, in the picture and on the map."""

    model_config = ConfigDict(extra="forbid")

    points: list[Correspondence] = Field(min_length=4, max_length=64)
    width_px: int | None = Field(default=None, ge=16, le=16_384, description="Of the picture; what the camera sends otherwise.")
    height_px: int | None = Field(default=None, ge=16, le=16_384)


class PointChecked(BaseModel):
    """How far a point is from where the others put it."""

    residual_px: float | None = Field(description="In the picture; null where its size is not known.")
    residual_m: float = Field(description="On the map.")


class CalibrationChecked(BaseModel):
    """How well the points fit on one plane."""

    error_px: float | None = Field(description="The root of the mean square over the points.")
    error_m: float = Field(description="Likewise; 0 for four points, and then it says nothing.")
    left_out_error_m: float | None = Field(description="The same for each point as the others foretell it; null for four points.")
    points: list[PointChecked]
    homography: list[list[float]] = Field(description="From shares of the picture to metres east and north; three rows.")


class RulesDesk:
    """Lets one write rules at a time; one for each application."""

    def __init__(self) -> None:
        self.lock = threading.Lock()


@router.get("/cameras/{camera}/rules")
def show_rules(camera: str, identity: Viewer, response: Response) -> Rules:
    """The rules of a camera, as they stand in its file; they hold within seconds."""
    return _shown(identity.context, camera, response)


@router.put("/cameras/{camera}/rules")
def set_rules(camera: str, body: RulesBody, identity: Editor, request: Request, response: Response) -> Rules:
    """Change the rules of a camera; without any it counts nothing any more. Needs `If-Match`.

    What stays as it was stays so in the file, with its comments. A camera that has no file, or shares one, gets its own.
    """
    context = identity.context
    path = config_path(context)
    book = checked_rules(body)
    with context.keep(RulesDesk, RulesDesk).lock:
        file = ConfigFile(path)
        found = _camera(file, camera)
        before = _text(found)
        require_match(request, etag_of(_revision(found, before)))
        counts = {"lines": len(book.line), "zones": len(book.zone), "rules": len(book.rule)}
        first = on_record(lambda: context.act("rules_changed", identity.name, camera, counts))
        if book.is_empty:
            change_configuration(context, lambda file: file.set(camera, {"rules_file": None}), first=lambda _camera: first())
        else:
            _write(context, file, found, book, before, first)
    return _shown(context, camera, response)


@router.post("/cameras/{camera}/rules/check")
def check_camera_rules(camera: str, body: RulesBody, _identity: Editor) -> RulesChecked:
    """Say what is wrong with rules, and change nothing."""
    del camera
    return RulesChecked(errors=_mistakes(body)[1])


@router.post("/cameras/{camera}/calibration/check")
def check_calibration(camera: str, body: CalibrationBody, identity: Editor) -> CalibrationChecked:
    """Fit the ground to points, and say how far each is off."""
    context = identity.context
    width_px, height_px = body.width_px, body.height_px
    picture = camera_report(camera, context.node.state, context.clock.wall_us(), None).picture
    if (width_px is None or height_px is None) and picture is not None:
        width_px, height_px = picture.width_px, picture.height_px
    try:
        ground = GroundPlane(CalibrationPoints(points=tuple(body.points), largest_error_m=_ANY_ERROR_M))
    except ValidationError as error:
        raise invalid(error, CalibrationPoints, at=("body",), noun="a key of rules") from error
    residuals_px: list[float | None] = [None] * len(body.points)
    if width_px is not None and height_px is not None:
        residuals_px = [((x * width_px) ** 2 + (y * height_px) ** 2) ** 0.5 for x, y in ground.misses_image]
    known_px = [residual for residual in residuals_px if residual is not None]
    return CalibrationChecked(
        error_px=(sum(residual**2 for residual in known_px) / len(known_px)) ** 0.5 if known_px else None,
        error_m=ground.error_m,
        left_out_error_m=ground.left_out_error_m,
        points=[PointChecked(residual_px=px, residual_m=m) for px, m in zip(residuals_px, ground.misses_m, strict=True)],
        homography=[list(row) for row in ground.homography],
    )


def checked_rules(body: RulesBody) -> RuleBook:
    """The rules in a request; raises 422 with each mistake at its place, such as `rules.line.0.points`."""
    book, mistakes = _mistakes(body)
    if book is None:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the rules cannot be used", kind="invalid", errors=mistakes)
    return book


def _mistakes(body: RulesBody) -> tuple[RuleBook | None, list[Mistake]]:
    book, found = check_rules(body.rules)
    return book, [told(("rules",), mistake) for mistake in found]


def _shown(context: Context, camera: str, response: Response) -> Rules:
    if context.config is None:
        settings = context.camera(camera)
        if settings is None:
            raise not_found("camera")
        return Rules(rules=settings.rules or RuleBook(), file=None, problem="", etag=None)
    found = _camera(ConfigFile(context.config), camera)
    etag = etag_of(_revision(found, _text(found)))
    response.headers["ETag"] = etag
    book, problem = RuleBook(), ""
    if found.rules_file is not None:
        try:
            book = load_rules(found.rules_file)
        except ConfigError as error:
            in_force = context.camera(camera)
            book, problem = (in_force.rules if in_force is not None else None) or RuleBook(), str(error)
    return Rules(rules=book, file=_name(found.rules_file, context.config), problem=problem, etag=etag)


def _camera(file: ConfigFile, camera: str) -> CameraSettings:
    found = file.camera(camera)
    if found is None:
        raise not_found("camera")
    return found


def _text(camera: CameraSettings) -> str:
    """What stands in the rules file now; nothing where there is none."""
    if camera.rules_file is None or not camera.rules_file.is_file():
        return ""
    try:
        with camera.rules_file.open(encoding="utf-8") as file:
            return file.read(MOST_BYTES)
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{camera.rules_file} cannot be read", remedy="it must be a text file that this user may read") from error


def _revision(camera: CameraSettings, text: str) -> str:
    return hashlib.sha256(f"{camera.rules_file}\n{text}".encode()).hexdigest()[:32]


def _name(path: Path | None, config: Path) -> str | None:
    if path is None:
        return None
    folder = config.resolve().parent
    return path.relative_to(folder).as_posix() if path.is_relative_to(folder) else path.name


def _write(context: Context, file: ConfigFile, camera: CameraSettings, book: RuleBook, before: str, first: Callable[[], None]) -> None:
    """Into the camera's file, or into one of its own that the configuration then names."""
    config = config_path(context)
    is_shared = any(other.rules_file == camera.rules_file and other.name != camera.name for other in file.before.camera)
    is_new = camera.rules_file is None or is_shared
    path = camera.rules_file if camera.rules_file is not None and not is_shared else _free(config.resolve().parent / FOLDER, camera.name)
    write_beside(path, lambda: write_rules(path, book, before, first=first))
    if not is_new:
        return
    try:
        change_configuration(context, lambda file: file.set(camera.name, {"rules_file": f"{FOLDER}/{path.name}"}))
    except (Problem, LamppostError):
        remove_durable(path)
        raise


def _free(folder: Path, camera: str) -> Path:
    """A file that nobody has written yet: one that the camera had before may be somebody's work."""
    names = (f"{camera}.toml", *(f"{camera}-{number}.toml" for number in range(2, _MOST_FILES)))
    found = next((folder / name for name in names if not (folder / name).exists()), None)
    if found is None:
        raise Problem(HTTPStatus.CONFLICT, f"{folder} is full of rules files of this camera", kind="files", remedy="remove old ones")
    return found
