"""What of the things that are seen each preset masks: all of them, their upper part, or nothing."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from lamppost.model.vision import Box, Kind, Preset

# A head is an eighth to a sixth of a standing body; of one who sits, or is seen from above, it is a third.
_UPPER_SHARE = 0.34

_PERSONS = frozenset({Kind.FACE, Kind.HEAD, Kind.PERSON})


@dataclass(frozen=True, slots=True)
class Targets:
    """What a preset masks, given what kinds are `found` beside faces.

    A plate is masked in every preset: as such where a detector finds plates, with its vehicle otherwise.
    """

    preset: Preset
    has_plates: bool = False

    @classmethod
    def of_kinds(cls, preset: Preset, found: Iterable[Kind]) -> Targets:
        """`found` are the kinds that the detectors beside that of faces can report."""
        return cls(preset, Kind.PLATE in found)

    def of(self, kind: Kind, box: Box) -> tuple[Kind, Box] | None:
        """What to mask of a thing in `box`; None for nothing."""
        if self.preset is Preset.MOTION:
            return kind, box
        if kind is Kind.PERSON and self.preset is Preset.HEADS:
            return Kind.HEAD, Box(box.x0, box.y0, box.x1, box.y0 + box.height * _UPPER_SHARE)
        if kind is Kind.PERSON:
            return (kind, box) if self.preset is Preset.PERSONS else None
        if kind is Kind.VEHICLE:
            return None if self.has_plates else (kind, box)
        return (kind, box) if kind in _PERSONS or kind is Kind.PLATE else None
