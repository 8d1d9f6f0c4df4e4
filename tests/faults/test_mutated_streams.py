"""Ten thousand broken streams: no crash of what supervises, no hang, no memory without bound.

Decoders are native code and read what strangers send. Each stream is worked on in a child, as in
`lamppost serve`; a child that dies is counted, with the seed that brought it down, and started anew.
"""

from __future__ import annotations

import os
import selectors
import shutil
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import pytest

from assets.mutate_streams import load_sources, mutate
from camera_packets import encode
from lamppost.base.annexb import nal_units
from lamppost.model.media import Codec

CHILD = Path(__file__).parents[1] / "assets" / "mutate_streams.py"
DEADLINE_S = 60.0  # without a word
LONGEST_S = 600.0  # with words
MOST_MB = 1500
MOST_AGE = 2500  # streams; a leak would show in the memory of a child so old


@dataclass
class Tally:
    """What became of the streams."""

    outcomes: Counter[str] = field(default_factory=Counter)
    crashes: dict[int, str] = field(default_factory=dict)  # by seed
    hangs: list[int] = field(default_factory=list)
    faults: dict[int, str] = field(default_factory=dict)
    peak_mb: int = 0
    slowest_s: float = 0.0

    def tell(self, story: dict[int, str]) -> str:
        lines = [f"crash of seed {seed}: {why}; {story[seed]}" for seed, why in self.crashes.items()]
        lines += [f"hang at seed {seed}; {story[seed]}" for seed in self.hangs]
        lines += [f"fault at seed {seed}: {fault}; {story[seed]}" for seed, fault in self.faults.items()]
        return "\n".join([*lines[:40], f"{dict(self.outcomes)}, at most {self.peak_mb} MB, {self.slowest_s:.1f} s"])


