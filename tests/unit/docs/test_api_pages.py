"""The page of the API says what the server does: its routes, its problems, its limits, its close codes."""

from __future__ import annotations

import ast
import json
import re
from collections import Counter
from collections.abc import Iterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from lamppost.api import event_feed, live, live_hub, viewer
from lamppost.api.app import RESOURCES
from lamppost.api.document import AREAS
from lamppost.api.idempotency import LONGEST_KEY
from lamppost.api.paging import DEFAULT_LIMIT, MOST
from lamppost.api.permit import API, ON_KEY, PERMISSION_KEY
from lamppost.api.problems import MEDIA_TYPE
from lamppost.api.rates import KNOWN, UNKNOWN
from lamppost.api.security import BACKGROUND_HEADER
from lamppost.model.access import Permission
from served_node import ServedNode

ROOT = Path(__file__).parents[3]
REFERENCE = ROOT / "docs" / "reference"
PAGE = (REFERENCE / "api.md").read_text()
BY_HAND = " ".join(PAGE.partition("<!-- made: routes -->")[0].split())
DOCUMENT: dict[str, Any] = json.loads((REFERENCE / "openapi.json").read_text())
OPERATIONS = [
    (f"{method.upper()} {path}", operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()
]


def test_the_document_is_the_servers_own(tmp_path: Path) -> None:
    served = ServedNode.make(tmp_path / "data")
    try:
        with served.client("") as client:
            assert client.get("/openapi.json").json() == DOCUMENT, "run: python docs/make_reference.py"
    finally:
        served.close()


@pytest.mark.parametrize(("name", "operation"), OPERATIONS, ids=[name for name, _ in OPERATIONS])
def test_a_route_says_what_it_is_needs_takes_and_answers(name: str, operation: dict[str, Any]) -> None:
    assert operation.get("description") or operation["summary"]
    assert operation[ON_KEY] in ("camera", "node", "filtered", "signed_in", "anybody")
    assert operation.get(PERMISSION_KEY) in {None, *Permission}
    assert operation["security"] == ([] if operation[ON_KEY] == "anybody" else [{"token": []}, {"cookie": []}])
    assert [each["name"] for each in operation.get("parameters", ()) if each["in"] == "query" and not each.get("description")] == []
    for status, answer in operation["responses"].items():
        if status == "default" or int(status) >= 400:
            assert list(answer["content"]) == [MEDIA_TYPE], f"{status} is a problem like all others"
    assert "default" in operation["responses"]
    assert operation["tags"][0] in AREAS
    assert f"#### `{name.replace(API, '')}`" in PAGE


def test_every_document_has_a_name_for_people() -> None:
    names = DOCUMENT["components"]["schemas"]
    assert [name for name in names if "__" in name or "Validation" in name] == []
    named = set(re.findall(r'"#/components/schemas/(\w+)"', json.dumps(DOCUMENT)))
    assert named <= set(names)


def test_areas_are_those_of_the_application() -> None:
    assert list(AREAS) == list(dict.fromkeys(area for area, _ in RESOURCES))


def test_no_two_headings_have_one_anchor() -> None:
    headings = re.findall(r"^#+ (.+)$", re.sub(r"^```.*?^```", "", PAGE, flags=re.MULTILINE | re.DOTALL), flags=re.MULTILINE)
    anchors = Counter(re.sub(r"\s+", "-", re.sub(r"[^\w\s-]", "", heading.replace("`", "")).strip().lower()) for heading in headings)
    # Of routes, which nobody links to, some differ by their braces alone.
    assert [
        anchor for anchor, count in anchors.items() if count > 1 and not anchor.startswith(("get", "post", "put", "patch", "delete"))
    ] == []


def problems() -> Iterator[tuple[str, int]]:
    """Kind and status of every problem that the code can tell, as far as both are written there."""
    for path in sorted((ROOT / "src" / "lamppost" / "api").glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in ("Problem", "_refuse"):
                kind = next((word.value for word in node.keywords if word.arg == "kind"), None)
                status = node.args[0] if node.args else None
                if isinstance(kind, ast.Constant) and isinstance(status, ast.Attribute) and kind.value:
                    yield str(kind.value), HTTPStatus[status.attr].value
                elif node.func.id == "_refuse" and isinstance(status, ast.Attribute):
                    yield "idempotency", HTTPStatus[status.attr].value


# Told of an error that comes from below, in problems.py.
OF_ERRORS = {("invalid", 422), ("busy", 503), ("store", 503), ("failed", 502)}


def test_every_problem_is_explained_with_its_statuses_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \| ([\d, ]+) \|", PAGE, flags=re.MULTILINE)
    told = {(kind, int(status)) for kind, statuses in rows for status in statuses.split(",")}
    found = {(kind, status) for kind, status in problems()} | OF_ERRORS
    assert len(found) > 30
    assert {each for each in told ^ found if each[1] != HTTPStatus.REQUEST_ENTITY_TOO_LARGE} == set()


def test_the_limits_are_those_of_the_code() -> None:
    for sentence in (
        f"{KNOWN.burst:.0f} requests at once and {KNOWN.per_s:.0f} a second",
        f"{UNKNOWN.burst:.0f} and {UNKNOWN.per_s:.0f} for an address",
        f"`limit` is 1 to {MOST}, and {DEFAULT_LIMIT} where",
        f"1 to {LONGEST_KEY} characters",
        f"{viewer.WAITING_PIECES} pictures or {viewer.WAITING_BYTES >> 20} MiB",
        f"has {live_hub.MOST_OF_A_CAMERA} viewers, or the server {live_hub.MOST_VIEWERS:,}",
        f"every {live.LOOK_AGAIN_S:.0f} seconds",
        f"for {event_feed.PING_S:.0f} seconds",
        f"nothing else came for {live.PING_S:.0f} seconds",
        f"`{BACKGROUND_HEADER.title()}: 1`",
        f"{event_feed.MOST_WAITING} events wait",
        f"there are {event_feed.MOST_LISTENERS} who follow",
    ):
        assert sentence in BY_HAND, sentence


def test_the_close_codes_are_those_of_the_code() -> None:
    pictures = set(re.findall(r"^\| (\d{4}) \|", PAGE, flags=re.MULTILINE))
    assert pictures == {str(code) for code in (1000, live.NOT_RECORDED, live.SIGNED_OUT, live.NOT_PERMITTED, live.FULL)}
    for code, word in ((event_feed.SIGNED_OUT, "signed out"), (event_feed.TOO_SLOW, "events wait"), (event_feed.FULL, "who follow")):
        assert re.search(rf"{code} \([^)]*{word}", BY_HAND), code
