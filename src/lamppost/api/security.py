"""Who a request comes from, and whether it comes from our own pages."""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Iterable
from http import HTTPStatus
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Final
from urllib.parse import urlsplit

from fastapi import Response
from fastapi.requests import HTTPConnection
from starlette.websockets import WebSocket

from lamppost.access.desk import SignedIn
from lamppost.api.context import context_of
from lamppost.api.problems import Problem

SECURE_COOKIE: Final = "__Host-lamppost"
PLAIN_COOKIE: Final = "lamppost"  # a browser takes no `__Host-` cookie without TLS
CSRF_HEADER: Final = "x-csrf-token"
BACKGROUND_HEADER: Final = "x-lamppost-background"  # a page asks by itself, and nobody has touched it
_SAFE: Final = frozenset({"GET", "HEAD", "OPTIONS"})


def identify(connection: HTTPConnection) -> SignedIn:
    """Who asks; raises 401 for nobody, 403 where a page of somebody else made their browser ask."""
    found = find(connection)
    if found is None:
        raise Problem(HTTPStatus.UNAUTHORIZED, "nobody is signed in", kind="signed-out", remedy="sign in")
    if _token(connection) is None:
        _check_intent(connection, found)
    connection.scope.setdefault("state", {})["who"] = found.name
    return found


def find(connection: HTTPConnection) -> SignedIn | None:
    """Whose the token or the cookie is that it shows; not yet whether they meant to ask."""
    desk, token = context_of(connection).desk, _token(connection)
    if token is not None:
        return desk.of_token(token)
    cookie = connection.cookies.get(cookie_name(connection), "")
    return desk.of_session(cookie, is_use=_is_use(connection)) if cookie else None


def shown_by(connection: HTTPConnection) -> str:
    """What tells callers apart who have shown something, and nothing that it could be made from; empty for nothing."""
    token = _token(connection)
    shown = f"token {token}" if token is not None else f"cookie {connection.cookies.get(cookie_name(connection), '')}"
    return "" if shown in ("token ", "cookie ") else hashlib.sha256(shown.encode()).hexdigest()


def _token(connection: HTTPConnection) -> str | None:
    """The API token; None where the cookie counts."""
    scheme, _, token = connection.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _is_use(connection: HTTPConnection) -> bool:
    """Whether somebody does something: pages ask in the background too, fetch pictures and hold WebSockets while nobody is there."""
    if connection.scope["type"] == "websocket" or connection.headers.get(BACKGROUND_HEADER):
        return False
    # A browser lets no page add a header to a picture.
    return not connection.headers.get("accept", "").startswith("image/")


def check_origin(connection: HTTPConnection) -> None:
    """Raise 403 where the request says that it comes from another page than ours."""
    origin = connection.headers.get("origin")
    is_foreign = origin is not None and origin.lower() not in own_origins(connection)
    if is_foreign or connection.headers.get("sec-fetch-site", "same-origin") in ("cross-site", "same-site"):
        raise Problem(HTTPStatus.FORBIDDEN, "this comes from another page", kind="origin", remedy="use the console itself")


def _check_intent(connection: HTTPConnection, signed_in: SignedIn) -> None:
    """A cookie comes along by itself: what changes something must show a word that only our own pages know."""
    if isinstance(connection, WebSocket) or connection.scope["type"] == "websocket":
        if connection.headers.get("origin") is None:
            raise Problem(HTTPStatus.FORBIDDEN, "a WebSocket with a cookie needs an Origin", kind="origin", remedy="use a token")
        check_origin(connection)
    elif connection.scope["method"] not in _SAFE:
        check_origin(connection)
        if not hmac.compare_digest(connection.headers.get(CSRF_HEADER, "").encode(), signed_in.csrf.encode()):
            raise Problem(HTTPStatus.FORBIDDEN, "the page is out of date", kind="csrf", remedy="load it again")


def own_origins(connection: HTTPConnection) -> frozenset[str]:
    """Where our own pages come from: the address that people type, and the one that was asked."""
    public = context_of(connection).settings.server.public_url.lower()
    host = connection.headers.get("host", "").lower()
    asked = f"{'https' if is_secure(connection) else 'http'}://{host}"
    return frozenset({public, asked} if public else {asked})


def is_secure(connection: HTTPConnection) -> bool:
    """Whether the browser came by TLS: to us, or to a proxy at the public address."""
    if connection.url.scheme in ("https", "wss"):
        return True
    public = urlsplit(context_of(connection).settings.server.public_url)
    return public.scheme == "https" and connection.headers.get("host", "").lower() == public.netloc.lower()


def cookie_name(connection: HTTPConnection) -> str:
    """Which of the two names it has here."""
    return SECURE_COOKIE if is_secure(connection) else PLAIN_COOKIE


def set_cookie(connection: HTTPConnection, response: Response, cookie: str, max_age_s: int) -> None:
    """For our pages alone, out of reach for scripts, for so long."""
    response.set_cookie(
        cookie_name(connection), cookie, max_age=max_age_s, path="/", secure=is_secure(connection), httponly=True, samesite="strict"
    )


def drop_cookie(connection: HTTPConnection, response: Response) -> None:
    """Have the browser forget it."""
    response.delete_cookie(cookie_name(connection), path="/", secure=is_secure(connection), httponly=True, samesite="strict")


def address_of(connection: HTTPConnection) -> str:
    """Where they are: the peer, or what a proxy that is trusted says; the last hop that no trusted proxy vouches for."""
    peer = connection.client.host if connection.client is not None else ""
    trusted = context_of(connection).settings.server.trusted_proxies
    # A proxy may add a header of its own behind one that was sent to it: all of them are one list.
    said = ",".join(connection.headers.getlist("x-forwarded-for")) if trusted else ""
    hops = [hop.strip() for hop in said.split(",") if hop.strip()]
    while hops and _is_within(peer, trusted):
        peer = hops.pop()
    return peer[:64]


def _is_within(address: str, networks: Iterable[str]) -> bool:
    try:
        place = ip_address(address)
    except ValueError:
        return False
    # A socket that listens at `::` tells of IPv4 so.
    plain = place.ipv4_mapped if isinstance(place, IPv6Address) and place.ipv4_mapped is not None else place
    return any(plain in ip_network(network) for network in networks)
