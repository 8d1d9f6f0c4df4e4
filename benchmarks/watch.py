"""What it is to watch: from the camera to the screen, to the first picture, and what one more viewer costs the server.

    .venv/bin/python -m benchmarks.watch                                   # all, about 6 minutes
    .venv/bin/python -m benchmarks.watch --only screen --tiles 1,4 --seconds 60
    .venv/bin/python -m benchmarks.watch --only viewers

The cameras are GStreamer's RTSP server; `lamppost serve` records, seals, masks and serves them with its defaults.

`screen` opens the console's wall in Debian's Chromium. Each picture that the browser presents is timed by a
`requestVideoFrameCallback` of its own: when it is on the screen, less the wall clock in the picture's `prft`, which is
when it came from the camera. Browser, server and cameras share the machine and its clock, and the browser has no GPU.

`viewers` reads live WebSockets with bare sockets in a process that does nothing else, and takes the CPU time of the
server's process with none and with many.
"""

from __future__ import annotations

import argparse
import contextlib
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import httpx
import psutil
from playwright.sync_api import Browser, Page, sync_playwright

from benchmarks.figures import Figure, table
from benchmarks.fleet_site import CameraServer, cpu_s, make_site, set_keys
from benchmarks.live import ALLOWED_MS, CURVE_FPS, LOOK_BACK_MS, await_that, child_of, free_port, make_clip, now_us, quantiles, steps_since
from benchmarks.viewer_crowd import Crowd
from lamppost.access.desk import Desk, LinkKind
from lamppost.base.clock import SystemClock
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder

CHROMIUM = "/usr/bin/chromium"
WARM_S = 25.0  # covers of the start, and the first steps of overload, are over by then
OPENINGS = 5
FIRST_GOAL_MS = 1000.0
# Cameras, pictures a second, streams that are read at once: fifty viewers of one camera, of two, and of a wall of ten.
CROWDS = ((1, 25, 50), (2, 10, 50), (10, 10, 50), (10, 10, 500))
SETTLE_S = 6.0
GOAL_SHARE = 0.005  # of a core, for one more viewer

# Every presented picture: how old it is as it comes to the screen, in milliseconds. The player's own callback, which was
# there before, has noted when it was taken.
_NOTE_AGES = """
() => {
  window.ages = {};
  for (const video of document.querySelectorAll('[data-camera] video')) {
    const ages = (window.ages[video.closest('[data-camera]').dataset.camera] = []);
    const note = (_, metadata) => {
      const lead = Math.max(0, metadata.expectedDisplayTime - performance.now());
      ages.push(Date.now() + lead - Number(video.dataset.shownAt));
      video.requestVideoFrameCallback(note);
    };
    video.requestVideoFrameCallback(note);
  }
}
"""
_FIRST_PICTURES = """
() => {
  const videos = [...document.querySelectorAll('[data-camera] video')];
  return videos.length > 0 && videos.every((video) => Number(video.dataset.pictures) > 0) ? performance.now() : null;
}
"""


@dataclass
class ServedSite:
    """A node that runs, and who is signed in."""

    url: str
    data: Path
    node: subprocess.Popen[bytes]
    cookie: tuple[str, str]

    @property
    def address(self) -> str:
        return self.url.partition("//")[2]

    def child(self, module: str) -> psutil.Process:
        return child_of(self.node.pid, module)


@contextlib.contextmanager
def served(lamppost: Path, folder: Path, urls: Sequence[str]) -> Iterator[ServedSite]:
    """`lamppost serve` on these cameras, with its console, once it has settled."""
    config = make_site(lamppost, folder, urls)
    port = free_port()
    text = config.read_text().replace('# listen = "127.0.0.1:8080"', f'listen = "127.0.0.1:{port}"')
    config.write_text(text)
    set_keys(config, {"analysts": 1})
    url, data = f"http://127.0.0.1:{port}", config.with_name("data")
    with config.with_name("serve.log").open("wb") as log:
        node = subprocess.Popen([lamppost, "serve", "-c", config], stdout=log, stderr=log)
        try:
            await_that(lambda: _is_ready(url), 60)
            cookie = _sign_in(url, DataFolder(data))
            time.sleep(WARM_S)
            yield ServedSite(url, data, node, cookie)
        finally:
            node.terminate()
            node.wait(60)


