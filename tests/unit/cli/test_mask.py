"""`lamppost mask` as a person uses it: real detectors, real files."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest
import typer
from skimage.data import astronaut
from typer.testing import CliRunner, Result

from lamppost.cli.mask import mask
from lamppost.model.vision import Frame, MaskedFrame
from lamppost.pipeline import clip_masking

WIDTH_PX, HEIGHT_PX = 320, 240


def run(*arguments: object) -> Result:
    app = typer.Typer()
    app.command()(mask)
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def street(index: int) -> np.ndarray:
    """A grey wall; from the third second on a bright box crosses it."""
    picture = np.full((HEIGHT_PX, WIDTH_PX, 3), 110, np.uint8)
    picture[::8] += 10
    if index >= 30:
        x = 10 + (index - 30) * 5
        picture[100:180, x : x + 40] = (240, 230, 60)
    return picture


def write_clip(path: Path, frames: int = 60, *, step_90k: int = 9000) -> list[int]:
    """10 frames a second with sound, metadata, a title and uneven times; returns the times."""
    times = [index * step_90k + index % 3 * 900 for index in range(frames)]
    with av.open(str(path), "w") as container:
        container.metadata["title"] = "canary-title"
        container.metadata["comment"] = "canary-comment"
        video = container.add_stream("libx264", rate=10, options={"crf": "10"})
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        video.codec_context.time_base = Fraction(1, 90_000)
        audio = container.add_stream("aac", rate=8000)
        for index, pts in enumerate(times):
            picture = av.VideoFrame.from_ndarray(street(index), format="rgb24")
            picture.pts, picture.time_base = pts, Fraction(1, 90_000)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        sound = av.AudioFrame.from_ndarray(np.zeros((1, 1024), np.float32), format="fltp", layout="mono")
        sound.rate = 8000
        container.mux(audio.encode(sound))
        container.mux(audio.encode(None))
    return times


def test_a_clip_comes_out_masked_with_its_times_and_nothing_else(tmp_path: Path) -> None:
    times = write_clip(tmp_path / "in.mp4")
    result = run(tmp_path / "in.mp4", tmp_path / "out.mp4", "--report", tmp_path / "r.json", "--json", "--fill", "#ff0000")
    assert result.exit_code == 0, result.output
    totals = json.loads(result.stdout)
    assert totals["frames"] == 60
    with av.open(str(tmp_path / "out.mp4")) as container:
        assert [stream.type for stream in container.streams] == ["video"]
        assert container.chapters() == []
        assert not {"title", "comment", "encoder"} & container.metadata.keys()
        stream = container.streams.video[0]
        frames = [(round(frame.pts * stream.time_base * 90_000), frame.to_ndarray(format="rgb24")) for frame in container.decode(stream)]
    assert [pts for pts, _ in frames] == times
    assert b"canary" not in (tmp_path / "out.mp4").read_bytes()
    assert b"x264" not in (tmp_path / "out.mp4").read_bytes()
    report = json.loads((tmp_path / "r.json").read_text())
    (of_clip,) = report["inputs"]
    assert [frame["index"] for frame in of_clip["frames"]] == list(range(60))
    assert [round(frame["pts_s"] * 90_000) for frame in of_clip["frames"]] == times
    assert (of_clip["width_px"], of_clip["height_px"]) == (WIDTH_PX, HEIGHT_PX)
    assert report["models"][0]["sha256"]
    for index, ((_, picture), said) in enumerate(zip(frames, of_clip["frames"], strict=True)):
        if said["covered"] is None and index >= 31:
            x = 10 + (index - 30) * 5
            assert any(x0 <= x and y0 <= 100 and x1 >= min(x + 40, WIDTH_PX) and y1 >= 180 for x0, y0, x1, y1, _ in said["masks"])
            red, green, blue = picture[140, min(x + 20, WIDTH_PX - 1)].astype(int)
            assert red > 200
            assert max(green, blue) < 60
    assert of_clip["frames"][0]["covered"] is None, "the background is learnt from the first seconds"


def test_a_picture_comes_out_masked_and_without_exif(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "in.png"), astronaut()[:, :, ::-1])
    result = run(tmp_path / "in.png", tmp_path / "out.png", "--report", tmp_path / "r.json")
    assert result.exit_code == 0, result.output
    (of_picture,) = json.loads((tmp_path / "r.json").read_text())["inputs"]
    (frame,) = of_picture["frames"]
    # Eileen Collins' face in the picture of 512x512.
    assert any(x0 <= 175 and y0 <= 70 and x1 >= 270 and y1 >= 180 for x0, y0, x1, y1, _ in frame["masks"])
    assert "still picture" in of_picture["notes"][0]
    out = cv2.imread(str(tmp_path / "out.png"))
    assert out.shape == (512, 512, 3)
    assert len(np.unique(out[100:160, 200:250].reshape(-1, 3), axis=0)) == 1


def test_all_covers_everything(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", 12)
    cv2.imwrite(str(tmp_path / "in.png"), astronaut())
    for name in ("in.mp4", "in.png"):
        assert (
            run(tmp_path / name, tmp_path / f"out-{name}", "--preset", "all", "--report", tmp_path / "r.json", "--overwrite").exit_code == 0
        )
        report = json.loads((tmp_path / "r.json").read_text())
        assert {frame["covered"] for frame in report["inputs"][0]["frames"]} == {"preset"}
        assert report["models"] == []


def test_one_bad_file_in_a_folder_stops_nobody(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    write_clip(tmp_path / "in" / "b.mp4", 12)
    (tmp_path / "in" / "a.mp4").write_bytes(b"not a clip")
    cv2.imwrite(str(tmp_path / "in" / "c.jpg"), astronaut())
    result = run(tmp_path / "in", tmp_path / "out", "--report", tmp_path / "r.json", "--preset", "faces")
    assert result.exit_code == 1
    assert result.stderr.count("a.mp4") == 1
    assert "Traceback" not in result.output
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["b.mp4", "c.jpg"]
    report = json.loads((tmp_path / "r.json").read_text())
    assert [bool(each["error"]) for each in report["inputs"]] == [True, False, False]
    assert report["totals"]["failed"] == 1


@pytest.mark.parametrize("failure", [KeyboardInterrupt, MemoryError])
def test_what_is_broken_off_leaves_nothing_behind(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, failure: type[BaseException]) -> None:
    write_clip(tmp_path / "in.mp4", 60)
    (tmp_path / "out").mkdir()
    calls = iter(range(1000))
    push = clip_masking.MaskingPipeline.push

    def break_off(pipeline: clip_masking.MaskingPipeline, frame: Frame) -> tuple[MaskedFrame, ...]:
        if next(calls) == 55:
            assert list((tmp_path / "out").glob(".*.mp4")), "some of the output is on the disk already"
            raise failure
        return push(pipeline, frame)

    monkeypatch.setattr(clip_masking.MaskingPipeline, "push", break_off)
    result = run(tmp_path / "in.mp4", tmp_path / "out" / "out.mp4", "--report", tmp_path / "out" / "r.json")
    assert result.exit_code != 0
    left = [path.name for path in (tmp_path / "out").iterdir()]
    assert left == ([] if failure is KeyboardInterrupt else ["r.json"])


def test_a_wrong_use_is_told_in_one_line_and_touches_nothing(tmp_path: Path) -> None:
    write_clip(tmp_path / "in.mp4", 5)
    before = (tmp_path / "in.mp4").read_bytes()
    for arguments in (
        ["in.mp4", "in.mp4", "--overwrite"],
        ["in.mp4", "out.mp4", "--fill", "red"],
        ["in.mp4", "out.mp4", "--report", "in.mp4", "--overwrite"],
        ["missing.mp4", "out.mp4"],
        ["in.mp4", "out.avi"],
    ):
        paths = [tmp_path / each if "." in each else each for each in arguments]
        result = run(*paths)
        assert result.exit_code == 2, result.output
        assert len(result.stderr.strip().splitlines()) == 1
        assert result.stderr.startswith("lamppost:")
    assert (tmp_path / "in.mp4").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["in.mp4"]


def test_a_clip_that_was_cut_short_is_masked_and_said_to_be_short(tmp_path: Path) -> None:
    whole = tmp_path / "whole.mp4"
    with av.open(str(whole), "w", options={"movflags": "faststart"}) as container:
        video = container.add_stream("libx264", rate=10)
        video.width, video.height, video.pix_fmt = WIDTH_PX, HEIGHT_PX, "yuv420p"
        for index in range(60):
            container.mux(video.encode(av.VideoFrame.from_ndarray(street(index), format="rgb24")))
        container.mux(video.encode(None))
    content = whole.read_bytes()
    (tmp_path / "cut.mp4").write_bytes(content[: len(content) * 2 // 3])
    result = run(tmp_path / "cut.mp4", tmp_path / "out.mp4", "--json")
    assert result.exit_code == 0, result.output
    assert "cut short or damaged" in result.stderr
    assert "cut short" not in run(whole, tmp_path / "all.mp4", "--json").stderr
