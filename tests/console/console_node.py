"""A real node with its console on a port of its own."""

from __future__ import annotations

import re
import socket
from collections.abc import Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from crash.node import Node, wait_until
from lamppost.access.desk import Desk, LinkKind
from lamppost.base.clock import SystemClock
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder

#: One crossing after another: the streets of the simulation are walked to and fro.
RULES = """\
[[line]]
name = "middle"
points = [[0.5, 0.2], [0.5, 0.98]]

[[zone]]
name = "pavement"
points = [[0.02, 0.5], [0.98, 0.5], [0.98, 0.98], [0.02, 0.98]]

[[rule]]
name = "somebody-crosses"
type = "line_crossed"
line = "middle"
severity = "warning"
cooldown_s = 1

[heat_map]
"""


class ConsoleNode(Node):
    """`lamppost serve` with its console."""

    STREET = "sim://plaza?seed={seed}&people=4&vehicles=1&width=640&height=360&fps=10"

    def __init__(self, folder: Path, cameras: Mapping[str, str]) -> None:
        # The port stays the same over a restart: a console that is open finds the server again.
        with socket.create_server(("127.0.0.1", 0)) as free:
            self.port = int(free.getsockname()[1])
        super().__init__(folder, cameras=cameras, settings={"server": {"listen": f"127.0.0.1:{self.port}"}})

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        return f"http://{self.address}"

    def draw_rules(self, text: str = RULES) -> None:
        """The same rules for every camera, before the start."""
        (self.folder / "rules.toml").write_text(text)
        named = re.sub(r"^(url = .*)\n", r'\1\nrules_file = "rules.toml"' + "\n", self.config.read_text(), flags=re.MULTILINE)
        self.replace_config(named)

    def start(self) -> None:
        super().start()
        self.await_server()

    def await_server(self) -> None:
        wait_until(self._is_ready, f"a server that answers: {self.log()[-2000:]}")

    def _is_ready(self) -> bool:
        try:
            return httpx.get(f"{self.url}/readyz", trust_env=False).status_code == 200
        except httpx.TransportError:
            return False

    def link(self, name: str, roles: Sequence[str], scope: str = "*") -> str:
        """A link that signs `name` in once, as `lamppost user link` makes it; whom nobody knows yet is made."""
        with closing(Desk(DataFolder(self.data), SystemClock())) as desk:
            user = desk.book.user_named(name)
            if user is None:
                user = desk.new_user(name, "", [Grant(Role(role), Scope.parse(scope)) for role in roles])
                desk.book.add_user(user)
            return f"{self.url}/sign-in#token={desk.make_link(user, LinkKind.SIGN_IN)}"

    def client(self, name: str = "probe") -> httpx.Client:
        """The API, signed in, for what a test waits for."""
        client = httpx.Client(base_url=f"{self.url}/api/v1", trust_env=False, headers={"Origin": self.url})
        word = self.link(name, ("administrator", "operator", "analyst")).partition("#token=")[2]
        client.post("/session/link", json={"token": word}).raise_for_status()
        client.headers["X-CSRF-Token"] = client.get("/session").raise_for_status().json()["csrf"]
        return client

    def await_masked(self, *cameras: str, seconds: float) -> None:
        """Until the last so many seconds of each camera can be watched."""
        with closing(self.client()) as client:
            for camera in cameras:
                wait_until(lambda: _masked_s(client, camera) >= seconds, f"{seconds:.0f} s of {camera} that can be watched", 120)  # noqa: B023

    def await_event(self, kind: str = "line_crossed") -> None:
        """Until something has happened."""
        with closing(self.client()) as client:
            wait_until(lambda: bool(client.get("/events", params={"type": kind}).json()["items"]), f"an event {kind}", 120)

    def setup_link(self) -> str:
        """Which the first start prints."""
        wait_until(lambda: "/setup#" in self.log(), "the link that sets up the first user")
        found = re.search(r"http://\S+/setup#token=\S+", self.log())
        assert found
        return found[0]


def _masked_s(client: httpx.Client, camera: str) -> float:
    now = datetime.now(UTC)
    found = client.get(f"/cameras/{camera}/timeline", params={"from": (now - timedelta(minutes=10)).isoformat(), "to": now.isoformat()})
    spans = found.json()["spans"]
    return sum((datetime.fromisoformat(span["to"]) - datetime.fromisoformat(span["from"])).total_seconds() for span in spans)
