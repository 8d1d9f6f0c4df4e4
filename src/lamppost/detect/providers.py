"""Which hardware a network runs on: the best that is here, and the processor where that cannot load it.

ONNX Runtime speaks of execution providers. Which of them it has depends on the package that is installed
(`onnxruntime`, `onnxruntime-gpu`, `onnxruntime-openvino`); whether one works shows only when it loads a network.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from lamppost.base.errors import ModelError
from lamppost.model.providers import Provider

AUTO: Final[tuple[Provider, ...]] = ()  # the best that is here
NAMES: Final[Mapping[Provider, str]] = MappingProxyType(
    {
        Provider.TENSORRT: "TensorrtExecutionProvider",
        Provider.CUDA: "CUDAExecutionProvider",
        Provider.OPENVINO: "OpenVINOExecutionProvider",
        Provider.CPU: "CPUExecutionProvider",
    }
)
# TensorRT compiles an engine for each size of picture, for minutes: only who asks for it gets it.
_BEST_FIRST: Final = (Provider.CUDA, Provider.OPENVINO, Provider.CPU)
# OpenVINO computes on the processor unless it is told otherwise.
_ON_PROCESSOR: Final = frozenset({Provider.CPU, Provider.OPENVINO})


def choose_providers(wanted: Sequence[Provider], available: Sequence[str]) -> tuple[Provider, ...]:
    """The providers to try, in that order, of those that ONNX Runtime has `available`, by its names; the processor is always the last.

    Raises `ModelError` when one is `wanted` by name that is not there.
    """
    absent = [NAMES[each] for each in wanted if NAMES[each] not in available]
    if absent:
        here = ", ".join(provider for provider, name in NAMES.items() if name in available)
        raise ModelError(
            f"ONNX Runtime has no {', '.join(absent)} here",
            remedy=f"[models] providers may name {here}, or be auto; other packages of ONNX Runtime have others",
        )
    chosen = [each for each in wanted or _BEST_FIRST if NAMES[each] in available]
    # What stands behind the processor is never tried: it takes everything.
    return (*(chosen[: chosen.index(Provider.CPU)] if Provider.CPU in chosen else chosen), Provider.CPU)


def is_on_cpu(provider: Provider) -> bool:
    """Whether it shares the processor's cores: a batch is not faster there, and runs side by side are."""
    return provider in _ON_PROCESSOR
