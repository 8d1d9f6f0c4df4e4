"""What somebody may do with their own account: password, codes, tokens, preferences."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Annotated, Any, Final, cast

from fastapi import APIRouter, Depends, Request
from pydantic import BaseModel, Field, SecretStr

from lamppost.access.desk import MOST_PREFERENCES, SignInRefused
from lamppost.access.offers import OfferOver
from lamppost.access.throttle import SignInThrottled
from lamppost.api.context import Context, context_of
from lamppost.api.desks import desk_of, parse_grants
from lamppost.api.etags import etag_of_content, require_match
from lamppost.api.moments import Time
from lamppost.api.paging import Page
from lamppost.api.permit import AnySignedIn, Identity
from lamppost.api.problems import Mistake, Problem, not_found
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
    needs_password: bool = Field(description="The password must come with the code; not so in the first session of somebody new.")
    needs_old_code: bool = Field(description="Codes are on already: one of the app that was used so far must come as well.")


class CodesProof(BaseModel):
    """A code that an app made of the secret that was offered to this session last, and the proof of who asks where one is needed."""

    code: str = Field(max_length=16)
    password: SecretStr = Field(default=SecretStr(""), max_length=256)
    old_code: str = Field(default="", max_length=16)


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
    identity.require_person()
    return identity


_Person = Annotated[Identity, Depends(person)]


@router.post("/password", status_code=HTTPStatus.NO_CONTENT)
def change_password(given: PasswordChange, identity: _Person, request: Request, context: _Context) -> None:
    """Change it; everywhere else one is signed out."""
    try:
        desk_of(context).change_password(
            identity.signed_in,
            given.old.get_secret_value(),
            given.new.get_secret_value(),
            address=address_of(request),
            first=lambda: context.act("password_changed", identity.name, "node", {}),
        )
    except (SignInRefused, SignInThrottled) as error:
        raise _unproven(error) from error


@router.post("/totp")
def offer_codes(identity: _Person, context: _Context) -> CodesOffer:
    """A secret for an app, good for a quarter of an hour; nothing changes before a code of it was seen."""
    offer = desk_of(context).offer_codes(identity.signed_in, context.settings.site)
    return CodesOffer(
        secret=offer.pairing.secret,
        uri=offer.pairing.uri,
        qr_svg=offer.pairing.qr_svg,
        needs_password=offer.needs_password,
        needs_old_code=offer.needs_old_code,
    )


@router.put("/totp", status_code=HTTPStatus.NO_CONTENT)
def turn_on_codes(given: CodesProof, identity: _Person, request: Request, context: _Context) -> None:
    """From now on a code is needed to sign in; everywhere else one is signed out."""
    try:
        desk_of(context).turn_on_codes(
            identity.signed_in,
            given.code,
            password=given.password.get_secret_value(),
            old_code=given.old_code,
            address=address_of(request),
            first=lambda: context.act("totp_on", identity.name, "node", {}),
        )
    except OfferOver as error:
        raise Problem(HTTPStatus.CONFLICT, error.problem, kind="offer-over", remedy=error.remedy) from error
    except (SignInRefused, SignInThrottled) as error:
        raise _unproven(error) from error


@router.post("/totp/off", status_code=HTTPStatus.NO_CONTENT)
def turn_off_codes(given: PasswordProof, identity: _Person, request: Request, context: _Context) -> None:
    """From now on the password alone is enough."""
    try:
        desk_of(context).turn_off_codes(
            identity.signed_in,
            given.password.get_secret_value(),
            address=address_of(request),
            first=lambda: context.act("totp_off", identity.name, "node", {}),
        )
    except (SignInRefused, SignInThrottled) as error:
        raise _unproven(error) from error


@router.get("/preferences")
def get_preferences(identity: Annotated[Identity, Depends(AnySignedIn())], context: _Context) -> dict[str, Any]:
    """What the console keeps for somebody: theme, language, walls."""
    content: dict[str, Any] = json.loads(desk_of(context).book.preferences(identity.signed_in.user_id))
    return content


@router.put("/preferences")
def put_preferences(
    given: dict[str, Any], identity: Annotated[Identity, Depends(AnySignedIn())], request: Request, context: _Context
) -> dict[str, Any]:
    """Keep one object in place of what was there; at most 64 kB of JSON. `If-Match` keeps what somebody else has changed meanwhile."""
    return _prefer(request, identity, context, lambda _: given)


@router.patch("/preferences")
def change_preferences(
    given: dict[str, Any], identity: Annotated[Identity, Depends(AnySignedIn())], request: Request, context: _Context
) -> dict[str, Any]:
    """Change what is named and keep everything else; null takes a name out. `If-Match` as with `PUT`."""
    return _prefer(request, identity, context, lambda known: {name: value for name, value in (known | given).items() if value is not None})


def _prefer(request: Request, identity: Identity, context: Context, change: Callable[[dict[str, Any]], dict[str, Any]]) -> dict[str, Any]:
    def changed(known: str) -> str:
        before: dict[str, Any] = json.loads(known)
        if "if-match" in request.headers:
            require_match(request, etag_of_content(before))
        content = _preferences_as_text(change(before))
        if len(content) > MOST_PREFERENCES:
            raise Problem(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"preferences take {len(content)} bytes, more than {MOST_PREFERENCES}")
        return content

    kept: dict[str, Any] = json.loads(desk_of(context).book.change_preferences(identity.signed_in.user_id, changed))
    return kept


@router.get("/tokens")
def tokens(identity: _Person, context: _Context) -> Page[Token]:
    """One's own tokens, newest first; never the tokens themselves."""
    return Page(items=[_token(row) for row in desk_of(context).book.tokens_of(identity.signed_in.user_id)])


@router.post("/tokens", status_code=HTTPStatus.CREATED)
def make_token(wish: TokenWish, identity: _Person, context: _Context) -> NewToken:
    """A token that permits no more than one may oneself, today and later."""
    grants = parse_grants((grant.role, grant.scope) for grant in wish.grants)
    told = {"name": wish.name, "days": wish.expires_days, "grants": [f"{grant.role.value} of {grant.scope.text}" for grant in grants]}
    row, token = desk_of(context).make_token(
        identity.signed_in,
        wish.name,
        grants,
        wish.expires_days,
        first=lambda token_id: context.act("token_made", identity.name, "node", {"id": token_id} | told),
    )
    return NewToken(**_values(row), token=token)


@router.delete("/tokens/{token_id}", status_code=HTTPStatus.NO_CONTENT)
def remove_token(token_id: str, identity: _Person, context: _Context) -> None:
    """From now on nobody gets in by it."""
    is_removed = desk_of(context).book.remove_token(
        identity.signed_in.user_id, token_id, first=lambda: context.act("token_removed", identity.name, "node", {"id": token_id})
    )
    if not is_removed:
        raise not_found("token")


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
