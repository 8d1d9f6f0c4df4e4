from __future__ import annotations

import itertools
import shutil
import struct
import subprocess
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest

from lamppost.base.errors import MediaError
from lamppost.decode.files import FileFrames


def write_clip(path: Path, times_90k: list[int], *, codec: str = "libx264", pix_fmt: str = "yuv420p", width: int = 64) -> None:
    """A clip whose upper left quarter is white, all else black."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(codec, rate=25)
        stream.width, stream.height, stream.pix_fmt, stream.time_base = width, 48, pix_fmt, Fraction(1, 90_000)
        stream.codec_context.time_base = Fraction(1, 90_000)
        pixels = np.zeros((48, width, 3), np.uint8)
        pixels[:24, : width // 2] = 255
        for pts in times_90k:
            picture = av.VideoFrame.from_ndarray(pixels, format="rgb24").reformat(format=pix_fmt)
            picture.pts, picture.time_base = pts, Fraction(1, 90_000)
            container.mux(stream.encode(picture))
        container.mux(stream.encode(None))


def frames_of(path: Path) -> list:
    with FileFrames(path) as frames:
        return list(frames)


@pytest.mark.parametrize("suffix", ["mp4", "mkv", "mov"])
def test_variable_times_are_kept_and_start_at_zero(tmp_path: Path, suffix: str) -> None:
    times = [9000, 12_600, 14_400, 27_000, 27_900, 117_000]
    write_clip(tmp_path / f"clip.{suffix}", times)
    frames = frames_of(tmp_path / f"clip.{suffix}")
    assert [frame.pts_90k for frame in frames] == pytest.approx([pts - 9000 for pts in times], abs=90)
    assert all(frame.is_intact for frame in frames)
    assert frames[0].wall_us == 0


def test_a_name_that_looks_like_a_protocol_is_only_a_name(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", [0, 3600])
    (tmp_path / "clip.mp4").rename(tmp_path / "http:a %d?b#c.mp4")
    assert len(frames_of(tmp_path / "http:a %d?b#c.mp4")) == 2


# The matrices of ISO/IEC 14496-12 that phones write: a, b, u, c, d, v.
MATRICES = {"upper right": (0, 1, 0, -1, 0, 0), "lower right": (-1, 0, 0, 0, -1, 0), "lower left": (0, -1, 0, 1, 0, 0)}
MIRROR = {"upper right": (-1, 0, 0, 0, 1, 0), "lower left": (1, 0, 0, 0, -1, 0), "upper left": (0, 1, 0, 1, 0, 0)}


def hold_differently(flat: Path, turned: Path, matrix: tuple[int, ...]) -> None:
    """Write the matrix into the track header, where FFmpeg leaves the identity."""
    identity = struct.pack(">6i", 0x10000, 0, 0, 0, 0x10000, 0)
    content = flat.read_bytes()
    at = content.index(identity, content.index(b"tkhd"))
    turned.write_bytes(content[:at] + struct.pack(">6i", *(value * 0x10000 for value in matrix)) + content[at + len(identity) :])


@pytest.mark.debian
@pytest.mark.parametrize(("corner", "matrix"), [*MATRICES.items(), *MIRROR.items()])
def test_a_phone_clip_comes_out_upright(tmp_path: Path, corner: str, matrix: tuple[int, ...]) -> None:
    write_clip(tmp_path / "flat.mp4", [0, 3600, 7200])
    turned = tmp_path / "phone.mp4"
    hold_differently(tmp_path / "flat.mp4", turned, matrix)
    frame = frames_of(turned)[0]
    assert (frame.width_px, frame.height_px) == ((64, 48) if matrix[0] else (48, 64))
    rows, columns = frame.height_px // 4, frame.width_px // 4
    bright = {
        "upper left": frame.luma[rows, columns],
        "upper right": frame.luma[rows, -columns],
        "lower left": frame.luma[-rows, columns],
        "lower right": frame.luma[-rows, -columns],
    }
    assert max(bright, key=lambda name: int(bright[name])) == corner
    # FFmpeg, which players follow, must see the same picture.
    ffmpeg = shutil.which("ffmpeg")
    assert ffmpeg, "the Debian package ffmpeg is missing"
    (tmp_path / "upright").mkdir()
    subprocess.run([ffmpeg, "-v", "error", "-i", str(turned), "-pix_fmt", "gray", str(tmp_path / "upright" / "%d.png")], check=True)
    with av.open(str(tmp_path / "upright" / "1.png")) as container:
        reference = next(container.decode(video=0)).to_ndarray(format="gray")
    assert np.mean(np.abs(reference.astype(int) - frame.luma)) < 24


def test_what_is_no_clip_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear Sir or Madam")
    (tmp_path / "empty.mp4").write_bytes(b"")
    (tmp_path / "list.m3u8").write_text("#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\nclip.mp4\n#EXT-X-ENDLIST\n")
    (tmp_path / "list.ffconcat").write_text("ffconcat version 1.0\nfile clip.mkv\n")
    write_clip(tmp_path / "clip.mp4", [0])
    write_clip(tmp_path / "clip.mkv", [0])
    for name in ("letter.txt", "empty.mp4", "list.m3u8", "list.ffconcat", "missing.mp4", "."):
        with pytest.raises(MediaError) as caught:
            frames_of(tmp_path / name)
        assert "\n" not in str(caught.value)


def test_a_cut_file_gives_what_is_there(tmp_path: Path) -> None:
    write_clip(tmp_path / "whole.mkv", list(range(0, 360_000, 3600)))
    content = (tmp_path / "whole.mkv").read_bytes()
    (tmp_path / "cut.mkv").write_bytes(content[: len(content) * 2 // 3])
    assert 0 < len(frames_of(tmp_path / "cut.mkv")) < 100


def test_every_real_clip_opens(shared_data: Path) -> None:
    for path in [*sorted((shared_data / "clips" / "gif").glob("*.gif")), shared_data / "clips" / "frigate_ir_motion-1.mp4"]:
        with FileFrames(path) as frames:
            times = [frame.pts_90k for frame in frames]
            assert times[0] == 0
            assert all(later > earlier for earlier, later in itertools.pairwise(times))
            assert abs(len(times) - frames.nominal_frames) <= 2


@pytest.mark.parametrize("name", ["BA_MW_D.264", "BA_MW_D_P_LOST.264", "MR1_BT_A.h264"])
def test_raw_streams_get_made_up_times(shared_data: Path, name: str) -> None:
    frames = frames_of(shared_data / "streams" / "openh264_res" / name)
    assert len({frame.pts_90k for frame in frames}) == len(frames)


def test_damage_and_a_new_size_in_a_real_stream(shared_data: Path) -> None:
    with FileFrames(shared_data / "streams" / "openh264_res" / "Error_I_P.264") as frames:
        following = iter(frames)
        assert not next(following).is_intact
        with pytest.raises(MediaError, match="picture size"):
            list(following)


def test_rgb_is_called_by_what_it_was_converted_to(tmp_path: Path) -> None:
    write_clip(tmp_path / "clip.mp4", [0, 3600], codec="libx264rgb", pix_fmt="rgb24")
    with FileFrames(tmp_path / "clip.mp4") as frames:
        assert list(frames)
        assert frames.colours.matrix == 6
