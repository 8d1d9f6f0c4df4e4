"""Draws what is counted over a masked picture, after it was masked: lines with their counts, zones, a bar with the time.

It takes a `MaskedFrame` and knows no other: what it covers, it covers more.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamppost.mask.paint import Blank, Rgb, draw_on
from lamppost.mask.plates import Ink, Lettering, Plate, text_px_for
from lamppost.mask.strokes import Outline, Pixels, Stroke, make_stroke
from lamppost.model.drawing import Drawing, DrawnLine, DrawnZone
from lamppost.model.rules import Point
from lamppost.model.vision import MaskedFrame

_WHITE: Final = Rgb(255, 255, 255)
_INK: Final = Rgb(18, 20, 26)
_LINE: Final = Rgb(255, 193, 7)
_ZONE: Final = Rgb(79, 195, 247)
_RAISED: Final = Rgb(255, 82, 82)
_MOST_KEPT: Final = 512  # shapes and words: those of a full rules file, and counts that change
_MOST_NOTES: Final = 8

Kept = TypeVar("Kept", Stroke, Plate)


class Annotator:
    """Draws over the pictures of one camera or clip. What stays the same from one to the next is drawn once, and copied then."""

    def __init__(self) -> None:
        self._blank: Blank | None = None
        self._board: _Board | None = None

    def annotate(self, frame: MaskedFrame, drawing: Drawing) -> MaskedFrame:
        """`frame` with `drawing` over it: in its own memory, and so the same frame, unless it shares its picture with others."""
        blank = Blank(frame.width_px, frame.height_px, frame.is_full_range)
        if self._board is None or blank != self._blank:
            self._blank, self._board = blank, _Board(blank)
        board = self._board
        return draw_on(frame, lambda i420: board.draw(i420, drawing))


class _Board:
    """All that is drawn over pictures of one size and range."""

    def __init__(self, blank: Blank) -> None:
        self._blank = blank
        self._lettering = Lettering(text_px_for(blank), is_full_range=blank.is_full_range)
        self._width_px = max(3, round(blank.height_px / 200))
        self._rim_px = max(1, round(blank.height_px / 400))
        self._strokes: OrderedDict[Hashable, Stroke] = OrderedDict()
        self._plates: OrderedDict[Hashable, Plate] = OrderedDict()

    def draw(self, i420: NDArray[np.uint8], drawing: Drawing) -> None:
        flat = i420.reshape(-1)
        for zone in drawing.zones:
            self._stroke(("zone", zone.points, zone.is_raised), functools.partial(self._zone_outline, zone)).lay(flat)
        for line in drawing.lines:
            self._stroke(("line", line.points, line.is_raised), functools.partial(self._line_outline, line)).lay(flat)
        # Words come last: a line through a number would make another of it.
        for zone in drawing.zones:
            self._label_zone(i420, zone)
        for line in drawing.lines:
            self._label_line(i420, line)
        self._put_notes(i420, drawing.notes)
        if drawing.title or drawing.time:
            self._put_bar(i420, drawing)

    # Shapes

    def _zone_outline(self, zone: DrawnZone) -> Outline:
        return self._outline((self._pixels(zone.points),), (), _RAISED if zone.is_raised else _ZONE, is_closed=True)

    def _line_outline(self, line: DrawnLine) -> Outline:
        points = self._pixels(line.points)
        (x, y), (ahead_x, ahead_y) = self._middle(points)
        length, half = self._arrow_px, self._arrow_px * 0.28
        tip = (x + ahead_x * length, y + ahead_y * length)
        neck = (x + ahead_x * length * 0.5, y + ahead_y * length * 0.5)
        head = (tip, (neck[0] - ahead_y * half, neck[1] + ahead_x * half), (neck[0] + ahead_y * half, neck[1] - ahead_x * half))
        return self._outline((points, ((x, y), neck)), (head,), _RAISED if line.is_raised else _LINE, is_closed=False)

    def _outline(
        self, paths: tuple[tuple[Pixels, ...], ...], areas: tuple[tuple[Pixels, ...], ...], colour: Rgb, *, is_closed: bool
    ) -> Outline:
        return Outline(paths, areas, is_closed, self._width_px, self._rim_px, colour)

    @property
    def _arrow_px(self) -> float:
        return self._lettering.height_px * 1.3

    def _pixels(self, points: Sequence[Point]) -> tuple[Pixels, ...]:
        return tuple((x * self._blank.width_px, y * self._blank.height_px) for x, y in points)

    def _middle(self, points: Sequence[Pixels]) -> tuple[Pixels, Pixels]:
        """Where half of the line lies on either side, and the way forward there, of length 1: to the right of who looks along it."""
        edges = [edge for edge in itertools.pairwise(points) if edge[0] != edge[1]]
        left = sum(math.dist(*edge) for edge in edges) / 2
        for (ax, ay), (bx, by) in edges:
            length = math.dist((ax, ay), (bx, by))
            if left <= length:
                share = left / length
                return (ax + (bx - ax) * share, ay + (by - ay) * share), (-(by - ay) / length, (bx - ax) / length)
            left -= length
        return points[-1], (0.0, 1.0)  # points that are one and the same

    # Words

    def _label_zone(self, i420: NDArray[np.uint8], zone: DrawnZone) -> None:
        x, y = min(self._pixels(zone.points), key=lambda point: (point[1], point[0]))
        ink = Ink(_INK, _RAISED) if zone.is_raised else Ink(_ZONE, _INK)
        self._put(i420, f"{zone.name}  {zone.words}".strip(), ink, x, y - self._lettering.height_px * 0.75)

    def _label_line(self, i420: NDArray[np.uint8], line: DrawnLine) -> None:
        points = self._pixels(line.points)
        colour = _RAISED if line.is_raised else _LINE
        (x, y), (ahead_x, ahead_y) = self._middle(points)
        for words, ink, reach in (
            (str(line.forward), Ink(_INK, colour), self._arrow_px),
            (str(line.backward), Ink(colour, _INK), -self._width_px - self._rim_px - 1.0),
        ):
            # Beside the arrow's tip, and on the other side of the line: as far as the plate itself is wide or high.
            plate = self._plate(words, ink)
            beyond = (abs(ahead_x) * plate.width_px + abs(ahead_y) * plate.height_px) / 2 + 2
            reach += math.copysign(beyond, reach)
            self._put(i420, words, ink, x + ahead_x * reach, y + ahead_y * reach)
        self._put(i420, line.name, Ink(_WHITE, _INK), points[0][0], points[0][1] - self._lettering.height_px * 0.75)

    def _put_notes(self, i420: NDArray[np.uint8], notes: Sequence[str]) -> None:
        for number, note in enumerate(reversed(notes[:_MOST_NOTES])):
            plate = self._plate(note, Ink(_WHITE, _INK))
            bottom = self._blank.height_px - (number + 0.5) * (self._lettering.height_px + 2) - 4
            self._put(i420, note, Ink(_WHITE, _INK), 6 + plate.width_px / 2, bottom)

    def _put_bar(self, i420: NDArray[np.uint8], drawing: Drawing) -> None:
        ink, width_px = Ink(_WHITE, _INK), self._blank.width_px
        self._kept(self._plates, ("bar",), lambda: self._lettering.bare(width_px, ink)).lay(i420, 0, 0)
        if drawing.title:
            self._plate(drawing.title, ink).lay(i420, 0, 0)
        if drawing.time:
            plate = self._plate(drawing.time, ink)
            plate.lay(i420, max(0, width_px - plate.width_px), 0)

    def _put(self, i420: NDArray[np.uint8], words: str, ink: Ink, x: float, y: float) -> None:
        """A plate with its middle at `x`, `y`, moved into the picture as far as it must, and below the bar."""
        if words:
            plate, blank = self._plate(words, ink), self._blank
            left = max(0, min(blank.width_px - plate.width_px, round(x - plate.width_px / 2)))
            top = max(self._lettering.height_px, min(blank.height_px - plate.height_px, round(y - plate.height_px / 2)))
            plate.lay(i420, left & ~1, top & ~1)

    def _plate(self, words: str, ink: Ink) -> Plate:
        return self._kept(self._plates, (words, ink), lambda: self._lettering.plate(words, ink))

    def _stroke(self, key: Hashable, outline: Callable[[], Outline]) -> Stroke:
        return self._kept(self._strokes, key, lambda: make_stroke(outline(), self._blank))

    @staticmethod
    def _kept(kept: OrderedDict[Hashable, Kept], key: Hashable, make: Callable[[], Kept]) -> Kept:
        found = kept.get(key)
        if found is None:
            found = kept[key] = make()
            if len(kept) > _MOST_KEPT:
                kept.popitem(last=False)
        else:
            kept.move_to_end(key)
        return found
