"""Every role, every camera in and out of its scope, every route: made from the OpenAPI document, so that none can be missed.

Everything that is asked for is there: who may is answered, and who may not learns nothing, not even that it is there. How a
route is asked stands in `asked_routes`; a route that is missing there fails.
"""

from __future__ import annotations

from typing import Any

import pytest
from fastapi.routing import APIRoute

from all_routes import Operation, cameras_of, operations
from asked_routes import NOBODY, ROWS, Asked
from furnished_node import CAMERAS, FurnishedNode, Person, t
from lamppost.api import timeline
from lamppost.api.app import create_app
from lamppost.api.permit import API, AnySignedIn
from lamppost.model.access import OF_THE_NODE, PERMITTED, Permission, Role
from served_node import ServedNode
from talking_sockets import knock

SCOPES = ("*", "camera:plaza", "site:harbour")
ADD = (
    "add a row to ROWS in tests/asked_routes.py: how it is asked, with ids of a camera that there are, so that it must answer 2xx; "
    "and whether it is about a camera, a list, the node or oneself"
)


def holds(scope: str, camera: str) -> bool:
    return scope in ("*", f"camera:{camera}", f"site:{CAMERAS[camera].site_id}")


def expected(role: Role, scope: str, operation: Operation, camera: str, needs: Permission | None) -> set[int]:
    """What is answered: a success is 200 here, whichever it is."""
    permission = operation.permission
    if permission is None:
        return {200}
    is_role = permission in PERMITTED[role]
    if operation.on == "node" or permission in OF_THE_NODE:
        return {200 if is_role and scope == "*" else 403}
    is_list = operation.row.about == "list"
    if is_list and is_role:
        # A camera that one knows nothing of is none, or has none of what is listed.
        return {200} if not camera or holds(scope, camera) else {200, 404}
    if is_list or holds(scope, camera):
        return {200 if is_role and (needs is None or needs in PERMITTED[role]) else 403}
    return {404 if is_role or "{camera}" in operation.path else 403}


def put(node: FurnishedNode, who: Person, operation: Operation, asked: Asked) -> tuple[int, bytes]:
    """Ask; the status, and all that came."""
    if operation.method == "SOCKET":
        return knock(node, asked.path, who.headers)
    if operation.is_change:
        node.restore()
    answer = node.ask(who, operation.method, asked.path, asked.body, **asked.headers)
    declared = node.document["paths"][API + operation.path][operation.method.lower()]["responses"]
    if answer.is_success and answer.content:
        kinds = declared[str(answer.status_code)]["content"]
        assert answer.headers["content-type"].partition(";")[0] in kinds, (operation, "answers what the document does not tell")
    return answer.status_code, answer.content + repr(answer.headers).encode()


def plain(status: int) -> int:
    return 200 if 200 <= status < 300 else status


def test_every_route_is_asked(furnished: FurnishedNode) -> None:
    found = {operation.key: operation for operation in operations(furnished.document)}
    assert len(found) > 70
    missing = sorted(found.keys() - ROWS.keys())
    assert not missing, f"{', '.join(missing)}: {ADD}"
    assert sorted(ROWS.keys() - found.keys()) == [], "these are no routes any more: take their rows out"
    about = {"camera": {"camera"}, "node": {"node"}, "filtered": {"camera", "list"}, "signed_in": {"self", "list"}, "anybody": {"self"}}
    assert [key for key, operation in found.items() if operation.row.about not in about[operation.on]] == []
    who = furnished.somebody_new("viewer@*")
    for operation in found.values():
        for way in operation.row.ways:
            asked = way(furnished, who, "plaza")
            assert operation.is_asked_by(asked), f"{operation.key} is not what {asked.path} asks"


def test_the_document_names_what_every_operation_needs(furnished: FurnishedNode) -> None:
    found = list(operations(furnished.document))
    assert {operation.on for operation in found} == {"camera", "node", "filtered", "signed_in", "anybody"}
    assert {operation.path for operation in found if operation.on == "anybody"} == {"/session", "/session/link", "/session/link/facts"}


def test_nobody_gets_in(furnished: FurnishedNode) -> None:
    who = furnished.person("administrator@*+operator@*")
    nobody = Person("", "", "", "made-up", "")
    for operation in operations(furnished.document):
        if operation.on == "anybody":
            continue
        for camera in cameras_of(operation.row)[:1]:
            for way in operation.row.ways:
                asked = way(furnished, who, camera)
                status, content = put(furnished, nobody, operation, asked)
                assert status == 401, operation
                assert [furnished.leaks(name, content) for name in CAMERAS] == [[], []], operation


