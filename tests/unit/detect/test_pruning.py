"""Scores that nobody reads are not computed, and those that are read are the same to the last bit."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

import tiny_models
from lamppost.detect import graph as graph_module
from lamppost.detect.catalogue import YOLOX_NANO
from lamppost.detect.graph import prepare_graph
from lamppost.detect.network import Network
from lamppost.detect.pruning import leave_out_scores
from lamppost.detect.weights_file import read_weights

LABELS = len(tiny_models.LABELS)
READ = (0, 1, 3, 4)


def head(variant=""):
    """The end of YOLOX as its exporter writes it, for two grids; `variant` says what is otherwise."""
    chance = np.random.default_rng(4)
    nodes, weights, flat = [], {}, []

    def convolve(source, name, channels, stride):
        weights[f"{name}.weight"] = chance.normal(0, 0.1, (channels, 3, stride, stride)).astype(np.float32)
        weights[f"{name}.bias"] = chance.normal(0, 1, channels).astype(np.float32)
        shared = variant == "shared weights" and name.startswith("cls")
        inputs = [f"{'cls8' if shared else name}.weight", f"{'cls8' if shared else name}.bias"]
        nodes.append(helper.make_node("Conv", [source, *inputs], [name], strides=[stride, stride], kernel_shape=[stride, stride]))

    for stride in (8, 8) if variant == "shared weights" else (8, 16):
        tag = f"{stride}" if not flat else f"{stride}b"
        for name, channels in (("reg", 4), ("obj", 1), ("cls", LABELS)):
            convolve("images", name + tag, channels, stride)
        nodes.append(helper.make_node("Sigmoid", [f"obj{tag}"], [f"objs{tag}"]))
        nodes.append(helper.make_node("Sigmoid", [f"cls{tag}"], [f"clss{tag}"]))
        nodes.append(helper.make_node("Concat", [f"reg{tag}", f"objs{tag}", f"clss{tag}"], [f"grid{tag}"], axis=1))
        if variant == "written shape":
            weights[f"shape{tag}"] = np.array([1, 5 + LABELS, -1], np.int64)
            nodes.append(helper.make_node("Reshape", [f"grid{tag}", f"shape{tag}"], [f"flat{tag}"]))
        else:
            nodes.append(helper.make_node("Shape", [f"grid{tag}"], [f"whole{tag}"]))
            nodes.append(helper.make_node("Slice", [f"whole{tag}", "zero", "two", "zero"], [f"part{tag}"]))
            nodes.append(helper.make_node("Concat", [f"part{tag}", "rest"], [f"shape{tag}"], axis=0))
            nodes.append(helper.make_node("Reshape", [f"grid{tag}", f"shape{tag}"], [f"flat{tag}"]))
        flat.append(f"flat{tag}")
    weights |= {"zero": np.array([0], np.int64), "two": np.array([2], np.int64), "rest": np.array([-1], np.int64)}
    nodes.append(helper.make_node("Concat", flat, ["joined"], axis=2))
    nodes.append(helper.make_node("Transpose", ["joined"], ["output"], perm=[0, 2, 1]))
    outputs = [helper.make_tensor_value_info("output", TensorProto.FLOAT, [1, None, 5 + LABELS])]
    if variant == "scores used twice":
        nodes.append(helper.make_node("Identity", ["clss8"], ["more"]))
        outputs.append(helper.make_tensor_value_info("more", TensorProto.FLOAT, [1, LABELS, None, None]))
    graph = helper.make_graph(
        nodes,
        "head",
        [helper.make_tensor_value_info("images", TensorProto.FLOAT, [1, 3, 64, 64])],
        outputs,
        [numpy_helper.from_array(value, name) for name, value in weights.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    return model


def answers(folder, model, entry):
    network = Network(tiny_models.keep(folder, entry, model.SerializeToString()), models=folder)
    pictures = np.random.default_rng(5).integers(0, 256, (1, 3, 64, 64), np.uint8)
    (rows,) = network.run(pictures).values()
    return rows


def test_what_is_read_stays_as_it_was_and_the_rest_is_not_in_the_graph(tmp_path, monkeypatch):
    entry = tiny_models.yolox_entry()
    pruned = answers(tmp_path, head(), entry)
    content = onnx.load_model_from_string(prepare_graph(entry, head().SerializeToString()))
    sizes = {tensor.name: list(tensor.dims) for tensor in content.graph.initializer}
    assert sizes["cls8.weight"][0] == sizes["cls16b.bias"][0] == len(READ)
    assert not any(node.op_type == "Gather" for node in content.graph.node)
    monkeypatch.setattr(graph_module, "leave_out_scores", lambda *_: False)
    assert (pruned == answers(tmp_path, head(), entry)).all()
    assert pruned.shape == (1, 80, 5 + len(READ))


@pytest.mark.parametrize("variant", ["written shape", "shared weights", "scores used twice"])
def test_a_graph_that_is_otherwise_is_left_as_it_is_and_cut_at_its_end(tmp_path, variant):
    model = head(variant)
    before = model.SerializeToString()
    assert not leave_out_scores(model.graph, "output", LABELS, READ)
    assert model.SerializeToString() == before
    assert answers(tmp_path, model, tiny_models.yolox_entry()).shape[2] == 5 + len(READ)


def test_another_number_of_labels_is_none_of_ours():
    assert not leave_out_scores(head().graph, "output", LABELS - 1, (0,))
    assert not leave_out_scores(head().graph, "joined", LABELS, READ)


def test_the_real_file_is_pruned(shared_data):
    graph = onnx.load_model_from_string(prepare_graph(YOLOX_NANO, read_weights(YOLOX_NANO, shared_data / "models"))).graph
    scores = [list(tensor.dims) for tensor in graph.initializer if "cls_preds" in tensor.name and tensor.name.endswith("weight")]
    assert scores == [[7, 64, 1, 1]] * 3
