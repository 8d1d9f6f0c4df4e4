"""A street that nobody lives in: deterministic pictures with known truth, for tests and the demo.

Picture `n` depends on the settings and on `n` alone, so any picture can be made
at any time, on any machine, and compared with what came out of the pipeline.
"""

from __future__ import annotations

import csv
import io
import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamppost.ingest.sprites import WALK_POSES, Picture, Sprite, draw_scenery, vehicle_sprite, walker_sprites
from lamppost.ingest.strip import burn_frame_number
from lamppost.model.i420 import chroma_of, luma_of
from lamppost.model.vision import Box, Kind

# A thing of which less than this share shows is not in the truth: nobody could see it.
_LEAST_SHOWN = {Kind.FACE: 0.25, Kind.PERSON: 0.1, Kind.VEHICLE: 0.1}
_NOISE_PATTERNS = 8
# Head heights at 720 lines; those far away are the smaller.
_HEAD_FAR_PX, _HEAD_NEAR_PX = 28, 46
_REFERENCE_HEIGHT_PX = 720


@dataclass(frozen=True, slots=True)
class StreetSettings:
    """What a `sim://` address says. `seed` picks the scenery and everyone's way."""

    seed: int = 1
    people: int = 8
    vehicles: int = 4
    width_px: int = 1280
    height_px: int = 720
    fps: int = 15
    has_noise: bool = False


@dataclass(frozen=True, slots=True)
class TruthBox:
    """Where something really is. `object_id` is the same in every picture of the street."""

    kind: Kind
    box: Box
    object_id: int


@dataclass(frozen=True, slots=True)
class _Mover:
    """Someone or something that crosses the picture over and over, resting once on the way."""

    object_id: int
    kind: Kind
    right: tuple[Sprite, ...]
    left: tuple[Sprite, ...]
    foot_px: int
    speed_px_s: float
    phase_s: float
    rest_at: float
    rest_s: float
    turns: bool

    def place(self, time_s: float, width_px: int) -> tuple[Sprite, int, int]:
        """The sprite and its left top corner (even numbers) at `time_s`."""
        extent = self.right[0].width_px
        way_px = width_px + 2 * extent
        crossing_s = way_px / self.speed_px_s + self.rest_s
        crossing, within_s = divmod(time_s + self.phase_s, crossing_s)
        rest_begins_s = self.rest_at * way_px / self.speed_px_s
        moving_s = min(within_s, rest_begins_s) + max(0.0, within_s - rest_begins_s - self.rest_s)
        done_px = moving_s * self.speed_px_s
        is_resting = rest_begins_s <= within_s < rest_begins_s + self.rest_s
        goes_left = (int(crossing) % 2 == 1) if self.turns else self.object_id % 2 == 1
        poses = self.left if goes_left else self.right
        # One full swing of the legs for each body width of ground.
        pose = 0 if is_resting else math.floor(done_px / extent * WALK_POSES) % len(poses)
        x = width_px + extent - done_px - extent if goes_left else done_px - extent
        sprite = poses[pose]
        return sprite, 2 * round(x / 2), self.foot_px - sprite.height_px


