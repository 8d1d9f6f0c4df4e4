"""The configuration is shown without a secret, and changed whole or not at all."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from configured_node import ConfiguredNode
from lamppost.api.permit import API
from served_node import ServedNode

CANARY = "kanarienvogel-42"
URL = f"{API}/configuration"


def seen(node: ConfiguredNode) -> dict[str, str]:
    answer = node.client().get(URL)
    assert answer.headers["ETag"] == answer.json()["etag"]
    return {"If-Match": answer.headers["ETag"]}


def test_all_of_it_is_shown_and_no_secret(tmp_path: Path) -> None:
    (tmp_path / "hook.secret").write_text(f"{CANARY}-{CANARY}\n")
    text = f"""[[camera]]
name = "gate"
url = "rtsp://op:{CANARY}@192.0.2.1/s"
[[camera]]
name = "park"
url = "rtsp://192.0.2.2/s"
password = "{CANARY}"
[[notify]]
name = "hook"
type = "webhook"
url = "https://hooks.example/{CANARY}"
secret_file = "hook.secret"
"""
    node = ConfiguredNode.configured(tmp_path, text)
    answer = node.client("privacy_officer@*").get(URL)
    tables = answer.json()["tables"]
    assert CANARY not in answer.text
    assert (tables["masking"]["preset"], tables["retention"]["sealed_days"], tables["site"]) == ("motion", 3.0, "Old Town")
    assert [(camera["name"], camera["has_password"]) for camera in tables["camera"]] == [("gate", True), ("park", True)]
    (hook,) = tables["notify"]
    assert (hook["target"], hook["has_secret"], hook["has_password"]) == ("https://hooks.example", True, False)
    node.close()


def test_settings_are_changed_and_the_rest_of_the_file_stays(configured: ConfiguredNode) -> None:
    body = {"masking": {"preset": "faces", "threads": 2}, "retention": {"sealed_days": 7}, "site": "New Town", "timezone": "Europe/Berlin"}
    answer = configured.client().patch(URL, json=body, headers=seen(configured))
    assert answer.status_code == 200, answer.text
    assert answer.json()["tables"]["masking"]["preset"] == "faces"
    found = tomllib.loads(configured.config.read_text())
    assert (found["masking"], found["retention"]) == ({"preset": "faces", "threads": 2}, {"sealed_days": 7})
    assert (found["site"], found["timezone"]) == ("New Town", "Europe/Berlin")
    assert "# The square, seen from the town hall." in configured.config.read_text()
    (act,) = configured.acts()
    assert (act["kind"], act["actor"]) == ("configuration_changed_by", "administrator@*")
    assert act["detail"]["keys"] == ["masking.preset", "masking.threads", "retention.sealed_days", "site", "timezone"]
    back = configured.client().patch(URL, json={"masking": {"preset": None}, "site": None}, headers=seen(configured))
    assert back.json()["tables"]["masking"]["preset"] == "motion"
    assert "site" not in tomllib.loads(configured.config.read_text())


@pytest.mark.parametrize(
    ("body", "at"),
    [
        ({"masking": {"preset": "blur"}}, "body.masking.preset"),
        ({"masking": {"look_back_s": 99}}, "body.masking.look_back_s"),
        ({"retention": {"sealed_dais": 1}}, "body.retention.sealed_dais"),
        ({"recording": {"segment_s": "long"}}, "body.recording.segment_s"),
        ({"timezone": "Mars/Olympus"}, "body.timezone"),
        ({"sealing": {"threshold": 1}}, "body.sealing"),
        ({"data": "/elsewhere"}, "body.data"),
    ],
)
def test_a_mistake_is_told_at_its_place_and_nothing_is_written(configured: ConfiguredNode, body: dict[str, Any], at: str) -> None:
    before = configured.config.read_text()
    answer = configured.client().patch(URL, json=body, headers=seen(configured))
    assert answer.status_code == 422, answer.text
    assert at in [error["at"] for error in answer.json()["errors"]]
    assert configured.config.read_text() == before
    assert configured.acts() == []


def test_who_has_not_seen_it_does_not_change_it(configured: ConfiguredNode) -> None:
    before, client = seen(configured), configured.client()
    assert client.patch(URL, json={"site": "x"}).status_code == 428
    assert client.patch(URL, json={"site": "x"}, headers=before).status_code == 200
    assert client.patch(URL, json={"site": "y"}, headers=before).status_code == 412
    assert client.patch(URL, json={}, headers=seen(configured)).status_code == 422
    assert configured.client("privacy_officer@*").patch(URL, json={"site": "y"}, headers=seen(configured)).status_code == 403
    assert configured.client("administrator@site:harbour").get(URL).status_code == 403


def test_without_a_file_it_is_shown_and_not_changed(served: ServedNode) -> None:
    shown = served.client().get(URL).json()
    assert (shown["tables"]["site"], shown["etag"]) == ("Old Town", None)
    assert served.client().patch(URL, json={"site": "x"}, headers={"If-Match": "*"}).status_code == 409
