"""What the catalogue says of a model, and how little of a network it can ask for: boxes and scores.

These types are the first half of "detectors only": there is one purpose, a role
for every number that makes a box or its score, and no role for anything else.
The other half, words that are refused, is in `admission`.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from lamppost.model.vision import Kind


class Purpose(StrEnum):
    """What a model may be for."""

    DETECTION = "detection"


class Layout(StrEnum):
    """How boxes and scores lie in a network's outputs. Each has a detector in this room."""

    CENTERFACE = "centerface"
    YUNET = "yunet"
    YOLOX = "yolox"
    RFDETR = "rfdetr"


class OutputRole(StrEnum):
    """What may be read of a network: where something is and how sure that is."""

    SCORE = "score"
    OBJECTNESS = "objectness"
    SIZE = "size"
    OFFSET = "offset"
    BOX = "box"
    BOX_AND_SCORE = "box_and_score"


class Colours(StrEnum):
    """The order of the input's three channels."""

    RGB = "rgb"
    BGR = "bgr"


class Normalisation(NamedTuple):
    """What was done to the pictures that a network learnt from, channel by channel, in the order of its input.

    Levels become shares of white, 0 to 1; `mean` is taken away, and the rest divided by `deviation`.
    """

    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]


@dataclass(frozen=True, slots=True)
class InputLayout:
    """The picture that a network wants: float32, shape (n, 3, height, width), 0 to 255 unless it has a `normalisation`.

    `long_side_px` is the size it was made for. A fixed network takes a square
    of that size alone; others take any sides that are multiples of 32.
    """

    name: str
    colours: Colours
    long_side_px: int
    is_fixed: bool = False
    normalisation: Normalisation | None = None


@dataclass(frozen=True, slots=True)
class Output:
    """One output that is read: its role, the network's name for it, and the pixels that its cells lie apart.

    An output that holds several grids one after the other has their strides in that order. Where places lie on no grid there are none.
    """

    role: OutputRole
    name: str
    strides_px: tuple[int, ...] = ()

    @property
    def finest_stride_px(self) -> int:
        """0 where places lie on no grid."""
        return self.strides_px[0] if self.strides_px else 0


@dataclass(frozen=True, slots=True)
class ModelEntry:
    """One model of the catalogue: whose it is, where it comes from, what is read of it.

    `labels` are all the classes that the network tells apart, in its order;
    `kinds` says what each counts as here, and None that its score is not read.
    `package` is set for a model that comes with Lamppost: the installed package
    that `file` is in where the build put none beside this module.
    """

    name: str
    layout: Layout
    file: str
    sha256: str
    source_url: str
    licence: str
    trained_on: str
    input: InputLayout
    outputs: tuple[Output, ...]
    labels: tuple[str, ...]
    kinds: tuple[Kind | None, ...]
    package: str = ""
    purpose: Purpose = Purpose.DETECTION

    @property
    def output_names(self) -> tuple[str, ...]:
        return tuple(output.name for output in self.outputs)

    @property
    def read_classes(self) -> tuple[int, ...]:
        """The positions of the labels that count as something."""
        return tuple(index for index, kind in enumerate(self.kinds) if kind is not None)

    @property
    def reported_kinds(self) -> tuple[Kind, ...]:
        """The kinds that it can report, each once, in the order of the allow-list."""
        return tuple(kind for kind in Kind if kind in self.kinds)

    @property
    def is_bundled(self) -> bool:
        return bool(self.package)
