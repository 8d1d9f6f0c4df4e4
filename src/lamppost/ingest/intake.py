"""Turns the units that a stream pushes into session items: runs, packets and gaps."""

from __future__ import annotations

from collections.abc import Iterable

from lamppost.ingest.opening import OpeningWindow
from lamppost.ingest.runs import RunBuilder
from lamppost.ingest.stream import StreamFacts
from lamppost.ingest.units import AccessUnit
from lamppost.model.media import SessionItem


class Intake:
    """The way from one stream's units to what is recorded; made anew for each session.

    What comes before the first keyframe is left out: it lies in the gap that
    the caller declares for the start. The first few units are held back, to
    learn from them what the stream does not tell.
    """

    def __init__(self, facts: StreamFacts) -> None:
        self._builder = RunBuilder(
            facts.codec,
            parameter_sets=facts.parameter_sets,
            nominal_interval_90k=facts.nominal_interval_90k,
            follows_arrival=facts.follows_arrival,
        )
        self._opening = OpeningWindow(origin_90k=facts.origin_90k, nominal_interval_90k=facts.nominal_interval_90k)

    def push(self, units: Iterable[AccessUnit]) -> list[SessionItem]:
        """What `units` make: a `RunStarted` first, then packets and gaps.

        Raises `TimestampError` or `UnsupportedStream`; the stream is of no use then.
        """
        items: list[SessionItem] = []
        opening, builder = self._opening, self._builder
        for unit in units:
            if opening.is_done:
                items += builder.push(unit)
                continue
            for ready in opening.push(unit):
                builder.learn_reordering(opening.reorder_depth)
                items += builder.push(ready)
        return items

    def flush(self) -> list[SessionItem]:
        """What was held back, to be asked for when the stream has ended."""
        items = [item for unit in self._opening.flush() for item in self._builder.push(unit)]
        return [*items, *self._builder.finish()]
