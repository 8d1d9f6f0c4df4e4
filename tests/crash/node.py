"""A real node in a folder of its own, for tests that kill parts of it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

LAMPPOST = Path(sys.executable).with_name("lamppost")
MODULES = {name: f"lamppost.pipeline.{name}" for name in ("recorder", "analyst", "bookkeeper")}
PATIENCE_S = 40.0


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Poll for a condition; fail the test when it does not come true."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.02)


class Node:
    """`lamppost serve` on one simulated camera."""

    camera = "plaza"

    def __init__(self, folder: Path, url: str, *, segment_s: float = 5, epoch_s: float = 20) -> None:
        self.folder = folder
        self.data = folder / "data"
        self.config = folder / "lamppost.toml"
        self.run("init", "--data", str(self.data), "--camera", f"{self.camera}={url}")
        text = self.config.read_text()
        text = text.replace("# segment_s = 60.0", f"segment_s = {segment_s}").replace("# epoch_s = 600.0", f"epoch_s = {epoch_s}")
        self.config.write_text(text)
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: dict[str, set[bytes]] = {}

    def run(self, *arguments: str, expect: int | None = 0) -> subprocess.CompletedProcess[str]:
        """Run a command of lamppost in the folder and look at its exit code."""
        done = subprocess.run([LAMPPOST, *arguments], cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        if expect is not None:
            assert done.returncode == expect, f"{arguments}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def start(self) -> None:
        log = (self.folder / "serve.log").open("ab")
        with log:
            self.process = subprocess.Popen([LAMPPOST, "serve", "-c", str(self.config)], cwd=self.folder, stdout=log, stderr=log)

    def stop(self) -> float:
        """SIGTERM; returns the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(30)
        assert code == 0, (self.folder / "serve.log").read_text()[-3000:]
        return time.monotonic() - began

    def kill_everything(self) -> None:
        """For the end of a failed test."""
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for name in MODULES:
            for pid in self.pids(name):
                os.kill(pid, signal.SIGKILL)

    def pids(self, name: str) -> list[int]:
        """Of this node's processes that run the module of `name`, by the folder they work in."""
        found: list[int] = []
        for entry in Path("/proc").iterdir():
            if not entry.name.isdigit():
                continue
            try:
                arguments = (entry / "cmdline").read_bytes().split(b"\0")
                home = (entry / "cwd").resolve()
            except OSError:
                continue
            if MODULES[name].encode() in arguments and home == self.folder.resolve():
                found.append(int(entry.name))
        return found

    def kill(self, name: str) -> None:
        """kill -9 one process, and wait until it is gone."""
        if name == "supervisor":
            assert self.process is not None
            self.process.kill()
            self.process.wait()
            return
        wait_until(lambda: bool(self.pids(name)), f"a running {name}")
        victims = self.pids(name)
        for pid in victims:
            os.kill(pid, signal.SIGKILL)
        wait_until(lambda: not set(victims) & set(self.pids(name)), f"the end of the {name}")

    def fragments(self, writer: str) -> int:
        """How many fragments `writer` has journalled, those in journals that were removed since included."""
        seen = self._seen.setdefault(writer, set())
        for path in (self.data / "journal").glob(f"{writer}*/*.jsonl"):
            try:
                seen.update(line for line in path.read_bytes().splitlines() if b'"fragment"' in line and line.endswith(b"}"))
            except OSError:
                continue  # the bookkeeper has removed it in between
        return len(seen)

    def check(self) -> dict[str, object]:
        """`lamppost check --json`, which must find nothing."""
        done = self.run("check", "-c", str(self.config), "--json", expect=None)
        report = json.loads(done.stdout)
        assert done.returncode == 0, json.dumps(report, indent=1)
        return dict(report)
