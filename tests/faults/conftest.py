"""What fault tests share: nodes that end with the test, a numbered clip, a compiler for shims, small disks."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from assets.make_numbered_clip import make_numbered_clip
from assets.rtsp_peer import RtspPeer
from assets.rtsp_peer import why_not as why_no_server
from crash.node import Node
from numbered import digests_of_clip

ASSETS = Path(__file__).parents[1] / "assets"
FPS = 10
CLIP_S = 600
SIM = f"sim://plaza?seed=3&people=1&vehicles=0&width=640&height=360&fps={FPS}"


@pytest.fixture
def make_node(tmp_path: Path) -> Iterator[Callable[..., Node]]:
    """`make_node(URL, ...)`: a node in a folder of the test; its processes end with the test, whatever happens."""
    nodes: list[Node] = []

    def make(url: str = SIM, **options: object) -> Node:
        folder = tmp_path / f"node-{len(nodes)}"
        folder.mkdir()
        node = Node(folder, url, **options)  # type: ignore[arg-type]
        nodes.append(node)
        return node

    yield make
    for node in nodes:
        node.kill_everything()


@pytest.fixture(scope="session")
def numbered_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Ten minutes of numbered pictures, 10 a second, a keyframe each second."""
    path = tmp_path_factory.mktemp("clips") / "numbered.mp4"
    make_numbered_clip(path, seconds=CLIP_S, fps=FPS)
    return path


@pytest.fixture(scope="session")
def truth(numbered_clip: Path) -> list[bytes]:
    """What each of its pictures decodes to."""
    return digests_of_clip(numbered_clip)


@pytest.fixture
def serve_clip(numbered_clip: Path) -> Iterator[Callable[..., RtspPeer]]:
    """`serve_clip(...)`: a camera that films the numbered clip on, whoever looks."""
    reason = why_no_server()
    if reason:
        pytest.skip(reason)
    with ExitStack() as stack:

        def serve(**options: object) -> RtspPeer:
            return stack.enter_context(RtspPeer(numbered_clip, options=("--live", "--shared"), **options))  # type: ignore[arg-type]

        yield serve


@pytest.fixture(scope="session")
def build_shim(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """`build_shim("slow_disk")`: the shared library made of that C file; skips where there is no compiler."""
    if shutil.which("gcc") is None:
        pytest.skip("there is no C compiler (Debian: gcc, libc6-dev)")
    folder = tmp_path_factory.mktemp("shims")

    def build(name: str) -> Path:
        library = folder / f"{name}.so"
        if not library.exists():
            subprocess.run(
                ["gcc", "-O1", "-Wall", "-Werror", "-shared", "-fPIC", "-o", library, ASSETS / f"{name}.c", "-ldl"], check=True, timeout=60
            )
        return library

    return build


class SmallDisk:
    """A tmpfs at `place`, and a file that fills it."""

    def __init__(self, place: Path, megabytes: int) -> None:
        self.place = place
        self._ballast = place / "ballast"
        place.mkdir(parents=True, exist_ok=True)
        kept = [(path, path.read_bytes(), path.stat().st_mode) for path in place.rglob("*") if path.is_file()]
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode=0755", "tmpfs", place], check=True)
        for path, content, mode in kept:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(content)
            path.chmod(mode)

    @property
    def free_bytes(self) -> int:
        status = os.statvfs(self.place)
        return status.f_bavail * status.f_frsize

    def leave(self, free_bytes: int) -> None:
        """Fill all but so many bytes."""
        with self._ballast.open("ab", buffering=0) as ballast:
            while (surplus := self.free_bytes - free_bytes) >= 4096:
                ballast.write(b"\0" * min(surplus, 1 << 20))

    def fill(self) -> None:
        """Leave not a byte."""
        with self._ballast.open("ab", buffering=0) as ballast:
            for size in (1 << 20, 4096, 1):
                try:
                    while True:
                        ballast.write(b"\0" * size)
                except OSError:
                    continue

    def make_room(self) -> None:
        self._ballast.unlink()

    def close(self) -> None:
        subprocess.run(["umount", "-l", self.place], check=False)


@pytest.fixture
def small_disk() -> Iterator[Callable[[Path, int], SmallDisk]]:
    """`small_disk(folder, megabytes)` puts a disk of that size there, with what lay there before."""
    if os.geteuid() != 0:
        pytest.skip("mounting a small disk needs root")
    disks: list[SmallDisk] = []

    def mount(place: Path, megabytes: int) -> SmallDisk:
        disk = SmallDisk(place, megabytes)
        disks.append(disk)
        return disk

    yield mount
    for disk in reversed(disks):
        disk.close()


class ShiftedClock:
    """The wall clock of a node's processes, which can be stepped while they run."""

    def __init__(self, file: Path, library: Path) -> None:
        self._file = file
        self.shift_s = 0.0
        file.write_bytes(struct.pack("=q", 0))
        self.environment = {"LD_PRELOAD": str(library), "SHIFTED_CLOCK": str(file)}

    def step(self, seconds: float) -> None:
        self.shift_s += seconds
        with self._file.open("r+b") as file:
            file.write(struct.pack("=q", round(self.shift_s * 1e6)))


@pytest.fixture
def shifted_clock(tmp_path: Path, build_shim: Callable[[str], Path]) -> ShiftedClock:
    return ShiftedClock(tmp_path / "clock-shift", build_shim("shifted_clock"))
