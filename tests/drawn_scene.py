"""A drawn place with people in it, for whoever watches motion."""

from __future__ import annotations

import cv2
import numpy as np

from lamppost.detect.motion import MotionDetector
from lamppost.model.vision import Box, Frame

WIDTH, HEIGHT = 640, 360
SPRITE = (34, 90)  # width and height of the drawn person


class Scene:
    """A textured place with sensor noise, in which things can be drawn."""

    def __init__(self, seed=1, noise=2.0):
        self._random = np.random.default_rng(seed)
        coarse = self._random.uniform(70, 180, (9, 16)).astype(np.float32)
        fine = self._random.uniform(-12, 12, (90, 160)).astype(np.float32)
        self.place = cv2.resize(coarse, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
        self.place += cv2.resize(fine, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
        self.thing = self._random.uniform(20, 230, (SPRITE[1], SPRITE[0])).astype(np.float32)
        self.thing = cv2.GaussianBlur(self.thing, (0, 0), 4) * 0.6 + 10
        self._noise = noise

    def frame(self, at_s, things=(), gain=1.0, offset=0.0, shift=(0, 0)):
        luma = np.roll(self.place, shift, axis=(0, 1)).copy()
        for x, y in ((int(x), int(y)) for x, y in things):
            x0, y0, x1, y1 = max(0, x), max(0, y), min(WIDTH, x + SPRITE[0]), min(HEIGHT, y + SPRITE[1])
            if x1 > x0 and y1 > y0:
                luma[y0:y1, x0:x1] = self.thing[y0 - y : y1 - y, x0 - x : x1 - x]
        luma = luma * gain + offset + self._random.normal(0, self._noise, luma.shape)
        picture = np.full((HEIGHT * 3 // 2, WIDTH), 128, np.uint8)
        picture[:HEIGHT] = np.clip(np.rint(luma), 16, 235)
        return Frame(picture, round(at_s * 90_000), round(at_s * 1_000_000))


def truth(x, y):
    return Box(x, y, x + SPRITE[0], y + SPRITE[1]).clipped(WIDTH, HEIGHT)


def settled(scene, fps=10, until_s=3.0, settings=None, **drawn):
    detector = MotionDetector(settings)
    for index in range(int(until_s * fps)):
        observation = detector.observe(scene.frame(index / fps, **drawn))
    assert observation.is_settled
    return detector


class Lamp(Scene):
    """A lamp shines on a part of the place, with a soft rim."""

    def __init__(self, strength):
        super().__init__()
        spot = np.zeros((HEIGHT, WIDTH), np.float32)
        cv2.ellipse(spot, (400, 240), (70, 40), 0, 0, 360, 1, -1)
        self.dark, self.lit = self.place.copy(), self.place * (1 + strength * cv2.GaussianBlur(spot, (0, 0), 12))

    def frame(self, at_s, *, is_on, **drawn):
        self.place = self.lit if is_on else self.dark
        return super().frame(at_s, **drawn)
