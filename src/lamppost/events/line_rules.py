"""Rules that watch a line."""

from __future__ import annotations

from lamppost.events.episodes import Found
from lamppost.events.scene import SceneNow
from lamppost.events.watching import Zones, one_kind
from lamppost.model.happening import Findings
from lamppost.model.rules import Line, LineCrossed


class LineWatch:
    """Something crosses a line: crossings that follow each other are one event, which counts them."""

    def __init__(self, rule: LineCrossed, line: Line) -> None:
        self._rule = rule
        self._kinds = frozenset(line.kinds)

    def find(self, scene: SceneNow, zones: Zones, *, is_open: bool) -> Found | None:
        crossings = [
            crossing
            for crossing in scene.crossings
            if crossing.line == self._rule.line and crossing.way in self._rule.ways and crossing.kind in self._kinds
        ]
        if not crossings:
            return None
        ways = tuple(dict.fromkeys(crossing.way.value for crossing in crossings))
        findings = Findings(kind=one_kind(crossing.kind for crossing in crossings), count=len(crossings), ways=ways)
        return Found(findings, self._rule.severity, adds=True)

    def forget(self) -> None:
        """A crossing is of one moment."""
