"""How much of the time that cameras were to be recorded they were: by camera, and by site."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Query, Response
from pydantic import BaseModel, Field

from lamppost.api.context import Context
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.base.clock import US_PER_S, format_utc
from lamppost.model.access import Permission
from lamppost.pipeline.uptime_report import By, ReportLine, report_csv, report_lines
from lamppost.store.uptime import UptimeReader

router = APIRouter()

Viewer = Annotated[Identity, Depends(Permit(Permission.SEE_CAMERAS))]
From = Annotated[Moment | None, Query(alias="from", description="30 days before `to`, where it is left out.")]
To = Annotated[Moment | None, Query(description="Now, where it is left out or in the future.")]
ByQuery = Annotated[By, Query(description="What a line is of.")]
_DAY_US: Final = 86_400 * US_PER_S
_MOST_DAYS: Final = 400


class UptimeLine(BaseModel):
    """One camera, or the cameras of a site together. Times in seconds; null is unknown."""

    site: str
    camera: str | None = Field(description="Null for a site.")
    cameras: int = Field(description="So many that the caller may see.")
    asked_s: float = Field(description="The time that was asked for, once for each camera.")
    unknown_s: float = Field(
        description="So much of it of which nothing is known: before a camera was there, and after what was written last."
    )
    scheduled_s: float | None = Field(
        description="So much of what is known in which it was to be recorded: without `not_scheduled`, `held`, `stopped` and `removed`."
    )
    recorded_s: float | None
    uptime: float | None = Field(description="`recorded_s` of `scheduled_s`, from 0 to 1; null where nothing was to be recorded.")
    outages: int | None = Field(description="Interruptions, whatever their causes: gaps that touch are one.")
    longest_outage_s: float | None
    by_cause: dict[str, float] = Field(description="What was not recorded, by cause; on purpose or not.")


class UptimeReport(BaseModel):
    """The report of `from` to `to`."""

    from_us: Time = Field(serialization_alias="from")
    to_us: Time = Field(serialization_alias="to")
    by: By
    items: list[UptimeLine]


@router.get("/uptime")
def show_uptime(identity: Viewer, from_: From = None, to: To = None, by: ByQuery = By.SITE) -> UptimeReport:
    """How the cameras that who asks may see were recorded."""
    from_us, to_us = _window(identity.context, from_, to)
    lines = _lines(identity, from_us, to_us, by)
    return UptimeReport(from_us=from_us, to_us=to_us, by=by, items=[UptimeLine.model_validate(line.to_json()) for line in lines])


@router.get("/uptime.csv", response_class=Response, responses={200: {"content": {"text/csv": {}}}})
def uptime_csv(identity: Viewer, from_: From = None, to: To = None, by: ByQuery = By.SITE) -> Response:
    """The same as a table, with a column for each cause; what is unknown is empty."""
    from_us, to_us = _window(identity.context, from_, to)
    content = report_csv(_lines(identity, from_us, to_us, by))
    name = f"uptime-{by.value}-{format_utc(from_us)[:10]}.csv"
    return Response(content, media_type="text/csv; charset=utf-8", headers={"Content-Disposition": f'attachment; filename="{name}"'})


def _window(context: Context, from_: Moment | None, to: Moment | None) -> tuple[int, int]:
    now_us = context.clock.wall_us()
    to_us = min(us_of(to), now_us) if to is not None else now_us
    from_us = us_of(from_) if from_ is not None else max(0, to_us - 30 * _DAY_US)
    if from_us >= to_us:
        raise Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "from is not before to, or not in the past", kind="invalid", remedy="look at both")
    if to_us - from_us > _MOST_DAYS * _DAY_US:
        raise Problem(
            HTTPStatus.UNPROCESSABLE_ENTITY, f"these are more than {_MOST_DAYS} days", kind="interval", remedy="ask for less time"
        )
    return from_us, to_us


def _lines(identity: Identity, from_us: int, to_us: int, by: By) -> tuple[ReportLine, ...]:
    context = identity.context
    names = set(identity.cameras(Permission.SEE_CAMERAS))
    cameras = [camera for camera in context.settings.camera if camera.name in names]
    reader = context.keep(UptimeReader, lambda: UptimeReader(context.folder))
    uptimes = reader.read([camera.name for camera in cameras], from_us, to_us)
    return report_lines(context.settings, cameras, uptimes, by)
