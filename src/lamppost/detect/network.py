"""Loads a model of the catalogue and runs it: its named boxes and scores are computed, nothing else.

This is the one place that gives a network to ONNX Runtime. What else is in the file was cut off before (see `graph`).
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, Protocol

import numpy as np
import onnxruntime as ort  # pyright: ignore[reportMissingTypeStubs]
from numpy.typing import NDArray

from lamppost.base.errors import ModelError
from lamppost.base.logging import get_logger
from lamppost.detect.entry import ModelEntry, OutputRole
from lamppost.detect.graph import SHOWN, prepare_graph, read_names
from lamppost.detect.providers import AUTO, NAMES, choose_providers, is_on_cpu
from lamppost.detect.weights_file import read_weights
from lamppost.model.providers import Provider

Outputs = dict[tuple[OutputRole, int], NDArray[np.float32]]  # by role and finest stride, 0 where there is no grid

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
_MOST_PROBLEM_CHARACTERS: Final = 300


class Runtime(Protocol):
    """What loads networks: ONNX Runtime, or what stands for it in a test."""

    def available(self) -> Sequence[str]:
        """The names of the execution providers that it was built with."""
        ...

    def open(self, graph: bytes, options: Any, providers: list[str | tuple[str, dict[str, str]]]) -> Any:
        """A session; raises one of the runtime's errors, or goes on without a provider, which its `get_providers` then lacks."""
        ...


class InstalledRuntime:
    """ONNX Runtime as it is installed here."""

    def available(self) -> Sequence[str]:
        names: list[str] = _runtime.get_available_providers()
        return names

    def open(self, graph: bytes, options: Any, providers: list[str | tuple[str, dict[str, str]]]) -> Any:
        # Its own way back to the processor prints to standard output, and happens in mid-run too.
        return _runtime.InferenceSession(graph, options, providers=providers, enable_fallback=False)


def session_options(threads: int) -> Any:
    """How every network is run, with `threads` of the processor."""
    options = _runtime.SessionOptions()
    options.intra_op_num_threads = threads
    options.inter_op_num_threads = 1
    options.log_severity_level = 3
    # Crops come in a hundred sizes: a plan of memory kept for each of them is never given back.
    options.enable_mem_pattern = False
    # Idle threads sleep instead of spinning: other cameras share the cores.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    return options


class Network:
    """A loaded model that gives its box and score outputs, and no others."""

    def __init__(
        self,
        entry: ModelEntry,
        *,
        models: Path | None = None,
        threads: int = 1,
        providers: tuple[Provider, ...] = AUTO,
        runtime: Runtime | None = None,
    ) -> None:
        """Load and check the weights, which lie in the folder `models` or come with Lamppost.

        The `providers` are tried in their order, then the processor; each that is here and cannot load the network costs one line
        in the log. Raises `ModelError`, also where one is named that is not here.
        """
        runtime = runtime or InstalledRuntime()
        self._entry = entry
        graph = prepare_graph(entry, read_weights(entry, models))
        self._provider, self._session = _open(runtime, entry, graph, choose_providers(providers, runtime.available()), threads)
        self._names = read_names(entry)
        self._keys = [(output.role, output.finest_stride_px) for output in entry.outputs]
        self._most_input_px = _MOST_INPUT_PX_ON_CPU if is_on_cpu(self._provider) else None
        self._takes_batches = entry.is_bundled or self._try_two()

    @property
    def entry(self) -> ModelEntry:
        return self._entry

    @property
    def provider(self) -> Provider:
        """What it runs on."""
        return self._provider

    def _try_two(self) -> bool:
        """Whether two pictures can run together: some files have the number one written into their middle."""
        side_px = self._entry.input.long_side_px if self._entry.input.is_fixed else _TRIAL_SIDE_PX
        quiet = _runtime.RunOptions()
        quiet.log_severity_level = 4
        try:
            arrays = self._session.run(self._names, {SHOWN: np.zeros((2, 3, side_px, side_px), np.uint8)}, quiet)
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

    def run(self, pictures: NDArray[np.uint8]) -> Outputs:
        """Infer `pictures`, shape (n, 3, height, width), sides and channels as the entry says.

        The outputs come by role and finest stride. Where they have columns for labels, there is one for each of
        `read_classes`. Raises `ModelError` when the runtime fails, or gives NaN.
        """
        try:
            arrays: list[NDArray[np.float32]] = self._session.run(self._names, {SHOWN: pictures})
        except _RUNTIME_ERRORS as error:
            raise ModelError(f"model {self._entry.name}: inference failed", remedy="check memory and the chosen provider") from error
        # Comparisons with NaN are false: such a network would see nothing, and nothing would be masked. The least of numbers
        # one of which is NaN is NaN, and is found in a fifth of the time.
        if any(array.size and np.isnan(array.min()) for array in arrays):
            raise ModelError(f"model {self._entry.name}: gives what are no numbers", remedy="use another model")
        return {key: np.asarray(array, np.float32) for key, array in zip(self._keys, arrays, strict=True)}


def _open(runtime: Runtime, entry: ModelEntry, graph: bytes, chain: Sequence[Provider], threads: int) -> tuple[Provider, Any]:
    """A session on the first provider of `chain` that can load the network."""
    problem, cause = "", None
    for provider in chain:
        try:
            session = runtime.open(graph, session_options(threads), _names_for(provider, runtime.available(), threads))
        except _RUNTIME_ERRORS as error:
            problem, cause = str(error), error
        else:
            if session.get_providers()[:1] == [NAMES[provider]]:
                return provider, session
            problem = "its libraries or its device are not there"
        if provider is not chain[-1]:
            get_logger("detect").warning(
                "a model cannot be loaded there; the next provider is tried",
                model=entry.name,
                provider=NAMES[provider],
                problem=" ".join(problem.split())[:_MOST_PROBLEM_CHARACTERS],
            )
    raise ModelError(f"model {entry.name}: ONNX Runtime cannot load it", remedy="reinstall Lamppost's dependencies") from cause


def _names_for(provider: Provider, available: Sequence[str], threads: int) -> list[str | tuple[str, dict[str, str]]]:
    """What ONNX Runtime is told: the provider, and who computes what it does not know."""
    # Crops come in a hundred sizes: to try all ways of computing each of them would take seconds a size.
    cuda = (NAMES[Provider.CUDA], {"cudnn_conv_algo_search": "HEURISTIC"})
    match provider:
        case Provider.TENSORRT:
            return [NAMES[provider], *([cuda] if cuda[0] in available else []), NAMES[Provider.CPU]]
        case Provider.CUDA:
            return [cuda, NAMES[Provider.CPU]]
        case Provider.OPENVINO:
            return [(NAMES[provider], {"num_of_threads": str(threads)}), NAMES[Provider.CPU]]
        case Provider.CPU:
            return [NAMES[provider]]
