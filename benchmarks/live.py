"""How late the live picture is, and how many live cameras one analyst masks.

    .venv/bin/python -m benchmarks.live                                # both, about 12 minutes
    .venv/bin/python -m benchmarks.live --only latency --seconds 60 --fps 10,25
    .venv/bin/python -m benchmarks.live --only curve --counts 1,2,4,8,16
    .venv/bin/python -m benchmarks.live --clip SOME.mp4                # filmed by a camera, in place of the simulated street

The cameras are GStreamer's RTSP server on the same machine, 1280x720. `lamppost serve` records, seals and masks them
as it always does, with one analyst; a subscriber on each camera's live socket notes, for each fragment, the time from
the wall clock in its `prft` (when the picture came from the camera) until the fragment was read. Nothing is taken off.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import re
import selectors
import socket
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import psutil

from benchmarks.figures import Figure, table
from benchmarks.fleet_site import CameraServer, cpu_s, make_site, set_keys
from lamppost.base.errors import StoreError
from lamppost.base.local_sockets import connect
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.simulation import StreetEncoder, street_settings
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec
from lamppost.record.fmp4 import boxes, prft_wall_us

WIDTH_PX, HEIGHT_PX = 1280, 720
CURVE_FPS = 10
LOOK_BACK_MS, ALLOWED_MS = 500.0, 150.0
WARM_S = 25.0  # covers of the start, and the first steps of overload, are over by then
START_PATIENCE_S = 60.0
CLIP_S = 60
FULL_SHARE = 0.95  # of the pictures, without a step of overload, is masked in full
STREET = "sim://plaza?seed=5&people=4&vehicles=2&noise=1"


@dataclass
class Watched:
    """One camera's live stream as its subscriber saw it: the lateness of each fragment, and how often the stream ended."""

    path: Path
    late_ms: list[float] = field(default_factory=list[float])
    streams: int = 0
    end: socket.socket | None = None
    rest: bytes = b""

    def connect(self) -> None:
        with contextlib.suppress(StoreError):  # not there yet, or not again
            self.end = connect(self.path)
            self.end.setblocking(False)
            self.rest = b""
            self.streams += 1

    def read(self, now_us: int) -> None:
        assert self.end is not None
        piece = self.end.recv(1 << 18)
        if not piece:
            self.close()
            return
        self.rest += piece
        stamp_us, done = 0, 0
        for kind, start, end in boxes(self.rest):
            if kind == b"prft":
                stamp_us = prft_wall_us(self.rest, start)
            elif kind == b"mdat":
                self.late_ms.append((now_us - stamp_us) / 1000)
                done = end
        self.rest = self.rest[done:]

    def close(self) -> None:
        if self.end is not None:
            self.end.close()
            self.end = None


