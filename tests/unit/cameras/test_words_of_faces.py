"""What is about faces is heard in whatever letters a maker writes it."""

from __future__ import annotations

import pytest

from lamppost.cameras.dialects.words import abilities_of
from lamppost.model.devices import Ability


@pytest.mark.parametrize(
    "name", ["FaceTracking", "faceThermometry", "FACETEMPERATURE", "AlarmTypeFace", "PointerFaceDetect", "facesnap", "face_compare"]
)
def test_a_name_that_speaks_of_faces_is_heard(name: str) -> None:
    assert Ability.DETECT in abilities_of(name)


@pytest.mark.parametrize("name", ["NetworkInterface", "networkinterfaces", "INTERFACE", "surfaceArea", "Typeface", "facets", "place"])
def test_a_name_that_only_sounds_like_it_is_not(name: str) -> None:
    assert abilities_of(name) == ()
