"""Runs every subject over every set, and writes down what was measured: `lamppost bench leak`."""

from __future__ import annotations

import os
import platform
from collections.abc import Callable, Sequence
from contextlib import closing
from dataclasses import dataclass
from typing import Any, Final

from lamppost import __version__
from lamppost.base.clock import TICKS_PER_S, Clock, format_utc
from lamppost.bench.rates import Rate
from lamppost.bench.scores import Score, Size
from lamppost.bench.subjects import Subject
from lamppost.bench.truth import SCORED, ClipSet, Label, StillSet, TruthSet
from lamppost.pipeline.clip_masking import library_versions

FORMAT: Final = "lamppost-leak-1"

Tell = Callable[[str, str, int], None]
"""Is told the set, the subject, and how many pictures were judged, one after another."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one subject did to one set."""

    of: TruthSet
    subject: Subject
    score: Score


def measure(sets: Sequence[TruthSet], subjects: Sequence[Subject], tell: Tell) -> tuple[Result, ...]:
    """Every subject on every set, in their order. Raises `LamppostError` when a clip cannot be decoded."""
    return tuple(Result(each, subject, _score(each, subject, tell)) for each in sets for subject in subjects)


def _score(of: TruthSet, subject: Subject, tell: Tell) -> Score:
    if isinstance(of, StillSet):
        score = Score(subject.preset, of.labels)
        for index, still in enumerate(of.stills):
            score.add(index, subject.mask_still(still.read()), still.boxes)
            tell(of.name, subject.name, index + 1)
        return score
    return _score_clip(of, subject, tell)


def _score_clip(of: ClipSet, subject: Subject, tell: Tell) -> Score:
    with of.open() as frames:
        score = Score(subject.preset, of.labels, frames.frame_interval_90k / TICKS_PER_S)
    with closing(subject.mask_clip(of)) as maskings:
        for index, masking in enumerate(maskings):
            score.add(index, masking, of.boxes.get(index, ()))
            tell(of.name, subject.name, index + 1)
    return score


def leak_rate(results: Sequence[Result], subject: str, label: Label, size: Size, *, of_clips: bool) -> Rate:
    """Leaks per frame of one label by one subject, over all clips or over all stills."""
    total = Rate(0, 0)
    for result in results:
        if result.subject.name == subject and isinstance(result.of, ClipSet) is of_clips:
            total += result.score.rate(label, size)
    return total


def track_rate(results: Sequence[Result], subject: str, label: Label) -> tuple[Rate, list[float]]:
    """Leaking tracks of one label by one subject over all clips, and the longest leaking run of every track in milliseconds."""
    total, longest_ms = Rate(0, 0), list[float]()
    for result in results:
        if result.subject.name == subject and isinstance(result.of, ClipSet):
            total += result.score.track_rate(label)
            longest_ms += result.score.longest_ms(label)
    return total, longest_ms


def over_masked(results: Sequence[Result], subject: str, *, is_covered_counted: bool) -> Rate:
    """Pixels masked beyond what the preset must mask, over all clips that tell."""
    total = Rate(0, 0)
    for result in results:
        if result.subject.name == subject and isinstance(result.of, ClipSet) and result.score.must_mask is not None:
            total += result.score.over if is_covered_counted else result.score.over_uncovered
    return total


def to_json(results: Sequence[Result], skipped: Sequence[str], clock: Clock) -> dict[str, Any]:
    """Everything that was measured, with whom and on what."""
    subjects = {result.subject.name: result.subject for result in results}
    sets = {result.of.name: result.of for result in results}
    return {
        "format": FORMAT,
        "lamppost": __version__,
        "made": format_utc(clock.wall_us()),
        "machine": {"cores": os.cpu_count(), "architecture": platform.machine(), "python": platform.python_version()},
        "libraries": library_versions(),
        "subjects": [subject.describe() for subject in subjects.values()],
        "skipped": list(skipped),
        "sets": [_set_json(each, results) for each in sets.values()],
        "totals": {name: _totals_json(results, name) for name in subjects},
    }


def _set_json(of: TruthSet, results: Sequence[Result]) -> dict[str, Any]:
    return {
        "name": of.name,
        "kind": "clip" if isinstance(of, ClipSet) else "stills",
        "labels": sorted(of.labels),
        "note": of.note,
        "results": {result.subject.name: result.score.to_json() for result in results if result.of.name == of.name},
    }


def _totals_json(results: Sequence[Result], subject: str) -> dict[str, Any]:
    tracks = {label: track_rate(results, subject, label) for label in SCORED}
    return {
        kind: {
            label.value: {size.value: leak_rate(results, subject, label, size, of_clips=kind == "clips").to_json() for size in Size}
            for label in SCORED
        }
        for kind in ("clips", "stills")
    } | {
        "tracks": {label.value: rate.to_json() for label, (rate, _) in tracks.items()},
        "over_masked": over_masked(results, subject, is_covered_counted=True).value,
        "over_masked_without_covered": over_masked(results, subject, is_covered_counted=False).value,
    }
