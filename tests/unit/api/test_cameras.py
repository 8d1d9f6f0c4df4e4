"""Cameras are seen as one may, and changed in the file: whole or not at all, never over somebody else's change."""

from __future__ import annotations

import json
import stat
import tomllib
from pathlib import Path
from typing import Any

import pytest

import lamppost.api.camera_tests as camera_tests
from configured_node import ConfiguredNode
from lamppost.api.permit import API
from lamppost.base.errors import CameraRefused, CameraUnreachable
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.credentials import CredentialKeeper
from served_node import ServedNode

CANARY = "kanarienvogel-42"


def cameras(node: ConfiguredNode) -> dict[str, dict[str, Any]]:
    return {table["name"]: table for table in tomllib.loads(node.config.read_text()).get("camera", [])}


def secrets(node: ConfiguredNode) -> dict[str, str]:
    """What is kept of passwords, in the clear, by number."""
    with CredentialKeeper(node.context.folder) as keeper:
        return {each.credential_id: keeper.password(each.credential_id, each.camera) for each in keeper.kept()}


def told_of_nothing(node: ConfiguredNode, word: str) -> None:
    """No file of the node, its database and its log among them, holds `word`."""
    root = node.context.folder.root.parent
    assert [path for path in root.rglob("*") if path.is_file() and word.encode() in path.read_bytes()] == []


def etag(node: ConfiguredNode, camera: str = "plaza") -> dict[str, str]:
    return {"If-Match": node.client().get(f"{API}/cameras/{camera}").json()["etag"]}


def test_one_sees_the_cameras_of_ones_scope(configured: ConfiguredNode) -> None:
    listed = configured.client("viewer@site:harbour").get(f"{API}/cameras").json()["items"]
    assert [(camera["name"], camera["site"], camera["site_id"]) for camera in listed] == [("bridge", "Harbour", "harbour")]
    assert listed[0]["can"] == ["see_cameras", "see_events", "watch_live"]
    assert configured.client("viewer@site:harbour").get(f"{API}/cameras/plaza").status_code == 404


def test_settings_are_for_who_may_edit(configured: ConfiguredNode) -> None:
    seen = configured.client("viewer@*").get(f"{API}/cameras/plaza").json()
    assert (seen["url"], seen["etag"], seen["has_password"]) == (None, None, None)
    assert configured.client().get(f"{API}/cameras/plaza").json()["url"] == "rtsp://192.0.2.1/main"


def test_a_camera_is_added_and_its_password_is_kept_and_never_told(configured: ConfiguredNode) -> None:
    body = {
        "name": "gate",
        "url": f"rtsp://op:{CANARY}@192.0.2.9/s",
        "preset": "all",
        "schedule": ["mon-fri 06:00-20:00"],
        "site": "Harbour",
    }
    answer = configured.client().post(f"{API}/cameras", json=body)
    assert answer.status_code == 201, answer.text
    told = answer.json()
    assert (told["url"], told["username"], told["has_password"], told["site"]) == ("rtsp://192.0.2.9/s", "op", True, "Harbour")
    assert secrets(configured) == {cameras(configured)["gate"]["credential"]: CANARY}
    key = configured.context.folder.camera_key
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    told_of_nothing(configured, CANARY)
    assert CANARY not in configured.config.read_text() + answer.text + json.dumps(configured.acts())
    assert "# The square, seen from the town hall." in configured.config.read_text()
    (act,) = configured.acts()
    assert (act["kind"], act["actor"], act["subject"]) == ("camera_added", "administrator@*", "gate")
    assert act["detail"]["keys"] == ["password", "preset", "schedule", "site", "url", "username"]
    # It is there for who asks now, and for everybody once it is taken over.
    assert configured.client().get(f"{API}/cameras/gate").status_code == 200
    configured.take_over()
    assert [item["name"] for item in configured.client().get(f"{API}/cameras").json()["items"]] == ["plaza", "bridge", "gate"]
    for path in ("/cameras", "/cameras/gate", "/configuration"):
        text = configured.client().get(API + path).text
        assert CANARY not in text
        assert cameras(configured)["gate"]["credential"] not in text


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"name": "Gate", "url": "sim://plaza"}, "body.name"),
        ({"name": "gate", "url": "file:/etc/passwd"}, "body.url"),
        ({"name": "gate", "url": "/etc/passwd"}, "body.url"),
        ({"name": "gate", "url": "http://192.0.2.9/"}, "body.url"),
        ({"name": "gate", "url": "sim://plaza", "sub_url": "file:x.mp4"}, "body.sub_url"),
        ({"name": "gate", "url": "sim://plaza", "schedule": ["whenever"]}, "body.schedule"),
        ({"name": "gate", "url": "sim://plaza", "sealed_days": -1}, "body.sealed_days"),
        ({"name": "gate", "url": "sim://plaza", "password_file": "/etc/shadow"}, "body.password_file"),
        ({"name": "gate", "url": "sim://plaza", "rules_file": "/etc/shadow"}, "body.rules_file"),
        ({"name": "gate", "url": "sim://plaza", "password": "two\nlines"}, "body.password"),
        ({"url": "sim://plaza"}, "body.name"),
    ],
)
def test_what_cannot_be_used_is_told_at_its_place_and_nothing_is_written(configured: ConfiguredNode, body: dict[str, Any], at: str) -> None:
    before = configured.config.read_text()
    answer = configured.client().post(f"{API}/cameras", json=body)
    assert answer.status_code == 422
    assert at in [error["at"] for error in answer.json()["errors"]]
    assert configured.config.read_text() == before
    assert configured.acts() == []
    assert secrets(configured) == {}


