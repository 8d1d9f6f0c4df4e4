"""Scenes for what measures: a pinhole camera over flat ground, and things that go along paths before it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from lamppost.events.scene import Crossing, SceneNow
from lamppost.events.scene_reader import SceneReader
from lamppost.model.rules import CalibrationPoints, Correspondence, Way
from lamppost.model.vision import Box, Kind, Track

SIZE_PX = (1280, 720)
WALL_US = 1_700_000_040_000_000  # a whole minute
Path = Callable[[float], tuple[float, float] | None]


@dataclass(frozen=True)
class Pinhole:
    """Looks north from 0, 0; `down_deg` below the horizon; lengths in metres, and in shares of the picture."""

    height_m: float = 6.0
    down_deg: float = 20.0
    focal: float = 0.9  # of the picture's width
    aspect: float = SIZE_PX[0] / SIZE_PX[1]

    def to_image(self, east: float, north: float, up: float = 0.0) -> tuple[float, float]:
        down = math.radians(self.down_deg)
        lower = self.height_m - up
        depth = north * math.cos(down) + lower * math.sin(down)
        below = lower * math.cos(down) - north * math.sin(down)
        return 0.5 + self.focal * east / depth, 0.5 + self.focal * self.aspect * below / depth

    def correspondence(self, east: float, north: float) -> Correspondence:
        return Correspondence(image=self.to_image(east, north), map_m=(east, north))

    def to_ground(self, x: float, y: float) -> tuple[float, float]:
        down = math.radians(self.down_deg)
        right, below = (x - 0.5) / self.focal, (y - 0.5) / (self.focal * self.aspect)
        depth = self.height_m / (below * math.cos(down) + math.sin(down))
        return depth * right, depth * (math.cos(down) - below * math.sin(down))

    @property
    def horizon(self) -> float:
        """Its `y`; below 0 it is above the picture."""
        return 0.5 - self.focal * self.aspect * math.tan(math.radians(self.down_deg))

    def calibration(self) -> CalibrationPoints:
        """Four points of the ground near the corners of the picture."""
        far = max(0.05, self.horizon + 0.1)
        points = [(0.1, 0.95), (0.9, 0.95), (0.2, far), (0.8, far)]
        return CalibrationPoints(points=tuple(Correspondence(image=point, map_m=self.to_ground(*point)) for point in points))

    def box_of(self, east: float, north: float, heading: float, length_m: float, width_m: float, height_m: float) -> Box:
        """Around a block that stands there; `heading` in radians, 0 to the east."""
        corners = [
            self.to_image(
                east + along * math.cos(heading) - across * math.sin(heading),
                north + along * math.sin(heading) + across * math.cos(heading),
                up,
            )
            for along in (-length_m / 2, length_m / 2)
            for across in (-width_m / 2, width_m / 2)
            for up in (0.0, height_m)
        ]
        xs, ys = [x for x, _ in corners], [y for _, y in corners]
        width, height = SIZE_PX
        return Box(min(xs) * width, min(ys) * height, max(xs) * width, max(ys) * height)


def box_at(foot: tuple[float, float], height: float = 0.2, width: float = 0.06) -> Box:
    """A box, in pixels, that stands at `foot`, a share of the picture's width and height; `width` and `height` are shares too."""
    (x, y), (wide, high) = foot, SIZE_PX
    return Box((x - width / 2) * wide, (y - height) * high, (x + width / 2) * wide, y * high)


def person(track_id: int, foot: tuple[float, float], *, is_seen: bool = True, kind: Kind = Kind.PERSON) -> Track:
    return Track(track_id, kind, box_at(foot), is_seen)


def film(reader: SceneReader, paths: Sequence[Path], duration_s: float, fps: float = 12.5, start_s: float = 0.0) -> list[SceneNow]:
    """What is read of things on `paths`: the foot of each at a time, None while it is not in the picture."""
    scenes: list[SceneNow] = []
    for index in range(math.ceil(duration_s * fps - 1e-9) + 1):
        at_s = start_s + index / fps
        tracks = [person(number, foot) for number, path in enumerate(paths) if (foot := path(at_s)) is not None]
        scenes.append(reader.read(at_s, WALL_US + round(at_s * 1e6), tracks, SIZE_PX))
    return scenes


def straight(start: tuple[float, float], end: tuple[float, float], duration_s: float, begins_s: float = 0.0) -> Path:
    """From `start` to `end`; before and after it, it is not there."""

    def path(at_s: float) -> tuple[float, float] | None:
        share = (at_s - begins_s) / duration_s
        if not -1e-9 <= share <= 1 + 1e-9:
            return None
        return start[0] + share * (end[0] - start[0]), start[1] + share * (end[1] - start[1])

    return path


def crossings(scenes: Iterable[SceneNow | None]) -> list[Crossing]:
    return [crossing for scene in scenes if scene is not None for crossing in scene.crossings]


def net(found: Iterable[Crossing]) -> int:
    return sum(1 if crossing.way is Way.FORWARD else -1 for crossing in found)
