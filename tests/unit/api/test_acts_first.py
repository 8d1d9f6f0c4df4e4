"""What cannot be put on the record is not done, what is refused is not on it, and what people type is not either."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pyotp
import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from configured_node import ConfiguredNode
from lamppost.access.desk import Desk, LinkKind
from lamppost.access.passwords import Passwords
from lamppost.api.app import create_app
from lamppost.base.clock import US_PER_S
from lamppost.base.durable import make_directory
from lamppost.base.errors import StoreError
from lamppost.model.access import Grant, Role, Scope
from lamppost.store.journal import JournalWriter

API = "/api/v1"
PASSWORD = "seven quiet lanterns"
EVERYTHING = Scope("*")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ConfiguredNode]:
    """A node with a configuration file and a real desk; `ada` is administrator, `ben` an operator."""
    made = ConfiguredNode.configured(tmp_path)
    make_directory(made.context.folder.root / "keys")
    desk = Desk(made.context.folder, made.context.clock, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    made.context.desk = desk
    made.app = create_app(made.context)
    for name, role in (("ada", Role.ADMINISTRATOR), ("ben", Role.OPERATOR)):
        word = desk.invite(desk.new_user(name, "", [Grant(role, EVERYTHING)]))
        desk.use_link(word, password=PASSWORD)
    yield made
    desk.close()
    made.close()


def desk_of(node: ConfiguredNode) -> Desk:
    assert isinstance(node.context.desk, Desk)
    return node.context.desk


def signed_in(node: ConfiguredNode, name: str = "ada") -> TestClient:
    """Somebody with a session, without an act of it."""
    new = desk_of(node).sign_in(name, PASSWORD, None, address="192.0.2.9")
    client = TestClient(node.app, headers={"X-CSRF-Token": new.signed_in.csrf}, cookies={"lamppost": new.cookie})
    return client


def everything(node: ConfiguredNode) -> dict[str, Any]:
    """All that a change could have changed: who may sign in, and what is configured."""
    book = desk_of(node).book
    files = {str(path): path.read_text() for path in sorted(node.config.parent.glob("**/*.toml"))}
    left = [str(path) for path in node.config.parent.glob("**/.*.tmp")]
    return {
        "users": [asdict(user) | {"last_seen_us": 0} for user in book.users()],
        "tokens": [book.tokens_of(user.user_id) for user in book.users()],
        "invited": book.invited(),
        "files": files,
        "left": left,
    }


def user_id(node: ConfiguredNode, name: str = "ben") -> str:
    found = desk_of(node).book.user_named(name)
    assert found is not None
    return found.user_id


def tagged(client: TestClient, path: str) -> dict[str, str]:
    answer = client.get(path)
    return {"If-Match": answer.json().get("etag") or answer.headers["ETag"]}


RULES = {"line": [{"name": "door", "points": [[0.1, 0.5], [0.9, 0.5]]}]}
GRANTS = [{"role": "administrator", "scope": "*"}]
Ask = Callable[[ConfiguredNode, TestClient], Any]

CHANGES: dict[str, tuple[str, Ask]] = {
    "add_user": ("user_added", lambda _, c: c.post(f"{API}/users", json={"name": "eve", "grants": GRANTS})),
    "change_user": (
        "user_changed",
        lambda n, c: c.patch(f"{API}/users/{user_id(n)}", json={"grants": GRANTS}, headers=tagged(c, f"{API}/users/{user_id(n)}")),
    ),
    "remove_user": (
        "user_removed",
        lambda n, c: c.delete(f"{API}/users/{user_id(n)}", headers=tagged(c, f"{API}/users/{user_id(n)}")),
    ),
    "link": ("link_made", lambda n, c: c.post(f"{API}/users/{user_id(n)}/link")),
    "token": ("token_made", lambda _, c: c.post(f"{API}/account/tokens", json={"name": "x", "expires_days": 1, "grants": GRANTS})),
    "password": ("password_changed", lambda _, c: c.post(f"{API}/account/password", json={"old": PASSWORD, "new": "a new quiet lantern"})),
    "add_camera": ("camera_added", lambda _, c: c.post(f"{API}/cameras", json={"name": "gate", "url": "sim://plaza"})),
    "change_camera": (
        "camera_changed",
        lambda _, c: c.patch(f"{API}/cameras/plaza", json={"preset": "all"}, headers=tagged(c, f"{API}/cameras/plaza")),
    ),
    "remove_camera": ("camera_removed", lambda _, c: c.delete(f"{API}/cameras/plaza", headers=tagged(c, f"{API}/cameras/plaza"))),
    "rules": (
        "rules_changed",
        lambda _, c: c.put(f"{API}/cameras/plaza/rules", json={"rules": RULES}, headers=tagged(c, f"{API}/cameras/plaza/rules")),
    ),
    "configuration": (
        "configuration_changed_by",
        lambda _, c: c.patch(f"{API}/configuration", json={"site": "New Town"}, headers=tagged(c, f"{API}/configuration")),
    ),
}


def fill(monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on the record takes nothing."""

    def append(_journal: JournalWriter, _record: object) -> None:
        raise StoreError("the journal cannot be written: No space left on device")

    monkeypatch.setattr(JournalWriter, "append", append)


