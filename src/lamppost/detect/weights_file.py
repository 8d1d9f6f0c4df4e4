"""A model's bytes, from where they lie, and never before their hash was found to be the pinned one."""

from __future__ import annotations

import hashlib
from importlib import resources
from importlib.resources.abc import Traversable
from pathlib import Path
from typing import Final

from lamppost.base.errors import ModelError
from lamppost.detect.entry import ModelEntry

BUNDLED: Final = Path(__file__).with_name("weights")
MOST_BYTES: Final = 256 * 2**20  # of one model


def read_weights(entry: ModelEntry, models: Path | None = None) -> bytes:
    """The model's bytes: bundled, or from the folder `models`.

    The bytes that are hashed are those that are returned, so that nobody can
    change the file in between. Raises `ModelError` when the file is missing,
    too large, or another than the pinned one.
    """
    content, place = (_read_bundled if entry.is_bundled else _read_pulled)(entry, models)
    check_hash(entry, content, str(place))
    return content


def check_hash(entry: ModelEntry, content: bytes, place: str) -> None:
    """Raise `ModelError` unless `content` is the pinned file; `place` says where it came from."""
    found = hashlib.sha256(content).hexdigest()
    if found != entry.sha256:
        raise ModelError(
            f"model {entry.name}: {place} is not the pinned file (sha256 {found[:12]}…, not {entry.sha256[:12]}…)",
            remedy="reinstall Lamppost from its wheel"
            if entry.is_bundled
            else "it is not used; find out who changed it, then pull it again",
        )


def _read_bundled(entry: ModelEntry, _models: Path | None) -> tuple[bytes, Path | Traversable]:
    bundled = BUNDLED / entry.file
    try:
        # Imports the package's `__init__` alone, which holds a version and no code.
        place = bundled if bundled.is_file() else resources.files(entry.package) / entry.file
        return place.read_bytes(), place
    except (ModuleNotFoundError, OSError) as error:
        raise ModelError(
            f"model {entry.name}: {entry.file} is not installed",
            remedy=f"reinstall Lamppost from its wheel, or install the package {entry.package!r} beside it",
        ) from error


def _read_pulled(entry: ModelEntry, models: Path | None) -> tuple[bytes, Path]:
    remedy = f"run `lamppost model pull {entry.name}`"
    if models is None:
        raise ModelError(f"model {entry.name}: no models folder is given", remedy=remedy)
    place = models / entry.file
    return read_bounded(entry, place, remedy), place


def read_bounded(entry: ModelEntry, place: Path, remedy: str) -> bytes:
    """The bytes of `place`, at most `MOST_BYTES`; raises `ModelError`."""
    try:
        with place.open("rb") as file:
            content = file.read(MOST_BYTES + 1)
    except FileNotFoundError as error:
        raise ModelError(f"model {entry.name}: there is no {place}", remedy=remedy) from error
    except OSError as error:
        raise ModelError(f"model {entry.name}: {place} cannot be read: {error.strerror}", remedy=remedy) from error
    if len(content) > MOST_BYTES:
        raise ModelError(f"model {entry.name}: {place} has more than {MOST_BYTES // 2**20} MiB", remedy="it is no file of the catalogue")
    return content
