"""What rules would have counted in the last minutes: counted once more, from the masked video that is there.

Where everything that moves is masked, the masks are what is followed. They are larger than what they hide and flow together
where it is crowded, so that fewer are counted than live: `docs/guide/rules.md` says how many. Nothing but counts comes out.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from lamppost.base.clock import TICKS_PER_S, US_PER_S, Clock
from lamppost.base.errors import MediaError
from lamppost.decode.files import FileFrames
from lamppost.detect.values import SmallPicture, shrink
from lamppost.mask.reading import MaskReader, hidden_by
from lamppost.model.happening import Measure, PlaceKind
from lamppost.model.rules import CountedKind, RuleBook
from lamppost.model.vision import Detection, Frame, Kind, Observation
from lamppost.pipeline.clip_counting import ClipCounter, ClipCounts

CROWDED_SHARE: Final = 0.3  # of the picture: with more of it masked, masks flow together
_MOST_EVENTS: Final = 200
_NOTHING: Final = SmallPicture(np.empty((0, 0), np.uint8), np.empty((2, 0, 0), np.uint8))  # masks are read at full size


@dataclass(frozen=True, slots=True)
class TrialSegment:
    """A file of masked video, and when it begins."""

    path: Path
    start_us: int


@dataclass(frozen=True, slots=True)
class TrialOrder:
    """What is to be tried: `book` on the masked video of [`from_us`, `to_us`), within `patience_s`.

    `reads_masks`: everything that moves was masked, and the masks are followed; otherwise what moves in the pictures is.
    """

    book: RuleBook
    segments: tuple[TrialSegment, ...]
    from_us: int
    to_us: int
    reads_masks: bool
    interval_s: float = 0.1
    patience_s: float = 300.0


@dataclass(slots=True)
class TrialFound:
    """What came of it. `until_us` is how far it came; `crowded_share` of the looks had much of the picture masked."""

    counts: ClipCounts
    until_us: int
    crowded_share: float
    widened: tuple[str, ...] = ()


@dataclass(slots=True)
class RuleTrial:
    """Tries one order; `run` may be stopped from any thread."""

    order: TrialOrder
    clock: Clock
    stop: threading.Event
    _reader: MaskReader = field(default_factory=MaskReader)
    _looks: int = 0
    _crowded: int = 0

    def run(self, advanced: Callable[[float], None]) -> TrialFound:
        """Count, and say now and then how far it is, from 0 to 1. Files that are gone or damaged are passed over: not observed."""
        order = self.order
        book, widened = widen_kinds(order.book)
        counter = ClipCounter(book, detector=None, interval_s=order.interval_s, start_us=order.from_us)
        deadline_s = self.clock.monotonic_s() + order.patience_s
        until_us, told = order.from_us, 0.0
        for frame in counter.dated(self._frames()):
            if self.stop.is_set() or self.clock.monotonic_s() > deadline_s:
                break
            self._see(counter, frame)
            until_us = frame.wall_us
            progress = (until_us - order.from_us) / (order.to_us - order.from_us)
            if progress - told >= 0.01:
                told = progress
                advanced(progress)
        else:
            until_us = order.to_us
        counter.finish()
        return TrialFound(counter.counts, until_us, self._crowded / self._looks if self._looks else 0.0, widened)

    def _see(self, counter: ClipCounter, frame: Frame) -> None:
        if not self.order.reads_masks:
            counter.watch.see(frame, shrink(frame), None)
            return
        places = self._reader.read(frame)
        if places.is_covered:  # what is not looked at for a while is not observed
            return
        self._looks += 1
        self._crowded += places.share > CROWDED_SHARE
        found = tuple(Detection(Kind.OBJECT, hidden_by(box), 1.0) for box in places.boxes)
        counter.watch.see(frame, _NOTHING, Observation(found, things=found))

    def _frames(self) -> Iterator[Frame]:
        """One picture for each look, with times since the beginning of the trial."""
        order, next_us = self.order, self.order.from_us
        for segment in order.segments:
            for frame in _pictures(segment.path):
                wall_us = segment.start_us + frame.wall_us
                if wall_us >= order.to_us:
                    break
                if wall_us < next_us:
                    continue
                next_us = max(next_us, wall_us - round(order.interval_s * US_PER_S)) + round(order.interval_s * US_PER_S)
                since_us = wall_us - order.from_us
                yield Frame(frame.i420, since_us * TICKS_PER_S // US_PER_S, since_us, frame.is_full_range, frame.is_intact)


def widen_kinds(book: RuleBook) -> tuple[RuleBook, tuple[str, ...]]:
    """The rules with every kind at places that want some alone, where nothing tells kinds apart; and the names of these."""
    if book.calibration is not None:  # then size tells them apart, as it does live
        return book, ()
    places = [*book.line, *book.zone]
    names = {place.name for place in places if CountedKind.OBJECT not in place.kinds}
    every = {"kinds": tuple(CountedKind)}
    lines = tuple(line.model_copy(update=every) if line.name in names else line for line in book.line)
    zones = tuple(zone.model_copy(update=every) if zone.name in names else zone for zone in book.zone)
    return book.model_copy(update={"line": lines, "zone": zones}), tuple(place.name for place in places if place.name in names)


def trial_to_json(book: RuleBook, found: TrialFound, from_us: int) -> dict[str, Any]:
    """As the API tells it, but for its note; `minutes` of a line are for comparing with what was counted live."""
    sums = found.counts.sums()
    return {
        "lines": [
            {
                "name": line.name,
                "observed_s": sums.get((PlaceKind.LINE.value, line.name), (0, ()))[0] / 1000,
                "forward": _count(sums, PlaceKind.LINE, line.name, Measure.FORWARD),
                "backward": _count(sums, PlaceKind.LINE, line.name, Measure.BACKWARD),
                "minutes": _minutes(found.counts, line.name),
            }
            for line in book.line
        ],
        "zones": [
            {
                "name": zone.name,
                "observed_s": sums.get((PlaceKind.ZONE.value, zone.name), (0, ()))[0] / 1000,
                "entries": _count(sums, PlaceKind.ZONE, zone.name, Measure.ENTRIES),
                "exits": _count(sums, PlaceKind.ZONE, zone.name, Measure.EXITS),
                "most": _most(sums, zone.name),
            }
            for zone in book.zone
        ],
        "events": [
            {"type": event.first.type.value, "rule": event.first.rule, "at_us": from_us + round(event.start_s * US_PER_S)}
            for event in found.counts.events[:_MOST_EVENTS]
        ],
        "left_out": max(0, len(found.counts.events) - _MOST_EVENTS) + found.counts.dropped,
        "from_us": from_us,
        "to_us": found.until_us,
        "crowded_share": round(found.crowded_share, 3),
        "widened": list(found.widened),
    }


_Sums = dict[tuple[str, str], tuple[int, tuple[Any, ...]]]


def _count(sums: _Sums, kind: PlaceKind, name: str, measure: Measure) -> int:
    return sum(tally.count for tally in sums.get((kind.value, name), (0, ()))[1] if tally.measure is measure)


def _most(sums: _Sums, zone: str) -> int:
    tallies = sums.get((PlaceKind.ZONE.value, zone), (0, ()))[1]
    return round(max((tally.most or 0.0 for tally in tallies if tally.measure is Measure.OCCUPANCY), default=0.0))


def _minutes(counts: ClipCounts, line: str) -> list[tuple[int, int, int]]:
    """Of each minute: its beginning, the milliseconds observed, and all crossings."""
    crossings = {Measure.FORWARD, Measure.BACKWARD}
    return [
        (minute.minute_us, minute.observed_ms, sum(tally.count for tally in minute.tallies if tally.measure in crossings))
        for minute in counts.minutes
        if minute.place_kind is PlaceKind.LINE and minute.place == line
    ]


def _pictures(path: Path) -> Iterator[Frame]:
    """The pictures of a file, as many as can be had: retention may be faster, and a file that is being written is cut short."""
    try:
        with FileFrames(path, threads=1) as frames:
            yield from frames
    except MediaError:
        return


def segments_of(rows: Sequence[tuple[Path, int]]) -> tuple[TrialSegment, ...]:
    """In the order of time."""
    return tuple(TrialSegment(path, start_us) for path, start_us in sorted(rows, key=lambda row: row[1]))