def _is_ready(url: str) -> bool:
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(f"{url}/readyz", trust_env=False).status_code == 200
    return False


def _sign_in(url: str, data: DataFolder) -> tuple[str, str]:
    """Name and value of the cookie of somebody who may watch everything."""
    with contextlib.closing(Desk(data, SystemClock())) as desk:
        user = desk.new_user("olga", "", [Grant(Role.OPERATOR, Scope.parse("*"))])
        desk.book.add_user(user)
        word = desk.make_link(user, LinkKind.SIGN_IN)
    with httpx.Client(trust_env=False, headers={"Origin": url}) as client:
        client.post(f"{url}/api/v1/session/link", json={"token": word}).raise_for_status()
        [(name, value)] = client.cookies.items()
    return name, value


def screen(lamppost: Path, folder: Path, tiles: Sequence[int], span_s: float) -> list[Figure]:
    """From the camera to the screen, and from opening the wall to its first pictures."""
    clip = make_clip(folder / "clip.mp4", "street", CURVE_FPS)
    figures: list[Figure] = []
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox", "--disable-background-networking"])
        for count in tiles:
            with CameraServer(clip, count) as cameras, served(lamppost, folder / f"screen-{count}", cameras.urls) as site:
                figures += _seen_on_the_wall(browser, site, count, span_s)
            for figure in figures[-2:]:
                print(figure, flush=True)
        browser.close()
    return figures


def _seen_on_the_wall(browser: Browser, site: ServedSite, count: int, span_s: float) -> list[Figure]:
    context = browser.new_context(viewport={"width": 1400, "height": 900})
    name, value = site.cookie
    context.add_cookies([{"name": name, "value": value, "url": site.url}])
    page = context.new_page()
    firsts = [_open_wall(page, site.url) for _ in range(OPENINGS)]
    page.wait_for_timeout(5000)
    psutil.cpu_percent()
    began_us = now_us()
    page.evaluate(_NOTE_AGES)
    page.wait_for_timeout(span_s * 1000)
    ages: dict[str, list[float]] = page.evaluate("window.ages")
    busy = psutil.cpu_percent() / 100
    context.close()
    p50, p95 = quantiles([age for each in ages.values() for age in each])
    goal_ms = LOOK_BACK_MS + ALLOWED_MS
    steps = ", ".join(f"{cameras} × {step}" for step, cameras in sorted(steps_since(site.data, began_us).items())) or "none"
    shown = sum(map(len, ages.values())) / count / span_s
    first = statistics.median(firsts)
    return [
        Figure(
            f"camera to screen, p95; {count} live tile(s), 720p, {CURVE_FPS} fps, {span_s:.0f} s",
            f"{p95:.0f} ms", f"{goal_ms:.0f} ms (look-back + {ALLOWED_MS:.0f} ms)", "met" if p95 <= goal_ms else "missed",
            f"median {p50:.0f} ms; {shown:.1f} pictures a second and tile; steps of overload: {steps}; the machine was busy to {busy:.0%}",
        ),
        Figure(
            f"opening the wall to the first picture of each of {count} tile(s)",
            f"{first:.0f} ms", f"{FIRST_GOAL_MS:.0f} ms", "met" if first <= FIRST_GOAL_MS else "missed",
            f"median of {OPENINGS}; with nothing in the browser's cache {firsts[0]:.0f} ms; the longest {max(firsts):.0f} ms",
        ),
    ]  # fmt: skip


def _open_wall(page: Page, url: str) -> float:
    """Milliseconds from the navigation until every tile has shown a picture."""
    page.goto("about:blank")
    page.goto(f"{url}/wall", wait_until="commit")
    return float(page.wait_for_function(_FIRST_PICTURES, polling=10).json_value())


