"""Draws the simulated street's scenery, walkers and vehicles once, ready to be laid into pictures.

The walkers' one face is cut from NASA's public-domain portrait of Eileen Collins.
Everything else is polygons.
"""

from __future__ import annotations

from dataclasses import dataclass
from importlib import resources

import cv2
import numpy as np
from numpy.typing import NDArray

from lamppost.model.i420 import chroma_of, luma_of
from lamppost.model.vision import Box

Picture = NDArray[np.uint8]

# 152x170 pixels of the portrait, and the face within them.
_HEAD_PICTURE = resources.files("lamppost.ingest") / "pictures" / "head.png"
_FACE_IN_HEAD = (0.16, 0.22, 0.84, 1.0)
_HEADS_PER_BODY = 6.0
WALK_POSES = 8
_SKIN = (150, 180, 225)
_COATS = [(60, 60, 160), (140, 80, 40), (50, 120, 60), (90, 90, 90), (40, 140, 190), (130, 60, 120), (30, 30, 40), (170, 150, 120)]
# From the rear over the wheels to the bonnet, as shares of length and height.
_CAR_OUTLINE = [(0.0, 0.5), (0.02, 0.85), (0.98, 0.85), (1.0, 0.55), (0.82, 0.44), (0.68, 0.04), (0.28, 0.04), (0.14, 0.44)]
_PAINTS = [(40, 40, 170), (150, 90, 40), (200, 200, 205), (60, 60, 65), (60, 120, 50), (40, 160, 200)]


@dataclass(frozen=True, slots=True)
class Sprite:
    """A small picture with a mask, in the planes of I420.

    `luma` (h, w), `chroma` (2, h/2, w/2), uint8, limited range; `mask` and
    `chroma_mask` (bool) say what is opaque. Width and height are even. `face`
    is in pixels of the sprite, None when there is none to see.
    """

    luma: Picture
    chroma: Picture
    mask: NDArray[np.bool_]
    chroma_mask: NDArray[np.bool_]
    face: Box | None = None

    @property
    def width_px(self) -> int:
        return int(self.luma.shape[1])

    @property
    def height_px(self) -> int:
        return int(self.luma.shape[0])


def to_i420(bgr: Picture) -> Picture:
    """BGR (h, w, 3) as I420 (h * 3/2, w), BT.601 limited range; h and w even."""
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _sprite(bgr: Picture, mask: Picture, face: Box | None = None) -> Sprite:
    i420 = to_i420(bgr)
    luma, chroma = luma_of(i420), chroma_of(i420)
    opaque = mask > 127
    return Sprite(luma.copy(), chroma.copy(), opaque, np.ascontiguousarray(opaque[::2, ::2]), face)


def _even(value: float) -> int:
    return max(2, 2 * round(value / 2))


