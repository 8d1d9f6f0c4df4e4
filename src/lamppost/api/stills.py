"""One masked picture of a camera: now, or then."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Depends, Query, Request
from fastapi.responses import Response
from starlette.concurrency import run_in_threadpool

from lamppost.api.live import hub_of, newest_picture
from lamppost.api.live_hub import LiveHub
from lamppost.api.media import picture_answer, picture_at
from lamppost.api.moments import Moment, us_of
from lamppost.api.past import require_view
from lamppost.api.permit import Identity, Permit
from lamppost.model.access import Permission

router = APIRouter()
# Who may watch the past may watch what is live, whatever their role; the past is asked for below.
Watcher = Annotated[Identity, Depends(Permit(Permission.WATCH_LIVE))]


@router.get(
    "/cameras/{camera}/still.jpg",
    response_class=Response,
    responses={200: {"content": {"image/jpeg": {}}}},
    summary="A masked picture",
)
async def still(
    camera: str,
    identity: Watcher,
    request: Request,
    hub: Annotated[LiveHub, Depends(hub_of)],
    at: Annotated[Moment | None, Query(description="The keyframe at this moment or before it; without, the newest picture.")] = None,
    width: Annotated[int, Query(ge=80, le=3840, description="No wider than this; never larger than it is.")] = 1920,
    view: Annotated[str, Query(max_length=64, description="With `at`: a view that holds the camera and the time.")] = "",
) -> Response:
    """The newest picture, or with `at` and a view one of the past."""
    if at is None:
        return await newest_picture(request, camera, identity, hub, width)
    return await run_in_threadpool(still_of_past, identity, camera, us_of(at), width, view)


def still_of_past(identity: Identity, camera: str, at_us: int, width_px: int, view_id: str) -> Response:
    """The masked picture of a moment in the past, for who has a view of it."""
    require_view(identity, view_id, camera, at_us, at_us)
    return picture_answer(picture_at(identity, camera, at_us, width_px))
