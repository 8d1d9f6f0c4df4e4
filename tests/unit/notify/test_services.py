"""Apprise against a real server: text and picture, each service once, and none of its addresses ever shown."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from faulty_http import Answer, FaultyServer
from lamppost.base.errors import CarrierDown
from lamppost.model.books import Severity
from lamppost.model.carriers import NotifySettings
from lamppost.notify.services import MOST_SERVICES, ServicesCarrier
from notices import make_notice

pytestmark = pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")  # the library tries it first


@pytest.fixture
def server() -> Iterator[FaultyServer]:
    with FaultyServer() as server:
        yield server


def make(path: Path, *addresses: str, attach: bool = False) -> ServicesCarrier:
    path.write_text("# our services\n\n" + "\n".join(addresses) + "\n")
    return ServicesCarrier(NotifySettings(name="mail", type="apprise", urls_file=path, attach_snapshot=attach))


def address(server: FaultyServer, path: str = "") -> str:
    return f"json://user:kanarienvogel@127.0.0.1:{server.port}/{path}"


def test_title_text_and_urgency_arrive(server: FaultyServer, tmp_path: Path) -> None:
    carrier = make(tmp_path / "urls", address(server))
    notice = make_notice(tmp_path, severity=Severity.ALARM)
    carrier.open()
    carrier.send(notice)
    carrier.close()
    (request,) = server.drain()
    sent = json.loads(request.body)
    assert (sent["title"], sent["message"], sent["type"]) == (notice.title, notice.text, "failure")
    assert sent["attachments"] == []


def test_the_picture_goes_along_where_that_is_wanted(server: FaultyServer, tmp_path: Path) -> None:
    (tmp_path / "snap.jpg").write_bytes(b"masked picture")
    notice = make_notice(tmp_path, snapshot="snap.jpg")
    for attach in (True, False):
        make(tmp_path / "urls", address(server), attach=attach).send(notice)
    with_picture, without = (json.loads(request.body) for request in server.drain())
    assert base64.b64decode(with_picture["attachments"][0]["base64"]) == b"masked picture"
    assert without["attachments"] == []


def test_who_took_it_is_not_told_again_because_another_did_not(server: FaultyServer, tmp_path: Path) -> None:
    carrier = make(tmp_path / "urls", address(server, "good"), address(server, "bad"))
    server.decide = lambda request: Answer(500 if "bad" in request.path else 200)
    notice = make_notice(tmp_path)
    for _ in range(2):
        with pytest.raises(CarrierDown, match="1 service") as caught:
            carrier.send(notice)
        assert not caught.value.is_about_all
    server.decide = lambda _: Answer()
    carrier.send(notice)
    assert [request.path for request in server.drain()] == ["/good", "/bad", "/bad", "/bad"]
    carrier.send(make_notice(tmp_path, sequence=1))
    assert [request.path for request in server.drain()] == ["/good", "/bad"]


def test_a_file_that_was_changed_counts_at_once(server: FaultyServer, tmp_path: Path) -> None:
    carrier = make(tmp_path / "urls", address(server, "old"))
    carrier.send(make_notice(tmp_path))
    (tmp_path / "urls").write_text(address(server, "new"))
    carrier.send(make_notice(tmp_path))
    assert [request.path for request in server.drain()] == ["/old", "/new"]


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ("", "names no service"),
        ("# only a comment\n", "names no service"),
        ("json://127.0.0.1\nnothing://kanarienvogel\n", "line 2"),
        ("kanarienvogel", "line 1"),
        ("mailto://kanarienvogel", "line 1"),
        ("json://127.0.0.1\n" * (MOST_SERVICES + 1), "more than 50"),
    ],
)
def test_a_mistake_is_told_with_its_line_and_nothing_of_it(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], text: str, complaint: str
) -> None:
    path = tmp_path / "urls"
    path.write_text(text)
    carrier = ServicesCarrier(NotifySettings(name="mail", type="apprise", urls_file=path))
    with pytest.raises(CarrierDown, match=complaint) as caught:
        carrier.open()
    assert "kanarienvogel" not in str(caught.value) + "".join(capfd.readouterr())
    path.unlink()
    with pytest.raises(CarrierDown, match="cannot be read"):
        carrier.open()


def test_nothing_of_an_address_is_said_when_a_service_fails(
    server: FaultyServer, tmp_path: Path, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    server.decide = lambda _: Answer(401)
    carrier = make(tmp_path / "urls", address(server, "kanarienvogel"))
    with pytest.raises(CarrierDown) as caught:
        carrier.send(make_notice(tmp_path))
    assert "kanarienvogel" not in str(caught.value) + "".join(capfd.readouterr()) + caplog.text


def test_what_a_place_is_called_does_not_become_markup(server: FaultyServer, tmp_path: Path) -> None:
    carrier = make(tmp_path / "urls", address(server))
    carrier.send(make_notice(tmp_path, detail=json.dumps({"place": "<b>*x*</b> :smile: \\n"})))
    (request,) = server.drain()
    assert "Place: <b>*x*</b> :smile: \\n" in json.loads(request.body)["message"]
