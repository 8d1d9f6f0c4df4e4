"""Cuts a network down to what its entry names, before anything runs it: boxes, scores, and nothing else.

All other outputs are cut off the graph, and so are the scores of labels that
count as nothing: what is not in the graph cannot be read by mistake.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import onnx
from google.protobuf.message import DecodeError

from lamppost.base.errors import ModelError
from lamppost.detect.admission import BOX_COLUMNS, columns, has_labels, problems
from lamppost.detect.entry import InputLayout, Layout, ModelEntry, Output, OutputRole
from lamppost.detect.pruning import leave_out_scores

_READ_COLUMNS: Final = "read_columns"  # of scores by label, after the cut
SHOWN: Final = "shown"  # the input after the cut: bytes, whatever the network takes
_WHITE: Final = 255.0


def read_names(entry: ModelEntry) -> list[str]:
    """What the outputs of `entry` are called in the graph that `prepare_graph` makes, in the entry's order."""
    return [_READ_COLUMNS if has_labels(entry, output) else output.name for output in entry.outputs]


def prepare_graph(entry: ModelEntry, content: bytes) -> bytes:
    """The model with only what `entry` names, and with symbolic batch, height and width where its size is free.

    Its input is called `SHOWN` and takes bytes, which it makes the numbers of that the network was trained with: bytes are a
    quarter of what would have to be made, kept and moved otherwise.
    Weights that old exporters also list as inputs are taken off that list:
    ONNX Runtime can then fold them as the constants they are.
    `content` comes from `read_weights`, so it is the pinned file. Raises
    `ModelError` when the entry is refused, or the file lacks what it names.
    """
    for problem in problems(entry):
        raise ModelError(f"model {entry.name}: {problem}", remedy="see docs/reference/models.md")
    model = _parse(entry, content)
    graph = model.graph
    pictures = [value for value in graph.input if value.name == entry.input.name]
    found = {value.name: value for value in graph.output}
    if len(pictures) != 1 or len(_dimensions(pictures[0])) != 4 or not set(entry.output_names) <= set(found):
        raise ModelError(
            f"model {entry.name}: lacks input {entry.input.name!r} or one of the outputs {entry.output_names}",
            remedy="the catalogue and the model do not belong together",
        )
    _check_size(entry, pictures[0])
    outputs = [found[name] for name in entry.output_names]
    for output, value in zip(entry.outputs, outputs, strict=True):
        _check_columns(entry, output, value)
    if not entry.input.is_fixed:
        _free_the_size(pictures[0], outputs)
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.extend(pictures)
    graph.output.extend(outputs)
    for output, value in zip(entry.outputs, graph.output, strict=True):
        if has_labels(entry, output):
            _cut_columns(entry, output, graph, value)
    _take_bytes(entry.input, graph)
    return bytes(model.SerializeToString())


def _parse(entry: ModelEntry, content: bytes) -> Any:
    try:
        model: Any = onnx.load_model_from_string(content)
    except DecodeError as error:
        raise ModelError(f"model {entry.name}: {entry.file} is not an ONNX file", remedy="take another file, and its hash") from error
    # A second file would be read unhashed.
    if any(tensor.data_location == onnx.TensorProto.EXTERNAL for tensor in model.graph.initializer):
        raise ModelError(f"model {entry.name}: its weights lie in a second file", remedy="save it as one ONNX file")
    return model


def _dimensions(value: Any) -> Any:
    return value.type.tensor_type.shape.dim


def _check_size(entry: ModelEntry, picture: Any) -> None:
    sides = [axis.dim_value for axis in list(_dimensions(picture))[2:]]  # 0: the file does not say
    if entry.input.is_fixed and any(side not in (0, entry.input.long_side_px) for side in sides):
        raise ModelError(
            f"model {entry.name}: takes pictures of {sides[1]}x{sides[0]}, and not of {entry.input.long_side_px} px",
            remedy="the entry's long_side_px is not that of the file",
        )


def _check_columns(entry: ModelEntry, output: Output, value: Any) -> None:
    # Four axes: (n, columns, h, w). Three: (n, places, columns).
    axes = _dimensions(value)
    wanted = columns(entry, output)
    axis = {4: 1, 3: 2}.get(len(axes))
    if entry.layout is Layout.RFDETR and len(axes) != 3:  # four: masks
        axis = None
    has = axes[axis].dim_value if axis is not None else -1
    if has not in (0, wanted):  # 0: the file does not say
        raise ModelError(
            f"model {entry.name}: the output {output.name!r} is no {output.role} of the layout {entry.layout}: {wanted} numbers are wanted",
            remedy="the entry's layout, roles or labels are not those of the file",
        )


def _free_the_size(picture: Any, outputs: list[Any]) -> None:
    for axis, symbol in ((0, "B"), (2, "H"), (3, "W")):
        _dimensions(picture)[axis].dim_param = symbol
    for number, value in enumerate(outputs):
        axes = _dimensions(value)
        for axis, symbol in ((0, "B"), (2, f"h{number}"), (3, f"w{number}")) if len(axes) == 4 else ((0, "B"), (1, f"n{number}")):
            axes[axis].dim_param = symbol


def _cut_columns(entry: ModelEntry, output: Output, graph: Any, value: Any) -> None:
    """Leave of `value` the box and its objectness, where it has them, and the scores of labels that count as something."""
    first = BOX_COLUMNS if output.role is OutputRole.BOX_AND_SCORE else 0
    if first and leave_out_scores(graph, value.name, len(entry.labels), entry.read_classes):
        graph.node.append(onnx.helper.make_node("Identity", [value.name], [_READ_COLUMNS]))
        value.name = _READ_COLUMNS
        _dimensions(value)[2].dim_value = first + len(entry.read_classes)
        return
    kept = [*range(first), *(first + index for index in entry.read_classes)]
    indices = onnx.numpy_helper.from_array(np.array(kept, np.int64), f"{_READ_COLUMNS}.indices")
    graph.initializer.append(indices)
    graph.node.append(onnx.helper.make_node("Gather", [value.name, indices.name], [_READ_COLUMNS], axis=2))
    value.name = _READ_COLUMNS
    _dimensions(value)[2].dim_value = len(kept)


def _take_bytes(layout: InputLayout, graph: Any) -> None:
    """Put before the network what makes of bytes the numbers that it was trained with."""
    (picture,) = graph.input
    taken = picture.type.tensor_type.elem_type  # float32, or half of that
    if layout.normalisation is None:
        before = [onnx.helper.make_node("Cast", [SHOWN], [layout.name], to=taken)]
    else:
        mean, deviation = (np.array(values, np.float64).reshape(1, 3, 1, 1) for values in layout.normalisation)
        numbers = {"factor": 1 / (_WHITE * deviation), "offset": -mean / deviation}
        kind = onnx.helper.tensor_dtype_to_np_dtype(taken)
        graph.initializer.extend(onnx.numpy_helper.from_array(value.astype(kind), f"{SHOWN}.{name}") for name, value in numbers.items())
        before = [
            onnx.helper.make_node("Cast", [SHOWN], [f"{SHOWN}.levels"], to=taken),
            onnx.helper.make_node("Mul", [f"{SHOWN}.levels", f"{SHOWN}.factor"], [f"{SHOWN}.scaled"]),
            onnx.helper.make_node("Add", [f"{SHOWN}.scaled", f"{SHOWN}.offset"], [layout.name]),
        ]
    nodes = [*before, *graph.node]
    del graph.node[:]
    graph.node.extend(nodes)
    picture.name, picture.type.tensor_type.elem_type = SHOWN, onnx.TensorProto.UINT8
