"""Sites of every script are scopes of their own, and no change makes one of two."""

from __future__ import annotations

from pathlib import Path

import pytest

from configured_node import ConfiguredNode
from lamppost.access.desk import SignedIn
from lamppost.api.permit import API
from lamppost.model.access import Grant, Role, Scope
from served_node import ServedNode, TokenDesk

CAMERAS = [
    {"name": "plaza", "url": "sim://plaza?seed=1", "site": "Центр"},
    {"name": "bridge", "url": "sim://plaza?seed=2", "site": "Север"},
    {"name": "gate", "url": "sim://plaza?seed=3", "site": "東京"},
]


@pytest.mark.parametrize(("scope", "seen"), [("site:site", []), ("site:центр", ["plaza"]), ("site:東京", ["gate"])])
def test_a_scope_holds_one_site(tmp_path: Path, scope: str, seen: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    served = ServedNode.make(tmp_path / "data", camera=CAMERAS)
    try:
        # A header of HTTP holds no such letters.
        monkeypatch.setattr(TokenDesk, "of_token", lambda *_: SignedIn("1", "anna", "", (Grant(Role.OPERATOR, Scope(scope)),), None, "", 0))
        answer = served.client().get(f"{API}/cameras")
        assert [camera["name"] for camera in answer.json()["items"]] == seen
    finally:
        served.close()


def test_no_change_makes_one_scope_of_two_sites(configured: ConfiguredNode) -> None:
    client, before = configured.client(), configured.config.read_text()
    etag = client.get(f"{API}/cameras/plaza").json()["etag"]
    asked = [
        client.post(f"{API}/cameras", json={"name": "gate", "url": "sim://plaza?seed=3", "site": "harbour"}),
        client.patch(f"{API}/cameras/plaza", json={"site": "HARBOUR!"}, headers={"If-Match": etag}),
        client.patch(
            f"{API}/configuration", json={"site": "harbour"}, headers={"If-Match": client.get(f"{API}/configuration").json()["etag"]}
        ),
    ]
    for answer in asked:
        assert answer.status_code == 422, answer.text
        assert "both site:harbour in grants" in answer.text
    assert configured.config.read_text() == before
