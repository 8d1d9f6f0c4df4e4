"""How long a camera is away after a reboot, and after its address has changed: from its being up again to the first fragment on the disk.

    python -m benchmarks.reconnect [--reboots 20] [--moves 20] [--vendor onvif]

A real `lamppost serve` with one camera: GStreamer's RTSP server and a simulated device, on addresses of this machine's loopback. The
reboot is one of some seconds; the new address comes with it, as it does when a DHCP server gives another one.
"""

from __future__ import annotations

import argparse
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.clips import make_camera_clip
from benchmarks.figures import Figure, median_and_spread, p95, table
from benchmarks.moving_camera import PASSWORD, USER, MovingCamera
from lamppost.model.layout import DataFolder
from lamppost.store.device_book import DeviceBook
from lamppost.store.index import Index

REBOOT_GOAL_S, MOVE_GOAL_S = 15.0, 60.0
NETWORK = "127.0.77.0/26"
PATIENCE_S = 180.0


class ReconnectNode:
    """`lamppost serve` on one camera, in a folder of its own."""

    camera = "gate"

    def __init__(self, lamppost: Path, folder: Path, camera: MovingCamera) -> None:
        self._lamppost, self.folder = lamppost, folder
        self.config = folder / "lamppost.toml"
        self.data = DataFolder(folder / "data")
        named = f"{self.camera}={camera.url}"
        subprocess.run([lamppost, "init", "--data", "data", "--camera", named], check=True, capture_output=True, cwd=folder)
        (folder / "password").write_text(f"{PASSWORD}\n")
        text = self.config.read_text()
        text = text.replace("[devices]\n", f'[devices]\nnetworks = ["{NETWORK}"]\nsearch = ["{NETWORK}"]\nhealth_s = 5.0\n', 1)
        text = text.replace("[server]\n", '[server]\nlisten = ""\n', 1).replace("[metrics]\n", '[metrics]\nlisten = ""\n', 1)
        line = f'url = "{camera.url}"\n'
        assert line in text
        text = text.replace(line, f'{line}username = "{USER}"\npassword_file = "password"\ndevice_url = "{camera.device_url}"\n', 1)
        self.config.write_text(text)
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self) -> Iterator[None]:
        with (self.folder / "serve.log").open("ab") as log:
            self._process = subprocess.Popen([self._lamppost, "serve"], cwd=self.folder, stdout=log, stderr=log)
        try:
            self.await_fragment(self.fragments())
            self.await_that(self.is_known)
            yield
        finally:
            self._process.terminate()
            self._process.wait(30)

    def is_known(self) -> bool:
        """Whether the caretaker has met the device."""
        if not self.data.devices.is_file():
            return False
        book = DeviceBook(self.data)
        try:
            return book.device(self.camera) is not None
        finally:
            book.close()

    def fragments(self) -> int:
        """In the recorder's journal so far."""
        count = 0
        for path in (self.data.journal / "recorder-1").glob("*.jsonl"):
            count += path.read_bytes().count(b'"fragment"')
        return count

    def await_fragment(self, beyond: int) -> None:
        self.await_that(lambda: self.fragments() > beyond)

    def await_that(self, is_so: object) -> None:
        assert callable(is_so)
        end_s = time.monotonic() + PATIENCE_S
        while not is_so():
            assert time.monotonic() < end_s, self.log()[-4000:]
            time.sleep(0.05)

    def log(self) -> str:
        return (self.folder / "serve.log").read_text(errors="replace")

    def cameras(self) -> list[str]:
        """All that the index knows."""
        return list(Index(self.data).cameras())


def away(node: ReconnectNode, camera: MovingCamera, down_s: float, address: str = "") -> float:
    """Have the camera go and come back; seconds from its being up again to the first fragment."""
    camera.go_down()
    time.sleep(down_s)
    camera.come_up(address)
    up_s = time.monotonic()
    before = node.fragments()
    node.await_fragment(before)
    return time.monotonic() - up_s


def addresses() -> Iterator[str]:
    """One after the other, round and round."""
    while True:
        yield from (f"127.0.77.{number}" for number in range(2, 60))


def measure(lamppost: Path, clip: Path, *, reboots: int, moves: int, vendor: str, seed: int = 1) -> tuple[list[float], list[float]]:
    """Seconds for each reboot and each change of address."""
    dice, places = random.Random(seed), addresses()  # noqa: S311  # a measurement
    with tempfile.TemporaryDirectory() as name, MovingCamera(clip, next(places), vendor=vendor) as camera:
        node = ReconnectNode(lamppost, Path(name), camera)
        took_reboots: list[float] = []
        took_moves: list[float] = []
        with node.running():
            for number in range(reboots):
                took_reboots.append(away(node, camera, dice.uniform(1.0, 15.0)))
                print(f"reboot {number + 1}: {took_reboots[-1]:.1f} s", file=sys.stderr, flush=True)
                time.sleep(3.0)
            for number in range(moves):
                took_moves.append(away(node, camera, dice.uniform(1.0, 15.0), next(places)))
                print(f"address {number + 1}: {took_moves[-1]:.1f} s", file=sys.stderr, flush=True)
                time.sleep(3.0)
        acts = [line for path in node.data.journal.rglob("*.jsonl") for line in path.read_bytes().splitlines() if b'"from' in line]
        assert sum(b"camera_found_again" in act for act in acts) >= moves, "each on the record"
        assert node.cameras() == [node.camera], "the same camera with the same history"
    return took_reboots, took_moves


def figures(took_reboots: list[float], took_moves: list[float]) -> list[Figure]:
    """Their rows."""
    rows: list[Figure] = []
    for what, took, goal_s in (("a reboot", took_reboots, REBOOT_GOAL_S), ("a change of address", took_moves, MOVE_GOAL_S)):
        if took:
            note = f"median {median_and_spread(took, 1)} s, {len(took)} times"
            rows.append(Figure(f"recorded again after {what}, p95", f"{p95(took):.1f} s", f"goal {goal_s:.0f} s", "–", note))
    return rows


def main() -> None:
    """Measure, and print the table."""
    parser = argparse.ArgumentParser(description="How soon a camera is recorded again.")
    parser.add_argument("--reboots", type=int, default=20)
    parser.add_argument("--moves", type=int, default=20)
    parser.add_argument("--vendor", default="onvif")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        clip = Path(name) / "camera.mp4"
        make_camera_clip(clip)
        lamppost = Path(sys.executable).with_name("lamppost")
        took = measure(lamppost, clip, reboots=given.reboots, moves=given.moves, vendor=given.vendor)
    print(table("Cameras that come back", figures(*took)))


if __name__ == "__main__":
    main()
