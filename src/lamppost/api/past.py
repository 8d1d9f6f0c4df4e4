"""What the routes of the past share: the footage of the node, and the gate that every picture of the past passes.

Nobody is shown a picture of the past without a view, which is an act on the
record: of that camera, that time, and theirs. Grants are asked again each time,
so that who has lost them sees nothing from then on, whatever views there are.
"""

from __future__ import annotations

from datetime import datetime
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import Query

from lamppost.api.context import Context
from lamppost.api.moments import Moment, us_of
from lamppost.api.permit import Identity
from lamppost.api.problems import Problem
from lamppost.api.view_book import KeptView, ViewBook
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.playback.clip_slots import ClipSlots
from lamppost.playback.parts import PartsShelf
from lamppost.playback.stretch import Stretch, find_stretch
from lamppost.playback.thumbnails import Thumbnails
from lamppost.playback.turns import Turns
from lamppost.store.footage import Footage
from lamppost.store.intervals import Span

DAY_US: Final = 24 * 3600 * US_PER_S
LONGEST_US: Final = 31 * DAY_US
UNKEPT: Final = {"Cache-Control": "private, no-store"}
"""What is forgotten here must not stay with a browser, and each look asks anew whether it may."""

From = Annotated[Moment, Query(alias="from", description="Where it begins.")]
To = Annotated[Moment, Query(alias="to", description="Where it ends; this moment is not in it.")]
ViewId = Annotated[str, Query(alias="view", max_length=64, description="The id of a view that holds the camera and the time.")]


class Past:
    """One for each application."""

    def __init__(self, context: Context, turns: Turns) -> None:
        """Raises `StoreError` while there is no index."""
        self.footage = Footage(context.folder)
        self.shelf = PartsShelf(context.folder)
        self.thumbnails = Thumbnails(self.footage, self.shelf, turns=turns)
        self.clips = ClipSlots()

    def close(self) -> None:
        self.footage.close()


def past_of(context: Context) -> Past:
    """The one of this application; raises `StoreError` while there is no index."""
    turns = turns_of(context)
    return context.keep(Past, lambda: Past(context, turns))


def turns_of(context: Context) -> Turns:
    """In which pictures are decoded, live ones and those of the past."""
    return context.keep(Turns, Turns)


def too_many_pictures() -> Problem:
    """For who asks while others wait already."""
    return Problem(
        HTTPStatus.TOO_MANY_REQUESTS, "too many pictures are being made", kind="busy", remedy="ask again", headers={"Retry-After": "1"}
    )


def views_of(context: Context) -> ViewBook:
    """The one of this application."""
    return context.keep(ViewBook, lambda: ViewBook(context.clock))


def interval(from_: datetime, to: datetime, longest_us: int, what: str) -> Span:
    """Both in microseconds; raises a problem where they are the wrong way round or too far apart."""
    from_us, to_us = us_of(from_), us_of(to)
    if from_us >= to_us:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "`from` must lie before `to`", kind="interval")
    if to_us - from_us > longest_us:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY,
            f"{what} is no longer than {_words(longest_us)}",
            kind="interval",
            remedy="ask for a shorter interval, more than once",
        )
    return from_us, to_us


def require_view(identity: Identity, view_id: str, camera: str, from_us: int, to_us: int) -> KeptView:
    """The view that the caller looks with; raises 403 without one that holds the camera and the time, and without the grant."""
    identity.require(Permission.WATCH_PAST, camera)
    view = views_of(identity.context).find(view_id, identity.signed_in.user_id)
    if view is None or not view.holds(camera, from_us, to_us):
        raise view_required()
    return view


def view_required() -> Problem:
    """For who looks without a view, or beyond it."""
    return Problem(
        HTTPStatus.FORBIDDEN,
        "no view of yours holds this camera and time",
        kind="view-required",
        remedy="open one with POST /api/v1/views",
    )


def nothing_there() -> Problem:
    """For a time of which there is no masked picture."""
    return Problem(
        HTTPStatus.NOT_FOUND,
        "there is no masked picture of this time",
        kind="nothing-there",
        remedy="the timeline of the camera shows when there is",
    )


def forgotten() -> Problem:
    """For what was deleted between the question and the answer."""
    return Problem(HTTPStatus.GONE, "this footage has been deleted meanwhile", kind="forgotten", remedy="ask for the timeline again")


def stretch_of(context: Context, camera: str, span: Span) -> Stretch:
    """What there is to watch of a camera in an interval."""
    past = past_of(context)
    return find_stretch(past.footage, past.shelf, camera, *span)


def _words(span_us: int) -> str:
    hours = span_us // (3600 * US_PER_S)
    return f"{hours // 24} days" if hours > 48 else f"{hours} hours" if hours > 1 else "an hour"
