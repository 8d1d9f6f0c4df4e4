"""A table that comes through the API: every mistake of a dry run, all or nothing for real, and once for one key."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher
from fastapi.testclient import TestClient

from configured_node import ConfiguredNode
from import_drawer import Drawer
from lamppost.access.desk import Desk
from lamppost.access.passwords import Passwords
from lamppost.api import camera_import
from lamppost.api.app import create_app
from lamppost.api.idempotency import REPLAYED
from lamppost.base.clock import Clock
from lamppost.base.durable import make_directory
from lamppost.base.errors import StoreError
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store.journal import JournalWriter

URL = "/api/v1/cameras/import"
TABLE = "name,url,username,password,site\npark,rtsp://10.1.0.2/live,ann,s3cret,Harbour\npier,rtsp://10.1.0.3/live,,,\n"


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawer:
    made = Drawer()

    def opened(_folder: DataFolder, _clock: Clock) -> Drawer:
        return made

    monkeypatch.setattr(camera_import, "FolderBooks", opened)
    return made


@pytest.fixture
def client(configured: ConfiguredNode, drawer: Drawer) -> TestClient:
    return configured.client()


def body(text: str = TABLE, *, dry_run: bool = False, **more: Any) -> dict[str, Any]:
    return {"csv": text, "dry_run": dry_run, **more}


def names(path: Path) -> list[str]:
    return [camera.name for camera in ConfigFile(path).before.camera]


def test_a_dry_run_tells_and_changes_nothing(client: TestClient, configured: ConfiguredNode, drawer: Drawer) -> None:
    answer = client.post(URL, json=body(TABLE + "Bad One,rtsp://8.8.8.8/,,,\n", dry_run=True))
    told = answer.json()
    assert (answer.status_code, told["dry_run"], told["rows"], told["added"], told["unchanged"]) == (200, True, 3, 2, 0)
    assert [(error["line"], error["column"]) for error in told["errors"]] == [(4, "name"), (4, "url")]
    assert told["cameras"][0] == {"line": 2, "name": "park", "url": "rtsp://10.1.0.2/live", "site": "Harbour", "action": "add"}
    assert (names(configured.config), drawer.kept, configured.acts()) == (["plaza", "bridge"], {}, [])
    assert "s3cret" not in answer.text


def test_all_of_it_is_written_and_on_the_record(client: TestClient, configured: ConfiguredNode, drawer: Drawer) -> None:
    answer = client.post(URL, json=body())
    assert (answer.status_code, answer.json()["added"]) == (200, 2)
    assert names(configured.config) == ["plaza", "bridge", "park", "pier"]
    assert list(drawer.kept.values()) == ["s3cret"]
    assert [(act["kind"], act["actor"], act["subject"]) for act in configured.acts()] == [
        ("camera_imported", "administrator@*", "park"),
        ("camera_imported", "administrator@*", "pier"),
    ]
    assert "s3cret" not in repr(configured.acts()) + configured.config.read_text() + answer.text
    again = client.post(URL, json=body()).json()
    assert (again["added"], again["unchanged"], len(configured.acts())) == (0, 2, 2)


@pytest.mark.parametrize(
    "text",
    [
        TABLE + "park,rtsp://10.1.0.9/,,,\n",
        "name,url\nx,file:/etc/passwd\n",
        "name,url,username,password_env\nx,rtsp://10.1.0.2/,u,HOME\n",
        "\ud800",
        "",
    ],
    ids=["twice", "a file", "the environment", "half a character", "nothing"],
)
def test_one_mistake_and_nothing_is_written(client: TestClient, configured: ConfiguredNode, drawer: Drawer, text: str) -> None:
    before = configured.config.read_text()
    answer = client.post(URL, content=json.dumps(body(text)), headers={"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:lamppost:problem:invalid")
    assert len(answer.json()["errors"]) == 1
    assert (configured.config.read_text(), drawer.kept, configured.acts()) == (before, {}, [])


def test_what_cannot_be_put_on_the_record_is_not_done(
    client: TestClient, configured: ConfiguredNode, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StoreError("the disk is full")

    monkeypatch.setattr(JournalWriter, "append_all", full)
    before = configured.config.read_text()
    assert client.post(URL, json=body()).status_code == 503
    assert (configured.config.read_text(), drawer.kept) == (before, {})


def test_others_who_were_faster_are_told_of(
    client: TestClient, configured: ConfiguredNode, drawer: Drawer, monkeypatch: pytest.MonkeyPatch
) -> None:
    keep_all = drawer.keep_all

    def slowly(passwords: Any) -> Any:
        configured.config.write_text(configured.config.read_text() + "\n")
        return keep_all(passwords)

    monkeypatch.setattr(drawer, "keep_all", slowly)
    answer = client.post(URL, json=body())
    assert (answer.status_code, answer.json()["type"]) == (409, "urn:lamppost:problem:changed")
    assert (names(configured.config), drawer.kept) == (["plaza", "bridge"], {})


def test_cameras_that_are_there_change_where_that_is_said(client: TestClient, configured: ConfiguredNode) -> None:
    text = "name,site\nbridge,Old Town\n"
    assert client.post(URL, json=body(text)).status_code == 422
    assert client.post(URL, json=body(text, update=True)).json()["changed"] == 1
    assert ConfigFile(configured.config).before.camera[1].site == "Old Town"


def test_who_may_edit_some_cameras_imports_none(configured: ConfiguredNode, drawer: Drawer) -> None:
    assert configured.client("administrator@site:harbour").post(URL, json=body()).status_code == 403
    assert configured.client("administrator@site:harbour").get("/api/v1/import-profiles").status_code == 403


def test_more_than_a_request_holds_is_refused(client: TestClient) -> None:
    assert client.post(URL, json=body("name\n" + "x" * (1 << 20))).status_code == 413


def test_profiles(client: TestClient, configured: ConfiguredNode) -> None:
    fields = {"preset": "all", "stream_path": "/s{channel}", "contract": ""}
    made = client.put("/api/v1/import-profiles/dome", json={"fields": fields})
    assert made.json() == {"name": "dome", "fields": {"preset": "all", "stream_path": "/s{channel}"}}
    assert client.get("/api/v1/import-profiles").json()["items"] == [made.json()]
    assert client.put("/api/v1/import-profiles/dome", json={"fields": {"password": "x"}}).status_code == 422
    assert client.post(URL, json=body("name,address\npark,10.1.0.2\n", profile="dome")).json()["added"] == 1
    assert client.post(URL, json=body("name,address\nx,10.1.0.9\n", profile="none")).status_code == 404
    assert client.delete("/api/v1/import-profiles/dome").status_code == 204
    assert client.delete("/api/v1/import-profiles/dome").status_code == 404
    assert [act["kind"] for act in configured.acts()] == ["import_profile_changed", "camera_imported", "import_profile_changed"]


def test_five_hundred_cameras_sent_twice_are_added_once(configured: ConfiguredNode) -> None:
    """With the real books, and somebody who has signed in: the answer is given again."""
    make_directory(configured.context.folder.root / "keys")
    fast = Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    desk = Desk(configured.context.folder, configured.context.clock, passwords=fast)
    configured.context.desk = desk
    configured.app = create_app(configured.context)
    desk.use_link(desk.invite(desk.new_user("ada", "", [Grant(Role.ADMINISTRATOR, Scope("*"))])), password="seven quiet lanterns")
    session = desk.sign_in("ada", "seven quiet lanterns", None, address="192.0.2.9")
    headers = {"X-CSRF-Token": session.signed_in.csrf, "Cookie": f"lamppost={session.cookie}", "Idempotency-Key": "k"}
    rows = "".join(f"cam-{n},rtsp://10.1.{n // 200}.{n % 200 + 1}/live/with/a/long/path,u,word-{n},T-{n}\n" for n in range(500))
    table = body("name,url,username,password,contract\n" + rows)
    client = configured.client("")
    first, second = (client.post(URL, json=table, headers=headers) for _ in range(2))
    assert (first.status_code, first.json()["added"]) == (200, 500)
    assert (second.headers[REPLAYED], second.json()) == ("true", first.json())
    assert len([act for act in configured.acts() if act["kind"] == "camera_imported"]) == 500
    with CredentialKeeper(configured.context.folder) as keeper:
        assert keeper.password_of(ConfigFile(configured.config).before.camera[-1]) == "word-499"
    desk.close()
