"""Scores are those that trackeval gives when it reads the files itself, and those that can be counted by hand."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from lamppost.bench.followers import LamppostFollower, follow
from lamppost.bench.mot_sequences import TrackSequence, find_sequences
from lamppost.bench.mot_tracks import MotBoxes, read_boxes, read_tracks
from lamppost.bench.peers import peers
from lamppost.bench.track_figures import measure
from lamppost.bench.tracking import combined, score


def boxes(*rows: tuple[float, ...]) -> MotBoxes:
    """Frame, id, left, confidence, class: boxes of 20 × 40 pixels."""
    values = np.array(rows, np.float64).reshape(-1, 5)
    places = np.column_stack([values[:, 2], np.zeros(len(values)), np.full(len(values), 20.0), np.full(len(values), 40.0)])
    return MotBoxes(values[:, 0].astype(np.int64), values[:, 1].astype(np.int64), places, values[:, 3], values[:, 4].astype(np.int64))


def straight(count: int, identity: int, left: float, confidence: float = 1.0, kind: int = 0) -> list[tuple[float, ...]]:
    return [(frame, identity, left, confidence, kind) for frame in range(count)]


def test_the_truth_itself_is_perfect_and_nothing_is_nothing() -> None:
    truth = boxes(*straight(10, 1, 0), *straight(10, 2, 100))
    perfect = score(truth, truth, 10)
    assert (perfect.hota, perfect.det_a, perfect.ass_a, perfect.idf1, perfect.mota, perfect.switches) == (1, 1, 1, 1, 1, 0)
    nothing = score(truth, boxes(), 10)
    assert (nothing.hota, nothing.idf1, nothing.switches) == (0, 0, 0)


def test_an_id_that_changes_half_way_costs_what_the_definitions_say() -> None:
    found = score(boxes(*straight(10, 1, 0)), boxes(*straight(10, 1, 0)[:5], *straight(10, 2**62, 0)[5:]), 10)
    assert found.det_a == 1
    assert found.ass_a == pytest.approx(0.5)
    assert found.hota == pytest.approx(0.5**0.5)
    assert found.idf1 == pytest.approx(0.5)
    assert found.mota == pytest.approx(0.9)
    assert found.switches == 1


def test_what_has_confidence_0_is_not_judged_though_finding_it_counts_as_wrong() -> None:
    truth = boxes(*straight(10, 1, 0), *straight(10, 2, 100, confidence=0))
    assert score(truth, boxes(*straight(10, 1, 0)), 10).mota == 1
    assert score(truth, boxes(*straight(10, 1, 0), *straight(10, 2, 100)), 10).mota == 0


def test_finding_a_distractor_is_neither_right_nor_wrong_and_finding_a_car_is_wrong() -> None:
    truth = boxes(*straight(10, 1, 0, kind=1), *straight(10, 2, 100, 0, kind=7), *straight(10, 3, 200, 0, kind=3))
    assert score(truth, boxes(*straight(10, 1, 0), *straight(10, 2, 100)), 10).mota == 1
    assert score(truth, boxes(*straight(10, 1, 0), *straight(10, 3, 200)), 10).mota == 0


def test_classes_without_any_pedestrian_are_all_judged() -> None:
    vehicles = boxes(*straight(10, 1, 0, kind=3))
    assert score(vehicles, boxes(*straight(10, 1, 0)), 10).hota == 1


def test_sequences_weigh_by_their_boxes() -> None:
    good = score(boxes(*straight(30, 1, 0)), boxes(*straight(30, 1, 0)), 30)
    bad = score(boxes(*straight(10, 1, 0)), boxes(), 10)
    assert combined([good, bad]).mota == pytest.approx(0.75)


def test_the_figures_are_those_of_trackeval_reading_the_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    import trackeval

    rng = np.random.default_rng(1)
    truth, tracks = list[str](), list[str]()
    for frame in range(1, 31):
        for identity, kind in ((1, 1), (2, 1), (3, 1), (4, 7), (5, 3)):
            left, top = 80 * identity + 2 * frame, 100 + 3 * identity
            truth.append(f"{frame},{identity},{left},{top},40,100,{int(kind == 1 and frame != 9)},{kind},1")
            if rng.random() < 0.8:
                shift = rng.normal(0, 6, 4)
                name = identity + (10 if frame > 12 + identity else 0)
                tracks.append(
                    f"{frame},{name},{left + shift[0]:.2f},{top + shift[1]:.2f},{40 + shift[2]:.2f},{100 + shift[3]:.2f},1,-1,-1,-1"
                )
    _write(tmp_path / "gt" / "MOT17-train" / "S" / "gt" / "gt.txt", truth)
    _write(tmp_path / "tr" / "MOT17-train" / "mine" / "data" / "S.txt", tracks)
    (tmp_path / "gt" / "MOT17-train" / "S" / "seqinfo.ini").write_text("[Sequence]\nname=S\nseqLength=30\n")
    settings = {"GT_FOLDER": str(tmp_path / "gt"), "TRACKERS_FOLDER": str(tmp_path / "tr"), "TRACKERS_TO_EVAL": ["mine"]}
    dataset = trackeval.datasets.MotChallenge2DBox(settings | {"SEQ_INFO": {"S": 30}, "PRINT_CONFIG": False})
    sequence = dataset.get_preprocessed_seq_data(dataset.get_raw_seq_data("mine", "S"), "pedestrian")
    ours = score(
        read_boxes(tmp_path / "gt" / "MOT17-train" / "S" / "gt" / "gt.txt"),
        read_tracks(tmp_path / "tr" / "MOT17-train" / "mine" / "data" / "S.txt"),
        30,
    )
    quiet = {"PRINT_CONFIG": False}
    hota, clear = trackeval.metrics.HOTA().eval_sequence(sequence), trackeval.metrics.CLEAR(quiet).eval_sequence(sequence)
    identity_figures = trackeval.metrics.Identity(quiet).eval_sequence(sequence)
    assert 0.2 < ours.hota < 0.9
    assert (ours.hota, ours.det_a, ours.ass_a) == pytest.approx(tuple(hota[name].mean() for name in ("HOTA", "DetA", "AssA")))
    assert (ours.mota, ours.switches) == pytest.approx((clear["MOTA"], clear["IDSW"]))
    assert ours.idf1 == pytest.approx(identity_figures["IDF1"])


def _write(path: Path, lines: list[str]) -> None:
    path.parent.mkdir(parents=True)
    path.write_text("\n".join(lines) + "\n")


def test_every_tracker_follows_two_who_walk_apart() -> None:
    rows = [(frame, -1, left + 3 * frame, 0.95, 0) for frame in range(40) for left in (0, 300)]
    truth = boxes(*[(frame, int(left > 0), left + 3 * frame, 1, 0) for frame in range(40) for left in (0, 300)])
    sequence = TrackSequence("two", 25, 40, truth, boxes(*rows), {})
    for row in measure([sequence], [LamppostFollower(), *peers()], lambda _sequence, _tracker: None):
        assert row.score.idf1 > 0.9, row.tracker
        assert row.score.switches == 0
        assert len(row.frame_ms) == 40


def test_a_follower_forgets_the_clip_before() -> None:
    rows = boxes(*[(frame, -1, 3.0 * frame, 0.95, 0) for frame in range(10)])
    sequence = TrackSequence("one", 25, 10, rows, rows, {})
    follower = LamppostFollower()
    first, second = (set(follow(follower, sequence)[0].ids.tolist()) for _ in range(2))
    assert len(first) == len(second) == 1
    assert first != second


def test_public_clips_are_followed_as_well_as_by_the_best_reference() -> None:
    folder = os.environ.get("LAMPPOST_TEST_DATA")
    if not folder:
        pytest.skip("LAMPPOST_TEST_DATA does not name the folder with clips")
    rows = measure(find_sequences(Path(folder) / "mot"), [LamppostFollower(), *peers()], lambda _sequence, _tracker: None)
    for name in {row.sequence for row in rows}:
        ours, *others = [row for row in rows if row.sequence == name]
        assert ours.tracker == "Lamppost"
        assert ours.score.hota >= max(row.score.hota for row in others)
        assert ours.score.idf1 >= max(row.score.idf1 for row in others)
