"""Makes metres of a picture: the plane of the ground, from points that are known in the picture and on the map.

Without it everything is measured in shares of the picture, and says so.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from lamppost.base.errors import ConfigError
from lamppost.events.geometry import XY, area
from lamppost.model.rules import CalibrationPoints
from lamppost.model.vision import Box

_EQUATOR_M = 6_378_137.0  # WGS 84: semi-major axis
_ECCENTRICITY_SQUARED = 6.694_379_990_14e-3
_LARGEST_PLACE_M = 10_000.0  # the ground of one camera; also as far as the earth is taken for flat
_LEAST_SPREAD = 0.01  # width of a cloud of points over its length: below it, they lie in a line
_LEAST_RANK = 2e-3  # of the equations: below it, more than one plane fits
_FARTHEST = 20.0  # times as far as the farthest point that is known: beyond it, a pixel is a street
_STEEP = 0.94  # sine of 70 degrees: from higher above nothing is seen of a height

_Array = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class View:
    """How the camera looks at one spot of the ground.

    `metres` is the length on something upright there, or across the line of sight, that is as long as the picture is high;
    `sine_down` says how steeply the camera looks down on it: 0 along the ground, 1 from right above. `away` is the direction
    of the line of sight on the map.
    """

    metres: float
    sine_down: float
    away: XY


class GroundPlane:
    """A homography from the picture (shares of width and height) to the ground (east and north, in metres).

    `error_m` is the root of the mean square by which the points miss their place on the map; four points always fit, so that
    it is 0 for them and says nothing. `left_out_error_m` is the same for points that the others foretell, None where there are
    but four. `misses_m` and `misses_image` are how far each point is from its place on the map, and in the picture, in shares of
    its width and height. `origin` is the latitude and longitude of east 0, north 0, where the points are given as such.
    """

    def __init__(self, points: CalibrationPoints) -> None:
        """Fit the plane to `points`.

        The normalised direct linear transformation, by least squares: Hartley and Zisserman, Multiple View Geometry
        (2nd edition, 2004), algorithms 4.1 and 4.2. Raises `ConfigError` when it cannot be told from the points.
        """
        image = np.array([point.image for point in points.points], np.float64)
        ground, self.origin = _on_the_map(points)
        plane = _fit(image, ground)
        if plane is None:
            raise ConfigError(
                "the points of [calibration] leave open where the ground is: too many of them lie in a line",
                remedy="give four points at least of which no three lie in a line, far apart, such as the corners of a crossing",
            )
        depths = _depths(plane, image)
        if (depths <= 0).any():
            raise ConfigError(
                "the points of [calibration] do not fit on one plane: some would lie beyond the horizon",
                remedy="look whether each point of the picture has its own place on the map, and lies on the ground",
            )
        self._plane = plane
        self._inverse = np.linalg.inv(plane).astype(np.float64)
        self._rows = tuple(tuple(float(value) for value in row) for row in plane)
        self._least_depth = float(depths.min()) / _FARTHEST
        misses = _lengths(_map(plane, image) - ground)
        self.misses_m = tuple(float(miss) for miss in misses)
        self.misses_image = tuple((float(x), float(y)) for x, y in np.abs(_map(self._inverse, ground) - image))
        self.error_m = float(np.sqrt(np.mean(misses**2)))
        self.left_out_error_m = _left_out_error(image, ground)
        if self.error_m > points.largest_error_m:
            worst = int(misses.argmax())
            raise ConfigError(
                f"the points of [calibration] disagree by {self.error_m:.2f} m, point {worst + 1} by {misses[worst]:.2f} m",
                remedy="look whether each lies on the ground and has its own place on the map, or raise largest_error_m "
                f"(now {points.largest_error_m:g})",
            )

    @property
    def homography(self) -> tuple[tuple[float, ...], ...]:
        """Three rows; from homogeneous shares of width and height to homogeneous metres, up to a factor."""
        return self._rows

    def to_ground(self, points: ArrayLike) -> _Array:
        """Metres east and north, shape (n, 2), of `points` in shares, shape (n, 2); NaN for what is beyond the horizon."""
        image = np.asarray(points, np.float64).reshape(-1, 2)
        result = np.full_like(image, np.nan)
        is_ground = _depths(self._plane, image) >= self._least_depth
        result[is_ground] = _map(self._plane, image[is_ground])
        return result

    def to_image(self, points_m: ArrayLike) -> _Array:
        """Shares of width and height, shape (n, 2), of places on the map; NaN for what is behind the camera."""
        ground = np.asarray(points_m, np.float64).reshape(-1, 2)
        result = np.full_like(ground, np.nan)
        # The sign of the plane is chosen so that depths in the picture are above 0, and so are theirs.
        is_before = _depths(self._inverse, ground) > 0
        result[is_before] = _map(self._inverse, ground[is_before])
        return result

    def at(self, x: float, y: float) -> XY | None:
        """The same as `to_ground` for one point; None beyond the horizon."""
        (a, b, c), (d, e, f), (g, h, i) = self._rows
        depth = g * x + h * y + i
        if not depth >= self._least_depth:
            return None
        return (a * x + b * y + c) / depth, (d * x + e * y + f) / depth

    def view_at(self, x: float, y: float, aspect: float) -> View | None:
        """How the camera looks at what stands at `x`, `y`, in a picture `aspect` times as wide as high; None beyond the horizon.

        A circle on the ground is seen as an ellipse whose axes stand as 1 to the sine of the angle of sight. So the scale of
        what is upright follows from the plane alone, near the middle of the picture; towards its sides it is a little off.
        """
        place = self.at(x, y)
        if place is None:
            return None
        (a, b, _), (d, e, _), (g, h, i) = self._rows
        depth = g * x + h * y + i
        (east, north) = place
        # The derivatives of `at`, for one height of the picture to the right, and one down.
        ax, ay = (a - g * east) / depth / aspect, (d - g * north) / depth / aspect
        bx, by = (b - h * east) / depth, (e - h * north) / depth
        # Singular values of a 2x2 matrix, and the direction in which it stretches most.
        total, mixed = ax * ax + ay * ay + bx * bx + by * by, abs(ax * by - ay * bx)
        root = math.sqrt(max(0.0, total * total - 4 * mixed * mixed))
        largest = math.sqrt((total + root) / 2)
        smallest = mixed / largest if largest else 0.0
        angle = math.atan2(2 * (ax * ay + bx * by), ax * ax + bx * bx - ay * ay - by * by) / 2
        return View(smallest, smallest / largest if largest else 1.0, (math.cos(angle), math.sin(angle)))

    def area_m2(self, corners: Sequence[XY]) -> float | None:
        """Of a polygon in the picture whose edges do not cross; None where a part of it is beyond the horizon."""
        ground = [self.at(x, y) for x, y in corners]
        seen = [place for place in ground if place is not None]
        return area(seen) if len(seen) == len(ground) else None

    def size_m(self, box: Box, aspect: float) -> tuple[float, float | None] | None:
        """Width of a thing at its foot, and an estimate of its height; `box` in shares.

        The estimate takes it to be as deep as it is wide. It is None from high above, and both are beyond the horizon.
        """
        view = self.view_at((box.x0 + box.x1) / 2, box.y1, aspect)
        if view is None:
            return None
        width_m, upright_m = box.width * aspect * view.metres, box.height * view.metres
        if view.sine_down > _STEEP:
            return width_m, None
        return width_m, max(0.0, upright_m - width_m * view.sine_down) / math.sqrt(1 - view.sine_down**2)


def _on_the_map(points: CalibrationPoints) -> tuple[_Array, tuple[float, float] | None]:
    """Shape (n, 2) in metres, and the latitude and longitude of the origin."""
    degrees = [point.lat_lon for point in points.points if point.lat_lon is not None]
    origin = None
    if degrees:
        ground, origin = _metres_of(np.array(degrees, np.float64))
    else:
        ground = np.array([point.map_m for point in points.points], np.float64)
    with np.errstate(over="ignore"):  # more than a number can hold is too far as well
        extent_m = np.ptp(ground, axis=0).max()
    if not extent_m <= _LARGEST_PLACE_M:
        raise ConfigError(
            "the points of [calibration] are more than 10 km apart on the map",
            remedy="give map_m in metres east and north, or lat_lon in degrees with the latitude first",
        )
    return ground, origin


def _metres_of(lat_lon: _Array) -> tuple[_Array, tuple[float, float]]:
    """East and north of degrees of WGS 84, on a plane that touches the ellipsoid amid the points, and where that is.

    Its radii of curvature, along the meridian and across it, are those of the ellipsoid there: over 10 km the error is below
    a thousandth of the distance, away from the poles.
    """
    turned = (lat_lon[:, 1] - lat_lon[0, 1] + 180) % 360 - 180  # a place may lie on both sides of the date line
    latitude, longitude = float(lat_lon[:, 0].mean()), float(lat_lon[0, 1] + turned.mean())
    flattened = 1 - _ECCENTRICITY_SQUARED * math.sin(math.radians(latitude)) ** 2
    across_m = _EQUATOR_M / math.sqrt(flattened)
    along_m = _EQUATOR_M * (1 - _ECCENTRICITY_SQUARED) / flattened**1.5
    east = np.radians(turned - turned.mean()) * across_m * math.cos(math.radians(latitude))
    north = np.radians(lat_lon[:, 0] - latitude) * along_m
    return np.stack([east, north], axis=1), (latitude, (longitude + 180) % 360 - 180)


def _fit(image: _Array, ground: _Array) -> _Array | None:
    """The homography, shape (3, 3), with depths above 0 where most points are; None where more than one fits."""
    if _spread(image) < _LEAST_SPREAD or _spread(ground) < _LEAST_SPREAD:
        return None
    image_scale, ground_scale = _normalisation(image), _normalisation(ground)
    p, q = _map(image_scale, image), _map(ground_scale, ground)
    ones, zeros = np.ones((len(p), 1)), np.zeros((len(p), 3))
    homogeneous = np.hstack([p, ones])
    equations = np.concatenate(
        [
            np.hstack([homogeneous, zeros, -q[:, :1] * homogeneous]),
            np.hstack([zeros, homogeneous, -q[:, 1:] * homogeneous]),
        ]
    )
    _, values, vectors = np.linalg.svd(equations)
    normalised = vectors[8].reshape(3, 3)
    own = np.linalg.svd(normalised, compute_uv=False)
    if values[7] < _LEAST_RANK * values[0] or own[2] < _LEAST_RANK * own[0]:
        return None
    plane: _Array = np.linalg.inv(ground_scale) @ normalised @ image_scale
    plane /= np.linalg.norm(plane[2])
    return plane if np.median(_depths(plane, image)) > 0 else -plane


def _spread(points: _Array) -> float:
    values = np.linalg.svd(points - points.mean(axis=0), compute_uv=False)
    return float(values[1] / values[0]) if values[0] else 0.0


def _normalisation(points: _Array) -> _Array:
    """What moves the middle of `points` to 0 and their mean distance from it to the root of 2."""
    middle = points.mean(axis=0)
    scale = math.sqrt(2) / float(np.linalg.norm(points - middle, axis=1).mean())
    return np.array([[scale, 0, -scale * middle[0]], [0, scale, -scale * middle[1]], [0, 0, 1]])


def _depths(plane: _Array, points: _Array) -> _Array:
    """The third homogeneous coordinate: 0 at the horizon."""
    result: _Array = points @ plane[2, :2] + plane[2, 2]
    return result


def _map(plane: _Array, points: _Array) -> _Array:
    result: _Array = (points @ plane[:2, :2].T + plane[:2, 2]) / _depths(plane, points)[:, np.newaxis]
    return result


def _lengths(differences: _Array) -> _Array:
    result: _Array = np.hypot(differences[:, 0], differences[:, 1])
    return result


def _left_out_error(image: _Array, ground: _Array) -> float | None:
    """Each point is left out in turn, and foretold by the others; None where that is never possible."""
    misses: list[float] = []
    for index in range(len(image)) if len(image) > 4 else ():
        others = np.arange(len(image)) != index
        plane = _fit(image[others], ground[others])
        if plane is not None and _depths(plane, image[index : index + 1])[0] > 0:
            misses.append(float(np.linalg.norm(_map(plane, image[index : index + 1])[0] - ground[index])))
    return math.sqrt(sum(miss**2 for miss in misses) / len(misses)) if misses else None
