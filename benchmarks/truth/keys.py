"""Boxes typed at key frames, and the boxes of all frames that follow from them."""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

CLASSES = {"head": 1, "person": 2, "vehicle": 3, "face": 4, "bicycle": 5, "ignore": 9}
LEAST_SIDE_PX = 2.0  # what the edge of the picture leaves of a box, below which nothing is left to mask


class Box(NamedTuple):
    """Pixels of the decoded frame; may lie partly outside of it."""

    left: float
    top: float
    width: float
    height: float

    def cut_to(self, width_px: int, height_px: int) -> Box:
        """The part of the box that lies in a picture of this size; sides of 0 or less where there is none."""
        left, top = max(self.left, 0.0), max(self.top, 0.0)
        right, bottom = min(self.left + self.width, width_px), min(self.top + self.height, height_px)
        return Box(left, top, right - left, bottom - top)


@dataclass(frozen=True, slots=True)
class KeyedObject:
    """One head, face, body or vehicle, from its first key to its last; boxes are linear between two keys."""

    number: int
    class_name: str
    keys: tuple[tuple[int, Box], ...]  # frames (1-based) ascend
    gone: tuple[tuple[int, int], ...]  # first and last frame of spans in which it is hidden

    def boxes(self) -> Iterator[tuple[int, Box]]:
        """Frame and box, for every frame in which the object is to be seen."""
        for frame in range(self.keys[0][0], self.keys[-1][0] + 1):
            if not any(first <= frame <= last for first, last in self.gone):
                yield frame, self._box_at(frame)

    def _box_at(self, frame: int) -> Box:
        after = bisect_right(self.keys, frame, key=lambda key: key[0])
        earlier, before = self.keys[after - 1]
        if after == len(self.keys):
            return before
        later, behind = self.keys[after]
        share = (frame - earlier) / (later - earlier)
        return Box(*(a + (b - a) * share for a, b in zip(before, behind, strict=True)))


@dataclass(frozen=True, slots=True)
class ClipKeys:
    """What was typed for one clip."""

    frames: int
    width_px: int
    height_px: int
    objects: tuple[KeyedObject, ...]

    def mot_text(self) -> str:
        """The boxes of all frames, one a line, as motchallenge.net writes truth.

        A line is frame, id, left, top, width, height, confidence (0: ignore), class, visibility; the last is the part
        of the box that lies in the picture.
        """
        lines = [line for each in self.objects for line in self._lines(each)]
        return "".join(text + "\n" for *_, text in sorted(lines))

    def _lines(self, each: KeyedObject) -> Iterator[tuple[int, int, str]]:
        number = CLASSES[each.class_name]
        for frame, whole in each.boxes():
            box = whole.cut_to(self.width_px, self.height_px)
            if min(box.width, box.height) < LEAST_SIDE_PX:
                continue
            visible = box.width * box.height / (whole.width * whole.height)
            sides = ",".join(f"{side:.1f}" for side in box)
            yield frame, each.number, f"{frame},{each.number},{sides},{int(each.class_name != 'ignore')},{number},{visible:.2f}"


def read_keys(path: Path) -> ClipKeys:
    """The keys in a file; `ValueError` names the file and the object that cannot be meant so."""
    content = tomllib.loads(path.read_text(encoding="utf-8"))
    width_px, height_px = content["size"]
    objects = tuple(
        KeyedObject(
            number=each["id"],
            class_name=each["class"],
            keys=tuple((int(frame), Box(*map(float, box))) for frame, *box in each["keys"]),
            gone=tuple((first, last) for first, last in each.get("gone", [])),
        )
        for each in content["object"]
    )
    numbers = [each.number for each in objects]
    for each in objects:
        if complaint := _complaint(each, content["frames"]) or ("its id occurs twice" if numbers.count(each.number) > 1 else ""):
            raise ValueError(f"{path.name}: object {each.number}: {complaint}")
    return ClipKeys(content["frames"], width_px, height_px, objects)


def _complaint(each: KeyedObject, frames: int) -> str:
    numbers = [frame for frame, _ in each.keys]
    if each.class_name not in CLASSES:
        return f"{each.class_name} is none of {', '.join(CLASSES)}"
    if not numbers or numbers != sorted(set(numbers)) or numbers[0] < 1 or numbers[-1] > frames:
        return f"the frames of its keys must ascend from 1 to {frames}"
    if any(min(box.width, box.height) <= 0 for _, box in each.keys):
        return "a box without an area"
    if any(not numbers[0] < first <= last < numbers[-1] for first, last in each.gone):
        return "it can be gone only between its first key and its last"
    return ""