def test_a_name_is_taken_once(configured: ConfiguredNode) -> None:
    answer = configured.client().post(f"{API}/cameras", json={"name": "plaza", "url": "sim://plaza", "password": CANARY})
    assert answer.status_code == 409
    assert secrets(configured) == {}


@pytest.mark.parametrize("token", ["administrator@camera:plaza", "operator@*"])
def test_adding_needs_the_whole_node(configured: ConfiguredNode, token: str) -> None:
    answer = configured.client(token).post(f"{API}/cameras", json={"name": "gate", "url": "sim://plaza"})
    assert answer.status_code == 403


def test_a_change_needs_to_know_what_it_changes(configured: ConfiguredNode) -> None:
    client, seen = configured.client(), etag(configured)
    assert client.patch(f"{API}/cameras/plaza", json={"preset": "all"}).status_code == 428
    assert client.patch(f"{API}/cameras/plaza", json={"preset": "all"}, headers=seen).json()["own_preset"] == "all"
    late = client.patch(f"{API}/cameras/plaza", json={"preset": "faces"}, headers=seen)
    assert late.status_code == 412
    assert cameras(configured)["plaza"]["preset"] == "all"
    assert client.delete(f"{API}/cameras/plaza", headers=seen).status_code == 412
    # What is changed of another camera is nobody's concern.
    assert client.patch(f"{API}/cameras/bridge", json={"preset": "all"}, headers=etag(configured, "bridge")).status_code == 200
    taken_out = client.patch(f"{API}/cameras/plaza", json={"preset": None}, headers=etag(configured))
    assert taken_out.json()["own_preset"] is None
    assert "preset" not in cameras(configured)["plaza"]