class Street:
    """Renders the street and knows the truth about it."""

    def __init__(self, settings: StreetSettings) -> None:
        self.settings = settings
        random = np.random.default_rng(settings.seed)
        self._scenery = draw_scenery(settings.width_px, settings.height_px, random)
        movers = [self._walker(index, random) for index in range(settings.people)]
        movers += [self._vehicle(index, random) for index in range(settings.vehicles)]
        # Painted from far to near.
        self._movers = tuple(sorted(movers, key=lambda mover: (mover.foot_px, mover.object_id)))
        shape = (_NOISE_PATTERNS, settings.height_px, settings.width_px)
        self._noise = random.integers(-3, 4, shape, np.int8) if settings.has_noise else None

    def _scale(self) -> float:
        return self.settings.height_px / _REFERENCE_HEIGHT_PX

    def _walker(self, index: int, random: np.random.Generator) -> _Mover:
        near = (index + float(random.uniform(0.0, 1.0))) / max(1, self.settings.people)
        is_far = index % 4 == 0
        head_px = (_HEAD_FAR_PX if is_far else _HEAD_FAR_PX + 4 + near * (_HEAD_NEAR_PX - _HEAD_FAR_PX - 4)) * self._scale()
        right, left = walker_sprites(max(8, round(head_px)), index)
        foot = (0.5 + 0.015 * near) if is_far else 0.8 + 0.19 * near
        return _Mover(
            object_id=index,
            kind=Kind.PERSON,
            right=right,
            left=left,
            foot_px=2 * round(self.settings.height_px * foot / 2),
            speed_px_s=float(random.uniform(55, 110)) * self._scale(),
            phase_s=float(random.uniform(0, 60)),
            rest_at=float(random.uniform(0.3, 0.7)),
            rest_s=float(random.uniform(4, 10)) if index % 3 == 1 else 0.0,
            turns=True,
        )

    def _vehicle(self, index: int, random: np.random.Generator) -> _Mover:
        is_left = (self.settings.people + index) % 2 == 1
        length = (230 if is_left else 290) * self._scale()
        sprites = tuple(vehicle_sprite(round(length), index, is_left=flipped) for flipped in (False, True))
        return _Mover(
            object_id=self.settings.people + index,
            kind=Kind.VEHICLE,
            right=(sprites[0],),
            left=(sprites[1],),
            foot_px=2 * round(self.settings.height_px * (0.63 if is_left else 0.745) / 2),
            speed_px_s=float(random.uniform(180, 300)) * self._scale(),
            phase_s=float(random.uniform(0, 30)),
            rest_at=0.5,
            # A parked minute in the middle of its way, for one vehicle in four.
            rest_s=8.0 if index % 4 == 3 else 0.0,
            turns=False,
        )

    def frame(self, index: int, out: Picture | None = None) -> Picture:
        """Picture `index` as I420, shape (height * 3 / 2, width), uint8, limited range.

        It is written to `out` when that is given.
        """
        picture = np.empty_like(self._scenery) if out is None else out
        np.copyto(picture, self._scenery)
        luma, chroma = luma_of(picture), chroma_of(picture)
        for _, sprite, x, y in self._placed(index):
            _blit(luma, sprite.luma, sprite.mask, x, y)
            for plane, source in zip(chroma, sprite.chroma, strict=True):
                _blit(plane, source, sprite.chroma_mask, x // 2, y // 2)
        if self._noise is not None:
            noisy = luma.astype(np.int16) + np.roll(self._noise[index % _NOISE_PATTERNS], index * 37 % 64, axis=1)
            np.copyto(luma, np.clip(noisy, 16, 235).astype(np.uint8))
        burn_frame_number(luma, chroma, index)
        return picture

    def truth(self, index: int) -> tuple[TruthBox, ...]:
        """What is to be seen in picture `index`: faces, persons, vehicles.

        Boxes end at the picture's edge. What others hide is left out: a face of
        which less than a quarter shows, a body of which less than a tenth does.
        """
        width, height = self.settings.width_px, self.settings.height_px
        owners = np.full((height, width), -1, np.int16)
        placed = list(self._placed(index))
        for mover, sprite, x, y in placed:
            _blit(owners, np.full(sprite.mask.shape, mover.object_id, np.int16), sprite.mask, x, y)
        boxes: list[TruthBox] = []
        for mover, sprite, x, y in placed:
            rows, columns = np.nonzero(sprite.mask)
            body = Box(x + float(columns.min()), y + float(rows.min()), x + columns.max() + 1.0, y + rows.max() + 1.0)
            area = float(sprite.mask.sum())
            candidates = [(mover.kind, body, area)]
            if sprite.face is not None:
                face = Box(x + sprite.face.x0, y + sprite.face.y0, x + sprite.face.x1, y + sprite.face.y1)
                candidates.append((Kind.FACE, face, face.area))
            for kind, box, whole in candidates:
                seen = box.clipped(width, height)
                if seen.width <= 0 or seen.height <= 0:
                    continue
                shown = owners[int(seen.y0) : math.ceil(seen.y1), int(seen.x0) : math.ceil(seen.x1)] == mover.object_id
                if float(shown.sum()) >= whole * _LEAST_SHOWN[kind]:
                    boxes.append(TruthBox(kind, seen, mover.object_id))
        return tuple(boxes)

    def centres(self, index: int) -> dict[int, float]:
        """Where everyone's middle is in picture `index`, in or beside it, as a share of its width, by `object_id`."""
        places = ((mover, sprite, x) for mover, sprite, x, _ in self._placed(index))
        return {mover.object_id: (x + sprite.width_px / 2) / self.settings.width_px for mover, sprite, x in places}

    def truth_csv(self, frames: int) -> str:
        """The truth of the first `frames` pictures: frame, object, kind, and the box in pixels."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(["frame", "object_id", "kind", "x0_px", "y0_px", "x1_px", "y1_px"])
        for index in range(frames):
            for truth in self.truth(index):
                box = truth.box
                corners = [f"{value:.1f}" for value in (box.x0, box.y0, box.x1, box.y1)]
                writer.writerow([index, truth.object_id, str(truth.kind), *corners])
        return text.getvalue()

    def _placed(self, index: int) -> list[tuple[_Mover, Sprite, int, int]]:
        time_s = index / self.settings.fps
        return [(mover, *mover.place(time_s, self.settings.width_px)) for mover in self._movers]


def _blit(plane: NDArray[np.generic], source: NDArray[np.generic], mask: NDArray[np.bool_], x: int, y: int) -> None:
    """Lay `source` on `plane` at (x, y) where `mask` is true; what lies outside is cut off."""
    height, width = plane.shape
    left, top = max(0, -x), max(0, -y)
    right, bottom = min(source.shape[1], width - x), min(source.shape[0], height - y)
    if left < right and top < bottom:
        part = slice(top, bottom), slice(left, right)
        np.copyto(plane[y + top : y + bottom, x + left : x + right], source[part], where=mask[part])
