"""What moves is followed through what motion does: it grows, trembles, unites and parts; a network only hints at what it is."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import Box, Detection, Kind, Track
from lamppost.track.moving import MOST_TRACKS, MovingSettings, MovingTracker

ALL_SURE = MovingSettings(begin_score=0.0, sure_score=0.0, least_score=0.0, confirm_s=0.25)


def seen(x: float, y: float, width: float = 40, height: float = 100, kind: Kind = Kind.OBJECT, score: float = 1.0) -> Detection:
    return Detection(kind, Box(x - width / 2, y - height / 2, x + width / 2, y + height / 2), score)


def ids(tracks: tuple[Track, ...]) -> set[int]:
    return {track.track_id for track in tracks}


@pytest.mark.parametrize("fps", [5, 10, 30])
def test_one_who_walks_is_one_track_at_any_rate(fps: int) -> None:
    tracker = MovingTracker(ALL_SURE)
    found = [tracker.update(index / fps, [seen(100 + 60 * index / fps, 200)]) for index in range(5 * fps)]
    assert len({track_id for tracks in found for track_id in ids(tracks)}) == 1
    assert found[0] == (), "one sight is none"
    (last,) = found[-1]
    assert last.is_seen
    assert (last.box.x0 + last.box.x1) / 2 == pytest.approx(100 + 60 * (5 * fps - 1) / fps, abs=3)


def test_two_that_pass_each_other_as_one_are_still_two() -> None:
    tracker = MovingTracker(ALL_SURE)
    before: dict[int, float] = {}
    after: dict[int, float] = {}
    for index in range(120):
        at_s = index / 10
        left, right = 100 + 40 * at_s, 560 - 40 * at_s
        apart = abs(left - right)
        # One box around both, where they are near.
        detections = [seen(left, 200), seen(right, 200)] if apart > 60 else [seen((left + right) / 2, 200, width=40 + apart)]
        for track in tracker.update(at_s, detections):
            (before if left < right - 60 else after if left > right + 60 else {})[track.track_id] = (track.box.x0 + track.box.x1) / 2
    assert len(before) == 2
    assert before.keys() == after.keys(), "nobody is new, nobody is lost"
    goes_right = min(before, key=lambda track_id: before[track_id])
    # Where exactly the two were within one box nobody knows; who came from where is told by their speeds.
    assert after[goes_right] == max(after.values())


def test_what_grows_as_it_comes_in_is_one() -> None:
    tracker = MovingTracker(ALL_SURE)
    found = set[int]()
    for index in range(30):
        height = min(200.0, 20 + 12 * index)
        found |= ids(tracker.update(index / 10, [seen(300, 432 - height / 2, width=100 + 3 * index, height=height)]))
    assert len(found) == 1


def test_pieces_of_one_that_unite_are_one() -> None:
    tracker = MovingTracker(ALL_SURE)
    for index in range(4):  # legs and a body, for less than a second
        tracker.update(index / 10, [seen(100 + 5 * index, 150, 60, 120), seen(105 + 5 * index, 290, 30, 60)])
    tracks: tuple[Track, ...] = ()
    for index in range(4, 40):
        tracks = tracker.update(index / 10, [seen(100 + 5 * index, 200, 60, 240)])
    assert len(tracks) == 1


def test_unseen_it_is_carried_on_and_then_gone() -> None:
    tracker = MovingTracker(ALL_SURE)
    for index in range(20):
        tracker.update(index / 10, [seen(100 + 10 * index, 200)])
    (carried,) = tracker.update(2.5, [])
    assert not carried.is_seen
    assert (carried.box.x0 + carried.box.x1) / 2 == pytest.approx(350, abs=15)
    assert carried.box.height == pytest.approx(100, abs=5), "what nobody sees neither grows nor shrinks"
    assert tracker.update(2.5 + 2.1, []) == ()


def test_hints_tell_what_it_is_and_a_clear_one_most() -> None:
    tracker = MovingTracker(ALL_SURE)
    for index in range(10):
        weak = [seen(100 + 5 * index, 200, kind=Kind.PERSON, score=0.15)]
        tracker.update(index / 10, [seen(100 + 5 * index, 200)], weak)
    (track,) = tracker.update(1.0, [seen(150, 200)], [seen(150, 200, kind=Kind.VEHICLE, score=0.6)])
    assert track.kind is Kind.VEHICLE


def test_a_hint_begins_nothing_and_moves_nothing() -> None:
    tracker = MovingTracker(ALL_SURE)
    for index in range(10):
        assert tracker.update(index / 10, [], [seen(100, 200, kind=Kind.PERSON, score=0.9)]) == ()


def test_a_person_does_not_become_a_car() -> None:
    tracker = MovingTracker(MovingSettings(confirm_s=0.0))
    (person,) = tracker.update(0.0, [seen(100, 200, kind=Kind.PERSON, score=0.9)])
    tracks = tracker.update(0.1, [seen(100, 200, kind=Kind.VEHICLE, score=0.9)])
    assert {track.kind for track in tracks} == {Kind.PERSON, Kind.VEHICLE}
    assert person.track_id in ids(tracks)


def test_time_that_runs_back_begins_anew() -> None:
    tracker = MovingTracker(ALL_SURE)
    for index in range(10):
        tracks = tracker.update(index / 10, [seen(100, 200)])
    assert ids(tracks)
    assert tracker.update(0.0, [seen(100, 200)]) == ()


def test_trackers_share_no_ids() -> None:
    one, other = MovingTracker(MovingSettings(confirm_s=0.0)), MovingTracker(MovingSettings(confirm_s=0.0))
    scene = [seen(100 * index, 200, score=0.9) for index in range(1, 9)]
    assert not ids(one.update(0.0, scene)) & ids(other.update(0.0, scene))


def test_there_are_never_more_than_so_many() -> None:
    tracker = MovingTracker(MovingSettings(confirm_s=0.0))
    for moment in range(3):
        scene = [seen(200 * column + 20_000 * moment, 300 * row, score=0.9) for column in range(30) for row in range(30)]
        tracker.update(moment / 10, scene)
    assert len(tracker.update(0.4, [])) <= MOST_TRACKS


boxes = st.builds(
    seen, *(st.floats(-2000, 2000) for _ in range(2)), *(st.floats(0, 3000) for _ in range(2)), st.sampled_from(Kind), st.floats(0, 1)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.tuples(st.floats(0, 3), st.lists(boxes, max_size=8), st.lists(boxes, max_size=3)), max_size=12))
def test_whatever_comes_tracks_are_boxes_with_ids_of_their_own(scene: list[tuple[float, list[Detection], list[Detection]]]) -> None:
    tracker, at_s = MovingTracker(ALL_SURE), 0.0
    for step_s, detections, hints in scene:
        at_s += step_s
        tracks = tracker.update(at_s, detections, hints)
        assert len(ids(tracks)) == len(tracks)
        for track in tracks:
            assert all(math.isfinite(edge) for edge in (track.box.x0, track.box.y0, track.box.x1, track.box.y1))


def test_what_trembles_is_steadier_than_what_was_detected() -> None:
    random, tracker = np.random.default_rng(3), MovingTracker(ALL_SURE)
    off, raw = list[float](), list[float]()
    for index in range(200):
        jitter = float(random.normal(0, 4))
        for track in tracker.update(index / 10, [seen(100 + 5 * index + jitter, 200)]):
            off.append(abs((track.box.x0 + track.box.x1) / 2 - (100 + 5 * index)))
            raw.append(abs(jitter))
    assert np.mean(off) < 0.8 * np.mean(raw)
