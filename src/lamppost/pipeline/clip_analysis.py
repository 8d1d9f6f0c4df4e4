"""What `lamppost analyse` does with one clip: counts it, masks it where a video is asked for, and tells all of it as JSON."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any, Final

from lamppost import __version__
from lamppost.base.clock import TICKS_PER_S, US_PER_S, Clock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.decode.files import Colours, FileFrames
from lamppost.detect.entry import ModelEntry
from lamppost.events.scene_reader import SceneReader
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.simulation import street_settings
from lamppost.mask.annotate import Annotator
from lamppost.model.happening import CountedMinute, Tally
from lamppost.model.rules import CountedKind, CrowdDensity, RuleBook, StoppedVehicle
from lamppost.model.vision import MaskedFrame
from lamppost.pipeline.clip_counting import ClipCounter, ClipCounts, ClipEvent
from lamppost.pipeline.clip_masking import ClipMasker, MaskSettings, library_versions
from lamppost.pipeline.clip_output import ClipOutput, staged
from lamppost.pipeline.equipment import WEAK_SCORE, counting_entry
from lamppost.pipeline.scoreboard import Scoreboard
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.street_clip import StreetFrames

_MISSING_SHARE: Final = 0.02  # an edit list may leave out a frame or two
_SIMULATED_S: Final = 60


@dataclass(frozen=True, slots=True)
class AnalysisSettings:
    """How a clip is counted: by the detector `model` (empty: what moves) of the folder `models`, every `interval_s`.

    `start_us` is when it begins, None where that is not known.
    """

    model: str = ""
    models: Path | None = None
    interval_s: float = 0.1
    start_us: int | None = None


class _StreetClip(StreetFrames):
    """A simulated street, with what an encoder wants to know."""

    colours = Colours()
    sample_aspect = Fraction(1)


class ClipAnalysis:
    """Counts one clip, a file or a `sim://` address.

    Raises `ConfigError` for an address, a model or a calibration that cannot be used, `MediaError` for what is no clip.
    """

    def __init__(self, source: str, book: RuleBook, settings: AnalysisSettings, clock: Clock) -> None:
        self._source = source
        self._book = book
        self._settings = settings
        self._clock = clock
        self._entry = counting_entry(settings.model, settings.models)
        reader = SceneReader(book)
        self._ground = reader.ground
        self._frames = _open(source)
        self._notes: list[str] = []

    @property
    def name(self) -> str:
        return self._source if self._source.startswith("sim://") else Path(self._source).name

    @property
    def nominal_frames(self) -> int:
        """How many frames it should have; 0 where it does not say."""
        return self._frames.nominal_frames if isinstance(self._frames, FileFrames) else 0

    def close(self) -> None:
        if isinstance(self._frames, FileFrames):
            self._frames.close()

    def run(self, video: Path | None, advanced: Callable[[], None]) -> ClipCounts:
        """Watch all of it, and write it masked to `video`, if asked for."""
        settings = self._settings
        board = Scoreboard(self._book, self.name) if video is not None else None
        counter = ClipCounter(
            self._book,
            detector=self._detector(self._entry),
            interval_s=settings.interval_s,
            start_us=settings.start_us or 0,
            also=(board,) if board is not None else (),
        )
        if video is None or board is None:
            counter.run(self._frames, advanced)
        else:
            self._mask(video, counter, board, advanced)
        if isinstance(self._frames, FileFrames) and self._frames.missing_frames > self._frames.nominal_frames * _MISSING_SHARE:
            missing, nominal = self._frames.missing_frames, self._frames.nominal_frames
            self._notes.append(f"the clip is cut short or damaged: {missing} of {nominal} frames are not in it")
        self._note_on(counter.counts)
        return counter.counts

    def to_json(self, counts: ClipCounts) -> dict[str, Any]:
        """Everything that was found, as docs/reference/analyse.md describes it."""
        sums = counts.sums()
        return {
            "lamppost": __version__,
            "clip": self.name,
            "made": format_utc(self._clock.wall_us()),
            "started": format_utc(self._settings.start_us) if self._settings.start_us is not None else None,
            "frames": counts.frames,
            "duration_s": round(counts.duration_s, 3),
            "looks": counts.looks,
            "counted_by": {
                "model": self._settings.model or "motion",
                "sha256": self._entry.sha256 if self._entry is not None else None,
                "interval_s": self._settings.interval_s,
            },
            "libraries": library_versions(),
            "calibration": {"error_m": round(self._ground.error_m, 3)} if self._ground is not None else None,
            "things": {kind.value: number for kind, number in sorted(counts.things.items())},
            "lines": {line.name: _line(*sums.get(("line", line.name), (0, ()))) for line in self._book.line},
            "zones": {zone.name: _zone(*sums.get(("zone", zone.name), (0, ()))) for zone in self._book.zone},
            "events": [self._event(event) for event in counts.events],
            "minutes": [self._minute(minute) for minute in counts.minutes],
            "notes": self._notes,
        }

    def _mask(self, video: Path, counter: ClipCounter, board: Scoreboard, advanced: Callable[[], None]) -> None:
        annotator = Annotator()
        masker = ClipMasker(MaskSettings(models=self._settings.models), self._clock)
        masker.load()
        with staged(video) as staging, ClipOutput(staging, self._frames, MaskSettings().threads) as output:
            with closing(masker.mask_frames(_Dated(self._frames, counter), counter.watch)) as masked:
                for frame in masked:
                    output.take(annotator.annotate(frame, board.drawing_at(frame.pts_90k / TICKS_PER_S, self._time_of(frame))))
                    advanced()
            output.finish()
        counter.finish()

    def _time_of(self, frame: MaskedFrame) -> str:
        """On the clock where it is known when the clip began, and since its beginning otherwise."""
        if self._settings.start_us is not None:
            return format_utc(frame.wall_us)[:19].replace("T", " ") + " UTC"
        minutes, seconds = divmod(frame.pts_90k // TICKS_PER_S, 60)
        return f"{minutes // 60}:{minutes % 60:02}:{seconds:02}"

    def _detector(self, entry: ModelEntry | None) -> Detector | None:
        if entry is None:
            return None
        # Imported here: who counts what moves need not wait for the runtime.
        from lamppost.detect.detectors import open_detector

        return open_detector(entry, models=self._settings.models, threads=MaskSettings().threads, weak_score=WEAK_SCORE)

    def _note_on(self, counts: ClipCounts) -> None:
        if self._book.calibration is None and self._book.zone:
            self._notes.append("without [calibration] nothing is known in metres or km/h: sizes and places are of the picture")
        if self._ground is not None and self._ground.left_out_error_m is not None:
            self._notes.append(
                f"the calibration is off by {self._ground.error_m:.2f} m, by {self._ground.left_out_error_m:.2f} m at a point left out"
            )
        self._notes += [
            f'the rule {name!r} needs to know kinds: give a model, [calibration], or kinds = ["object"] to its zone'
            for name in self._rules_without_kinds()
        ]
        if not counts.looks and counts.frames:
            self._notes.append("nothing was observed: the camera moves, or the clip is too short to learn what stands still in it")
        if counts.dropped:
            self._notes.append(f"{counts.dropped} events or crossings were too many to be listed; sums and minutes hold all of them")

    def _rules_without_kinds(self) -> list[str]:
        """Rules that cannot find anything, since motion alone tells no vehicle from a person."""
        if self._entry is not None or self._ground is not None:
            return []
        unclear = {zone.name for zone in self._book.zone if {CountedKind.PERSON, CountedKind.VEHICLE} <= set(zone.kinds)}
        return [rule.name for rule in self._book.rule if isinstance(rule, StoppedVehicle | CrowdDensity) and rule.zone in unclear]

    def _event(self, event: ClipEvent) -> dict[str, Any]:
        last, findings = event.last, event.last.findings
        started = self._settings.start_us
        return {
            "type": event.first.type.value,
            "rule": event.first.rule,
            "place": event.first.place,
            "severity": last.severity.value,
            "start_s": round(event.start_s, 3),
            "end_s": round(event.end_s, 3) if event.end_s is not None else None,
            "started": format_utc(event.first.wall_us) if started is not None else None,
            "kind": findings.kind.value if findings.kind is not None else None,
            "count": findings.count,
            "value": findings.value,
            "unit": findings.unit,
            "limit": findings.limit,
            "level": findings.level,
            "ways": list(findings.ways),
            "note": findings.note,
        }

    def _minute(self, minute: CountedMinute) -> dict[str, Any]:
        start_us = self._settings.start_us
        return {
            "place_kind": minute.place_kind.value,
            "place": minute.place,
            "minute": format_utc(minute.minute_us) if start_us is not None else None,
            "start_s": round((minute.minute_us - (start_us or 0)) / US_PER_S, 3),
            "observed_s": minute.observed_ms / 1000,
            "tallies": [{"measure": tally.measure.value, "kind": _kind(tally), **_numbers(tally)} for tally in minute.tallies],
        }


class _Dated:
    """The frames of a clip with the times at which it is counted."""

    def __init__(self, frames: FileFrames | _StreetClip, counter: ClipCounter) -> None:
        self._frames = frames
        self._counter = counter

    @property
    def frame_interval_90k(self) -> int:
        return self._frames.frame_interval_90k

    def __iter__(self) -> Any:
        return self._counter.dated(iter(self._frames))

    def again(self) -> Any:
        return self._frames.again()


def _open(source: str) -> FileFrames | _StreetClip:
    if not source.startswith("sim://"):
        if "://" in source:
            raise ConfigError(
                f"{source.split('://')[0]}:// is no clip", remedy="name a file, or a simulated street such as sim://plaza?seconds=60"
            )
        return FileFrames(Path(source), threads=MaskSettings().threads)
    locator = parse_locator(source)
    return _StreetClip(street_settings(locator), locator.number("seconds", _SIMULATED_S, 1, 86_400))


def _line(observed_ms: int, tallies: Sequence[Tally]) -> dict[str, Any]:
    ways = {way: {_kind(tally): tally.count for tally in tallies if tally.measure.value == way} for way in ("forward", "backward")}
    return {"observed_s": observed_ms / 1000, **ways}


def _zone(observed_ms: int, tallies: Sequence[Tally]) -> dict[str, Any]:
    found: dict[str, Any] = {"observed_s": observed_ms / 1000, "entries": {}, "exits": {}}
    for tally in tallies:
        found.setdefault(tally.measure.value, {})[_kind(tally)] = tally.count if tally.total is None else _numbers(tally)
    return found


def _kind(tally: Tally) -> str:
    return tally.kind.value if tally.kind is not None else "all"


def _numbers(tally: Tally) -> dict[str, Any]:
    numbers: dict[str, Any] = {"count": tally.count}
    if tally.total is not None:
        numbers["mean"] = round(tally.total / tally.count, 3) if tally.count else None
    if tally.most is not None:
        numbers["most"] = round(tally.most, 3)
    if tally.bins is not None:
        numbers["bins"] = [round(value, 3) for value in tally.bins]
    return numbers
