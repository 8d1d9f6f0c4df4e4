"""The built-in entries say whose they are, ask for boxes and scores, and pass the gate that others pass."""

from __future__ import annotations

import dataclasses

import pytest

from lamppost.detect.admission import problems
from lamppost.detect.catalogue import BUILT_IN, CENTERFACE, YOLOX_NANO, YUNET_N, YUNET_S
from lamppost.detect.entry import OutputRole, Purpose
from lamppost.detect.weights_file import read_weights
from lamppost.model.vision import Detection, Kind


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_every_entry_passes_the_gate_and_says_whose_it_is(entry):
    assert problems(entry) == ()
    assert entry.purpose is Purpose.DETECTION
    assert entry.licence.startswith(("MIT", "Apache-2.0"))
    assert "the weights carry that set's terms" in entry.trained_on


def test_names_and_files_are_unique():
    assert len({entry.name for entry in BUILT_IN}) == len({entry.file for entry in BUILT_IN}) == len(BUILT_IN)


def test_what_each_finds():
    assert [entry.reported_kinds for entry in (CENTERFACE, YUNET_N, YUNET_S)] == [(Kind.FACE,)] * 3
    assert YOLOX_NANO.reported_kinds == (Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE)
    read = [(YOLOX_NANO.labels[index], YOLOX_NANO.kinds[index]) for index in YOLOX_NANO.read_classes]
    assert dict(read) == {"person": Kind.PERSON, "bicycle": Kind.BICYCLE} | dict.fromkeys(
        ("car", "motorcycle", "bus", "train", "truck"), Kind.VEHICLE
    )
    assert (len(YOLOX_NANO.labels), YOLOX_NANO.labels[7], YOLOX_NANO.labels[79]) == (80, "truck", "toothbrush")


def test_no_entry_names_the_points_of_a_face():
    assert "540" not in CENTERFACE.output_names
    assert not any(name.startswith("kps") for entry in BUILT_IN for name in entry.output_names)


def test_roles_and_detections_have_no_room_for_an_identity():
    assert {role.value for role in OutputRole} == {"score", "objectness", "size", "offset", "box", "box_and_score"}
    assert [field.name for field in dataclasses.fields(Detection)] == ["kind", "box", "score"]


@pytest.mark.parametrize("entry", [YUNET_N, YUNET_S, YOLOX_NANO], ids=lambda entry: entry.name)
def test_the_pinned_hashes_are_those_of_the_real_files(shared_data, entry):
    assert read_weights(entry, shared_data / "models")
