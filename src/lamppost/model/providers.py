"""What may compute a network: the words of the setting `[models] providers`."""

from __future__ import annotations

from enum import StrEnum


class Provider(StrEnum):
    """A kind of hardware, by the name that ONNX Runtime's execution provider for it begins with."""

    TENSORRT = "tensorrt"
    CUDA = "cuda"
    OPENVINO = "openvino"
    CPU = "cpu"

    @classmethod
    def of(cls, word: str) -> Provider:
        """The provider called `word`, or as ONNX Runtime calls it, such as `CUDAExecutionProvider`; raises `ValueError`."""
        plain = word.casefold().removesuffix("executionprovider")
        if plain not in {each.value for each in cls}:
            raise ValueError(f"{word!r} is no provider; known are {', '.join(cls)}")
        return cls(plain)
