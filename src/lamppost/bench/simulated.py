"""The simulated street as a set whose truth is exact: it is made anew from its settings, and needs no real material."""

from __future__ import annotations

from collections.abc import Iterator
from types import TracebackType
from typing import Final, Self

from lamppost.base.clock import TICKS_PER_S, us_from_90k
from lamppost.base.errors import ConfigError
from lamppost.bench.truth import Boxes, Label, TruthBox
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.simulation import street_settings
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.vision import Frame

_MOST_SECONDS: Final = 3600
_KINDS_PER_OBJECT: Final = 8  # a face and a body of one object are two tracks


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


def open_street(settings: StreetSettings, seconds: int) -> StreetFrames:
    """The frames of a street."""
    return StreetFrames(settings, seconds)


def street_truth(address: str, seconds: int) -> tuple[StreetSettings, frozenset[Label], Boxes]:
    """What a `sim://` address says, and the truth of its first seconds: faces, persons, vehicles. Raises `ConfigError`."""
    settings = street_settings(parse_locator(address))
    if not 0 < seconds <= _MOST_SECONDS:
        raise ConfigError(f"{seconds} seconds of a street cannot be simulated", remedy=f"1 to {_MOST_SECONDS}")
    street = Street(settings)
    boxes = {
        index: tuple(
            TruthBox(Label(truth.kind.value), truth.box, truth.object_id * _KINDS_PER_OBJECT + list(Label).index(Label(truth.kind.value)))
            for truth in street.truth(index)
        )
        for index in range(seconds * settings.fps)
    }
    return settings, frozenset({Label.FACE, Label.PERSON, Label.VEHICLE}), boxes
