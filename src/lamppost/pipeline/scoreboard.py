"""What lines and zones said at each moment, for pictures that come out of masking only later."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lamppost.base.clock import TICKS_PER_S
from lamppost.events.scene import SceneNow
from lamppost.model.drawing import Drawing, DrawnLine, DrawnZone
from lamppost.model.happening import CountedMinute, EventChange, Phase
from lamppost.model.rules import RuleBook, Way

_MOST_MOMENTS: Final = 1024  # looks of more than the longest look-back
_MOST_NOTES: Final = 4


@dataclass(frozen=True, slots=True)
class _Moment:
    """From `at_s` on: what the lines and zones of a book say, and which events go on."""

    at_s: float
    drawing: Drawing


class Scoreboard:
    """A witness of what a watch finds, that keeps no more of it than numbers of the last seconds.

    `title` stands in the bar above. What is told of one moment replaces what was told of it before.
    """

    def __init__(self, book: RuleBook, title: str) -> None:
        self._book = book
        self._crossed: Counter[tuple[str, Way]] = Counter()
        self._staying: dict[str, int] = {}
        self._open: dict[str, EventChange] = {}
        self._moments: deque[_Moment] = deque(maxlen=_MOST_MOMENTS)
        self._shown = Drawing(title=title)
        self._shown = self._drawing()

    def note_scene(self, scene: SceneNow) -> None:
        self._crossed.update((crossing.line, crossing.way) for crossing in scene.crossings)
        self._staying = {zone.name: len(zone.staying) for zone in scene.zones}
        self._keep(scene.at_s)

    def note_changes(self, changes: Sequence[EventChange], pts_90k: int) -> None:
        for change in changes:
            if change.phase is Phase.END:
                self._open.pop(change.event_id, None)
            else:
                self._open[change.event_id] = change
        self._keep(pts_90k / TICKS_PER_S)

    def note_minutes(self, minutes: Sequence[CountedMinute]) -> None:
        """Minutes are not drawn."""

    def drawing_at(self, at_s: float, time: str = "") -> Drawing:
        """What was so at `at_s`, which never goes back, with `time` in the bar."""
        while self._moments and self._moments[0].at_s <= at_s:
            self._shown = self._moments.popleft().drawing
        return replace(self._shown, time=time)

    def _keep(self, at_s: float) -> None:
        if self._moments and self._moments[-1].at_s == at_s:
            self._moments.pop()
        self._moments.append(_Moment(at_s, self._drawing()))

    def _drawing(self) -> Drawing:
        raised = {change.place for change in self._open.values()}
        newest = list(self._open.values())[-_MOST_NOTES:]
        return Drawing(
            tuple(
                DrawnLine(
                    line.points,
                    line.name,
                    self._crossed[line.name, Way.FORWARD],
                    self._crossed[line.name, Way.BACKWARD],
                    line.name in raised,
                )
                for line in self._book.line
            ),
            tuple(DrawnZone(zone.points, zone.name, str(self._staying.get(zone.name, 0)), zone.name in raised) for zone in self._book.zone),
            self._shown.title,
            notes=tuple(f"{change.rule}: {change.type.value.replace('_', ' ')} ({change.place})" for change in newest),
        )
