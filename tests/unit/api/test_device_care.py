"""The device behind a camera through the API: asked, told without a secret, and given another password that nobody is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.base.clock import ManualClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.device_password_tools import pending_credentials
from lamppost.store.device_locks import DeviceLocks, DeviceWork

OLD, NEW = "kanarienvogel-geheim-1", "zaunkoenig-geheim-2"


def text(device: SimulatedCamera) -> str:
    return f"""\
[devices]
networks = ["127.0.0.0/8"]

[[camera]]
name = "plaza"
url = "rtsp://127.0.0.1:1/main"
username = "admin"
password = "{OLD}"
device_url = "{device.base}"

[[camera]]
name = "street"
url = "sim://plaza?seed=2"
"""


@pytest.fixture
def device() -> Iterator[SimulatedCamera]:
    with SimulatedCamera("onvif", password=OLD) as made:
        yield made


@pytest.fixture
def node(tmp_path: Path, device: SimulatedCamera) -> Iterator[ConfiguredNode]:
    made = ConfiguredNode.configured(tmp_path, text(device))
    yield made
    made.close()


def test_before_anybody_has_asked_nothing_is_known(node: ConfiguredNode, device: SimulatedCamera) -> None:
    answer = node.client().get("/api/v1/cameras/plaza/device").json()
    assert (answer["identity"], answer["is_reachable"], answer["seen"], answer["stream"]) == (None, None, None, None)
    assert answer["device_url"] == device.base
    assert [warning["kind"] for warning in answer["warnings"]] == ["no_tls"]
    assert device.requests == (), "to look at what is known asks nobody"
    street = node.client().get("/api/v1/cameras/street/device").json()
    assert (street["device_url"], street["warnings"]) == (None, [])
    assert node.client().get("/api/v1/cameras/nowhere/device").status_code == 404


def test_a_look_asks_and_keeps_and_is_on_the_record(node: ConfiguredNode, device: SimulatedCamera) -> None:
    device.state.clock_offset_s = 90.0
    answer = node.client().post("/api/v1/cameras/plaza/device/look").json()
    assert answer["identity"]["serial"] == device.identity.serial
    assert len(answer["profiles"]) == 2
    assert "clock_off" in [warning["kind"] for warning in answer["warnings"]]
    assert answer | {"is_reachable": None} == node.client().get("/api/v1/cameras/plaza/device").json()
    assert [act["kind"] for act in node.acts()] == ["camera_tested"]
    viewer = node.client("viewer@*")
    assert viewer.post("/api/v1/cameras/plaza/device/look").status_code == 403
    seen = viewer.get("/api/v1/cameras/plaza/device").json()
    assert seen["identity"]["model"] == device.identity.model
    assert (seen["device_url"], {profile["url"] for profile in seen["profiles"]}) == (None, {None})


@pytest.mark.parametrize("is_in_address", [False, True])
def test_a_factory_password_is_told_to_who_may_change_it_alone(node: ConfiguredNode, is_in_address: bool) -> None:
    written = node.config.read_text().replace(OLD, "12345678")
    if is_in_address:
        written = written.replace('username = "admin"\npassword = "12345678"\n', "").replace("rtsp://", "rtsp://admin:12345678@")
    node.config.write_text(written)
    node.take_over()
    kinds = {who: _kinds(node, who) for who in ("administrator@*", "viewer@*")}
    assert "factory_password" in kinds["administrator@*"]
    assert "factory_password" not in kinds["viewer@*"]


def _kinds(node: ConfiguredNode, who: str) -> list[str]:
    return [warning["kind"] for warning in node.client(who).get("/api/v1/cameras/plaza/device").json()["warnings"]]


def test_what_the_recorder_measures_stands_beside_what_should_come(node: ConfiguredNode, device: SimulatedCamera) -> None:
    node.client().post("/api/v1/cameras/plaza/device/look")
    recording = {"state": "recording", "measured_fps": 4.0, "kbit_per_s": 90.0, "keyframe_interval_s": 9.0, "received_packets": 900}
    node.take_over(
        cameras={"plaza": {"recording": recording | {"lost_packets": 100}, "device": {"is_reachable": True}}},
        alarms=[{"kind": "device_exchanged", "severity": "alarm", "camera": "plaza", "problem": "another number"}],
    )
    answer = node.client().get("/api/v1/cameras/plaza/device").json()
    assert answer["stream"] == {
        "fps": 4.0,
        "nominal_fps": 15.0,
        "kbit_per_s": 90.0,
        "nominal_kbit_per_s": 2048.0,
        "received_packets": 900,
        "lost_packets": 100,
        "keyframe_interval_s": 9.0,
    }
    kinds = [warning["kind"] for warning in answer["warnings"]]
    assert {"low_frame_rate", "low_bit_rate", "keyframes_far_apart", "packets_lost", "device_exchanged"} <= set(kinds)
    assert answer["is_reachable"] is True


def test_another_device_is_taken_for_the_right_one_only_on_purpose(node: ConfiguredNode, device: SimulatedCamera) -> None:
    node.client().post("/api/v1/cameras/plaza/device/look")
    port = device.port
    device.close()
    with SimulatedCamera("onvif", password=OLD, number=2, port=port) as other:
        refused = node.client().post("/api/v1/cameras/plaza/device/look")
        assert refused.status_code == 409
        assert refused.json()["type"].endswith(":exchanged")
        assert node.client().get("/api/v1/cameras/plaza/device").json()["identity"]["serial"] == device.identity.serial
        taken = node.client().post("/api/v1/cameras/plaza/device/look", json={"accept": True})
        assert taken.json()["identity"]["serial"] == other.identity.serial
    assert node.acts()[-1]["detail"] == {"device": True, "accept": True}


def test_one_that_does_not_answer_is_a_problem_with_a_remedy(node: ConfiguredNode, device: SimulatedCamera) -> None:
    device.close()
    answer = node.client().post("/api/v1/cameras/plaza/device/look")
    assert answer.status_code == 200
    assert answer.json()["is_reachable"] is False
    assert "cannot be reached" in answer.json()["problem"]
    assert answer.json()["identity"] is None
    assert node.client().post("/api/v1/cameras/street/device/look").status_code in (400, 409, 422)


@pytest.mark.parametrize("given", [NEW, None])
def test_a_password_is_changed_on_the_device_and_told_to_nobody(
    node: ConfiguredNode, device: SimulatedCamera, given: str | None, capfd: pytest.CaptureFixture[str]
) -> None:
    body: dict[str, Any] = {"in_clear": True} if given is None else {"new": given, "in_clear": True}
    answer = node.client().post("/api/v1/cameras/plaza/password", json=body)
    assert answer.status_code == 200, answer.text
    assert set(answer.json()) == {"at"}
    now = device.state.users["admin"]
    assert now != OLD
    assert given in (None, now)
    camera = ConfigFile(node.config).camera("plaza")
    assert camera is not None
    assert (camera.password, camera.password_file) == (None, None)
    with CredentialKeeper(node.context.folder) as keeper:
        assert keeper.password_of(camera) == now
        assert [each.credential_id for each in keeper.kept()] == [camera.credential]
    assert pending_credentials(node.context.folder) == frozenset()
    acts = node.acts()
    assert {act["kind"] for act in acts} == {"camera_password_rotated"}
    assert acts[0]["actor"] == "administrator@*"
    assert acts[0]["detail"] == {"user": "admin", "in_clear": True}
    assert now not in json.dumps(acts) + node.config.read_text() + "".join(capfd.readouterr())
    kept = [path.read_bytes() for path in node.context.folder.root.rglob("*") if path.is_file()]
    assert not any(now.encode() in content for content in kept), "nor is it anywhere in the clear"
    assert node.client().post("/api/v1/cameras/plaza/device/look").status_code == 200


def test_what_no_device_takes_is_refused_before_anything_is_asked(node: ConfiguredNode, device: SimulatedCamera) -> None:
    for bad in ("short", "with blank inside", "ümlaute-sind-schön", 'quote"quote', "x" * 40):
        answer = node.client().post("/api/v1/cameras/plaza/password", json={"new": bad})
        assert answer.status_code == 422
        assert bad not in answer.text
    assert device.requests == ()
    assert node.acts() == []


def test_over_http_a_new_password_is_not_sent_by_itself(node: ConfiguredNode, device: SimulatedCamera) -> None:
    answer = node.client().post("/api/v1/cameras/plaza/password", json={})
    assert answer.status_code == 422
    assert "in_clear" in answer.text
    assert (device.requests, node.acts(), device.state.users["admin"]) == ((), [], OLD)


def test_a_device_that_refuses_keeps_its_password(node: ConfiguredNode, device: SimulatedCamera) -> None:
    device.state.users["admin"] = "somebody-elses-3"
    answer = node.client().post("/api/v1/cameras/plaza/password", json={"new": NEW, "in_clear": True})
    assert answer.status_code == 502
    assert answer.json()["type"].endswith(":failed")
    assert OLD in node.config.read_text()
    assert device.state.users["admin"] == "somebody-elses-3"


def test_a_device_that_somebody_works_on_keeps_its_password(node: ConfiguredNode, device: SimulatedCamera) -> None:
    node.context.clock = ManualClock(node.context.clock.wall_us())
    with DeviceLocks(node.context.folder, ManualClock(), "the caretaker").hold("plaza", DeviceWork.AUDIT):
        answer = node.client().post("/api/v1/cameras/plaza/password", json={"new": NEW, "in_clear": True})
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lamppost:problem:busy")
    assert "is being audited by the caretaker since 2023-11-14" in answer.json()["detail"]
    assert device.state.users == {"admin": OLD}
    assert device.requests == ()
