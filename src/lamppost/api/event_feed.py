"""Events as they happen: whoever listens is sent each when the index has learnt of it."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass, field
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Query, WebSocket
from starlette.concurrency import run_in_threadpool
from starlette.websockets import WebSocketDisconnect

from lamppost.api.context import Context, context_of
from lamppost.api.event_changes import Changed, EventChanges
from lamppost.api.events import event_of, may_see
from lamppost.api.permit import Identity, Permit
from lamppost.api.problems import Problem
from lamppost.api.security import identify
from lamppost.api.socket_parts import first_to_end
from lamppost.base.errors import StoreError
from lamppost.base.logging import get_logger
from lamppost.model.access import Permission
from lamppost.store.event_pages import ListedEvent

router = APIRouter()
POLL_S: Final = 0.25
PING_S: Final = 20.0
MOST_LISTENERS: Final = 500
MOST_WAITING: Final = 500
SIGNED_OUT: Final = 4401
TOO_SLOW: Final = 4408
FULL: Final = 4429


@dataclass(slots=True, eq=False)
class Listener:
    """One who listens; `queue` holds events, and None once they were too slow."""

    queue: asyncio.Queue[ListedEvent | None] = field(default_factory=lambda: asyncio.Queue(MOST_WAITING + 1))


class EventFeed:
    """Looks at the index for all who listen, four times a second, while anybody does.

    Of a burst each look tells a piece, so that who listens keeps up with it.
    """

    def __init__(self, context: Context) -> None:
        self._context = context
        self._listeners: set[Listener] = set()
        self._task: asyncio.Task[None] | None = None
        self._problem = ""

    @property
    def listeners(self) -> int:
        return len(self._listeners)

    def join(self) -> Listener:
        """One more; from now on."""
        listener = Listener()
        self._listeners.add(listener)
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._look(EventChanges(self._context.clock.wall_us())))
        return listener

    def leave(self, listener: Listener) -> None:
        self._listeners.discard(listener)

    async def close(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task

    async def _look(self, changes: EventChanges) -> None:
        while self._listeners:
            try:
                found = await run_in_threadpool(lambda: changes.look(self._context.events))
                self._problem = ""
            except StoreError as error:
                if str(error) != self._problem:
                    get_logger("server").error("events cannot be followed", problem=str(error))
                self._problem = str(error)
                found = Changed((), is_all=True)
            for event in found.events:
                for listener in self._listeners:
                    _offer(listener, event)
            # A piece of which all is known already is passed over at once.
            await asyncio.sleep(POLL_S if found.events or found.is_all else 0)


def _offer(listener: Listener, event: ListedEvent) -> None:
    if listener.queue.qsize() >= MOST_WAITING:
        if listener.queue.qsize() == MOST_WAITING:
            listener.queue.put_nowait(None)
        return
    listener.queue.put_nowait(event)


@router.websocket("/events/feed")
async def feed(
    socket: WebSocket,
    identity: Annotated[Identity, Depends(Permit(Permission.SEE_EVENTS))],
    context: Annotated[Context, Depends(context_of)],
    camera: Annotated[list[str], Query(max_length=200)] = [],  # noqa: B006 - the framework copies it
) -> None:
    """`{"type": "event", "event": …}` for each that began, changed, ended or was noted; `{"type": "ping"}` now and then."""
    await socket.accept()
    events: EventFeed = socket.app.state.event_feed
    if events.listeners >= MOST_LISTENERS:
        await socket.close(FULL)
        return
    listener = events.join()
    try:
        code = await first_to_end(_send(socket, listener, context, identity, frozenset(camera)), _hear(socket))
    finally:
        events.leave(listener)
    with contextlib.suppress(RuntimeError, WebSocketDisconnect):  # they have gone already
        await socket.close(code)


async def _send(socket: WebSocket, listener: Listener, context: Context, identity: Identity, cameras: frozenset[str]) -> int:
    clock = context.clock
    looked_s = clock.monotonic_s()
    now_s = asyncio.get_running_loop().time
    sent_s = now_s()
    while True:
        try:
            # By what was sent: events for others must not keep away the word by which a page knows that the line holds.
            async with asyncio.timeout_at(sent_s + PING_S):
                event = await listener.queue.get()
        except TimeoutError:
            await socket.send_json({"type": "ping"})
            sent_s = now_s()
        else:
            if event is None:
                return TOO_SLOW
            if may_see(identity, Permission.SEE_EVENTS, event.row.camera) and (not cameras or event.row.camera in cameras):
                await socket.send_json(_told(context, event))
                sent_s = now_s()
        if clock.monotonic_s() - looked_s > PING_S:
            looked_s = clock.monotonic_s()
            try:
                identity = Identity(await run_in_threadpool(identify, socket), context)
            except Problem:
                return SIGNED_OUT


def _told(context: Context, event: ListedEvent) -> dict[str, Any]:
    return {"type": "event", "event": event_of(context, event).model_dump(mode="json")}


async def _hear(socket: WebSocket) -> int:
    while (await socket.receive())["type"] != "websocket.disconnect":
        pass
    return 1000
