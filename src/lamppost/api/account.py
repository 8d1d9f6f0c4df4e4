"""What somebody may do with their own account: password, codes, tokens, preferences."""

from __future__ import annotations

import json
from collections.abc import Iterable
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr

from lamppost.access.desk import MOST_PREFERENCES, SignInRefused, SignInThrottled
from lamppost.api.context import Context, context_of
from lamppost.api.desks import desk_of, parse_grants
from lamppost.api.moments import Time
from lamppost.api.paging import Page
from lamppost.api.permit import AnySignedIn, Identity
from lamppost.api.problems import Mistake, Problem, forbidden, not_found
from lamppost.api.security import address_of
from lamppost.api.session import GrantBody, throttled
from lamppost.store.access_book import TokenRow

router = APIRouter(prefix="/account")
_Context = Annotated[Context, Depends(context_of)]
_LONGEST_DAYS: Final = 366
_DEEPEST: Final = 32  # preferences


class PasswordChange(BaseModel):
    """The old one and a new one."""

    old: SecretStr = Field(max_length=256)
    new: SecretStr = Field(max_length=256)


class CodesOffer(BaseModel):
    """What an app needs to make codes; shown once."""

    secret: str
    uri: str
    qr_svg: str


class CodesProof(BaseModel):
    """A secret that was offered, and a code that an app made of it."""

    secret: SecretStr = Field(max_length=64)
    code: str = Field(max_length=16)


class PasswordProof(BaseModel):
    """One's own password, again."""

    password: SecretStr = Field(max_length=256)


class Token(BaseModel):
    """An API token; the token itself is shown once, when it is made."""

    id: str
    name: str
    created: Time
    expires: Time
    last_used: Time | None
    grants: list[GrantBody]


class NewToken(Token):
    """A token, shown this once."""

    token: str


class TokenWish(BaseModel):
    """A token to be made: within what one may oneself."""

    name: str = Field(min_length=1, max_length=100)
    expires_days: int = Field(ge=1, le=_LONGEST_DAYS)
    grants: list[GrantBody] = Field(min_length=1, max_length=50)


def person(identity: Annotated[Identity, Depends(AnySignedIn())]) -> Identity:
    """A person with a session: a token cannot change who may sign in, nor make another that outlives it."""
    if identity.signed_in.session_id is None:
        raise forbidden("this needs somebody who has signed in, and no token")
    return identity


_Person = Annotated[Identity, Depends(person)]


@router.post("/password", status_code=HTTPStatus.NO_CONTENT)
def change_password(given: PasswordChange, identity: _Person, request: Request, context: _Context) -> None:
    """Change it; everywhere else one is signed out."""
    try:
        desk_of(context).change_password(
            identity.signed_in, given.old.get_secret_value(), given.new.get_secret_value(), address=address_of(request)
        )
    except (SignInRefused, SignInThrottled) as error:
        raise _unproven(error) from error
    context.act("password_changed", identity.name, "node", {})


@router.post("/totp")
def offer_codes(identity: _Person, context: _Context) -> CodesOffer:
    """A secret for an app; nothing changes before a code of it was seen."""
    offer = desk_of(context).offer_codes(identity.signed_in, context.settings.site)
    return CodesOffer(secret=offer.secret, uri=offer.uri, qr_svg=offer.qr_svg)


@router.put("/totp", status_code=HTTPStatus.NO_CONTENT)
def turn_on_codes(given: CodesProof, identity: _Person, context: _Context) -> None:
    """From now on a code is needed to sign in."""
    desk_of(context).turn_on_codes(identity.signed_in, given.secret.get_secret_value(), given.code)
    context.act("totp_on", identity.name, "node", {})


@router.post("/totp/off", status_code=HTTPStatus.NO_CONTENT)
def turn_off_codes(given: PasswordProof, identity: _Person, request: Request, context: _Context) -> None:
    """From now on the password alone is enough."""
    try:
        desk_of(context).turn_off_codes(identity.signed_in, given.password.get_secret_value(), address=address_of(request))
    except (SignInRefused, SignInThrottled) as error:
        raise _unproven(error) from error
    context.act("totp_off", identity.name, "node", {})


