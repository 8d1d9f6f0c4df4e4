"""Whoever walks through a street is one track, at any frame rate; what is no track is none."""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterable, Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.model.vision import Box, Detection, Kind, Track
from lamppost.track.street import MOST_TRACKS, StreetTracker

Walk = Callable[[float], Box]


def walk(x: float, y: float, speed_x: float, speed_y: float = 0.0, width: float = 40.0, height: float = 100.0) -> Walk:
    """A box that moves by pixels per second."""
    return lambda at_s: Box(x + speed_x * at_s, y + speed_y * at_s, x + speed_x * at_s + width, y + speed_y * at_s + height)


def seen(box: Box, kind: Kind = Kind.PERSON, score: float = 0.95) -> Detection:
    return Detection(kind, box, score)


def followed(times: Iterable[float], walks: Sequence[Walk], tracker: StreetTracker | None = None) -> list[list[int | None]]:
    """For each moment, the id of the track that is nearest to each walk, None where none is within a half body."""
    tracker = tracker or StreetTracker()
    rows = list[list[int | None]]()
    for at_s in times:
        boxes = [each(at_s) for each in walks]
        tracks = tracker.update(at_s, [seen(box) for box in boxes])
        rows.append([nearest(box, tracks) for box in boxes])
    return rows


def nearest(box: Box, tracks: Sequence[Track]) -> int | None:
    best = max(tracks, key=lambda track: track.box.iou(box), default=None)
    return best.track_id if best is not None and best.box.iou(box) >= 0.5 else None


def times(fps: float, seconds: float = 4.0) -> list[float]:
    return [index / fps for index in range(round(fps * seconds))]


@pytest.mark.parametrize("fps", [1, 2, 5, 10, 30])
@given(speed_x=st.floats(-80, 80), speed_y=st.floats(-30, 30), other=st.floats(-80, 80))
@settings(max_examples=15)
def test_the_same_scene_gives_the_same_tracks_at_any_frame_rate(fps: int, speed_x: float, speed_y: float, other: float) -> None:
    # Up to two widths a second: a walker at 1.4 m/s, 300 pixels apart from the next one.
    rows = followed(times(fps, 6.0), [walk(500, 300, speed_x, speed_y), walk(520, 900, other)])
    assert [len({row[index] for row in rows[2:]}) for index in (0, 1)] == [1, 1]
    assert None not in rows[-1]
    assert rows[-1][0] != rows[-1][1]


@given(st.integers(0, 2**32), st.sampled_from([5, 10, 30]))
@settings(max_examples=25)
def test_frames_that_are_dropped_and_uneven_times_cost_no_track(seed: int, fps: int) -> None:
    dice = random.Random(seed)
    kept = [at_s + dice.uniform(0, 0.3 / fps) for index, at_s in enumerate(times(fps, 5.0)) if index < 3 or dice.random() > 0.4]
    rows = followed(kept, [walk(100, 100, 60), walk(700, 400, -50)])
    ids = {tuple(row) for row in rows[2:]}
    assert len(ids) == 1


@pytest.mark.parametrize("fps", [5, 12, 30])
def test_two_who_cross_keep_their_ids_though_one_hides_the_other(fps: int) -> None:
    tracker, front, back = StreetTracker(), walk(100, 105, 70), walk(420, 100, -70)
    ends = list[tuple[int | None, int | None]]()
    for at_s in times(fps):
        one, other = front(at_s), back(at_s)
        is_hidden = one.intersection(other) > 0.4 * other.area
        tracks = tracker.update(at_s, [seen(one)] if is_hidden else [seen(one), seen(other)])
        ends.append((nearest(one, tracks), nearest(other, tracks)))
    assert ends[-1] == ends[2]
    assert ends[2][0] != ends[2][1]


@pytest.mark.parametrize("fps", [6, 12, 30])
def test_moving_spots_that_merge_and_part_again_are_still_two(fps: int) -> None:
    tracker, one, other = StreetTracker(), walk(100, 100, 60), walk(400, 100, -60)
    ids = list[tuple[int | None, int | None]]()
    for at_s in times(fps, 5.0):
        a, b = one(at_s), other(at_s)
        boxes = [a.union(b)] if a.intersection(b) > 0 else [a, b]
        tracks = tracker.update(at_s, [seen(box, Kind.OBJECT, 1.0) for box in boxes])
        assert len({track.track_id for track in tracks}) <= 2
        ids.append((nearest(a, tracks), nearest(b, tracks)))
    assert None not in ids[-1]
    assert set(ids[-1]) == set(ids[2])


