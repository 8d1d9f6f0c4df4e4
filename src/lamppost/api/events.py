"""Events: what happened, and who has taken note of it."""

from __future__ import annotations

import threading
from http import HTTPStatus
from pathlib import Path
from typing import Annotated, Any, Final, Literal

from fastapi import APIRouter, Depends, Query, Request, Response
from pydantic import BaseModel, Field

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, make_cursor, read_cursor
from lamppost.api.past import UNKEPT
from lamppost.api.permit import API, Identity, Permit
from lamppost.api.problems import Problem, forbidden, not_found
from lamppost.api.recent import RecentActs
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.model.access import Permission
from lamppost.model.books import EventNoted, NoteKind, Severity
from lamppost.model.event_document import document_of
from lamppost.model.happening import Phase
from lamppost.model.rules import CountedKind, Way
from lamppost.store.event_pages import ListedEvent
from lamppost.store.event_search import EventFilter
from lamppost.store.index import FOREVER_US

router = APIRouter()
INDEX_PATIENCE_S: Final = 2.0
POLL_S: Final = 0.1
_Reader = Annotated[Identity, Depends(Permit(Permission.SEE_EVENTS))]
_Handler = Annotated[Identity, Depends(Permit(Permission.HANDLE_EVENTS))]
_Context = Annotated[Context, Depends(context_of)]
_Cameras = Annotated[list[str], Query(max_length=200, description="Of these alone; may be given more than once, as those below.")]
_Sites = Annotated[list[str], Query(max_length=200, description="The ids of sites.")]
_Types = Annotated[list[str], Query(max_length=200, description="Types of events, as the reference of events names them.")]
_State = Literal["open", "acknowledged", "unacknowledged"]
_NEVER: Final = threading.Event()


class Acknowledged(BaseModel):
    """Somebody looks after it."""

    at: Time
    by: str


class Event(BaseModel):
    """An event, in the words of docs/reference/events.md, and what people did with it."""

    id: str
    type: str
    severity: Severity
    camera: str | None
    site: str | None
    rule: str | None
    place: str | None
    kind: CountedKind | None
    count: int | None
    value: float | None
    unit: str | None
    limit: float | None
    level: int | None
    ways: list[Way]
    note: str
    started: Time
    ended: Time | None
    snapshot: str | None = Field(description="Where its masked picture is; null where there is none.")
    acknowledged: Acknowledged | None
    comments: int


class Note(BaseModel):
    """What somebody did with an event."""

    id: str
    kind: NoteKind
    at: Time
    by: str
    text: str


class EventWithNotes(Event):
    """An event with all that was said of it."""

    notes: list[Note]


class Acknowledgement(BaseModel):
    """That somebody looks after it, and what they say."""

    text: str = Field(default="", max_length=2000)


class Comment(BaseModel):
    """What somebody says of an event."""

    text: str = Field(min_length=1, max_length=2000)


_LATER: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": EventWithNotes, "description": "It is on the record; the index has not taken it in yet."}
}


