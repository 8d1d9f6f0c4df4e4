"""What leaks is counted per frame by size and per track, and what is masked too much per pixel."""

from __future__ import annotations

import numpy as np
import pytest

from lamppost.bench.rates import Rate
from lamppost.bench.scores import MUST_MASK, Score, Size
from lamppost.bench.subjects import Masking
from lamppost.bench.truth import Label, TruthBox
from lamppost.model.vision import Box, Preset

SHAPE = (90, 160)


def masking(index: int, *boxes: tuple[int, int, int, int], cause: str | None = None) -> Masking:
    masked = np.full(SHAPE, cause is not None, np.bool_)
    for x0, y0, x1, y1 in boxes:
        masked[y0:y1, x0:x1] = True
    return Masking(index / 10, masked, cause)


def face(x: int = 20, height: int = 30, track: int = 1, label: Label = Label.FACE) -> TruthBox:
    return TruthBox(label, Box(x, 20, x + 20, 20 + height), track)


def test_leaks_are_counted_by_the_height_of_the_truth() -> None:
    score = Score(Preset.FACES, frozenset({Label.FACE}), 0.1)
    score.add(0, masking(0, (20, 20, 40, 50)), [face(), face(80, 20, 2), face(120, 10, 3), face(60, 30, 4, Label.IGNORE)])
    assert score.rate(Label.FACE, Size.LARGE) == Rate(0, 1)
    assert score.rate(Label.FACE, Size.SMALL) == Rate(1, 1)
    assert score.rate(Label.FACE, Size.TINY) == Rate(1, 1)


@pytest.mark.parametrize(("covered_px", "leaks"), [(30, False), (26, False), (24, True), (0, True)])
def test_nine_tenths_of_the_ellipse_must_be_covered(covered_px: int, leaks: bool) -> None:
    score = Score(Preset.FACES, frozenset({Label.FACE}), 0.1)
    score.add(0, masking(0, (20, 20, 40, 20 + covered_px)), [face()])
    assert score.rate(Label.FACE, Size.LARGE) == Rate(int(leaks), 1)


def test_a_track_leaks_when_two_frames_in_a_row_do() -> None:
    score = Score(Preset.FACES, frozenset({Label.FACE}), 0.1)
    leaking = {1: {2, 3, 4, 8}, 2: {1, 3, 5}, 3: {4, 6}}  # the third is not there in frame 5
    for index in range(10):
        there = [track for track in leaking if not (track == 3 and index == 5)]
        boxes = [face(40 * track - 30, 30, track) for track in there]
        hidden = [(40 * track - 30, 20, 40 * track - 10, 50) for track in there if index not in leaking[track]]
        score.add(index, masking(index, *hidden), boxes)
    assert score.track_rate(Label.FACE) == Rate(1, 3)
    assert score.longest_ms(Label.FACE) == pytest.approx([300.0, 100.0, 100.0])
    assert score.to_json()["tracks"]["face"]["p99_longest_run_ms"] == pytest.approx(300.0)


def test_over_masking_leaves_out_what_must_be_masked_and_what_is_ignored() -> None:
    score = Score(Preset.PERSONS, frozenset({Label.PERSON}), 0.1)
    person = TruthBox(Label.PERSON, Box(0, 0, 16, 90), 1)
    crowd = TruthBox(Label.IGNORE, Box(100, 0, 160, 90), 2)
    score.add(0, masking(0, (0, 0, 32, 90), (96, 0, 160, 90)), [person, crowd])
    assert score.over == Rate((16 + 4) * 90, 160 * 90)
    score.add(1, masking(1, cause="starting"), [person])
    assert score.over == Rate((20 + 144) * 90, 2 * 160 * 90)
    assert score.over_uncovered == Rate(20 * 90, 160 * 90)
    assert score.to_json()["covered"]["causes"] == {"starting": 1}


def test_a_set_that_does_not_tell_what_must_be_masked_says_so() -> None:
    score = Score(Preset.PERSONS, frozenset({Label.FACE}), 0.1)
    score.add(0, masking(0, (0, 0, 160, 90)), [])
    assert score.must_mask is None
    assert score.to_json()["over_masked"] is None


def test_every_preset_says_what_it_must_mask() -> None:
    assert MUST_MASK.keys() == set(Preset)
