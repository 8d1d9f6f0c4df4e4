"""The clips that figures are made with: real ones where they are, a street of our own always."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

REAL = ("intel_car-detection.mp4", "intel_one-by-one-person-detection.mp4", "linzaer_shop_overhead_test1.mp4")


def shared_data() -> Path | None:
    """The folder of real material, or None where it is absent."""
    folder = Path(os.environ.get("LAMPPOST_TEST_DATA") or Path(__file__).parents[2] / "shared" / "data")
    return folder if folder.is_dir() else None


def real_clips() -> list[Path]:
    """The real clips that are there."""
    data = shared_data()
    return [path for name in REAL if data and (path := data / "clips" / name).is_file()]


def make_1080p(source: Path, path: Path) -> None:
    """`source` scaled up to 1920x1080, with a camera's keyframes every 2 s and no B-frames."""
    subprocess.run(
        [
            *("ffmpeg", "-loglevel", "error", "-y", "-i", str(source), "-an", "-vf", "scale=1920:1080:flags=bicubic"),
            *("-c:v", "libx264", "-preset", "veryfast", "-crf", "20", "-bf", "0", "-pix_fmt", "yuv420p"),
            *("-force_key_frames", "expr:gte(t,n_forced*2)", str(path)),
        ],
        check=True,
    )


def make_camera_clip(path: Path, *, seconds: int = 20, kbit_s: int = 2000, size: str = "1920x1080", fps: int = 25) -> None:
    """An H.264 clip at a camera's bit rate, by default 1080p and 25 fps, with noise, GOP 2 s, no B-frames."""
    subprocess.run(
        [
            *("ffmpeg", "-loglevel", "error", "-y", "-f", "lavfi", "-i", f"testsrc2=size={size}:rate={fps}:duration={seconds}"),
            *("-vf", "noise=alls=12:allf=t", "-c:v", "libx264", "-preset", "veryfast", "-profile:v", "main", "-bf", "0"),
            *("-b:v", f"{kbit_s}k", "-maxrate", f"{kbit_s}k", "-bufsize", f"{kbit_s}k", "-g", str(2 * fps), "-pix_fmt", "yuv420p"),
            *("-keyint_min", str(2 * fps), "-sc_threshold", "0", str(path)),  # a camera's keyframes do not come more often because of noise
        ],
        check=True,
    )
