"""Finds what trackers can be measured on: folders in the layouts of the MOTChallenge, or single files.

A sequence is a folder with `gt/gt.txt` and `det/det.txt`, or with both files directly in it; `seqinfo.ini` beside them says the frame
rate. Other text files directly in the folder are what some tracker made of it, and are scored too.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamppost.base.errors import ConfigError
from lamppost.bench.mot import read_sequence
from lamppost.bench.mot_tracks import MotBoxes, read_boxes, read_tracks, read_truth

_USUAL_FPS: Final = 25.0
_MOST_SEQUENCES: Final = 1000
_LOW_PERCENTILE, _HIGH_PERCENTILE = 0.0, 95.0


@dataclass(frozen=True, slots=True)
class TrackSequence:
    """One clip's truth, what a detector found in it (None where no tracker is to be run), and ready tracks by their name."""

    name: str
    fps: float
    frame_count: int
    truth: MotBoxes
    detections: MotBoxes | None
    tracks: Mapping[str, MotBoxes]
    notes: tuple[str, ...] = ()


def find_sequences(folder: Path, fps: float | None = None) -> tuple[TrackSequence, ...]:
    """All sequences in `folder` and below, by their names; `fps` goes before what their files say.

    Raises `ConfigError` where there is none, or where a file is wrong.
    """
    if not folder.is_dir():
        raise ConfigError(f"{folder} is no folder", remedy="name a folder with sequences, or --truth and --detections")
    truths = sorted(folder.rglob("gt.txt"))
    if not truths:
        raise ConfigError(
            f"{folder} has no gt.txt in it or below", remedy="a sequence is a folder with gt.txt and det.txt, or gt/gt.txt and det/det.txt"
        )
    if len(truths) > _MOST_SEQUENCES:
        raise ConfigError(f"{folder} has {len(truths)} sequences", remedy=f"name a folder with at most {_MOST_SEQUENCES}")
    return tuple(_in_folder(truth, folder, fps) for truth in truths)


def one_sequence(truth: Path, detections: Path | None, fps: float | None = None) -> TrackSequence:
    """A sequence of two files."""
    name = truth.parent.parent.name if truth.parent.name == "gt" else truth.parent.name
    return _sequence(name or truth.stem, truth, detections, None, fps)


def with_tracks(sequences: Sequence[TrackSequence], path: Path) -> tuple[TrackSequence, ...]:
    """The same, with ready tracks: of a file for the one sequence, of a folder's `NAME.txt` for each that has one."""
    if not path.is_dir():
        if len(sequences) != 1:
            raise ConfigError(f"{path} cannot be of {len(sequences)} sequences", remedy="name a folder that has a file NAME.txt for each")
        return (_with(sequences[0], path.name, read_tracks(path)),)
    added = [(each, path / f"{Path(each.name).name}.txt") for each in sequences]
    if not any(file.is_file() for _, file in added):
        raise ConfigError(
            f"{path} has no tracks of these sequences", remedy=f"they would be called {', '.join(file.name for _, file in added[:3])}"
        )
    return tuple(_with(each, path.name, read_tracks(file)) if file.is_file() else each for each, file in added)


def scores_of(detections: MotBoxes) -> NDArray[np.float64]:
    """The confidences as scores from 0 to 1.

    What is not from 0 to 1 is of a detector with a scale of its own: the least of the sequence becomes 0, the 95th percentile 1.
    Where all are the same, nothing is told by them, and all become 1.
    """
    scores = detections.confidences
    if not len(scores) or scores.min() == scores.max():
        return np.ones(len(scores))
    if scores.min() >= 0 and scores.max() <= 1:
        return scores
    low, high = np.percentile(scores, [_LOW_PERCENTILE, _HIGH_PERCENTILE])
    result: NDArray[np.float64] = np.clip((scores - low) / max(high - low, 1e-9), 0, 1)
    return result


def _with(sequence: TrackSequence, name: str, tracks: MotBoxes) -> TrackSequence:
    return replace(sequence, tracks=MappingProxyType({**sequence.tracks, name: tracks}))


def _in_folder(truth: Path, top: Path, fps: float | None) -> TrackSequence:
    home = truth.parent.parent if truth.parent.name == "gt" and truth.parent != top else truth.parent
    name = home.relative_to(top).as_posix()
    places = (home / "det" / "det.txt", home / "det.txt")
    detections = next((place for place in places if place.is_file()), None)
    sequence = _sequence(home.absolute().name if name == "." else name, truth, detections, home / "seqinfo.ini", fps)
    for file in _others(home, truth, detections):
        try:
            sequence = _with(sequence, file.name, read_tracks(file))
        except ConfigError as error:
            sequence = replace(sequence, notes=(*sequence.notes, f"left out: {error.problem}"))
    return sequence


def _others(home: Path, truth: Path, detections: Path | None) -> Iterator[Path]:
    for file in sorted(home.glob("*.txt")):
        if file not in (truth, detections):
            yield file


def _sequence(name: str, truth_file: Path, detections_file: Path | None, about_file: Path | None, fps: float | None) -> TrackSequence:
    truth = read_truth(truth_file)
    detections = None if detections_file is None else read_boxes(detections_file)
    notes = list[str]()
    has_about = about_file is not None and about_file.is_file()
    about = read_sequence(about_file) if about_file is not None else None
    if fps is None and not has_about:
        notes.append(f"no seqinfo.ini and no --fps, {_USUAL_FPS:g} frames a second are assumed")
    if detections is None:
        notes.append("no detections, nothing but ready tracks is scored")
    named_count = about.frame_count if about is not None else 0
    counted = named_count or max(truth.frame_count, detections.frame_count if detections is not None else 0)
    if truth.frame_count > counted:
        raise ConfigError(f"{truth_file} has frame {truth.frame_count}, and {about_file} tells of {counted}", remedy="correct seqLength")
    rate = fps or (about.fps if about is not None and has_about else _USUAL_FPS)
    return TrackSequence(name, rate, counted, truth, detections, MappingProxyType({}), tuple(notes))
