"""Signing in and out."""

from __future__ import annotations

import math
from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Request, Response
from pydantic import BaseModel, Field, SecretStr

from lamppost import __version__
from lamppost.access.desk import CodeNeeded, Desk, LinkKind, NewSession, SignedIn, SignInRefused, SignInThrottled
from lamppost.api.context import Context, context_of
from lamppost.api.desks import desk_of
from lamppost.api.moments import Time
from lamppost.api.permit import Anybody, AnySignedIn, Identity
from lamppost.api.problems import Problem, not_found
from lamppost.api.recent import RecentActs
from lamppost.api.security import address_of, check_origin, drop_cookie, set_cookie
from lamppost.base.clock import US_PER_S
from lamppost.model.access import Permission, permits_everywhere, permitted_on
from lamppost.model.acts import NOBODY
from lamppost.model.sites import sites_of

router = APIRouter()
_Context = Annotated[Context, Depends(context_of)]


class GrantBody(BaseModel):
    """A role in a scope: `*`, `site:ID` or `camera:NAME`."""

    role: str
    scope: str


class Me(BaseModel):
    """Who is signed in."""

    id: str
    name: str
    display_name: str
    totp: bool = Field(description="Whether they also need a one-time code.")


class Session(BaseModel):
    """Who is signed in, and what they may do where."""

    user: Me
    grants: list[GrantBody]
    permissions: dict[str, list[Permission]] = Field(description="By camera.")
    node_permissions: list[Permission] = Field(description="What concerns the whole node, and what is permitted for everything.")
    csrf: str = Field(description="To be sent as X-CSRF-Token with everything that changes something.")
    expires: Time
    site_name: str
    timezone: str
    version: str
    trial_keys: bool
    server_time: Time


class Credentials(BaseModel):
    """What somebody signs in with."""

    name: str = Field(min_length=1, max_length=64)
    password: SecretStr = Field(min_length=1, max_length=256)
    totp: str | None = Field(default=None, max_length=16, description="The code of now, where one is needed.")


class LinkUse(BaseModel):
    """The word of a link; a new password but for a sign-in link, a name for the first set-up."""

    token: SecretStr = Field(min_length=1, max_length=128)
    name: str = Field(default="", max_length=64)
    password: SecretStr | None = Field(default=None, max_length=256)


class LinkAsked(BaseModel):
    """The word of a link. In a body: an address ends up in logs."""

    token: SecretStr = Field(min_length=1, max_length=128)


class LinkFacts(BaseModel):
    """What a link is good for."""

    kind: LinkKind
    name: str | None
    expires: Time


def session_of(context: Context, signed_in: SignedIn) -> Session:
    """All that a page needs to know of who is signed in."""
    grants = signed_in.grants
    everywhere = [permission for permission in Permission if permits_everywhere(grants, permission)]
    user = context.desk.book.user(signed_in.user_id) if isinstance(context.desk, Desk) else None
    return Session(
        user=Me(
            id=signed_in.user_id,
            name=signed_in.name,
            display_name=signed_in.display_name,
            totp=user is not None and user.totp_sealed is not None,
        ),
        grants=[GrantBody(role=grant.role.value, scope=grant.scope.text) for grant in grants],
        permissions={
            name: sorted(held)
            for name, site in sites_of(context.settings).items()
            if Permission.SEE_CAMERAS in (held := permitted_on(grants, name, site))
        },
        node_permissions=everywhere,
        csrf=signed_in.csrf,
        expires=signed_in.expires_us,
        site_name=context.settings.site,
        timezone=context.settings.timezone,
        version=__version__,
        trial_keys=context.settings.sealing.trial,
        server_time=context.clock.wall_us(),
    )


@router.get("/session")
def get_session(identity: Annotated[Identity, Depends(AnySignedIn())], context: _Context) -> Session:
    """Who is signed in."""
    return session_of(context, identity.signed_in)


@router.post("/session", status_code=HTTPStatus.CREATED, dependencies=[Depends(Anybody())])
def sign_in(given: Credentials, request: Request, response: Response, context: _Context) -> Session:
    """Sign in with name and password, and the code of an app where one is needed."""
    check_origin(request)
    desk, address = desk_of(context), address_of(request)
    detail = {"address": address}
    try:
        new = desk.sign_in(
            given.name,
            given.password.get_secret_value(),
            given.totp,
            address=address,
            first=lambda name: context.act("signed_in", name, "node", detail),
        )
    except CodeNeeded as error:
        raise Problem(HTTPStatus.UNAUTHORIZED, error.problem, kind="totp-required", remedy=error.remedy) from error
    except SignInThrottled as error:
        raise throttled(error) from error
    except SignInRefused as error:
        # What stands in the field of the name may be a password: a name goes on the record for good, where it is one.
        user = desk.book.user_named(given.name.strip().lower())
        acts: RecentActs = request.app.state.recent_acts
        acts.note("sign_in_refused", NOBODY if user is None else user.name, "node", detail)
        raise Problem(HTTPStatus.UNAUTHORIZED, error.problem, kind="refused", remedy=error.remedy) from error
    return _begin(context, new, request, response)


@router.post("/session/link/facts", dependencies=[Depends(Anybody())])
def ask_link(given: LinkAsked, request: Request, context: _Context) -> LinkFacts:
    """What a link is good for, before it is used."""
    check_origin(request)
    desk = desk_of(context)
    link = desk.peek_link(given.token.get_secret_value())
    if link is None:
        raise not_found("link, any more")
    user = desk.book.user(link.user_id) if link.user_id else None
    return LinkFacts(kind=LinkKind(link.kind), name=user.name if user is not None else None, expires=link.expires_us)


@router.post("/session/link", status_code=HTTPStatus.CREATED, dependencies=[Depends(Anybody())])
def use_link(given: LinkUse, request: Request, response: Response, context: _Context) -> Session:
    """Sign in by a link that is good once: the first set-up, an invitation, a new password, or nothing but signing in."""
    check_origin(request)
    desk, word = desk_of(context), given.token.get_secret_value()
    link = desk.peek_link(word)
    detail = {"address": address_of(request), "link": link.kind if link is not None else ""}
    try:
        new = desk.use_link(
            word,
            name=given.name,
            password=given.password.get_secret_value() if given.password is not None else None,
            first=lambda name: context.act("signed_in", name, "node", detail),
        )
    except SignInRefused as error:
        raise Problem(HTTPStatus.UNAUTHORIZED, error.problem, kind="refused", remedy=error.remedy) from error
    return _begin(context, new, request, response)


@router.delete("/session", status_code=HTTPStatus.NO_CONTENT)
def sign_out(identity: Annotated[Identity, Depends(AnySignedIn())], request: Request, response: Response, context: _Context) -> None:
    """Sign out; a token is not ended by this."""
    if identity.signed_in.session_id is not None:
        context.act("signed_out", identity.name, "node", {})
        desk_of(context).sign_out(identity.signed_in)
    drop_cookie(request, response)


def _begin(context: Context, new: NewSession, request: Request, response: Response) -> Session:
    life_s = (new.signed_in.expires_us - context.clock.wall_us()) // US_PER_S
    set_cookie(request, response, new.cookie, max(1, life_s))
    return session_of(context, new.signed_in)


def throttled(error: SignInThrottled) -> Problem:
    """429, and when to try again."""
    wait = str(math.ceil(error.wait_s))
    return Problem(HTTPStatus.TOO_MANY_REQUESTS, error.problem, kind="throttled", remedy=error.remedy, headers={"Retry-After": wait})
