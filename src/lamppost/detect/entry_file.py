"""An entry that an operator wrote, from TOML: checked line by line, and refused where it asks for more than detection.

The format is described in `docs/reference/models.md`.
"""

from __future__ import annotations

import tomllib
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Final, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, model_validator

from lamppost.base.errors import ModelError
from lamppost.detect.admission import problems
from lamppost.detect.catalogue import BUILT_IN
from lamppost.detect.entry import Colours, InputLayout, Layout, ModelEntry, Normalisation, Output, OutputRole, Purpose
from lamppost.detect.labels import UNUSED
from lamppost.model.vision import Kind

MOST_BYTES: Final = 64 * 1024
_REMEDY: Final = "see docs/reference/models.md"
_Word = TypeVar("_Word", bound=StrEnum)


class _Table(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


def _detection_alone(value: object) -> Purpose:
    if value != Purpose.DETECTION.value:
        raise ValueError(f"{value!r} is not {Purpose.DETECTION.value!r}, the one purpose that a model may have here")
    return Purpose.DETECTION


def _layout(value: object) -> Layout:
    return _one_of(Layout, value, "is no layout that is read here")


def _role(value: object) -> OutputRole:
    return _one_of(OutputRole, value, "is no part of a box or a score, and nothing else is read")


def _kind(value: object) -> Kind:
    return _one_of(Kind, value, "is no kind")


def _colours(value: object) -> Colours:
    return _one_of(Colours, value, "is no order of channels")


def _one_of(words: type[_Word], value: object, problem: str) -> _Word:
    known = {word.value: word for word in words}
    if not isinstance(value, str) or value not in known:
        raise ValueError(f"{value!r} {problem}; known are {', '.join(known)}")
    return known[value]


class _Input(_Table):
    name: str
    colours: Annotated[Colours, BeforeValidator(_colours)]
    long_side_px: int
    is_fixed: bool = False
    mean: Annotated[list[float], Field(min_length=3, max_length=3)] | None = None
    deviation: Annotated[list[float], Field(min_length=3, max_length=3)] | None = None

    @model_validator(mode="after")
    def _is_normalised_or_not(self) -> _Input:
        if (self.mean is None) != (self.deviation is None):
            raise ValueError("mean and deviation stand there together, or neither")
        return self

    @property
    def normalisation(self) -> Normalisation | None:
        if self.mean is None or self.deviation is None:
            return None
        return Normalisation(_three(self.mean), _three(self.deviation))


def _three(values: list[float]) -> tuple[float, float, float]:
    first, second, third = values
    return first, second, third


class _Output(_Table):
    role: Annotated[OutputRole, BeforeValidator(_role)]
    name: str
    strides_px: Annotated[list[int], Field(max_length=16)] = Field(default_factory=list[int])


class _Entry(_Table):
    name: str
    purpose: Annotated[Purpose, BeforeValidator(_detection_alone)]
    layout: Annotated[Layout, BeforeValidator(_layout)]
    file: str
    sha256: str
    source: str
    licence: str
    trained_on: str
    labels: Annotated[list[str], Field(max_length=4096)]
    kinds: dict[str, Annotated[Kind, BeforeValidator(_kind)]]
    input: _Input
    output: Annotated[list[_Output], Field(max_length=64)]


def read_entry(path: Path) -> ModelEntry:
    """The entry in the file `path`; raises `ModelError` with one line for each mistake."""
    try:
        with path.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except OSError as error:
        raise ModelError(f"{path} cannot be read: {error.strerror}", remedy="name a file that describes a model") from error
    return parse_entry(content, str(path))


def parse_entry(content: bytes, where: str) -> ModelEntry:
    """The entry in `content`, which came from `where`; raises `ModelError` with one line for each mistake."""
    if len(content) > MOST_BYTES:
        raise ModelError(f"{where}: has more than {MOST_BYTES // 1024} KiB", remedy=_REMEDY)
    try:
        tables = tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as error:  # of TOML, of UTF-8, a number of thousands of digits, brackets a thousand deep
        raise ModelError(f"{where}: this is not TOML that can be read", remedy=_REMEDY) from error
    try:
        described = _Entry.model_validate(tables)
    except ValidationError as error:
        raise _refused(where, [_explain(item["loc"], item["type"], item["msg"]) for item in error.errors(include_url=False)]) from error
    entry = _to_entry(described)
    found = [*problems(entry), *(f"kinds: {label!r} is none of the labels" for label in described.kinds if label not in entry.labels)]
    told = [label for label in entry.labels if label != UNUSED]
    if len(set(told)) != len(told):
        found.append("labels: one stands there twice")
    if found:
        raise _refused(where, found)
    return entry


def check_is_new(entry: ModelEntry, others: tuple[ModelEntry, ...] = BUILT_IN) -> None:
    """Raise `ModelError` when a name or a file of `entry` is taken by another."""
    for other in others:
        if entry.name == other.name:
            raise ModelError(f"there is a model {entry.name} already", remedy="choose another name")
        if entry.file == other.file:
            raise ModelError(f"the file {entry.file} belongs to the model {other.name}", remedy="give yours another name")


def _to_entry(described: _Entry) -> ModelEntry:
    return ModelEntry(
        name=described.name,
        purpose=described.purpose,
        layout=described.layout,
        file=described.file,
        sha256=described.sha256,
        source_url=described.source,
        licence=described.licence,
        trained_on=described.trained_on,
        input=InputLayout(
            described.input.name,
            described.input.colours,
            described.input.long_side_px,
            described.input.is_fixed,
            described.input.normalisation,
        ),
        outputs=tuple(Output(output.role, output.name, tuple(output.strides_px)) for output in described.output),
        labels=tuple(described.labels),
        kinds=tuple(described.kinds.get(label) for label in described.labels),
    )


def _explain(place: tuple[int | str, ...], kind: str, message: str) -> str:
    text = ""
    for part in place:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    if kind == "extra_forbidden":
        return f"{text} is no part of an entry"
    if kind == "missing":
        return f"{text} is missing"
    return f"{text}: {message.removeprefix('Value error, ')}"


def _refused(where: str, lines: list[str]) -> ModelError:
    return ModelError("\n".join(f"{where}: {line}" for line in lines), remedy=_REMEDY)
