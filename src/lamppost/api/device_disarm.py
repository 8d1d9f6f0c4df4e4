"""Switching off what a camera does with faces: what that would be, the order, and what became of it."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends
from pydantic import BaseModel, ConfigDict, Field

from lamppost.api.audit_models import ORDER_FIELD, DisarmShown
from lamppost.api.audits import audits_of, device_target
from lamppost.api.context import Context
from lamppost.api.device_places import device_place
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.cameras.disarm import Order
from lamppost.model.access import Permission
from lamppost.pipeline.device_access import DeviceExchanged, DeviceNotTold

router = APIRouter()
Editor = Annotated[Identity, Depends(Permit(Permission.EDIT_CAMERAS))]


class PlannedStep(BaseModel):
    """One thing that would be switched off."""

    what: str
    now: str
    then: str


class DisarmPlan(BaseModel):
    """What a disarm would change, as the device is set just now."""

    steps: list[PlannedStep]
    problem: str = Field(description="What could not be asked; there may be more to switch off. Empty where all was answered.")


class DisarmBody(BaseModel):
    """The order. Both texts go on the record: name no person who was filmed."""

    model_config = ConfigDict(extra="forbid")

    authorisation: str = ORDER_FIELD
    reference: str = Field(default="", max_length=200, description="Where the decision is filed.")


class RollbackBody(BaseModel):
    """The order to put back what is not of faces."""

    model_config = ConfigDict(extra="forbid")

    authorisation: str = ORDER_FIELD


class Disarms(BaseModel):
    """The disarms of a camera, the newest first."""

    items: list[DisarmShown]


@router.get("/cameras/{camera}/disarm")
def show_plan(camera: str, identity: Editor) -> DisarmPlan:
    """What a disarm would change. Nothing is changed, and libraries never are."""
    context = identity.context
    with _known_device(context):
        plan = audits_of(context).plan(device_target(context, camera))
    steps = [PlannedStep(what=change.what, now=change.now, then=change.then) for change in plan.changes]
    return DisarmPlan(steps=steps, problem="; ".join(plan.problems)[:2000])


@router.post("/cameras/{camera}/disarm", status_code=HTTPStatus.CREATED)
def disarm_camera(camera: str, body: DisarmBody, identity: Editor) -> DisarmShown:
    """Switch off what the device does with faces, and its auto-tracking. Each step is read back; it takes up to some minutes."""
    context = identity.context
    order = Order(camera, identity.name, body.authorisation, body.reference)
    order.check()
    told = {"authorisation": body.authorisation, "reference": body.reference}
    with _known_device(context):
        done = audits_of(context).disarm(
            device_target(context, camera), order, first=lambda: context.act("camera_disarmed", identity.name, camera, told)
        )
    return DisarmShown.of(done)


@router.get("/cameras/{camera}/disarms")
def list_disarms(camera: str, identity: Editor) -> Disarms:
    """What was switched off on a camera, by whose order."""
    return Disarms(items=[DisarmShown.of(row) for row in audits_of(identity.context).book.disarms(camera)])


@router.post("/disarms/{disarm}/rollback")
def roll_back_disarm(disarm: str, body: RollbackBody, identity: Editor) -> DisarmShown:
    """Put back what a disarm took along and is not of faces, once. Nothing of faces and no auto-tracking comes back by it."""
    context = identity.context
    audits = audits_of(context)
    row = audits.book.disarm(disarm)
    if row is None or not identity.may(Permission.EDIT_CAMERAS, row.camera):
        raise not_found("disarm")
    told = {"disarm": disarm, "authorisation": body.authorisation}
    with _known_device(context):
        rolled = audits.roll_back(
            device_target(context, row.camera),
            disarm,
            identity.name,
            body.authorisation,
            first=lambda: context.act("camera_rolled_back", identity.name, row.camera, told),
        )
    return DisarmShown.of(rolled)


@contextmanager
def _known_device(context: Context) -> Generator[None]:
    """Nothing is changed on who is not known to be the device: 409; and no more at once than there are places: 429."""
    try:
        with device_place(context):
            yield
    except (DeviceExchanged, DeviceNotTold) as error:
        kind = "exchanged" if isinstance(error, DeviceExchanged) else "not_told"
        raise Problem(HTTPStatus.CONFLICT, error.problem, kind=kind, remedy=error.remedy) from error
