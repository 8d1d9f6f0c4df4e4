"""The simulated street as a set whose truth is exact: it is made anew from its settings, and needs no real material."""

from __future__ import annotations

from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.bench.truth import Boxes, Label, TruthBox
from lamppost.ingest.locator import parse_locator
from lamppost.ingest.simulation import street_settings
from lamppost.ingest.street import Street, StreetSettings

_MOST_SECONDS: Final = 3600
_KINDS_PER_OBJECT: Final = 8  # a face and a body of one object are two tracks


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
