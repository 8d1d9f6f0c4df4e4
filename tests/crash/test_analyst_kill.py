"""kill -9 of a real analyst at random moments: in no masked video, torn or whole, is anyone to be seen."""

from __future__ import annotations

import os
import random
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import numpy as np
import psutil
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from node import Node, wait_until

from lamppost.ingest.simulation import StreetEncoder
from lamppost.ingest.street import StreetSettings
from lamppost.model.i420 import planes_of
from lamppost.model.media import Codec

SEED, WIDTH_PX, HEIGHT_PX, FPS = 3, 640, 360, 10
URL = f"sim://plaza?seed={SEED}&people=1&vehicles=0&width={WIDTH_PX}&height={HEIGHT_PX}&fps={FPS}"
# The one walker's coat is a darker red than anything in the street, and than any mask.
_REDDER_THAN, _DARKER_THAN = 162, 110
_LEAST_SAMPLES = 4


def shows_the_coat(i420: np.ndarray) -> bool:
    luma, _blue, red = planes_of(i420)
    return int(np.count_nonzero((red > _REDDER_THAN) & (luma[::2, ::2] < _DARKER_THAN))) >= _LEAST_SAMPLES


def pictures(path: Path) -> Iterator[np.ndarray]:
    with av.open(str(path)) as container:
        for decoded in container.decode(video=0):
            yield np.ascontiguousarray(decoded.reformat(format="yuv420p").to_ndarray())


def is_covered(i420: np.ndarray) -> bool:
    """One grey all over."""
    return int(np.ptp(i420[: i420.shape[0] * 2 // 3])) <= 2


def start(folder: Path, cameras: int) -> Node:
    """A node of so many cameras that film the same, with an analyst for each."""
    node = Node(folder, cameras={f"gate-{number}": URL for number in range(cameras)}, settings={"fleet": {"analysts": cameras}})
    node.start()
    wait_until(lambda: node.fragments("analyst") >= 4 * cameras, "masked video")
    return node


def kill_analysts(node: Node, dice: random.Random) -> int:
    """kill -9 each analyst at a moment of its own; wait until there is masked video again. Returns how many were killed."""
    cameras = len(node.cameras)
    mark = node.fragments("analyst") + dice.randrange(0, 5 * cameras)
    wait_until(lambda: node.fragments("analyst") >= mark, "fragments before the kill")
    victims = node.pids("analyst")
    for pid in victims:
        busy = dice.randrange(0, 400_000)
        while busy:  # a random moment within the next fragment, without a clock
            busy -= 1
        os.kill(pid, signal.SIGKILL)
    wait_until(lambda: not set(victims) & set(node.pids("analyst")), "the end of the analysts")
    masked = node.fragments("analyst")
    wait_until(lambda: node.fragments("analyst") >= masked + cameras, "masking after the kill")
    return len(victims)


def kill_repeatedly(folder: Path, *, kills: int, cameras: int, seed: int) -> None:
    dice = random.Random(seed)
    node = start(folder, cameras)
    try:
        killed = 0
        for process in node.processes():
            assert process.rlimit(psutil.RLIMIT_CORE) == (0, 0), "a core dump would hold frames"
        while killed < kills:
            killed += kill_analysts(node, dice)
        node.await_fragments(4 * cameras, writer="analyst")
        node.stop()
        node.check()
        judge(node, kills)
    finally:
        node.kill_everything()


def judge(node: Node, kills: int) -> None:
    files = sorted(path for path in (node.data / "masked").rglob("*.mp4"))
    shown = covered = 0
    starts = 0
    for path in files:
        for index, picture in enumerate(pictures(path)):
            assert not shows_the_coat(picture), f"picture {index} of {path.name}"
            covered += is_covered(picture)
            shown += not is_covered(picture)
            starts += index == 0 and is_covered(picture)
    assert shown >= 10, "covers end"
    assert starts >= min(kills, 3), "what a new analyst masks begins covered"
    assert covered >= starts


@pytest.mark.timeout(200)
def test_three_kills_show_nobody(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path, kills=3, cameras=1, seed=1)


@pytest.mark.long
def test_a_hundred_kills_show_nobody(tmp_path: Path) -> None:
    # Whoever dies often is started anew after ten seconds: four at a time take a quarter of them.
    kill_repeatedly(tmp_path, kills=100, cameras=4, seed=2)


def test_the_judge_would_see_the_walker_and_nothing_else() -> None:
    seen = []
    for people in (1, 0):
        settings = StreetSettings(seed=SEED, people=people, vehicles=0, width_px=WIDTH_PX, height_px=HEIGHT_PX, fps=FPS)
        camera, decoder = StreetEncoder(settings, Codec.H264), av.CodecContext.create("h264", "r")
        decoded = [picture for index in range(12 * FPS) for picture in decoder.decode(av.Packet(camera.encode(index)))]
        seen.append(sum(shows_the_coat(picture.to_ndarray()) for picture in decoded))
    assert seen[0] >= 4 * FPS
    assert seen[1] == 0
