from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import Box, Detection, Kind
from lamppost.track.boxes import BoxTracker


def seen(x: float, kind: Kind = Kind.FACE, y: float = 50) -> Detection:
    return Detection(kind, Box(x, y, x + 20, y + 30), 0.9)


def test_one_who_walks_keeps_one_track_and_is_carried_on_between_detections() -> None:
    tracker = BoxTracker(hold_s=1.0)
    ids = {tracker.update(step * 0.2, [seen(10 + 6 * step)])[0].track_id for step in range(10)}
    assert len(ids) == 1
    (carried,) = tracker.predict(1.9)
    assert not carried.is_seen
    assert abs(carried.box.x0 - (64 + 3)) < 0.01


def test_two_who_stand_apart_are_two() -> None:
    tracker = BoxTracker(hold_s=1.0)
    first = {track.track_id: track.box.x0 for track in tracker.update(0.0, [seen(0), seen(200)])}
    second = {track.track_id: track.box.x0 for track in tracker.update(0.2, [seen(203), seen(2)])}
    assert first.keys() == second.keys()
    assert all(abs(first[each] - second[each]) < 4 for each in first)


def test_kinds_are_never_mixed() -> None:
    tracker = BoxTracker(hold_s=1.0)
    tracker.update(0.0, [seen(0)])
    kinds = {track.kind for track in tracker.update(0.1, [seen(0, Kind.VEHICLE)])}
    assert kinds == {Kind.FACE, Kind.VEHICLE}


def test_a_track_ends_by_time() -> None:
    tracker = BoxTracker(hold_s=1.0)
    tracker.update(0.0, [seen(0)])
    assert len(tracker.predict(1.0)) == 1
    assert tracker.predict(1.01) == ()


def test_ids_are_random_and_not_shared() -> None:
    first, second = (BoxTracker(hold_s=1.0).update(0.0, [seen(0)])[0].track_id for _ in range(2))
    assert first != second


def test_tracks_are_bounded() -> None:
    tracker = BoxTracker(hold_s=10.0)
    for step in range(5):
        tracker.update(float(step), [seen(1000 * index + 300 * step, y=step * 500) for index in range(200)])
    assert len(tracker.predict(5.0)) == 512


boxes = st.builds(lambda x, y, w, h: Box(x, y, x + w, y + h), *[st.floats(-100, 500)] * 2, *[st.floats(0, 200)] * 2)
rounds = st.lists(st.lists(st.builds(Detection, st.sampled_from(list(Kind)), boxes, st.just(1.0)), max_size=6), max_size=12)


@settings(deadline=None)
@given(rounds, st.floats(0.01, 0.7))
def test_every_detection_is_in_one_track_with_its_very_box(story: list[list[Detection]], step_s: float) -> None:
    tracker = BoxTracker(hold_s=1.0)
    for index, found in enumerate(story):
        tracks = tracker.update(index * step_s, found)
        now = sorted((track.kind, track.box.x0, track.box.y0, track.box.x1) for track in tracks if track.is_seen)
        assert now == sorted((each.kind, each.box.x0, each.box.y0, each.box.x1) for each in found)
        assert len({track.track_id for track in tracks}) == len(tracks)


def test_a_crowd_beyond_the_limit_is_seen_whole_before_any_of_it_is_forgotten() -> None:
    tracker = BoxTracker(hold_s=1)
    crowd = [seen(1000 * index) for index in range(600)]
    assert {track.box for track in tracker.update(0.0, crowd)} == {detection.box for detection in crowd}
    assert len(tracker.predict(0.1)) == 512
