"""What nobody honest sends is refused like any other mistake, and is kept nowhere."""

from __future__ import annotations

import base64
import json
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert

from lamppost.access.desk import Desk
from lamppost.access.passwords import Passwords
from lamppost.api.account import is_shallow
from lamppost.api.permit import API
from lamppost.base.clock import ManualClock
from lamppost.model.access import Grant, Role, Scope
from lamppost.store.index_file import open_engine
from lamppost.store.schema import CAMERAS, EVENTS, SNAPSHOTS
from served_node import ServedNode


@pytest.mark.parametrize("part", ["init-{}.mp4", "{}.m4s"])
@pytest.mark.parametrize("number", ["9" * 5000, "9" * 19, "\u0663", "-1", "", "1e3"])
def test_a_part_with_a_number_that_is_none_is_not_there(served: ServedNode, part: str, number: str) -> None:
    with served.client("viewer@*") as client:
        assert client.get(f"{API}/cameras/plaza/live/{part.format(number)}").status_code == 404


def cursor_of(text: str) -> str:
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


CURSORS = ['[1,"\\ud800"]', f'[{1 << 63},"x"]', f'[{-(1 << 63) - 1},"x"]', f'[{10**30},"x"]', '[true,"x"]', "[1]", "{}", "[" * 300]


@pytest.mark.parametrize("path", ["acts", "events"])
@pytest.mark.parametrize("cursor", CURSORS)
def test_a_cursor_that_was_not_made_here_is_told(served: ServedNode, path: str, cursor: str) -> None:
    answer = served.client("privacy_officer@*").get(f"{API}/{path}", params={"cursor": cursor_of(cursor)})
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:lamppost:problem:cursor"


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.binary(max_size=60).map(lambda raw: base64.urlsafe_b64encode(raw).decode()), st.text(max_size=60)))
def test_no_cursor_is_a_bug(served: ServedNode, cursor: str) -> None:
    assert served.client("privacy_officer@*").get(f"{API}/events", params={"cursor": cursor}).status_code in (200, 422)


@pytest.fixture
def person(served: ServedNode) -> Iterator[TestClient]:
    served.context.folder.keys.mkdir(parents=True, exist_ok=True)
    passwords = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    desk = Desk(served.context.folder, served.context.clock, passwords=passwords)
    served.context.desk = desk
    user = desk.new_user("ada", "", [Grant(Role.VIEWER, Scope("*"))], password_hash=passwords.make("a long enough one"))
    desk.book.add_user(user)
    session = desk.sign_in("ada", "a long enough one", None, address="192.0.2.1")
    client = served.client("")
    client.headers.update(
        {"Cookie": f"lamppost={session.cookie}", "X-CSRF-Token": session.signed_in.csrf, "Content-Type": "application/json"}
    )
    yield client
    desk.close()


@pytest.mark.parametrize(
    "body",
    [
        '{"a":' + "[" * 800 + "]" * 800 + "}",
        '{"a":' * 33 + "1" + "}" * 33,
        '{"a":NaN}',
        '{"a":-Infinity}',
        '{"a":"\\ud800"}',
        '{"\\ud800":1}',
    ],
)
def test_preferences_that_could_not_be_given_back_are_not_kept(person: TestClient, body: str) -> None:
    kept = {"theme": "dark", "walls": [{"cameras": ["plaza"], "name": "Wände"}]}
    assert person.put(f"{API}/account/preferences", json=kept).status_code == 200
    assert person.put(f"{API}/account/preferences", content=body).status_code in (400, 422)
    assert person.get(f"{API}/account/preferences").json() == kept


@given(
    st.recursive(st.none(), lambda inner: st.one_of(st.lists(inner, max_size=2), st.dictionaries(st.text(max_size=1), inner, max_size=2)))
)
def test_how_deep_something_is(value: object) -> None:
    def depth(part: object) -> int:
        inner = part.values() if isinstance(part, dict) else part if isinstance(part, list) else None
        return 0 if inner is None else 1 + max((depth(each) for each in inner), default=0)

    assert [is_shallow(value, levels) for levels in range(12)] == [depth(value) <= levels for levels in range(12)]


def test_a_picture_that_was_deleted_meanwhile_is_not_there(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    path = served.context.folder.snapshot("plaza", "e", 1_700_000_000_000_000)
    path.parent.mkdir(parents=True)
    path.write_bytes(b"jpeg")
    engine = open_engine(served.context.folder.index, is_writer=True)
    told = {"kind": "line_crossed", "severity": "info", "start_us": 1, "end_us": 1, "detail": "{}", "opened_in": "-"}
    picture = {"path": served.context.folder.relative(path), "wall_us": 1, "size_bytes": 4, "sha256": "0" * 64}
    with engine.begin() as connection:
        connection.execute(insert(CAMERAS).values(camera="plaza"))
        connection.execute(insert(EVENTS).values(event_id="e", camera="plaza", **told))
        connection.execute(insert(SNAPSHOTS).values(event_id="e", camera="plaza", **picture))
    engine.dispose()
    client = served.client("viewer@*")
    answer = client.get(f"{API}/events/e/snapshot.jpg")
    assert (answer.status_code, answer.content) == (200, b"jpeg")

    # Whoever looks first whether it is there has seen it; then it goes.
    monkeypatch.setattr(Path, "is_file", lambda _: True)
    path.unlink()
    assert client.get(f"{API}/events/e/snapshot.jpg").status_code == 404


def test_numbers_that_are_none_are_no_settings(served: ServedNode) -> None:
    from pydantic import ValidationError

    from lamppost.model.settings import RetentionSettings
    from served_node import make_settings

    for wrong in (float("inf"), float("nan")):
        with pytest.raises(ValidationError, match="finite"):
            RetentionSettings(max_gb=wrong)
        with pytest.raises(ValidationError, match="finite"):
            make_settings(served.context.folder.root, camera=[{"name": "plaza", "url": "sim://plaza", "max_gb": wrong}])


def test_a_body_deeper_than_can_be_read_is_refused(served: ServedNode) -> None:
    for depth in (100, 3000, 100_000):
        body = '{"name":' + "[" * depth + "]" * depth + ',"password":"x"}'
        answer = served.client("").post(f"{API}/session", content=body, headers={"Content-Type": "application/json"})
        assert answer.status_code in (400, 422)
        assert json.loads(answer.text)["status"] == answer.status_code


@dataclass
class _SteppedClock(ManualClock):
    """Its wall clock is put back by more than passes, as NTP or a person may do."""

    waits: int = 0

    def __post_init__(self) -> None:
        super().__init__()

    def wait(self, stop: threading.Event, timeout_s: float) -> bool:
        self.waits += 1
        assert self.waits < 1000, "it waits for ever"
        self.step_wall(-1)
        return super().wait(stop, timeout_s)


def test_a_clock_that_is_put_back_keeps_nobody_waiting(served: ServedNode) -> None:
    engine = open_engine(served.context.folder.index, is_writer=True)
    told = {"kind": "line_crossed", "severity": "info", "start_us": 1, "end_us": 1, "detail": "{}", "opened_in": "-"}
    with engine.begin() as connection:
        connection.execute(insert(CAMERAS).values(camera="plaza"))
        connection.execute(insert(EVENTS).values(event_id="e", camera="plaza", **told))
    engine.dispose()
    served.context.clock = _SteppedClock()
    answer = served.client("operator@*").post(f"{API}/events/e/comments", json={"text": "a bag"})
    assert answer.status_code == 202
