from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import Box, Detection, Kind
from lamppost.track.boxes import BoxTracker
from lamppost.track.flow import Shift


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


def test_a_weak_detection_goes_on_with_a_track_and_begins_none() -> None:
    tracker, weak = BoxTracker(hold_s=1.0, start_score=0.2), Detection(Kind.FACE, Box(50, 50, 70, 80), 0.1)
    assert tracker.update(0.0, [weak]) == ()
    (begun,) = tracker.update(0.2, [Detection(Kind.FACE, Box(50, 50, 70, 80), 0.5)])
    (gone_on,) = tracker.update(0.4, [weak])
    assert gone_on.is_seen
    assert gone_on.track_id == begun.track_id


def test_only_looks_at_its_place_end_a_track() -> None:
    tracker = BoxTracker(hold_s=1.0, patience=2)
    tracker.update(0.0, [seen(50)])
    for index in range(1, 30):
        assert len(tracker.update(float(index), [], looked=[Box(200, 0, 400, 200)])) == 1
    assert tracker.missed(29.0) == ()
    tracker.update(30.0, [], looked=[Box(0, 0, 150, 150)])
    assert len(tracker.missed(30.0)) == 1, "to be looked at once more"
    tracker.update(30.2, [], looked=[Box(0, 0, 150, 150)])
    assert tracker.predict(30.4) == ()


def test_a_track_goes_with_the_pictures_and_grows_where_they_say_nothing() -> None:
    tracker, picture = BoxTracker(hold_s=1.0, patience=2), Box(0, 0, 400, 300)
    (track,) = tracker.update(0.0, [seen(50)])
    (moved,) = tracker.carry(0.1, {track.track_id: Shift(7.0, -2.0, is_sure=True)}, picture)
    assert (moved.box, moved.is_seen) == (Box(57, 48, 77, 78), False)
    widths = [tracker.carry(0.2 + index / 10, {track.track_id: Shift(0, 0, is_sure=False)}, picture)[0].box.width for index in range(20)]
    assert 20 < widths[0] < widths[1] < widths[4]
    assert max(widths) <= 40
    (found,) = tracker.update(3.0, [seen(60)])
    assert (found.track_id, found.box) == (track.track_id, seen(60).box)


def test_one_who_was_carried_out_of_the_picture_is_gone() -> None:
    tracker, picture = BoxTracker(hold_s=1.0, patience=2), Box(0, 0, 400, 300)
    (track,) = tracker.update(0.0, [seen(370)])
    for index in range(1, 25):
        tracks = tracker.carry(index / 10, {track.track_id: Shift(12.0, 0.0, is_sure=True)}, picture)
    assert tracks == ()
