"""Promise: a person's mask is a steady box; nobody can tell from it in what rhythm they walk.

Walkers whose boxes swing with every step are followed and masked. Then one who knows that people take 1.6 to 2.4 steps
a second looks for each walker's cadence in the spectrum of the drawn boxes. They may be right as often as chance has it,
which is found by exchanging the walkers' true cadences among each other, and not more often.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from lamppost.mask.planner import MaskPlanner
from lamppost.model.vision import Box, Detection, Kind
from lamppost.track.boxes import BoxTracker

WIDTH_PX, HEIGHT_PX = 2560, 1440
CADENCES_HZ = (1.6, 2.4)
WALK_S = 16.0
WALKERS = 150
CLOSE_HZ = 0.04  # a guess as near as this has found the cadence
PERMUTATIONS = 4000
_GRID_HZ = np.arange(CADENCES_HZ[0], CADENCES_HZ[1] + 1e-9, 0.01)

Sides = np.ndarray  # (frames, 4): left, top, right, bottom


@dataclass(frozen=True)
class Walker:
    """How someone walks past the camera; shares are of the body's height or width."""

    cadence_hz: float
    height_px: float
    speed_px_s: float
    width_swing: float
    height_swing: float
    jitter_px: float
    seed: int

    @classmethod
    def of(cls, seed: int) -> Walker:
        dice = np.random.default_rng(seed)
        height_px = float(np.exp(dice.uniform(np.log(60), np.log(600))))
        return cls(
            cadence_hz=float(dice.uniform(*CADENCES_HZ)),
            height_px=height_px,
            speed_px_s=height_px * float(dice.uniform(0.0, 0.8)) * float(dice.choice([-1, 1])),
            width_swing=float(dice.uniform(0.15, 0.35)),
            height_swing=float(dice.uniform(0.015, 0.04)),
            jitter_px=float(dice.uniform(0.0, 0.01)) * height_px,
            seed=seed,
        )

    def boxes(self, times_s: np.ndarray) -> list[Box]:
        """What a detector gives at those times: legs and arms swing the width, each step lifts the head."""
        dice = np.random.default_rng(self.seed + 10**6)
        phase = 2 * np.pi * self.cadence_hz * times_s + dice.uniform(0, 2 * np.pi)
        width = 0.35 * self.height_px * (1 + self.width_swing * np.sin(phase))
        top = 400 - self.height_px * self.height_swing * np.cos(phase)
        middle = WIDTH_PX / 2 + self.speed_px_s * (times_s - WALK_S / 2)
        noise = dice.normal(0, self.jitter_px, (len(times_s), 4))
        sides = np.stack([middle - width / 2, top, middle + width / 2, np.full_like(top, 400 + self.height_px)], axis=1) + noise
        return [Box(*side) for side in sides.tolist()]


def sides_of(boxes: list[Box]) -> Sides:
    return np.array([(box.x0, box.y0, box.x1, box.y1) for box in boxes])


def drawn(walker: Walker, *, fps: int, look_back_s: float, kind: Kind = Kind.PERSON) -> Sides:
    """The sides of what is painted in each frame, after tracking and planning; one detection in twenty is missed."""
    times_s = np.arange(round(WALK_S * fps)) / fps
    dice = np.random.default_rng(walker.seed + 2 * 10**6)
    tracker, planner = BoxTracker(hold_s=1.0), MaskPlanner(WIDTH_PX, HEIGHT_PX)
    held: list[float] = []
    painted: list[Box] = []
    for at_s, box in zip(times_s.tolist(), walker.boxes(times_s), strict=True):
        found = [Detection(kind, box, 0.9)] if dice.random() > 0.05 else []
        for track in tracker.update(at_s, found) if found else tracker.predict(at_s):
            planner.note(track.track_id, track.kind, track.box, at_s, is_seen=track.is_seen)
        held.append(at_s)
        while held and held[0] <= at_s - look_back_s + 1e-6:
            masks = planner.masks(held.pop(0))
            boxes = [Box(mask.x0, mask.y0, mask.x1, mask.y1) for mask in masks]
            if boxes:
                painted.append(boxes[0] if len(boxes) == 1 else boxes[0].union(boxes[1]))
    return sides_of(painted)


