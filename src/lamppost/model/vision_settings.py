"""What is covered, what is looked for, and what runs the models: the tables `[masking]`, `[analysis]` and `[models]` of `lamppost.toml`.

Every field's description is its documentation.
"""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Annotated, Literal, cast

from pydantic import Field, field_validator

from lamppost.model.paths import FilePath
from lamppost.model.providers import Provider
from lamppost.model.section import Section
from lamppost.model.vision import Preset


class MaskingSettings(Section):
    """What is covered in the masked video."""

    preset: Preset = Field(
        default=Preset.MOTION,
        description="`motion`: faces and everything that moves. `faces`: faces alone. `heads`: faces and the upper part of persons. "
        "`persons`: faces, and persons whole. `all`: the whole frame. `heads` and `persons` need a model that finds persons.",
    )
    look_back_s: Annotated[float, Field(ge=0.1, le=5)] = Field(
        default=0.5, description="How long a frame is held back, so that what appears later masks it too, in seconds."
    )
    detect_interval_s: Annotated[float, Field(ge=0.02, le=2)] = Field(
        default=0.2, description="Time between two looks of a detector at what changed, in seconds."
    )
    refresh_s: Annotated[float, Field(ge=0.5, le=600)] = Field(
        default=20.0, description="Time after which whole frames are looked at again, changed or not, in seconds."
    )
    face_model: str = Field(default="centerface", description="The model that finds faces; `lamppost model list` shows which there are.")
    threads: Annotated[int, Field(ge=1, le=64)] = Field(
        default=1, description="Threads of decoder, detector and encoder, each, per camera."
    )


class AnalysisSettings(Section):
    """What is looked for where a camera counts."""

    model: str = Field(
        default="",
        description="The model that finds persons, bicycles and vehicles, such as `yolox-nano`; `lamppost model list` shows which there "
        "are. Empty: what moves, found without a model and counted as `object`.",
    )
    interval_s: Annotated[float, Field(ge=0.02, le=2)] = Field(
        default=0.1, description="Time between two looks at what moves, for counting, in seconds."
    )


class ModelsSettings(Section):
    """Where detection models lie, and what runs them; `lamppost model` puts them there."""

    folder: FilePath | None = Field(default=None, description="The models folder; `models` in the data folder otherwise.")

    providers: Literal["auto"] | tuple[Provider, ...] = Field(
        default="auto",
        description="What runs the models: `auto`, the best of `cuda`, `openvino` and `cpu` that ONNX Runtime has here, or a list "
        'such as `["tensorrt", "cuda"]`, tried in its order. Where none of them can load a model, the processor runs it.',
    )

    @field_validator("folder")
    @classmethod
    def _empty_is_none(cls, folder: Path | None) -> Path | None:
        return None if folder == Path() else folder

    @field_validator("providers", mode="before")
    @classmethod
    def _providers_are_known(cls, providers: object) -> object:
        if providers == "auto":
            return providers
        if not isinstance(providers, list | tuple) or not all(isinstance(word, str) for word in cast("Iterable[object]", providers)):
            raise ValueError(f'"auto", or a list of {", ".join(Provider)}')
        words = cast("list[str]", list(cast("Iterable[object]", providers)))
        if "auto" in words:
            raise ValueError("'auto' stands alone, and in no list")
        known = tuple(Provider.of(word) for word in words)
        if not known or len(set(known)) != len(known):
            raise ValueError('name each provider once, and one at least; or say "auto"')
        return known

    @property
    def wanted_providers(self) -> tuple[Provider, ...]:
        """Those that are asked for by name, none for `auto`."""
        return () if self.providers == "auto" else self.providers
