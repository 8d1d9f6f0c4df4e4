"""The firmware of cameras is told with what is known against it, to who may see them; and no camera is ever refused because of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lamppost
from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.base.errors import StoreError
from lamppost.model.devices import DeviceIdentity

DAHUA = DeviceIdentity("Dahua", "IPC-HFW", "2.800.0000000.16.R, build 2019-12-05")
LIST: dict[str, Any] = {
    "name": "ours",
    "published": "2026-11-01",
    "advisories": [
        {
            "id": "CITY-1",
            "vendor": "dahua",
            "affected": [{"before": "2.820.0000000.1.R, build 2021-01-01"}],
            "title": "old",
            "severity": "high",
            "fixed_in": "2.820",
            "url": "https://example.org/1",
        }
    ],
    "bans": [{"list": "our rules", "entry": "everybody", "vendors": ["*"], "note": "none is allowed"}],
}


def test_the_firmware_of_cameras_is_told_with_what_is_known(configured: ConfiguredNode) -> None:
    configured.context.devices.remember("plaza", DAHUA, "http://10.0.0.1", configured.context.clock.wall_us())
    client = configured.client()
    plaza, bridge = client.get(f"{API}/firmware").json()["items"]
    assert (plaza["camera"], plaza["site"], plaza["vendor"], plaza["firmware"]) == ("plaza", "Old Town", "Dahua", DAHUA.firmware)
    assert {(each["id"], each["state"]) for each in plaza["advisories"]} == {("CVE-2021-33044", "unknown"), ("CVE-2021-33045", "unknown")}
    assert [ban["list"] for ban in plaza["bans"]] == ["NDAA section 889"]
    assert (bridge["vendor"], bridge["seen"], bridge["advisories"], bridge["bans"]) == ("", None, [], [])
    # A maker that only the record of the origin knows counts as well.
    client.put(f"{API}/cameras/bridge/origin", json={"vendor": "City Cams", "oem": "Hikvision"}, headers={"If-Match": "*"})
    bridge = client.get(f"{API}/firmware").json()["items"][1]
    assert (bridge["vendor"], bridge["seen"], [ban["list"] for ban in bridge["bans"]]) == ("City Cams", None, ["NDAA section 889"])
    alone = configured.client("viewer@camera:bridge").get(f"{API}/firmware").json()["items"]
    assert [item["camera"] for item in alone] == ["bridge"]


def test_another_list_is_given_without_a_network(configured: ConfiguredNode) -> None:
    configured.context.devices.remember("plaza", DAHUA, "http://10.0.0.1", 1)
    client = configured.client()
    shipped = client.get(f"{API}/firmware").json()["list"]
    assert shipped["updated"] is None
    assert configured.client("operator@*").put(f"{API}/firmware/list", json=LIST).status_code == 403
    assert client.put(f"{API}/firmware/list", json=LIST).json() == {"advisories": 1, "bans": 1}
    told = client.get(f"{API}/firmware").json()
    assert told["list"] == {"name": "ours", "published": "2026-11-01", "updated": "2023-11-14T22:13:20.000Z", "advisories": 1, "bans": 1}
    (advisory,) = told["items"][0]["advisories"]
    assert advisory == {
        "id": "CITY-1",
        "title": "old",
        "severity": "high",
        "state": "affected",
        "fixed_in": "2.820",
        "url": "https://example.org/1",
    }
    (act,) = configured.acts()
    assert (act["kind"], act["detail"]) == (
        "firmware_list_changed",
        {"name": "ours", "published": "2026-11-01", "advisories": 1, "bans": 1},
    )


@pytest.mark.parametrize(
    ("change", "at"),
    [
        ({"published": "soon"}, "body.published"),
        ({"advisories": [{"id": "x"}]}, "body.advisories.0.vendor"),
        ({"bans": [{"list": "x", "entry": "y", "vendors": []}]}, "body.bans.0.vendors"),
        ({"more": 1}, "body.more"),
    ],
)
def test_a_broken_list_is_refused_and_the_one_before_holds(configured: ConfiguredNode, change: dict[str, Any], at: str) -> None:
    answer = configured.client().put(f"{API}/firmware/list", json=LIST | change)
    assert answer.status_code == 422
    assert at in [error["at"] for error in answer.json()["errors"]]
    assert configured.client().get(f"{API}/firmware").json()["list"]["updated"] is None
    assert configured.acts() == []


def test_a_list_that_is_not_put_on_the_record_does_not_hold(configured: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise StoreError("the journal cannot be written")

    monkeypatch.setattr(configured.context.journal, "append", refuse)
    assert configured.client().put(f"{API}/firmware/list", json=LIST).status_code == 503
    assert configured.client().get(f"{API}/firmware").json()["list"]["updated"] is None


def test_no_camera_is_refused_because_of_a_ban(configured: ConfiguredNode) -> None:
    """Every maker is on the list: cameras are added, changed and put down all the same."""
    client = configured.client()
    client.put(f"{API}/firmware/list", json=LIST)
    for name in ("plaza", "bridge"):
        configured.context.devices.remember(name, DAHUA, "http://10.0.0.1", 1)
    assert client.post(f"{API}/cameras", json={"name": "gate", "url": "rtsp://192.0.2.9/s"}).status_code == 201
    etag = client.get(f"{API}/cameras/plaza").json()["etag"]
    assert client.patch(f"{API}/cameras/plaza", json={"preset": "all"}, headers={"If-Match": etag}).status_code == 200
    put = client.put(f"{API}/cameras/gate/origin", json={"vendor": "Dahua"}, headers={"If-Match": "*"})
    assert put.status_code == 200
    configured.take_over()
    assert {len(item["bans"]) for item in client.get(f"{API}/firmware").json()["items"]} == {1}


def test_bans_are_known_to_nobody_but_who_tells_of_them() -> None:
    root = Path(lamppost.__file__).parent
    users = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        if "ProcurementBan" in (text := path.read_text()) or "bans_for" in text or "pipeline.firmware" in text
    }
    assert users == {"model/firmware_list.py", "pipeline/firmware.py", "api/firmware.py", "cli/camera_firmware.py"}


def test_a_list_that_was_spoilt_is_told_with_what_to_do(configured: ConfiguredNode) -> None:
    configured.context.devices.set_firmware_list(json.loads('{"name": 3}'), 1)
    answer = configured.client().get(f"{API}/firmware")
    assert answer.status_code == 503
    assert answer.json()["remedy"] == "give it again"
