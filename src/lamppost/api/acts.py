"""The record of what was done on purpose: every view of a picture is in it."""

from __future__ import annotations

import json
from typing import Annotated, Any, cast

from fastapi import APIRouter, Depends, Query
from pydantic import BaseModel, Field

from lamppost.api.context import Context, context_of
from lamppost.api.moments import Moment, Time, us_of
from lamppost.api.paging import DEFAULT_LIMIT, Cursor, Limit, Page, make_cursor, read_cursor
from lamppost.api.permit import Identity, Permit
from lamppost.model import books
from lamppost.model.access import Permission
from lamppost.model.acts import CAMERA_ACTS
from lamppost.store.act_pages import ActFilter
from lamppost.store.index import FOREVER_US

router = APIRouter()
_Reader = Annotated[Identity, Depends(Permit(Permission.SEE_ACTS))]
_Context = Annotated[Context, Depends(context_of)]
_Kinds = Annotated[list[str], Query(max_length=20, description="Of these alone; may be given more than once, as `camera`.")]
_Cameras = Annotated[list[str], Query(max_length=20, description="About these alone; what is about no camera is left out.")]


class Act(BaseModel):
    """Something that was done on purpose."""

    id: str
    kind: str
    at: Time
    actor: str = Field(description="Who did it; `-` for somebody who is not known.")
    subject: str = Field(description="A camera, a user, a carrier, a file, or `node`.")
    detail: dict[str, Any]


class ActKinds(BaseModel):
    """The kinds of acts that there are."""

    items: list[str]


@router.get("/acts")
def acts(
    identity: _Reader,
    context: _Context,
    kind: _Kinds = [],  # noqa: B006 - the framework copies it
    actor: Annotated[str, Query(max_length=100, description="Who did it, by their name.")] = "",
    camera: _Cameras = [],  # noqa: B006
    from_: Annotated[Moment | None, Query(alias="from", description="Done then or later.")] = None,
    to: Annotated[Moment | None, Query(description="Done before.")] = None,
    limit: Limit = DEFAULT_LIMIT,
    cursor: Cursor = "",
) -> Page[Act]:
    """The newest first. Who may see those of some cameras sees those that are about these."""
    after = read_cursor(cursor, int, str)
    subjects, kinds = _subjects(identity, tuple(camera)), tuple(kind)
    if subjects is not None:
        kinds = tuple(each for each in sorted(CAMERA_ACTS) if not kind or each in kind)
        if not kinds:
            return Page(items=[])
    wanted = ActFilter(
        subjects=subjects,
        kinds=kinds,
        actor=actor,
        from_us=0 if from_ is None else us_of(from_),
        to_us=FOREVER_US if to is None else us_of(to),
    )
    found = context.acts.page(wanted, after=None if after is None else (int(after[0]), str(after[1])), limit=limit + 1)
    shown = found[:limit]
    more = make_cursor(shown[-1].wall_us, shown[-1].act_id) if len(found) > limit else None
    return Page(items=[_act(act, subjects) for act in shown], next=more)


@router.get("/acts/kinds")
def act_kinds(identity: _Reader, context: _Context) -> ActKinds:
    """To choose from; who may see the acts of some cameras has those that are about cameras."""
    is_all = identity.may_everywhere(Permission.SEE_ACTS)
    return ActKinds(items=[kind for kind in context.acts.kinds() if is_all or kind in CAMERA_ACTS])


def _subjects(identity: Identity, asked: tuple[str, ...]) -> tuple[str, ...] | None:
    """The cameras whose acts are wanted; None where all are wanted and may be seen."""
    if identity.may_everywhere(Permission.SEE_ACTS):
        return asked or None
    seen = identity.cameras(Permission.SEE_ACTS)
    return tuple(name for name in seen if not asked or name in asked)


def _act(act: books.Act, seen: tuple[str, ...] | None) -> Act:
    return Act(id=act.act_id, kind=act.kind, at=act.wall_us, actor=act.actor, subject=act.subject, detail=_detail(act.detail, seen))


def _detail(text: str, seen: tuple[str, ...] | None) -> dict[str, Any]:
    """What is told of it; of other cameras that were looked at together with it, how many there were and no more."""
    detail = _object(text)
    cameras: Any = detail.get("cameras")
    if seen is None or not isinstance(cameras, list):
        return detail
    told = cast("list[str]", cameras)
    named = [name for name in told if name in seen]
    others = len(told) - len(named)
    return detail | {"cameras": named} | ({"others": others} if others else {})


def _object(text: str) -> dict[str, Any]:
    try:
        found: Any = json.loads(text)
    except ValueError:
        return {}
    return cast("dict[str, Any]", found) if isinstance(found, dict) else {}
