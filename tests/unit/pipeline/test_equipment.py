"""A preset takes the models that are here, and says which one it lacks."""

from __future__ import annotations

from pathlib import Path

import pytest

from lamppost.base.errors import ConfigError
from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO, YUNET_N
from lamppost.model.vision import Box, Kind, Preset
from lamppost.pipeline.equipment import equip

BODY = Box(0, 0, 50, 150)


@pytest.fixture
def models(tmp_path: Path) -> Path:
    for entry in (YOLOX_NANO, YUNET_N):
        (tmp_path / entry.file).write_bytes(b"its hash is looked at when it is loaded")
    return tmp_path


@pytest.mark.parametrize("preset", list(Preset))
def test_every_preset_that_can_run_without_a_folder_does(preset: Preset) -> None:
    if preset in (Preset.HEADS, Preset.PERSONS):
        with pytest.raises(ConfigError, match=f"preset {preset.value} needs a model that finds a person"):
            equip(preset, None)
    else:
        equipment = equip(preset, None)
        assert equipment.entries == (() if preset is Preset.ALL else (CENTERFACE,))


@pytest.mark.parametrize("preset", [Preset.FACES, Preset.HEADS, Preset.PERSONS, Preset.MOTION])
def test_what_is_here_is_used_and_plates_are_masked_with_their_vehicles(preset: Preset, models: Path) -> None:
    equipment = equip(preset, models)
    assert equipment.entries == (CENTERFACE, YOLOX_NANO)
    assert equipment.targets.of(Kind.VEHICLE, BODY) == (Kind.VEHICLE, BODY)


def test_another_face_model_is_taken_by_its_name(models: Path) -> None:
    assert equip(Preset.FACES, models, "yunet-n").faces is YUNET_N
    for name, message in (("yunet-s", "not here"), ("yolox-nano", "finds no faces"), ("yunet", "no face model 'yunet'")):
        with pytest.raises(ConfigError, match=message):
            equip(Preset.FACES, models, name)
