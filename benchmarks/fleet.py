"""What a fleet of real RTSP cameras costs one machine, and whether anything of it is lost.

    .venv/bin/python -m benchmarks.fleet                              # everything but the soak, about 25 minutes
    .venv/bin/python -m benchmarks.fleet --only cpu,memory
    .venv/bin/python -m benchmarks.fleet --only loss --minutes 10 --fleet 100
    .venv/bin/python -m benchmarks.fleet --only soak --hours 8

The cameras are GStreamer's RTSP server on the same machine: 1080p, 25 fps, 2 Mbit/s, GOP 2 s. CPU is user and
system time over a span, start-up left out, that of children included, also of those that have ended.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks import fleet_rotation
from benchmarks.clips import make_camera_clip
from benchmarks.figures import Figure, table
from benchmarks.fleet_site import CameraServer, Fragments, account, cpu_s, make_site, recording, set_keys, uss_mb

WARM_S = 10.0
PATIENCE_S = 120.0
DOWN_S = 5.0
SOAK_CAMERAS = 4
SOAK_KEPT_DAYS = 0.002  # three minutes, in place of three days
SAMPLE_S = 10.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What is measured, and with how much."""

    lamppost: Path
    folder: Path
    clip: Path
    cameras: int
    fleet: int
    span_s: float
    minutes: float
    reboots: int
    rotations: int
    hours: float


def cpu(plan: Plan) -> list[Figure]:
    """Recorder against one `ffmpeg -c copy` for each camera, on the same server in the same span."""
    with CameraServer(plan.clip, plan.cameras) as server:
        config = make_site(plan.lamppost, plan.folder / "cpu", server.urls)
        with recording(config) as recorder, _copies(server.urls, plan.folder) as copies:
            fragments = Fragments(config.with_name("data"))
            fragments.await_more(plan.cameras, PATIENCE_S)
            time.sleep(WARM_S)
            before = cpu_s(recorder.processes), cpu_s(copies), cpu_s([psutil.Process(server.process.pid)])
            counted = sum(fragments.look().values())
            time.sleep(plan.span_s)
            ours_s, peer_s = cpu_s(recorder.processes) - before[0], cpu_s(copies) - before[1]
            server_s = cpu_s([psutil.Process(server.process.pid)]) - before[2]
            came = sum(fragments.look().values()) - counted
    per_camera = plan.cameras * plan.span_s / 100
    return [
        Figure(
            f"CPU to record, seal and feed, per camera; {plan.cameras} RTSP streams, 1080p, 25 fps, 2 Mbit/s",
            f"{ours_s / per_camera:.2f}% of a core", f"{peer_s / per_camera:.2f}% (`ffmpeg -c copy` each)", f"{ours_s / peer_s:.2f}×",
            f"goal ≤ 1.0×; {plan.span_s:.0f} s, both at once; {came} fragments; the server took {server_s / plan.span_s:.0%} of a core",
        )
    ]  # fmt: skip


@contextlib.contextmanager
def _copies(urls: Sequence[str], folder: Path) -> Iterator[list[psutil.Process]]:
    running: list[subprocess.Popen[bytes]] = []
    try:
        for number, url in enumerate(urls):
            command = [
                *("ffmpeg", "-nostdin", "-loglevel", "quiet", "-y", "-rtsp_transport", "tcp", "-i", url, "-c", "copy", "-an"),
                *("-f", "mp4", "-movflags", "frag_keyframe+empty_moov", str(folder / f"copy-{number}.mp4")),
            ]
            running.append(subprocess.Popen(command))
        yield [psutil.Process(process.pid) for process in running]
    finally:
        for process in running:
            process.terminate()
        for process in running:
            process.wait()


