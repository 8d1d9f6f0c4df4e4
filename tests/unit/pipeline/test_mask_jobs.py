from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.errors import ConfigError, MediaError
from lamppost.pipeline.mask_jobs import plan_jobs


def touch(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"x")
    return path


def test_a_folder_keeps_its_shape_and_no_two_outputs_share_a_name(tmp_path: Path) -> None:
    for name in ("a.mov", "deep/b.JPG", "deep/c.gif", "deep/c.avi", "notes.txt", ".hidden/d.mp4", ".e.mp4"):
        touch(tmp_path / "in" / name)
    jobs = plan_jobs(tmp_path / "in", tmp_path / "out", is_overwriting=False)
    made = {job.source.relative_to(tmp_path / "in").as_posix(): job.target.relative_to(tmp_path / "out").as_posix() for job in jobs}
    assert made == {"a.mov": "a.mp4", "deep/b.JPG": "deep/b.JPG", "deep/c.gif": "deep/c.gif.mp4", "deep/c.avi": "deep/c.avi.mp4"}
    assert [job.is_picture for job in jobs] == [job.source.suffix == ".JPG" for job in jobs]
    assert not (tmp_path / "out").exists()


def test_a_file_may_go_into_a_folder(tmp_path: Path) -> None:
    touch(tmp_path / "a.gif")
    (tmp_path / "out").mkdir()
    (job,) = plan_jobs(tmp_path / "a.gif", tmp_path / "out", is_overwriting=False)
    assert job.target == tmp_path / "out" / "a.mp4"


def test_the_original_is_never_written_over(tmp_path: Path) -> None:
    clip = touch(tmp_path / "in" / "a.mp4")
    (tmp_path / "link.mp4").symlink_to(clip)
    for target in (clip, tmp_path / "in" / ".." / "in" / "a.mp4", tmp_path / "link.mp4", tmp_path / "in"):
        with pytest.raises(ConfigError):
            plan_jobs(clip, target, is_overwriting=True)
    for target in (tmp_path / "in", tmp_path / "in" / "out"):
        with pytest.raises(ConfigError, match="lies in"):
            plan_jobs(tmp_path / "in", target, is_overwriting=True)


def test_an_output_is_replaced_only_when_asked(tmp_path: Path) -> None:
    clip, target = touch(tmp_path / "a.mov"), touch(tmp_path / "b.mp4")
    with pytest.raises(MediaError, match="exists"):
        plan_jobs(clip, target, is_overwriting=False)
    assert len(plan_jobs(clip, target, is_overwriting=True)) == 1


def test_what_makes_no_sense_is_refused(tmp_path: Path) -> None:
    clip, picture = touch(tmp_path / "a.mov"), touch(tmp_path / "b.jpg")
    (tmp_path / "empty").mkdir()
    for source, target in ((clip, "x.mov"), (picture, "x.png"), (picture, "x.mp4"), (tmp_path / "missing.mp4", "x.mp4")):
        with pytest.raises(ConfigError):
            plan_jobs(source, tmp_path / target, is_overwriting=False)
    with pytest.raises(ConfigError, match="is a file"):
        plan_jobs(tmp_path / "empty", clip, is_overwriting=False)
    with pytest.raises(MediaError, match="no clip"):
        plan_jobs(tmp_path / "empty", tmp_path / "out", is_overwriting=False)
    assert len(plan_jobs(picture, tmp_path / "x.jpeg", is_overwriting=False)) == 1
