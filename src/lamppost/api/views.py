"""Looking at the past, with its reason, on the record."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost.api.known_cameras import require_known
from lamppost.api.moments import Moment, Time
from lamppost.api.past import DAY_US, LONGEST_US, interval, views_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.api.view_book import KeptView, ReasonNeeded
from lamppost.base.clock import format_utc
from lamppost.base.errors import StoreError
from lamppost.model.access import Permission

router = APIRouter()
MOST_CAMERAS: Final = 9
Watcher = Annotated[Identity, Depends(Permit(Permission.WATCH_PAST))]
CameraName = Annotated[str, Field(min_length=1, max_length=63)]


class NewView(BaseModel):
    """What somebody wants to look at, and why."""

    cameras: Annotated[list[CameraName], Field(min_length=1, max_length=MOST_CAMERAS)]
    from_: Moment = Field(alias="from")
    to: Moment
    reason: str = Field(
        default="",
        max_length=500,
        description="Needed where `from` is more than 24 hours ago, and for more than one camera, in one view or in several at once.",
    )


class View(BaseModel):
    """A look at the past: pictures of these cameras and this time are shown to who has it, and to nobody else."""

    id: str
    cameras: list[str]
    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    expires: Time = Field(description="An hour after it was last used, twelve hours after it was opened at the latest.")
    reason: str


@router.post("/views", status_code=HTTPStatus.CREATED.value, response_model=View, summary="Open a view of the past")
def open_view(wanted: NewView, identity: Watcher) -> View:
    """The view is on the record, with its reason, before it is answered: an act for each of its cameras, with the view's id."""
    from_us, to_us = interval(wanted.from_, wanted.to, LONGEST_US, "a view")
    cameras, reason = tuple(dict.fromkeys(wanted.cameras)), " ".join(wanted.reason.split())
    for camera in cameras:
        identity.require(Permission.WATCH_PAST, camera)
        require_known(identity.context, camera)
    context = identity.context
    if not reason and (len(cameras) > 1 or from_us < context.clock.wall_us() - DAY_US):
        raise _reason_needed("it begins more than 24 hours ago, or is of several cameras")
    views = views_of(context)
    try:
        view = views.open(identity.signed_in.user_id, cameras, from_us, to_us, reason)
    except ReasonNeeded as error:
        raise _reason_needed("you have a view of another camera at the same time") from error
    try:
        _put_on_record(identity, view)
    except StoreError:
        views.drop(view.view_id)
        raise
    return View(
        id=view.view_id,
        cameras=list(view.cameras),
        from_us=view.from_us,
        to_us=view.to_us,
        expires=views.expires_us(view.view_id),
        reason=view.reason,
    )


def _put_on_record(identity: Identity, view: KeptView) -> None:
    """For each camera, so that who may read the acts of one finds it there; what they have in common is the view's id."""
    detail = {
        "view": view.view_id,
        "cameras": list(view.cameras),
        "from": format_utc(view.from_us),
        "to": format_utc(view.to_us),
        "reason": view.reason,
    }
    for camera in view.cameras:
        identity.context.act("past_viewed", identity.name, camera, detail)


def _reason_needed(why: str) -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        f"this view needs a reason: {why}",
        kind="reason-required",
        remedy="say in `reason` why you look",
    )
