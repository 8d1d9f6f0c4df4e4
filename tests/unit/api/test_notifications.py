"""Carriers: how each stands, tried at once, and dead letters offered again."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from configured_node import ConfiguredNode
from faulty_http import Answer, FaultyServer
from lamppost.api.permit import API
from lamppost.model.books import EventOpened, NoticeBuried, NoticesRevived, Severity
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import journal_files, scan_journal
from lamppost.store.outbox import Router, Wish

URL = f"{API}/notifications"


@pytest.fixture
def hook(tmp_path: Path) -> Iterator[tuple[ConfiguredNode, FaultyServer]]:
    """A node with one webhook, and who answers there."""
    (tmp_path / "secret").write_text("kanarienvogel-geheim\n")
    with FaultyServer() as server:
        url = server.url("/kanarienvogel")
        node = ConfiguredNode.configured(tmp_path, f'[[notify]]\nname = "hook"\ntype = "webhook"\nurl = "{url}"\nsecret_file = "secret"\n')
        yield node, server
        node.close()


def bury(node: ConfiguredNode, count: int) -> None:
    clock = node.context.clock
    with Bookkeeper(node.context.folder, clock, router=Router([Wish("hook")])) as books:
        for number in range(count):
            books.add([EventOpened(f"e{number}", "dwell", Severity.WARNING, None, clock.wall_us(), "{}")], "x/y")
            books.add([NoticeBuried(f"e{number}", 0, "hook", 3, clock.wall_us(), "status 404")], "x/y")


def test_each_is_listed_with_what_waits_and_what_is_dead(hook: tuple[ConfiguredNode, FaultyServer]) -> None:
    node, _ = hook
    bury(node, 2)
    answer = node.client("privacy_officer@*").get(URL)
    (carrier,) = answer.json()["items"]
    assert (carrier["name"], carrier["kind"], carrier["dead"], carrier["waiting"], carrier["delivered"]) == ("hook", "webhook", 2, 0, 0)
    assert carrier["last_problem"] == "status 404"
    assert carrier["target"].startswith("http://127.0.0.1:")
    assert "kanarienvogel" not in answer.text, "the path of a webhook may be a key"
    letters = node.client().get(f"{URL}/hook/dead").json()["items"]
    assert [(letter["id"], letter["type"], letter["problem"]) for letter in letters] == [
        ("e0-0", "dwell", "status 404"), ("e1-0", "dwell", "status 404"),
    ]  # fmt: skip


def test_a_test_message_is_sent_and_on_the_record(hook: tuple[ConfiguredNode, FaultyServer]) -> None:
    node, server = hook
    assert node.client().post(f"{URL}/hook/test").json() == {"ok": True, "problem": "", "remedy": ""}
    (request,) = server.drain()
    assert json.loads(request.body)["type"] == "test"
    assert [(act["kind"], act["subject"]) for act in node.acts()] == [("notification_tested", "hook")]


def test_what_was_not_taken_is_told(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("kanarienvogel-geheim\n")
    with FaultyServer(lambda _: Answer(500)) as server:
        url = server.url("/kanarienvogel")
        node = ConfiguredNode.configured(tmp_path, f'[[notify]]\nname = "hook"\ntype = "webhook"\nurl = "{url}"\nsecret_file = "secret"\n')
        answer = node.client().post(f"{URL}/hook/test")
        node.close()
    assert answer.json()["ok"] is False
    assert "status 500" in answer.json()["problem"]
    assert "kanarienvogel" not in answer.text


def test_dead_letters_are_offered_again_by_order(hook: tuple[ConfiguredNode, FaultyServer]) -> None:
    node, _ = hook
    assert node.client().post(f"{URL}/hook/retry").json() == {"revived": 0}
    bury(node, 2)
    assert node.client().post(f"{URL}/hook/retry").json() == {"revived": 2}
    journals = node.context.folder.journal
    records = [record for path in journal_files(journals / "notify") for record in scan_journal(path, 0).records]
    assert [record.actor for record in records if isinstance(record, NoticesRevived)] == ["administrator@*"]


def test_who_may(hook: tuple[ConfiguredNode, FaultyServer]) -> None:
    node, _ = hook
    assert node.client("operator@*").get(URL).status_code == 403
    assert node.client("privacy_officer@*").post(f"{URL}/hook/test").status_code == 403
    for what in ("test", "retry"):
        assert node.client().post(f"{URL}/nobody/{what}").status_code == 404
    assert node.client().get(f"{URL}/nobody/dead").status_code == 404
