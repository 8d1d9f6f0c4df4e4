"""Whatever the OpenAPI document allows to be asked is answered: never with a server error, and never with a secret."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, given, settings

from lamppost.access.desk import Desk, SignedIn
from lamppost.access.passwords import Passwords
from lamppost.api.app import create_app
from lamppost.api.rates import RateLimit
from lamppost.base.durable import make_directory
from lamppost.model.access import Grant, Role, Scope
from lamppost.store.access_book import UserRow
from served_node import ServedNode

# The same requests each time: a chance find belongs to whoever looks for it, with more examples.
FEW = settings(
    max_examples=6, deadline=None, suppress_health_check=list(HealthCheck), database=None, phases=(Phase.generate,), derandomize=True
)
ALL = Scope("*")
PASSWORD = "seven quiet lanterns"


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    """A node with a real desk, and a user who may do everything."""
    folder = tmp_path_factory.mktemp("node") / "data"
    node = ServedNode.make(folder)
    make_directory(folder / "keys")
    desk = Desk(node.context.folder, node.context.clock, passwords=Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)))
    node.context.desk = desk
    node.app = create_app(node.context)
    yield node
    desk.close()
    node.close()


def everything(desk: Desk) -> UserRow:
    user = desk.new_user("anna", "", [Grant(role, ALL) for role in (Role.ADMINISTRATOR, Role.OPERATOR)], password_hash="x")
    if desk.book.user_named("anna") is None:
        desk.book.add_user(user)
    found = desk.book.user_named("anna")
    assert found is not None
    return found


def test_no_request_that_the_document_allows_ends_in_a_server_error(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("lamppost.api.live.FIRST_PICTURE_S", 0.01)
    monkeypatch.setattr("lamppost.api.live_hls.FIRST_PARTS_S", 0.01)
    monkeypatch.setattr(RateLimit, "_take_from", lambda *_: 0.0)
    desk = served.context.desk
    assert isinstance(desk, Desk)
    user = everything(desk)
    token = desk.make_token(_signed_in(user), "script", user.grants, 30)[1]
    document = schemathesis.openapi.from_asgi("/openapi.json", served.app)
    answers: list[tuple[str, int, str]] = []
    with TestClient(served.app, headers={"Authorization": f"Bearer {token}"}, raise_server_exceptions=False) as client:
        for found in document.get_all_operations():
            operation = found.ok()

            @settings(FEW)
            @given(operation.as_strategy())
            def ask(case: Any) -> None:
                given_by = case.as_transport_kwargs(base_url="http://testserver")
                wanted = {key: value for key, value in given_by.items() if key in ("method", "url", "params", "json", "data", "headers")}
                answer = client.request(**wanted)
                answers.append((f"{case.method} {case.path}", answer.status_code, answer.text))

            ask()
    assert len(answers) > 200
    assert [(what, status, text[:300]) for what, status, text in answers if status >= 500] == []
    assert [what for what, _, text in answers if token in text or PASSWORD in text] == []


def _signed_in(user: UserRow) -> SignedIn:
    return SignedIn(user.user_id, user.name, "", user.grants, "session", "", 1 << 50)
