"""What the catalogue refuses: purposes, labels and outputs that serve anything but detection."""

from __future__ import annotations

import dataclasses

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamppost.detect.admission import columns, problems
from lamppost.detect.catalogue import CENTERFACE, YOLOX_NANO, YUNET_N
from lamppost.detect.entry import InputLayout, Output, OutputRole
from lamppost.detect.labels import why_refused
from lamppost.model.vision import Kind


def with_label(label):
    return dataclasses.replace(CENTERFACE, labels=(label,))


@pytest.mark.parametrize("label", [*"AZaz09éЖ京", "12", "char_7", "plate 3"])
def test_characters_are_refused(label):
    (problem,) = problems(with_label(label))
    assert "is a character" in problem


@pytest.mark.parametrize("label", ["male", "Woman", "asian_face", "old person", "face-happy", "child", "no glasses", "emotion"])
def test_what_a_person_is_like_is_refused(label):
    (problem,) = problems(with_label(label))
    assert "what a person is like" in problem


@pytest.mark.parametrize("label", ["Ada Lovelace", "id_00213", "n000001", "suspect", "Müller", "", "employee"])
def test_names_of_persons_and_whatever_is_unknown_are_refused(label):
    assert len(problems(with_label(label))) == 1


@pytest.mark.parametrize("label", ["face", "Human Face", "License_Plate", "licence-plate", "pedestrian", "car", "head", "Traffic Light"])
def test_things_are_let_in(label):
    assert why_refused(label) is None


@given(st.text(max_size=3))
def test_nothing_short_comes_in_but_what_is_on_the_list(label):
    assert why_refused(label) is not None or label.strip().casefold() in {
        "car",
        "bus",
        "cat",
        "dog",
        "cow",
        "tie",
        "cup",
        "bed",
        "tv",
        "van",
        "bag",
    }


@pytest.mark.parametrize(
    "name",
    [
        "landmarks",
        "kps_8",
        "face_embedding",
        "fc1_embed",
        "features",
        "reid",
        "gender",
        "age",
        "person_age",
        "ocr_logits",
        "plate_text",
        "keypoints",
    ],
)
def test_outputs_that_are_named_for_something_else_are_refused(name):
    entry = dataclasses.replace(YOLOX_NANO, outputs=(Output(OutputRole.BOX_AND_SCORE, name, (8, 16, 32)),))
    assert problems(entry) == (f"output {name!r}: by its name it is neither a box nor a score",)


@pytest.mark.parametrize("name", ["output", "boxes", "537", "transpose_0.tmp_0", "image_scores", "cls_8"])
def test_innocent_names_are_not(name):
    assert problems(dataclasses.replace(YOLOX_NANO, outputs=(Output(OutputRole.BOX_AND_SCORE, name, (8, 16, 32)),))) == ()


@pytest.mark.parametrize(
    ("outputs", "said"),
    [
        ((), "has one each of"),
        (YUNET_N.outputs[:-1], "has one each of"),
        ((*YUNET_N.outputs, YUNET_N.outputs[0]), "one is named twice"),
        ((*YUNET_N.outputs, Output(OutputRole.SIZE, "size", (8,))), "has no role size"),
        ((*YUNET_N.outputs[:-1], dataclasses.replace(YUNET_N.outputs[-1], strides_px=(0,))), "strides_px are 1 to 128"),
        ((*YUNET_N.outputs[:-1], dataclasses.replace(YUNET_N.outputs[-1], strides_px=())), "strides_px are 1 to 128"),
        ((*YUNET_N.outputs[:-1], dataclasses.replace(YUNET_N.outputs[-1], strides_px=(16, 32))), "too many strides_px"),
    ],
)
def test_outputs_that_do_not_make_boxes_and_scores_are_refused(outputs, said):
    assert any(said in problem for problem in problems(dataclasses.replace(YUNET_N, outputs=outputs)))


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"name": "../etc"}, "name"),
        ({"name": "Caps"}, "name"),
        ({"purpose": "recognition of faces"}, "nothing but detection"),
        ({"file": "../x.onnx"}, "file"),
        ({"file": ".x.onnx"}, "file"),
        ({"file": "x.bin"}, "file"),
        ({"sha256": "A" * 64}, "sha256"),
        ({"source_url": "http://example.org/x.onnx"}, "source"),
        ({"source_url": "https://user:word@example.org/x.onnx"}, "source"),
        ({"source_url": "https://[x"}, "source"),
        ({"licence": " "}, "licence"),
        ({"trained_on": ""}, "trained_on"),
        ({"labels": (), "kinds": ()}, "labels"),
        ({"kinds": (None,)}, "kinds"),
        ({"kinds": ()}, "kinds"),
        ({"labels": ("face", "head"), "kinds": (Kind.FACE, Kind.HEAD)}, "exactly one"),
        ({"input": InputLayout("", CENTERFACE.input.colours, 640)}, "input"),
        ({"input": InputLayout("x", CENTERFACE.input.colours, 100)}, "input"),
        ({"input": InputLayout("x", CENTERFACE.input.colours, 4096)}, "input"),
        ({"input": InputLayout("x", CENTERFACE.input.colours, 64, is_fixed=True)}, "input"),
    ],
)
def test_what_is_missing_or_crooked_has_one_line(changes, said):
    (problem,) = problems(dataclasses.replace(CENTERFACE, **changes))
    assert said in problem
    assert "\n" not in problem


def test_the_numbers_of_a_place_are_those_of_boxes_and_scores():
    assert [columns(CENTERFACE, output) for output in CENTERFACE.outputs] == [1, 2, 2]
    assert [columns(YUNET_N, output) for output in YUNET_N.outputs] == [1] * 6 + [4] * 3
    assert columns(YOLOX_NANO, YOLOX_NANO.outputs[0]) == 85