class Watching:
    """A thread that subscribes to cameras, and again when a run ends."""

    def __init__(self, data: Path, cameras: Sequence[str]) -> None:
        self.streams = {camera: Watched(DataFolder(data).live_socket(camera)) for camera in cameras}
        self._is_over = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def forget(self) -> None:
        """Begin to note anew."""
        for stream in self.streams.values():
            stream.late_ms = []

    def stop(self) -> None:
        self._is_over.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._is_over.is_set():
            with selectors.DefaultSelector() as selector:
                for stream in self.streams.values():
                    if stream.end is None:
                        stream.connect()
                    if stream.end is not None:
                        selector.register(stream.end, selectors.EVENT_READ, stream)
                until_s = time.monotonic() + 1.0  # then who is not connected tries again
                while time.monotonic() < until_s and not self._is_over.is_set():
                    for key, _ in selector.select(0.2):
                        stream = key.data
                        with contextlib.suppress(BlockingIOError):
                            stream.read(time.time_ns() // 1000)
                        if stream.end is None:
                            selector.unregister(key.fileobj)
                            until_s = 0.0
        for stream in self.streams.values():
            stream.close()


@dataclass(frozen=True, slots=True)
class Seen:
    """What one span of time showed of a node with so many cameras."""

    cameras: int
    span_s: float
    late_ms: list[float]
    masked_fps: list[float]
    covered_share: float
    analyst_cpu: float  # of one core
    machine_cpu: float  # of all cores
    steps: dict[str, int]  # cameras at each step of overload, in the span
    ends: int  # of streams, in the span

    @property
    def is_full(self) -> bool:
        """Every camera was masked, and none gave anything up."""
        return not self.steps and min(self.masked_fps) >= FULL_SHARE * CURVE_FPS and self.covered_share <= 1 - FULL_SHARE


def observe(lamppost: Path, folder: Path, urls: Sequence[str], span_s: float) -> Seen:
    """Let `lamppost serve` mask these cameras, and look on for `span_s` once it has settled."""
    config = make_site(lamppost, folder, urls)
    port = free_port()
    set_keys(config, {"analysts": 1, "listen": f"127.0.0.1:{port}"})
    data = config.with_name("data")
    cameras = [f"cam{number}" for number in range(len(urls))]
    with config.with_name("serve.log").open("wb") as log:
        node = subprocess.Popen([lamppost, "serve", "-c", config], stdout=log, stderr=log)
        watching = Watching(data, cameras)
        try:
            await_that(lambda: all(stream.late_ms for stream in watching.streams.values()), START_PATIENCE_S)
            time.sleep(WARM_S)
            analyst = child_of(node.pid, "lamppost.pipeline.analyst")
            before, counted, cpu, began_s, began_us = _masked(port), _streams(watching), cpu_s([analyst]), time.monotonic(), now_us()
            psutil.cpu_percent()
            watching.forget()
            time.sleep(span_s)
            late_ms = [late for stream in watching.streams.values() for late in list(stream.late_ms)]
            spent_s, took_s, machine = cpu_s([analyst]) - cpu, time.monotonic() - began_s, psutil.cpu_percent()
            after, ends = _masked(port), _streams(watching) - counted
        finally:
            watching.stop()
            node.terminate()
            node.wait(60)
    frames = [after["frames"][camera] - before["frames"][camera] for camera in cameras]
    covered = sum(after["covered_frames"][camera] - before["covered_frames"][camera] for camera in cameras)
    return Seen(
        cameras=len(urls),
        span_s=took_s,
        late_ms=late_ms,
        masked_fps=[count / took_s for count in frames],
        covered_share=covered / max(1.0, sum(frames)),
        analyst_cpu=spent_s / took_s,
        machine_cpu=machine / 100,
        steps=steps_since(data, began_us),
        ends=ends,
    )


def latency(lamppost: Path, folder: Path, source: str, rates: Sequence[int], span_s: float) -> list[Figure]:
    """One camera, as late as its live picture is."""
    figures: list[Figure] = []
    for fps in rates:
        clip = make_clip(folder / f"clip-{fps}.mp4", source, fps)
        with CameraServer(clip, 1) as server:
            seen = observe(lamppost, folder / f"latency-{fps}", server.urls, span_s)
        p50, p95 = quantiles(seen.late_ms)
        goal_ms = LOOK_BACK_MS + ALLOWED_MS
        figures.append(
            Figure(
                f"delay of the live picture, p95; one RTSP camera, 720p, {fps} fps, default preset, {seen.span_s:.0f} s",
                f"{p95:.0f} ms", f"{goal_ms:.0f} ms (look-back + {ALLOWED_MS:.0f} ms)", "met" if p95 <= goal_ms else "missed",
                f"median {p50:.0f} ms, longest {max(seen.late_ms, default=0):.0f} ms, {len(seen.late_ms)} fragments; {_told(seen)}",
            )
        )  # fmt: skip
        print(figures[-1], flush=True)
    return figures


def curve(lamppost: Path, folder: Path, source: str, counts: Sequence[int], span_s: float) -> list[Figure]:
    """More and more cameras in one analyst."""
    clip = make_clip(folder / "clip-curve.mp4", source, CURVE_FPS)
    figures: list[Figure] = []
    full: list[Seen] = []
    for count in counts:
        with CameraServer(clip, count) as server:
            seen = observe(lamppost, folder / f"curve-{count}", server.urls, span_s)
        full += [seen] if seen.is_full else []
        figures.append(_curve_row(seen))
        print(figures[-1], flush=True)
    cores = len(os.sched_getaffinity(0))
    most = max(full, key=lambda seen: seen.cameras, default=None)
    shown = f"{most.cameras / cores:.1f}" if most is not None else "less than one on the whole machine"
    cost = f"; {most.cameras / most.analyst_cpu:.1f} cameras for each core that the analyst used" if most is not None else ""
    note = f"{most.cameras if most else 0} of {', '.join(map(str, counts))} on {cores} cores, cameras, recorder and viewers beside it{cost}"
    return [*figures, Figure(f"cameras masked in full per core, 720p, {CURVE_FPS} fps", shown, "–", "–", note)]


def _curve_row(seen: Seen) -> Figure:
    p50, p95 = quantiles(seen.late_ms)
    least, mean = min(seen.masked_fps), statistics.mean(seen.masked_fps)
    return Figure(
        f"{seen.cameras} live cameras, 720p, {CURVE_FPS} fps, one analyst, {seen.span_s:.0f} s",
        f"{mean:.1f} fps masked (least {least:.1f})", f"{CURVE_FPS} fps", f"{mean / CURVE_FPS:.2f}×",
        f"analyst {seen.analyst_cpu / seen.cameras:.0%} of a core a camera; delay median {p50:.0f} ms, p95 {p95:.0f} ms; {_told(seen)}",
    )  # fmt: skip


def _told(seen: Seen) -> str:
    steps = ", ".join(f"{count} × {step}" for step, count in sorted(seen.steps.items())) or "none"
    return (
        f"steps of overload: {steps}; {seen.covered_share:.1%} covered; {seen.ends} streams ended; "
        f"the machine was busy to {seen.machine_cpu:.0%}"
    )


def make_clip(path: Path, source: str, fps: int, width_px: int = WIDTH_PX, height_px: int = HEIGHT_PX) -> Path:
    """A minute of H.264 as a camera sends it, of the simulated street or of a clip: a keyframe each second, no B-frames."""
    if source != "street":
        scale = f"scale={width_px}:{height_px}:force_original_aspect_ratio=increase,crop={width_px}:{height_px},fps={fps}"
        encode = ["-c:v", "libx264", "-preset", "veryfast", "-bf", "0", "-b:v", "2M", "-maxrate", "2M", "-bufsize", "2M", "-g", str(fps)]
        command = ["ffmpeg", "-v", "error", "-y", "-stream_loop", "-1", "-i", source, "-t", str(CLIP_S), "-an", "-vf", scale, *encode]
        subprocess.run([*command, "-pix_fmt", "yuv420p", str(path)], check=True)
        return path
    street = f"{STREET}&width={width_px}&height={height_px}&fps={fps}"
    encoder = StreetEncoder(street_settings(parse_locator(street)), Codec.H264)
    with av.open(str(path), "w") as out:
        stream = out.add_mux_stream("h264", width=width_px, height=height_px, time_base=Fraction(1, 90_000))
        for index in range(CLIP_S * fps):
            packet = av.Packet(encoder.encode(index))
            packet.stream, packet.time_base = stream, Fraction(1, 90_000)
            packet.pts = packet.dts = index * 90_000 // fps
            packet.duration, packet.is_keyframe = 90_000 // fps, index % fps == 0
            out.mux(packet)
    return path


def quantiles(values: Sequence[float]) -> tuple[float, float]:
    """Median and 95th percentile."""
    if len(values) < 2:
        return (float("nan"), float("nan"))
    return statistics.median(values), statistics.quantiles(values, n=20, method="inclusive")[-1]


def _masked(port: int) -> dict[str, dict[str, float]]:
    """Masked and covered frames of each camera, from the node's metrics."""
    with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        text = answer.read().decode()
    return {
        key: {name: float(value) for name, value in re.findall(rf'^lamppost_{metric}_total{{camera="(.+?)"}} (\S+)', text, re.MULTILINE)}
        for key, metric in (("frames", "masked_frames"), ("covered_frames", "covered_frames"))
    }


def steps_since(data: Path, since_us: int) -> dict[str, int]:
    """How many cameras were at each step of overload at some time after `since_us`, from the journal."""
    opened: dict[str, tuple[str, str]] = {}
    ended_us: dict[str, int] = {}
    for record in _records(data):
        if record["type"] == "reduction_opened":
            opened[str(record["reduction_id"])] = (str(record["step"]), str(record["camera"]))
        elif record["type"] == "reduction_closed":
            ended_us[str(record["reduction_id"])] = int(str(record["end_us"]))
    pairs = {pair for one, pair in opened.items() if ended_us.get(one, since_us) >= since_us}
    return {step: sum(one == step for one, _ in pairs) for step in {step for step, _ in pairs}}


def _records(data: Path) -> Iterator[dict[str, object]]:
    for path in sorted((data / "journal").glob("analyst*/*.jsonl")):
        for line in path.read_bytes().splitlines():
            if b'"reduction_' in line and line.endswith(b"}"):
                yield json.loads(line[line.index(b"{") :])


def _streams(watching: Watching) -> int:
    return sum(stream.streams for stream in watching.streams.values())


def child_of(pid: int, module: str) -> psutil.Process:
    """The process below `pid` that runs that module."""
    return next(child for child in psutil.Process(pid).children(recursive=True) if module in child.cmdline())


def await_that(is_so: Callable[[], bool], timeout_s: float) -> None:
    """Ends the benchmark where it does not become so."""
    deadline_s = time.monotonic() + timeout_s
    while not is_so():
        if time.monotonic() > deadline_s:
            raise SystemExit(f"what was waited for did not come in {timeout_s:.0f} s; see serve.log")
        time.sleep(0.1)


def free_port() -> int:
    """A port of loopback on which nobody listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def now_us() -> int:
    """The wall clock, in microseconds."""
    return time.time_ns() // 1000


def main() -> None:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="latency,curve", help="of latency,curve")
    parser.add_argument("--fps", default="10,25", help="rates for latency")
    parser.add_argument("--counts", default="1,2,4,8,12,16", help="numbers of cameras for the curve")
    parser.add_argument("--seconds", type=float, default=60.0, help="span of latency; the curve takes half of it for each number")
    parser.add_argument("--clip", default="street", help="a video file that the cameras film; the simulated street otherwise")
    options = parser.parse_args()
    lamppost = Path(sys.executable).with_name("lamppost")
    wanted, figures = options.only.split(","), list[Figure]()
    with tempfile.TemporaryDirectory() as folder:
        if "latency" in wanted:
            rates = [int(one) for one in options.fps.split(",")]
            figures += latency(lamppost, Path(folder), options.clip, rates, options.seconds)
        if "curve" in wanted:
            counts = [int(one) for one in options.counts.split(",")]
            figures += curve(lamppost, Path(folder), options.clip, counts, options.seconds / 2)
    print(table("Live", figures))


if __name__ == "__main__":
    main()
