"""Masked pictures as they are made, for players of HLS (RFC 8216): some seconds later than over WebSocket, and everywhere."""

from __future__ import annotations

import asyncio
import contextlib
import math
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from starlette.concurrency import run_in_threadpool

from lamppost.api.live import hub_of, require_configured
from lamppost.api.live_hub import CameraFeed, LiveHub
from lamppost.api.past import UNKEPT
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.api.recent import RecentActs
from lamppost.base.clock import format_utc
from lamppost.model.access import Permission

router = APIRouter()
FIRST_PARTS: Final = 2
FIRST_PARTS_S: Final = 5.0
_MOST_DIGITS: Final = 18
PLAYLIST: Final = "application/vnd.apple.mpegurl"
_Watcher = Annotated[Identity, Depends(Permit(Permission.WATCH_LIVE))]
_Hub = Annotated[LiveHub, Depends(hub_of)]


@router.get("/cameras/{camera}/live.m3u8", response_class=Response, responses={200: {"content": {PLAYLIST: {}}}})
async def playlist(camera: str, identity: _Watcher, hub: _Hub, request: Request) -> Response:
    """The last seconds, a part for each group of pictures."""
    require_configured(identity.context, camera)
    await _note(request, identity, camera)
    feed = hub.feed(camera)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_PARTS_S):
            while len(feed.whole_parts()) < FIRST_PARTS:
                await feed.grown.wait()
    if not feed.whole_parts():
        raise Problem(HTTPStatus.NOT_FOUND, "there is no picture of this camera now", kind="no-picture", remedy="look at its state")
    return Response(_playlist(feed), media_type=PLAYLIST, headers={"Cache-Control": "no-store"})


@router.get("/cameras/{camera}/live/{part}", response_class=Response, responses={200: {"content": {"video/mp4": {}}}})
async def media(camera: str, part: str, identity: _Watcher, hub: _Hub, request: Request) -> Response:
    """A part of the playlist, `N.m4s`, or the init of its run, `init-N.mp4`; on the record even for who asks for no playlist."""
    require_configured(identity.context, camera)
    await _note(request, identity, camera)
    feed = hub.feed(camera)
    found = _init(feed, part) if part.startswith("init-") else _part(feed, part)
    if found is None:
        raise not_found("part, any more")
    return Response(found, media_type="video/mp4", headers=UNKEPT)


async def _note(request: Request, identity: Identity, camera: str) -> None:
    """Raises `StoreError`; before the feed is asked, so that nothing is shown of what cannot be put on the record."""
    acts: RecentActs = request.app.state.recent_acts
    await run_in_threadpool(acts.note, "live_viewed", identity.name, camera, {"by": "hls"})


def _playlist(feed: CameraFeed) -> str:
    parts = feed.whole_parts()
    longest_s = max(part.duration_s for part in parts)
    lines = [
        "#EXTM3U",
        "#EXT-X-VERSION:7",
        f"#EXT-X-TARGETDURATION:{max(1, math.ceil(longest_s))}",
        f"#EXT-X-MEDIA-SEQUENCE:{parts[0].number}",
        f"#EXT-X-DISCONTINUITY-SEQUENCE:{parts[0].run}",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    ]
    run = 0
    for part in parts:
        if part.run != run:
            lines += ["#EXT-X-DISCONTINUITY"] if run else []
            lines.append(f'#EXT-X-MAP:URI="live/init-{part.run}.mp4"')
            run = part.run
        lines.append(f"#EXT-X-PROGRAM-DATE-TIME:{format_utc(part.pieces[0].wall_us)}")
        lines += [f"#EXTINF:{part.duration_s:.3f},", f"live/{part.number}.m4s"]
    return "\n".join(lines) + "\n"


def _init(feed: CameraFeed, name: str) -> bytes | None:
    number = _number(name.removeprefix("init-").removesuffix(".mp4"))
    init = feed.inits.get(number) if number is not None else None
    return None if init is None else init.data


def _part(feed: CameraFeed, name: str) -> bytes | None:
    number = _number(name.removesuffix(".m4s"))
    return next((part.data for part in feed.whole_parts() if part.number == number), None)


def _number(text: str) -> int | None:
    """As a playlist writes it; no part has a number of more digits, and thousands of them would not be read."""
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= _MOST_DIGITS else None
