"""Killed at any step, an import leaves the old configuration or the new one, and given again it completes what is missing."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lamppost.base.clock import SystemClock
from lamppost.cli import device_import
from lamppost.cli.device_import import camera_import
from lamppost.model.layout import DataFolder
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.pipeline.folder_books import FolderBooks

TABLE = "name,url,username,password,contract\n" + "".join(f"cam-{n},rtsp://10.1.0.{n}/live,u,word-{n},T-{n}\n" for n in range(1, 6))


def die(*_: object, **__: object) -> Any:
    os._exit(9)


def at_keeping(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(CredentialKeeper, "keep_all", die)


def at_putting(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(device_import, "put", die)


def at_recording(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(device_import, "record_acts", die)


def at_renaming(patch: pytest.MonkeyPatch) -> None:
    rename = Path.rename

    def on_the_way(path: Path, target: Path) -> Path:
        return die() if Path(target).name == "lamppost.toml" else rename(path, target)

    patch.setattr(Path, "rename", on_the_way)


def at_origins(patch: pytest.MonkeyPatch) -> None:
    patch.setattr(FolderBooks, "set_origins", die)


def killed(config: Path, table: Path, prepare: Callable[[pytest.MonkeyPatch], None]) -> int:
    """The import in a process of its own, which dies there; its exit code."""
    child = os.fork()
    if child == 0:
        try:
            null = os.open(os.devnull, os.O_WRONLY)
            os.dup2(null, 1)
            prepare(pytest.MonkeyPatch())
            camera_import(table, config=config)
        finally:
            os._exit(0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])


@pytest.mark.parametrize("step", [at_keeping, at_putting, at_recording, at_renaming, at_origins])
def test_a_killed_import(here: Path, recipients: tuple[str, ...], step: Callable[[pytest.MonkeyPatch], None]) -> None:
    config, table = here / "lamppost.toml", here / "c.csv"
    config.write_text(f'data = "data"\n[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\n')
    table.write_text(TABLE)
    before = config.read_text()
    assert killed(config, table, step) == 9
    cameras = ConfigFile(config).before.camera
    assert (config.read_text() == before) == (step is not at_origins)
    assert len(cameras) in (0, 5)

    camera_import(table, config=config)
    folder = DataFolder(here / "data")
    with CredentialKeeper(folder) as keeper:
        words = {camera.name: keeper.password_of(camera) for camera in ConfigFile(config).before.camera}
    assert words == {f"cam-{n}": f"word-{n}" for n in range(1, 6)}
    books = FolderBooks(folder, SystemClock())
    assert books.origins() == {f"cam-{n}": {"contract": f"T-{n}"} for n in range(1, 6)}
    books.close()


def test_a_dry_run_leaves_nothing_behind(here: Path, recipients: tuple[str, ...]) -> None:
    config, table = here / "lamppost.toml", here / "c.csv"
    config.write_text(f'data = "data"\n[sealing]\ncustodians = {json.dumps(recipients)}\nthreshold = 2\n')
    table.write_text(TABLE)
    camera_import(table, config=config, dry_run=True)
    assert not (here / "data").exists()
