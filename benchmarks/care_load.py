"""What the care of hundreds of devices takes: processor, memory, threads, and how soon each is known, lost and found.

    python -m benchmarks.care_load [--devices 200] [--seconds 30]

A real caretaker process, as the supervisor starts it, and a process of simulated cameras. Shares are of one core; what the cameras
themselves take stands beside it, since both are on one machine, and the ratio is theirs to ours.
"""

from __future__ import annotations

import argparse
import json
import sqlite3
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Self

import psutil

from benchmarks.camera_crowd import PASSWORD, USER
from benchmarks.figures import Figure, table
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.pipeline.child import spawn
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.control import ControlChannel

PATIENCE_S: Final = 300.0
SETTLE_S: Final = 3.0


class Crowd:
    """The process of the cameras."""

    def __init__(self, cameras: int) -> None:
        command = [sys.executable, "-m", "benchmarks.camera_crowd", str(cameras)]
        self._process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.urls: list[str] = self._read()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        with self._process:
            self._process.kill()

    def tell(self, order: str) -> Mapping[str, float]:
        assert self._process.stdin is not None
        self._process.stdin.write(f"{order}\n")
        self._process.stdin.flush()
        figures: Mapping[str, float] = self._read()
        return figures

    def _read(self) -> Any:
        assert self._process.stdout is not None
        return json.loads(self._process.stdout.readline())


@dataclass(frozen=True, slots=True)
class Span:
    """What a stretch of time took."""

    seconds: float
    cpu_s: float
    asked: float
    cameras_cpu_s: float
    late_s: float  # the longest that a device had to wait for its turn, where told

    @property
    def share(self) -> float:
        return self.cpu_s / self.seconds


class Care:
    """The caretaker process, and what it told last."""

    def __init__(self, settings: Settings, config: Path, log: Path) -> None:
        self._process, self._channel = spawn("lamppost.pipeline.caretaker", "caretaker", settings, config=config)
        self.process = psutil.Process(self._process.pid)
        self.told: dict[str, Any] = {}
        self.late_s = 0.0
        self._log = log

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exits: object) -> None:
        del exits
        self._channel.send_whole({"order": "stop"})
        _, complaints = self._process.communicate(timeout=30)
        self._log.write_bytes(complaints)
        self._channel.close()

    def listen(self, for_s: float) -> None:
        """Take what it tells for so long."""
        until_s = time.monotonic() + for_s
        while (left_s := until_s - time.monotonic()) > 0:
            self._take(self._channel, left_s)

    def until(self, is_so: Callable[[Mapping[str, Any]], bool]) -> float:
        """Seconds until it tells of that."""
        began_s = time.monotonic()
        while not self.told or not is_so(self.told["figures"]):
            assert time.monotonic() - began_s < PATIENCE_S, self.told.get("figures")
            self._take(self._channel, 1.0)
        return time.monotonic() - began_s

    def cpu_s(self) -> float:
        used = self.process.cpu_times()
        return float(used.user + used.system)

    def _take(self, channel: ControlChannel, timeout_s: float) -> None:
        try:
            message = channel.receive(timeout_s)
        except TimeoutError:
            return
        if message is not None and "figures" in message.body:
            self.told = message.body
            self.late_s = max(self.late_s, message.body["figures"]["late_s"])


@contextmanager
def spanning(care: Care, crowd: Crowd, spans: list[Span]) -> Iterator[None]:
    """Measure what happens within."""
    before, began_s, cpu_s, care.late_s = crowd.tell("figures"), time.monotonic(), care.cpu_s(), 0.0
    yield
    after = crowd.tell("figures")
    took_s, asked = time.monotonic() - began_s, after["asked"] - before["asked"]
    print(f"{took_s:.0f} s, {asked:.0f} questions", file=sys.stderr, flush=True)
    spans.append(Span(took_s, care.cpu_s() - cpu_s, asked, after["cpu_s"] - before["cpu_s"], care.late_s))


def settings_for(folder: Path, urls: list[str]) -> Settings:
    """Of a node with these devices; their streams are at a port at which nobody listens."""
    lamppost = Path(sys.executable).with_name("lamppost")
    subprocess.run([lamppost, "init", "--data", "data"], cwd=folder, check=True, capture_output=True)
    plain = load_settings(folder / "lamppost.toml")
    cameras = [
        {"name": f"camera-{number:03d}", "url": "rtsp://127.1.250.250:9/main", "username": USER, "password": PASSWORD, "device_url": url}
        for number, url in enumerate(urls)
    ]
    changed = {"data": str(folder / "data"), "camera": cameras, "devices": {"networks": ["127.0.0.0/8"]}}
    return Settings.model_validate(plain.model_dump(exclude={"camera", "devices", "data"}) | changed)


