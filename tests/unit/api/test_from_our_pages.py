"""A cookie comes along by itself: what changes something must come from our own pages, and so must every WebSocket.

Made from all routes, as `test_every_route`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from all_routes import Operation, cameras_of, operations
from asked_routes import Asked
from furnished_node import CAMERAS, ORIGIN, FurnishedNode, Person
from lamppost.model.access import Role
from talking_sockets import knock

EVERYTHING = "+".join(f"{role.value}@*" for role in Role)
ELSEWHERE = ("http://evil.example", "null", "http://testserver.evil.example", "https://testserver", "http://testserver:81", "")
PROBLEM = "urn:lamppost:problem:"


def changes(node: FurnishedNode) -> Iterator[Operation]:
    return (operation for operation in operations(node.document) if operation.is_change)


def asked_by(node: FurnishedNode, operation: Operation) -> tuple[Person, Asked]:
    """Somebody who may do it, and how."""
    is_own = operation.row.about == "self"  # then they may be signed out by it, or have another password
    who = node.somebody_new(EVERYTHING) if is_own else node.person(EVERYTHING)
    return who, operation.row.ways[0](node, who, cameras_of(operation.row)[-1])


def put(node: FurnishedNode, who: Person, operation: Operation, asked: Asked, **headers: str) -> tuple[int, str]:
    """Status and kind of problem."""
    answer = node.ask(who, operation.method, asked.path, asked.body, **(dict(asked.headers) | headers))
    is_problem = answer.headers.get("content-type") == "application/problem+json"
    return answer.status_code, answer.json()["type"].removeprefix(PROBLEM) if is_problem else ""


def test_every_change_by_a_cookie_needs_the_word_of_the_page(furnished: FurnishedNode) -> None:
    tried = 0
    other = furnished.somebody_new(EVERYTHING)
    sessions: dict[str, Person] = {}
    for operation in changes(furnished):
        if operation.on == "anybody":
            continue
        furnished.restore()
        who, asked = asked_by(furnished, operation)
        before = furnished.acts_of(who.name)
        if who.name not in sessions:
            sessions[who.name] = furnished.sign_in_again(who)
        for word in ("", who.csrf[:-1], other.csrf, sessions[who.name].csrf):
            assert put(furnished, who, operation, asked, X_CSRF_Token=word) == (403, "csrf"), (operation, word)
        assert furnished.acts_of(who.name) == before, (operation, "was done all the same")
        status, kind = put(furnished, who, operation, asked)
        assert 200 <= status < 300, (operation, status, kind)
        tried += 1
    assert tried > 25


def test_no_change_comes_from_another_page(furnished: FurnishedNode) -> None:
    """Also where nobody has to have signed in: else a page of somebody else could sign their victim in as them."""
    for operation in changes(furnished):
        furnished.restore()
        who, asked = asked_by(furnished, operation)
        caller = who if operation.on != "anybody" else replace(who, cookie="", csrf="")
        before = furnished.acts_of(who.name)
        for origin in ELSEWHERE[:2]:
            assert put(furnished, caller, operation, asked, Origin=origin) == (403, "origin"), (operation, origin)
        assert put(furnished, caller, operation, asked, Origin="", Sec_Fetch_Site="cross-site") == (403, "origin"), operation
        assert furnished.acts_of(who.name) == before, (operation, "was done all the same")
        # A program that is no browser sends none of the two.
        status, kind = put(furnished, caller, operation, asked, Origin="")
        assert 200 <= status < 300, (operation, status, kind)


@pytest.mark.parametrize("origin", [origin for origin in ELSEWHERE if origin])
def test_what_looks_like_our_page_is_another(furnished: FurnishedNode, origin: str) -> None:
    who = furnished.person(EVERYTHING)
    for headers in ({"Origin": origin}, {"Sec_Fetch_Site": "same-site"}):
        answer = furnished.ask(who, "PUT", "/account/preferences", {}, **headers)
        assert (answer.status_code, answer.json()["type"]) == (403, f"{PROBLEM}origin")


def test_what_only_looks_needs_no_word(furnished: FurnishedNode) -> None:
    who = furnished.person(EVERYTHING)
    for operation in operations(furnished.document):
        if operation.method == "GET":
            asked = operation.row.ways[0](furnished, who, cameras_of(operation.row)[-1])
            assert put(furnished, who, operation, asked, X_CSRF_Token="", Origin="")[0] == 200, operation


def test_a_token_needs_no_word_of_a_page(furnished: FurnishedNode) -> None:
    """No browser sends it by itself."""
    wish = {"name": "script", "expires_days": 1, "grants": [{"role": role.value, "scope": "*"} for role in Role]}
    tokens: dict[str, str] = {}
    for operation in changes(furnished):
        furnished.restore()
        who, asked = asked_by(furnished, operation)
        if who.name not in tokens:
            made = furnished.ask(who, "POST", "/account/tokens", wish)
            tokens[who.name] = made.json()["token"]
        headers = {"Cookie": "", "X_CSRF_Token": "", "Origin": "", "Authorization": f"Bearer {tokens[who.name]}"}
        status, kind = put(furnished, who, operation, asked, **headers)
        # Some things only a person may do: who may sign in is no business of a program.
        assert 200 <= status < 300 or (status, kind) == (403, "forbidden"), (operation, status, kind)
        assert 200 <= status < 300 or operation.path.startswith(("/account/", "/users")), (operation, "is refused to a token")


@pytest.mark.parametrize("origin", ELSEWHERE)
def test_no_socket_is_opened_from_another_page(furnished: FurnishedNode, origin: str) -> None:
    who = furnished.person(EVERYTHING)
    seen = 0
    for operation in operations(furnished.document):
        if operation.method == "SOCKET":
            asked = operation.row.ways[0](furnished, who, "plaza")
            before = len(furnished.acts_of(who.name))
            status, content = knock(furnished, asked.path, who.headers | {"Origin": origin})
            assert status == 403, operation
            assert b"problem:origin" in content
            assert [furnished.leaks(name, content) for name in CAMERAS] == [[], []]
            assert len(furnished.acts_of(who.name)) == before
            assert knock(furnished, asked.path, who.headers | {"Origin": ORIGIN})[0] == 200, operation
            assert knock(furnished, asked.path, who.headers | {"X-CSRF-Token": ""})[0] == 200, "a socket cannot carry it"
            seen += 1
    assert seen >= 2


def test_a_token_opens_a_socket_without_an_origin(furnished: FurnishedNode) -> None:
    who = furnished.person(EVERYTHING)
    wish = {"name": "script", "expires_days": 1, "grants": [{"role": "viewer", "scope": "*"}]}
    token = furnished.ask(who, "POST", "/account/tokens", wish).json()["token"]
    for path in ("/cameras/plaza/live", "/events/feed"):
        assert knock(furnished, path, {"Authorization": f"Bearer {token}"})[0] == 200
