"""The models folder of a node: files that were pulled, and entries that operators added.

A file is there whole, durable, and of the pinned hash, or not at all; and its
hash is looked at again each time it is loaded.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import Final

from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ModelError
from lamppost.detect.catalogue import BUILT_IN
from lamppost.detect.entry import ModelEntry
from lamppost.detect.entry_file import check_is_new, parse_entry, read_entry
from lamppost.detect.weights_file import check_hash, read_weights

_MOST_ADDED: Final = 256


class State(StrEnum):
    """What is there of a model."""

    BUNDLED = "bundled"
    PULLED = "pulled"
    ABSENT = "absent"


@dataclass(frozen=True, slots=True)
class Verdict:
    """What `verify` found of one file: `problem` is empty when it is what it should be."""

    name: str
    problem: str = ""
    remedy: str = ""


class ModelShelf:
    """The catalogue of one node: the built-in entries, and those of its models folder, which need not exist."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    @property
    def folder(self) -> Path:
        return self._folder

    def entries(self) -> tuple[ModelEntry, ...]:
        """All entries that may be loaded, the built-in ones first. Those that are refused are told by `verify`."""
        added: list[ModelEntry] = []
        for path in self._entry_files():
            entry = self._read_added(path)
            if isinstance(entry, ModelEntry):
                added.append(entry)
        return (*BUILT_IN, *added)

    def find(self, name: str) -> ModelEntry:
        """The entry called `name`; raises `ModelError` when there is none, or when it is refused."""
        for entry in BUILT_IN:
            if entry.name == name:
                return entry
        for path in self._entry_files():
            if path.stem == name:
                found = self._read_added(path)
                if isinstance(found, ModelError):
                    raise found
                return found
        known = ", ".join(entry.name for entry in self.entries())
        raise ModelError(f"the catalogue has no model {name!r}", remedy=f"it has {known}; `lamppost model add` takes in another")

    def state(self, entry: ModelEntry) -> State:
        """Whether the file is there; `verify` and each load look into it."""
        if entry.is_bundled:
            return State.BUNDLED
        return State.PULLED if (self._folder / entry.file).is_file() else State.ABSENT

    def present(self) -> tuple[ModelEntry, ...]:
        """The entries whose file is there, the built-in ones first. Its hash is looked at when it is loaded."""
        return tuple(entry for entry in self.entries() if self.state(entry) is not State.ABSENT)

    def is_good(self, entry: ModelEntry) -> bool:
        """Whether the file is there and the pinned one."""
        try:
            read_weights(entry, self._folder)
        except ModelError:
            return False
        return True

    def put(self, entry: ModelEntry, content: bytes) -> Path:
        """Keep a model's file, durably; raises `ModelError` before anything is written when it is not the pinned one."""
        place = self._folder / entry.file
        check_hash(entry, content, "what was fetched")
        make_directory(self._folder)
        write_durable(place, content)
        return place

    def add(self, content: bytes, where: str) -> ModelEntry:
        """Take in the entry in `content`, as `where` has it; raises `ModelError` with one line for each mistake."""
        entry = parse_entry(content, where)
        check_is_new(entry, self.entries())
        if len(self._entry_files()) >= _MOST_ADDED or (self._folder / f"{entry.name}.toml").exists():
            raise ModelError(f"{self._folder} has a file {entry.name}.toml, or too many", remedy="remove what is not used")
        make_directory(self._folder)
        write_durable(self._folder / f"{entry.name}.toml", content)
        return entry

    def verify(self) -> tuple[Verdict, ...]:
        """Hash everything that is there again, and name what nobody asked for."""
        verdicts: list[Verdict] = []
        known = {path.name for path in self._entry_files()}
        for path in self._entry_files():
            added = self._read_added(path)
            if isinstance(added, ModelError):
                verdicts.append(Verdict(path.name, added.problem, added.remedy))
        for entry in self.entries():
            known.add(entry.file)
            if self.state(entry) is State.ABSENT:
                continue
            try:
                read_weights(entry, self._folder)
            except ModelError as error:
                verdicts.append(Verdict(entry.name, error.problem, error.remedy))
            else:
                verdicts.append(Verdict(entry.name))
        for path in sorted(self._folder.iterdir()) if self._folder.is_dir() else []:
            if path.name not in known:
                verdicts.append(Verdict(path.name, f"{path}: no entry names this file; it is never loaded", "remove it"))
        return tuple(verdicts)

    def _entry_files(self) -> list[Path]:
        return sorted(self._folder.glob("[!.]*.toml"))[:_MOST_ADDED] if self._folder.is_dir() else []

    def _read_added(self, path: Path) -> ModelEntry | ModelError:
        try:
            entry = read_entry(path)
            check_is_new(entry)
        except ModelError as error:
            return error
        if entry.name != path.stem:
            return ModelError(f"{path} describes a model {entry.name}", remedy="the file is called as its model is")
        return entry
