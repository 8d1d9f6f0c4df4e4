"""kill -9 of each process at random moments: what was recorded opens, what was not is declared."""

from __future__ import annotations

import random
import sys
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

sys.path.insert(0, str(Path(__file__).parent))
from node import Node, wait_until

from lamppost.ingest.strip import read_frame_number

VICTIMS = ("recorder", "analyst", "bookkeeper", "supervisor")
URL = "sim://plaza?seed=3&people=3&vehicles=1&width=640&height=360&fps=10"


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    node = Node(tmp_path, URL)
    yield node
    node.kill_everything()


def kill_and_come_back(node: Node, victim: str, chance: random.Random) -> None:
    """Kill `victim` some fragments and a piece of a second later; wait until both renditions go on."""
    mark = node.fragments("recorder") + chance.randrange(1, 3)
    wait_until(lambda: node.fragments("recorder") >= mark, "fragments before the kill")
    busy = chance.randrange(0, 200_000)
    while busy:  # a random moment within the next fragment, without a clock
        busy -= 1
    node.kill(victim)
    if victim == "supervisor":
        wait_until(lambda: not any(node.pids(name) for name in ("recorder", "analyst", "bookkeeper")), "the orphans' end", 15)
        node.start()
    sealed, masked = node.fragments("recorder"), node.fragments("analyst")
    wait_until(lambda: node.fragments("recorder") > sealed, f"recording after the kill of the {victim}")
    if victim != "bookkeeper":
        wait_until(lambda: node.fragments("analyst") > masked, f"masking after the kill of the {victim}")


def frame_numbers(path: Path) -> list[int]:
    """The numbers burnt into the pictures of an opened original; every picture must decode."""
    with av.open(str(path)) as container:
        numbers = [read_frame_number(frame.to_ndarray(format="gray")) for frame in container.decode(video=0)]
    assert None not in numbers
    return [number for number in numbers if number is not None]


def check_masked_plays(node: Node) -> int:
    """Every visible masked file decodes from its first frame to its last; returns the frames."""
    frames = 0
    for path in sorted((node.data / "masked").rglob("*.mp4")):
        with av.open(str(path)) as container:
            frames += sum(1 for _ in container.decode(video=0))
    return frames


def check_originals(node: Node) -> int:
    """Two custodians open everything; no frame is missing within a run. Returns the frames."""
    keys = [f"--key={path}" for path in sorted(node.folder.glob("custodians-TRIAL/*.key"))[:2]]
    interval = ["--camera", node.camera, "--from", "2020-01-01", "--to", "2100-01-01"]
    out = node.folder / "opened"
    node.run("release", "open", *keys, *interval, "-c", str(node.config), str(out))
    frames = 0
    for path in sorted(out.glob("*.mp4")):
        numbers = frame_numbers(path)
        assert numbers == list(range(numbers[0], numbers[0] + len(numbers))), f"{path.name} misses frames"
        frames += len(numbers)
    return frames


def kill_repeatedly(node: Node, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    node.start()
    for number in range(kills):
        kill_and_come_back(node, VICTIMS[number % len(VICTIMS)] if number < len(VICTIMS) else chance.choice(VICTIMS), chance)
    assert node.stop() <= 5.0
    report = node.check()
    assert report["is_clean"]
    accounts = report["accounts"]
    assert isinstance(accounts, list)
    assert accounts[0]["unexplained_us"] == 0
    assert check_masked_plays(node) > 0
    assert check_originals(node) == accounts[0]["frames"]


@pytest.mark.timeout(400)
def test_ten_kills(node: Node) -> None:
    kill_repeatedly(node, 10, seed=1)


@pytest.mark.long
def test_a_hundred_kills(node: Node) -> None:
    kill_repeatedly(node, 100, seed=2)


def test_the_death_of_analyst_and_bookkeeper_costs_no_recorded_frame(node: Node) -> None:
    node.start()
    wait_until(lambda: node.fragments("recorder") >= 2 and node.fragments("analyst") >= 1, "both renditions")
    for victim in ("analyst", "bookkeeper"):
        mark = node.fragments("recorder")
        node.kill(victim)
        wait_until(lambda mark=mark: node.fragments("recorder") >= mark + 3, "recording goes on")
    node.stop()
    assert check_originals(node) > 0
    assert len(list((node.folder / "opened").glob("*.mp4"))) == 1, "one run from start to stop"
    report = node.check()
    accounts = report["accounts"]
    assert isinstance(accounts, list)
    assert [cause for cause, _ in accounts[0]["gap_us_by_cause"]] in (["starting", "stopped"], ["starting"])


def test_one_key_less_opens_nothing(node: Node) -> None:
    node.start()
    wait_until(lambda: node.fragments("recorder") >= 2, "a recording")
    node.stop()
    key = next(node.folder.glob("custodians-TRIAL/*.key"))
    out = node.folder / "opened"
    arguments = ["--key", str(key), "--camera", node.camera, "--from", "2020-01-01", "--to", "2100-01-01"]
    done = node.run("release", "open", *arguments, "-c", str(node.config), str(out), expect=1)
    assert "2" in done.stderr
    assert not out.exists()
