"""What is drawn over a masked picture for who looks at the counting: lines, zones, words and numbers.

Points are shares of the picture's width and height, from its left top corner. There is no room for a thing or a person.
"""

from __future__ import annotations

from dataclasses import dataclass

from lamppost.model.rules import Point


@dataclass(frozen=True, slots=True)
class DrawnLine:
    """A line with an arrow that goes forward, and what crossed it each way. `is_raised` while an event goes on there."""

    points: tuple[Point, ...]
    name: str
    forward: int
    backward: int
    is_raised: bool = False


@dataclass(frozen=True, slots=True)
class DrawnZone:
    """The outline of a zone, with its name and a few words or a number, such as how many are in it."""

    points: tuple[Point, ...]
    name: str
    words: str
    is_raised: bool = False


@dataclass(frozen=True, slots=True)
class Drawing:
    """All of one picture. `title` stands left in a bar at its top and `time` right; `notes` stand in its lower left corner."""

    lines: tuple[DrawnLine, ...] = ()
    zones: tuple[DrawnZone, ...] = ()
    title: str = ""
    time: str = ""
    notes: tuple[str, ...] = ()
