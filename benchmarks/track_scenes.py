"""Made-up streets whose truth is known: who walks, rides and drives, and what a detector would say of it at any frame rate.

A flat ground seen by a camera on a pole. People walk at 1.4 m/s, some in pairs, some stop for a while; bicycles and vehicles keep to
lanes. Who is nearer hides who is behind: a half hidden body is found less often and as a cut box, a hidden one is not found. The
detector jitters, misses for a fraction of a second at a time, and sees things that are not there. One seed is one street, of which
each frame rate shows the same movements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamppost.bench.mot_tracks import MotBoxes

WIDTH_PX: Final = 1280
HEIGHT_PX: Final = 720
_HORIZON_PX: Final = 60.0
_PX_A_M_PER_ROW: Final = 0.135  # pixels per metre grow so fast below the horizon
_STEP_S: Final = 0.02
_JUDGED_VISIBLE: Final = 0.1


@dataclass(frozen=True, slots=True)
class Mover:
    """A class of things: its size in metres, its speed in m/s, how much it wanders."""

    height_m: float
    width_m: float
    speed: float
    wander: float


PERSON: Final = Mover(1.75, 0.6, 1.4, 0.35)
BICYCLE: Final = Mover(1.75, 1.5, 4.5, 0.5)
VEHICLE: Final = Mover(1.6, 4.0, 10.0, 0.8)


@dataclass(frozen=True, slots=True)
class Scene:
    """The truth and the detections of one street at one frame rate; both judged in `frame_count` frames."""

    name: str
    fps: float
    frame_count: int
    truth: MotBoxes
    detections: MotBoxes


@dataclass(frozen=True, slots=True)
class Street:
    """What moves, second by second: `places` of shape (things, steps, 4) as left, top, width, height, NaN where it is not there."""

    places: NDArray[np.float64]
    miss_draws: NDArray[np.float64]
    slips: NDArray[np.float64]
    duration_s: float


def make_street(seed: int, *, people: int = 14, bicycles: int = 2, vehicles: int = 3, duration_s: float = 20.0) -> Street:
    """Everybody's path, from one seed."""
    rng = np.random.default_rng(seed)
    steps = round(duration_s / _STEP_S)
    paths = list[NDArray[np.float64]]()
    for mover, count in ((PERSON, people), (BICYCLE, bicycles), (VEHICLE, vehicles)):
        while count > 0:
            path = _path(rng, mover, steps)
            paths.append(path)
            count -= 1
            if mover is PERSON and count > 0 and rng.random() < 0.3:
                beside = path + np.array([rng.choice([-1, 1]) * rng.uniform(0.6, 0.9), rng.uniform(-0.4, 0.4)])
                paths.append(beside + 0.08 * _smooth_noise(rng, steps, 1.0))
                count -= 1
    movers = np.repeat(np.arange(3), (people, bicycles, vehicles))
    places = np.stack([_boxes(path, (PERSON, BICYCLE, VEHICLE)[kind], rng) for path, kind in zip(paths, movers, strict=True)])
    # Detectors miss for a while, not for a frame: a wandering draw for each thing.
    draws = np.stack([_uniform(_smooth_noise(rng, steps, 0.15)[:, 0]) for _ in paths])
    # They also err for a while in the same way; as measured on public detections, half of it changes from frame to frame.
    slips = np.stack([np.hstack([_smooth_noise(rng, steps, 0.3), _smooth_noise(rng, steps, 0.3)]) for _ in paths])
    return Street(places, draws, slips, duration_s)


