"""Carriers by command: tried at once, listed with what waits and what is dead, and dead letters offered again."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from typer.testing import Result

from faulty_http import Answer, FaultyServer
from lamppost.base.clock import SystemClock
from lamppost.model.books import EventOpened, NoticeBuried, Severity
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.outbox import Router, Wish
from lamppost.store.outbox_view import OutboxTally, OutboxView
from mqtt_broker import free_port

Lamppost = Callable[..., Result]


@pytest.fixture
def folder(here: Path, lamppost: Lamppost) -> DataFolder:
    assert lamppost("init", "--data", "data", "--camera", "plaza=sim://plaza").exit_code == 0
    (here / "secret").write_text("kanarienvogel-geheim\n")
    (here / "secret").chmod(0o600)
    return DataFolder(here / "data")


def add(here: Path, url: str, **more: object) -> None:
    keys = {"name": "hook", "type": "webhook", "url": url, "secret_file": "secret"} | more
    lines = "".join(f"{key} = {json.dumps(value)}\n" for key, value in keys.items())
    config = here / "lamppost.toml"
    config.write_text(f'site = "Old Town"\n{config.read_text()}\n[[notify]]\n{lines}')


def bury(folder: DataFolder, count: int) -> None:
    clock = SystemClock()
    with Bookkeeper(folder, clock, router=Router([Wish("hook")])) as books:
        for number in range(count):
            opened = EventOpened(f"e{number}", "dwell", Severity.WARNING, None, clock.wall_us(), "{}")
            books.add([opened], "x/y")
            books.add([NoticeBuried(f"e{number}", 0, "hook", 3, clock.wall_us(), "status 404")], "x/y")


def test_a_test_message_is_sent_at_once(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    with FaultyServer() as server:
        add(here, server.url())
        done = lamppost("notify", "test", "hook")
        (request,) = server.drain()
    assert done.exit_code == 0, done.output
    document = json.loads(request.body)
    assert (document["type"], document["site"], document["severity"], document["phase"]) == ("test", "Old Town", "info", "start")
    assert request.headers["Lamppost-Id"] in done.output
    assert not folder.index.exists(), "it touches no books"


@pytest.mark.parametrize("status", [404, 500])
def test_what_was_not_taken_is_told_in_one_line(here: Path, folder: DataFolder, lamppost: Lamppost, status: int) -> None:
    with FaultyServer(lambda _: Answer(status)) as server:
        add(here, server.url("/kanarienvogel"))
        done = lamppost("notify", "test", "hook")
    assert done.exit_code == 1
    assert f"answers with status {status}" in done.stderr
    assert "kanarienvogel" not in done.output
    assert done.stderr.count("\n") == 1


def test_a_carrier_that_is_not_there_is_told_with_those_that_are(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, "https://hook.example/")
    for command in (("test", "broker"), ("retry", "broker")):
        bury(folder, 1)
        done = lamppost("notify", *command)
        assert done.exit_code == 2
        assert "there are: hook" in done.stderr


def test_the_list_shows_what_waits_and_what_is_dead(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, "https://hook.example/kanarienvogel")
    assert "0" in lamppost("notify", "list").output
    bury(folder, 2)
    (row,) = json.loads(lamppost("notify", "list", "--json").output)
    assert (row["name"], row["type"], row["address"], row["waiting"], row["dead"]) == ("hook", "webhook", "https://hook.example", 0, 2)
    assert row["dead_letters"][0]["problem"] == "status 404"
    shown = lamppost("notify", "list").output
    assert "e0-0 dwell" in shown
    assert "kanarienvogel" not in shown


def test_dead_letters_are_offered_again(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, "https://hook.example/")
    bury(folder, 2)
    done = lamppost("notify", "retry", "hook")
    assert done.exit_code == 0, done.output
    assert "2 dead letter(s) of hook are offered again when Lamppost runs." in done.output
    with Bookkeeper(folder, SystemClock()) as books:
        books.apply_new()
    with OutboxView(folder) as view:
        assert view.tallies()["hook"] == OutboxTally(waiting=2, oldest_us=view.tallies()["hook"].oldest_us)
    assert "has no dead letters" in lamppost("notify", "retry", "hook").output


def test_one_that_is_gone_from_the_configuration_is_shown_all_the_same(folder: DataFolder, lamppost: Lamppost) -> None:
    assert "names nobody" in lamppost("notify", "list").output
    bury(folder, 1)
    assert "not configured" in lamppost("notify", "list").output
    assert "no carrier of that name" in lamppost("notify", "retry", "hook").output


# The configuration


def test_a_configuration_with_a_carrier_can_be_used_and_warns_of_what_is_open(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, f"http://127.0.0.1:{free_port()}/", types=["dwel"], cameras=["gate"])
    (here / "secret").chmod(0o644)
    done = lamppost("config", "check")
    assert done.exit_code == 0, done.output
    for warning in (
        "can be read on its way",
        "no events of the type 'dwel'",
        "no camera 'gate'",
        "other users of this machine may read it",
    ):
        assert warning in done.output


def test_a_mistake_is_told_with_its_place(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, "ftp://hook.example/", secret="x")
    done = lamppost("config", "check")
    assert done.exit_code == 2
    assert "notify[1].secret is not a setting; did you mean 'secret_file'?" in done.stderr


def test_a_file_that_cannot_be_read_is_told_before_anything_starts(here: Path, folder: DataFolder, lamppost: Lamppost) -> None:
    add(here, "https://hook.example/")
    (here / "secret").unlink()
    for command in (("config", "check"), ("serve", "--for", "1s")):
        done = lamppost(*command)
        assert done.exit_code == 2
        assert "carrier hook: its secret_file" in done.stderr