def measure(devices: int, seconds: float) -> list[Figure]:
    """All phases, one after the other."""
    spans: list[Span] = []
    with tempfile.TemporaryDirectory() as name, ExitStack() as stack:
        folder = Path(name)
        crowd = stack.enter_context(Crowd(devices))
        began_s = time.monotonic()
        care = stack.enter_context(Care(settings_for(folder, crowd.urls), folder / "lamppost.toml", folder / "care.log"))
        with spanning(care, crowd, spans):
            known_s = care.until(lambda told: told["reachable"] == devices)
        with spanning(care, crowd, spans):
            audited_s = known_s + care.until(lambda told: told["audits"] >= devices)
        care.listen(SETTLE_S)
        with spanning(care, crowd, spans):
            care.listen(seconds)
        uss_mb, threads = care.process.memory_full_info().uss / 1e6, care.process.num_threads()
        lost: list[float] = []
        back: list[float] = []
        for order in ("down", "silent"):
            crowd.tell(order)
            lost.append(care.until(lambda told: told["reachable"] == 0))
            with spanning(care, crowd, spans):
                care.listen(seconds)
            if order == "silent":
                crowd.tell("down")
            crowd.tell("up")
            with spanning(care, crowd, spans):
                back.append(care.until(lambda told: told["reachable"] == devices))
        refused = crowd.tell("figures")["refused"]
        assert care.told["figures"]["bugs"] == 0
        print(f"{time.monotonic() - began_s:.0f} s in all", file=sys.stderr)
        size_kb = book_kb(DataFolder(folder / "data")) / devices
    return figures(devices, spans, (known_s, audited_s), lost, back, (uss_mb, threads, size_kb, refused))


def book_kb(folder: DataFolder) -> float:
    """Size of the device book, with what is still in its log."""
    with closing(sqlite3.connect(folder.devices)) as connection:
        pages, size_bytes = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "page_size"))
    return float(pages * size_bytes / 1000)


def figures(
    devices: int,
    spans: list[Span],
    first: tuple[float, float],
    lost: list[float],
    back: list[float],
    rest: tuple[float, int, float, float],
) -> list[Figure]:
    """Their rows."""
    uss_mb, threads, size_kb, refused = rest
    meeting, auditing, steady, down, up, silent, up_again = spans

    def row(what: str, span: Span, note: str) -> Figure:
        each = f"{span.cpu_s / devices * 1000:.0f} ms a device" if "first" in what or "back" in what else f"{span.share:.0%} of a core"
        peers = f"{span.cameras_cpu_s / max(span.cpu_s, 1e-9):.2f}"
        return Figure(what, each, f"{span.cameras_cpu_s / span.seconds:.0%} of a core", peers, note)

    return [
        row("all are met first", meeting, f"after {first[0]:.0f} s, {meeting.asked / devices:.0f} questions each"),
        row("all are audited first", auditing, f"after {first[1]:.0f} s, {auditing.asked / devices:.0f} questions each"),
        row("all are there", steady, f"{steady.asked / steady.seconds:.0f} questions a second, {steady.late_s:.1f} s late at most"),
        row("all refuse connections", down, f"all known to be away after {lost[0]:.0f} s, {down.late_s:.1f} s late at most"),
        row("all are back", up, f"after {back[0]:.0f} s, {up.asked / devices:.0f} questions each"),
        row("all are silent", silent, f"all known to be away after {lost[1]:.0f} s, {silent.late_s:.1f} s late at most"),
        row("all are back from silence", up_again, f"after {back[1]:.0f} s, {up_again.asked / devices:.0f} questions each"),
        Figure("memory and threads", f"{uss_mb:.0f} MB, {threads}", "–", "–", f"{uss_mb / devices:.2f} MB a device"),
        Figure("device book", f"{size_kb:.1f} kB a device", "–", "–", "after the first audit"),
        Figure("passwords refused", f"{refused:.0f}", "–", "–", "of all that were offered"),
    ]


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="What the care of many devices takes.")
    parser.add_argument("--devices", type=int, default=200)
    parser.add_argument("--seconds", type=float, default=30.0)
    given = parser.parse_args()
    print(table(f"Devices: {given.devices} of them", measure(given.devices, given.seconds)))


if __name__ == "__main__":
    main()