def series_of(sides: Sides) -> dict[str, np.ndarray]:
    """What an onlooker may measure, each without its trend."""
    x0, y0, x1, y1 = sides.T
    measured = {"left": x0, "top": y0, "right": x1, "bottom": y1, "width": x1 - x0, "height": y1 - y0, "middle": (x0 + x1) / 2}
    steps = np.arange(len(sides))
    return {name: values - np.polyval(np.polyfit(steps, values, 3), steps) for name, values in measured.items()}


def spectrum(values: np.ndarray, fps: int) -> np.ndarray:
    """Power at each cadence that people have; nothing but zeros where nothing changes."""
    windowed = values * np.hanning(len(values))
    waves = np.exp(-2j * np.pi * _GRID_HZ[:, None] * np.arange(len(values)) / fps)
    return np.abs(waves @ windowed) ** 2


def guesses(sides: Sides, fps: int, dice: np.random.Generator) -> dict[str, float]:
    """The cadence that each series shows most, and the one that all of them show together; a throw of dice where none is shown."""
    powers = {name: spectrum(values, fps) for name, values in series_of(sides).items()}
    powers["all"] = np.sum([power / power.sum() for power in powers.values() if power.sum() > 1e-6] or [np.zeros(len(_GRID_HZ))], axis=0)
    return {name: float(_GRID_HZ[power.argmax()] if power.max() > 1e-6 else dice.uniform(*CADENCES_HZ)) for name, power in powers.items()}


def found(guessed: np.ndarray, true: np.ndarray) -> int:
    return int(np.count_nonzero(np.abs(guessed - true) <= CLOSE_HZ))


def by_chance(guessed: np.ndarray, true: np.ndarray, dice: np.random.Generator) -> float:
    """So many are found by chance at most, but for one time in a thousand: eight onlookers look at six kinds of video."""
    return float(np.quantile([found(guessed, dice.permutation(true)) for _ in range(PERMUTATIONS)], 0.999))


def judge(all_sides: list[Sides], walkers: list[Walker], fps: int) -> dict[str, tuple[int, float]]:
    """For each onlooker how many cadences they found, and how many chance would."""
    dice = np.random.default_rng(7)
    each = [guesses(sides, fps, dice) for sides in all_sides]
    true = np.array([walker.cadence_hz for walker in walkers])
    outcome = {}
    for name in each[0]:
        guessed = np.array([guess[name] for guess in each])
        outcome[name] = (found(guessed, true), by_chance(guessed, true, dice))
    return outcome


@pytest.mark.parametrize("look_back_s", [0.5, 1.0])
@pytest.mark.parametrize("fps", [10, 25])
def test_no_cadence_is_found_in_what_is_painted(fps: int, look_back_s: float) -> None:
    walkers = [Walker.of(seed) for seed in range(WALKERS)]
    outcome = judge([drawn(walker, fps=fps, look_back_s=look_back_s) for walker in walkers], walkers, fps)
    assert {name: counts for name, counts in outcome.items() if counts[0] > counts[1]} == {}, outcome


@pytest.mark.parametrize("kind", [Kind.OBJECT, Kind.HEAD])
def test_nor_where_motion_or_a_head_is_masked(kind: Kind) -> None:
    walkers = [Walker.of(seed) for seed in range(1000, 1000 + WALKERS)]
    outcome = judge([drawn(walker, fps=10, look_back_s=0.5, kind=kind) for walker in walkers], walkers, 10)
    assert {name: counts for name, counts in outcome.items() if counts[0] > counts[1]} == {}, outcome


@pytest.mark.parametrize("fps", [10, 25])
def test_the_detections_show_it_plainly(fps: int) -> None:
    walkers = [Walker.of(seed) for seed in range(WALKERS)]
    times_s = np.arange(round(WALK_S * fps)) / fps
    outcome = judge([sides_of(walker.boxes(times_s)) for walker in walkers], walkers, fps)
    for name in ("width", "left", "right", "top", "height", "all"):
        assert outcome[name][0] >= 0.9 * WALKERS, outcome
        assert outcome[name][1] < 0.3 * WALKERS, outcome