class Child:
    """A process that works on one seed at a time."""

    def __init__(self, work: str, sources: Path, scratch: Path) -> None:
        self._command = [sys.executable, str(CHILD), "--work", work, "--sources", str(sources), "--scratch", str(scratch)]
        scratch.mkdir()
        self._scratch = scratch
        self._process: subprocess.Popen[bytes] | None = None
        self._rest = b""
        self.seed: int | None = None
        self.began_s = self.heard_s = 0.0
        self._age = 0

    def give(self, seed: int) -> None:
        if self._process is None or self._age >= MOST_AGE:
            self.close()
            self._process = subprocess.Popen(self._command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
            self._age = 0
        assert self._process.stdin is not None
        self.seed, self._age = seed, self._age + 1
        self.began_s = self.heard_s = time.monotonic()
        self._process.stdin.write(f"{seed}\n".encode())
        self._process.stdin.flush()

    @property
    def output(self) -> int:
        assert self._process is not None
        assert self._process.stdout is not None
        return self._process.stdout.fileno()

    def lines(self) -> list[str] | None:
        """What it said since; None when it is dead."""
        content = os.read(self.output, 65_536)
        if not content:
            return None
        *whole, self._rest = (self._rest + content).split(b"\n")
        return [line.decode() for line in whole]

    def close(self, *, is_killed: bool = False) -> str:
        """End it; how it ended."""
        process, self._process, self._rest = self._process, None, b""
        if process is None:
            return ""
        if is_killed:
            process.kill()
        _, stderr = process.communicate(timeout=60)
        for path in self._scratch.iterdir():
            path.unlink()
        return f"exit {process.returncode} {stderr[-600:].decode(errors='replace')}"


def work_through(work: Literal["mask", "record"], seeds: range, sources: Path, scratch: Path, children: int) -> Tally:
    tally, left = Tally(), iter(seeds)
    pool = [Child(work, sources, scratch / f"child-{number}") for number in range(children)]
    try:
        busy = [child for child in pool if _give_next(child, left)]
        while busy:
            with selectors.DefaultSelector() as selector:
                for child in busy:
                    selector.register(child.output, selectors.EVENT_READ, child)
                ready = [key.data for key, _ in selector.select(1.0)]
            for child in list(busy):
                if _has_ended(child, tally, is_ready=child in ready) and not _give_next(child, left):
                    busy.remove(child)
    finally:
        for child in pool:
            child.close(is_killed=child.seed is not None)
    return tally


def _give_next(child: Child, left: Iterator[int]) -> bool:
    child.seed = None
    seed = next(left, None)
    if seed is not None:
        child.give(seed)
    return seed is not None


def _has_ended(child: Child, tally: Tally, *, is_ready: bool) -> bool:
    """Whether the child is done with its seed, in whatever way."""
    assert child.seed is not None
    took_s = time.monotonic() - child.began_s
    if not is_ready:
        is_hung = time.monotonic() - child.heard_s > DEADLINE_S or took_s > LONGEST_S
        if is_hung:
            child.close(is_killed=True)
            tally.hangs.append(child.seed)
        return is_hung
    child.heard_s = time.monotonic()
    lines = child.lines()
    if lines is None:
        tally.crashes[child.seed] = child.close()
        return True
    for line in lines:
        word, _, rest = line.partition(" ")
        if word == "end":
            seed, outcome, megabytes = rest.rsplit(" ", 2)
            assert int(seed) == child.seed
            tally.outcomes[outcome.split(":")[0]] += 1
            if outcome.startswith("FAULT"):
                tally.faults[child.seed] = outcome
            tally.peak_mb = max(tally.peak_mb, int(megabytes))
            tally.slowest_s = max(tally.slowest_s, took_s)
            return True
    return False


@pytest.fixture(scope="module")
def made_streams(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Streams of our own making, so that something is always mutated."""
    folder = tmp_path_factory.mktemp("streams")
    for codec, suffix in ((Codec.H264, ".264"), (Codec.HEVC, ".265")):
        for b_frames in (0, 2):
            _, packets = encode(codec, frames=20, gop=7, b_frames=b_frames)
            (folder / f"made-{b_frames}{suffix}").write_bytes(b"".join(packet.data for packet in packets))
    subprocess.run(
        ["ffmpeg", "-loglevel", "error", "-i", folder / "made-2.264", "-c", "copy", "-y", folder / "made.mp4"], check=True, timeout=60
    )
    return folder


@pytest.fixture(scope="module")
def real_streams(made_streams: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The real ones as well."""
    folder = tmp_path_factory.mktemp("real-streams")
    for path in [*made_streams.iterdir(), *(shared_data / "streams").rglob("*"), *(shared_data / "clips").glob("frigate_ir_motion-*.mp4")]:
        if path.is_file():
            shutil.copyfile(path, folder / path.name)
    return folder


def run(work: Literal["mask", "record"], seeds: range, sources: Path, scratch: Path, children: int = 1) -> Tally:
    tally = work_through(work, seeds, sources, scratch, children)
    loaded = load_sources(sources)
    story = {seed: mutate(loaded, seed).story for seed in [*tally.crashes, *tally.hangs, *tally.faults]}
    text = tally.tell(story)
    sys.stdout.write(f"{work}: {text}\n")
    assert not tally.faults, text
    assert not tally.hangs, text
    # The decoder's child may die, and `lamppost serve` would start it anew; none is known to.
    assert not tally.crashes, text
    assert sum(tally.outcomes.values()) == len(seeds)
    assert tally.outcomes["done"] > len(seeds) // 4, text
    assert tally.peak_mb < MOST_MB, text
    return tally


def test_the_same_seed_makes_the_same_stream(made_streams: Path) -> None:
    sources = load_sources(made_streams)
    assert [source.name for source in sources] == ["made-0.264", "made-0.265", "made-2.264", "made-2.265", "made.mp4"]
    assert [mutate(sources, seed) for seed in range(40)] == [mutate(load_sources(made_streams), seed) for seed in range(40)]
    assert len({mutate(sources, seed).content for seed in range(40)}) > 35
    for source in sources[:4]:
        assert len(list(nal_units(source.content))) >= 20


@pytest.mark.timeout(200)
@pytest.mark.parametrize("work", ["record", "mask"])
def test_a_hundred_broken_streams(work: Literal["record", "mask"], made_streams: Path, tmp_path: Path) -> None:
    run(work, range(100), made_streams, tmp_path)


@pytest.mark.long
@pytest.mark.timeout(1800)
@pytest.mark.parametrize("work", ["record", "mask"])
def test_five_thousand_broken_streams(work: Literal["record", "mask"], real_streams: Path, tmp_path: Path) -> None:
    run(work, range(5000), real_streams, tmp_path, children=os.cpu_count() or 1)


def test_a_child_that_dies_and_one_that_hangs_are_told_from_one_that_works(made_streams: Path, tmp_path: Path) -> None:
    child = Child("record", made_streams, tmp_path / "scratch")
    tally = Tally()
    child.give(3)
    assert child._process is not None
    child._process.kill()
    while not _has_ended(child, tally, is_ready=True):
        pass
    assert list(tally.crashes) == [3]
    child.give(4)
    child.heard_s -= DEADLINE_S + 1
    assert _has_ended(child, tally, is_ready=False)
    assert tally.hangs == [4]
    child.give(5)
    while not _has_ended(child, tally, is_ready=True):
        pass
    assert sum(tally.outcomes.values()) == 1
    child.close()
