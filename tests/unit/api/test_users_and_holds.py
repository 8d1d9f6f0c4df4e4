"""Who may sign in, and what nothing deletes: both are changed over HTTP, and both are on the record."""

from __future__ import annotations

from typing import Any

import pytest

from furnished_node import PASSWORD, FurnishedNode, Person, t
from lamppost.model.books import Act

CHIEF = "administrator@*"
KEEPER = "evidence_officer@camera:plaza"
VIEWER = [{"role": "viewer", "scope": "camera:plaza"}]


def chief(node: FurnishedNode) -> Person:
    """Another than the first, so that what is on their record is of this test."""
    return node.somebody_new(CHIEF)


def told(acts: list[Act]) -> list[tuple[str, str]]:
    return [(act.kind, act.subject) for act in acts]


def problem(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["type"].removeprefix("urn:lamppost:problem:")


def sign_in(node: FurnishedNode, name: str, password: str) -> Any:
    return node.ask(None, "POST", "/session", {"name": name, "password": password})


def test_who_is_invited_chooses_a_password_and_may_what_they_were_given(furnished: FurnishedNode) -> None:
    who = chief(furnished)
    answer = furnished.ask(who, "POST", "/users", {"name": "Ada", "display_name": " Ada L. ", "grants": VIEWER})
    assert answer.status_code == 201, answer.text
    made = answer.json()
    assert (made["name"], made["display_name"], made["grants"], made["invited"]) == ("ada", "Ada L.", VIEWER, True)
    assert ("user_added", "ada") in told(furnished.acts_of(who.name))
    word = made["link"].partition("#token=")[2]
    assert made["link"].startswith("http://testserver/setup#token=")
    facts = furnished.ask(None, "POST", "/session/link/facts", {"token": word}).json()
    assert (facts["kind"], facts["name"]) == ("invite", "ada")
    assert furnished.ask(None, "POST", "/session/link", {"token": word, "password": "short"}).status_code == 422
    session = furnished.ask(None, "POST", "/session/link", {"token": word, "password": "nine loud umbrellas"})
    assert session.status_code == 201, session.text
    assert set(session.json()["permissions"]) == {"plaza"}
    assert furnished.ask(None, "POST", "/session/link", {"token": word, "password": "nine loud umbrellas"}).status_code == 401
    assert sign_in(furnished, "ada", "nine loud umbrellas").status_code == 201
    listed = {user["name"]: user for user in furnished.ask(who, "GET", "/users").json()["items"]}
    assert listed["ada"]["invited"] is False
    assert furnished.ask(who, "GET", f"/users/{made['id']}").json() == listed["ada"]
    assert problem(furnished.ask(who, "POST", "/users", {"name": "ada", "grants": VIEWER})) == (409, "name-taken")


def test_a_change_is_of_what_was_seen_and_holds_at_once(furnished: FurnishedNode) -> None:
    who, guest = chief(furnished), furnished.somebody_new("operator@*")
    address = f"/users/{guest.user_id}"
    assert problem(furnished.ask(who, "PATCH", address, {"grants": VIEWER})) == (428, "match-required")
    seen = furnished.ask(who, "GET", address).headers["etag"]
    changed = furnished.ask(who, "PATCH", address, {"grants": VIEWER, "display_name": "Guest"}, If_Match=seen)
    assert changed.status_code == 200, changed.text
    assert (changed.json()["grants"], changed.json()["display_name"]) == (VIEWER, "Guest")
    assert problem(furnished.ask(who, "PATCH", address, {"display_name": "x"}, If_Match=seen)) == (412, "changed")
    assert set(furnished.ask(guest, "GET", "/session").json()["permissions"]) == {"plaza"}, "in the session that they have"
    assert furnished.ask(guest, "GET", "/cameras/bridge").status_code == 404
    seen = furnished.ask(who, "GET", address).headers["etag"]
    assert furnished.ask(who, "PATCH", address, {"is_disabled": True}, If_Match=seen).json()["is_disabled"] is True
    assert furnished.ask(guest, "GET", "/session").status_code == 401
    assert sign_in(furnished, guest.name, PASSWORD).status_code == 401
    assert set(told(furnished.acts_of(who.name))) == {("user_changed", guest.name)}


@pytest.mark.parametrize("grants", [[{"role": "king", "scope": "*"}], [{"role": "viewer", "scope": "town:x"}], [{"role": "viewer"}]])
def test_grants_that_are_none_are_refused(furnished: FurnishedNode, grants: list[dict[str, str]]) -> None:
    who, guest = chief(furnished), furnished.somebody_new("viewer@*")
    assert furnished.ask(who, "POST", "/users", {"name": "bob", "grants": grants}).status_code == 422
    assert furnished.ask(who, "PATCH", f"/users/{guest.user_id}", {"grants": grants}, If_Match="*").status_code == 422
    assert furnished.ask(guest, "GET", "/session").json()["grants"] == [{"role": "viewer", "scope": "*"}]


def test_who_is_removed_is_signed_out_and_gone(furnished: FurnishedNode) -> None:
    who, guest = chief(furnished), furnished.somebody_new("viewer@*")
    assert furnished.ask(who, "DELETE", f"/users/{guest.user_id}", If_Match="*").status_code == 204
    assert furnished.ask(guest, "GET", "/session").status_code == 401
    assert problem(furnished.ask(who, "GET", f"/users/{guest.user_id}")) == (404, "not-found")
    assert ("user_removed", guest.name) in told(furnished.acts_of(who.name))


def test_an_administrator_helps_who_cannot_get_in(furnished: FurnishedNode) -> None:
    who, guest = chief(furnished), furnished.somebody_new("viewer@*")
    link = furnished.ask(who, "POST", f"/users/{guest.user_id}/link")
    assert link.status_code == 201
    assert furnished.ask(guest, "GET", "/session").status_code == 200, "they stay signed in until it is used"
    used = {"token": link.json()["link"].partition("#token=")[2], "password": "nine loud umbrellas"}
    assert furnished.ask(None, "POST", "/session/link", used).status_code == 201
    assert furnished.ask(guest, "GET", "/session").status_code == 401
    assert sign_in(furnished, guest.name, PASSWORD).status_code == 401
    again = furnished.sign_in_again(guest)
    assert furnished.ask(who, "DELETE", f"/users/{guest.user_id}/sessions").status_code == 204
    assert furnished.ask(again, "GET", "/session").status_code == 401
    assert furnished.ask(who, "DELETE", f"/users/{guest.user_id}/totp").status_code == 204
    assert {kind for kind, _ in told(furnished.acts_of(who.name))} == {"link_made", "sessions_ended", "totp_off"}


def test_somebody_can_always_administrate(furnished: FurnishedNode) -> None:
    who = furnished.person(CHIEF)
    for user in furnished.ask(who, "GET", "/users").json()["items"]:
        if user["id"] != who.user_id and {"role": "administrator", "scope": "*"} in user["grants"]:
            assert furnished.ask(who, "DELETE", f"/users/{user['id']}", If_Match="*").status_code == 204
    address = f"/users/{who.user_id}"
    for change in ({"grants": VIEWER}, {"is_disabled": True}, {"grants": [{"role": "administrator", "scope": "camera:plaza"}]}):
        seen = furnished.ask(who, "GET", address).headers["etag"]
        assert problem(furnished.ask(who, "PATCH", address, change, If_Match=seen)) == (409, "last-administrator")
    assert problem(furnished.ask(who, "DELETE", address, If_Match="*")) == (409, "last-administrator")
    assert furnished.ask(who, "GET", "/users").status_code == 200


def test_a_hold_is_in_force_once_it_is_answered_and_until_it_is_released(furnished: FurnishedNode) -> None:
    who = furnished.somebody_new(KEEPER)
    wish = {"camera": "plaza", "from": t(0), "to": t(2), "reason": "  a bag\nwas lost "}
    answer = furnished.ask(who, "POST", "/holds", wish)
    assert answer.status_code == 201, answer.text
    placed = answer.json()
    expected = {"camera": "plaza", "from": t(0), "to": t(2), "placed_by": who.name, "reason": "a bag was lost", "released": None}
    assert placed.items() >= expected.items()
    assert placed in furnished.ask(who, "GET", "/holds?active=true").json()["items"]
    released = furnished.ask(who, "DELETE", f"/holds/{placed['id']}")
    assert (released.status_code, released.json()["released_by"]) == (200, who.name)
    assert problem(furnished.ask(who, "DELETE", f"/holds/{placed['id']}")) == (409, "released")
    assert placed["id"] not in [hold["id"] for hold in furnished.ask(who, "GET", "/holds?active=true").json()["items"]]
    assert released.json() in furnished.ask(who, "GET", "/holds").json()["items"]
    furnished.book()
    assert released.json() in furnished.ask(who, "GET", "/holds").json()["items"], "the index says the same"
    assert told(furnished.acts_of(who.name)) == [("hold_placed", "plaza"), ("hold_released", "plaza")]


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"to": t(0)}, 422),
        ({"reason": ""}, 422),
        ({"reason": " \n "}, 422),
        ({"reason": "x" * 1001}, 422),
        ({"from": "2023-11-14T22:13:20"}, 422),
        ({"camera": "nowhere"}, 404),
        ({"camera": "bridge"}, 404),
    ],
)
def test_a_hold_that_cannot_be_is_refused(furnished: FurnishedNode, change: dict[str, str], status: int) -> None:
    who = furnished.somebody_new(KEEPER)
    answer = furnished.ask(who, "POST", "/holds", {"camera": "plaza", "from": t(0), "to": t(2), "reason": "a bag"} | change)
    assert answer.status_code == status, answer.text
    assert furnished.acts_of(who.name) == []
