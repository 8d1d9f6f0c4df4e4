"""What is kept whatever its age, by whom, and why."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.paging import Page
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.model.access import Permission
from lamppost.store.holds import MAX_REASON_CHARS, list_holds, place_hold, release_hold
from lamppost.store.index import HoldRow

router = APIRouter()
_Reader = Annotated[Identity, Depends(Permit(Permission.SEE_HOLDS))]
_Placer = Annotated[Identity, Depends(Permit(Permission.PLACE_HOLDS))]
_Context = Annotated[Context, Depends(context_of)]


class Hold(BaseModel):
    """A span of a camera that nothing deletes while the hold is in force."""

    id: str
    camera: str
    from_: Time = Field(serialization_alias="from")
    to: Time
    placed: Time
    placed_by: str
    reason: str
    released: Time | None
    released_by: str | None


class HoldWish(BaseModel):
    """A hold to be placed."""

    camera: str = Field(max_length=63)
    from_: Moment = Field(alias="from")
    to: Moment
    reason: str = Field(min_length=1, max_length=MAX_REASON_CHARS, description="It goes on the record: name no person.")


@router.get("/holds")
def holds(identity: _Reader, context: _Context, active: Annotated[bool, Query(description="Those in force alone.")] = False) -> Page[Hold]:
    """By camera and time."""
    found = [hold for hold in list_holds(context.folder) if _may(identity, Permission.SEE_HOLDS, hold.camera)]
    return Page(items=[_body(hold) for hold in found if not active or hold.released_us is None])


@router.post("/holds", status_code=HTTPStatus.CREATED)
def place(wish: HoldWish, identity: _Placer, context: _Context) -> Hold:
    """In force once it is answered: the bookkeeper reads it before it deletes anything."""
    if not _may(identity, Permission.PLACE_HOLDS, wish.camera):
        raise not_found("camera")
    placed = place_hold(
        context.folder, wish.camera, us_of(wish.from_), us_of(wish.to), wish.reason, actor=identity.name, clock=context.clock
    )
    return _body(placed)


@router.delete("/holds/{hold_id}")
def release(hold_id: str, identity: _Placer, context: _Context) -> Hold:
    """End it: what it kept is deleted like everything else again, at once where its time is over."""
    hold = next((hold for hold in list_holds(context.folder) if hold.hold_id == hold_id), None)
    if hold is None or not _may(identity, Permission.PLACE_HOLDS, hold.camera):
        raise not_found("hold")
    if hold.released_us is not None:
        raise Problem(HTTPStatus.CONFLICT, f"{hold.released_by} has released it already", kind="released")
    return _body(release_hold(context.folder, hold_id, actor=identity.name, clock=context.clock))


def _may(identity: Identity, permission: Permission, camera: str) -> bool:
    """Of a camera that is not there any more, only who may so everywhere."""
    return identity.may_everywhere(permission) or identity.may(permission, camera)


def _body(hold: HoldRow) -> Hold:
    return Hold(
        id=hold.hold_id,
        camera=hold.camera,
        from_=hold.start_us,
        to=hold.end_us,
        placed=hold.placed_us,
        placed_by=hold.placed_by,
        reason=hold.reason,
        released=hold.released_us,
        released_by=hold.released_by,
    )
