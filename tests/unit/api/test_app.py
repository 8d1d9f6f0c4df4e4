"""Every route says what it needs, and every error is a problem document."""

from __future__ import annotations

import pytest
from fastapi import APIRouter, Depends

from lamppost.api.app import create_app
from lamppost.api.permit import API, Anybody, Permit
from lamppost.api.problems import MEDIA_TYPE
from lamppost.model.access import Permission
from served_node import ServedNode


def test_what_is_not_there_is_a_problem(served: ServedNode) -> None:
    answer = served.client().get(f"{API}/nothing")
    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE
    assert answer.json()["status"] == 404


def test_a_route_without_a_permit_is_refused(served: ServedNode) -> None:
    router = APIRouter()
    router.add_api_route("/bare", lambda: {})
    with pytest.raises(TypeError, match="0 permits"):
        create_app(served.context, [("bare", router)])


@pytest.mark.parametrize(
    ("token", "path", "status"),
    [
        ("operator@*", "/probe/plaza", 200),
        ("operator@camera:plaza", "/probe/plaza", 200),
        ("operator@site:old-town", "/probe/plaza", 200),
        ("operator@site:harbour", "/probe/plaza", 404),
        ("viewer@camera:plaza", "/probe/plaza", 403),
        ("operator@camera:bridge", "/probe/plaza", 404),
        ("operator@*", "/probe/unknown", 200),
        ("", "/probe/plaza", 401),
        ("nobody", "/probe/plaza", 401),
        ("privacy_officer@*", "/node", 200),
        ("privacy_officer@camera:plaza", "/node", 403),
    ],
)
def test_who_may(served: ServedNode, token: str, path: str, status: int) -> None:
    router = APIRouter()
    router.add_api_route("/probe/{camera}", lambda: {}, dependencies=[Depends(Permit(Permission.WATCH_PAST))])
    router.add_api_route("/node", lambda: {}, dependencies=[Depends(Permit(Permission.SEE_SYSTEM))])
    router.add_api_route("/open", lambda: {}, dependencies=[Depends(Anybody())])
    served.app = create_app(served.context, [("probe", router)])
    assert served.client(token).get(API + path).status_code == status
