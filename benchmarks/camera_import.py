"""How long 500 cameras of one table take: looked at, written, and taken over by a node that runs.

    .venv/bin/python -m benchmarks.camera_import

The cameras are at addresses of this machine at which nobody listens: a node that takes them over finds each of them unreachable.
Every camera has a password, an origin, a schedule and a preset. Times are those of the whole command, from its start to its end.
"""

from __future__ import annotations

import contextlib
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from fastapi.testclient import TestClient

from benchmarks.figures import Figure, table
from lamppost.access.desk import SignedIn
from lamppost.api.app import create_app
from lamppost.api.context import Context
from lamppost.base.clock import SystemClock
from lamppost.base.errors import StoreError
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.pipeline.configuration import load_settings
from lamppost.store.index import Index
from lamppost.store.journal import JournalWriter

CAMERAS: Final = 500
RUNS: Final = 5
PATIENCE_S: Final = 300.0
_HEADER: Final = "name,address,vendor,channel,username,password,site,preset,schedule,installed,cost,currency,contract,purpose"


def make_table(cameras: int = CAMERAS) -> str:
    """A table of so many cameras."""
    rows = [
        f"camera-{number:03d},127.1.{number // 200}.{number % 200 + 1}:9,hikvision,1,lamppost,word-{number},Site {number // 25},motion,"
        f"mon-sun 00:00-24:00,2024-05-31,1200.50,EUR,T-{number},traffic"
        for number in range(cameras)
    ]
    return "\n".join([_HEADER, *rows, ""])


def make_node(folder: Path, lamppost: Path) -> Path:
    """A node without a camera that may connect to this machine; its configuration."""
    subprocess.run([lamppost, "init", "--data", "data"], cwd=folder, check=True, capture_output=True)
    config = folder / "lamppost.toml"
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    text = config.read_text().split("[[camera]]")[0]
    tables = {"devices": 'networks = ["127.0.0.0/8"]', "metrics": 'listen = ""', "server": f'listen = "127.0.0.1:{port}"'}
    for name, line in tables.items():
        text = text.replace(f"\n[{name}]\n", f"\n[{name}]\n{line}\n", 1) if f"\n[{name}]\n" in text else f"{text}\n[{name}]\n{line}\n"
    config.write_text(text)
    (folder / "cameras.csv").write_text(make_table())
    return config


def by_command(lamppost: Path) -> list[Figure]:
    """The commands, each with a start of its own."""
    dry: list[float] = []
    real: list[float] = []
    again: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as place:
            make_node(Path(place), lamppost)
            for took, more in ((dry, ["--dry-run"]), (real, []), (again, [])):
                started_s = time.perf_counter()
                subprocess.run([lamppost, "camera", "import", "cameras.csv", *more], cwd=place, check=True, capture_output=True)
                took.append(time.perf_counter() - started_s)
    return [
        _figure(f"{CAMERAS} cameras, dry run, by command", dry, 2.0),
        _figure(f"{CAMERAS} cameras, for real, by command", real, 30.0),
        _figure(f"{CAMERAS} cameras, a second time, by command", again, 30.0),
    ]


def by_api(lamppost: Path) -> list[Figure]:
    """The routes, without the network."""
    dry: list[float] = []
    real: list[float] = []
    for _ in range(RUNS):
        with tempfile.TemporaryDirectory() as place, _client(make_node(Path(place), lamppost)) as client:
            for took, is_dry in ((dry, True), (real, False)):
                started_s = time.perf_counter()
                answer = client.post("/api/v1/cameras/import", json={"csv": make_table(), "dry_run": is_dry})
                took.append(time.perf_counter() - started_s)
                if answer.status_code != 200 or answer.json()["added"] != CAMERAS:
                    raise SystemExit(answer.text[:2000])
    return [_figure(f"{CAMERAS} cameras, dry run, API", dry, 2.0), _figure(f"{CAMERAS} cameras, for real, API", real, 30.0)]


def taken_over(lamppost: Path) -> list[Figure]:
    """From the end of the command until the books of a running node know each camera: that it is not reached."""
    with tempfile.TemporaryDirectory() as place:
        config = make_node(Path(place), lamppost)
        node = subprocess.Popen([lamppost, "serve"], cwd=place, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            folder = DataFolder(load_settings(config).data)
            _await(lambda: folder.index.is_file())
            time.sleep(3)
            subprocess.run([lamppost, "camera", "import", "cameras.csv"], cwd=place, check=True, capture_output=True)
            started_s = time.perf_counter()
            first_s = _await(lambda: _known(folder) > 0)
            _await(lambda: _known(folder) >= CAMERAS)
            took_s = time.perf_counter() - started_s
        finally:
            node.terminate()
            node.wait(30)
    told = f"the first after {first_s:.1f} s; nobody listens at their addresses"
    return [Figure(f"a running node takes {CAMERAS} cameras over, until each is in its books", f"{took_s:.1f} s", "", "", told)]


def _known(folder: DataFolder) -> int:
    with contextlib.suppress(StoreError), Index(folder) as index:
        return len({gap.camera for gap in index.gaps()})
    return 0


def _await(is_so: Callable[[], bool]) -> float:
    started_s = time.perf_counter()
    while not is_so():
        if time.perf_counter() - started_s > PATIENCE_S:
            raise SystemExit("it did not come to pass")
        time.sleep(0.1)
    return time.perf_counter() - started_s


@dataclass(frozen=True, slots=True)
class _Administrator:
    """Takes every token for that of an administrator."""

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        return None

    def of_token(self, token: str) -> SignedIn | None:
        return SignedIn("id", "bench", "bench", (Grant(Role.ADMINISTRATOR, Scope("*")),), None, "", 4_102_444_800_000_000)


@dataclass(frozen=True, slots=True)
class _Node:
    settings: Settings
    state: Mapping[str, Any] = field(default_factory=dict[str, Any])


@contextlib.contextmanager
def _client(config: Path) -> Generator[TestClient]:
    settings = load_settings(config)
    folder = DataFolder(settings.data)
    with JournalWriter(folder.journal / "server", clock=SystemClock()) as journal:
        context = Context(folder, SystemClock(), _Node(settings), journal, _Administrator(), config, 0)
        try:
            yield TestClient(create_app(context), headers={"Authorization": "Bearer bench"})
        finally:
            context.close()


def _figure(what: str, took: list[float], goal_s: float) -> Figure:
    median_s = statistics.median(took)
    spread = f"{min(took):.2f} to {max(took):.2f} s in {len(took)} runs"
    return Figure(what, f"{median_s:.2f} s", f"{goal_s:g} s", f"{median_s / goal_s:.2f}×", f"goal ≤ {goal_s:g} s; {spread}")


def main() -> None:
    """Measure, and print a table."""
    lamppost = Path(sys.executable).with_name("lamppost")
    figures = [*by_command(lamppost), *by_api(lamppost), *taken_over(lamppost)]
    sys.stdout.write(table("Importing cameras", figures))


if __name__ == "__main__":
    main()
