"""Reads the truth of the MOTChallenge: one line a box, frames and ids counted from 1.

`frame,id,left,top,width,height,confidence,class,visibility`, with the class and the visibility left out in the oldest sets. A
confidence of 0 means that a box is not to be judged. Source: Milan et al., "MOT16", 2016, arXiv:1603.00831, and
https://motchallenge.net.
"""

from __future__ import annotations

import configparser
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.bench.truth import Annotations, Label, TruthBox
from lamppost.model.vision import Box

# Of MOT16 to MOT20. Static persons and reflections are what the set itself does not judge.
CLASSES: Final[Mapping[int, Label]] = {
    1: Label.PERSON,
    2: Label.PERSON,  # on a vehicle
    3: Label.VEHICLE,
    4: Label.BICYCLE,
    5: Label.VEHICLE,  # a motorbike
    6: Label.VEHICLE,  # without a motor
    7: Label.IGNORE,
    8: Label.IGNORE,
    12: Label.IGNORE,
    13: Label.IGNORE,
}


@dataclass(frozen=True, slots=True)
class Sequence:
    """What `seqinfo.ini` says: the folder of the pictures, their rate, their suffix, and how many there are (0 where it says nothing)."""

    pictures: str = "img1"
    fps: float = 25.0
    suffix: str = ".jpg"
    frame_count: int = 0


def read_mot(path: Path, classes: Mapping[int, Label] = CLASSES) -> Annotations:
    """The boxes in `path`, as `classes` counts their numbers; raises `ConfigError` with the line that is wrong.

    Lines without a class are of the first class of `classes`. What has a class that it does not name is ignored.
    """
    frames: dict[int, list[TruthBox]] = {}
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"the truth {path} cannot be read as text", remedy="is it a gt.txt?") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            frame, box = _parse(line, f"{path}, line {number}", classes)
            frames.setdefault(frame - 1, []).append(box)
    labels = frozenset(label for label in classes.values() if label is not Label.IGNORE)
    return Annotations(labels, {frame: tuple(boxes) for frame, boxes in frames.items()})


def _parse(line: str, where: str, classes: Mapping[int, Label]) -> tuple[int, TruthBox]:
    try:
        values = [float(value) for value in line.split(",")]
    except ValueError as error:
        raise ConfigError(f"{where}: holds what is no number", remedy="lines are frame,id,left,top,width,height,…") from error
    if len(values) < 6 or not all(math.isfinite(value) for value in values) or values[0] < 1 or min(values[4:6]) < 0:
        raise ConfigError(f"{where}: is no box", remedy="lines are frame,id,left,top,width,height,… with frames counted from 1")
    left, top, width, height = values[2:6]
    label = classes.get(int(values[7]), Label.IGNORE) if len(values) > 7 and values[7] >= 0 else next(iter(classes.values()))
    if len(values) > 6 and values[6] == 0:
        label = Label.IGNORE
    return int(values[0]), TruthBox(label, Box(left, top, left + width, top + height), int(values[1]))


def read_sequence(path: Path) -> Sequence:
    """`seqinfo.ini`, or what is usual where it is not there; raises `ConfigError` when it cannot be read."""
    if not path.is_file():
        return Sequence()
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
        part = parser["Sequence"]
        rate, length = float(part.get("frameRate", "25")), int(part.get("seqLength", "0"))
        sequence = Sequence(part.get("imDir", "img1"), rate, part.get("imExt", ".jpg"), length)
    except (OSError, UnicodeDecodeError, configparser.Error, KeyError, ValueError) as error:
        raise ConfigError(
            f"{path} cannot be read", remedy="it has a section [Sequence] with imDir, frameRate, imExt and seqLength"
        ) from error
    if not 0 < sequence.fps <= 1000:
        raise ConfigError(f"{path}: frameRate {sequence.fps:g} is no rate")
    if not 0 <= sequence.frame_count <= 1_000_000:
        raise ConfigError(f"{path}: seqLength {sequence.frame_count} is no number of pictures")
    return sequence
