"""Users, their roles, and links for them."""

from __future__ import annotations

from http import HTTPStatus
from typing import Annotated, Any, Final

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field

from lamppost.access.desk import LINK_LIFE_S, LinkKind, check_display_name
from lamppost.api.context import Context, context_of
from lamppost.api.desks import desk_of, parse_grants
from lamppost.api.etags import changed, etag_of_content, require_match
from lamppost.api.moments import Time
from lamppost.api.paging import Page
from lamppost.api.permit import AnySignedIn, Identity, Permit
from lamppost.api.problems import Problem, not_found
from lamppost.api.security import is_secure
from lamppost.api.session import GrantBody
from lamppost.base.clock import US_PER_S
from lamppost.model.access import PERMITTED, Grant, Permission, Role
from lamppost.store.access_book import LastAdministrator, NameTaken, UserChanged, UserRow

router = APIRouter()
_Context = Annotated[Context, Depends(context_of)]
_Seer = Annotated[Identity, Depends(Permit(Permission.SEE_USERS))]
_WORDS: Final = {
    Role.VIEWER: ("Viewer", "sees cameras live and events"),
    Role.OPERATOR: ("Operator", "also watches the past, exports masked clips, handles events, sees counts"),
    Role.PTZ_OPERATOR: ("Operator who steers", "an operator who also turns cameras; the picture is covered while they turn"),
    Role.ANALYST: ("Analyst", "sees counts, draws lines, zones and rules"),
    Role.PRIVACY_OFFICER: (
        "Privacy officer",
        "sees what is on the record, what is masked and kept, and who may do what; audits what cameras are able to do",
    ),
    Role.EVIDENCE_OFFICER: ("Evidence officer", "watches the past, exports, places holds"),
    Role.CUSTODIAN: ("Custodian", "sees holds and what is on the record; opens originals on a machine of their own"),
    Role.ADMINISTRATOR: ("Administrator", "sets up cameras, users and the node, and does not watch the past"),
}


class RoleBody(BaseModel):
    """A role in words, and what it permits."""

    role: Role
    title: str
    description: str
    permissions: list[Permission]


class Roles(BaseModel):
    """All roles there are."""

    items: list[RoleBody]


class User(BaseModel):
    """Somebody who may sign in."""

    id: str
    name: str
    display_name: str
    grants: list[GrantBody]
    totp: bool
    is_disabled: bool
    created: Time
    last_seen: Time | None
    invited: bool = Field(description="An invitation waits for them.")


class UserLink(BaseModel):
    """A link that is good once."""

    link: str
    expires: Time


class InvitedUser(User):
    """Somebody who was just added, with the link by which they choose a password."""

    link: str


class UserWish(BaseModel):
    """Somebody to be added."""

    name: str = Field(min_length=1, max_length=63)
    display_name: str = Field(default="", max_length=100)
    grants: list[GrantBody] = Field(max_length=50)


class UserChange(BaseModel):
    """What is to change; what is left out stays."""

    display_name: str | None = Field(default=None, max_length=100)
    grants: list[GrantBody] | None = Field(default=None, max_length=50)
    is_disabled: bool | None = None


def editor(identity: Annotated[Identity, Depends(Permit(Permission.EDIT_USERS))]) -> Identity:
    """A person with a session: a token cannot make somebody who outlives it."""
    identity.require_person()
    return identity


_Editor = Annotated[Identity, Depends(editor)]


@router.get("/roles", dependencies=[Depends(AnySignedIn())])
def roles() -> Roles:
    """The roles, and what each permits."""
    return Roles(
        items=[
            RoleBody(role=role, title=_WORDS[role][0], description=_WORDS[role][1], permissions=sorted(PERMITTED[role])) for role in Role
        ]
    )


@router.get("/users")
def users(_identity: _Seer, context: _Context) -> Page[User]:
    """Everybody, by name."""
    book = desk_of(context).book
    invited = book.invited()
    return Page(items=[_body(user, user.user_id in invited) for user in book.users()])


@router.post("/users", status_code=HTTPStatus.CREATED)
def add_user(wish: UserWish, identity: _Editor, request: Request, context: _Context) -> InvitedUser:
    """Add somebody; the answer has the link by which they choose their password."""
    desk = desk_of(context)
    user = desk.new_user(wish.name, wish.display_name, parse_grants((grant.role, grant.scope) for grant in wish.grants))
    try:
        word = desk.invite(user, first=lambda: context.act("user_added", identity.name, user.name, {"grants": _told(user.grants)}))
    except NameTaken as error:
        raise Problem(HTTPStatus.CONFLICT, error.problem, kind="name-taken", remedy=error.remedy) from error
    return InvitedUser(**_values(user, is_invited=True), link=_link(request, context, "setup", word))


@router.get("/users/{user_id}")
def one_user(user_id: str, _identity: _Seer, context: _Context) -> User:
    """One of them."""
    return _body(_find(context, user_id), user_id in desk_of(context).book.invited())


