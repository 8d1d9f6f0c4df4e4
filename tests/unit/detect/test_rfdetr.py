"""RF-DETR's persons, bicycles and vehicles are where its answers say; what else it draws is not read."""

from __future__ import annotations

import dataclasses
import math

import numpy as np
import onnx
import pytest
from hypothesis import given
from hypothesis import strategies as st
from onnx import TensorProto, helper

import tiny_models
from face_truth import frame_of
from lamppost.base.errors import ModelError
from lamppost.detect.admission import columns, problems
from lamppost.detect.entry import InputLayout, Normalisation, Output, OutputRole
from lamppost.detect.graph import prepare_graph
from lamppost.detect.network import Network
from lamppost.detect.rfdetr import RfDetrDetector
from lamppost.model.vision import Box, Kind, Region

GREY = np.full((64, 64, 3), 128, np.uint8)


def logit(score):
    return math.log(score / (1 - score))


def detector_that_sees(tmp_path, answers, side_px=tiny_models.SIDE_PX, **more):
    """`answers`: (box as centre, width, height in shares; scores by label)."""
    outputs = tiny_models.empty_rfdetr(max(1, len(answers)))
    for query, (box, scores) in enumerate(answers):
        outputs["dets"][0, query] = box
        for label, score in scores.items():
            outputs["labels"][0, query, 1 + tiny_models.LABELS.index(label)] = logit(score)
    entry = tiny_models.keep(tmp_path, tiny_models.rfdetr_entry(side_px), tiny_models.constant_model("input", outputs, side_px))
    return RfDetrDetector(entry=entry, models=tmp_path, **more)


def test_each_answer_is_of_the_label_that_it_is_surest_of(tmp_path):
    detector = detector_that_sees(
        tmp_path,
        [
            ((0.25, 0.5, 0.5, 1.0), {"person": 0.9}),
            ((0.75, 0.25, 0.25, 0.5), {"car": 0.4, "truck": 0.6}),
            ((0.5, 0.5, 0.1, 0.1), {"dog": 0.99}),
            ((0.5, 0.5, 0.2, 0.2), {"bicycle": 0.2}),
        ],
    )
    found = detector.detect_rgb(GREY)
    assert detector.kinds == (Kind.PERSON, Kind.BICYCLE, Kind.VEHICLE)
    assert [(each.kind, each.box) for each in found] == [(Kind.PERSON, Box(0, 0, 32, 64)), (Kind.VEHICLE, Box(40, 0, 56, 32))]
    assert [each.score for each in found] == pytest.approx([0.9, 0.6])


def test_weaker_answers_are_told_where_they_are_wanted(tmp_path):
    detector = detector_that_sees(tmp_path, [((0.5, 0.5, 0.2, 0.2), {"bicycle": 0.2})], weak_score=0.1)
    assert [each.score for each in detector.detect_rgb(GREY)] == pytest.approx([0.2])
    assert detector.start_score == 0.3


def test_two_answers_of_one_thing_are_one_and_neighbours_are_two(tmp_path):
    things = [
        ((0.3, 0.5, 0.2, 0.6), {"person": 0.9}),
        ((0.31, 0.5, 0.2, 0.6), {"person": 0.7}),
        ((0.36, 0.5, 0.2, 0.6), {"person": 0.8}),
    ]
    assert [each.score for each in detector_that_sees(tmp_path, things).detect_rgb(GREY)] == pytest.approx([0.9, 0.8])


def test_a_wide_picture_is_stretched_and_boxes_are_in_its_pixels(tmp_path):
    detector = detector_that_sees(tmp_path, [((0.5, 0.5, 0.5, 0.5), {"person": 0.9})])
    rgb = np.full((40, 200, 3), 90, np.uint8)
    assert [each.box for each in detector.detect_rgb(rgb)] == [Box(50, 10, 150, 30)]
    assert [each.box for each in detector.detect(frame_of(rgb))] == [Box(50, 10, 150, 30)]
    (part,) = detector.detect_regions(frame_of(np.full((256, 256, 3), 90, np.uint8)), [Region(100, 100, 164, 164)])
    assert part.box == Box(116, 116, 148, 148)


def test_a_side_need_not_be_a_multiple_of_32(tmp_path):
    (found,) = detector_that_sees(tmp_path, [((0.5, 0.5, 1, 1), {"person": 0.9})], side_px=78).detect_rgb(GREY)
    assert found.box == Box(0, 0, 64, 64)


@given(st.lists(st.floats(width=32, allow_nan=False), min_size=4, max_size=4), st.floats(0.01, 0.99))
def test_whatever_the_network_says_boxes_lie_in_the_picture(tmp_path_factory, box, score):
    detector = detector_that_sees(tmp_path_factory.mktemp("models"), [(box, {"car": score})])
    for found in detector.detect_rgb(GREY):
        assert found.box.clipped(64, 64) == found.box
        assert 0.3 <= found.score <= 1


