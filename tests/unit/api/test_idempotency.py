"""What is sent twice is done once, and the answer is given again to who may have it, and to nobody else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, cast

import pytest
from argon2 import PasswordHasher
from sqlalchemy import select

from lamppost.access.desk import Desk, NewSession
from lamppost.access.passwords import Passwords
from lamppost.api.idempotency import REPLAYED
from lamppost.api.permit import API
from lamppost.base.clock import ManualClock, format_utc
from lamppost.model.access import Grant, Role, Scope
from lamppost.store import access_book
from lamppost.store.access_tables import ANSWERS
from lamppost.store.index_file import open_engine
from lamppost.store.journal import journal_files, scan_journal
from served_node import ServedNode

PASSWORD = "a long enough one"


@dataclass
class Node:
    served: ServedNode
    desk: Desk
    session: NewSession

    @property
    def clock(self) -> ManualClock:
        return cast(ManualClock, self.served.context.clock)

    def ask(self, *, key: str = "k", reason: str = "a bag", cookie: str | None = None, csrf: str | None = None) -> Any:
        now_us = self.clock.wall_us()
        body = {"cameras": ["plaza"], "from": format_utc(now_us - 60_000_000), "to": format_utc(now_us), "reason": reason}
        headers = {
            "Idempotency-Key": key,
            "X-CSRF-Token": self.session.signed_in.csrf if csrf is None else csrf,
            "Cookie": f"lamppost={self.session.cookie if cookie is None else cookie}",
        }
        return self.served.client("").post(f"{API}/views", json=body, headers=headers)

    def rows(self) -> list[Any]:
        engine = open_engine(self.served.context.folder.access, is_writer=False)
        with engine.connect() as connection:
            found = list(connection.execute(select(ANSWERS)).all())
        engine.dispose()
        return found

    def views(self) -> int:
        journal = journal_files(self.served.context.folder.journal / "server")
        return sum(getattr(record, "kind", "") == "past_viewed" for path in journal for record in scan_journal(path, 0).records)


@pytest.fixture
def node(served: ServedNode) -> Iterator[Node]:
    served.context.folder.keys.mkdir(parents=True, exist_ok=True)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    desk = Desk(served.context.folder, served.context.clock, passwords=passwords)
    served.context.desk = desk
    desk.book.add_user(desk.new_user("ada", "", _grants(), password_hash=passwords.make(PASSWORD)))
    yield Node(served, desk, desk.sign_in("ada", PASSWORD, None, address="192.0.2.1"))
    desk.close()


def _grants(role: str = "operator", scope: str = "*") -> list[Grant]:
    return [Grant(Role(role), Scope(scope))]


def test_the_same_is_done_once_and_answered_alike(node: Node) -> None:
    first, second = node.ask(), node.ask()
    assert (first.status_code, second.status_code) == (201, 201)
    assert second.json() == first.json()
    assert second.headers[REPLAYED] == "true"
    assert node.views() == 1
    assert node.ask(reason="another").status_code == 422
    assert node.ask(key="other").json() != first.json()


def test_what_was_refused_may_be_asked_again(node: Node) -> None:
    assert node.ask(reason="x" * 501).status_code == 422
    assert node.ask(reason="x").status_code == 201


def test_a_new_session_of_the_same_user_gets_the_same_answer(node: Node) -> None:
    first = node.ask()
    again = node.desk.sign_in("ada", PASSWORD, None, address="192.0.2.1")
    assert node.ask(cookie=again.cookie, csrf=again.signed_in.csrf).json() == first.json()


def test_who_has_not_signed_in_writes_nothing_and_is_told_nothing(node: Node) -> None:
    assert node.ask().status_code == 201
    before = node.rows()
    assert node.ask(cookie="made up").status_code == 401
    assert node.ask(csrf="made up").status_code == 403
    guess = {"name": "ada", "password": "a wrong password"}
    for number in range(3):
        refused = node.served.client("").post(f"{API}/session", json=guess, headers={"Idempotency-Key": f"k{number}"})
        assert refused.status_code == 401
    assert node.rows() == before


def test_an_answer_is_for_who_may_have_it_still(node: Node) -> None:
    user_id = node.session.signed_in.user_id
    assert node.ask().status_code == 201
    node.desk.book.change_user(user_id, grants=tuple(_grants("viewer")))
    assert node.ask().status_code == 409
    assert node.views() == 1
    node.desk.book.change_user(user_id, is_disabled=True)
    assert node.ask().status_code == 401
    node.desk.book.change_user(user_id, is_disabled=False)
    node.desk.sign_out(node.session.signed_in)
    assert node.ask().status_code == 401


def test_a_server_that_was_killed_leaves_no_key_stuck(node: Node) -> None:
    assert node.ask().status_code == 201
    (row,) = node.rows()
    book = node.desk.book
    book.end_answer(row.user_id, "k", 0, "")
    assert book.begin_answer(row.user_id, "k", row.request_sha256, node.clock.wall_us()) is None
    assert node.ask().status_code == 409, "it is being answered"
    book.forget_unanswered()
    assert node.ask().status_code == 201
    book.forget_unanswered()
    assert node.ask().headers[REPLAYED] == "true", "what was answered stays"


def test_a_key_that_is_stuck_is_free_again_within_minutes(node: Node) -> None:
    user_id = node.session.signed_in.user_id
    node.desk.book.begin_answer(user_id, "k", "another request", node.clock.wall_us())
    assert node.ask().status_code == 422
    node.clock.advance(901)
    assert node.ask().status_code == 201


def test_so_many_answers_of_one_user_are_kept(node: Node, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(access_book, "MOST_ANSWERS", 3)
    for number in range(6):
        node.clock.advance(1)
        assert node.ask(key=f"k{number}").status_code == 201
    assert {row.key for row in node.rows()} == {"k3", "k4", "k5"}
