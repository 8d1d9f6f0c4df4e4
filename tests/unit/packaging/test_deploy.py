"""What `deploy/` claims is so: units that systemd takes, paths that fit together, nothing that runs as root."""

from __future__ import annotations

import contextlib
import json
import re
import shutil
import subprocess
import sys
import threading
from collections.abc import Iterator
from configparser import ConfigParser
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from lamppost.model.server_settings import ServerSettings, split_listen

ROOT = Path(__file__).parents[3]
DEPLOY = ROOT / "deploy"
UNITS = sorted(path.name for path in DEPLOY.iterdir() if path.suffix in {".service", ".timer"})
PROGRAM = "/opt/lamppost/bin/lamppost"
GUIDE = (ROOT / "docs" / "guide" / "install.md").read_text()


def unit(name: str) -> ConfigParser:
    parser = ConfigParser(interpolation=None, strict=False)  # ExecStartPre may stand there twice
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    parser.read(DEPLOY / name)
    return parser


@pytest.fixture
def installed(tmp_path: Path) -> list[str]:
    """The units, with a program that exists on this machine in place of ours."""
    for name in UNITS:
        (tmp_path / name).write_text((DEPLOY / name).read_text().replace(PROGRAM, "/bin/true"))
    return [str(tmp_path / name) for name in UNITS]


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is absent")
def test_systemd_takes_the_units(installed: list[str]) -> None:
    done = subprocess.run(["systemd-analyze", "verify", "--man=no", *installed], capture_output=True, text=True, check=False, timeout=60)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is absent")
def test_the_services_are_hardened(installed: list[str]) -> None:
    for path in installed:
        if path.endswith(".service"):
            command = ["systemd-analyze", "security", "--offline=yes", "--threshold=20", path]
            assert subprocess.run(command, capture_output=True, check=False, timeout=60).returncode == 0, path


def test_the_node_leaves_nothing_in_core_dumps_or_swap_and_stops_in_order() -> None:
    service = unit("lamppost.service")["Service"]
    assert service["LimitCORE"] == service["MemorySwapMax"] == "0"
    assert service["User"] == "lamppost"
    assert service["KillMode"] == "mixed"
    assert float(service["TimeoutStopSec"]) > 5  # what a stop of the node takes at most
    assert service["Restart"] == "always"


def test_the_node_may_write_where_the_console_changes_something() -> None:
    """Data, the folder of the configuration (a new file and a rename), and the folder of backups; nothing else."""
    service = unit("lamppost.service")["Service"]
    assert service["ProtectSystem"] == "strict"
    config = Path(service["ExecStart"].split()[-1])
    backups = Path(unit("lamppost-backup.service")["Service"]["ExecStart"].split()[-1])
    allowed = {Path(path.removeprefix("-")) for path in service["ReadWritePaths"].split()}
    assert allowed == {Path("/var/lib/lamppost"), config.parent, backups}
    assert f"-{backups}" in service["ReadWritePaths"].split(), "a node without backups starts as well"


def test_the_node_needs_no_capability_for_where_it_listens() -> None:
    service = unit("lamppost.service")["Service"]
    assert service["CapabilityBoundingSet"] == service["AmbientCapabilities"] == ""
    assert split_listen(ServerSettings().listen)[1] >= 1024


def test_the_backup_cannot_reach_the_vault() -> None:
    assert unit("lamppost-backup.service")["Service"]["InaccessiblePaths"] == "-/var/lib/lamppost/vault"


def test_every_path_of_the_units_is_made_in_the_guide() -> None:
    for name in UNITS:
        for folder in re.findall(r"/(?:opt|etc|var/lib|var/backups)/lamppost", (DEPLOY / name).read_text()):
            assert folder in GUIDE, f"{name}: {folder}"


# The container file


def instructions() -> list[tuple[str, str]]:
    text = re.sub(r"^#.*\n", "", (DEPLOY / "Containerfile").read_text(), flags=re.MULTILINE).replace("\\\n", " ")
    return [(line.split(maxsplit=1)[0], line.split(maxsplit=1)[1]) for line in text.splitlines() if line.strip()]


def test_the_container_never_runs_as_root() -> None:
    last_stage = instructions()[max(index for index, (word, _) in enumerate(instructions()) if word == "FROM") :]
    users = [text for word, text in last_stage if word == "USER"]
    assert users == ["10001:10001"]
    assert any("--uid 10001" in text for word, text in last_stage if word == "RUN")


def test_what_the_container_copies_is_what_make_wheel_builds() -> None:
    recipe = re.search(r"^wheel:.*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(), re.MULTILINE)
    assert recipe is not None
    copied = [text.split()[:-1] for word, text in instructions() if word == "COPY" and "--from" not in text]
    assert copied == [["dist/requirements.txt", "dist/lamppost-*.whl"]]
    assert "dist/requirements.txt" in recipe[1]
    assert "-t wheel -d dist" in recipe[1]


def test_the_container_starts_the_program_it_installed_and_asks_it_whether_it_serves() -> None:
    said = {word: text for word, text in instructions() if word in {"ENTRYPOINT", "CMD", "VOLUME", "HEALTHCHECK", "EXPOSE", "ENV"}}
    assert json.loads(said["ENTRYPOINT"]) == [PROGRAM]
    assert json.loads(said["CMD"])[0] == "serve"
    listen = ServerSettings().listen
    assert said["EXPOSE"] == str(split_listen(listen)[1])
    assert {"/var/lib/lamppost", "/var/lib/lamppost/vault"} <= set(json.loads(said["VOLUME"]))
    variable, _, url = said["ENV"].partition("=")
    assert url == f"http://{listen}/healthz"
    with _answering(204) as healthy, _answering(503) as ill:
        assert _ask(said["HEALTHCHECK"], variable, healthy) == 0
        assert _ask(said["HEALTHCHECK"], variable, ill) != 0
    assert _ask(said["HEALTHCHECK"], variable, healthy) != 0, "it has stopped"


def _ask(healthcheck: str, variable: str, url: str) -> int:
    """The exit code of the health check, run by this Python."""
    command = [sys.executable, *json.loads(healthcheck.split("CMD", 1)[1])[1:]]
    return subprocess.run(command, env={variable: url}, capture_output=True, check=False, timeout=30).returncode


@contextlib.contextmanager
def _answering(status: int) -> Iterator[str]:
    """The address of a server that answers everything with this status."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/healthz"
        finally:
            server.shutdown()
            thread.join()
