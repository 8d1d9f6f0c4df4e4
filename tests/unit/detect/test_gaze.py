"""A detector sees all that changed, and little else."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.detect.gaze import Gaze
from lamppost.detect.values import SmallPicture
from lamppost.model.vision import Box, Region

SIZE = (640, 360)
WHOLE = Region(0, 0, 640, 360)


def small(luma: np.ndarray | None = None) -> SmallPicture:
    luma = np.full((180, 320), 90, np.uint8) if luma is None else luma
    return SmallPicture(luma, np.full((2, luma.shape[0] // 2, luma.shape[1] // 2), 128, np.uint8))


def changed_at(x: int, y: int, width: int, height: int, level: int = 180) -> SmallPicture:
    picture = small()
    picture.luma[y : y + height, x : x + width] = level
    return picture


def looking(refresh_s: float = 10.0) -> Gaze:
    gaze = Gaze(refresh_s=refresh_s)
    assert gaze.changed(0.0, small(), SIZE) == (WHOLE,), "the first picture is new"
    return gaze


def test_what_stays_as_it_was_is_looked_at_once_in_a_refresh() -> None:
    gaze = looking(refresh_s=5.0)
    seen = [index / 10 for index in range(1, 160) if gaze.changed(index / 10, small(), SIZE)]
    assert seen == pytest.approx([5.0, 10.0, 15.0])


@settings(deadline=None)
@given(st.integers(0, 304), st.integers(0, 164), st.integers(8, 60), st.integers(8, 60))
def test_all_that_changed_is_looked_at_once(x: int, y: int, width: int, height: int) -> None:
    gaze, picture = looking(), changed_at(x, y, width, height)
    regions = gaze.changed(0.2, picture, SIZE)
    right, lower = min(640, 2 * (x + width)), min(360, 2 * (y + height))
    looked = np.zeros((360, 640), np.bool_)
    for region in regions:
        assert 0 <= region.x0 < region.x1 <= 640
        assert 0 <= region.y0 < region.y1 <= 360
        assert not (region.x0 | region.y0 | region.x1 | region.y1) & 1, "chroma has half of the samples"
        looked[region.y0 : region.y1, region.x0 : region.x1] = True
    assert looked[2 * y : lower, 2 * x : right].all()
    assert gaze.changed(0.4, picture, SIZE) == ()


def test_a_small_change_asks_for_a_small_look() -> None:
    (region,) = looking().changed(0.2, changed_at(100, 60, 16, 24), SIZE)
    assert region.box.area <= 0.1 * 640 * 360
    assert min(region.box.width, region.box.height) >= 96, "a face needs its surroundings"


def test_two_changes_far_apart_are_two_looks_and_a_great_one_is_the_whole() -> None:
    picture = changed_at(10, 10, 16, 16)
    picture.luma[150:166, 290:306] = 180
    assert len(looking().changed(0.2, picture, SIZE)) == 2
    assert looking().changed(0.2, changed_at(20, 20, 250, 140), SIZE) == (WHOLE,)


def test_what_is_masked_anyway_is_looked_at_when_it_is_not_any_more() -> None:
    gaze, picture = looking(), changed_at(96, 56, 32, 32)
    assert gaze.changed(0.2, picture, SIZE, hidden=[Box(160, 80, 300, 220)]) == ()
    assert gaze.changed(0.4, picture, SIZE) != ()


def test_beside_what_is_in_doubt_nothing_can_have_come() -> None:
    gaze, picture = looking(), changed_at(96, 56, 32, 32)
    assert gaze.changed(0.2, picture, SIZE, doubts=[]) == ()
    assert gaze.changed(0.4, picture, SIZE, doubts=[Box(0, 0, 60, 60)]) == ()
    assert gaze.changed(0.6, picture, SIZE, doubts=[Box(200, 120, 220, 140)]) != ()
    assert gaze.changed(0.8, small(), SIZE, doubts=[]) == (), "nothing is in doubt where nothing is"


def test_a_thing_that_is_followed_is_looked_at_whole() -> None:
    face = Box(200, 100, 290, 220)
    (region,) = looking().changed(0.2, changed_at(100, 50, 12, 12), SIZE, known=[face, Box(600, 300, 630, 340)])
    assert region.x0 <= face.x0
    assert region.y0 <= face.y0
    assert region.x1 >= face.x1
    assert region.y1 >= face.y1


def test_a_place_that_was_asked_for_is_looked_at_unchanged() -> None:
    gaze = looking()
    gaze.ask(Box(300, 100, 340, 150))
    (region,) = gaze.changed(0.2, small(), SIZE, doubts=[])
    assert region.x0 <= 300 < 340 <= region.x1
    assert region.y0 <= 100 < 150 <= region.y1
    assert gaze.changed(0.4, small(), SIZE) == ()


def test_of_a_large_picture_every_part_is_seen_at_full_size_once_in_a_refresh() -> None:
    gaze, size = Gaze(refresh_s=6.0), (1920, 1080)
    first = gaze.changed(0.0, small(), size)
    assert first[0] == Region(0, 0, 1920, 1080)
    covered = np.zeros((1080, 1920), np.bool_)
    for tile in first[1:]:
        assert tile.x1 - tile.x0 <= 640
        assert tile.y1 - tile.y0 <= 640
        covered[tile.y0 : tile.y1, tile.x0 : tile.x1] = True
    assert covered.all()
    later = [gaze.changed(0.1 * index, small(), size) for index in range(1, 121)]
    assert max(len(regions) for regions in later) <= 2, "spread over the period"
    for tile in first[1:]:
        assert 1 <= sum(tile in regions for regions in later) <= 3


def test_a_picture_of_another_size_is_new() -> None:
    gaze = looking()
    assert gaze.changed(0.2, small(np.full((160, 320), 90, np.uint8)), (640, 320)) == (Region(0, 0, 640, 320),)
