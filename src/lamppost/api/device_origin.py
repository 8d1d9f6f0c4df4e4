"""Where a camera came from and why it is there: read by who may see it, changed by who may edit it, and by nobody unseen."""

from __future__ import annotations

from datetime import date
from http import HTTPStatus
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, ConfigDict, Field

from lamppost.api.context import Context
from lamppost.api.editing import etag_of, on_record
from lamppost.api.etags import changed, require_match
from lamppost.api.known_cameras import require_known
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Mistake, Problem
from lamppost.base.errors import ConfigError
from lamppost.model.access import Permission
from lamppost.model.origin import LONGEST, LONGEST_WORD, MOST_COST, NAMES, Origin
from lamppost.store.device_book import OriginChanged

router = APIRouter()

_WORD = Field(default="", max_length=LONGEST_WORD)


class OriginFields(BaseModel):
    """Where a camera came from; empty or null where that is not known."""

    model_config = ConfigDict(extra="forbid")

    vendor: str = Field(default="", max_length=LONGEST_WORD, description="Who sold it, or whose name is on it.")
    oem: str = Field(default="", max_length=LONGEST_WORD, description="Who made it, where that is somebody else and known.")
    model: str = _WORD
    firmware: str = Field(default="", max_length=LONGEST_WORD, description="As it was installed; what runs on it now is in `device`.")
    integrator: str = Field(default="", max_length=LONGEST_WORD, description="Who installed it.")
    contract: str = Field(default="", max_length=LONGEST_WORD, description="Contract or tender, as your files call it.")
    cost: float | None = Field(default=None, ge=0, le=MOST_COST)
    currency: str = Field(default="", pattern="^([A-Z]{3})?$", description="ISO 4217, such as EUR.")
    installed: date | None = None
    legal_basis: str = Field(default="", max_length=LONGEST["legal_basis"], description="Why it may be there.")
    purpose: str = Field(default="", max_length=LONGEST["purpose"], description="What it is there for.")
    note: str = Field(default="", max_length=LONGEST["note"])


class SaidOfItself(BaseModel):
    """What the device says of itself."""

    vendor: str
    model: str
    firmware: str


class CameraOrigin(OriginFields):
    """Where a camera came from, and what its device says of itself."""

    device: SaidOfItself | None = Field(description="Null where it was never asked.")
    etag: str = Field(description="Send it as `If-Match` with a change.")


@router.get("/cameras/{camera}/origin")
def show_origin(camera: str, identity: Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))], response: Response) -> CameraOrigin:
    """Where a camera came from and why it is there, as somebody has put it down."""
    require_known(identity.context, camera)
    return _answer(identity.context, camera, response)


@router.put("/cameras/{camera}/origin")
def set_origin(
    camera: str,
    body: OriginFields,
    identity: Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS))],
    request: Request,
    response: Response,
) -> CameraOrigin:
    """Put down where a camera came from, in place of what was put down before. Needs `If-Match`."""
    context = identity.context
    require_known(context, camera)
    before = context.devices.origin(camera)
    require_match(request, etag_of(str(before.revision)))
    origin = _read(body)
    keys = [name for name in NAMES if getattr(origin, name) != getattr(before.origin, name)]
    first = on_record(lambda: context.act("camera_origin_changed", identity.name, camera, {"keys": keys}))
    try:
        context.devices.set_origin(camera, origin, before.revision, first=first)
    except OriginChanged as error:
        raise changed() from error
    return _answer(context, camera, response)


def _read(body: OriginFields) -> Origin:
    words: dict[str, Any] = {name: value.strip() if isinstance(value, str) else value for name, value in body.model_dump().items()}
    origin = Origin(**words)
    try:
        origin.check()
    except ConfigError as error:
        mistakes = [Mistake(at=f"body.{line.partition(' ')[0]}", problem=line.partition(" ")[2]) for line in error.problem.splitlines()]
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=mistakes) from error
    return origin


def _answer(context: Context, camera: str, response: Response) -> CameraOrigin:
    kept, device = context.devices.origin(camera), context.devices.device(camera)
    said = device.identity if device is not None else None
    etag = etag_of(str(kept.revision))
    response.headers["ETag"] = etag
    return CameraOrigin(
        **{name: getattr(kept.origin, name) for name in NAMES},
        device=SaidOfItself(vendor=said.vendor, model=said.model, firmware=said.firmware) if said is not None else None,
        etag=etag,
    )
