"""What is drawn over each picture of an analysed clip: lines with what crossed them so far, zones with how many are in them."""

from __future__ import annotations

from collections import Counter, deque

from lamppost.events.scene import SceneNow
from lamppost.model.drawing import Drawing, DrawnLine, DrawnZone
from lamppost.model.rules import RuleBook, Way

_RAISED_S = 0.6  # a line that was just crossed is shown so for a moment
_MOST_SCENES = 600  # that wait for their masked picture


class ClipDrawing:
    """Remembers scenes until the masked pictures of their moment leave, some time later, in the same order."""

    def __init__(self, book: RuleBook, title: str) -> None:
        self._book = book
        self._title = title
        self._waiting: deque[SceneNow] = deque(maxlen=_MOST_SCENES)
        self._crossed: Counter[tuple[str, Way]] = Counter()
        self._crossed_s: dict[str, float] = {}
        self._inside: dict[str, int] = {}

    def note(self, scene: SceneNow) -> None:
        """Take in what was seen."""
        if len(self._waiting) == _MOST_SCENES:
            self._pass(self._waiting.popleft())
        self._waiting.append(scene)

    def at(self, at_s: float) -> Drawing:
        """The drawing of the picture at `at_s`; pictures come in order."""
        while self._waiting and self._waiting[0].at_s <= at_s + 1e-6:
            self._pass(self._waiting.popleft())
        lines = tuple(
            DrawnLine(
                line.points,
                line.name,
                self._crossed[line.name, Way.FORWARD],
                self._crossed[line.name, Way.BACKWARD],
                is_raised=at_s - self._crossed_s.get(line.name, float("-inf")) < _RAISED_S,
            )
            for line in self._book.line
        )
        zones = tuple(
            DrawnZone(zone.points, zone.name, str(self._inside.get(zone.name, 0)), is_raised=self._inside.get(zone.name, 0) > 0)
            for zone in self._book.zone
        )
        minutes, seconds = divmod(at_s, 60)
        return Drawing(lines, zones, self._title, f"{int(minutes)}:{seconds:04.1f}")

    def _pass(self, scene: SceneNow) -> None:
        for crossing in scene.crossings:
            self._crossed[crossing.line, crossing.way] += 1
            self._crossed_s[crossing.line] = scene.at_s
        self._inside = {zone.name: len(zone.staying) for zone in scene.zones}
