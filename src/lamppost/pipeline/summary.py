"""What one run of the node made, read from the index when everything is written."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lamppost.base.clock import US_PER_S
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index, Interval


@dataclass(frozen=True, slots=True)
class CameraSummary:
    """One camera's frames, bytes and gaps; times in seconds."""

    camera: str
    frames_in: int
    frames_masked: int
    frames_covered: int
    sealed_bytes: int
    sealed_segments: int
    masked_segments: int
    gap_s_by_cause: Mapping[str, float]
    gaps: int
    problem: str


@dataclass(frozen=True, slots=True)
class RunSummary:
    """All cameras, and the processes that died on the way."""

    cameras: tuple[CameraSummary, ...]
    deaths: Mapping[str, int]


def summarise(
    folder: DataFolder,
    cameras: Sequence[str],
    *,
    since_us: int,
    until_us: int,
    covered_frames: Mapping[str, int],
    problems: Mapping[str, str],
    deaths: Mapping[str, int],
) -> RunSummary:
    """Sum up segments and gaps of [`since_us`, `until_us`); raises `StoreError`."""
    with Index(folder) as index:
        summaries = tuple(
            _summarise_camera(index, camera, since_us, until_us, covered_frames.get(camera, 0), problems.get(camera, ""))
            for camera in cameras
        )
    return RunSummary(summaries, dict(deaths))


def _summarise_camera(index: Index, camera: str, since_us: int, until_us: int, covered: int, problem: str) -> CameraSummary:
    segments = [segment for segment in index.segments(camera, None, since_us, until_us) if segment.start_us >= since_us]
    sealed = [segment for segment in segments if segment.rendition is Rendition.SEALED]
    masked = [segment for segment in segments if segment.rendition is Rendition.MASKED]
    gaps = [gap for gap in index.gaps(camera, since_us, until_us) if _length_s(gap, since_us, until_us) > 0]
    by_cause: dict[str, float] = {}
    for gap in gaps:
        by_cause[gap.cause] = round(by_cause.get(gap.cause, 0.0) + _length_s(gap, since_us, until_us), 3)
    return CameraSummary(
        camera=camera,
        frames_in=sum(segment.frames for segment in sealed),
        frames_masked=sum(segment.frames for segment in masked),
        frames_covered=covered,
        sealed_bytes=sum(segment.size_bytes for segment in sealed),
        sealed_segments=len(sealed),
        masked_segments=len(masked),
        gap_s_by_cause=by_cause,
        gaps=len(gaps),
        problem=problem,
    )


def _length_s(gap: Interval, since_us: int, until_us: int) -> float:
    start_us = max(gap.start_us, since_us)
    end_us = min(until_us if gap.end_us is None else gap.end_us, until_us)
    return max(0, end_us - start_us) / US_PER_S
