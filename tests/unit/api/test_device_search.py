"""Devices are searched and looked at through the API: on the record, by who may, with no secret told, and known cameras are known."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.model.devices import DeviceIdentity, FoundDevice
from lamppost.pipeline import device_searches
from lamppost.pipeline.device_searches import DeviceSearches
from lamppost.store.device_book import DeviceBook
from self_signed import Certificate

PASSWORD = "kanarienvogel-geheim-1"
SEARCHES, LOOK = "/api/v1/devices/searches", "/api/v1/devices/look"
TEXT = """\
[devices]
networks = ["10.0.0.0/8", "127.0.0.0/8"]

[[camera]]
name = "plaza"
url = "rtsp://10.0.0.5/main"

[[camera]]
name = "gate"
url = "rtsp://gate.cameras.example/main"

[[camera]]
name = "street"
url = "sim://plaza?seed=2"
"""
NOBODY = DeviceIdentity()
PLAZA = DeviceIdentity("Acme", "X1", "1.0", "SN-1", "02:00:00:00:00:01", "")
GATE = DeviceIdentity("Acme", "X1", "1.0", "SN-2", "02:00:00:00:00:02", "")


@pytest.fixture
def node(tmp_path: Path) -> Iterator[ConfiguredNode]:
    made = ConfiguredNode.configured(tmp_path, TEXT)
    yield made
    made.close()


@pytest.fixture
def seen(node: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> list[FoundDevice]:
    """What a search finds; the book knows two cameras."""
    with_book = node.context.keep(DeviceBook, lambda: DeviceBook(node.context.folder))
    with_book.remember("plaza", PLAZA, "http://10.0.0.5", 1)
    with_book.remember("gate", GATE, "http://10.0.0.6", 1)
    found: list[FoundDevice] = []

    def search(*_: object, **asked: Any) -> tuple[FoundDevice, ...]:
        asked["on_found"](tuple(found))
        return tuple(found)

    monkeypatch.setattr(device_searches, "search", search)
    return found


def device(address: str, identity: DeviceIdentity = NOBODY, *scopes: str) -> FoundDevice:
    return FoundDevice(address, f"http://{address}", identity, scopes, "")


def test_a_certificate_that_was_seen_is_told_as_one_that_nobody_has_checked(node: ConfiguredNode, seen: list[FoundDevice]) -> None:
    seen.extend([device("10.0.0.8"), FoundDevice("10.0.0.9", "https://10.0.0.9", NOBODY, (), "", "ab" * 32)])
    told = {each["address"]: (each["device_url"], each["certificate_sha256"]) for each in searched(node)}
    assert told == {"10.0.0.8": ("http://10.0.0.8", None), "10.0.0.9": ("https://10.0.0.9", "ab" * 32)}


def searched(node: ConfiguredNode) -> list[dict[str, Any]]:
    begun = node.client().post(SEARCHES, json={})
    assert begun.status_code == 202
    thread = node.context.keep(DeviceSearches, lambda: DeviceSearches(node.context.clock))._thread
    if thread is not None:
        thread.join(5)
    answer = node.client().get(f"{SEARCHES}/{begun.json()['id']}").json()
    assert (answer["state"], answer["progress"], answer["problem"]) == ("done", 1.0, "")
    return list(answer["items"])


def test_a_search_is_on_the_record_and_only_who_edits_every_camera_may(node: ConfiguredNode, seen: list[FoundDevice]) -> None:
    assert node.client("viewer@*").post(SEARCHES, json={}).status_code == 403
    assert node.client("viewer@*").post(LOOK, json={"device_url": "http://10.0.0.9"}).status_code == 403
    assert node.acts() == []
    assert searched(node) == []
    assert [(act["kind"], act["detail"]) for act in node.acts()] == [("cameras_searched", {"ranges": [], "interfaces": []})]
    assert node.client().get(f"{SEARCHES}/nothing").status_code == 404
    assert node.client("viewer@*").get(f"{SEARCHES}/nothing").status_code == 403


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"ranges": ["10.0.0.0/8"]}, "body.ranges"),
        ({"ranges": ["192.0.2.0/24"]}, "body.ranges"),
        ({"ranges": ["gate"]}, "body.ranges"),
        ({"interfaces": ["192.0.2.200"]}, "body.interfaces"),
        ({"interfaces": ["eth0\x00"]}, "body.interfaces"),
    ],
)
def test_what_cannot_be_searched_is_refused_before_it_is_recorded(node: ConfiguredNode, body: dict[str, list[str]], at: str) -> None:
    answer = node.client().post(SEARCHES, json=body)
    assert answer.status_code == 422
    assert [mistake["at"] for mistake in answer.json()["errors"]] == [at]
    assert node.acts() == []


def test_a_second_search_has_to_wait(node: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(device_searches, "search", lambda *_, **asked: asked["stop"].wait(10) and ())
    assert node.client().post(SEARCHES, json={}).status_code == 202
    busy = node.client().post(SEARCHES, json={})
    assert (busy.status_code, busy.headers["retry-after"]) == (429, "5")
    assert len(node.acts()) == 1


def test_cameras_that_are_known_are_told_and_whether_they_have_moved(node: ConfiguredNode, seen: list[FoundDevice]) -> None:
    seen += [
        device("10.0.0.5"),
        device("10.0.0.8", DeviceIdentity(mac=PLAZA.mac)),
        device("10.0.0.9", DeviceIdentity(mac=GATE.mac)),
        device("10.0.0.10", DeviceIdentity(vendor="Other"), "onvif://www.onvif.org/name/New%20one"),
    ]
    told = [(each["address"], each["known_as"], each["has_moved"], each["serial"]) for each in searched(node)]
    assert told == [
        ("10.0.0.5", "plaza", False, "SN-1"),
        ("10.0.0.8", "plaza", True, "SN-1"),
        ("10.0.0.9", "gate", False, "SN-2"),  # its address is a name: where that leads is not known here
        ("10.0.0.10", None, False, ""),
    ]
    assert searched(node)[3]["name"] == "New one"


def test_another_device_in_a_cameras_place_is_not_told_the_cameras_numbers(node: ConfiguredNode, seen: list[FoundDevice]) -> None:
    seen.append(device("10.0.0.5", DeviceIdentity(vendor="Acme", mac="02:00:00:00:00:99")))
    (told,) = searched(node)
    assert (told["known_as"], told["mac"], told["serial"], told["firmware"]) == ("plaza", "02:00:00:00:00:99", "", "")


def test_a_look_fills_the_form_and_tells_no_secret(node: ConfiguredNode, tmp_path: Path) -> None:
    certificate = Certificate(tmp_path)
    with SimulatedCamera("onvif", password=PASSWORD, tls=certificate.context) as camera:
        body = {"device_url": camera.base, "username": "admin", "password": PASSWORD}
        shown = node.client().post(LOOK, json=body)
        assert (shown.status_code, shown.json()["certificate_sha256"], shown.json()["identity"]) == (200, certificate.sha256, None)
        answer = node.client().post(LOOK, json=body | {"certificate_sha256": certificate.sha256}).json()
    assert answer["identity"]["serial"] == camera.identity.serial
    assert [profile["width_px"] for profile in answer["profiles"]] == [1280, 640]
    assert answer["problem"] == ""
    assert PASSWORD not in json.dumps(answer) + json.dumps(node.acts())
    assert [act["detail"] for act in node.acts()] == [{"device_url": camera.base}] * 2


@pytest.mark.parametrize("url", ["gate", "ftp://10.0.0.5", f"http://admin:{PASSWORD}@10.0.0.5", "http://[bad", "http://10.0.0.5:0"])
def test_an_address_that_is_none_is_refused_without_telling_it(node: ConfiguredNode, url: str) -> None:
    answer = node.client().post(LOOK, json={"device_url": url})
    assert answer.status_code == 422
    assert PASSWORD not in answer.text
    assert node.acts() == []


def test_a_few_devices_are_looked_at_at_once(node: ConfiguredNode) -> None:
    looks = node.context.keep(DeviceSearches, lambda: DeviceSearches(node.context.clock)).looks
    for _ in range(device_searches.MOST_LOOKS):
        looks.acquire()
    assert node.client().post(LOOK, json={"device_url": "http://127.0.0.1:1"}).status_code == 429
    looks.release()
    answer = node.client().post(LOOK, json={"device_url": "http://127.0.0.1:1"}).json()
    assert answer["problem"]
    assert answer["remedy"]
