"""Where a camera came from is seen and changed by who may, whole or not at all, and never over somebody else's change."""

from __future__ import annotations

import pytest

from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.model.devices import DeviceIdentity
from lamppost.store.device_book import DeviceBook

ORIGIN = f"{API}/cameras/plaza/origin"
WHOLE = {
    "vendor": "City Cams",
    "oem": "Hikvision",
    "model": "CC-1",
    "firmware": "V5.4.0",
    "integrator": "Light & Co",
    "contract": "T-2024/17",
    "cost": 1250.5,
    "currency": "EUR",
    "installed": "2024-05-31",
    "legal_basis": "§ 15 of the police act",
    "purpose": "traffic on the square",
    "note": "on the lamp post\nbeside the fountain",
}


def test_an_origin_is_put_down_and_read(configured: ConfiguredNode) -> None:
    client = configured.client()
    empty = client.get(ORIGIN)
    assert empty.status_code == 200
    assert (empty.json()["vendor"], empty.json()["device"], empty.headers["ETag"]) == ("", None, empty.json()["etag"])
    put = client.put(ORIGIN, json=WHOLE, headers={"If-Match": empty.json()["etag"]})
    assert put.status_code == 200, put.text
    assert {key: put.json()[key] for key in WHOLE} == WHOLE
    configured.context.devices.remember("plaza", DeviceIdentity("HIKVISION", "DS-1", "V5.5.0"), "http://10.0.0.1", 1)
    seen = configured.client("viewer@*").get(ORIGIN).json()
    assert seen["device"] == {"vendor": "HIKVISION", "model": "DS-1", "firmware": "V5.5.0"}
    assert seen["etag"] == put.json()["etag"] != empty.json()["etag"]
    (act,) = configured.acts()
    assert (act["kind"], act["actor"], act["subject"]) == ("camera_origin_changed", "administrator@*", "plaza")
    assert act["detail"] == {"keys": list(WHOLE)}


def test_nobody_overwrites_what_they_have_not_seen(configured: ConfiguredNode) -> None:
    client = configured.client()
    assert client.put(ORIGIN, json={}).status_code == 428
    etag = client.get(ORIGIN).json()["etag"]
    assert client.put(ORIGIN, json={"vendor": "one"}, headers={"If-Match": etag}).status_code == 200
    refused = client.put(ORIGIN, json={"vendor": "two"}, headers={"If-Match": etag})
    assert refused.status_code == 412
    assert client.get(ORIGIN).json()["vendor"] == "one"
    assert len(configured.acts()) == 1


def test_it_is_for_who_may(configured: ConfiguredNode) -> None:
    assert configured.client("viewer@*").put(ORIGIN, json={}, headers={"If-Match": "*"}).status_code == 403
    assert configured.client("viewer@camera:bridge").get(ORIGIN).status_code == 404
    assert configured.client().get(f"{API}/cameras/nowhere/origin").status_code == 404
    assert configured.client().put(f"{API}/cameras/nowhere/origin", json={}, headers={"If-Match": "*"}).status_code == 404
    with DeviceBook(configured.context.folder) as book:
        assert book.origins() == {}


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"cost": -1}, "body.cost"),
        ({"cost": 12}, "body.currency"),
        ({"cost": 1e13}, "body.cost"),
        ({"currency": "euro"}, "body.currency"),
        ({"installed": "31.5.2024"}, "body.installed"),
        ({"vendor": "x" * 201}, "body.vendor"),
        ({"vendor": "a\u0000b"}, "body.vendor"),
        ({"colour": "red"}, "body.colour"),
        ({"vendor": ["x"]}, "body.vendor"),
    ],
)
def test_what_cannot_be_is_refused_at_its_place(configured: ConfiguredNode, body: dict[str, object], at: str) -> None:
    answer = configured.client().put(ORIGIN, json=body, headers={"If-Match": "*"})
    assert answer.status_code == 422
    assert [error["at"] for error in answer.json()["errors"]] == [at]
    assert configured.acts() == []
