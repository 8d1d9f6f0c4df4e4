"""Which of the models that are here a preset looks with, and what of it is masked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

from lamppost.base.errors import ConfigError
from lamppost.detect.catalogue import BUILT_IN, CENTERFACE
from lamppost.detect.choosing import choose_detectors
from lamppost.detect.entry import ModelEntry
from lamppost.model.vision import COUNTED_KINDS, Kind, Preset
from lamppost.pipeline.targets import Targets

# A share of a usual score: what goes on with something that is followed already.
WEAK_SCORE: Final = 0.1

_REMEDY: Final = "lamppost model list shows the names, and what each finds"
_WELCOME = frozenset({Kind.HEAD, Kind.PLATE, Kind.VEHICLE})
# What each preset looks for beside faces, where a model is there that finds it.
_WANTED: Mapping[Preset, frozenset[Kind]] = MappingProxyType(
    {
        Preset.ALL: frozenset(),
        Preset.FACES: _WELCOME,
        Preset.HEADS: _WELCOME | {Kind.PERSON},
        Preset.PERSONS: _WELCOME | {Kind.PERSON},
        Preset.MOTION: _WELCOME | {Kind.PERSON},
    }
)
_NEEDED: Mapping[Preset, Kind] = MappingProxyType({Preset.HEADS: Kind.PERSON, Preset.PERSONS: Kind.PERSON})


@dataclass(frozen=True, slots=True)
class Equipment:
    """The models of one preset: that of `faces`, None for the preset `all`, and those of `things`. `models` is the folder they lie in."""

    faces: ModelEntry | None
    things: tuple[ModelEntry, ...]
    targets: Targets
    models: Path | None

    @property
    def entries(self) -> tuple[ModelEntry, ...]:
        return (*([self.faces] if self.faces else []), *self.things)

    def describe(self) -> list[dict[str, str]]:
        """The name and the pinned hash of each model, for reports."""
        return [{"name": entry.name, "sha256": entry.sha256} for entry in self.entries]


def equip(preset: Preset, models: Path | None, face_model: str = CENTERFACE.name) -> Equipment:
    """What `preset` looks with, of the models in the folder `models`, or of those that came with Lamppost alone.

    Raises `ConfigError` when `face_model` is no detector of faces that is here, or nothing here finds what the preset needs.
    """
    known, present = _catalogue(models)
    faces = _face_entry(known, present, face_model) if preset is not Preset.ALL else None
    choice = choose_detectors(present, _WANTED[preset])
    needed = _NEEDED.get(preset)
    if needed in choice.missing:
        where = f"in {models}" if models else "here: no models folder is named"
        raise ConfigError(
            f"the preset {preset.value} needs a model that finds a {needed}, and there is none {where}",
            remedy="lamppost model list shows which do, and lamppost model pull fetches one",
        )
    return Equipment(faces, choice.entries, Targets.of_kinds(preset, choice.covered), models)


def _catalogue(models: Path | None) -> tuple[tuple[ModelEntry, ...], tuple[ModelEntry, ...]]:
    """The entries that are known, and those whose files are here."""
    if models is None:
        return BUILT_IN, tuple(entry for entry in BUILT_IN if entry.is_bundled)
    # Imported here: reading the entries of a folder takes libraries that one who masks a file need not wait for.
    from lamppost.detect.shelf import ModelShelf

    shelf = ModelShelf(models)
    return shelf.entries(), shelf.present()


def counting_entry(name: str, models: Path | None) -> ModelEntry | None:
    """The model called `name` that finds what is counted, of those in the folder `models`; None for the empty name: what moves.

    Raises `ConfigError` when it is not here, or finds nothing that is counted.
    """
    if not name:
        return None
    entry = _entry_of(*_catalogue(models), name, "model to count with")
    if COUNTED_KINDS.isdisjoint(entry.reported_kinds):
        raise ConfigError(f"the model {name!r} finds nothing that is counted", remedy=_REMEDY)
    return entry


def _face_entry(known: tuple[ModelEntry, ...], present: tuple[ModelEntry, ...], name: str) -> ModelEntry:
    entry = _entry_of(known, present, name, "face model")
    if Kind.FACE not in entry.reported_kinds:
        raise ConfigError(f"the model {name!r} finds no faces", remedy=_REMEDY)
    return entry


def _entry_of(known: tuple[ModelEntry, ...], present: tuple[ModelEntry, ...], name: str, what: str) -> ModelEntry:
    entry = next((entry for entry in known if entry.name == name), None)
    if entry is None:
        raise ConfigError(f"there is no {what} {name!r}", remedy=_REMEDY)
    if entry not in present:
        raise ConfigError(f"the {what} {name!r} is not here", remedy=f"lamppost model pull {name} fetches it")
    return entry