def test_what_is_ones_own_is_answered(furnished: FurnishedNode) -> None:
    for operation in operations(furnished.document):
        if operation.row.about == "self":
            for way in operation.row.ways:
                who = furnished.somebody_new("viewer@*")
                status, _ = put(furnished, who, operation, way(furnished, who, ""))
                assert plain(status) == 200, operation


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize("role", list(Role))
def test_who_may_is_answered_and_who_may_not_learns_nothing(furnished: FurnishedNode, role: Role, scope: str) -> None:
    who = furnished.person(f"{role.value}@{scope}")
    hidden = [name for name in CAMERAS if not holds(scope, name)]
    for operation in operations(furnished.document):
        if operation.row.about == "self":
            continue
        for camera in cameras_of(operation.row):
            for way in operation.row.ways[: None if camera else 1]:
                asked = way(furnished, who, camera)
                status, content = put(furnished, who, operation, asked)
                assert plain(status) in expected(role, scope, operation, camera, asked.needs), (operation, camera, status, content[:500])
                assert [furnished.leaks(name, content) for name in hidden] == [[] for _ in hidden], (operation, asked, content[:2000])
                if operation.row.about == "list" and operation.row.tells_cameras and plain(status) == 200:
                    told = [name for name in CAMERAS if name not in hidden and camera in ("", name)]
                    assert [name for name in told if not furnished.leaks(name, content)] == [], (operation, asked, "leaves out too much")


EVERY_ROLE = "+".join(f"{role.value}@{{}}" for role in Role)


def test_what_one_may_not_see_answers_as_what_there_is_not(furnished: FurnishedNode) -> None:
    """Who has every role at one camera cannot tell whether there is another one."""
    who = furnished.person(EVERY_ROLE.replace("{}", "camera:plaza"))
    compared = 0
    for operation in operations(furnished.document):
        if operation.row.about != "camera" or operation.method == "SOCKET":
            continue
        for way in operation.row.ways:
            there, nowhere = (way(furnished, who, camera) for camera in ("bridge", NOBODY))
            answers = [furnished.ask(who, operation.method, each.path, each.body, **each.headers) for each in (there, nowhere)]
            assert [(answer.status_code, answer.content) for answer in answers[1:]] == [(answers[0].status_code, answers[0].content)], (
                operation
            )
            assert answers[0].status_code in (403, 404), operation
            compared += 1
    assert compared > 30


def test_more_roles_at_one_camera_give_nothing_at_another(furnished: FurnishedNode) -> None:
    """Whoever may something at all is not so permitted it wherever they see a camera."""
    who = furnished.person(f"{EVERY_ROLE.replace('{}', 'camera:plaza')}+viewer@camera:bridge")
    beyond = 0
    for operation in operations(furnished.document):
        for way in operation.row.ways if operation.row.about in ("camera", "list") and operation.permission is not None else ():
            asked = way(furnished, who, "bridge")
            permission = asked.needs or operation.permission
            if permission in PERMITTED[Role.VIEWER] or permission is Permission.SEE_CAMERAS:
                continue
            status, content = put(furnished, who, operation, asked)
            assert plain(status) in ({403, 404} if operation.row.about == "camera" else {200, 403, 404}), operation
            # That the camera is there is known; a refusal may name it.
            assert set(furnished.leaks("bridge", content)) <= {b"bridge"} - ({b"bridge"} if status == 200 else set()), (operation, content)
            beyond += 1
    assert beyond > 20


def test_no_picture_without_a_view_of_it(furnished: FurnishedNode) -> None:
    who, refused = furnished.person("operator@*"), 0
    for operation in operations(furnished.document):
        for way in operation.row.ways if operation.row.about == "camera" else ():
            asked = way(furnished, who, "plaza")
            if "view=" in asked.path:
                address = asked.path.partition("view=")[0]
                for view in ("none", furnished.view(who, "bridge"), furnished.view(furnished.person("operator@camera:plaza"), "plaza")):
                    answer = furnished.ask(who, operation.method, f"{address}view={view}")
                    assert (answer.status_code, answer.json()["type"]) == (403, "urn:lamppost:problem:view-required"), operation
                    refused += 1
    assert refused >= 18


def test_an_act_about_two_cameras_names_neither_to_who_sees_the_other(furnished: FurnishedNode) -> None:
    wanted = {"cameras": ["plaza", "bridge"], "from": t(0), "to": t(60), "reason": "a bag was lost"}
    assert furnished.ask(furnished.person("operator@*"), "POST", "/views", wanted).status_code == 201
    furnished.book()
    for camera, other in (("plaza", "bridge"), ("bridge", "plaza")):
        answer = furnished.ask(furnished.person(f"privacy_officer@camera:{camera}"), "GET", "/acts?limit=200")
        assert furnished.leaks(camera, answer.content)
        assert furnished.leaks(other, answer.content) == []


def test_a_permit_that_was_forgotten_is_found(served: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """The break that this file exists for: a route that asks for a sign-in alone, where it was to ask for a camera."""
    (route,) = [each for each in timeline.router.routes if isinstance(each, APIRoute)]
    gates: list[Any] = [dependency for dependency in route.dependant.dependencies if type(dependency.call).__name__ == "Permit"]
    monkeypatch.setattr(gates[0], "call", AnySignedIn())
    monkeypatch.setattr(route, "openapi_extra", None)
    served.app = create_app(served.context)
    forgotten = [
        operation for operation in operations(served.app.openapi()) if operation.on == "signed_in" and "{camera}" in operation.path
    ]
    assert [operation.path for operation in forgotten] == ["/cameras/{camera}/timeline"]


def test_what_names_a_camera_asks_for_a_permission_on_it(furnished: FurnishedNode) -> None:
    assert [
        operation.key for operation in operations(furnished.document) if "{camera}" in operation.path and operation.on != "camera"
    ] == []
