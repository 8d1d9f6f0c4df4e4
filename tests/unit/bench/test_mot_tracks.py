"""Files of the MOTChallenge are read as its sets write them, and a wrong line is named."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.errors import ConfigError
from lamppost.bench.mot_tracks import read_boxes, read_tracks, read_truth


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "gt.txt"
    path.write_text(text)
    return path


def test_frames_count_from_0_and_classes_are_told_in_the_later_sets_alone(tmp_path: Path) -> None:
    boxes = read_boxes(written(tmp_path, "1,2,10,20,30,40,1,3,0.5\n\n3,-1,10.5,20,30,40,0.7,4.4852,5.5,0\n"))
    assert boxes.frames.tolist() == [0, 2]
    assert boxes.frame_count == 3
    assert boxes.ids.tolist() == [2, -1]
    assert boxes.boxes_xywh_px.tolist() == [[10, 20, 30, 40], [10.5, 20, 30, 40]]
    assert boxes.confidences.tolist() == [1, 0.7]
    assert boxes.classes.tolist() == [3, 0], "the last three of ten columns are a point of the world"


def test_blanks_for_commas_a_mark_at_the_start_and_six_columns_are_fine(tmp_path: Path) -> None:
    boxes = read_boxes(written(tmp_path, "\ufeff1 2 10 20 30 40\n"))
    assert boxes.confidences.tolist() == [1]


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("frame,id,left,top,width,height", "no number"),
        ("1,2,3,4,5", "no box"),
        ("1,2,3,4,-5,6,1", "no box"),
        ("1,2,nan,4,5,6,1", "no box"),
        ("0,2,3,4,5,6,1", "whole numbers"),
        ("1.5,2,3,4,5,6,1", "whole numbers"),
        ("1,2.5,3,4,5,6,1", "whole numbers"),
        ("99999999999,2,3,4,5,6,1", "whole numbers"),
        ("1,1e300,3,4,5,6,1", "no box"),
    ],
)
def test_a_wrong_line_is_named(tmp_path: Path, line: str, problem: str) -> None:
    path = written(tmp_path, f"1,1,2,3,4,5,1\n{line}\n")
    with pytest.raises(ConfigError, match=r"line 2: .*" + problem) as error:
        read_boxes(path)
    assert str(path) in str(error.value)


def test_tracks_have_ids_each_once_in_a_frame(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="without an id"):
        read_tracks(written(tmp_path, "1,-1,2,3,4,5,1\n"))
    with pytest.raises(ConfigError, match="frame 1 has the id 7 twice"):
        read_tracks(written(tmp_path, "1,7,2,3,4,5,1\n2,7,2,3,4,5,1\n1,7,2,3,9,9,1\n"))
    assert len(read_tracks(written(tmp_path, ""))) == 0


def test_what_is_not_judged_needs_no_id(tmp_path: Path) -> None:
    assert len(read_truth(written(tmp_path, "1,1,2,3,4,5,1\n1,-1,2,3,4,5,0\n1,-1,9,3,4,5,0\n"))) == 3
    with pytest.raises(ConfigError, match="frame 1 has the id 1 twice"):
        read_truth(written(tmp_path, "1,1,2,3,4,5,1\n1,1,2,3,4,5,1\n"))


def test_what_is_no_text_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "gt.txt"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ConfigError, match="cannot be read as text"):
        read_boxes(path)
