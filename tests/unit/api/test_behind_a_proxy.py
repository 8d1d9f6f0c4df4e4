"""Behind a proxy each browser is somebody of its own, and nobody becomes somebody else by what they write into a header."""

from __future__ import annotations

from pathlib import Path

import pytest
from fastapi import FastAPI
from fastapi.requests import HTTPConnection
from fastapi.testclient import TestClient
from pydantic import ValidationError

from lamppost.api.permit import API
from lamppost.api.rates import UNKNOWN
from lamppost.api.security import address_of, cookie_name, own_origins
from lamppost.model.server_settings import ServerSettings
from served_node import ServedNode

CONSOLE = "https://console.example.org"


def asked(app: FastAPI, peer: str, *forwarded: str, host: str = "console.example.org") -> HTTPConnection:
    headers = [(b"host", host.encode()), *((b"x-forwarded-for", each.encode()) for each in forwarded)]
    scope = {"type": "http", "app": app, "client": (peer, 1), "headers": headers, "scheme": "http", "path": "/", "query_string": b""}
    return HTTPConnection(scope)


def served_by(tmp_path: Path, **server: object) -> ServedNode:
    return ServedNode.make(tmp_path / "data", server={"public_url": CONSOLE} | server)


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "address"),
    [
        ([], "127.0.0.1", ["192.0.2.7"], "127.0.0.1"),
        (["127.0.0.1"], "127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        (["127.0.0.1"], "127.0.0.1", [], "127.0.0.1"),
        (["127.0.0.1"], "198.51.100.1", ["192.0.2.7"], "198.51.100.1"),
        # What a browser wrote itself stands before what the proxy adds, in the same header or in one of its own.
        (["127.0.0.1"], "127.0.0.1", ["203.0.113.9, 192.0.2.7"], "192.0.2.7"),
        (["127.0.0.1"], "127.0.0.1", ["203.0.113.9", "192.0.2.7"], "192.0.2.7"),
        (["127.0.0.1", "10.0.0.0/8"], "127.0.0.1", ["203.0.113.9, 192.0.2.7, 10.1.2.3"], "192.0.2.7"),
        (["127.0.0.1"], "::ffff:127.0.0.1", ["192.0.2.7"], "192.0.2.7"),
        (["::1", "2001:db8::/32"], "2001:db8::2", ["2001:db8:1::5, ::1"], "2001:db8:1::5"),
        (["127.0.0.1"], "127.0.0.1", ["unknown"], "unknown"),
        (["127.0.0.1"], "testclient", ["192.0.2.7"], "testclient"),
    ],
)
def test_an_address_is_taken_from_proxies_that_are_trusted_alone(
    tmp_path: Path, trusted: list[str], peer: str, forwarded: list[str], address: str
) -> None:
    served = served_by(tmp_path, trusted_proxies=trusted)
    try:
        assert address_of(asked(served.app, peer, *forwarded)) == address
    finally:
        served.close()


def test_the_public_address_makes_cookies_that_travel_by_tls_alone(tmp_path: Path) -> None:
    served = served_by(tmp_path)
    try:
        by_proxy, on_the_machine = asked(served.app, "127.0.0.1"), asked(served.app, "127.0.0.1", host="localhost:8080")
        assert cookie_name(by_proxy) == "__Host-lamppost"
        assert CONSOLE in own_origins(by_proxy)
        assert cookie_name(on_the_machine) == "lamppost"
    finally:
        served.close()


def test_one_who_asks_too_often_keeps_nobody_else_behind_the_same_proxy_waiting(tmp_path: Path) -> None:
    served = served_by(tmp_path, trusted_proxies=["127.0.0.1"])
    try:
        with TestClient(served.app, client=("127.0.0.1", 1)) as client:

            def ask(forwarded: str) -> int:
                return client.get(f"{API}/session", headers={"X-Forwarded-For": forwarded}).status_code

            assert [ask("192.0.2.7") for _ in range(int(UNKNOWN.burst))] == [401] * int(UNKNOWN.burst)
            assert ask("192.0.2.7") == 429
            assert ask("203.0.113.9, 192.0.2.7") == 429, "another word before it buys nothing"
            assert ask("192.0.2.8") == 401
    finally:
        served.close()


@pytest.mark.parametrize("proxy", ["localhost", "10.0.0.1/8", "127.0.0.1:80", ""])
def test_a_proxy_that_is_no_address_is_told(proxy: str) -> None:
    with pytest.raises(ValidationError, match="no address and no network"):
        ServerSettings(trusted_proxies=(proxy,))
