"""The metrics are for this machine: not for who comes through a proxy on it, whatever that proxy adds or leaves out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from prometheus_client import CollectorRegistry

from served_node import ServedNode

PROXIED = {"public_url": "https://console.example.org"}


@pytest.mark.parametrize(
    ("server", "peer", "headers", "status"),
    [
        ({}, "127.0.0.1", {"Host": "console.example.org"}, 200),
        (PROXIED, "127.0.0.1", {"Host": "console.example.org"}, 401),
        ({"trusted_proxies": ["127.0.0.1"]}, "127.0.0.1", {"Host": "console.example.org"}, 401),
        (PROXIED, "127.0.0.1", {"Host": "127.0.0.1:8080"}, 200),
        (PROXIED, "::1", {"Host": "[::1]:8080"}, 200),
        (PROXIED, "127.0.0.1", {"Host": "localhost:8080"}, 200),
        (PROXIED, "127.0.0.1", {"Host": "localhost.example.org"}, 401),
        (PROXIED, "127.0.0.1", {"Host": "[::1"}, 401),
        (PROXIED, "127.0.0.1", {"Host": "localhost", "X-Forwarded-For": "192.0.2.1"}, 401),
        (PROXIED, "192.0.2.1", {"Host": "localhost"}, 401),
        ({}, "192.0.2.1", {"Host": "localhost"}, 401),
    ],
)
def test_who_is_shown_the_metrics(tmp_path: Path, server: dict[str, Any], peer: str, headers: dict[str, str], status: int) -> None:
    served = ServedNode.make(tmp_path / "data", server=server)
    served.app.state.metrics = CollectorRegistry()
    try:
        assert TestClient(served.app, client=(peer, 1)).get("/metrics", headers=headers).status_code == status
    finally:
        served.close()
