"""What is known of a camera over time: health, gaps, and what became of each moment."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from lamppost.api.camera_state import Alarm, alarms_of
from lamppost.api.context import Context
from lamppost.api.known_cameras import require_known
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.base.clock import US_PER_S
from lamppost.base.logging import redact
from lamppost.model.access import Permission
from lamppost.model.books import Severity
from lamppost.model.happening import EventType
from lamppost.store.account import Account
from lamppost.store.index import EventRow, Interval

HEALTH_TYPES: Final = (
    EventType.PICTURE_FROZEN.value,
    EventType.PICTURE_BLACK.value,
    EventType.PICTURE_BLURRED.value,
    EventType.CAMERA_COVERED.value,
    EventType.CAMERA_MOVED.value,
    "camera_lost",
    "clock_off",
)
MOST: Final = 1000
_DAY_US: Final = 86_400 * US_PER_S

router = APIRouter()

Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]
From = Annotated[Moment | None, Query(alias="from", description="A day before `to`, where it is left out.")]
To = Annotated[Moment | None, Query(description="Now, where it is left out.")]


class HealthEvent(BaseModel):
    """Something that was wrong with the camera or its picture."""

    id: str
    type: str
    severity: Severity
    started: Time
    ended: Time | None
    detail: str


class Reduction(BaseModel):
    """A time in which the machine could not mask everything, and what was given up."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to", description="Null while it lasts.")
    step: str


class Health(BaseModel):
    """How a camera was."""

    events: list[HealthEvent] = Field(description=f"In the order of time, {MOST} at most.")
    reductions: list[Reduction]
    alarms: list[Alarm] = Field(description="What stands now.")


class Gap(BaseModel):
    """A time of which nothing is recorded, and why."""

    id: str
    cause: str
    from_us: Time = Field(serialization_alias="from")
    to_us: Time | None = Field(serialization_alias="to", description="Null while it lasts.")
    detail: str


class TimeAccount(BaseModel):
    """What became of the time from `from` to `until`, in seconds."""

    from_us: Time = Field(serialization_alias="from", description="The first moment that is known, where that is later than asked for.")
    until: Time = Field(description="As far as is known.")
    asked_s: float
    recorded_s: float
    gap_s_by_cause: dict[str, float]
    unexplained_s: float = Field(description="What neither a recording nor a declared gap explains; it should be 0.")
    masked_s: float = Field(description="So much of what is recorded can be watched.")
    covered_s: float = Field(description="So much of that shows nothing.")
    forgotten_s: float


class Gaps(BaseModel):
    """Every gap, and the account of the whole time."""

    items: list[Gap] = Field(description=f"In the order of time, {MOST} at most.")
    account: TimeAccount


@router.get("/cameras/{camera}/health")
def show_health(camera: str, identity: Viewer, from_: From = None, to: To = None) -> Health:
    """What was wrong with a camera and its masking."""
    context = identity.context
    require_known(context, camera)
    start_us, end_us = _window(context, from_, to)
    index = context.index
    events = context.events.reaching(camera, HEALTH_TYPES, start_us, end_us, MOST)
    reductions = index.reductions(camera, start_us, end_us, limit=MOST)
    return Health(
        events=[_health_event(event) for event in events],
        reductions=[Reduction(from_us=each.start_us, to_us=each.end_us, step=each.cause) for each in reductions],
        alarms=[alarm for alarm in alarms_of(context.node.state) if alarm.camera == camera],
    )


@router.get("/cameras/{camera}/gaps")
def show_gaps(camera: str, identity: Viewer, from_: From = None, to: To = None) -> Gaps:
    """When nothing was recorded, and why; and what became of every moment."""
    context = identity.context
    require_known(context, camera)
    start_us, end_us = _window(context, from_, to)
    gaps = context.index.gaps(camera, start_us, end_us, limit=MOST)
    until_us = _known_until(context, camera, gaps, end_us)
    account = context.index.account(camera, max(start_us, until_us), from_us=start_us)
    return Gaps(items=[gap_of(gap) for gap in gaps], account=_account(account, start_us, end_us))


def _window(context: Context, from_: Moment | None, to: Moment | None) -> tuple[int, int]:
    now_us = context.clock.wall_us()
    end_us = min(us_of(to), now_us) if to is not None else now_us
    start_us = us_of(from_) if from_ is not None else end_us - _DAY_US
    if start_us >= end_us:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "from is not before to, or not in the past", kind="invalid", remedy="look at both")
    return start_us, end_us


def _known_until(context: Context, camera: str, gaps: tuple[Interval, ...], end_us: int) -> int:
    """While it is recorded the index is a moment behind, and what it does not know yet is no hole; a gap that lasts is known."""
    if any(gap.end_us is None for gap in gaps):
        return end_us
    return min(end_us, context.index.last_us(camera) or end_us)


def _health_event(event: EventRow) -> HealthEvent:
    said = json.loads(event.detail)
    words = said.get("problem") or said.get("note") or ""
    return HealthEvent(
        id=event.event_id,
        type=event.kind,
        severity=event.severity,
        started=event.start_us,
        ended=event.end_us,
        detail=redact(str(words)),
    )


def gap_of(gap: Interval) -> Gap:
    """A gap as the books have it."""
    return Gap(id=gap.interval_id, cause=gap.cause, from_us=gap.start_us, to_us=gap.end_us, detail=redact(gap.detail))


def _account(account: Account | None, start_us: int, end_us: int) -> TimeAccount:
    asked_s = (end_us - start_us) / US_PER_S
    if account is None:
        return TimeAccount(
            from_us=start_us, until=start_us, asked_s=asked_s, recorded_s=0, gap_s_by_cause={}, unexplained_s=0,
            masked_s=0, covered_s=0, forgotten_s=0,
        )  # fmt: skip
    return TimeAccount(
        from_us=max(account.first_us, start_us),
        until=account.until_us,
        asked_s=asked_s,
        recorded_s=account.recorded_us / US_PER_S,
        gap_s_by_cause={cause: us / US_PER_S for cause, us in account.gap_us_by_cause if us},
        unexplained_s=account.unexplained_us / US_PER_S,
        masked_s=account.masked_us / US_PER_S,
        covered_s=account.covered_us / US_PER_S,
        forgotten_s=account.forgotten_us / US_PER_S,
    )
