"""Who a request comes from, and whether it comes from our own pages."""

from __future__ import annotations

from http import HTTPStatus
from typing import Final

from fastapi.requests import HTTPConnection

from lamppost.access.desk import SignedIn
from lamppost.api.context import context_of
from lamppost.api.problems import Problem

COOKIES: Final = ("__Host-lamppost", "lamppost")


def identify(connection: HTTPConnection) -> SignedIn:
    """Who asks; raises 401 for nobody."""
    desk = context_of(connection).desk
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    if scheme.lower() == "bearer":
        found = desk.of_token(token.strip())
    else:
        cookie = next((connection.cookies[name] for name in COOKIES if name in connection.cookies), "")
        found = desk.of_session(cookie) if cookie else None
    if found is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "nobody is signed in", kind="signed-out", remedy="sign in")
    return found