def film(name: str, street: Street, fps: float, seed: int, *, dropped: float = 0.0, sway_px: float = 0.0) -> Scene:
    """What a camera sees of `street`, and what a detector says of it.

    `dropped` is the share of frames that yield no detection at all, `sway_px` how far the pole swings (one standard deviation).
    """
    rng = np.random.default_rng([seed, round(fps * 100)])
    frame_count = int(street.duration_s * fps)
    truth, found = list[list[float]](), list[list[float]]()
    sways = sway_px * _smooth_noise(np.random.default_rng([seed, 1]), street.places.shape[1], 1.5)
    ghosts = rng.uniform((0, 150, 25, 60), (WIDTH_PX, 600, 60, 150), (3, 4))
    for frame in range(frame_count):
        step = min(round(frame / fps / _STEP_S), street.places.shape[1] - 1)
        boxes = street.places[:, step] + np.array([*sways[step], 0, 0])
        ids = np.flatnonzero(~np.isnan(boxes[:, 0]))
        order = ids[np.argsort(-(boxes[ids, 1] + boxes[ids, 3]))]  # the nearest first
        is_dropped = rng.random() < dropped
        for rank, thing in enumerate(order):
            visible, cut = _seen_part(boxes[thing], boxes[order[:rank]])
            if visible >= _JUDGED_VISIBLE:
                truth.append([frame, thing + 1, *boxes[thing], 1])
            chance = np.interp(visible, (0.2, 0.45, 0.7, 1.0), (0.0, 0.5, 0.93, 0.97))
            if is_dropped or street.miss_draws[thing, step] > chance:
                continue
            extent = np.sqrt(boxes[thing, 2] * boxes[thing, 3])
            slip = (0.8 * street.slips[thing, step] + 0.6 * rng.normal(0, 1, 4)) * (0.055, 0.055, 0.1, 0.1) * extent
            box = (cut if visible < 0.7 else boxes[thing]) + slip
            box[:2] -= slip[2:] / 2
            score = np.clip(0.35 + 0.6 * visible + rng.normal(0, 0.1), 0.12, 0.99)
            found.append([frame, -1, box[0], box[1], max(4.0, box[2]), max(4.0, box[3]), score])
        if not is_dropped:
            found += [[frame, -1, *ghost, rng.uniform(0.2, 0.8)] for ghost in ghosts if rng.random() < 0.05]
    return Scene(name, fps, frame_count, _as_boxes(truth), _as_boxes(found))


def as_motion(scene: Scene) -> Scene:
    """What a detector of motion would say of it: boxes that touch are one box, and all are as sure."""
    rows = list[list[float]]()
    for frame in range(scene.frame_count):
        boxes = scene.detections.boxes_xywh_px[scene.detections.frames == frame]
        corners = [(x, y, x + width, y + height) for x, y, width, height in boxes.tolist()]
        rows += [[frame, -1, x0, y0, x1 - x0, y1 - y0, 1.0] for x0, y0, x1, y1 in _united(corners)]
    return Scene(f"{scene.name}, motion", scene.fps, scene.frame_count, scene.truth, _as_boxes(rows))


def _united(corners: list[tuple[float, float, float, float]]) -> list[tuple[float, float, float, float]]:
    """Boxes that do not touch: those that did are one."""
    apart = list[tuple[float, float, float, float]]()
    for box in corners:
        touching = box
        while True:
            near = [
                other
                for other in apart
                if min(touching[2], other[2]) > max(touching[0], other[0]) and min(touching[3], other[3]) > max(touching[1], other[1])
            ]
            if not near:
                break
            apart = [other for other in apart if other not in near]
            together = [touching, *near]
            touching = (
                min(each[0] for each in together),
                min(each[1] for each in together),
                max(each[2] for each in together),
                max(each[3] for each in together),
            )
        apart.append(touching)
    return apart


def _path(rng: np.random.Generator, mover: Mover, steps: int) -> NDArray[np.float64]:
    """Metres from the middle and from the camera, shape (steps, 2); it passes in front of the camera at a time drawn at random."""
    along = rng.choice([-1.0, 1.0])
    slope = rng.normal(0, 0.5) if mover is PERSON else rng.normal(0, 0.05)
    heading = np.array([along, slope]) / np.hypot(along, slope)
    speed = mover.speed * rng.uniform(0.7, 1.3)
    pace = np.full(steps, speed)
    if rng.random() < 0.25:
        begin = rng.integers(0, steps)
        pace[begin : begin + int(rng.uniform(2, 6) / _STEP_S)] *= 0.02
    way = np.cumsum(pace) * _STEP_S
    drift = np.cumsum(mover.wander * _smooth_noise(rng, steps, 0.8), axis=0) * _STEP_S
    middle = rng.integers(0, steps)
    place = np.array([rng.uniform(-4, 4), rng.uniform(8, 30)])
    result: NDArray[np.float64] = place + (way - way[middle])[:, np.newaxis] * heading + drift - drift[middle]
    return result


