"""What a source hands on: access units as they arrived, before they are judged and placed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from lamppost.model.media import Codec


@dataclass(frozen=True, slots=True)
class AccessUnit:
    """One encoded picture in Annex B, with the source's own timestamps.

    `pts_90k` and `dts_90k` are what the container said, None where it was
    silent; `duration_90k` is 0 when unknown. `arrival_us` (UTC) and `arrival_s`
    (monotonic) tell when it reached this machine. `is_first` marks the first
    unit of a new pass over a file: a new run starts there.
    """

    data: bytes
    pts_90k: int | None
    dts_90k: int | None
    duration_90k: int
    is_corrupt: bool
    arrival_us: int
    arrival_s: float
    is_first: bool = False


class UnitSource(Protocol):
    """An open stream. `units` ends when `stop` is set and raises `CameraError` otherwise."""

    @property
    def codec(self) -> Codec: ...

    @property
    def nominal_interval_90k(self) -> int:
        """The frame interval that the container states; 0 when unknown."""
        ...

    @property
    def parameter_sets(self) -> bytes:
        """Parameter sets told out of band (SDP), Annex B; empty when there are none."""
        ...

    @property
    def origin_90k(self) -> int | None:
        """The pts that the demuxer counts from, where that is known."""
        ...

    def units(self) -> Iterator[AccessUnit]: ...

    def close(self) -> None: ...
