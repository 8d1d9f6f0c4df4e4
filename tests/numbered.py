"""The account, compared with the truth: frame numbers that were burnt in at the source.

What was opened is compared with what the source sent. A number that is missing must lie in a
declared gap; a picture that differs from the source's must lie in one as well. `lamppost check`
proves that the books agree with themselves; this proves that they agree with the street.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import av
import av.error
import numpy as np

from crash.node import Node
from lamppost.base.clock import US_PER_S, parse_utc
from lamppost.ingest.strip import read_frame_number
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index
from lamppost.store.intervals import Span, normal, shared, total_us

# Wall-clock time of a packet is that of its arrival, smoothed: what a busy machine adds.
TOLERANCE_US = 400_000


@dataclass(frozen=True, slots=True)
class Shot:
    """A picture of an opened original; `digest` is of what was decoded."""

    number: int | None
    wall_us: int
    digest: bytes


@dataclass(frozen=True, slots=True)
class NumberAccount:
    """What the numbers say; times in seconds."""

    runs: int
    recorded: int
    missing: int  # between the first and the last
    declared_s: float  # gaps, all causes
    damaged: int  # pictures that differ from the source's, all in declared gaps


def digests_of_clip(clip: Path) -> list[bytes]:
    """Of each picture of the source, by number."""
    return [shot.digest for shot in _decode(clip, 0)]


def open_originals(node: Node, camera: str = "") -> list[list[Shot]]:
    """All originals of a camera, opened with the trial keys: the pictures of each run, runs as they were recorded."""
    camera = camera or next(iter(node.cameras))
    keys = [f"--key={path}" for path in sorted(node.data.parent.glob("custodians-TRIAL/*.key"))[:2]]
    out = node.folder / f"opened-{camera}"
    interval = ["--camera", camera, "--from", "2000-01-01", "--to", "2100-01-01"]
    done = node.run("release", "open", *keys, *interval, "-c", str(node.config), "--json", str(out), timeout_s=600)
    files = json.loads(done.stdout)["files"]
    return [list(_decode(out / file["name"], parse_utc(file["from"]))) for file in files]


def gaps_of(node: Node, camera: str = "") -> list[Span]:
    """Declared gaps as normal spans, and what retention has forgotten; one that lasts has no end."""
    camera = camera or next(iter(node.cameras))
    with Index(DataFolder(node.data)) as index:
        gaps = [(gap.start_us, gap.end_us or 2**62) for gap in index.gaps(camera)]
        return normal([*gaps, *((span.start_us, span.end_us) for span in index.forgotten(camera, Rendition.SEALED))])


def check_numbers(
    node: Node,
    *,
    fps: int,
    camera: str = "",
    is_one_count: bool = True,
    truth: list[bytes] | None = None,
    has_stepped: bool = False,
    tolerance_us: int = TOLERANCE_US,
) -> NumberAccount:
    """Assert that every missing number lies in a declared gap; returns what was counted.

    `is_one_count`: the source counts on while nobody looks (a server with `--live`), so that what is missing
    between two runs can be told as well; a simulated street begins anew with each session. `truth` are
    the digests of the source's pictures. `has_stepped`: the wall clock ran backwards, and gaps are not compared in length.
    """
    runs, gaps = open_originals(node, camera), gaps_of(node, camera)
    assert runs, "nothing was recorded"
    damaged = missing = 0
    before: Shot | None = None
    for run in runs:
        if not is_one_count:
            before = None
        for shot in run:
            if shot.number is None or (truth is not None and shot.digest != truth[shot.number % len(truth)]):
                assert _is_in(gaps, shot.wall_us, tolerance_us), f"a damaged picture ({shot.number}) that no gap declares at {shot.wall_us}"
                damaged += 1
                continue
            missing += _missing_between(before, shot, gaps, fps, tolerance_us, has_stepped=has_stepped)
            before = shot
    return NumberAccount(
        runs=len(runs),
        recorded=sum(len(run) for run in runs),
        missing=missing,
        declared_s=total_us([gap for gap in gaps if gap[1] < 2**62]) / US_PER_S,
        damaged=damaged,
    )


def _missing_between(before: Shot | None, shot: Shot, gaps: list[Span], fps: int, tolerance_us: int, *, has_stepped: bool) -> int:
    if before is None or before.number is None or shot.number is None:
        return 0
    missing = shot.number - before.number - 1
    assert missing >= 0, f"number {shot.number} comes after {before.number}"
    if missing and not has_stepped:
        interval_us = US_PER_S // fps
        span = (before.wall_us - tolerance_us, shot.wall_us + tolerance_us)
        declared_us = total_us(shared(gaps, normal([span])))
        assert declared_us + tolerance_us >= missing * interval_us, (
            f"{missing} pictures are missing after number {before.number} ({missing * interval_us / US_PER_S:.3f} s), "
            f"and {declared_us / US_PER_S:.3f} s of gaps are declared there"
        )
    return missing


def _is_in(gaps: list[Span], wall_us: int, tolerance_us: int) -> bool:
    return any(start - tolerance_us <= wall_us < end + tolerance_us for start, end in gaps)


def _decode(path: Path, start_us: int) -> Iterable[Shot]:
    """Every picture that comes out, also of a damaged stream."""
    shots: list[Shot] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.thread_count = 1
        first_s: float | None = None
        for packet in container.demux(stream):
            try:
                pictures = packet.decode()
            except av.error.FFmpegError:
                continue
            for picture in pictures:
                luma = picture.to_ndarray(format="gray")
                time_s = float(picture.pts * picture.time_base) if picture.pts is not None else 0.0
                first_s = time_s if first_s is None else first_s
                digest = hashlib.sha256(np.ascontiguousarray(luma).data).digest()
                shots.append(Shot(read_frame_number(luma), start_us + round((time_s - first_s) * US_PER_S), digest))
    return shots