@router.get("/preferences")
def get_preferences(identity: Annotated[Identity, Depends(AnySignedIn())], context: _Context) -> dict[str, Any]:
    """What the console keeps for somebody: theme, language, walls."""
    content: dict[str, Any] = json.loads(desk_of(context).book.preferences(identity.signed_in.user_id))
    return content


@router.put("/preferences")
def put_preferences(given: dict[str, Any], identity: Annotated[Identity, Depends(AnySignedIn())], context: _Context) -> dict[str, Any]:
    """Keep one object in place of what was there; at most 64 kB of JSON."""
    content = _preferences_as_text(given)
    if len(content) > MOST_PREFERENCES:
        raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"preferences take {len(content)} bytes, more than {MOST_PREFERENCES}")
    desk_of(context).book.put_preferences(identity.signed_in.user_id, content)
    return given


@router.get("/tokens")
def tokens(identity: _Person, context: _Context) -> Page[Token]:
    """One's own tokens, newest first; never the tokens themselves."""
    return Page(items=[_token(row) for row in desk_of(context).book.tokens_of(identity.signed_in.user_id)])


@router.post("/tokens", status_code=HTTPStatus.CREATED)
def make_token(wish: TokenWish, identity: _Person, context: _Context) -> NewToken:
    """A token that permits no more than one may oneself, today and later."""
    grants = parse_grants((grant.role, grant.scope) for grant in wish.grants)
    row, token = desk_of(context).make_token(identity.signed_in, wish.name, grants, wish.expires_days)
    told = [f"{grant.role.value} of {grant.scope.text}" for grant in grants]
    context.act("token_made", identity.name, "node", {"id": row.token_id, "name": row.name, "days": wish.expires_days, "grants": told})
    return NewToken(**_values(row), token=token)


@router.delete("/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_token(token_id: str, identity: _Person, context: _Context) -> None:
    """From now on nobody gets in by it."""
    if not desk_of(context).book.remove_token(identity.signed_in.user_id, token_id):
        raise not_found("token")
    context.act("token_removed", identity.name, "node", {"id": token_id})


def _preferences_as_text(given: dict[str, Any]) -> str:
    """As they are kept; raises a problem for what could not be given back: numbers that are none, half characters, a deep nest."""
    if not is_shallow(given, _DEEPEST):
        raise _unkept(f"more than {_DEEPEST} objects and lists lie within each other")
    try:
        json.dumps(given, ensure_ascii=False).encode()
        return json.dumps(given, separators=(",", ":"), allow_nan=False)
    except ValueError as error:
        raise _unkept("it holds a number or a character that JSON does not have") from error


def is_shallow(value: object, levels: int) -> bool:
    """Whether no more than `levels` objects and lists lie within each other."""
    if isinstance(value, dict):
        inner: Iterable[object] = cast("dict[str, object]", value).values()
    elif isinstance(value, list):
        inner = cast("list[object]", value)
    else:
        return True
    return levels > 0 and all(is_shallow(each, levels - 1) for each in inner)


def _unkept(problem: str) -> Problem:
    mistake = Mistake(at="body", problem=problem)
    return Problem(HTTPStatus.UNPROCESSABLE_ENTITY, "the request cannot be used", kind="invalid", errors=[mistake])


def _token(row: TokenRow) -> Token:
    return Token(**_values(row))


def _values(row: TokenRow) -> dict[str, Any]:
    return {
        "id": row.token_id,
        "name": row.name,
        "created": row.created_us,
        "expires": row.expires_us,
        "last_used": row.used_us,
        "grants": [GrantBody(role=grant.role.value, scope=grant.scope.text) for grant in row.grants],
    }


def _unproven(error: SignInRefused | SignInThrottled) -> Problem:
    if isinstance(error, SignInThrottled):
        return throttled(error)
    return Problem(HTTPStatus.FORBIDDEN, error.problem, kind="refused", remedy=error.remedy)
