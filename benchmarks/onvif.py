"""What ONVIF costs: time and memory for reading the descriptions, processor time for each question, and for a megabyte of events.

Run it with `python -m benchmarks.onvif`. The device is simulated, in a process of its own; a fresh process asks it.
"""

from __future__ import annotations

import multiprocessing
import os
import statistics
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final

from lamppost.base.clock import SystemClock
from lamppost.cameras.simulated.camera import SimulatedCamera
from lamppost.cameras.web import DeviceAddress, DeviceWeb
from lamppost.model.networks import CameraNetworks

PASSWORD: Final = "plum-42-tin"  # noqa: S105 - of a simulated camera
TIMES: Final = 50


def main() -> None:
    """Print a row for each figure."""
    spawn = multiprocessing.get_context("spawn")
    ours, theirs = spawn.Pipe()
    camera = spawn.Process(target=_simulate, args=(theirs,))
    camera.start()
    try:
        asking = spawn.Process(target=_measure, args=(ours.recv(),))
        asking.start()
        asking.join()
    finally:
        ours.send("end")
        camera.join()


def _simulate(pipe: Connection) -> None:
    with SimulatedCamera("onvif", password=PASSWORD) as camera:
        pipe.send(camera.url)
        pipe.recv()


def _measure(url: str) -> None:
    before_mib = _rss_mib()
    _row("memory before anything of ONVIF is imported", f"{before_mib:.0f} MiB")
    began_s = time.perf_counter()
    from lamppost.cameras.dialects.dialect import Interview
    from lamppost.cameras.onvif.analytics import OnvifAnalytics
    from lamppost.cameras.onvif.descriptions import Service, document
    from lamppost.cameras.onvif.device import OnvifDevice
    from lamppost.cameras.onvif.events import PullPoint
    from lamppost.cameras.onvif.notices import let_in

    _row("importing zeep, lxml and the descriptions' index", f"{time.perf_counter() - began_s:.2f} s, {_rss_mib():.0f} MiB")
    for service in Service:
        began_s, had_mib = time.perf_counter(), _rss_mib()
        document(service)
        _row(f"reading {service.value}, once in a process", f"{time.perf_counter() - began_s:.2f} s, {_rss_mib() - had_mib:.1f} MiB")
    _row("memory with all services", f"{_rss_mib():.0f} MiB ({_rss_mib() - before_mib:.0f} MiB for ONVIF)")
    clock = SystemClock()
    networks = CameraNetworks(["127.0.0.0/8"])
    with DeviceWeb(DeviceAddress.of(url), networks, clock, username="admin", password=PASSWORD) as web:
        device = OnvifDevice(web, clock, "127.0.0.1", username="admin", password=PASSWORD)
        device.services()
        _timed("clock (one message)", device.clock_offset_s)
        _timed("identity (two messages)", device.identity)
        _timed("profiles (three messages)", device.profiles)
        _timed("audit over ONVIF (thirteen messages or so)", lambda: OnvifAnalytics(device, clock).audit(Interview(web, clock)))
        point = PullPoint(device, clock)
        point.open()
        point.pull(0.1)
        _timed("renewing a subscription (one message)", point.renew)
        point.close()
    face = b"<wsnt:NotificationMessage><wsnt:Topic>tns1:RuleEngine/Recognition/Face</wsnt:Topic>" + b"<x/>" * 100
    _timed("a megabyte of messages that are dropped", lambda: let_in((face + b"</wsnt:NotificationMessage>") * (1_000_000 // 500)))
    _row("memory at the end", f"{_rss_mib():.0f} MiB")


def _timed(what: str, ask: Callable[[], object]) -> None:
    ask()
    took_ms: list[float] = []
    for _ in range(TIMES):
        began_s = time.thread_time()
        ask()
        took_ms.append((time.thread_time() - began_s) * 1000)
    _row(f"processor time: {what}", f"{statistics.median(took_ms):.1f} ms (most {max(took_ms):.1f})")


def _row(what: str, figure: str) -> None:
    print(f"{what:<60} {figure}", flush=True)


def _rss_mib() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / (1 << 20)


if __name__ == "__main__":
    main()
