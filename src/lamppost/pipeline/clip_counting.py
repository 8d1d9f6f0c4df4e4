"""Counts a clip by rules: the same watching as a camera's, with everything that it finds collected instead of stored."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from lamppost.base.clock import TICKS_PER_S, US_PER_S
from lamppost.detect.values import shrink
from lamppost.events.scene import SceneNow
from lamppost.model.happening import CountedMinute, EventChange, Phase, Tally
from lamppost.model.rules import CountedKind, RuleBook, Way
from lamppost.model.tallies import united
from lamppost.model.vision import Frame
from lamppost.pipeline.clip_masking import FrameSource, primed
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.watching import Ledgers, StreetWatch, Witness

_LEAST_SEEN_S: Final = 0.5  # what was followed for less is no thing
_MOST_EVENTS: Final = 10_000
_MOST_CROSSINGS: Final = 100_000


@dataclass(frozen=True, slots=True)
class ClipEvent:
    """One event of a clip, whole: `first` is its start, `last` what was known at its end. Times in seconds from the clip's beginning."""

    first: EventChange
    last: EventChange
    start_s: float
    end_s: float | None


@dataclass(frozen=True, slots=True)
class TimedCrossing:
    """A crossing, for a curve over time."""

    at_s: float
    line: str
    way: Way
    kind: CountedKind


@dataclass(frozen=True, slots=True)
class ZoneSample:
    """How many were in a zone at a moment."""

    at_s: float
    zone: str
    count: int


@dataclass(slots=True)
class ClipCounts:
    """What a clip came to. `things` moved, and were followed for half a second at least; `dropped` is what was too much to be listed."""

    frames: int = 0
    duration_s: float = 0.0
    looks: int = 0
    things: Counter[CountedKind] = field(default_factory=Counter[CountedKind])
    events: list[ClipEvent] = field(default_factory=list[ClipEvent])
    minutes: list[CountedMinute] = field(default_factory=list[CountedMinute])
    crossings: list[TimedCrossing] = field(default_factory=list[TimedCrossing])
    occupancy: list[ZoneSample] = field(default_factory=list[ZoneSample])
    dropped: int = 0

    def sums(self) -> dict[tuple[str, str], tuple[int, tuple[Tally, ...]]]:
        """By kind and name of a place: the milliseconds that were observed, and the tallies of all minutes together."""
        found: dict[tuple[str, str], tuple[int, tuple[Tally, ...]]] = {}
        for minute in self.minutes:
            key = (minute.place_kind.value, minute.place)
            observed_ms, tallies = found.get(key, (0, ()))
            found[key] = (observed_ms + minute.observed_ms, tuple(united((*tallies, *minute.tallies))))
        return found


