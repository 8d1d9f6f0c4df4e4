"""What the figures of a fleet are measured on: a server of many cameras, a recorder, its journals, its CPU and memory."""

from __future__ import annotations

import contextlib
import json
import selectors
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import TracebackType
from typing import IO, Self

import psutil

from lamppost.model.settings import Settings
from lamppost.pipeline.child import spawn
from lamppost.pipeline.configuration import load_settings

SERVER = Path(__file__).parents[1] / "tests" / "assets" / "rtsp_server.py"
LOOPBACK = "127.0.0.0/8"  # where the cameras of a benchmark are
POLL_S = 0.05


class CameraServer:
    """GStreamer's RTSP server with so many mounts of one clip; all clients of a mount share one stream."""

    def __init__(self, clip: Path, cameras: int) -> None:
        self.process = subprocess.Popen(
            ["/usr/bin/python3", str(SERVER), "--shared", "--live", "--copies", str(cameras), str(clip)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
        )  # fmt: skip
        assert self.process.stdout is not None
        words = self.process.stdout.readline().split()
        self.urls = [f"rtsp://127.0.0.1:{words[1]}{mount}" for mount in words[2:]]

    def command(self, line: str) -> None:
        """Send one line and wait for its answer."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()
        assert self.process.stdout.readline().startswith("OK")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self.process.kill()
        self.process.wait()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                pipe.close()


def make_site(lamppost: Path, folder: Path, urls: Sequence[str]) -> Path:
    """A data folder and a configuration of these cameras, cam0, cam1, ...; returns the configuration."""
    folder.mkdir(parents=True, exist_ok=True)
    config = folder / "lamppost.toml"
    named = [part for number, url in enumerate(urls) for part in ("--camera", f"cam{number}={url}")]
    subprocess.run([lamppost, "init", "--data", folder / "data", "-c", config, *named], check=True, capture_output=True)
    set_keys(config, {"networks": [LOOPBACK]})
    return config


def set_keys(config: Path, values: Mapping[str, str | float | list[str]]) -> None:
    """Give keys that the fresh configuration leaves at their defaults other values, as TOML writes them."""
    text = config.read_text()
    for key, value in values.items():
        before, _, after = text.partition(f"# {key} = ")
        text = f"{before}{key} = {json.dumps(value)}\n{after.partition(chr(10))[2]}"
    config.write_text(text)


@dataclass
class RunningRecorder:
    """Recorder processes that work, and how to end them."""

    processes: list[psutil.Process]
    stop: Callable[[], None]


def start_recorder(settings: Settings, log: Path) -> RunningRecorder:
    """Start what records, and take its feed as an analyst would. The one place that knows how that is done."""
    process, channel = spawn("lamppost.pipeline.recorder", "recorder-1", settings)
    feeds: list[socket.socket] = []
    for camera in settings.camera:
        near, far = socket.socketpair()
        channel.send_whole({"order": "feed", "camera": camera.name}, (near.fileno(),))
        near.close()
        feeds.append(far)
    is_over = threading.Event()
    threads = [threading.Thread(target=_drain, args=(feeds, is_over)), threading.Thread(target=_listen, args=(channel.receive,))]
    if process.stderr is not None:
        threads.append(threading.Thread(target=_copy, args=(process.stderr, log)))
    for thread in threads:
        thread.daemon = True
        thread.start()

    def stop() -> None:
        channel.send_whole({"order": "stop"})
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        is_over.set()

    return RunningRecorder([psutil.Process(process.pid)], stop)


@contextlib.contextmanager
def recording(config: Path) -> Iterator[RunningRecorder]:
    """A recorder on the cameras of `config`, ended in good order."""
    recorder = start_recorder(load_settings(config), config.with_name("recorder.log"))
    try:
        yield recorder
    finally:
        recorder.stop()


def _drain(feeds: list[socket.socket], is_over: threading.Event) -> None:
    with selectors.DefaultSelector() as selector:
        for feed in feeds:
            feed.setblocking(False)
            selector.register(feed, selectors.EVENT_READ)
        room = bytearray(1 << 18)
        while not is_over.wait(POLL_S):
            for key, _ in selector.select(0):
                if isinstance(key.fileobj, socket.socket):
                    with contextlib.suppress(OSError):
                        if key.fileobj.recv_into(room):
                            continue
                    selector.unregister(key.fileobj)
    for feed in feeds:
        feed.close()


def _listen(receive: Callable[[], object]) -> None:
    with contextlib.suppress(OSError):
        while receive() is not None:
            pass


def _copy(stream: IO[bytes], log: Path) -> None:
    with log.open("wb") as file:
        shutil.copyfileobj(stream, file)


def cpu_s(processes: Sequence[psutil.Process]) -> float:
    """User and system time of the processes and of all their children, also of those that have ended."""
    total = 0.0
    for process in processes:
        for one in (process, *process.children(recursive=True)):
            with contextlib.suppress(psutil.NoSuchProcess):
                times = one.cpu_times()
                total += times.user + times.system + times.children_user + times.children_system
    return total


def uss_mb(processes: Sequence[psutil.Process]) -> float:
    """Memory that would be freed if the processes ended."""
    return float(sum(process.memory_full_info().uss for process in processes)) / 1e6


@dataclass
class Fragments:
    """Counts the fragments of each camera by what stands in the journals; reads only what is new."""

    data: Path
    counts: dict[str, int] = field(default_factory=dict[str, int])
    _camera_of: dict[str, str] = field(default_factory=dict[str, str])
    _offsets: dict[Path, int] = field(default_factory=dict[Path, int])

    def look(self) -> dict[str, int]:
        """Fragments so far, by camera."""
        for path in sorted((self.data / "journal").glob("recorder*/*.jsonl")):
            with contextlib.suppress(FileNotFoundError), path.open("rb") as file:
                file.seek(self._offsets.get(path, 0))
                content = file.read()
                whole = content[: content.rfind(b"\n") + 1]
                self._offsets[path] = self._offsets.get(path, 0) + len(whole)
                for line in whole.splitlines():
                    self._take(line)
        return self.counts

    def _take(self, line: bytes) -> None:
        if b'"segment_opened"' not in line and b'"fragment"' not in line:
            return
        record = json.loads(line[line.index(b"{") :])
        if record["type"] == "segment_opened" and record["rendition"] == "sealed":
            self._camera_of[record["segment_id"]] = record["camera"]
        elif record["type"] == "fragment" and record["segment_id"] in self._camera_of:
            camera = self._camera_of[record["segment_id"]]
            self.counts[camera] = self.counts.get(camera, 0) + 1

    def await_more(self, cameras: int, timeout_s: float) -> list[float]:
        """For each camera, the seconds from now to its next fragment; `timeout_s` where none came."""
        began_s, before = time.monotonic(), dict(self.look())
        came: dict[str, float] = {}
        while len(came) < cameras and time.monotonic() - began_s < timeout_s:
            time.sleep(POLL_S)
            now_s = time.monotonic() - began_s
            for camera, count in self.look().items():
                if count > before.get(camera, 0):
                    came.setdefault(camera, now_s)
        return [*came.values(), *([timeout_s] * (cameras - len(came)))]


def account(lamppost: Path, config: Path) -> tuple[float, int, list[str]]:
    """After the end: unexplained seconds of all cameras together, frames, and what `lamppost check` found amiss."""
    done = subprocess.run(
        [lamppost, "check", "-c", config, "--repair", "--quick", "--json"], capture_output=True, text=True, check=False, timeout=1800
    )
    report = json.loads(done.stdout[done.stdout.index("{\n") :])  # a repair may log what it mends
    unexplained_us = sum(one["unexplained_us"] for one in report["accounts"])
    amiss = [f"{finding['where']}: {finding['what']}" for finding in report["findings"] if finding["severity"] != "note"]
    return unexplained_us / 1e6, sum(one["frames"] for one in report["accounts"]), amiss
