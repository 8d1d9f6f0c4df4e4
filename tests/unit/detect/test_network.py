"""Only boxes and scores are ever asked of a network; all else is cut off before it is loaded."""

from __future__ import annotations

import ast
import dataclasses
from pathlib import Path

import numpy as np
import onnx
import pytest

import lamppost.detect
import tiny_models
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import BUILT_IN, CENTERFACE, YOLOX_NANO, YUNET_N
from lamppost.detect.entry import Output, OutputRole
from lamppost.detect.graph import prepare_graph
from lamppost.detect.network import Network
from lamppost.detect.weights_file import read_weights

ROOM = Path(lamppost.detect.__file__).parent


def graph_of(entry, content):
    return onnx.load_model_from_string(prepare_graph(entry, content)).graph


def test_the_session_is_asked_for_scores_and_boxes_alone():
    asked: list[list[str]] = []

    class Spy:
        def run(self, names, feed):
            asked.append(list(names))
            return [np.zeros((1, 1, 8, 8), np.float32)] * len(names)

    network = Network(CENTERFACE)
    network._session = Spy()
    outputs = network.run(np.zeros((1, 3, 32, 32), np.uint8))
    assert asked == [["537", "538", "539"]]
    assert set(outputs) == {(OutputRole.SCORE, 4), (OutputRole.SIZE, 4), (OutputRole.OFFSET, 4)}


def test_the_points_of_a_face_are_not_even_in_the_graph():
    graph = graph_of(CENTERFACE, read_weights(CENTERFACE))
    assert [value.name for value in graph.output] == ["537", "538", "539"]
    assert [value.name for value in graph.input] == ["shown"]
    assert [value.name for value in Network(CENTERFACE)._session.get_outputs()] == ["537", "538", "539"]


def test_nor_those_of_yunet():
    content = tiny_models.constant_model("input", tiny_models.empty_yunet())
    assert "kps_8" in [value.name for value in onnx.load_model_from_string(content).graph.output]
    assert [value.name for value in graph_of(YUNET_N, content).output] == list(YUNET_N.output_names)


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_the_real_files_give_what_their_entries_name_and_nothing_else(shared_data, entry):
    network = Network(entry, models=shared_data / "models")
    names = [value.name for value in network._session.get_outputs()]
    assert names == (["read_columns"] if entry is YOLOX_NANO else list(entry.output_names))
    outputs = network.run(np.zeros((2, 3, 64, 96), np.uint8))  # any size, and two pictures at once
    assert {(output.role, output.strides_px[0]) for output in entry.outputs} == set(outputs)
    assert {len(array) for array in outputs.values()} == {2}
    assert all(0 <= array.min() <= array.max() <= 1 for (role, _), array in outputs.items() if role in {"score", "objectness"})


@pytest.mark.parametrize("entry", BUILT_IN, ids=lambda entry: entry.name)
def test_a_batch_says_of_each_picture_what_is_said_of_it_alone(shared_data, entry):
    network = Network(entry, models=shared_data / "models")
    pictures = np.random.default_rng(3).integers(0, 256, (3, 3, 96, 128), np.uint8)
    together = network.run(pictures)
    for index in range(len(pictures)):
        for role, alone in network.run(pictures[index : index + 1]).items():
            np.testing.assert_allclose(together[role][index], alone[0], rtol=1e-3, atol=1e-3)


def test_a_run_holds_few_large_pictures_or_many_small_ones():
    network = Network(CENTERFACE)
    assert [network.most_pictures(side, side) for side in (64, 128, 320, 640, 1280)] == [16, 16, 4, 1, 1]


def test_a_network_that_takes_one_picture_alone_is_given_one(tmp_path, shared_data):
    content = tiny_models.constant_model("images", {"output": tiny_models.empty_rows()})
    for entry in (tiny_models.yolox_entry(), dataclasses.replace(tiny_models.yolox_entry(), input=YOLOX_NANO.input)):
        network = Network(tiny_models.keep(tmp_path, entry, content), models=tmp_path)
        assert network.most_pictures(64, 64) == 1
    assert Network(YOLOX_NANO, models=shared_data / "models").most_pictures(64, 64) == 16