def test_who_edits_the_file_by_hand_meanwhile_loses_nothing(configured: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    import lamppost.pipeline.config_file as config_file

    seen, times = etag(configured), list[int]()
    real = config_file.ConfigFile.replace

    def replace(file: config_file.ConfigFile, **first: Any) -> None:
        if not times:
            times.append(1)
            configured.config.write_text(configured.config.read_text() + "\n# by hand\n")
        real(file, **first)

    monkeypatch.setattr(config_file.ConfigFile, "replace", replace)
    answer = configured.client().patch(f"{API}/cameras/plaza", json={"preset": "all"}, headers=seen)
    assert answer.status_code == 200
    assert "# by hand" in configured.config.read_text()
    assert cameras(configured)["plaza"]["preset"] == "all"
    assert [act["kind"] for act in configured.acts()] == ["camera_changed"], "once, however often it was tried"


def test_a_password_is_replaced_and_taken_away(configured: ConfiguredNode) -> None:
    client = configured.client()
    client.patch(f"{API}/cameras/plaza", json={"username": "op", "password": "first"}, headers=etag(configured))
    assert list(secrets(configured).values()) == ["first"]
    client.patch(f"{API}/cameras/plaza", json={"password": "second"}, headers=etag(configured))
    second = secrets(configured)
    assert second == {cameras(configured)["plaza"]["credential"]: "second"}
    refused = client.patch(f"{API}/cameras/plaza", json={"password": "third", "sealed_days": -1}, headers=etag(configured))
    assert refused.status_code == 422
    assert secrets(configured) == second
    gone = client.patch(f"{API}/cameras/plaza", json={"password": None}, headers=etag(configured))
    assert gone.json()["has_password"] is False
    assert secrets(configured) == {}


def test_a_password_that_an_older_version_kept_in_a_file_is_used_until_it_is_changed(tmp_path: Path) -> None:
    old = tmp_path / "data" / "keys" / "cameras" / "plaza.0123abcd.password"
    mine = tmp_path / "mine.txt"
    for path in (old, mine):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"{CANARY}\n")
    text = "".join(
        f'[[camera]]\nname = "{name}"\nurl = "rtsp://192.0.2.1/s"\npassword_file = "{path}"\n'
        for name, path in (("plaza", old), ("gate", mine))
    )
    node = ConfiguredNode.configured(tmp_path, text)
    assert node.client().get(f"{API}/cameras/plaza").json()["has_password"] is True
    for name in ("plaza", "gate"):
        node.client().patch(f"{API}/cameras/{name}", json={"password": f"new {name}"}, headers=etag(node, name))
    assert sorted(secrets(node).values()) == ["new gate", "new plaza"]
    assert "password_file" not in node.config.read_text()
    assert not old.exists(), "it was ours"
    assert mine.exists(), "it is somebody's own"
    node.close()


def test_a_camera_whose_password_was_lost_can_be_given_another(configured: ConfiguredNode) -> None:
    client = configured.client()
    client.patch(f"{API}/cameras/plaza", json={"username": "op", "password": CANARY}, headers=etag(configured))
    configured.context.folder.camera_key.unlink()
    told = client.post(f"{API}/cameras/test", json={"camera": "plaza", "url": "rtsp://192.0.2.1/main"})
    assert told.status_code == 503
    assert "cameras.key is missing" in told.json()["detail"]
    refused = client.patch(f"{API}/cameras/plaza", json={"password": "new"}, headers=etag(configured))
    assert refused.status_code == 503
    with CredentialKeeper(configured.context.folder) as keeper:
        assert keeper.change_key(forget=True) == 0
    assert client.patch(f"{API}/cameras/plaza", json={"password": "new"}, headers=etag(configured)).status_code == 200
    assert list(secrets(configured).values()) == ["new"]


@pytest.mark.parametrize("device_url", ["http://192.0.2.66", "http://192.0.2.1:8080", "http://192.0.2.9:80/"])
def test_a_password_does_not_go_to_another_device(configured: ConfiguredNode, device_url: str) -> None:
    client = configured.client()
    path = f"{API}/cameras/plaza"
    assert client.patch(path, json={"password": CANARY}, headers=etag(configured)).status_code == 200
    refused = client.patch(path, json={"device_url": device_url}, headers=etag(configured))
    assert (refused.status_code, refused.json()["errors"][0]["at"]) == (422, "body.password")
    assert client.patch(path, json={"device_url": device_url, "password": CANARY}, headers=etag(configured)).status_code == 200
    assert client.get(path).json()["device_url"] == device_url


def test_the_device_behind_the_address_may_be_named(configured: ConfiguredNode) -> None:
    client = configured.client()
    assert client.patch(f"{API}/cameras/plaza", json={"password": CANARY}, headers=etag(configured)).status_code == 200
    named = client.patch(f"{API}/cameras/plaza", json={"device_url": "http://192.0.2.1"}, headers=etag(configured))
    assert (named.status_code, named.json()["device_url"]) == (200, "http://192.0.2.1")


