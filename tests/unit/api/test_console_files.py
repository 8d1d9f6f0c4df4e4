"""Whoever opens an address of the console gets the console, and whoever asks the API for nothing gets nothing."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from lamppost.api.console_files import find_file, install_console
from lamppost.api.permit import API
from lamppost.api.problems import MEDIA_TYPE, install_problems

PAGE = b"<!doctype html><title>Lamppost</title>"
SCRIPT = b"console.log('lamp')" * 50


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "console"
    (folder / "assets").mkdir(parents=True)
    (folder / "index.html").write_bytes(PAGE)
    (folder / "theme.js").write_bytes(b"1")
    (folder / "assets" / "index-abc.js").write_bytes(SCRIPT)
    (folder / "assets" / "index-abc.js.gz").write_bytes(gzip.compress(SCRIPT))
    (folder / ".hidden").write_bytes(b"secret")
    (tmp_path / "outside.txt").write_bytes(b"secret")
    return folder


@pytest.fixture
def client(folder: Path) -> TestClient:
    app = FastAPI(openapi_url="/openapi.json")
    install_problems(app)
    app.add_api_route(f"{API}/cameras", lambda: {"items": []})
    app.add_api_route("/healthz", lambda: None, status_code=204)
    install_console(app, folder)
    return TestClient(app, headers={"Accept-Encoding": "identity"})


@pytest.mark.parametrize(
    "path", ["/", "/wall", "/cameras/plaza", "/settings/users", "/sign-in?to=%2Fwall", "/nothing/of/this/kind", "/apis"]
)
def test_every_page_is_the_index_and_asked_for_anew(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert (answer.status_code, answer.content) == (200, PAGE)
    assert answer.headers["content-type"].startswith("text/html")
    assert answer.headers["cache-control"] == "no-cache"
    assert "script-src 'self'" in answer.headers["content-security-policy"]


def test_a_hashed_file_is_kept_for_a_year(client: TestClient) -> None:
    answer = client.get("/assets/index-abc.js")
    assert (answer.status_code, answer.content) == (200, SCRIPT)
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-type"].startswith("text/javascript")
    assert client.get("/theme.js").headers["cache-control"] == "no-cache"


@pytest.mark.parametrize(("accepts", "encoding"), [("gzip, br", "gzip"), ("gzip;q=0, br", None), ("GZIP; q=0.5", "gzip"), ("", None)])
def test_what_was_packed_at_the_build_is_sent_to_whoever_takes_it(client: TestClient, accepts: str, encoding: str | None) -> None:
    answer = client.get("/assets/index-abc.js", headers={"Accept-Encoding": accepts})
    assert answer.content == SCRIPT
    assert answer.headers.get("content-encoding") == encoding
    assert answer.headers["vary"] == "Accept-Encoding"
    if encoding:
        assert int(answer.headers["content-length"]) < len(SCRIPT)


@pytest.mark.parametrize("path", [f"{API}/nothing", "/api", "/api/v2/cameras", "/healthz/deep", "/assets/gone-123.js", "/robots.txt"])
def test_what_is_not_there_is_a_problem_and_no_page(client: TestClient, path: str) -> None:
    answer = client.get(path)
    assert answer.status_code == 404
    assert answer.headers["content-type"] == MEDIA_TYPE


def test_routes_come_first(client: TestClient) -> None:
    assert client.get(f"{API}/cameras").json() == {"items": []}
    assert client.post(f"{API}/cameras").status_code == 405
    assert client.get("/healthz").status_code == 204
    assert client.get("/openapi.json").json()["openapi"].startswith("3.")


def test_nothing_is_changed_at_the_address_of_a_page(client: TestClient) -> None:
    assert client.post("/wall").status_code == 404
    assert client.head("/wall").status_code == 200
    with pytest.raises(WebSocketDisconnect), client.websocket_connect("/wall"):
        pass


@pytest.mark.parametrize(
    "name",
    ["../outside.txt", "assets/../../outside.txt", ".hidden", "a\\..\\..\\outside.txt", "assets//index-abc.js", "assets", "x\0", "a" * 600],
)
def test_nothing_outside_and_nothing_hidden_is_found(folder: Path, name: str) -> None:
    assert find_file(folder, name) is None


def test_without_a_console_the_page_says_what_to_do(tmp_path: Path) -> None:
    app = FastAPI()
    install_console(app, tmp_path / "console")
    answer = TestClient(app).get("/wall")
    assert answer.status_code == 503
    assert "make console" in answer.text


@pytest.mark.parametrize("path", ["/%2e%2e/outside.txt", "/..%2foutside.txt", "/assets/..%2f..%2foutside.txt", "/.hidden"])
def test_no_address_leads_outside(client: TestClient, path: str) -> None:
    assert b"secret" not in client.get(path).content
