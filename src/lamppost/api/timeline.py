"""What there is of a camera in a span of time: recorded, missing, covered, forgotten, and what happened."""

from __future__ import annotations

from typing import Annotated, Final, Literal

from fastapi import APIRouter, Depends
from pydantic import BaseModel, Field

from lamppost.api.camera_books import Gap, Reduction, gap_of
from lamppost.api.known_cameras import require_known
from lamppost.api.moments import Time
from lamppost.api.past import LONGEST_US, From, To, interval, past_of
from lamppost.api.permit import Identity, Permit
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission
from lamppost.store.intervals import Span

router = APIRouter()
MOST_MARKS: Final = 500
_BUCKETS: Final = 240
_LEAST_BUCKET_US: Final = 60 * US_PER_S
Seer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]


class MaskedSpan(BaseModel):
    """There is masked video."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    kind: Literal["masked"] = "masked"


class Cover(BaseModel):
    """The picture is covered whole; `to` is null while it lasts."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to")
    cause: str


class ForgottenSpan(BaseModel):
    """There was masked video, and retention has deleted it."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")


class EventMark(BaseModel):
    """An event; `to` is null while it lasts."""

    id: str
    type: str
    severity: str
    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to")


class EventBucket(BaseModel):
    """How many events began in a piece of the time, and how urgent the worst of them was."""

    from_us: Time = Field(serialization_alias="from")
    count: int
    worst: str


class Timeline(BaseModel):
    """All of it is cut to what was asked for but for what lasts or began before, which is told as it is."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    spans: list[MaskedSpan]
    gaps: list[Gap]
    covered: list[Cover]
    forgotten: list[ForgottenSpan]
    reductions: list[Reduction]
    events: list[EventMark] = Field(description=f"{MOST_MARKS} at most; where there are more, none, and `event_density` instead.")
    event_density: list[EventBucket] | None


@router.get("/cameras/{camera}/timeline", response_model=Timeline, summary="What there is of a camera")
def timeline(camera: str, from_: From, to: To, identity: Seer) -> Timeline:
    """31 days at most. It needs no view: no picture is in it."""
    span = interval(from_, to, LONGEST_US, "a timeline")
    require_known(identity.context, camera)
    footage = past_of(identity.context).footage
    marks, density = _events(identity, camera, span)
    return Timeline(
        from_us=span[0],
        to_us=span[1],
        spans=[MaskedSpan(from_us=start, to_us=end) for start, end in footage.spans(camera, *span)],
        gaps=[gap_of(gap) for gap in footage.gaps(camera, *span)],
        covered=[Cover(from_us=each.start_us, to_us=each.end_us, cause=each.cause) for each in footage.covered(camera, *span)],
        forgotten=[ForgottenSpan(from_us=start, to_us=end) for start, end in footage.forgotten(camera, *span)],
        reductions=[Reduction(from_us=each.start_us, to_us=each.end_us, step=each.cause) for each in footage.reductions(camera, *span)],
        events=marks,
        event_density=density,
    )


def _events(identity: Identity, camera: str, span: Span) -> tuple[list[EventMark], list[EventBucket] | None]:
    """The events themselves, or how many there were where they are too many; nothing for who may not see them."""
    if not identity.may(Permission.SEE_EVENTS, camera):
        return [], None
    pages = identity.context.events
    # Where many began they are not read at all: to count them takes a hundredth of that.
    marks = None if pages.has_more(camera, *span, MOST_MARKS) else pages.marks(camera, *span, MOST_MARKS + 1)
    if marks is None or len(marks) > MOST_MARKS:
        bucket_us = max(_LEAST_BUCKET_US, -(-(span[1] - span[0]) // _BUCKETS))
        found = pages.density(camera, *span, bucket_us)
        return [], [EventBucket(from_us=each.from_us, count=each.count, worst=each.worst) for each in found]
    return [
        EventMark(id=mark.event_id, type=mark.kind, severity=str(mark.severity), from_us=mark.start_us, to_us=mark.end_us) for mark in marks
    ], None
