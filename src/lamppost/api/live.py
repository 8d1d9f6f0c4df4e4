"""Masked pictures as they are made: over WebSocket, and one at a time."""

from __future__ import annotations

import asyncio
import contextlib
from http import HTTPStatus
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response, WebSocket
from fastapi.requests import HTTPConnection
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from lamppost.api.context import Context, context_of
from lamppost.api.live_hub import HubFull, LiveHub
from lamppost.api.past import too_many_pictures, turns_of
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.api.recent import RecentActs
from lamppost.api.security import identify
from lamppost.api.socket_parts import first_to_end
from lamppost.api.viewer import Viewer
from lamppost.base.clock import US_PER_S
from lamppost.base.errors import MediaError, StoreError
from lamppost.base.logging import get_logger
from lamppost.model.access import Permission
from lamppost.playback.stills import picture_of
from lamppost.playback.turns import TooManyPictures

router = APIRouter()
LOOK_AGAIN_S: Final = 30.0  # whether they may watch still
PING_S: Final = 3.0  # whoever hears nothing for longer than that has lost the line
SIGNED_OUT: Final = 4401
NOT_PERMITTED: Final = 4403
FULL: Final = 4429
NOT_RECORDED: Final = 1011
FIRST_PICTURE_S: Final = 4.0
_Watcher = Annotated[Identity, Depends(Permit(Permission.WATCH_LIVE))]


def hub_of(connection: HTTPConnection) -> LiveHub:
    """The hub, as a dependency of a route."""
    hub = connection.app.state.live
    assert isinstance(hub, LiveHub)  # noqa: S101 - put there when the application was made
    return hub


_Hub = Annotated[LiveHub, Depends(hub_of)]


def require_configured(context: Context, camera: str) -> None:
    """Raises 404 for a name that no camera has: who may watch everything may ask for anything, and each feed is kept."""
    if context.camera(camera) is None:
        raise not_found("camera")


@router.websocket("/cameras/{camera}/live")
async def live(socket: WebSocket, camera: str, identity: _Watcher, hub: _Hub, context: Annotated[Context, Depends(context_of)]) -> None:
    """One fragment of MP4 for each masked picture, as docs/reference/api.md tells; nothing is sent before it is on the record."""
    require_configured(context, camera)
    await socket.accept()
    began_us = context.clock.wall_us()
    try:
        await run_in_threadpool(context.act, "live_viewed", identity.name, camera, {})
    except StoreError as error:
        get_logger("live").error("nobody is shown what cannot be put on the record", camera=camera, problem=str(error))
        await socket.close(NOT_RECORDED, "this view cannot be put on the record")
        return
    try:
        with hub.watch(camera) as viewer:
            code = await first_to_end(_send(socket, viewer), _listen(socket, viewer), _look_again(socket, camera))
    except HubFull:
        code = FULL
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # they have gone already
        await socket.close(code)
    seconds = round((context.clock.wall_us() - began_us) / US_PER_S, 1)
    with contextlib.suppress(StoreError):  # that it began stands there
        await run_in_threadpool(context.act, "live_view_ended", identity.name, camera, {"seconds": seconds})


async def _send(socket: WebSocket, viewer: Viewer) -> int:
    while True:
        try:
            async with asyncio.timeout(PING_S):
                item = await viewer.next()
        except TimeoutError:
            item = {"type": "ping"}
        if isinstance(item, bytes):
            await socket.send_bytes(item)
        else:
            await socket.send_json(item)


async def _listen(socket: WebSocket, viewer: Viewer) -> int:
    while True:
        message = await socket.receive()
        if message["type"] == "websocket.disconnect":
            return 1000
        text = message.get("text") or ""
        if '"pause"' in text:
            viewer.is_paused = True
        elif '"resume"' in text:
            viewer.is_paused = False


async def _look_again(socket: WebSocket, camera: str) -> int:
    while True:
        await asyncio.sleep(LOOK_AGAIN_S)
        try:
            identity = Identity(await run_in_threadpool(identify, socket), context_of(socket))
        except Problem:
            return SIGNED_OUT
        if not identity.may(Permission.WATCH_LIVE, camera):
            return NOT_PERMITTED


async def newest_picture(request: Request, camera: str, identity: Identity, hub: LiveHub, width_px: int) -> Response:
    """The newest masked picture, on the record before it leaves; raises 404 where there is none."""
    require_configured(identity.context, camera)
    acts: RecentActs = request.app.state.recent_acts
    await run_in_threadpool(acts.note, "still_viewed", identity.name, camera, {})
    feed = hub.feed(camera)
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(FIRST_PICTURE_S):
            while feed.newest is None:
                await feed.grown.wait()
                await asyncio.sleep(0)  # the part is there, its first picture comes next
    newest = feed.newest
    if newest is None:
        raise Problem(HTTPStatus.NOT_FOUND, "there is no picture of this camera now", kind="no-picture", remedy="look at its state")
    init, piece = newest
    try:
        picture = await run_in_threadpool(_decoded, identity.context, init.data, bytes(piece.media), width_px)
    except TooManyPictures as error:
        raise too_many_pictures() from error
    except MediaError as error:
        raise Problem(HTTPStatus.NOT_FOUND, error.problem, kind="no-picture") from error
    return Response(picture, media_type="image/jpeg", headers={"Cache-Control": "no-store", "X-Taken-Ms": str(piece.wall_us // 1000)})


def _decoded(context: Context, init: bytes, fragment: bytes, width_px: int) -> bytes:
    with turns_of(context).turn():
        return picture_of(init, fragment, width_px)
