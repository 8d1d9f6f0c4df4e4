"""Measures one camera's scene, picture by picture: what moves and how, what crosses lines, who is in which zone."""

from __future__ import annotations

from collections.abc import Sequence

from lamppost.base.errors import ConfigError
from lamppost.events.calibration import GroundPlane
from lamppost.events.geometry import ground_anchor
from lamppost.events.lines import LineReader
from lamppost.events.movements import Movements, Sight, in_shares
from lamppost.events.scene import SceneNow
from lamppost.events.zones import ZoneReader
from lamppost.model.rules import CrowdDensity, RuleBook, Zone
from lamppost.model.vision import Box, Track


class SceneReader:
    """Reads the scenes of one camera, run after run. Nothing of one run is known in the next.

    `ground` is None where the camera is not calibrated: then speeds and places on the map are None.
    """

    def __init__(self, book: RuleBook) -> None:
        """Take the lines, zones and calibration of `book`; raises `ConfigError` for a calibration that cannot be."""
        self.ground = GroundPlane(book.calibration) if book.calibration is not None else None
        self._book = book
        self._areas_m2 = {zone.name: self._area_m2(zone) for zone in book.zone}
        for rule in book.rule:
            if isinstance(rule, CrowdDensity) and self._areas_m2[rule.zone] is None:
                raise ConfigError(
                    f"the rule {rule.name!r} needs the area of the zone {rule.zone!r}, which reaches above the horizon",
                    remedy="draw the zone on the ground alone, or give its area_m2",
                )
        self._run: _Run | None = None

    def read(self, at_s: float, wall_us: int, tracks: Sequence[Track], size_px: tuple[int, int], uncovered: Sequence[Box] = ()) -> SceneNow:
        """The scene at `at_s`, seconds of the run; boxes of `tracks` and `uncovered` in pixels of a picture of `size_px`.

        Time that runs back is taken to stand still. A picture of another shape begins a new run.
        """
        width_px, height_px = max(1, size_px[0]), max(1, size_px[1])
        aspect = width_px / height_px
        if self._run is None or self._run.aspect != aspect:
            self._run = _Run(self._book, self.ground, self._areas_m2, aspect, at_s)
        shares = (in_shares(box, width_px, height_px) for box in uncovered)
        return self._run.read(at_s, wall_us, tracks, (width_px, height_px), tuple(box for box in shares if box is not None))

    def forget(self) -> SceneNow | None:
        """The run is over. Returns what is known of its end, None if nothing was read.

        A thing whose track was past a line has crossed it; who vanished in a zone has left it; who is in a zone still stays
        there as far as is known, and is no exit.
        """
        run, self._run = self._run, None
        return run.close() if run is not None else None

    def _area_m2(self, zone: Zone) -> float | None:
        measured = self.ground.area_m2(zone.points) if self.ground is not None else None
        return measured if measured is not None else zone.area_m2


class _Run:
    """One run: everything that must not outlive it."""

    def __init__(
        self, book: RuleBook, ground: GroundPlane | None, areas_m2: dict[str, float | None], aspect: float, began_s: float
    ) -> None:
        self.aspect = aspect
        self._at_s, self._wall_us = began_s, 0
        self._movements = Movements(Sight(ground, ground_anchor(book), aspect))
        self._lines = [LineReader(line, aspect) for line in book.line]
        self._zones = [ZoneReader(zone, aspect, areas_m2[zone.name], began_s) for zone in book.zone]

    def read(self, at_s: float, wall_us: int, tracks: Sequence[Track], size_px: tuple[int, int], uncovered: tuple[Box, ...]) -> SceneNow:
        # Written so that what is no number does not get in.
        self._at_s = at_s if at_s > self._at_s else self._at_s
        self._wall_us = wall_us
        present, ended = self._movements.read(self._at_s, tracks, *size_px)
        crossings = [crossing for line in self._lines for crossing in line.read(self._at_s, present, ended)]
        zones = tuple(zone.read(self._at_s, present, ended) for zone in self._zones)
        return SceneNow(self._at_s, wall_us, tuple(thing.moving for thing in present), tuple(crossings), zones, uncovered)

    def close(self) -> SceneNow:
        ended = self._movements.end()
        crossings = tuple(crossing for line in self._lines for crossing in line.read(self._at_s, (), ended))
        return SceneNow(self._at_s, self._wall_us, (), crossings, tuple(zone.close() for zone in self._zones))
