"""A real node in a folder of its own, for tests that kill parts of it or take its disk, clock or cameras away."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Callable, Mapping
from pathlib import Path

import psutil

from lamppost.model.networks import PRIVATE
from loopback import LOOPBACK

LAMPPOST = Path(sys.executable).with_name("lamppost")
MODULES = {name: f"lamppost.pipeline.{name}" for name in ("recorder", "analyst", "bookkeeper", "notifier", "caretaker")} | {
    "server": "lamppost.api.server"
}
PATIENCE_S = 40.0

Value = str | float | bool | list[str]


def wait_until(is_so: Callable[[], bool], what: str, timeout_s: float = PATIENCE_S) -> None:
    """Poll for a condition; fail the test when it does not come true."""
    deadline = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout_s:.0f} s in vain: {what}")
        time.sleep(0.02)


def let_pass(seconds: float, still: Callable[[], bool] = lambda: True, what: str = "it stays so") -> None:
    """Let real time go by, for a fault that must last; `still` must be so all along."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert still(), f"it does not: {what}"
        time.sleep(0.05)


class Node:
    """`lamppost serve` on one camera or several.

    `cameras` are names and URLs where there are more than one, `settings` goes into the configuration
    (section, key, value), `camera_settings` into each camera's table, `environment` to every command.
    """

    camera = "plaza"

    def __init__(
        self,
        folder: Path,
        url: str = "",
        *,
        segment_s: float = 5,
        epoch_s: float = 20,
        cameras: Mapping[str, str] | None = None,
        settings: Mapping[str, Mapping[str, Value]] | None = None,
        camera_settings: Mapping[str, Value] | None = None,
        data: Path | None = None,
        environment: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.data = data or folder / "data"
        self.config = folder / "lamppost.toml"
        self.environment = {**os.environ, **(environment or {})}
        self.cameras = dict(cameras or {self.camera: url})
        named = [part for name, address in self.cameras.items() for part in ("--camera", f"{name}={address}")]
        self.run("init", "--data", str(self.data), *named)
        self.configure({"recording": {"segment_s": segment_s}, "sealing": {"epoch_s": epoch_s}, "server": {"listen": ""}})
        self.configure({"devices": {"networks": [LOOPBACK, *PRIVATE]}})
        self.configure(settings or {})
        if camera_settings:
            lines = "".join(f"{key} = {_toml(value)}\n" for key, value in camera_settings.items())
            self.replace_config(re.sub(r"^url = .*\n", lambda match: match[0] + lines, self.config.read_text(), flags=re.MULTILINE))
        self.process: subprocess.Popen[bytes] | None = None
        self._seen: dict[str, set[bytes]] = {}

    def configure(self, settings: Mapping[str, Mapping[str, Value]]) -> None:
        """Set keys of sections, all at once, as an editor that replaces the file."""
        text = self.config.read_text()
        for section, values in settings.items():
            head, table, rest = text.partition(f"[{section}]\n")
            assert table, section
            for key, value in values.items():
                rest, count = re.subn(rf"^(# )?{key} = .*$", f"{key} = {_toml(value)}", rest, count=1, flags=re.MULTILINE)
                assert count, f"[{section}] {key}"
            text = head + table + rest
        self.replace_config(text)

    def replace_config(self, text: str) -> None:
        """Put `text` in place of the configuration in one step."""
        tomllib.loads(text)
        fresh = self.config.with_name("fresh.toml")
        fresh.write_text(text)
        fresh.replace(self.config)

    def run(self, *arguments: str, expect: int | None = 0, timeout_s: float = 120) -> subprocess.CompletedProcess[str]:
        """Run a command of lamppost in the folder and look at its exit code."""
        done = subprocess.run(
            [LAMPPOST, *arguments],
            cwd=self.folder,
            capture_output=True,
            text=True,
            timeout=timeout_s,
            check=False,
            env=self.environment,
        )
        if expect is not None:
            assert done.returncode == expect, f"{arguments}: {done.stdout}\n{done.stderr}"
        assert "Traceback" not in done.stderr
        return done

    def start(self) -> None:
        log = (self.folder / "serve.log").open("ab")
        with log:
            self.process = subprocess.Popen(
                [LAMPPOST, "serve", "-c", str(self.config)], cwd=self.folder, stdout=log, stderr=log, env=self.environment
            )

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    def log(self) -> str:
        """What `lamppost serve` has written so far."""
        return (self.folder / "serve.log").read_text(errors="replace")

    def stop(self) -> float:
        """SIGTERM; returns the seconds it took."""
        assert self.process is not None
        began = time.monotonic()
        self.process.terminate()
        code = self.process.wait(30)
        assert code == 0, self.log()[-3000:]
        return time.monotonic() - began

    def kill_everything(self) -> None:
        """All processes at once, as a power cut does; also for the end of a failed test."""
        victims = self.processes()
        for victim in victims:
            _signal(victim.pid, signal.SIGCONT)
            _signal(victim.pid, signal.SIGKILL)
        if self.process is not None:
            self.process.kill()
            self.process.wait()
        for name in MODULES:
            for pid in self.pids(name):
                _signal(pid, signal.SIGKILL)
        psutil.wait_procs(victims, timeout=10)

    def processes(self) -> list[psutil.Process]:
        """The supervisor and all that live below it."""
        if not self.is_running:
            return []
        assert self.process is not None
        supervisor = psutil.Process(self.process.pid)
        return [supervisor, *supervisor.children(recursive=True)]

    def uss_mb(self, name: str) -> float:
        """Memory of the processes of `name`, together, in MB."""
        return sum(psutil.Process(pid).memory_full_info().uss for pid in self.pids(name)) / 1e6

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

    def freeze(self, name: str) -> Callable[[], None]:
        """SIGSTOP the processes of `name` (or "supervisor"); what it returns lets them go on."""
        assert self.process is not None
        victims = [self.process.pid] if name == "supervisor" else self.pids(name)
        assert victims, f"no {name} runs"
        for pid in victims:
            _signal(pid, signal.SIGSTOP)

        def thaw() -> None:
            for pid in victims:
                _signal(pid, signal.SIGCONT)

        return thaw

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

    def records(self, writer: str = "", mark: bytes = b"") -> set[bytes]:
        """Whole journal lines that hold `mark`, of all writers whose name begins so, also of journals that were removed since."""
        seen = self._seen.setdefault(f"{writer} {mark!r}", set())
        for path in (self.data / "journal").glob(f"{writer}*/*.jsonl"):
            try:
                seen.update(line for line in path.read_bytes().splitlines() if mark in line and line.endswith(b"}"))
            except OSError:
                continue  # the bookkeeper has removed it in between
        return seen

    def fragments(self, writer: str) -> int:
        """How many fragments `writer` has journalled, those in journals that were removed since included."""
        return len(self.records(writer, b'"fragment"'))

    def await_fragments(self, more: int = 2, writer: str = "recorder", timeout_s: float = PATIENCE_S) -> float:
        """Wait for so many more fragments than now; returns the seconds it took."""
        began, mark = time.monotonic(), self.fragments(writer)
        wait_until(lambda: self.fragments(writer) >= mark + more, f"{more} more fragments of the {writer}", timeout_s)
        return time.monotonic() - began

    def check(self) -> dict[str, object]:
        """`lamppost check --json`, which must find nothing."""
        done = self.run("check", "-c", str(self.config), "--json", expect=None)
        report = json.loads(done.stdout)
        assert done.returncode == 0, json.dumps(report, indent=1)
        return dict(report)

    def accounts(self) -> dict[str, dict[str, object]]:
        """After a clean check with nothing unexplained: each camera's account, gaps as a dictionary by cause."""
        report = self.check()
        accounts = report["accounts"]
        assert isinstance(accounts, list)
        found = {account["camera"]: {**account, "gap_us_by_cause": dict(account["gap_us_by_cause"])} for account in accounts}
        assert all(account["unexplained_us"] == 0 for account in found.values()), found
        return found


def _signal(pid: int, number: int) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _toml(value: Value) -> str:
    return json.dumps(value)