@router.get("/events")
def events(
    identity: _Reader,
    context: _Context,
    camera: _Cameras = [],  # noqa: B006 - the framework copies it
    site: _Sites = [],  # noqa: B006
    type: _Types = [],  # noqa: B006
    severity: Annotated[list[Severity], Query(description="Of these alone.")] = [],  # noqa: B006
    state: Annotated[_State | None, Query(description="Those that last, or that somebody or nobody looks after.")] = None,
    rule: Annotated[str, Query(max_length=63, description="The name of a rule.")] = "",
    from_: Annotated[Moment | None, Query(alias="from", description="Those that began then or later.")] = None,
    to: Annotated[Moment | None, Query(description="Those that began before.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = "",
) -> Page[Event]:
    """The newest first. A page may hold fewer than `limit`, or none, and still have a `next`: rare ones are sought a piece at a time."""
    cameras, has_node = visible(identity, tuple(camera), tuple(site))
    wanted = EventFilter(
        cameras=cameras,
        has_node=has_node,
        types=tuple(type),
        severities=tuple(severity),
        state=state,
        rule=rule,
        from_us=0 if from_ is None else us_of(from_),
        to_us=FOREVER_US if to is None else us_of(to),
    )
    after = read_cursor(cursor, int, str)
    found = context.events.page(wanted, after=None if after is None else (int(after[0]), str(after[1])), limit=limit)
    more = None if found.rest is None else make_cursor(*found.rest)
    return Page(items=[event_of(context, each) for each in found.events], next=more)


@router.get("/events/{event_id}")
def one_event(event_id: str, identity: _Reader, context: _Context) -> EventWithNotes:
    """One of them, with what was said of it."""
    return _with_notes(context, _find(identity, context, event_id))


@router.post("/events/{event_id}/acknowledgement", status_code=HTTPStatus.CREATED, responses=_LATER)
def acknowledge(event_id: str, given: Acknowledgement, identity: _Handler, context: _Context, response: Response) -> EventWithNotes:
    """Look after it: others see that somebody does."""
    return _note(identity, context, event_id, NoteKind.ACKNOWLEDGED, given.text, response)


@router.post("/events/{event_id}/comments", status_code=HTTPStatus.CREATED, responses=_LATER)
def comment(event_id: str, given: Comment, identity: _Handler, context: _Context, response: Response) -> EventWithNotes:
    """Say something of it."""
    return _note(identity, context, event_id, NoteKind.COMMENT, given.text, response)


@router.get("/events/{event_id}/snapshot.jpg", response_class=Response, responses={200: {"content": {"image/jpeg": {}}}})
def snapshot(event_id: str, identity: _Reader, context: _Context, request: Request) -> Response:
    """Its masked picture; that somebody looked is on the record before it leaves."""
    event = _find(identity, context, event_id)
    found = context.events.snapshot(event_id)
    # Read before anything is said of it: retention may delete the file at any moment.
    picture = _read_picture(context.folder.root / found.path) if found is not None else None
    if picture is None:
        raise not_found("picture, any more")
    acts: RecentActs = request.app.state.recent_acts
    acts.note("snapshot_viewed", identity.name, event.row.camera or "node", {"event": event_id})
    return Response(picture, media_type="image/jpeg", headers=UNKEPT)


def _read_picture(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None
    except OSError as error:
        raise StoreError(f"cannot read the picture {path}: {error.strerror}", remedy="look at the disk") from error


def visible(identity: Identity, cameras: tuple[str, ...], sites: tuple[str, ...]) -> tuple[tuple[str, ...] | None, bool]:
    """Of which cameras the caller may see events, and whether those of the node are among what they asked for."""
    is_all = identity.may_everywhere(Permission.SEE_EVENTS)
    if is_all and not cameras and not sites:
        return None, True
    if is_all and cameras and not sites:
        return cameras, False
    of_site = tuple(name for name in identity.cameras(Permission.SEE_EVENTS) if not sites or identity.context.site_of(name) in sites)
    return tuple(name for name in of_site if not cameras or name in cameras), False


def event_of(context: Context, listed: ListedEvent) -> Event:
    """An event as the API tells it."""
    row = listed.row
    document = document_of(
        event_id=row.event_id,
        sequence=0,
        phase=Phase.START if row.end_us is None else Phase.END,
        kind=row.kind,
        severity=row.severity,
        camera=row.camera,
        start_us=row.start_us,
        end_us=row.end_us,
        detail=row.detail,
    )
    camera = context.camera(row.camera) if row.camera is not None else None
    told = document.model_dump(include={"rule", "place", "kind", "count", "value", "unit", "limit", "level", "ways", "note"})
    return Event(
        **told,
        id=row.event_id,
        type=row.kind,
        severity=row.severity,
        camera=row.camera,
        site=(camera.site if camera is not None else "") or context.settings.site or None,
        started=row.start_us,
        ended=row.end_us,
        snapshot=f"{API}/events/{row.event_id}/snapshot.jpg" if listed.has_snapshot else None,
        acknowledged=(None if listed.acknowledged_us is None else Acknowledged(at=listed.acknowledged_us, by=listed.acknowledged_by or "")),
        comments=listed.comments,
    )


def may_see(identity: Identity, permission: Permission, camera: str | None) -> bool:
    """Of a camera that is not there any more, and of the node, only who may see everything."""
    return identity.may_everywhere(permission) if camera is None else identity.may(permission, camera)


def _find(identity: Identity, context: Context, event_id: str) -> ListedEvent:
    event = context.events.one(event_id)
    if event is None or not may_see(identity, Permission.SEE_EVENTS, event.row.camera):
        raise not_found("event")
    return event


def _with_notes(context: Context, event: ListedEvent) -> EventWithNotes:
    notes = [
        Note(id=note.note_id, kind=note.kind, at=note.wall_us, by=note.actor, text=note.text)
        for note in context.events.notes(event.row.event_id)
    ]
    plain = event_of(context, event)
    return EventWithNotes(**{name: getattr(plain, name) for name in Event.model_fields}, notes=notes)


def _note(identity: Identity, context: Context, event_id: str, kind: NoteKind, text: str, response: Response) -> EventWithNotes:
    event = _find(identity, context, event_id)
    if not may_see(identity, Permission.HANDLE_EVENTS, event.row.camera):
        raise forbidden("you may not handle events of this camera")
    if kind is NoteKind.ACKNOWLEDGED and event.acknowledged_us is not None:
        raise Problem(
            HTTPStatus.CONFLICT, f"{event.acknowledged_by} looks after it already", kind="acknowledged", remedy="say something by a comment"
        )
    now_us = context.clock.wall_us()
    note = EventNoted(timed_id(now_us), event_id, kind.value, now_us, identity.name, " ".join(text.split()))
    act = "event_acknowledged" if kind is NoteKind.ACKNOWLEDGED else "event_commented"
    context.act(act, identity.name, event.row.camera or "node", {"event": event_id, "note": note.note_id})
    context.journal.append(note)
    if not _is_taken_in(context, note):
        response.status_code = HTTPStatus.ACCEPTED
    return _with_notes(context, _find(identity, context, event_id))


def _is_taken_in(context: Context, note: EventNoted) -> bool:
    end_s = context.clock.monotonic_s() + INDEX_PATIENCE_S
    while context.clock.monotonic_s() < end_s:
        if any(each.note_id == note.note_id for each in context.events.notes(note.event_id)):
            return True
        context.clock.wait(_NEVER, POLL_S)
    return False