class _Head:
    """The test face at one size: picture and oval mask."""

    def __init__(self, height_px: int) -> None:
        bgr: Picture = np.asarray(cv2.imdecode(np.frombuffer(_HEAD_PICTURE.read_bytes(), np.uint8), cv2.IMREAD_COLOR), np.uint8)
        width = _even(height_px * bgr.shape[1] / bgr.shape[0])
        self.bgr = np.asarray(cv2.resize(bgr, (width, height_px), interpolation=cv2.INTER_AREA), np.uint8)
        self.mask = np.zeros((height_px, width), np.uint8)
        cv2.ellipse(self.mask, (width // 2, height_px // 2), (width // 2 - 1, height_px // 2 - 1), 0, 0, 360, 255, -1)

    def face_at(self, left: int) -> Box:
        height, width = self.mask.shape
        x0, y0, x1, y1 = _FACE_IN_HEAD
        return Box(left + x0 * width, y0 * height, left + x1 * width, y1 * height)


def walker_sprites(head_px: int, coat: int) -> tuple[tuple[Sprite, ...], tuple[Sprite, ...]]:
    """The poses of one walker, going right and going left; standing is pose 0."""
    head = _Head(_even(head_px))
    right = tuple(_walker(head, coat, pose, is_left=False) for pose in range(WALK_POSES))
    left = tuple(_walker(head, coat, pose, is_left=True) for pose in range(WALK_POSES))
    return right, left


def _walker(head: _Head, coat: int, pose: int, *, is_left: bool) -> Sprite:
    head_height, head_width = head.mask.shape
    height, width = _even(head_height * _HEADS_PER_BODY), _even(head_height * 2.6)
    canvas, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    middle, hips, shoulders = width // 2, round(height * 0.55), round(head_height * 1.12)
    swing = np.sin(2 * np.pi * pose / WALK_POSES) * (-1 if is_left else 1)
    colour = _COATS[coat % len(_COATS)]
    trousers = tuple(value // 2 for value in _COATS[(coat + 3) % len(_COATS)])
    stride, thick = head_height * 0.85, max(2, round(head_height * 0.38))
    for side in (1, -1):
        foot = (round(middle + side * swing * stride), height - thick // 2 - 1)
        _limb(canvas, mask, (middle + side * thick // 3, hips), foot, trousers, thick)
        hand = (round(middle - side * swing * stride * 0.8 + side * head_height * 0.5), hips + thick // 2)
        _limb(canvas, mask, (middle + side * round(head_height * 0.5), shoulders + thick), hand, colour, max(2, thick * 3 // 4))
    torso = np.array(
        [
            (middle - round(head_height * 0.62), shoulders),
            (middle + round(head_height * 0.62), shoulders),
            (middle + round(head_height * 0.5), hips + thick // 2),
            (middle - round(head_height * 0.5), hips + thick // 2),
        ],
        np.int32,
    )
    cv2.fillPoly(canvas, [torso], colour)
    cv2.fillPoly(mask, [torso], (255,))
    _limb(canvas, mask, (middle, round(head_height * 0.8)), (middle, shoulders), _SKIN, max(2, head_height // 3))
    left = middle - head_width // 2
    oval = head.mask > 127
    canvas[:head_height, left : left + head_width][oval] = head.bgr[oval]
    mask[:head_height, left : left + head_width][oval] = 255
    return _sprite(canvas, mask, head.face_at(left))


def _limb(canvas: Picture, mask: Picture, start: tuple[int, int], end: tuple[int, int], colour: tuple[int, ...], thick: int) -> None:
    cv2.line(canvas, start, end, colour, thick, cv2.LINE_AA)
    cv2.line(mask, start, end, (255,), thick)


def vehicle_sprite(length_px: int, paint: int, *, is_left: bool) -> Sprite:
    """A car from the side, with windows, wheels and a plate; 0.4 as high as long."""
    width, height = _even(length_px), _even(length_px * 0.4)
    canvas, mask = np.zeros((height, width, 3), np.uint8), np.zeros((height, width), np.uint8)
    colour = _PAINTS[paint % len(_PAINTS)]
    body = _points(
        width, height, [(0.0, 0.5), (0.02, 0.85), (0.98, 0.85), (1.0, 0.55), (0.82, 0.44), (0.68, 0.04), (0.28, 0.04), (0.14, 0.44)]
    )
    cv2.fillPoly(canvas, [body], colour)
    cv2.fillPoly(mask, [body], (255,))
    for window in ([(0.19, 0.42), (0.3, 0.1), (0.46, 0.1), (0.46, 0.42)], [(0.49, 0.42), (0.49, 0.1), (0.66, 0.1), (0.77, 0.42)]):
        cv2.fillPoly(canvas, [_points(width, height, window)], (90, 75, 60))
    for x in (0.2, 0.79):
        centre, radius = (round(width * x), round(height * 0.83)), round(height * 0.165)
        cv2.circle(canvas, centre, radius, (25, 25, 25), -1, cv2.LINE_AA)
        cv2.circle(mask, centre, radius, (255,), -1)
        cv2.circle(canvas, centre, radius // 2, (160, 160, 160), -1, cv2.LINE_AA)
    plate = (round(width * 0.87), round(height * 0.68)), (round(width * 0.97), round(height * 0.78))
    cv2.rectangle(canvas, *plate, (240, 240, 240), -1)
    if is_left:
        canvas, mask = np.ascontiguousarray(canvas[:, ::-1]), np.ascontiguousarray(mask[:, ::-1])
    return _sprite(canvas, mask)


def _points(width: int, height: int, shares: list[tuple[float, float]]) -> NDArray[np.int32]:
    return np.array([(round(x * (width - 1)), round(y * (height - 1))) for x, y in shares], np.int32)


def draw_scenery(width_px: int, height_px: int, random: np.random.Generator) -> Picture:
    """The street without anyone in it, as I420: sky, houses, trees, pavements, road."""
    scene = np.zeros((height_px, width_px, 3), np.uint8)

    def level(share: float) -> int:
        return round(height_px * share)

    scene[: level(0.46)] = (215, 190, 165)
    _draw_houses(scene, level(0.44), random)
    scene[level(0.44) : level(0.52)] = (150, 155, 160)
    scene[level(0.52) : level(0.76)] = (85, 85, 88)
    scene[level(0.76) :] = (158, 163, 168)
    for top in (0.515, 0.76):
        cv2.rectangle(scene, (0, level(top)), (width_px, level(top + 0.008)), (190, 190, 190), -1)
    dash = max(8, width_px // 16)
    for x in range(0, width_px, dash * 2):
        cv2.rectangle(scene, (x, level(0.635)), (x + dash, level(0.643)), (225, 225, 225), -1)
    _draw_slabs(scene, level(0.77), random)
    for _ in range(4):
        x = int(random.integers(0, width_px))
        cv2.rectangle(scene, (x - level(0.006), level(0.3)), (x + level(0.006), level(0.47)), (45, 65, 85), -1)
        for _ in range(12):
            spot = (x + int(random.integers(-level(0.06), level(0.06))), level(0.26) + int(random.integers(-level(0.07), level(0.07))))
            cv2.circle(scene, spot, level(0.035), (50, int(random.integers(95, 140)), 60), -1)
    # A still texture, as every real surface has: detectors and encoders meet no flat colour.
    grain = random.integers(-6, 7, scene.shape[:2], np.int16)[:, :, None]
    return to_i420(np.clip(scene.astype(np.int16) + grain, 0, 255).astype(np.uint8))


def _draw_houses(scene: Picture, ground: int, random: np.random.Generator) -> None:
    width, x = int(scene.shape[1]), 0
    while x < width:
        span = int(random.integers(width // 9, width // 5))
        top = round(ground * float(random.uniform(0.12, 0.4)))
        wall = [int(random.integers(110, 200)) for _ in range(3)]
        cv2.rectangle(scene, (x, top), (x + span, ground), wall, -1)
        cv2.rectangle(scene, (x, top), (x + span, top + max(2, ground // 40)), [value // 2 for value in wall], -1)
        pane = max(6, ground // 9)
        for row in range(top + pane, ground - pane * 2, pane * 2):
            for column in range(x + pane, x + span - pane, pane * 2):
                cv2.rectangle(scene, (column, row), (column + pane * 2 // 3, row + pane), (110, 90, 75), -1)
        x += span


def _draw_slabs(scene: Picture, top: int, random: np.random.Generator) -> None:
    height, width = scene.shape[:2]
    step = max(8, height // 18)
    for row, y in enumerate(range(top, height, step)):
        cv2.line(scene, (0, y), (width, y), (140, 145, 150), 1)
        for x in range(-(row % 2) * step, width, step * 2):
            cv2.line(scene, (x, y), (x, y + step), (140, 145, 150), 1)
            if random.random() < 0.15:
                cv2.rectangle(scene, (x + 1, y + 1), (x + step * 2 - 1, y + step - 1), (148, 153, 160), -1)
