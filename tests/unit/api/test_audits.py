"""Audits and disarms over the API: who may, what is told, and what goes on the record before anything is done."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from audit_book import MemoryBook
from changing_device import ChangingDevice
from device_server import served
from lamppost.api.device_places import MOST_AT_ONCE, device_place
from lamppost.base.clock import ManualClock
from lamppost.cameras.dialects.replies import Variant
from lamppost.pipeline.device_audits import AuditDesk
from lamppost.store.device_locks import DeviceLocks, DeviceWork
from lamppost.store.journal import journal_files, scan_journal
from served_node import ServedNode

WORD = "Order of the council of 12 November 2026"


@dataclass
class Site:
    """A node with two cameras: `plaza` is an armed Dahua, `bridge` a Hikvision that denies everything."""

    node: ServedNode
    book: MemoryBook
    plaza: ChangingDevice
    bridge: ChangingDevice

    def get(self, path: str, who: str = "privacy_officer@*") -> Any:
        return self.node.client(who).get(f"/api/v1{path}")

    def post(self, path: str, body: Any = None, who: str = "administrator@*") -> Any:
        return self.node.client(who).post(f"/api/v1{path}", json=body)

    def acts(self) -> list[tuple[str, str, str]]:
        records = [record for file in journal_files(self.node.context.folder.journal / "server") for record in scan_journal(file).records]
        return [(record.kind, record.actor, record.subject) for record in records if record.TYPE == "act"]


@pytest.fixture
def site(tmp_path: Path) -> Iterator[Site]:
    plaza, bridge = ChangingDevice(Variant.read("dahua", "armed")), ChangingDevice(Variant.read("hikvision", "incapable"))
    with ExitStack() as stack:
        cameras = [
            {"name": name, "url": f"rtsp://127.0.0.1/{name}", "device_url": stack.enter_context(served(device)), "site": place}
            for name, device, place in (("plaza", plaza, "Old Town"), ("bridge", bridge, "Harbour"))
        ]
        node = ServedNode.make(tmp_path / "data", camera=cameras, devices={"networks": ["127.0.0.0/8"]})
        book = MemoryBook()
        node.context.keep(
            AuditDesk, lambda: AuditDesk(book, node.context.clock, DeviceLocks(node.context.folder, ManualClock(), "the server"))
        )
        yield Site(node, book, plaza, bridge)
        node.close()


def test_an_audit_says_what_a_camera_is_able_to_do_and_how_it_is_set(site: Site) -> None:
    answer = site.post("/cameras/plaza/audits", who="privacy_officer@*")
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["detect"], told["capture"], told["recognise"]) == ("yes", "yes", "yes")
    assert (told["is_armed"], told["has_library"], told["libraries"], told["entries"]) == ("yes", "yes", 2, 42)
    assert told["site"] == "Old Town"
    assert told["dialects"] == ["onvif", "dahua"]
    assert all(finding["evidence"] < len(told["evidence"]) for finding in told["findings"])
    assert site.get(f"/audits/{told['id']}").json() == told
    assert answer.headers["location"] == f"/api/v1/audits/{told['id']}"
    assert site.acts() == [("camera_audited", "privacy_officer@*", "plaza")]
    denied = site.post("/cameras/bridge/audits").json()
    assert {finding["level"] for finding in denied["findings"] if finding["because"].endswith("is false")} == {"no"}
    assert denied["recognise"] == "unknown", "it has not answered in ONVIF"


def test_the_list_tells_of_cameras_that_were_never_audited(site: Site) -> None:
    site.post("/cameras/plaza/audits")
    items = {item["camera"]: item for item in site.get("/audits").json()["items"]}
    assert set(items) == {"plaza", "bridge"}
    assert items["plaza"]["recognise"] == "yes"
    assert (items["bridge"]["id"], items["bridge"]["made"], items["bridge"]["recognise"]) == (None, None, "unknown")


def test_what_comes_back_is_drift(site: Site) -> None:
    site.plaza.replies = dict(Variant.read("dahua", "off").replies)
    site.post("/cameras/plaza/audits")
    site.node.context.clock.advance(5)  # type: ignore[attr-defined]
    site.plaza.replies = dict(Variant.read("dahua", "armed").replies)
    told = site.post("/cameras/plaza/audits").json()
    assert told["has_drifted"]
    assert "something with faces is switched on" in told["drift"]
    items = site.get("/cameras/plaza/audits?limit=1").json()
    assert [item["has_drifted"] for item in items["items"]] == [True]
    older = site.get(f"/cameras/plaza/audits?limit=1&cursor={items['next']}").json()
    assert [item["has_drifted"] for item in older["items"]] == [False]
    assert older["next"] is None


def test_evidence_is_handed_out_as_a_file_and_names_nobody(site: Site) -> None:
    told = site.post("/cameras/plaza/audits").json()
    for one in told["evidence"]:
        answer = site.get(f"/audits/{told['id']}/evidence/{one['number']}")
        assert answer.status_code == (200 if one["has_content"] else 404)
        if one["has_content"]:
            assert answer.headers["content-type"] == "application/octet-stream"
            assert answer.headers["content-disposition"].startswith("attachment;")
            assert b"invented list" not in answer.content
    assert any(not one["has_content"] and one["counts"] for one in told["evidence"])
    assert "invented list" not in json.dumps(told)
    assert site.get(f"/audits/{told['id']}/evidence/9999").status_code == 404


@pytest.mark.parametrize("who", ["viewer@*", "operator@*", "evidence_officer@*", "privacy_officer@camera:bridge"])
def test_who_may_not_audit_a_camera_learns_nothing_of_its_audits(site: Site, who: str) -> None:
    told = site.post("/cameras/plaza/audits").json()
    asked = len(site.plaza.changes)
    for path in (f"/audits/{told['id']}", f"/audits/{told['id']}/evidence/0", "/cameras/plaza/audits"):
        assert site.get(path, who).status_code in (403, 404)
    assert site.post("/cameras/plaza/audits", who=who).status_code in (403, 404)
    listed = site.get("/audits", who)
    assert listed.status_code == 403 or [item["camera"] for item in listed.json()["items"]] == ["bridge"]
    assert len(site.plaza.changes) == asked
    assert len(site.acts()) == 1


def test_a_plan_changes_nothing(site: Site) -> None:
    told = site.get("/cameras/plaza/disarm", "administrator@*").json()
    assert {"what": "LeSmartTrack[0].Enable", "now": "true", "then": "false"} in told["steps"]
    assert site.plaza.changes == []
    assert site.get("/cameras/bridge/disarm", "administrator@*").json()["steps"] == []


def test_a_disarm_is_on_the_record_before_the_first_change(site: Site) -> None:
    def ask(*args: Any, **how: Any) -> Any:
        if site.plaza.changes:
            seen.append(("camera_disarmed", "administrator@*", "plaza") in site.acts() and bool(site.book.states))
        return real(*args, **how)

    seen: list[bool] = []
    real, site.plaza.ask = site.plaza.ask, ask  # type: ignore[method-assign]
    answer = site.post("/cameras/plaza/disarm", {"authorisation": WORD, "reference": "2026/17"})
    assert answer.status_code == 201, answer.text
    assert seen
    assert all(seen)
    told = answer.json()
    assert told["state"] == "unconfirmed", "it does not answer in ONVIF"
    assert told["problems"]
    assert all(step["is_done"] for step in told["steps"])
    assert (told["by"], told["authorisation"], told["reference"]) == ("administrator@*", WORD, "2026/17")
    before, after = (site.get(f"/audits/{told[key]}").json() for key in ("audit_before", "audit_after"))
    assert (before["is_armed"], after["is_armed"], after["auto_tracking"]) == ("yes", "unknown", "no")  # it does not answer in ONVIF
    assert (after["libraries"], after["entries"]) == (2, 42), "libraries are reported, never deleted"
    assert site.get("/cameras/plaza/disarms", "administrator@*").json()["items"] == [told]
    rules = "GET /cgi-bin/configManager.cgi?action=getConfig&name=VideoAnalyseRule"
    line = "table.VideoAnalyseRule[0][1].Enable="
    site.plaza.replace(rules, site.plaza.text(rules).replace(f"{line}true", f"{line}false"))
    rolled = site.post(f"/disarms/{told['id']}/rollback", {"authorisation": WORD}).json()
    assert rolled["state"] == "rolled_back"
    assert (rolled["audit_before"], rolled["audit_after"]) == (told["audit_before"], told["audit_after"]), "the proof of the disarm stays"
    assert site.get(f"/audits/{rolled['rollback_audit']}").json()["armed"] == []
    assert ("camera_rolled_back", "administrator@*", "plaza") in site.acts()
    acts = site.acts()
    again = site.post(f"/disarms/{told['id']}/rollback", {"authorisation": WORD})
    assert (again.status_code, again.json()["detail"]) == (422, "this disarm was rolled back already"), again.text
    assert site.acts() == acts


def test_nothing_is_changed_on_a_device_that_does_not_say_who_it_is(site: Site) -> None:
    done = site.post("/cameras/plaza/disarm", {"authorisation": WORD}).json()
    acts, changes = site.acts(), list(site.plaza.changes)
    site.plaza.replies = {question: told for question, told in site.plaza.replies.items() if "magicBox" not in question}
    for answer in (
        site.get("/cameras/plaza/disarm", "administrator@*"),
        site.post("/cameras/plaza/disarm", {"authorisation": WORD}),
        site.post(f"/disarms/{done['id']}/rollback", {"authorisation": WORD}),
    ):
        assert (answer.status_code, answer.json()["type"].rpartition(":")[2]) == (409, "not_told"), answer.text
    assert (site.acts(), site.plaza.changes) == (acts, changes)


@pytest.mark.parametrize("body", [{}, {"authorisation": "yes"}, {"authorisation": " " * 30}, {"authorisation": WORD, "more": 1}])
def test_without_an_authorisation_nothing_is_asked(site: Site, body: dict[str, Any]) -> None:
    assert site.post("/cameras/plaza/disarm", body).status_code == 422
    assert site.plaza.changes == []
    assert site.acts() == []


@pytest.mark.parametrize("who", ["privacy_officer@*", "operator@*", "administrator@camera:bridge"])
def test_who_may_not_edit_a_camera_does_not_disarm_it(site: Site, who: str) -> None:
    done = site.post("/cameras/plaza/disarm", {"authorisation": WORD}).json()
    changes = list(site.plaza.changes)
    assert site.post("/cameras/plaza/disarm", {"authorisation": WORD}, who).status_code in (403, 404)
    assert site.post(f"/disarms/{done['id']}/rollback", {"authorisation": WORD}, who).status_code in (403, 404)
    assert site.get("/cameras/plaza/disarms", who).status_code in (403, 404)
    assert site.plaza.changes == changes


def test_all_cameras_are_audited_in_one_job(site: Site) -> None:
    started = site.post("/audits", who="privacy_officer@*")
    assert started.status_code == 202
    for thread in threading.enumerate():
        if thread.name == "audits":
            thread.join(30)
    now = site.get(f"/audits/jobs/{started.json()['id']}").json()
    assert now == {"id": started.json()["id"], "state": "done", "done": 2, "total": 2, "problems": []}
    assert {item["recognise"] for item in site.get("/audits").json()["items"]} == {"yes", "unknown"}
    assert {act[2] for act in site.acts()} == {"plaza", "bridge"}
    assert site.get("/audits/jobs/nowhere").status_code == 404


def test_a_device_that_does_not_answer_is_unknown_and_told_in_the_job(site: Site) -> None:
    site.plaza.replies = {}
    told = site.post("/cameras/plaza/audits")
    assert told.status_code == 201
    assert (told.json()["detect"], told.json()["recognise"]) == ("unknown", "unknown")


def test_a_camera_without_a_device_is_told_of_in_one_line(tmp_path: Path) -> None:
    node = ServedNode.make(tmp_path / "data")
    node.context.keep(
        AuditDesk, lambda: AuditDesk(MemoryBook(), node.context.clock, DeviceLocks(node.context.folder, ManualClock(), "the server"))
    )
    answer = node.client().post("/api/v1/cameras/plaza/audits")
    assert answer.status_code == 422
    assert "device_url" in answer.json()["remedy"]
    node.close()


@pytest.mark.parametrize(
    ("path", "body"),
    [("/cameras/plaza/audits", None), ("/cameras/plaza/disarm", {"authorisation": "the council has decided so"})],
    ids=["audit", "disarm"],
)
def test_who_comes_while_a_device_is_worked_on_is_told_by_whom(site: Site, path: str, body: Any) -> None:
    with DeviceLocks(site.node.context.folder, ManualClock(), "a command").hold("plaza", DeviceWork.DISARM):
        answer = site.post(path, body)
    assert (answer.status_code, answer.headers["Retry-After"]) == (409, "30")
    assert answer.json()["type"] == "urn:lamppost:problem:busy"
    assert answer.json()["detail"] == "the device of plaza is being disarmed by a command since 2023-11-14T22:13:20.000Z"
    assert (site.acts(), site.plaza.changes) == ([], []), "nothing was done that could be on the record"
    assert site.post(path, body).status_code == 201


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("POST", "/cameras/plaza/audits", None),
        ("GET", "/cameras/plaza/disarm", None),
        ("POST", "/cameras/plaza/disarm", {"authorisation": WORD}),
    ],
)
def test_only_a_few_talk_with_devices_for_minutes(site: Site, method: str, path: str, body: Any) -> None:
    client = site.node.client("administrator@*")
    with ExitStack() as taken:
        for _ in range(MOST_AT_ONCE):
            taken.enter_context(device_place(site.node.context))
        refused = client.request(method, f"/api/v1{path}", json=body)
        assert (refused.status_code, refused.json()["type"]) == (429, "urn:lamppost:problem:busy")
        assert int(refused.headers["Retry-After"]) > 0
        assert site.acts() == []
    assert client.request(method, f"/api/v1{path}", json=body).status_code in (200, 201)
