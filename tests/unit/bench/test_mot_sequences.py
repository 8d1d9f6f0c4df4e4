"""Sequences are found in every layout that sets come in."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from lamppost.base.errors import ConfigError
from lamppost.bench.mot_sequences import find_sequences, one_sequence, scores_of, with_tracks
from lamppost.bench.mot_tracks import MotBoxes

LINES = "1,1,10,10,20,40,1,-1,-1,-1\n2,1,12,10,20,40,1,-1,-1,-1\n"
FOUND = LINES.replace(",1,10", ",-1,10").replace(",1,12", ",-1,12")
ABOUT = "[Sequence]\nname=A\nimDir=img1\nframeRate=14\nseqLength=5\nimExt=.jpg\n"


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.txt"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return folder


def test_a_train_folder_of_the_challenge(tmp_path: Path) -> None:
    for name in ("MOT17-04", "MOT17-02"):
        write(tmp_path / "train" / name, gt__gt=LINES, det__det=FOUND)
    (tmp_path / "train" / "MOT17-02" / "seqinfo.ini").write_text(ABOUT)
    first, second = find_sequences(tmp_path)
    assert (first.name, first.fps, first.frame_count, first.notes) == ("train/MOT17-02", 14, 5, ())
    assert first.detections is not None
    assert (second.name, second.fps, second.frame_count) == ("train/MOT17-04", 25, 2)
    assert "25 frames a second" in second.notes[0]
    assert [each.fps for each in find_sequences(tmp_path, fps=10)] == [10, 10]


@pytest.mark.parametrize("part", ["TUD-Campus", ""])
def test_files_directly_in_the_folder_with_what_trackers_made(tmp_path: Path, part: str) -> None:
    write(tmp_path / "TUD-Campus", gt=LINES, det=FOUND, test=LINES, README="what this is\n")
    (sequence,) = find_sequences(tmp_path if part else tmp_path / "TUD-Campus")
    assert sequence.name == "TUD-Campus"
    assert list(sequence.tracks) == ["test.txt"]
    assert any("README.txt, line 1" in note for note in sequence.notes)


def test_a_folder_that_is_one_sequence_of_the_challenge(tmp_path: Path) -> None:
    write(tmp_path / "PETS", gt__gt=LINES, det__det=FOUND)
    (sequence,) = find_sequences(tmp_path / "PETS")
    assert sequence.name == "PETS"
    assert sequence.detections is not None


def test_a_sequence_without_detections_is_told(tmp_path: Path) -> None:
    (sequence,) = find_sequences(write(tmp_path, gt=LINES))
    assert sequence.detections is None
    assert any("no detections" in note for note in sequence.notes)


def test_ready_tracks_are_of_a_file_or_of_a_folder_by_name(tmp_path: Path) -> None:
    write(tmp_path / "sets" / "A", gt=LINES, det=FOUND)
    write(tmp_path / "sets" / "B", gt=LINES, det=FOUND)
    write(tmp_path / "mine", B=LINES)
    sequences = find_sequences(tmp_path / "sets")
    assert [list(each.tracks) for each in with_tracks(sequences, tmp_path / "mine")] == [[], ["mine"]]
    with pytest.raises(ConfigError, match="cannot be of 2 sequences"):
        with_tracks(sequences, tmp_path / "mine" / "B.txt")
    with pytest.raises(ConfigError, match=r"A\.txt"):
        with_tracks(sequences, tmp_path / "sets")
    one = one_sequence(tmp_path / "sets" / "A" / "gt.txt", None)
    assert list(with_tracks([one], tmp_path / "mine" / "B.txt")[0].tracks) == ["B.txt"]


@pytest.mark.parametrize(
    ("about", "problem"),
    [
        (ABOUT.replace("14", "0"), "no rate"),
        (ABOUT.replace("=5", "=1"), "has frame 2"),
        (ABOUT.replace("=5", "=many"), "cannot be read"),
        (ABOUT.replace("=5", "=-5"), "no number of pictures"),
    ],
)
def test_a_wrong_seqinfo_is_refused(tmp_path: Path, about: str, problem: str) -> None:
    write(tmp_path, gt=LINES, det=FOUND)
    (tmp_path / "seqinfo.ini").write_text(about)
    with pytest.raises(ConfigError, match=problem):
        find_sequences(tmp_path)


def test_no_folder_no_truth_and_an_empty_truth_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        find_sequences(tmp_path / "nowhere")
    with pytest.raises(ConfigError, match=r"no gt\.txt"):
        find_sequences(tmp_path)
    with pytest.raises(ConfigError, match="is empty"):
        find_sequences(write(tmp_path, gt="\n"))


@pytest.mark.parametrize(
    ("confidences", "scores"),
    [
        ([0.2, 0.9], [0.2, 0.9]),
        ([-1.0, -1.0], [1, 1]),
        ([0.4, 0.4], [1, 1]),
        ([-0.5, 0.5, 1.5], [0, 0.526, 1]),
        ([20.0, 60.0, 100.0, 100.0], [0, 0.5, 1, 1]),
    ],
)
def test_scores_of_any_scale_become_shares(confidences: list[float], scores: list[float]) -> None:
    count = len(confidences)
    zeros = np.zeros(count, np.int64)
    found = scores_of(MotBoxes(zeros, zeros, np.ones((count, 4)), np.array(confidences), zeros))
    assert found.tolist() == pytest.approx(scores, abs=0.01)
