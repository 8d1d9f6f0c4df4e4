"""With the real desk: tokens change nobody who may sign in, of two editors one wins, and a made-up cookie buys nothing."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from starlette.testclient import WebSocketDenialResponse

from lamppost.access.desk import Desk
from lamppost.access.passwords import Passwords
from lamppost.api.app import create_app
from lamppost.api.permit import API
from lamppost.api.rates import PROVEN_S, Rate, RateLimit
from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.access import Grant, Role, Scope
from lamppost.store.access_book import AccessBook, UserChanged, UserRow
from served_node import ServedNode

PASSWORD = "seven quiet lanterns"
ALL = Scope("*")
KNOWN, UNKNOWN = Rate(10.0, 60.0), Rate(1.0, 10.0)  # as in life, but fewer of each
MANY = 40


@dataclass
class Node:
    """A node that keeps its users itself, with anna in it, who administrates everything."""

    served: ServedNode
    desk: Desk
    clock: ManualClock

    def client(self, address: str = "192.0.2.1") -> TestClient:
        return TestClient(self.served.app, client=(address, 1), raise_server_exceptions=True)

    def signed_in(self, client: TestClient, **more: Any) -> dict[str, Any]:
        answer = client.post(f"{API}/session", json={"name": "anna", "password": PASSWORD} | more)
        assert answer.status_code == 201, answer.text
        client.headers["X-CSRF-Token"] = answer.json()["csrf"]
        return dict(answer.json())

    def token(self) -> str:
        user = self.user("anna")
        return self.desk.make_token(self.desk._begin(user).signed_in, "script", user.grants, 1)[1]

    def user(self, name: str) -> UserRow:
        found = self.desk.book.user_named(name)
        assert found is not None
        return found

    def add(self, name: str) -> UserRow:
        user = self.desk.new_user(name, "", [Grant(Role.VIEWER, ALL)])
        self.desk.book.add_user(user)
        return user


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    served = ServedNode.make(tmp_path / "data")
    clock = served.context.clock
    assert isinstance(clock, ManualClock)
    served.context.folder.keys.mkdir(exist_ok=True)
    desk = Desk(served.context.folder, clock, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    served.context.desk = desk
    served.app = create_app(served.context)
    (limit,) = [each for each in served.app.user_middleware if each.cls is RateLimit]
    limit.kwargs.update(known=KNOWN, unknown=UNKNOWN)
    hashed = desk._passwords.make(PASSWORD)
    desk.book.add_user(desk.new_user("anna", "", [Grant(Role.ADMINISTRATOR, ALL)], password_hash=hashed))
    yield Node(served, desk, clock)
    desk.close()
    served.close()


# Tokens


def test_a_token_changes_nobody_who_may_sign_in(node: Node) -> None:
    bert, me = node.add("bert"), node.user("anna")
    client = node.client()
    client.headers["Authorization"] = f"Bearer {node.token()}"
    assert client.get(f"{API}/users").status_code == 200, "it may look"
    etag = client.get(f"{API}/users/{bert.user_id}").headers["etag"]
    asked = [
        client.post(f"{API}/users", json={"name": "eve", "grants": [{"role": "administrator", "scope": "*"}]}),
        client.post(f"{API}/users/{me.user_id}/link"),
        client.patch(f"{API}/users/{bert.user_id}", json={"is_disabled": True}, headers={"If-Match": etag}),
        client.delete(f"{API}/users/{bert.user_id}", headers={"If-Match": etag}),
        client.delete(f"{API}/users/{bert.user_id}/sessions"),
        client.delete(f"{API}/users/{bert.user_id}/totp"),
    ]
    assert [(answer.status_code, answer.json()["type"]) for answer in asked] == [(403, "urn:lamppost:problem:forbidden")] * len(asked)
    assert [user.name for user in node.desk.book.users()] == ["anna", "bert"]
    assert node.desk.book.invited() == frozenset()
    with client:  # a person may all of it
        del client.headers["Authorization"]
        node.signed_in(client)
        assert client.post(f"{API}/users/{me.user_id}/link").status_code == 201


# Two editors


def test_of_two_editors_who_saw_the_same_one_wins(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    bert, client = node.add("bert"), node.client()
    node.signed_in(client)
    etag = client.get(f"{API}/users/{bert.user_id}").headers["etag"]

    # The other is faster, after this one was compared with what there is and before it is written.
    change = AccessBook.change_user

    def late(self: AccessBook, user_id: str, **values: Any) -> None:
        monkeypatch.undo()
        change(self, user_id, grants=[Grant(Role.CUSTODIAN, ALL)])
        change(self, user_id, **values)

    monkeypatch.setattr(AccessBook, "change_user", late)
    body = {"grants": [{"role": "operator", "scope": "*"}]}
    answer = client.patch(f"{API}/users/{bert.user_id}", json=body, headers={"If-Match": etag})
    assert (answer.status_code, answer.json()["type"]) == (412, "urn:lamppost:problem:changed")
    assert node.user("bert").grants == (Grant(Role.CUSTODIAN, ALL),)
    etag = client.get(f"{API}/users/{bert.user_id}").headers["etag"]
    assert client.patch(f"{API}/users/{bert.user_id}", json=body, headers={"If-Match": etag}).status_code == 200


def test_nobody_is_removed_whom_one_has_not_seen_as_they_are(node: Node) -> None:
    bert, client = node.add("bert"), node.client()
    node.signed_in(client)
    url = f"{API}/users/{bert.user_id}"
    etag = client.get(url).headers["etag"]
    assert client.delete(url).status_code == 428
    node.desk.book.change_user(bert.user_id, display_name="Bert")
    assert client.delete(url, headers={"If-Match": etag}).status_code == 412
    with pytest.raises(UserChanged):
        node.desk.book.remove_user(bert.user_id, expected=bert)
    assert client.delete(url, headers={"If-Match": client.get(url).headers["etag"]}).status_code == 204
    with pytest.raises(UserChanged):
        node.desk.book.change_user(bert.user_id, expected=bert, is_disabled=1)


# Codes


def test_the_second_step_takes_the_password_and_the_secret_stays_here(node: Node) -> None:
    client = node.client()
    node.signed_in(client)
    offer = client.post(f"{API}/account/totp").json()
    assert (offer["needs_password"], offer["needs_old_code"]) == (True, False)

    def code_of(secret: str) -> str:
        return pyotp.TOTP(secret).at(node.clock.wall_us() // US_PER_S)

    own = pyotp.random_base32()
    refused = [
        client.put(f"{API}/account/totp", json={"secret": own, "code": code_of(own), "password": PASSWORD}),
        client.put(f"{API}/account/totp", json={"code": code_of(offer["secret"])}),
        client.put(f"{API}/account/totp", json={"code": code_of(offer["secret"]), "password": "not her password"}),
    ]
    assert [answer.status_code for answer in refused] == [422, 403, 403]
    assert node.user("anna").totp_sealed is None
    stranger = node.client()
    node.signed_in(stranger)
    over = stranger.put(f"{API}/account/totp", json={"code": code_of(offer["secret"]), "password": PASSWORD})
    assert (over.status_code, over.json()["type"]) == (409, "urn:lamppost:problem:offer-over")
    answer = client.put(f"{API}/account/totp", json={"code": code_of(offer["secret"]), "password": PASSWORD})
    assert answer.status_code == 204
    node.clock.advance(60)
    node.signed_in(node.client(), totp=code_of(offer["secret"]))


# Rates


def statuses(client: TestClient, number: int, cookie: str = "") -> list[int]:
    told: list[int] = []
    for count in range(number):
        headers = {"Cookie": cookie.format(count)} if cookie else {}
        told.append(client.post(f"{API}/session/link/facts", json={"token": "x"}, headers=headers).status_code)
    return told


@pytest.mark.parametrize("cookie", ["", "lamppost=made-up-{}", "other=made-up-{}", "lamppost=the-same"])
def test_a_made_up_cookie_buys_nothing(node: Node, cookie: str) -> None:
    told = statuses(node.client(), MANY, cookie)
    assert (told.count(404), told.count(429)) == (UNKNOWN.burst, MANY - UNKNOWN.burst)


def test_a_made_up_token_buys_nothing(node: Node) -> None:
    client = node.client()
    told = [client.get(f"{API}/session", headers={"Authorization": f"Bearer lp_{count}"}).status_code for count in range(MANY)]
    assert (told.count(401), told.count(429)) == (UNKNOWN.burst, MANY - UNKNOWN.burst)


def test_addresses_of_one_network_share_a_rate(node: Node) -> None:
    told = [statuses(node.client(f"2001:db8:0:7::{count:x}"), 1)[0] for count in range(1, MANY)]
    assert told.count(404) == UNKNOWN.burst


def test_who_is_signed_in_asks_often_and_for_no_longer_than_that(node: Node) -> None:
    client = node.client()
    node.signed_in(client)
    cookie = f"lamppost={client.cookies['lamppost']}"
    assert {client.get(f"{API}/session").status_code for _ in range(MANY)} == {200}
    # What they write beside their cookie makes nobody else of them.
    told = [client.get(f"{API}/session", headers={"Cookie": f"{cookie}; a={count}"}).status_code for count in range(int(KNOWN.burst))]
    assert 429 in told
    node.clock.advance(PROVEN_S)
    client.delete(f"{API}/session")
    node.clock.advance(PROVEN_S)
    told = [client.get(f"{API}/session", headers={"Cookie": cookie}).status_code for _ in range(MANY)]
    assert told.count(401) == UNKNOWN.burst


def test_who_is_signed_in_is_not_kept_waiting_by_who_is_not(node: Node) -> None:
    client, stranger = node.client(), node.client()
    node.signed_in(client)
    assert client.get(f"{API}/session").status_code == 200
    assert 429 in statuses(stranger, int(KNOWN.burst) + 10, "lamppost=made-up-{}")
    node.clock.advance(PROVEN_S)
    assert 429 in statuses(stranger, int(KNOWN.burst) + 10, "lamppost=made-up-{}")
    assert client.get(f"{API}/session").status_code == 200


def test_websockets_have_the_same_rate(node: Node) -> None:
    client, told = node.client(), list[int]()
    for _ in range(MANY):
        with pytest.raises(WebSocketDenialResponse) as denied, client.websocket_connect(f"{API}/cameras/plaza/live"):
            pass
        told.append(denied.value.status_code)
    assert (told.count(401), told.count(429)) == (UNKNOWN.burst, MANY - UNKNOWN.burst)
