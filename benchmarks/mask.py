"""`lamppost mask` beside plain decoding and encoding, and beside `deface` at its defaults.

The floor is PyAV decoding and x264 with the very same encoder settings. Each
side runs as a command of its own, start-up included, in turns, after a turn that counts for
nothing: every file is in memory then, and Python's bytecode is written.
"""

from __future__ import annotations

import importlib.metadata
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av

from benchmarks.clips import make_1080p, real_clips
from benchmarks.figures import Figure, median_and_spread

RUNS = 3
PLAIN = """
import sys, av
with av.open(sys.argv[1]) as source, av.open(sys.argv[2], "w") as sink:
    video = source.streams.video[0]
    video.codec_context.thread_count = 2
    out = sink.add_stream("libx264", rate=video.average_rate, options={"preset": "veryfast", "crf": "23", "bf": "0", "mbtree": "0"})
    out.width, out.height, out.pix_fmt = video.codec_context.width, video.codec_context.height, "yuv420p"
    out.codec_context.thread_count = 2
    out.codec_context.gop_size = max(1, round(video.average_rate))
    out.codec_context.time_base = video.time_base
    for frame in source.decode(video):
        frame.pict_type = av.video.frame.PictureType.NONE
        sink.mux(out.encode(frame))
    sink.mux(out.encode(None))
"""


# What `deface` says of itself with the network that it would choose for `auto`.
BACKEND = """
from deface.centerface import CenterFace
network = CenterFace(in_shape=None, backend="auto")
session = getattr(network, "sess", None)
print(network.backend, *(session.get_providers() if session is not None else ()))
"""


def measure(lamppost: Path) -> list[Figure]:
    """Rows for each real clip, and for one of them at 1080p; nothing where no real clip is there."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        clips = real_clips()
        if clips:
            large = folder / f"{clips[0].stem}_1080p.mp4"
            make_1080p(clips[0], large)
            clips.append(large)
        peer = _describe_deface() if clips else ""
        return [figure for clip in clips for figure in _measure(clip, folder, lamppost, peer)]


def _measure(clip: Path, folder: Path, lamppost: Path, peer: str) -> list[Figure]:
    """The command beside the floor, the rest of it once it has started, and beside `deface`."""
    frames, target = _frames(clip), folder / "masked.mp4"
    mask_it: list[str | Path] = [lamppost, "mask", clip, target, "--overwrite"]
    copy_it: list[str | Path] = [sys.executable, "-c", PLAIN, clip, folder / "plain.mp4"]
    ours, plain, start = list[float](), list[float](), list[float]()
    for turn in range(RUNS + 1):
        seconds = _seconds(mask_it), _seconds(copy_it), _seconds([lamppost, "mask", "--help"])
        if turn:
            ours.append(frames / seconds[0])
            plain.append(frames / seconds[1])
            start.append(frames / max(0.001, seconds[0] - seconds[2]))
    deface = frames / _seconds([lamppost.with_name("deface"), clip, "-o", folder / "deface.mp4"])
    label, floor = f"{clip.stem}, {frames} frames", f"{median_and_spread(plain, 0)} fps (plain)"
    mine = f"{median_and_spread(ours, 0)} fps"
    return [
        Figure(f"mask: {label}", mine, floor, _ratio(ours, plain), "goal ≥ 0.75×"),
        Figure("the same, without what `lamppost mask --help` takes", f"{median_and_spread(start, 0)} fps", floor, _ratio(start, plain)),
        Figure(f"mask: {label}", mine, f"{deface:.1f} fps ({peer})", f"{statistics.median(ours) / deface:.1f}×", "goal ≥ 15×"),
    ]


def _describe_deface() -> str:
    run = subprocess.run([sys.executable, "-c", BACKEND], check=True, capture_output=True, text=True)
    return f"deface {importlib.metadata.version('deface')}, {run.stdout.splitlines()[-1]}"


def _frames(clip: Path) -> int:
    with av.open(str(clip)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def _seconds(command: Sequence[str | Path]) -> float:
    # Both sides as they are once installed: whoever forbids Python to keep bytecode measures its compiler.
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    began = time.perf_counter()
    subprocess.run(command, check=True, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _ratio(ours: list[float], peer: list[float]) -> str:
    return f"{median_and_spread([a / b for a, b in zip(ours, peer, strict=True)])}×"
