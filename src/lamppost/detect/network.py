"""Loads a model of the catalogue and runs it: its named boxes and scores are computed, nothing else.

This is the one place that gives a network to ONNX Runtime. All other outputs
are cut off the graph before, and so are the scores of labels that count as
nothing: what is not in the graph cannot be read by mistake.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from google.protobuf.message import DecodeError
from numpy.typing import NDArray

from lamppost.base.errors import ModelError
from lamppost.detect.admission import BOX_COLUMNS, columns, problems
from lamppost.detect.entry import ModelEntry, Output, OutputRole
from lamppost.detect.weights_file import read_weights

CPU: Final = "CPUExecutionProvider"
Outputs = dict[tuple[OutputRole, int], NDArray[np.float32]]  # by role and finest stride

# The runtime ships no type stubs, and its errors share no base.
_runtime: Any = ort
_errors: Any = _runtime.capi.onnxruntime_pybind11_state
_RUNTIME_ERRORS: tuple[type[Exception], ...] = (
    _errors.EPFail,
    _errors.Fail,
    _errors.InvalidArgument,
    _errors.InvalidGraph,
    _errors.InvalidProtobuf,
    _errors.NotImplemented,
    _errors.RuntimeException,
    ValueError,
)
_MOST_PICTURES: Final = 16  # in one run
# A processor gains next to nothing from a batch, and a batch takes memory for each of its pixels: as many as one large picture.
_MOST_INPUT_PX_ON_CPU: Final = 640 * 640
_TRIAL_SIDE_PX: Final = 64
_READ_COLUMNS = "read_columns"  # of YOLOX, after the cut


def prepare_graph(entry: ModelEntry, content: bytes) -> bytes:
    """The model with only what `entry` names, and with symbolic batch, height and width where its size is free.

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
    outputs = [found[name] for name in entry.output_names]
    for output, value in zip(entry.outputs, outputs, strict=True):
        _check_columns(entry, output, value)
    if not entry.input.is_fixed:
        _free_the_size(pictures[0], outputs)
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.extend(pictures)
    graph.output.extend(outputs)
    if entry.outputs[0].role is OutputRole.BOX_AND_SCORE:
        _cut_columns(entry, graph)
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


def _check_columns(entry: ModelEntry, output: Output, value: Any) -> None:
    # Four axes: (n, columns, h, w). Three: (n, places, columns).
    axes = _dimensions(value)
    wanted = columns(entry, output)
    axis = {4: 1, 3: 2}.get(len(axes))
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


def _cut_columns(entry: ModelEntry, graph: Any) -> None:
    """Leave of a YOLOX output the box, its objectness and the scores of labels that count as something."""
    (value,) = graph.output
    kept = [*range(BOX_COLUMNS), *(BOX_COLUMNS + index for index in entry.read_classes)]
    indices = onnx.numpy_helper.from_array(np.array(kept, np.int64), f"{_READ_COLUMNS}.indices")
    graph.initializer.append(indices)
    graph.node.append(onnx.helper.make_node("Gather", [value.name, indices.name], [_READ_COLUMNS], axis=2))
    value.name = _READ_COLUMNS
    _dimensions(value)[2].dim_value = len(kept)


class Network:
    """A loaded model that gives its box and score outputs, and no others."""

    def __init__(
        self,
        entry: ModelEntry,
        *,
        models: Path | None = None,
        threads: int = 1,
        providers: tuple[str, ...] = (CPU,),
    ) -> None:
        """Load and check the weights, which lie in the folder `models` or come with Lamppost; raises `ModelError`."""
        options = _runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Crops come in a hundred sizes: a plan of memory kept for each of them is never given back.
        options.enable_mem_pattern = False
        # Idle threads sleep instead of spinning: other cameras share the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = prepare_graph(entry, read_weights(entry, models))
        absent = [name for name in providers if name not in _runtime.get_available_providers()]
        if absent:
            raise ModelError(
                f"model {entry.name}: ONNX Runtime has no {', '.join(absent)} here",
                remedy=f"choose from {', '.join(_runtime.get_available_providers())}",
            )
        try:
            self._session: Any = _runtime.InferenceSession(graph, options, providers=list(providers))
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model {entry.name}: ONNX Runtime cannot load it", remedy="reinstall Lamppost's dependencies") from error
        self._entry = entry
        self._most_input_px = _MOST_INPUT_PX_ON_CPU if tuple(providers) == (CPU,) else None
        is_cut = entry.outputs[0].role is OutputRole.BOX_AND_SCORE
        self._names = [_READ_COLUMNS] if is_cut else list(entry.output_names)
        self._takes_batches = entry.is_bundled or self._try_two()

    @property
    def entry(self) -> ModelEntry:
        return self._entry

    def _try_two(self) -> bool:
        """Whether two pictures can run together: some files have the number one written into their middle."""
        side_px = self._entry.input.long_side_px if self._entry.input.is_fixed else _TRIAL_SIDE_PX
        quiet = _runtime.RunOptions()
        quiet.log_severity_level = 4
        try:
            arrays = self._session.run(self._names, {self._entry.input.name: np.zeros((2, 3, side_px, side_px), np.float32)}, quiet)
        except _RUNTIME_ERRORS:
            return False
        return all(len(array) == 2 for array in arrays)

    def most_pictures(self, width_px: int, height_px: int) -> int:
        """How many pictures of this size one run should hold at most."""
        if not self._takes_batches:
            return 1
        if self._most_input_px is None:
            return _MOST_PICTURES
        return min(_MOST_PICTURES, max(1, self._most_input_px // (width_px * height_px)))

    def run(self, pictures: NDArray[np.float32]) -> Outputs:
        """Infer `pictures`, shape (n, 3, height, width), 0 to 255, sides multiples of 32, channels as the entry says.

        The outputs come by role and finest stride. `box_and_score` has the
        columns of the box, the objectness, and one for each of `read_classes`.
        Raises `ModelError` when the runtime fails, or gives NaN.
        """
        try:
            arrays: list[NDArray[np.float32]] = self._session.run(self._names, {self._entry.input.name: pictures})
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model {self._entry.name}: inference failed", remedy="check memory and the chosen provider") from error
        # Comparisons with NaN are false: such a network would see nothing, and nothing would be masked.
        if any(np.isnan(array).any() for array in arrays):
            raise ModelError(f"model {self._entry.name}: gives what are no numbers", remedy="use another model")
        return {
            (output.role, output.strides_px[0]): np.asarray(array, np.float32)
            for output, array in zip(self._entry.outputs, arrays, strict=True)
        }
