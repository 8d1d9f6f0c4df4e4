"""Films a street with burnt-in frame numbers into an MP4, as fast as the machine can.

    .venv/bin/python tests/assets/make_numbered_clip.py OUT.mp4 --seconds 1200
    .venv/bin/python tests/assets/make_numbered_clip.py OUT.mp4 --seconds 60 --width 1920 --height 1080 --fps 25 --kbit 2000 --gop 2

The picture is a still street with a bar that wanders, so that a picture costs next to nothing to make;
`--kbit` adds as much noise as fills that bit rate. The number of picture n is n: `lamppost.ingest.strip`
reads it back. No B-frames; keyframes every `--gop` seconds. H.264.
"""

from __future__ import annotations

import argparse
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from lamppost.ingest.street import Street, StreetSettings
from lamppost.ingest.strip import burn_frame_number

NOISE_PATTERNS = 16


def make_numbered_clip(
    path: Path, *, seconds: int, width_px: int = 640, height_px: int = 360, fps: int = 10, gop_s: float = 1.0, kbit_s: int = 0
) -> None:
    """Write pictures 0 to `seconds` * `fps` - 1; `kbit_s` 0 means as few bits as they take."""
    street = Street(StreetSettings(seed=3, people=2, vehicles=1, width_px=width_px, height_px=height_px, fps=fps))
    picture = street.frame(0).copy()
    luma, chroma = picture[:height_px], picture[height_px:].reshape(2, height_px // 2, width_px // 2)
    clean = luma.copy()
    random = np.random.default_rng(1)
    noise = random.integers(0, 24 if kbit_s else 1, (NOISE_PATTERNS, height_px, width_px), np.uint8)
    with av.open(str(path), "w") as out:
        stream = out.add_stream("libx264", rate=fps)
        stream.width, stream.height, stream.pix_fmt = width_px, height_px, "yuv420p"
        stream.codec_context.thread_count = 2
        keyint = max(1, round(gop_s * fps))
        params = f"keyint={keyint}:min-keyint={keyint}:scenecut=0:bframes=0"
        if kbit_s:
            params += f":vbv-maxrate={kbit_s}:vbv-bufsize={kbit_s}"
            stream.bit_rate = kbit_s * 1000
        stream.options = {"preset": "ultrafast", "x264-params": params} | ({} if kbit_s else {"crf": "30"})
        for number in range(seconds * fps):
            np.minimum(clean, 230, out=luma)
            luma += noise[number % NOISE_PATTERNS]
            x = number * 4 % (width_px - 32)
            luma[height_px // 2 : height_px // 2 + 40, x : x + 32] = 200
            burn_frame_number(luma, chroma, number)
            frame = av.VideoFrame.from_ndarray(picture, format="yuv420p")
            frame.pts, frame.time_base = number, Fraction(1, fps)
            for packet in stream.encode(frame):
                out.mux(packet)
        for packet in stream.encode(None):
            out.mux(packet)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=Path)
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--width", type=int, default=640)
    parser.add_argument("--height", type=int, default=360)
    parser.add_argument("--fps", type=int, default=10)
    parser.add_argument("--gop", type=float, default=1.0, help="seconds from one keyframe to the next")
    parser.add_argument("--kbit", type=int, default=0, help="bit rate to fill; 0: as few as it takes")
    arguments = parser.parse_args()
    make_numbered_clip(
        arguments.out,
        seconds=arguments.seconds,
        width_px=arguments.width,
        height_px=arguments.height,
        fps=arguments.fps,
        gop_s=arguments.gop,
        kbit_s=arguments.kbit,
    )


if __name__ == "__main__":
    main()