class ClipWitness:
    """Collects what a watch finds in a clip that began at `start_us`."""

    def __init__(self, start_us: int) -> None:
        self.counts = ClipCounts()
        self._start_us = start_us
        self._open: dict[str, ClipEvent] = {}
        self._seen: dict[int, tuple[float, float, CountedKind]] = {}  # of the things in sight: first and last moment, kind
        self._sampled_s = float("-inf")

    def note_scene(self, scene: SceneNow) -> None:
        counts = self.counts
        counts.looks += 1
        present = {moving.track_id for moving in scene.moving}
        for moving in scene.moving:
            if moving.is_seen and moving.has_moved:
                self._seen[moving.track_id] = (moving.since_s, scene.at_s, moving.kind)
        for track_id in [track_id for track_id in self._seen if track_id not in present]:
            self._end_thing(track_id)
        room = _MOST_CROSSINGS - len(counts.crossings)
        counts.crossings += [TimedCrossing(scene.at_s, each.line, each.way, each.kind) for each in scene.crossings[: max(0, room)]]
        counts.dropped += max(0, len(scene.crossings) - max(0, room))
        if scene.at_s - self._sampled_s >= 1.0 and len(counts.occupancy) < _MOST_CROSSINGS:
            self._sampled_s = scene.at_s
            counts.occupancy += [ZoneSample(scene.at_s, zone.name, len(zone.staying)) for zone in scene.zones]

    def note_changes(self, changes: Sequence[EventChange], pts_90k: int) -> None:
        for change in changes:
            before = self._open.get(change.event_id)
            if before is None:
                self._open[change.event_id] = ClipEvent(change, change, self._seconds(change.wall_us), None)
            elif change.phase is Phase.END:
                del self._open[change.event_id]
                self._list(ClipEvent(before.first, change, before.start_s, self._seconds(change.wall_us)))
            else:
                self._open[change.event_id] = ClipEvent(before.first, change, before.start_s, None)

    def note_minutes(self, minutes: Sequence[CountedMinute]) -> None:
        self.counts.minutes += minutes

    def finish(self) -> None:
        """The clip is over."""
        for track_id in list(self._seen):
            self._end_thing(track_id)
        for event in self._open.values():
            self._list(event)
        self._open.clear()
        self.counts.events.sort(key=lambda event: event.start_s)

    def _end_thing(self, track_id: int) -> None:
        first_s, last_s, kind = self._seen.pop(track_id)
        if last_s - first_s >= _LEAST_SEEN_S:
            self.counts.things[kind] += 1

    def _list(self, event: ClipEvent) -> None:
        if len(self.counts.events) < _MOST_EVENTS:
            self.counts.events.append(event)
        else:
            self.counts.dropped += 1

    def _seconds(self, wall_us: int) -> float:
        return (wall_us - self._start_us) / US_PER_S


class _Everyone:
    """Tells several witnesses the same, in their order."""

    def __init__(self, witnesses: Sequence[Witness]) -> None:
        self._witnesses = witnesses

    def note_scene(self, scene: SceneNow) -> None:
        for witness in self._witnesses:
            witness.note_scene(scene)

    def note_changes(self, changes: Sequence[EventChange], pts_90k: int) -> None:
        for witness in self._witnesses:
            witness.note_changes(changes, pts_90k)

    def note_minutes(self, minutes: Sequence[CountedMinute]) -> None:
        for witness in self._witnesses:
            witness.note_minutes(minutes)


class ClipCounter:
    """Counts one clip by `book`; with a `detector`, the kinds that it tells apart, otherwise what moves.

    `start_us` is the time at which the clip begins; `also` are told of what is found as well. Raises `ConfigError` for a
    calibration that cannot be.
    """

    def __init__(
        self, book: RuleBook, *, detector: Detector | None, interval_s: float, start_us: int = 0, also: Sequence[Witness] = ()
    ) -> None:
        self._witness = ClipWitness(start_us)
        self._ledgers = Ledgers(book)
        self._start_us = start_us
        self.watch = StreetWatch(book, self._ledgers, _Everyone((self._witness, *also)), detector=detector, interval_s=interval_s)

    @property
    def counts(self) -> ClipCounts:
        """What is known so far."""
        return self._witness.counts

    def run(self, frames: FrameSource, advanced: Callable[[], None]) -> None:
        """Watch all of `frames`, without masking any: nothing of them goes anywhere."""
        motion, source = primed(frames)
        for frame in self.dated(source):
            small = shrink(frame)
            self.watch.see(frame, small, motion.observe(frame, small))
            advanced()
        self.finish()

    def dated(self, frames: Iterator[Frame]) -> Iterator[Frame]:
        """The same frames with the times of the clip, counted."""
        counts = self.counts
        for frame in frames:
            counts.frames += 1
            counts.duration_s = frame.pts_90k / TICKS_PER_S
            yield Frame(frame.i420, frame.pts_90k, self._start_us + frame.wall_us, frame.is_full_range, frame.is_intact)

    def finish(self) -> None:
        """All frames were seen."""
        self.watch.finish()
        self._witness.note_minutes(self._ledgers.minutes.flush())
        self._witness.finish()
