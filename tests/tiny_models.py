"""Networks of a few bytes that say what a test wants, in the layouts of the catalogue, and entries for them."""

from __future__ import annotations

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

from lamppost.detect.catalogue import YOLOX_NANO, YUNET_N
from lamppost.detect.entry import Colours, InputLayout, Layout, ModelEntry, Normalisation, Output, OutputRole
from lamppost.detect.labels import UNUSED
from lamppost.model.vision import Kind

SIDE_PX = 64
STRIDES_PX = (8, 16, 32)
LABELS = ("person", "bicycle", "dog", "car", "truck")
IMAGENET = Normalisation((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
KINDS = (Kind.PERSON, Kind.BICYCLE, None, Kind.VEHICLE, Kind.VEHICLE)


def constant_model(input_name: str, outputs: dict[str, NDArray[np.float32]], side_px: int = SIDE_PX) -> bytes:
    """A network that gives `outputs` whatever it is shown."""
    picture = helper.make_tensor_value_info(input_name, TensorProto.FLOAT, [1, 3, side_px, side_px])
    nodes = [
        helper.make_node("ReduceMean", [input_name], ["mean"], keepdims=0),
        helper.make_node("Mul", ["mean", "zero"], ["nothing"]),
        *(helper.make_node("Add", [f"{name}.value", "nothing"], [name]) for name in outputs),
    ]
    values = [numpy_helper.from_array(array.astype(np.float32), f"{name}.value") for name, array in outputs.items()]
    graph = helper.make_graph(
        nodes,
        "tiny",
        [picture],
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, list(array.shape)) for name, array in outputs.items()],
        [numpy_helper.from_array(np.float32(0), "zero"), *values],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 11)], ir_version=6)
    onnx.checker.check_model(model)
    return bytes(model.SerializeToString())


def keep(folder: Path, entry: ModelEntry, content: bytes) -> ModelEntry:
    """Put `content` into the models folder, and pin it in the entry."""
    (folder / entry.file).write_bytes(content)
    return dataclasses.replace(entry, sha256=hashlib.sha256(content).hexdigest())


def yolox_entry() -> ModelEntry:
    return dataclasses.replace(
        YOLOX_NANO,
        name="tiny-yolox",
        file="tiny_yolox.onnx",
        input=InputLayout("images", YOLOX_NANO.input.colours, SIDE_PX, is_fixed=True),
        labels=LABELS,
        kinds=KINDS,
    )


def empty_rows() -> NDArray[np.float32]:
    """What YOLOX says of a picture of `SIDE_PX` with nothing in it: 64 + 16 + 4 places, a box, an objectness, a score for each label."""
    return np.zeros((1, 84, 5 + len(LABELS)), np.float32)


def rfdetr_entry(side_px: int = SIDE_PX) -> ModelEntry:
    return ModelEntry(
        name="tiny-rfdetr",
        layout=Layout.RFDETR,
        file="tiny_rfdetr.onnx",
        sha256="0" * 64,
        source_url="https://models.example.org/tiny_rfdetr.onnx",
        licence="none",
        trained_on="nothing",
        input=InputLayout("input", Colours.RGB, side_px, is_fixed=True, normalisation=IMAGENET),
        outputs=(Output(OutputRole.BOX, "dets"), Output(OutputRole.SCORE, "labels")),
        labels=(UNUSED, *LABELS, UNUSED),
        kinds=(None, *KINDS, None),
    )


def empty_rfdetr(queries: int = 6) -> dict[str, NDArray[np.float32]]:
    """What RF-DETR says of a picture with nothing in it, with the outlines of things that nobody reads."""
    return {
        "dets": np.full((1, queries, 4), 0.5, np.float32),
        "labels": np.full((1, queries, 2 + len(LABELS)), -6, np.float32),
        "masks": np.zeros((1, queries, SIDE_PX // 4, SIDE_PX // 4), np.float32),
    }


def yunet_entry() -> ModelEntry:
    return dataclasses.replace(YUNET_N, name="tiny-yunet", file="tiny_yunet.onnx")


def empty_yunet() -> dict[str, NDArray[np.float32]]:
    """What YuNet says of a picture of `SIDE_PX` with nothing in it, with the points of faces that nobody reads."""
    widths = {"cls": 1, "obj": 1, "bbox": 4, "kps": 10}
    return {
        f"{name}_{stride}": np.zeros((1, (SIDE_PX // stride) ** 2, width), np.float32)
        for name, width in widths.items()
        for stride in STRIDES_PX
    }