@pytest.mark.parametrize(
    "device_url", ["ftp://192.0.2.1", "http://", "http://a:b@192.0.2.1", "http://192.0.2.1:99999", "192.0.2.1", "http://a b"]
)
def test_what_is_no_address_of_a_device_is_refused(configured: ConfiguredNode, device_url: str) -> None:
    refused = configured.client().patch(f"{API}/cameras/plaza", json={"device_url": device_url}, headers=etag(configured))
    assert refused.status_code == 422, refused.text
    assert "a:b" not in refused.text
    assert refused.json()["errors"][0]["at"] == "body.device_url"


def test_a_password_does_not_go_to_another_address(configured: ConfiguredNode) -> None:
    client = configured.client()
    client.patch(f"{API}/cameras/plaza", json={"username": "op", "password": CANARY}, headers=etag(configured))
    same = client.patch(f"{API}/cameras/plaza", json={"url": "rtsp://192.0.2.1/other"}, headers=etag(configured))
    assert same.status_code == 200
    for change in ({"url": "rtsp://192.0.2.66/main"}, {"sub_url": "rtsp://192.0.2.66/sub"}):
        moved = client.patch(f"{API}/cameras/plaza", json=change, headers=etag(configured))
        assert moved.status_code == 422
        assert moved.json()["errors"][0]["at"] == "body.password"
    given = client.patch(f"{API}/cameras/plaza", json={"url": "rtsp://192.0.2.66/main", "password": "new"}, headers=etag(configured))
    assert given.status_code == 200


def test_an_address_sent_back_as_it_was_shown_stays_what_it_is(tmp_path: Path) -> None:
    url = f"rtsp://op:{CANARY}@192.0.2.1/user=op_password={CANARY}_channel=1.sdp"
    node = ConfiguredNode.configured(tmp_path, f'[[camera]]\nname = "plaza"\nurl = "{url}"\n')
    shown = node.client().get(f"{API}/cameras/plaza")
    assert CANARY not in shown.text
    answer = node.client().patch(f"{API}/cameras/plaza", json={"url": shown.json()["url"], "preset": "all"}, headers=etag(node))
    assert answer.status_code == 200
    assert cameras(node)["plaza"]["url"] == url
    node.close()


def test_a_camera_stays_in_its_site_for_who_edits_that_alone(configured: ConfiguredNode) -> None:
    client = configured.client("administrator@site:harbour")
    moved = client.patch(f"{API}/cameras/bridge", json={"site": "Old Town"}, headers=etag(configured, "bridge"))
    assert moved.status_code == 403
    assert client.patch(f"{API}/cameras/bridge", json={"preset": "all"}, headers=etag(configured, "bridge")).status_code == 200


def test_a_camera_is_removed_and_its_secret_with_it(configured: ConfiguredNode) -> None:
    client = configured.client()
    client.patch(f"{API}/cameras/plaza", json={"username": "op", "password": CANARY}, headers=etag(configured))
    assert client.delete(f"{API}/cameras/plaza").status_code == 428
    assert client.delete(f"{API}/cameras/plaza", headers=etag(configured)).status_code == 204
    assert list(cameras(configured)) == ["bridge"]
    assert secrets(configured) == {}
    assert [act["kind"] for act in configured.acts()] == ["camera_changed", "camera_removed"]


def test_without_a_file_nothing_is_changed_and_that_is_said(served: ServedNode) -> None:
    answer = served.client().post(f"{API}/cameras", json={"name": "gate", "url": "sim://plaza"})
    assert answer.status_code == 409
    assert answer.json()["detail"] == "this node runs without a configuration file"
    assert served.client().get(f"{API}/cameras/plaza").status_code == 200