@router.patch("/users/{user_id}")
def change_user(user_id: str, change: UserChange, identity: _Editor, request: Request, context: _Context) -> User:
    """Change what they are called, what they may, or whether they can sign in at all. Needs `If-Match`."""
    book, before = desk_of(context).book, _find(context, user_id)
    require_match(request, etag_of_content(_body(before, user_id in book.invited())))
    values: dict[str, object] = {}
    if change.display_name is not None:
        check_display_name(change.display_name)
        values["display_name"] = change.display_name.strip()
    if change.is_disabled is not None:
        values["is_disabled"] = int(change.is_disabled)
    grants = None if change.grants is None else parse_grants((grant.role, grant.scope) for grant in change.grants)
    told: dict[str, object] = {"grants": _told(grants)} if grants is not None else {}
    told |= {key: value for key, value in values.items() if key == "is_disabled"}
    try:
        book.change_user(
            user_id,
            grants=grants,
            expected=before,
            first=lambda: context.act("user_changed", identity.name, before.name, told),
            **values,
        )
    except LastAdministrator as error:
        raise _last(error) from error
    except UserChanged as error:
        raise changed() from error
    if change.is_disabled:
        book.end_sessions_of(user_id)
    return _body(_find(context, user_id), user_id in book.invited())


@router.delete("/users/{user_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_user(user_id: str, identity: _Editor, request: Request, context: _Context) -> None:
    """Remove somebody, their sessions and tokens; what they did stays on the record. Needs `If-Match`."""
    book, user = desk_of(context).book, _find(context, user_id)
    require_match(request, etag_of_content(_body(user, user_id in book.invited())))
    try:
        book.remove_user(user_id, expected=user, first=lambda: context.act("user_removed", identity.name, user.name, {}))
    except LastAdministrator as error:
        raise _last(error) from error
    except UserChanged as error:
        raise changed() from error


@router.post("/users/{user_id}/link", status_code=HTTPStatus.CREATED)
def make_link(user_id: str, identity: _Editor, request: Request, context: _Context) -> UserLink:
    """A link by which they choose a new password; the one they had works until then."""
    desk, user = desk_of(context), _find(context, user_id)
    kind = LinkKind.PASSWORD if user.password_hash is not None else LinkKind.INVITE
    word = desk.make_link(user, kind, first=lambda: context.act("link_made", identity.name, user.name, {"kind": kind.value}))
    expires_us = context.clock.wall_us() + LINK_LIFE_S[kind.value] * US_PER_S
    return UserLink(link=_link(request, context, "setup", word), expires=expires_us)


@router.delete("/users/{user_id}/sessions", status_code=HTTPStatus.NO_CONTENT)
def end_sessions(user_id: str, identity: _Editor, context: _Context) -> None:
    """Sign them out everywhere."""
    user = _find(context, user_id)
    desk_of(context).book.end_sessions_of(user_id, first=lambda: context.act("sessions_ended", identity.name, user.name, {}))


@router.delete("/users/{user_id}/totp", status_code=HTTPStatus.NO_CONTENT)
def turn_off_codes(user_id: str, identity: _Editor, context: _Context) -> None:
    """For who has lost their phone."""
    user = _find(context, user_id)
    desk_of(context).book.change_user(user_id, totp_sealed=None, first=lambda: context.act("totp_off", identity.name, user.name, {}))


def _find(context: Context, user_id: str) -> UserRow:
    user = desk_of(context).book.user(user_id)
    if user is None:
        raise not_found("user")
    return user


def _body(user: UserRow, is_invited: bool) -> User:
    return User(**_values(user, is_invited=is_invited))


def _values(user: UserRow, *, is_invited: bool) -> dict[str, Any]:
    return {
        "id": user.user_id,
        "name": user.name,
        "display_name": user.display_name,
        "grants": [GrantBody(role=grant.role.value, scope=grant.scope.text) for grant in user.grants],
        "totp": user.totp_sealed is not None,
        "is_disabled": user.is_disabled,
        "created": user.created_us,
        "last_seen": user.last_seen_us,
        "invited": is_invited and user.password_hash is None,
    }


def _told(grants: tuple[Grant, ...] | None) -> list[str]:
    return [f"{grant.role.value} of {grant.scope.text}" for grant in grants or ()]


def _link(request: Request, context: Context, page: str, word: str) -> str:
    """The word stands behind the `#`: no server, proxy or log ever sees it there."""
    public = context.settings.server.public_url
    base = public or f"{'https' if is_secure(request) else 'http'}://{request.headers.get('host', '')}"
    return f"{base}/{page}#token={word}"


def _last(error: LastAdministrator) -> Problem:
    return Problem(HTTPStatus.CONFLICT, error.problem, kind="last-administrator", remedy=error.remedy)
