"""`lamppost upgrade`: bring the index of an older version up to this one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer

from lamppost import __version__
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.credentials import CredentialKeeper, take_over_files
from lamppost.pipeline.upgrading import upgrade as upgrade_folder
from lamppost.store.device_book import DeviceBook


@one_line_errors
def upgrade(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Back up the books, then bring the index up to this version of Lamppost; encrypt passwords that an older one kept in files.

    The backup is kept beside the index; of these the last three are. An index
    of this version is left as it is, one of a newer version is refused. A node
    must not run meanwhile.
    """
    folder = DataFolder(load_settings(config).data)
    if not (folder.keys / "recorder.pub").is_file():
        raise ConfigError(f"{folder.root} is not a data folder", remedy="create one with `lamppost init`")
    done = upgrade_folder(folder, config=config)
    if folder.devices.is_file():
        DeviceBook(folder).close()  # of an older version, it is of this one now; many audits take a minute, which no process of a node has
    with CredentialKeeper(folder) as keeper:
        taken = take_over_files(folder, keeper, config)
    if as_json:
        backup = None if done.backup is None else str(done.backup)
        typer.echo(json.dumps({"from": done.from_revision, "to": done.to_revision, "backup": backup, "encrypted": list(taken)}))
        return
    if taken:
        typer.echo(f"encrypted passwords that lay in files of their own: {', '.join(taken)}")
    if done.backup is not None:
        typer.echo(f"upgraded the index from {done.from_revision} to {done.to_revision}; before that it was backed up to {done.backup}")
    elif done.from_revision:
        typer.echo(f"nothing to do: the index is of this version ({__version__}, {done.to_revision})")
    else:
        typer.echo("nothing to do: there is no index yet")
