"""What every carrier promises, tried on each of them against a real other side."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from faulty_http import FaultyServer
from lamppost.base.errors import CarrierDown, LamppostError
from lamppost.model.carriers import NotifySettings
from lamppost.notify.carrier import Carrier, make_carrier
from lamppost.notify.notice import Notice
from mqtt_broker import Broker, Subscriber, free_port
from notices import make_notice

pytestmark = [pytest.mark.debian, pytest.mark.filterwarnings("ignore:'imghdr' is deprecated:DeprecationWarning")]
KINDS = ("mqtt", "webhook", "apprise")


@dataclass(frozen=True)
class Place:
    """A carrier, what arrived where it carries to, and how that place goes away and comes back."""

    carrier: Carrier
    arrived: Callable[[int], list[str]]
    lost: Carrier  # one like it whose other side is not there


@pytest.fixture(params=KINDS)
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    (tmp_path / "secret").write_text("kanarienvogel-geheim\n")
    if request.param == "mqtt":
        with Broker(tmp_path / "broker") as broker, Subscriber(broker.port, "lamppost/events/#") as subscriber:
            yield Place(
                make_carrier(NotifySettings(name="one", type="mqtt", url=broker.url)),
                lambda count: [_id(subscriber.next().payload) for _ in range(count)],
                make_carrier(NotifySettings(name="one", type="mqtt", url=f"mqtt://127.0.0.1:{free_port()}")),
            )
        return
    with FaultyServer() as server:
        yield Place(
            _http(request.param, tmp_path, server.port), lambda _: [_name(request.body) for request in server.drain()],
            _http(request.param, tmp_path, free_port()),
        )  # fmt: skip


def _http(kind: str, folder: Path, port: int) -> Carrier:
    if kind == "webhook":
        return make_carrier(NotifySettings(name="one", type=kind, url=f"http://127.0.0.1:{port}/", secret_file=folder / "secret"))
    urls = folder / f"urls-{port}"
    urls.write_text(f"json://127.0.0.1:{port}/kanarienvogel\n")
    return make_carrier(NotifySettings(name="one", type="apprise", urls_file=urls))


def _id(body: bytes) -> str:
    document = json.loads(body)
    return f"{document['id']}-{document['sequence']}"


def _name(body: bytes) -> str:
    document = json.loads(body)
    return _id(body) if "id" in document else document["message"].rsplit("Id: ", 1)[1]


def _notices(folder: Path, count: int) -> list[Notice]:
    return [make_notice(folder, sequence=number) for number in range(count)]


def test_what_was_sent_has_arrived_in_order_and_under_its_id(place: Place, tmp_path: Path) -> None:
    notices = _notices(tmp_path, 5)
    place.carrier.open()
    for notice in notices:
        place.carrier.send(notice)
    assert place.arrived(5) == [notice.id for notice in notices]
    place.carrier.close()


def test_sending_opens_it_and_closing_twice_does_no_harm(place: Place, tmp_path: Path) -> None:
    (notice,) = _notices(tmp_path, 1)
    place.carrier.close()
    for _ in range(2):
        place.carrier.send(notice)
        place.carrier.close()
        place.carrier.close()
    place.carrier.open()
    place.carrier.open()
    place.carrier.close()
    assert place.arrived(2) == [notice.id] * 2, "the same one twice has the same id"


def test_nobody_there_is_told_without_a_secret_and_may_come_later(place: Place, tmp_path: Path) -> None:
    (notice,) = _notices(tmp_path, 1)
    for _ in range(2):
        with pytest.raises(CarrierDown) as caught:
            place.lost.send(notice)
        assert isinstance(caught.value, LamppostError)
        assert "kanarienvogel" not in str(caught.value)
        assert "\n" not in str(caught.value)
    place.lost.close()
    place.carrier.close()


def test_it_leaves_no_thread_behind(place: Place, tmp_path: Path) -> None:
    before = {thread.name for thread in threading.enumerate()}
    place.carrier.send(_notices(tmp_path, 1)[0])
    place.carrier.close()
    left = {thread.name for thread in threading.enumerate()} - before
    assert {name for name in left if "process_request_thread" not in name} == set()
    place.arrived(1)
