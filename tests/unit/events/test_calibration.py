"""Metres of pictures: what is measured is so long, and what cannot be measured is refused or left unsaid."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamppost.base.errors import ConfigError
from lamppost.events.calibration import GroundPlane
from lamppost.model.rules import CalibrationPoints, Correspondence
from lamppost.model.vision import Box
from measured_scenes import SIZE_PX, Pinhole

CAMERA = Pinhole()
PLACES = [(-5.0, 9.0), (5.0, 9.0), (-12.0, 40.0), (12.0, 40.0), (0.0, 20.0), (-4.0, 15.0), (6.0, 28.0)]

cameras = st.builds(Pinhole, st.floats(3, 15), st.floats(12, 55), st.floats(0.6, 1.4))


def of(pairs: list[tuple[tuple[float, float], tuple[float, float]]], **settings: float) -> CalibrationPoints:
    return CalibrationPoints(points=tuple(Correspondence(image=image, map_m=place) for image, place in pairs), **settings)


def seen(places: list[tuple[float, float]], **settings: float) -> CalibrationPoints:
    return of([(CAMERA.to_image(*place), place) for place in places], **settings)


@settings(deadline=None)
@given(cameras, st.floats(-8, 8), st.floats(5, 60))
def test_the_ground_is_where_it_is_and_back_again(camera: Pinhole, east: float, north: float) -> None:
    plane = GroundPlane(camera.calibration())
    point = camera.to_image(east, north)
    assert plane.to_ground([point])[0] == pytest.approx((east, north), abs=1e-4)
    assert plane.at(*point) == pytest.approx((east, north), abs=1e-4)
    assert plane.to_image([(east, north)])[0] == pytest.approx(point, abs=1e-6)


def test_beyond_the_horizon_there_is_no_ground() -> None:
    plane = GroundPlane(CAMERA.calibration())
    horizon = CAMERA.horizon
    assert np.isnan(plane.to_ground([(0.5, horizon - 0.01), (0.2, horizon - 0.2)])).all()
    assert plane.at(0.5, horizon - 0.05) is None
    assert plane.at(0.5, horizon + 1e-6) is None, "a pixel there would be kilometres"
    assert np.isnan(plane.to_image([(0.0, -50.0)])).all(), "behind the camera"
    assert plane.area_m2([(0.4, 0.9), (0.6, 0.9), (0.5, horizon - 0.02)]) is None
    assert plane.view_at(0.5, horizon - 0.05, CAMERA.aspect) is None
    assert plane.size_m(Box(0.4, 0.0, 0.6, horizon - 0.05), CAMERA.aspect) is None


def test_four_points_fit_and_more_say_how_well() -> None:
    four = GroundPlane(seen(PLACES[:4]))
    assert (four.error_m, four.left_out_error_m) == (pytest.approx(0, abs=1e-6), None)
    exact = GroundPlane(seen(PLACES))
    assert exact.error_m == pytest.approx(0, abs=1e-6)
    assert exact.left_out_error_m == pytest.approx(0, abs=1e-5)
    moved = [(CAMERA.to_image(*place), (place[0] + 0.3 * (-1) ** index, place[1])) for index, place in enumerate(PLACES)]
    rough = GroundPlane(of(moved))
    assert 0.05 < rough.error_m < 0.35
    assert rough.left_out_error_m is not None
    assert rough.left_out_error_m > rough.error_m, "what was not fitted is missed by more"


def test_more_points_bear_more_noise() -> None:
    random = np.random.default_rng(3)
    at = [(x, y) for x in (0.2, 0.5, 0.8) for y in (0.4, 0.6, 0.8)]
    wanted = np.array([CAMERA.to_ground(*point) for point in at])

    def miss_m(points: list[tuple[float, float]]) -> float:
        pairs = [((x + random.normal(0, 0.003), y + random.normal(0, 0.003)), CAMERA.to_ground(x, y)) for x, y in points]
        plane = GroundPlane(of(pairs, largest_error_m=50))
        return float(np.linalg.norm(plane.to_ground(at) - wanted, axis=1).mean())

    corners = [(0.1, 0.9), (0.9, 0.9), (0.1, 0.2), (0.9, 0.2)]
    spread = [*corners, *((x, y) for x in (0.1, 0.3, 0.5, 0.7, 0.9) for y in (0.2, 0.35, 0.5, 0.7, 0.9))]
    few, many = (np.mean([miss_m(points) for _ in range(20)]) for points in (corners, spread))
    assert many < 0.8 * few
    assert many < 0.5


@pytest.mark.parametrize(
    ("pairs", "words"),
    [
        ([((0.1 * i, 0.2), (float(i), 0.0)) for i in range(5)], "lie in a line"),
        ([((0.1 * i, 0.2 + 0.1 * i), (float(i), float(i * i))) for i in range(5)], "lie in a line"),
        ([((0.1, 0.9), (0, 0)), ((0.5, 0.9), (2, 0)), ((0.9, 0.9), (4, 0)), ((0.5, 0.3), (2, 9))], "lie in a line"),
        ([((0.1, 0.9), (0, 0)), ((0.5, 0.9), (2, 0)), ((0.9, 0.9), (4, 1)), ((0.5, 0.3), (2, 9))], "lie in a line"),
        ([((0.1, 0.9), (1, 1)), ((0.5, 0.9), (1, 1)), ((0.9, 0.8), (1, 1)), ((0.5, 0.3), (1, 1))], "lie in a line"),
        ([((0.5, 0.5), (0, 0))] * 4, "lie in a line"),
        ([((0, 1), (0, 0)), ((1, 1), (10, 0)), ((0, 0.5), (10, 20)), ((1, 0.5), (0, 20))], "beyond the horizon"),
        ([((0, 1), (0, 0)), ((1, 1), (10, 0)), ((0, 0.5), (0, 20_000)), ((1, 0.5), (10, 20_000))], "10 km"),
    ],
)
def test_points_that_say_nothing_are_refused_in_one_line(pairs: list, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as refused:
        GroundPlane(of(pairs))
    assert refused.value.remedy
    assert "\n" not in str(refused.value)


def test_points_that_disagree_are_refused_and_the_worst_is_named() -> None:
    pairs = [(CAMERA.to_image(*place), place) for place in PLACES]
    pairs[4] = (pairs[4][0], (pairs[4][1][0] + 8.0, pairs[4][1][1]))
    with pytest.raises(ConfigError, match=r"disagree by \d+\.\d\d m, point 5 by"):
        GroundPlane(of(pairs))
    assert GroundPlane(of(pairs, largest_error_m=10)).error_m > 1


@settings(deadline=None, max_examples=60)
@given(cameras, st.integers(0, 2**32 - 1))
def test_points_that_lie_apart_are_never_refused(camera: Pinhole, seed: int) -> None:
    shifts = np.random.default_rng(seed).uniform(-0.05, 0.05, (4, 2))
    around = [np.array(point.image) + shift for point, shift in zip(camera.calibration().points, shifts, strict=True)]
    pairs = [((float(x), float(y)), camera.to_ground(float(x), float(y))) for x, y in np.clip(around, 0, 1)]
    GroundPlane(of(pairs))


def test_latitude_and_longitude_become_metres_of_wgs_84() -> None:
    # Two markers 1 second of arc apart, at 52 degrees north: 30.90 m to the north, 19.07 m to the east.
    second = 1 / 3600
    corners = [(52.0, 13.0), (52.0, 13.0 + second), (52.0 + second, 13.0), (52.0 + second, 13.0 + second)]
    images = [(0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0)]
    plane = GroundPlane(CalibrationPoints(points=tuple(Correspondence(image=i, lat_lon=c) for i, c in zip(images, corners, strict=True))))
    (x0, y0), (x1, y1) = plane.to_ground([(0, 1), (1, 0)])
    assert (x1 - x0, y1 - y0) == (pytest.approx(19.073, abs=0.01), pytest.approx(30.904, abs=0.01))
    assert plane.origin == pytest.approx((52 + second / 2, 13 + second / 2))


def test_a_place_on_the_date_line_is_one_place() -> None:
    corners = [(-17.0, 179.9999), (-17.0, -179.9999), (-16.9999, 179.9999), (-16.9999, -179.9999)]
    images = [(0.0, 1.0), (1.0, 1.0), (0.0, 0.0), (1.0, 0.0)]
    plane = GroundPlane(CalibrationPoints(points=tuple(Correspondence(image=i, lat_lon=c) for i, c in zip(images, corners, strict=True))))
    assert np.ptp(plane.to_ground(images), axis=0) == pytest.approx((21.29, 11.07), abs=0.05)


def test_areas_are_those_of_the_ground() -> None:
    plane = GroundPlane(CAMERA.calibration())
    corners = [CAMERA.to_image(*place) for place in [(-2, 12), (3, 12), (3, 18), (-2, 18)]]
    assert plane.area_m2(corners) == pytest.approx(30.0, abs=1e-3)


@pytest.mark.parametrize("height_m", [4.0, 6.0, 10.0])
@pytest.mark.parametrize("down_deg", [12.0, 20.0, 35.0])
@pytest.mark.parametrize("foot", [(0.5, 0.6), (0.42, 0.75), (0.58, 0.5)])
def test_sizes_are_nearly_right(height_m: float, down_deg: float, foot: tuple[float, float]) -> None:
    camera = Pinhole(height_m, down_deg)
    east, north = camera.to_ground(*foot)
    plane = GroundPlane(camera.calibration())
    box = camera.box_of(east, north, 0.0, 0.5, 0.5, 1.75)
    shares = Box(box.x0 / SIZE_PX[0], box.y0 / SIZE_PX[1], box.x1 / SIZE_PX[0], box.y1 / SIZE_PX[1])
    size = plane.size_m(shares, camera.aspect)
    assert size is not None
    assert 0.45 < size[0] < 0.85, "seen from beside its middle, its depth shows too"
    assert size[1] == pytest.approx(1.75, rel=0.25)


def test_from_right_above_a_height_cannot_be_told() -> None:
    pairs = [((0.0, 1.0), (0.0, 0.0)), ((1.0, 1.0), (16.0, 0.0)), ((0.0, 0.0), (0.0, 9.0)), ((1.0, 0.0), (16.0, 9.0))]
    plane = GroundPlane(of(pairs))
    assert plane.size_m(Box(0.5, 0.5, 0.6, 0.6), 16 / 9) == (pytest.approx(1.6), None)
    view = plane.view_at(0.5, 0.5, 16 / 9)
    assert view is not None
    assert (view.metres, view.sine_down) == (pytest.approx(9.0), pytest.approx(1.0))