def test_a_file_that_cannot_be_written_is_told_with_what_to_do(configured: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    from lamppost.base.errors import StoreError

    def write(path: Path, content: bytes, mode: int = 0, **_first: Any) -> None:
        raise StoreError(f"cannot write {path}: Read-only file system", remedy="is the disk full or read-only?")

    monkeypatch.setattr("lamppost.pipeline.config_file.write_durable", write)
    answer = configured.client().patch(f"{API}/cameras/plaza", json={"preset": "all"}, headers=etag(configured))
    assert answer.status_code == 409
    problem = answer.json()
    assert "Read-only file system; nothing was changed" in problem["detail"]
    assert "by hand" in problem["remedy"]
    assert configured.acts() == []


# Tests of a camera


def test_a_camera_is_tried_and_that_is_on_the_record(configured: ConfiguredNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(camera_tests, "LOOK_S", 0.2)
    url = "sim://plaza?seed=1&width=320&height=180&fps=30&people=1&vehicles=0"
    answer = configured.client().post(f"{API}/cameras/test", json={"url": url})
    report = answer.json()
    assert report["ok"], answer.text
    assert (report["main"]["codec"], report["main"]["width_px"], report["sub"]) == ("h264", 320, None)
    assert [(act["kind"], act["detail"]) for act in configured.acts()] == [("camera_tested", {"url": url})]


@pytest.mark.parametrize("url", ["file:/etc/passwd", "/etc/passwd", "http://192.0.2.1/", "rtsp://", "gopher://x/"])
def test_only_addresses_of_cameras_are_tried(configured: ConfiguredNode, url: str) -> None:
    answer = configured.client().post(f"{API}/cameras/test", json={"url": url})
    assert answer.status_code == 422
    assert configured.acts() == []


@pytest.fixture
def probes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[CameraSettings, str]]:
    """What would have been connected to; every camera refuses."""
    asked: list[tuple[CameraSettings, str]] = []

    def probe(camera: CameraSettings, url: str, **_: Any) -> Any:
        asked.append((camera, url))
        raise CameraRefused(f"the camera at {url} refuses password={CANARY}", remedy="look at user and password")

    monkeypatch.setattr(camera_tests, "probe_stream", probe)
    return asked


def test_what_went_wrong_is_told_without_a_secret(configured: ConfiguredNode, probes: list[tuple[CameraSettings, str]]) -> None:
    body = {"url": "rtsp://192.0.2.9/s", "sub_url": "rtsp://192.0.2.9/sub", "username": "op", "password": CANARY}
    answer = configured.client().post(f"{API}/cameras/test", json=body)
    report = answer.json()
    assert (report["ok"], report["main"], report["remedy"]) == (False, None, "look at user and password")
    assert CANARY not in answer.text + json.dumps(configured.acts())
    assert sorted(url for _, url in probes) == ["rtsp://192.0.2.9/s", "rtsp://192.0.2.9/sub"]


def test_the_kept_password_is_used_at_home_alone(configured: ConfiguredNode, probes: list[tuple[CameraSettings, str]]) -> None:
    client = configured.client()
    client.patch(f"{API}/cameras/plaza", json={"username": "op", "password": CANARY}, headers=etag(configured))
    configured.take_over()
    client.post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.1/main", "camera": "plaza"})
    client.post(f"{API}/cameras/test", json={"url": "rtsp://203.0.113.66/main", "camera": "plaza"})
    assert [camera.resolved_password() for camera, _ in probes] == [CANARY, None]


def test_one_that_may_not_have_the_password_itself_is_not_tried_with_it_either(
    configured: ConfiguredNode, probes: list[tuple[CameraSettings, str]]
) -> None:
    client, url = configured.client(), "rtsp://192.0.2.1/main"
    changed = client.patch(f"{API}/cameras/plaza", json={"allow_basic": False}, headers=etag(configured))
    assert changed.json()["allow_basic"] is False
    assert cameras(configured)["plaza"]["allow_basic"] is False
    configured.take_over()
    client.post(f"{API}/cameras/test", json={"url": url, "camera": "plaza"})
    client.post(f"{API}/cameras/test", json={"url": url, "camera": "plaza", "allow_basic": None})
    client.post(f"{API}/cameras/test", json={"url": url})
    assert [camera.allow_basic for camera, _ in probes] == [False, None, None]
    client.patch(f"{API}/cameras/plaza", json={"allow_basic": None}, headers=etag(configured))
    assert "allow_basic" not in cameras(configured)["plaza"]


def test_who_edits_some_cameras_tries_these_alone(configured: ConfiguredNode, probes: list[tuple[CameraSettings, str]]) -> None:
    client = configured.client("administrator@camera:plaza")
    assert client.post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.1/main"}).status_code == 403
    assert client.post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.7/main", "camera": "plaza"}).status_code == 403
    assert client.post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.1/main", "camera": "bridge"}).status_code == 404
    assert client.post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.1/sub", "camera": "plaza"}).status_code == 200
    assert len(probes) == 1


@pytest.mark.parametrize("problem", ["it refuses connections", "it sends no RTSP: 'SSH-2.0-OpenSSH'"])
def test_what_listens_on_this_machine_is_not_told(configured: ConfiguredNode, monkeypatch: pytest.MonkeyPatch, problem: str) -> None:
    def probe(*_: Any, **__: Any) -> Any:
        raise CameraUnreachable(problem)

    monkeypatch.setattr(camera_tests, "probe_stream", probe)
    answers = {
        configured.client().post(f"{API}/cameras/test", json={"url": url}).json()["problem"]
        for url in ("rtsp://127.0.0.1:22/", "rtsp://localhost:80/", "rtsp://[::1]:5432/", "rtsp://169.254.169.254/")
    }
    assert answers == {"no camera answers there"}
    assert configured.client().post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.9/"}).json()["problem"] == problem


def test_two_are_tried_at_once_and_no_more(configured: ConfiguredNode, probes: list[tuple[CameraSettings, str]]) -> None:
    tests = configured.context.keep(camera_tests.CameraTests, camera_tests.CameraTests)
    for _ in range(camera_tests.MOST_AT_ONCE):
        assert tests.places.acquire(blocking=False)
    answer = configured.client().post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.9/"})
    assert answer.status_code == 429
    assert answer.headers["Retry-After"] == "5"
    tests.places.release()
    for _ in range(3):
        assert configured.client().post(f"{API}/cameras/test", json={"url": "rtsp://192.0.2.9/"}).status_code == 200


@pytest.mark.parametrize(
    ("key", "url", "words"),
    [
        ("url", "rtsp://203.0.113.5/x", "203.0.113.5: that address is in no camera network"),
        ("sub_url", "rtsp://169.254.169.254/x", "where clouds keep their keys"),
        ("device_url", "http://127.0.0.1:9100", "this machine itself"),
        ("url", "rtsp://0x7f.1/x", "0x7f.1 is no address and no name"),
    ],
)
def test_a_camera_where_nothing_connects_to_is_refused_as_an_import_refuses_it(
    configured: ConfiguredNode, key: str, url: str, words: str
) -> None:
    client = configured.client()
    before = configured.config.read_text()
    added = client.post(f"{API}/cameras", json={"name": "gate", "url": "rtsp://192.0.2.9/s", key: url})
    changed = client.patch(f"{API}/cameras/plaza", json={key: url}, headers=etag(configured))
    for answer in (added, changed):
        assert answer.status_code == 422, answer.text
        (mistake,) = answer.json()["errors"]
        assert mistake["at"] == f"body.{key}"
        assert words in mistake["problem"]
        assert "[devices] networks" in mistake["problem"]
    assert configured.config.read_text() == before


def test_a_camera_that_is_outside_the_networks_already_keeps_its_other_settings_changeable(configured: ConfiguredNode) -> None:
    configured.config.write_text(configured.config.read_text().replace("192.0.2.0/24", "198.51.100.0/24"))
    configured.take_over()
    answer = configured.client().patch(
        f"{API}/cameras/plaza", json={"preset": "all", "url": "rtsp://192.0.2.1/main"}, headers=etag(configured)
    )
    assert answer.status_code == 200, answer.text
