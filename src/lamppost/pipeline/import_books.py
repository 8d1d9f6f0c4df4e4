"""What an import reads and writes beside the configuration: passwords, where cameras came from, and profiles."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Protocol

from lamppost.base.errors import LamppostError
from lamppost.ingest.locator import parse_locator
from lamppost.model.settings import CameraSettings
from lamppost.pipeline.camera_import import ImportPlan, Known, Options, Origin, PasswordKeeper, plan_import, rehearse
from lamppost.pipeline.camera_table import RowProblem, TableRefused, read_table
from lamppost.pipeline.config_file import ConfigFile


class ImportBooks(PasswordKeeper, Protocol):
    """The books of a data folder; many threads may share it. Raises `StoreError`."""

    def close(self) -> None:
        """Let go of them."""
        ...

    def password(self, credential: str, camera: str) -> str:
        """The password of `camera` under that number."""
        ...

    def origins(self) -> Mapping[str, Origin]:
        """Where cameras came from, by name."""
        ...

    def set_origins(self, origins: Mapping[str, Origin]) -> None:
        """Keep them, all or none."""
        ...

    def profiles(self) -> Mapping[str, Mapping[str, str]]:
        """Every profile, by name."""
        ...

    def set_profile(self, name: str, fields: Mapping[str, str], first: Callable[[], object]) -> None:
        """Keep a profile; `first` puts it on the record."""
        ...

    def remove_profile(self, name: str, first: Callable[[], object]) -> bool:
        """Whether there was one; `first` puts it on the record before it goes."""
        ...


def planned(content: bytes, config: Path, options: Options, books: ImportBooks) -> tuple[ImportPlan, ConfigFile]:
    """What the table would do, with every mistake in it, and the configuration that this is about. Nothing is changed."""
    file = ConfigFile(config)
    try:
        table = read_table(content)
    except TableRefused as error:
        return refused(error.problems[0]), file
    plan = plan_import(content, table, file, options, Known(lambda camera: password_of(camera, books), books.origins()))
    return rehearse(plan, ConfigFile(config)), file


def refused(problem: RowProblem) -> ImportPlan:
    """The plan of a file that holds no table."""
    return ImportPlan(0, (problem,), (), {}, {}, {}, {}, (), "")


def password_of(camera: CameraSettings, books: ImportBooks) -> str | None:
    """The password of a configured camera, wherever it is kept; None where it has none, or where it cannot be read."""
    try:
        if camera.credential is not None:
            return books.password(camera.credential, camera.name)
        return camera.resolved_password() or parse_locator(camera.url).password or None
    except LamppostError:
        return None