@pytest.mark.parametrize("what", CHANGES)
def test_nothing_changes_that_cannot_be_put_on_the_record(node: ConfiguredNode, monkeypatch: pytest.MonkeyPatch, what: str) -> None:
    client = signed_in(node)
    before = everything(node)
    with monkeypatch.context() as patch:
        fill(patch)
        answer = CHANGES[what][1](node, client)
    assert answer.status_code == 503, answer.text
    assert "No space left" in answer.json()["detail"]
    assert everything(node) == before


@pytest.mark.parametrize("what", CHANGES)
def test_a_change_is_on_the_record_once(node: ConfiguredNode, what: str) -> None:
    client = signed_in(node)
    kind, ask = CHANGES[what]
    before = everything(node)
    answer = ask(node, client)
    assert answer.is_success, answer.text
    assert [act["kind"] for act in node.acts()] == [kind]
    if what != "link":  # of which nothing but its hash is kept
        assert everything(node) != before


def test_what_is_refused_is_not_on_the_record(node: ConfiguredNode) -> None:
    client = signed_in(node)
    assert client.post(f"{API}/users", json={"name": "ben", "grants": GRANTS}).status_code == 409
    own = f"{API}/users/{user_id(node, 'ada')}"
    assert client.patch(own, json={"is_disabled": True}, headers=tagged(client, own)).status_code == 409
    assert client.delete(own, headers=tagged(client, own)).status_code == 409
    assert client.post(f"{API}/account/password", json={"old": "wrong", "new": "a new quiet lantern"}).status_code == 403
    assert client.delete(f"{API}/account/tokens/none").status_code == 404
    assert node.acts() == []


def test_nobody_gets_in_without_an_act_of_it(node: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    desk, client = desk_of(node), TestClient(node.app)
    ben = desk.book.user_named("ben")
    assert ben is not None
    word = desk.make_link(ben, LinkKind.PASSWORD)
    with monkeypatch.context() as patch:
        fill(patch)
        assert client.post(f"{API}/session", json={"name": "ben", "password": PASSWORD}).status_code == 503
        assert client.post(f"{API}/session/link", json={"token": word, "password": "a new quiet lantern"}).status_code == 503
    assert not client.cookies
    after = desk.book.user_named("ben")
    assert after is not None
    assert after.password_hash == ben.password_hash
    answer = client.post(f"{API}/session/link", json={"token": word, "password": "a new quiet lantern"})
    assert answer.status_code == 201, "the link is good still"
    assert [(act["kind"], act["actor"], act["detail"]["link"]) for act in node.acts()] == [("signed_in", "ben", "password")]


def test_codes_are_turned_on_and_off_with_acts(node: ConfiguredNode) -> None:
    desk = desk_of(node)
    me = desk.sign_in("ben", PASSWORD, None, address="192.0.2.9").signed_in
    secret = pyotp.random_base32()
    told = list[str]()

    def refuse() -> None:
        raise StoreError("full")

    def has_code() -> bool:
        return any(user.totp_sealed is not None for user in desk.book.users())

    code = pyotp.TOTP(secret).at(node.context.clock.wall_us() // US_PER_S)
    with pytest.raises(StoreError):
        desk.turn_on_codes(me, secret, code, first=refuse)
    assert has_code() is False
    desk.turn_on_codes(me, secret, code, first=lambda: told.append("on"))
    with pytest.raises(StoreError):
        desk.turn_off_codes(me, PASSWORD, address="192.0.2.9", first=refuse)
    assert has_code() is True
    desk.turn_off_codes(me, PASSWORD, address="192.0.2.9", first=lambda: told.append("off"))
    assert told == ["on", "off"]


def test_what_is_typed_for_a_name_is_on_the_record_where_it_is_one(node: ConfiguredNode) -> None:
    client = TestClient(node.app)
    for name in ("hunter2 hunter2", " Ben ", "another secret"):
        assert client.post(f"{API}/session", json={"name": name, "password": "x"}).status_code == 401
    told = [(act["kind"], act["actor"], act["detail"]) for act in node.acts()]
    assert told == [("sign_in_refused", "-", {"address": "testclient"}), ("sign_in_refused", "ben", {"address": "testclient"})]
    assert "hunter2" not in json.dumps(node.acts())


def test_refusals_of_an_address_are_one_act_a_minute(node: ConfiguredNode) -> None:
    client = TestClient(node.app)
    for number in range(4):
        client.post(f"{API}/session", json={"name": f"nobody-{number}", "password": "x"})
    assert len(node.acts()) == 1
    node.context.clock.advance(61)  # type: ignore[attr-defined]
    client.post(f"{API}/session", json={"name": "nobody", "password": "x"})
    assert len(node.acts()) == 2