def memory(plan: Plan) -> list[Figure]:
    """The slope of the recorder's memory over the number of its cameras."""
    counts = sorted({1, max(1, plan.cameras // 2), plan.cameras, plan.fleet})
    taken: list[float] = []
    for count in counts:
        with CameraServer(plan.clip, count) as server:
            config = make_site(plan.lamppost, plan.folder / f"memory-{count}", server.urls)
            with recording(config) as recorder:
                Fragments(config.with_name("data")).await_more(count, PATIENCE_S)
                time.sleep(WARM_S)
                samples: list[float] = []
                for _ in range(5):
                    samples.append(uss_mb(recorder.processes))
                    time.sleep(1)
                taken.append(statistics.median(samples))
    slope = statistics.linear_regression(counts, taken).slope if len(counts) > 1 else 0.0
    shown = ", ".join(f"{count}: {megabytes:.0f} MB" for count, megabytes in zip(counts, taken, strict=True))
    return [Figure("memory per camera beyond the base (USS)", f"{slope:.2f} MB", "10 MB", f"{slope / 10:.2f}×", f"goal ≤ 10 MB; {shown}")]


def start(plan: Plan) -> list[Figure]:
    """From the start of the recorder to each camera's first recorded fragment."""
    with CameraServer(plan.clip, plan.fleet) as server:
        config = make_site(plan.lamppost, plan.folder / "start", server.urls)
        began_s = time.monotonic()
        with recording(config):
            spawned_s = time.monotonic() - began_s
            took = [spawned_s + one for one in Fragments(config.with_name("data")).await_more(plan.fleet, PATIENCE_S)]
    return [_times(f"start of {plan.fleet} cameras to the first recorded fragment", took, 10.0)]


def reconnect(plan: Plan) -> list[Figure]:
    """From the moment when cameras are up again to the next recorded fragment of each."""
    took: list[float] = []
    with CameraServer(plan.clip, plan.cameras) as server:
        config = make_site(plan.lamppost, plan.folder / "reconnect", server.urls)
        with recording(config):
            fragments = Fragments(config.with_name("data"))
            fragments.await_more(plan.cameras, PATIENCE_S)
            for _ in range(plan.reboots):
                time.sleep(2)
                server.command(f"reboot {DOWN_S}")
                time.sleep(DOWN_S)
                took += fragments.await_more(plan.cameras, PATIENCE_S)
    unexplained_s, _, amiss = account(plan.lamppost, config)
    figure = _times(f"reconnect after a reboot of all {plan.cameras} cameras, {plan.reboots} times, {DOWN_S:.0f} s down", took, 15.0)
    return [figure, Figure("unexplained gap of these reboots", f"{unexplained_s:.3f} s", "0", _met(unexplained_s == 0 and not amiss))]


def loss(plan: Plan) -> list[Figure]:
    """A whole fleet on this machine, with its source beside it: whether every moment is explained."""
    with CameraServer(plan.clip, plan.fleet) as server:
        config = make_site(plan.lamppost, plan.folder / "loss", server.urls)
        with recording(config) as recorder:
            fragments = Fragments(config.with_name("data"))
            fragments.await_more(plan.fleet, PATIENCE_S)
            time.sleep(WARM_S)
            before_s, began_s, before_mb = cpu_s(recorder.processes), time.monotonic(), uss_mb(recorder.processes)
            end_s = began_s + plan.minutes * 60
            while time.monotonic() < end_s:
                time.sleep(min(SAMPLE_S, max(0.0, end_s - time.monotonic())))
                fragments.look()
            taken = (cpu_s(recorder.processes) - before_s) / (time.monotonic() - began_s)
            after_mb, server_cpu = uss_mb(recorder.processes), cpu_s([psutil.Process(server.process.pid)])
    unexplained_s, frames, amiss = account(plan.lamppost, config)
    what = f"{plan.fleet} cameras, 1080p, 25 fps, 2 Mbit/s, {plan.minutes:g} minutes, source on the same machine"
    outcome = f"{frames} frames; {amiss[:3] or 'check is clean'}"
    share = f"{100 * taken / plan.fleet:.2f}% a camera; the server took {server_cpu:.0f} s"
    return [
        Figure(f"unexplained gap; {what}", f"{unexplained_s:.3f} s", "0", _met(unexplained_s == 0 and not amiss), outcome),
        Figure("CPU of the recorder", f"{100 * taken:.0f}% of a core", "–", "–", share),
        Figure("its memory (USS), first and last", f"{before_mb:.0f} MB, {after_mb:.0f} MB", "–", f"{after_mb / before_mb:.2f}×"),
    ]  # fmt: skip


def rotation(plan: Plan) -> list[Figure]:
    """Changes of segment, as fast as the disk can."""
    return fleet_rotation.measure(plan.folder / "rotation", plan.rotations)


def soak(plan: Plan) -> list[Figure]:
    """The whole node with retention in minutes in place of days: whether memory and descriptors stay flat."""
    clip = plan.folder / "small.mp4"
    make_camera_clip(clip, size="640x360", fps=10, kbit_s=500)  # small enough to be masked in full beside other work
    with CameraServer(clip, SOAK_CAMERAS) as server:
        config = make_site(plan.lamppost, plan.folder / "soak", server.urls)
        kept = {"sealed_days": SOAK_KEPT_DAYS, "masked_days": SOAK_KEPT_DAYS, "segment_s": 10.0, "epoch_s": 20.0}
        set_keys(config, kept)
        with config.with_name("serve.log").open("wb") as log:
            node = subprocess.Popen([plan.lamppost, "serve", "-c", config], stdout=log, stderr=log)
            try:
                samples = _sample(node, plan.hours * 3600)
            finally:
                node.terminate()
                node.wait(60)
    unexplained_s, _, amiss = account(plan.lamppost, config)
    # The first sixth fills caches and pools.
    settled = samples[len(samples) // 6 :]
    tenth = max(1, len(settled) // 10)
    first, last = settled[:tenth], settled[-tenth:]
    growth = statistics.median(rss for rss, _ in last) / statistics.median(rss for rss, _ in first) - 1
    files = statistics.median(count for _, count in first), statistics.median(count for _, count in last)
    what = f"{SOAK_CAMERAS} cameras, {plan.hours:g} hours, originals kept for {SOAK_KEPT_DAYS * 1440:.0f} minutes"
    return [
        Figure(
            f"growth of memory (RSS of all processes); {what}", f"{growth:+.1%}", "+5%", _met(growth <= 0.05), f"{len(samples)} samples"
        ),
        Figure("open descriptors, first and last", f"{files[0]:.0f}, {files[1]:.0f}", "flat", _met(files[1] <= files[0] + 2)),
        Figure(
            "unexplained gap", f"{unexplained_s:.3f} s", "0", _met(unexplained_s == 0 and not amiss), str(amiss[:3] or "check is clean")
        ),
    ]


def _sample(node: subprocess.Popen[bytes], seconds: float) -> list[tuple[float, int]]:
    """RSS in MB and descriptors of all processes that live long, every 10 s."""
    samples: list[tuple[float, int]] = []
    end_s = time.monotonic() + seconds
    while time.monotonic() < end_s and node.poll() is None:
        time.sleep(min(SAMPLE_S, max(0.1, end_s - time.monotonic())))
        rss, files = 0.0, 0
        supervisor = psutil.Process(node.pid)
        for process in (supervisor, *supervisor.children()):
            with contextlib.suppress(psutil.NoSuchProcess):
                rss, files = rss + process.memory_info().rss / 1e6, files + process.num_fds()
        samples.append((rss, files))
    assert node.poll() is None, "`lamppost serve` ended by itself"
    return samples


def _times(what: str, took: list[float], goal_s: float) -> Figure:
    p95 = statistics.quantiles(took, n=20, method="inclusive")[-1] if len(took) > 1 else took[0]
    note = f"median {statistics.median(took):.1f} s, longest {max(took):.1f} s, {sum(one >= PATIENCE_S for one in took)} never came"
    return Figure(f"{what}, p95", f"{p95:.1f} s", f"{goal_s:.0f} s", _met(p95 <= goal_s), note)


def _met(is_met: bool) -> str:
    return "met" if is_met else "missed"


FIGURES: dict[str, Callable[[Plan], list[Figure]]] = {
    "cpu": cpu,
    "memory": memory,
    "start": start,
    "reconnect": reconnect,
    "loss": loss,
    "rotation": rotation,
    "soak": soak,
}


def main() -> None:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="cpu,memory,start,reconnect,loss,rotation", help=f"of {','.join(FIGURES)}")
    parser.add_argument("--cameras", type=int, default=20, help="for cpu, memory and reconnect")
    parser.add_argument("--fleet", type=int, default=100, help="cameras for start, loss and the last step of memory")
    parser.add_argument("--seconds", type=float, default=60.0, help="span of cpu")
    parser.add_argument("--minutes", type=float, default=10.0, help="length of loss")
    parser.add_argument("--reboots", type=int, default=5)
    parser.add_argument("--rotations", type=int, default=10_000)
    parser.add_argument("--hours", type=float, default=2.0, help="length of soak")
    parser.add_argument("--folder", type=Path, default=None, help="where recordings go; otherwise the folder for temporary files")
    arguments = parser.parse_args()
    names = arguments.only.split(",")
    unknown = set(names) - set(FIGURES)
    if unknown:
        parser.error(f"there is no figure {', '.join(sorted(unknown))}")
    figures: list[Figure] = []
    for name in names:
        # One folder each, removed at once: a fleet writes a gigabyte in a minute or two.
        with tempfile.TemporaryDirectory(dir=arguments.folder) as folder:
            clip = Path(folder) / "camera.mp4"
            if name != "rotation":
                make_camera_clip(clip)
            plan = Plan(
                lamppost=Path(sys.executable).with_name("lamppost"),
                folder=Path(folder),
                clip=clip,
                cameras=arguments.cameras,
                fleet=arguments.fleet,
                span_s=arguments.seconds,
                minutes=arguments.minutes,
                reboots=arguments.reboots,
                rotations=arguments.rotations,
                hours=arguments.hours,
            )
            part = FIGURES[name](plan)
            figures += part
            print(table(f"Fleet: {name}", part), flush=True)
    print(table("Fleet", figures), flush=True)


if __name__ == "__main__":
    main()