def viewers(lamppost: Path, folder: Path, crowds: Sequence[tuple[int, int, int]], span_s: float) -> list[Figure]:
    """The server's CPU with none who watch, and with many; what reaches them, and how late. `crowds`: cameras, fps, streams."""
    figures: list[Figure] = []
    for cameras, fps in dict.fromkeys((cameras, fps) for cameras, fps, _ in crowds):
        clip = make_clip(folder / f"crowd-{fps}.mp4", "street", fps, 640, 360)
        with CameraServer(clip, cameras) as server, served(lamppost, folder / f"viewers-{cameras}", server.urls) as site:
            idle = _cpu_share(site.child("lamppost.api.server"), span_s)
            alone = _crowd(site, cameras, 1, span_s)
            for streams in (streams for *whom, streams in crowds if whom == [cameras, fps]):
                figures.append(_crowd_row(cameras, fps, streams, idle, alone, _crowd(site, cameras, streams, span_s)))
                print(figures[-1], flush=True)
    return figures


@dataclass(frozen=True, slots=True)
class CrowdSeen:
    """What a span of time showed of a crowd of viewers."""

    server_share: float  # of a core
    analyst_share: float
    fps: float  # of a stream, as its viewers got it
    delivered: float  # of what the viewer who got most of a camera was sent
    p95_ms: float
    dropped: int
    ended: int


def _crowd_row(cameras: int, fps: int, streams: int, idle: float, alone: CrowdSeen, seen: CrowdSeen) -> Figure:
    each = (seen.server_share - idle) / streams
    return Figure(
        f"CPU of the server for one more live stream; {streams} streams of {cameras} camera(s), 360p, {fps} fps",
        f"{each:.3%} of a core", f"{GOAL_SHARE:.1%}", "met" if each <= GOAL_SHARE else "missed",
        f"server {seen.server_share:.1%} of a core, {idle:.1%} without viewers; {seen.fps:.1f} pictures a second masked, each viewer got "
        f"{seen.delivered:.1%} of them, p95 {seen.p95_ms:.0f} ms late (one viewer alone: {alone.p95_ms:.0f} ms); {seen.dropped} left out, "
        f"{seen.ended} ended; analyst {seen.analyst_share:.0%} of a core ({alone.analyst_share:.0%} for one viewer)",
    )  # fmt: skip


def _crowd(site: ServedSite, cameras: int, streams: int, span_s: float) -> CrowdSeen:
    processes = site.child("lamppost.api.server"), site.child("lamppost.pipeline.analyst")
    paths = [f"/api/v1/cameras/cam{number % cameras}/live" for number in range(streams)]
    with Crowd(site.address, f"{site.cookie[0]}={site.cookie[1]}", paths) as crowd:
        time.sleep(SETTLE_S)
        crowd.forget()
        began_s, before = time.monotonic(), [cpu_s([each]) for each in processes]
        time.sleep(span_s)
        took_s = time.monotonic() - began_s
        spent = [cpu_s([each]) - earlier for each, earlier in zip(processes, before, strict=True)]
        told = crowd.tell()
    most = {path: max(each.pictures for each in told if each.path == path) for path in paths}
    return CrowdSeen(
        server_share=spent[0] / took_s,
        analyst_share=spent[1] / took_s,
        fps=statistics.mean(most.values()) / took_s,
        delivered=statistics.mean(each.pictures / max(1, most[each.path]) for each in told),
        p95_ms=quantiles([late for each in told for late in each.late_ms])[1],
        dropped=sum(each.dropped for each in told),
        ended=sum(each.is_over for each in told),
    )


def _cpu_share(process: psutil.Process, span_s: float) -> float:
    before, began_s = cpu_s([process]), time.monotonic()
    time.sleep(span_s)
    return (cpu_s([process]) - before) / (time.monotonic() - began_s)


def main() -> None:
    """Measure what was asked for, and print a table."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else "")
    parser.add_argument("--only", default="screen,viewers", help="of screen,viewers")
    parser.add_argument("--tiles", default="1,4", help="numbers of cameras on the wall")
    parser.add_argument("--seconds", type=float, default=60.0, help="span of each look at the screen; the viewers take a quarter of it")
    options = parser.parse_args()
    lamppost = Path(sys.executable).with_name("lamppost")
    wanted, figures = options.only.split(","), list[Figure]()
    with tempfile.TemporaryDirectory() as folder:
        if "screen" in wanted:
            figures += screen(lamppost, Path(folder), [int(one) for one in options.tiles.split(",")], options.seconds)
        if "viewers" in wanted:
            figures += viewers(lamppost, Path(folder), CROWDS, options.seconds / 4)
    print(table("Watching", figures))


if __name__ == "__main__":
    main()