def test_scores_of_classes_that_count_as_nothing_are_cut_off(tmp_path):
    rows = tiny_models.empty_rows()
    rows[0, 3] = range(10)
    entry = tiny_models.keep(tmp_path, tiny_models.yolox_entry(), tiny_models.constant_model("images", {"output": rows}))
    (read,) = Network(entry, models=tmp_path).run(np.zeros((1, 3, 64, 64), np.uint8)).values()
    assert read[0, 3].tolist() == [0, 1, 2, 3, 4, 5, 6, 8, 9]  # the dog's is not there


def test_no_code_in_the_room_runs_a_session_elsewhere():
    calls: list[tuple[str, str]] = []
    for path in ROOM.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"run", "run_with_iobinding"}:
                calls.append((path.name, ast.unparse(node.func)))
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value in {"540", "kps_8", "kps_16", "kps_32"}:
                pytest.fail(f"{path.name} names the output of points of a face")
            if isinstance(node, (ast.Import, ast.ImportFrom)):
                imported = ast.unparse(node)
                assert "onnxruntime" not in imported or path.name == "network.py", path.name
                assert "onnx" not in imported or path.name in {"network.py", "graph.py", "pruning.py"}, path.name
    own = ("network.py", "self._session.run")
    assert sorted(calls) == [("looking.py", "self._network.run"), own, own, ("shared.py", "self._network.run")]


def test_an_entry_that_does_not_fit_the_model_is_refused():
    outputs = tuple(dataclasses.replace(output, name=f"9{output.name}") for output in CENTERFACE.outputs)
    with pytest.raises(ModelError, match="lacks input"):
        prepare_graph(dataclasses.replace(CENTERFACE, outputs=outputs), read_weights(CENTERFACE))


def test_an_output_with_more_numbers_than_its_role_has_is_refused():
    points = tuple(dataclasses.replace(output, name="540") if output.role is OutputRole.SIZE else output for output in CENTERFACE.outputs)
    with pytest.raises(ModelError, match="'540' is no size"):
        prepare_graph(dataclasses.replace(CENTERFACE, outputs=points), read_weights(CENTERFACE))
    content = tiny_models.constant_model("images", {"output": tiny_models.empty_rows()})
    hidden = dataclasses.replace(tiny_models.yolox_entry(), labels=("person", "bicycle"), kinds=tiny_models.KINDS[:2])
    with pytest.raises(ModelError, match="7 numbers are wanted"):
        prepare_graph(hidden, content)


def test_what_the_gate_refuses_is_not_loaded_whoever_made_the_entry():
    entry = dataclasses.replace(YUNET_N, outputs=(*YUNET_N.outputs, Output(OutputRole.BOX, "kps_8", (8,))))
    with pytest.raises(ModelError, match="neither a box nor a score"):
        prepare_graph(entry, tiny_models.constant_model("input", tiny_models.empty_yunet()))


@pytest.mark.parametrize("content", [b"", b"no protobuf at all"])
def test_what_is_no_onnx_is_told(content):
    with pytest.raises(ModelError, match=r"is not an ONNX file|lacks input"):
        prepare_graph(YUNET_N, content)


def test_weights_in_a_second_file_are_refused():
    model = onnx.load_model_from_string(tiny_models.constant_model("images", {"output": tiny_models.empty_rows()}))
    tensor = model.graph.initializer[1]
    tensor.ClearField("raw_data")
    tensor.data_location = onnx.TensorProto.EXTERNAL
    tensor.external_data.add(key="location", value="elsewhere.bin")
    with pytest.raises(ModelError, match="second file"):
        prepare_graph(tiny_models.yolox_entry(), model.SerializeToString())


def test_a_network_that_gives_no_numbers_fails_rather_than_sees_nothing(tmp_path):
    rows = tiny_models.empty_rows()
    rows[0, 5, 4] = np.nan
    entry = tiny_models.keep(tmp_path, tiny_models.yolox_entry(), tiny_models.constant_model("images", {"output": rows}))
    with pytest.raises(ModelError, match="no numbers"):
        Network(entry, models=tmp_path).run(np.zeros((1, 3, 64, 64), np.uint8))


def test_a_picture_of_the_wrong_shape_is_a_model_error():
    with pytest.raises(ModelError, match="inference failed"):
        Network(CENTERFACE).run(np.zeros((1, 1, 32, 32), np.uint8))