@pytest.mark.parametrize("fps", [6, 12, 30])
@pytest.mark.parametrize("wider", [Box(-80, 0, 0, 0), Box(0, -60, 90, 0), Box(-60, -30, 60, 30)])
def test_a_moving_spot_that_is_three_times_as_large_for_a_while_is_the_same(fps: int, wider: Box) -> None:
    tracker, walker = StreetTracker(), walk(100, 100, 60)
    ids = set[int]()
    for at_s in times(fps):
        box = walker(at_s)
        if 1.5 <= at_s < 2.0:
            box = Box(box.x0 + wider.x0, box.y0 + wider.y0, box.x1 + wider.x1, box.y1 + wider.y1)
        ids |= {track.track_id for track in tracker.update(at_s, [seen(box, Kind.OBJECT, 1.0)])}
    assert len(ids) == 1


def test_a_pole_that_sways_in_the_wind_makes_no_new_tracks() -> None:
    walks = [walk(250 * index, 150 + 40 * (index % 3), 50 - 15 * index) for index in range(7)]
    rows = list[list[int | None]]()
    tracker = StreetTracker()
    for at_s in times(12, 6.0):
        # Up to four widths a second.
        sway_x, sway_y = 60 * math.sin(2 * math.pi * at_s / 2.1), 25 * math.sin(2 * math.pi * at_s / 1.3)
        boxes = [each(at_s).moved(sway_x, sway_y) for each in walks]
        tracks = tracker.update(at_s, [seen(box) for box in boxes])
        rows.append([nearest(box, tracks) for box in boxes])
    assert len(set(rows[-1])) == 7
    assert {tuple(row) for row in rows[3:]} == {tuple(rows[-1])}


def test_it_takes_two_good_sights_to_be_a_track_or_three_weak_ones() -> None:
    tracker = StreetTracker()
    tracker.update(0.0, [])
    box = walk(100, 100, 0)(0)
    assert tracker.update(0.1, [seen(box)]) == ()
    (track,) = tracker.update(0.2, [seen(box)])
    assert track.is_seen
    weak = StreetTracker()
    weak.update(0.0, [])
    assert [len(weak.update(at_s, [seen(box, score=0.62)])) for at_s in (0.1, 0.2, 0.3)] == [0, 0, 1]


def test_what_is_there_when_the_first_picture_comes_is_followed_at_once_if_it_is_sure() -> None:
    assert len(StreetTracker().update(5.0, [seen(walk(0, 0, 0)(0)), seen(walk(200, 0, 0)(0), score=0.8)])) == 1


def test_a_flicker_and_a_weak_detection_are_no_tracks() -> None:
    tracker = StreetTracker()
    for at_s in times(10):
        flicker = [seen(walk(600, 100, 0)(0))] if round(at_s * 10) % 3 == 1 else []
        assert tracker.update(at_s, [*flicker, seen(walk(100, 100, 0)(0), score=0.5)]) == ()


def test_a_weak_detection_goes_on_with_a_track() -> None:
    tracker, walker = StreetTracker(), walk(100, 100, 50)
    tracker.update(0.0, [seen(walker(0.0))])
    for at_s in times(10)[1:]:
        (track,) = tracker.update(at_s, [seen(walker(at_s), score=0.95 if at_s < 0.5 else 0.15)])
        assert track.is_seen


def test_unseen_it_is_carried_on_for_a_second_by_its_speed_and_then_it_is_gone() -> None:
    tracker, walker = StreetTracker(), walk(100, 100, 50)
    for at_s in times(10, 2.1):
        tracker.update(at_s, [seen(walker(at_s))])
    (track,) = tracker.update(2.5, [])
    assert not track.is_seen
    assert track.box.x0 == pytest.approx(walker(2.5).x0, abs=6)
    assert len(tracker.update(3.0, [])) == 1
    assert tracker.update(3.2, []) == ()


def test_behind_something_nearer_it_is_waited_for_longer() -> None:
    tracker, van = StreetTracker(), seen(Box(200, 60, 420, 220), Kind.VEHICLE)
    walker = walk(100, 100, 60)
    before = after = None
    for at_s in times(10, 6.0):
        box = walker(at_s)
        is_hidden = 195 < box.x0 < 300
        tracks = tracker.update(at_s, [van] if is_hidden else [van, seen(box)])
        if at_s == 1.0:
            before = nearest(box, tracks)
        after = nearest(box, tracks)
    assert before is not None
    assert after == before


def test_one_missed_picture_ends_no_track_however_slow_the_pictures_come() -> None:
    tracker, walker = StreetTracker(), walk(100, 100, 20)
    ids = {track.track_id for at_s in (0, 1, 2, 4, 5) for track in tracker.update(at_s, [seen(walker(at_s))] if at_s != 3 else [])}
    assert len(ids) == 1


