"""Each preset masks what it says, and plates always."""

from __future__ import annotations

import pytest

from lamppost.model.vision import Box, Kind, Preset
from lamppost.pipeline.targets import Targets

BODY = Box(100, 50, 160, 250)


@pytest.mark.parametrize("preset", [Preset.FACES, Preset.HEADS, Preset.PERSONS, Preset.MOTION])
def test_faces_heads_and_plates_are_masked_in_every_preset(preset: Preset) -> None:
    for kind in (Kind.FACE, Kind.HEAD, Kind.PLATE):
        assert Targets(preset, has_plates=True).of(kind, BODY) == (kind, BODY)


def test_of_persons_the_preset_decides() -> None:
    assert Targets(Preset.FACES).of(Kind.PERSON, BODY) is None
    assert Targets(Preset.PERSONS).of(Kind.PERSON, BODY) == (Kind.PERSON, BODY)
    assert Targets(Preset.MOTION).of(Kind.PERSON, BODY) == (Kind.PERSON, BODY)
    kind, upper = Targets(Preset.HEADS).of(Kind.PERSON, BODY) or pytest.fail("a head is masked")
    assert kind is Kind.HEAD
    assert (upper.x0, upper.y0, upper.x1) == (BODY.x0, BODY.y0, BODY.x1)
    assert BODY.height / 4 < upper.height < BODY.height / 2


def test_a_vehicle_is_masked_for_its_plate_unless_plates_are_found() -> None:
    for preset in (Preset.FACES, Preset.HEADS, Preset.PERSONS):
        assert Targets.of_kinds(preset, [Kind.VEHICLE, Kind.PERSON]).of(Kind.VEHICLE, BODY) == (Kind.VEHICLE, BODY)
        assert Targets.of_kinds(preset, [Kind.VEHICLE, Kind.PLATE]).of(Kind.VEHICLE, BODY) is None
    assert Targets.of_kinds(Preset.MOTION, [Kind.PLATE]).of(Kind.VEHICLE, BODY) == (Kind.VEHICLE, BODY)
