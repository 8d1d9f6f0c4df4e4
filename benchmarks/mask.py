"""`lamppost mask` beside plain decoding and encoding, and beside `deface` at its defaults.

The floor is PyAV decoding and x264 with the very same encoder settings. Each
side runs as a command of its own, start-up included, in turns.
"""

from __future__ import annotations

import importlib.metadata
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import av

from benchmarks.clips import real_clips
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


def measure(lamppost: Path) -> list[Figure]:
    """One row for each real clip and each peer; nothing where no real clip is there."""
    deface = lamppost.with_name("deface")
    version = importlib.metadata.version("deface")
    figures: list[Figure] = []
    for clip in real_clips():
        frames = _frames(clip)
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            ours, plain = [], []
            for turn in range(RUNS):
                ours.append(frames / _seconds([lamppost, "mask", clip, folder / f"ours{turn}.mp4"]))
                plain.append(frames / _seconds([sys.executable, "-c", PLAIN, clip, folder / f"plain{turn}.mp4"]))
            peer = frames / _seconds([deface, clip, "-o", folder / "deface.mp4"])
        label = f"{clip.stem}, {frames} frames"
        mine = f"{median_and_spread(ours, 0)} fps"
        figures += [
            Figure(f"mask: {label}", mine, f"{median_and_spread(plain, 0)} fps (plain)", _ratio(ours, plain), "goal ≥ 0.75×"),
            Figure(f"mask: {label}", mine, f"{peer:.1f} fps (deface {version})", f"{statistics.median(ours) / peer:.1f}×", "goal ≥ 15×"),
        ]
    return figures


def _frames(clip: Path) -> int:
    with av.open(str(clip)) as container:
        return sum(1 for packet in container.demux(video=0) if packet.size)


def _seconds(command: Sequence[str | Path]) -> float:
    began = time.perf_counter()
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    return time.perf_counter() - began


def _ratio(ours: list[float], peer: list[float]) -> str:
    return f"{median_and_spread([a / b for a, b in zip(ours, peer, strict=True)])}×"
