"""`lamppost init`: a data folder, a configuration, and custodians to seal for."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock
from lamppost.base.durable import make_directory, write_durable
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG, check_camera
from lamppost.cli.errors import one_line_errors
from lamppost.cli.template import render_config
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings
from lamppost.seal.custodians import check_custodians, create_key_file
from lamppost.seal.notes import create_signer

TRIAL_FOLDER = "custodians-TRIAL"
DEFAULT_CUSTODIANS, DEFAULT_THRESHOLD = 3, 2
EXAMPLE_CAMERA = {"plaza": "sim://plaza?seed=8&people=4&vehicles=2"}


@one_line_errors
def init(
    data: Annotated[Path, typer.Option("--data", help="The data folder to create.")] = Path("lamppost-data"),
    custodians: Annotated[int | None, typer.Option("--custodians", help="Make trial keys for so many custodians (default 3).")] = None,
    threshold: Annotated[int | None, typer.Option("--threshold", "-k", help="How many custodians open together (default 2).")] = None,
    custodian: Annotated[
        list[str] | None, typer.Option("--custodian", help="The age recipient (age1…) of a real custodian; repeat for each.")
    ] = None,
    camera: Annotated[list[str] | None, typer.Option("--camera", help="NAME=URL of a camera; repeat for each.")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file to write.")] = DEFAULT_CONFIG,
) -> None:
    """Create a data folder and a commented lamppost.toml.

    Without --custodian, trial keys are made in custodians-TRIAL/ beside the
    data folder, so that you can try everything at once. For real use, each
    custodian runs `age-keygen` on a machine of their own and gives you the
    line that starts with age1; you then name each with --custodian.
    """
    if custodian and custodians is not None:
        raise ConfigError("--custodians makes trial keys and --custodian names real ones", remedy="give one of the two")
    if config.exists():
        raise ConfigError(f"{config} exists already", remedy="edit it, or name another file with -c")
    folder = DataFolder(data.resolve())
    _check_empty(data)
    cameras = _parse_cameras(camera or [])
    data_entry = _relative_if_beside(folder.root, config)
    trial_folder = folder.root.parent / TRIAL_FOLDER
    count = DEFAULT_CUSTODIANS if custodians is None else custodians
    need = DEFAULT_THRESHOLD if threshold is None else threshold
    if custodian:
        check_custodians(custodian, need)
    else:
        _check_threshold(need, count)
        if trial_folder.exists():
            raise ConfigError(f"{trial_folder} exists already", remedy="move it away, or name its recipients with --custodian")
    _check_place(config.resolve().parent)
    for part in (folder.root, folder.index.parent, folder.journal, folder.vault, folder.keys, folder.run):
        make_directory(part)
    create_signer(folder.keys / "recorder.key")
    recipients = tuple(custodian) if custodian else _create_trial_keys(trial_folder, count)
    text = render_config(data=data_entry, custodians=recipients, threshold=need, trial=not custodian, cameras=cameras or EXAMPLE_CAMERA)
    write_durable(config, text.encode())
    load_settings(config)
    _tell(config, data, len(recipients), need, None if custodian else trial_folder)


def _check_empty(data: Path) -> None:
    """A new disk's `lost+found` and the empty folder on which the vault's own disk is mounted are no use of it."""
    try:
        is_used = data.exists() and any(not _is_mount_point(path) for path in data.iterdir() if path.name != "lost+found")
    except OSError as error:
        raise ConfigError(f"the data folder {data} cannot be used: {error.strerror}", remedy="name another with --data") from error
    if is_used:
        raise ConfigError(f"the data folder {data} is not empty", remedy="name another with --data; nothing was changed")


def _is_mount_point(path: Path) -> bool:
    return path.name == "vault" and path.is_dir() and not any(path.iterdir())


def _check_place(folder: Path) -> None:
    """Make the folder of the configuration, before keys are made that a second attempt would stumble over."""
    make_directory(folder)
    if not os.access(folder, os.W_OK | os.X_OK):
        raise ConfigError(f"the configuration cannot be written to {folder}", remedy="name another place with -c; nothing was made")


def _create_trial_keys(folder: Path, count: int) -> tuple[str, ...]:
    clock = SystemClock()
    return tuple(create_key_file(folder / f"custodian-{number}.key", clock) for number in range(1, count + 1))


def _parse_cameras(entries: list[str]) -> dict[str, str]:
    """Name and URL of each, as the configuration will hold them; raises `ConfigError` for what it would refuse."""
    cameras: dict[str, str] = {}
    for entry in entries:
        name, separator, url = entry.partition("=")
        if not separator or not name or "://" in name:
            raise ConfigError("--camera needs NAME=URL", remedy="for example --camera gate=rtsp://192.0.2.10/stream1")
        if name in cameras:
            raise ConfigError(f"--camera names {name!r} twice", remedy="give each camera a name of its own")
        check_camera(name, url)
        cameras[name] = url
    return cameras


def _check_threshold(threshold: int, count: int) -> None:
    if not 2 <= count <= 16:
        raise ConfigError(f"there must be 2 to 16 custodians, not {count}", remedy="one alone must never be able to open")
    if not 2 <= threshold <= count:
        raise ConfigError(f"--threshold must be 2 to {count}, not {threshold}", remedy="one alone must never be able to open")


def _relative_if_beside(root: Path, config: Path) -> str:
    base = config.resolve().parent
    entry = root.relative_to(base).as_posix() if root.is_relative_to(base) else str(root)
    if not entry.isprintable():  # bytes that are no UTF-8 among them
        raise ConfigError("the name of the data folder cannot stand in a text file", remedy="name another with --data")
    return entry


def _tell(config: Path, data: Path, count: int, need: int, trial_folder: Path | None) -> None:
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"Created the data folder {data} and the configuration {config}.", markup=False)
    console.print(f"Originals will be sealed for {count} custodians; any {need} of them open together.")
    if trial_folder is not None:
        console.print(f"[bold yellow]TRIAL KEYS[/] are in {escape(str(trial_folder))}: whoever reads that folder can open everything.")
        console.print("For real use name your custodians: lamppost init --custodian age1… --custodian age1… --threshold K")
    console.print(f"Next: lamppost serve -c {config}", markup=False)