def test_the_kind_is_what_most_detections_say() -> None:
    tracker, rider = StreetTracker(), walk(100, 100, 90, width=90)
    kinds = [Kind.BICYCLE, Kind.PERSON, Kind.BICYCLE, Kind.BICYCLE, Kind.PERSON, Kind.BICYCLE]
    tracks = [tracker.update(index / 10, [seen(rider(index / 10), kind)]) for index, kind in enumerate(kinds)]
    assert {track.track_id for each in tracks for track in each} == {tracks[-1][0].track_id}
    assert [track.kind for track in tracks[-1]] == [Kind.BICYCLE]


def test_a_rider_and_the_bicycle_are_each_a_track_and_do_not_change_places() -> None:
    tracker, rider, bicycle = StreetTracker(), walk(100, 60, 90), walk(80, 110, 90, width=90, height=60)
    for at_s in times(10):
        tracks = tracker.update(at_s, [seen(rider(at_s)), seen(bicycle(at_s), Kind.BICYCLE)])
        if at_s >= 0.2:
            assert [track.kind for track in tracks] == [Kind.PERSON, Kind.BICYCLE]


def test_a_moving_spot_never_goes_on_with_a_person() -> None:
    tracker, box = StreetTracker(), walk(100, 100, 0)(0)
    for at_s in times(10, 0.5):
        tracker.update(at_s, [seen(box)])
    tracks = [tracker.update(0.5 + index / 10, [seen(box, Kind.OBJECT, 1.0)]) for index in range(3)]
    assert {track.kind for track in tracks[-1]} == {Kind.PERSON, Kind.OBJECT}


def test_a_thing_found_twice_as_two_kinds_is_one_track() -> None:
    tracker, box = StreetTracker(), walk(100, 100, 0)(0)
    for at_s in times(10):
        assert len(tracker.update(at_s, [seen(box), seen(box.moved(1, 1), Kind.BICYCLE, 0.7)])) == 1


@pytest.mark.parametrize("kind", [Kind.FACE, Kind.HEAD, Kind.PLATE])
def test_faces_heads_and_plates_are_not_followed(kind: Kind) -> None:
    tracker = StreetTracker()
    assert [tracker.update(at_s, [seen(walk(0, 0, 0)(0), kind)]) for at_s in times(5, 1.0)] == [()] * 5


def test_ids_are_random_and_of_one_tracker() -> None:
    walks = [walk(300 * index, 100, 0) for index in range(20)]
    ids = [set(followed([0.0, 0.1], walks)[-1]) for _ in range(10)]
    everybody = set[int | None]().union(*ids)
    assert len(everybody) == 200
    assert None not in everybody
    assert all(0 <= each < 2**63 for each in everybody if each is not None)
    assert max(each for each in everybody if each is not None) > 2**58


def test_time_that_runs_back_stands_still() -> None:
    tracker, box = StreetTracker(), walk(100, 100, 0)(0)
    ids = {track.track_id for at_s in (10.0, 10.1, 3.0, 10.1, 10.2) for track in tracker.update(at_s, [seen(box)])}
    assert len(ids) == 1


def test_a_pause_forgets_everybody() -> None:
    tracker, box = StreetTracker(), walk(100, 100, 0)(0)
    before = [tracker.update(at_s, [seen(box)]) for at_s in (0.0, 0.1)][-1]
    after = [tracker.update(at_s, [seen(box)]) for at_s in (3600.0, 3600.1)][-1]
    assert len(before) == len(after) == 1
    assert before[0].track_id != after[0].track_id


def test_there_are_never_more_than_512() -> None:
    tracker = StreetTracker()
    for step in range(4):
        crowd = [seen(Box(x * 30, y * 30 + step * 3000, x * 30 + 20, y * 30 + step * 3000 + 20)) for x in range(30) for y in range(20)]
        assert len(tracker.update(step / 10, crowd)) <= MOST_TRACKS


anything = st.floats(width=32) | st.floats(-2000, 2000)
detections = st.lists(
    st.builds(Detection, st.sampled_from(list(Kind)), st.builds(Box, anything, anything, anything, anything), st.floats(0, 1)), max_size=8
)


@given(st.lists(st.tuples(st.floats(0, 3), detections), max_size=12))
@settings(max_examples=60)
def test_whatever_it_is_given_tracks_are_finite_boxes_with_ids_of_their_own(steps: list[tuple[float, list[Detection]]]) -> None:
    tracker, at_s = StreetTracker(), 0.0
    for step_s, found in steps:
        at_s += step_s
        tracks = tracker.update(at_s, [*found, *found])
        assert len({track.track_id for track in tracks}) == len(tracks)
        for track in tracks:
            assert all(map(math.isfinite, (track.box.x0, track.box.y0, track.box.x1, track.box.y1)))
            assert track.box.width > 0
            assert track.box.height > 0