def looking_glass(side_px=tiny_models.SIDE_PX):
    """A network that answers with what it is shown: the first four pixels of each channel in the boxes of its three queries."""
    picture = helper.make_tensor_value_info("input", TensorProto.FLOAT, [1, 3, side_px, side_px])
    nodes = [
        helper.make_node("Slice", ["input", "from", "to", "axes"], ["corner"]),
        helper.make_node("Squeeze", ["corner", "row"], ["dets"]),
        helper.make_node("ConstantOfShape", ["shape"], ["labels"]),
    ]
    values = {"from": [0, 0], "to": [1, 4], "axes": [2, 3], "row": [2], "shape": [1, 3, 7]}
    initializers = [onnx.numpy_helper.from_array(np.array(value, np.int64), name) for name, value in values.items()]
    outputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [1, 3, width]) for name, width in (("dets", 4), ("labels", 7))]
    model = helper.make_model(
        helper.make_graph(nodes, "glass", [picture], outputs, initializers), opset_imports=[helper.make_opsetid("", 13)], ir_version=7
    )
    onnx.checker.check_model(model)
    return model.SerializeToString()


def test_a_network_is_shown_what_it_was_trained_with(tmp_path):
    entry = tiny_models.keep(tmp_path, tiny_models.rfdetr_entry(), looking_glass())
    network = Network(entry, models=tmp_path)
    picture = np.empty((1, 3, 64, 64), np.uint8)
    picture[:] = np.array([10, 128, 255], np.uint8)[:, None, None]
    seen = network.run(picture)[OutputRole.BOX, 0][0, :, 0]
    assert seen == pytest.approx([(10 / 255 - 0.485) / 0.229, (128 / 255 - 0.456) / 0.224, (1 - 0.406) / 0.225], abs=1e-5)
    plain = dataclasses.replace(entry, input=dataclasses.replace(entry.input, normalisation=None))
    assert Network(plain, models=tmp_path).run(picture)[OutputRole.BOX, 0][0, :, 0].tolist() == [10, 128, 255]


def test_outlines_are_cut_off_and_so_are_scores_of_what_counts_as_nothing():
    content = tiny_models.constant_model("input", tiny_models.empty_rfdetr())
    assert "masks" in [value.name for value in onnx.load_model_from_string(content).graph.output]
    graph = onnx.load_model_from_string(prepare_graph(tiny_models.rfdetr_entry(), content)).graph
    assert [value.name for value in graph.output] == ["dets", "read_columns"]
    assert [axis.dim_value for axis in graph.output[1].type.tensor_type.shape.dim] == [1, 6, 4]


def changed(**changes):
    return dataclasses.replace(tiny_models.rfdetr_entry(), **changes)


def with_input(**changes):
    return changed(input=dataclasses.replace(tiny_models.rfdetr_entry().input, **changes))


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (changed(outputs=(Output(OutputRole.BOX, "masks"), Output(OutputRole.SCORE, "labels"))), "neither a box nor a score"),
        (changed(outputs=(Output(OutputRole.BOX, "keypoints"), Output(OutputRole.SCORE, "labels"))), "neither a box nor a score"),
        (changed(outputs=(Output(OutputRole.BOX, "dets", (8,)), Output(OutputRole.SCORE, "labels"))), "has no grid"),
        (changed(outputs=(Output(OutputRole.BOX, "dets"),)), "has one each of box, score"),
        (changed(outputs=(*tiny_models.rfdetr_entry().outputs, Output(OutputRole.SIZE, "size"))), "has no role size"),
        (with_input(is_fixed=False), "is_fixed = true"),
        (with_input(long_side_px=77), "a multiple of 2"),
        (with_input(normalisation=Normalisation((123.675, 116.28, 103.53), (0.2, 0.2, 0.2))), "mean is of shares of white"),
        (with_input(normalisation=Normalisation((0.5, 0.5, 0.5), (0.2, 0.0, 0.2))), "deviation is of shares of white"),
        (with_input(normalisation=Normalisation((0.5, math.nan, 0.5), (0.2, 0.2, 0.2))), "mean is of shares of white"),
        (changed(kinds=(Kind.FACE, *tiny_models.KINDS, None)), "label 'unused' counts as nothing"),
    ],
)
def test_what_does_not_fit_has_its_line(entry, said):
    assert [said in problem for problem in problems(entry)].count(True) == 1
    assert not problems(tiny_models.rfdetr_entry())


def test_the_numbers_of_an_answer_are_those_of_a_box_and_the_labels():
    entry = tiny_models.rfdetr_entry()
    assert [columns(entry, output) for output in entry.outputs] == [4, 7]


@pytest.mark.parametrize(
    ("name", "shape", "said"),
    [("dets", (1, 6, 5), "'dets' is no box"), ("labels", (1, 6, 91), "7 numbers"), ("dets", (1, 4, 16, 16), "'dets' is no box")],
)
def test_a_file_with_other_numbers_is_refused(name, shape, said):
    content = tiny_models.constant_model("input", tiny_models.empty_rfdetr() | {name: np.zeros(shape, np.float32)})
    with pytest.raises(ModelError, match=said):
        prepare_graph(tiny_models.rfdetr_entry(), content)


def test_a_file_of_another_size_is_refused():
    with pytest.raises(ModelError, match="takes pictures of 64x64, and not of 96 px"):
        prepare_graph(
            changed(input=InputLayout("input", tiny_models.rfdetr_entry().input.colours, 96, is_fixed=True)),
            tiny_models.constant_model("input", tiny_models.empty_rfdetr()),
        )
