"""The simulated street as a clip that can be masked without a file."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Self

from lamppost.base.clock import TICKS_PER_S, us_from_90k
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.vision import Frame


class StreetFrames:
    """The first `seconds` of a simulated street."""

    def __init__(self, settings: StreetSettings, seconds: int) -> None:
        self._settings = settings
        self._seconds = seconds

    @property
    def frame_interval_90k(self) -> int:
        """The time between two frames."""
        return TICKS_PER_S // self._settings.fps

    def again(self) -> StreetFrames:
        """The same street from its start."""
        return StreetFrames(self._settings, self._seconds)

    def __iter__(self) -> Iterator[Frame]:
        street = Street(self._settings)
        for index in range(self._seconds * self._settings.fps):
            pts_90k = index * self.frame_interval_90k
            yield Frame(street.frame(index), pts_90k, us_from_90k(pts_90k))

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        """Nothing is open."""