def _boxes(path: NDArray[np.float64], mover: Mover, rng: np.random.Generator) -> NDArray[np.float64]:
    """The path as boxes in the picture; NaN where too little of it is in."""
    size = rng.uniform(0.9, 1.1)
    px_a_m = 900 / np.maximum(path[:, 1], 4.0)
    foot = _HORIZON_PX + px_a_m / _PX_A_M_PER_ROW * 0.55
    stride = 1 + (0.12 * np.sin(np.arange(len(path)) * _STEP_S * 2 * np.pi * 0.9 + rng.uniform(0, 6)) if mover is PERSON else 0)
    width, height = size * mover.width_m * px_a_m * stride, size * mover.height_m * px_a_m
    left = WIDTH_PX / 2 + path[:, 0] * px_a_m - width / 2
    result = np.stack([left, foot - height, width, height], axis=-1)
    inside = (left + width / 2 > 0) & (left + width / 2 < WIDTH_PX) & (foot < HEIGHT_PX + 40) & (path[:, 1] > 5) & (path[:, 1] < 45)
    result[~inside] = np.nan
    return result


def _seen_part(box: NDArray[np.float64], before: NDArray[np.float64]) -> tuple[float, NDArray[np.float64]]:
    """The visible share of a box that others stand before, and the box around what is seen of it."""
    x = box[0] + box[2] * (np.arange(8) + 0.5) / 8
    y = box[1] + box[3] * (np.arange(12) + 0.5) / 12
    seen = np.ones((12, 8), np.bool_)
    for other in before:
        # A body fills the middle of its box.
        margin = 0.12 * other[2]
        across = (x > other[0] + margin) & (x < other[0] + other[2] - margin)
        seen &= ~(across[np.newaxis] & ((y > other[1]) & (y < other[1] + other[3]))[:, np.newaxis])
    if not seen.any():
        return 0.0, box
    columns, rows = np.flatnonzero(seen.any(axis=0)), np.flatnonzero(seen.any(axis=1))
    cell_x, cell_y = box[2] / 8, box[3] / 12
    cut = np.array(
        [
            box[0] + columns[0] * cell_x,
            box[1] + rows[0] * cell_y,
            (columns[-1] - columns[0] + 1) * cell_x,
            (rows[-1] - rows[0] + 1) * cell_y,
        ]
    )
    return float(seen.mean()), cut


def _smooth_noise(rng: np.random.Generator, steps: int, fade_s: float) -> NDArray[np.float64]:
    """Two wandering values of variance 1 that forget themselves in `fade_s`, shape (steps, 2)."""
    kept = np.exp(-_STEP_S / fade_s)
    noise = rng.normal(0, 1, (steps, 2))
    values = np.empty((steps, 2))
    values[0] = noise[0]
    for step in range(1, steps):
        values[step] = kept * values[step - 1] + np.sqrt(1 - kept**2) * noise[step]
    return values


def _uniform(normal: NDArray[np.float64]) -> NDArray[np.float64]:
    """Normal values as their share from 0 to 1 (the logistic curve is near enough)."""
    result: NDArray[np.float64] = 1 / (1 + np.exp(-1.702 * normal))
    return result


def _as_boxes(rows: list[list[float]]) -> MotBoxes:
    values = np.array(rows, np.float64).reshape(-1, 7)
    return MotBoxes(
        values[:, 0].astype(np.int64), values[:, 1].astype(np.int64), values[:, 2:6], values[:, 6], np.zeros(len(values), np.int64)
    )
