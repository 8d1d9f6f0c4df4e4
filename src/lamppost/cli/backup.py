"""`lamppost backup`: copy the books of a node into one file, and put them back."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import format_utc
from lamppost.base.durable import write_durable
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.progress import format_bytes
from lamppost.model.layout import DataFolder
from lamppost.pipeline.backups import back_up, configuration_of, restore
from lamppost.pipeline.configuration import load_settings
from lamppost.store.devices_backup import DevicesRestored
from lamppost.store.restore import Restored
from lamppost.store.users_backup import UsersRestored

NOT_IN_IT = (
    "Not in it: the vault (a share that is destroyed must not live on in a backup; mirror its disk instead), footage, and files "
    "of your own that the configuration names. "
    "In it: the recorder's signing key, which opens nothing but could sign in its name; who may sign in, with the key of their codes; "
    "what is known of devices, and passwords of cameras with their key. Keep the file as you keep the key."
)

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")]
DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder, where there is no configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@one_line_errors
def backup_create(
    target: Annotated[Path, typer.Argument(help="A folder that exists, or the file to write.")],
    config: ConfigOption = DEFAULT_CONFIG,
    keep: Annotated[int | None, typer.Option("--keep", min=1, help="Keep so many backups in the folder; remove the oldest.")] = None,
    as_json: JsonOption = False,
) -> None:
    """Back up index, journals, users, devices, keys and configuration into one file; a node may be running.

    The vault is not in it, nor is footage. Footage stays where it lies: after a
    restore, what was recorded since the backup is found again by its records.
    """
    settings = load_settings(config)
    made = back_up(DataFolder(settings.data), target, config=config, keep=keep)
    if as_json:
        typer.echo(json.dumps({**dataclasses.asdict(made), "path": str(made.path), "removed": [str(path) for path in made.removed]}))
        return
    console = Console(highlight=False, soft_wrap=True)
    console.print(f"wrote {escape(str(made.path))}: {made.files} files, {format_bytes(made.size_bytes)}; users: {made.users}")
    for path in made.removed:
        console.print(f"removed {escape(str(path))}")
    console.print(NOT_IN_IT, markup=False)


@one_line_errors
def backup_restore(
    backup: Annotated[Path, typer.Argument(help="The file that `lamppost backup create` wrote.")],
    config: ConfigOption = DEFAULT_CONFIG,
    data: DataOption = None,
    force: Annotated[
        bool, typer.Option("--force", help="Replace an index, users and devices that can be read; they are kept beside the new ones.")
    ] = False,
    as_json: JsonOption = False,
) -> None:
    """Put the books of a backup back, and take in again what was recorded since.

    Nothing is touched before every hash of the backup was right, nor while a
    node runs. Users and devices that can be read stay as they are without --force.
    Where there is no configuration, the backup's is written to -c.
    Exit code 1: it was restored, and `check` still finds something wrong.
    """
    folder = DataFolder(data.resolve() if data is not None else _settings_data(backup, config))
    restored, report = restore(folder, backup, force=force, config=None if data is not None else config)
    if as_json:
        typer.echo(json.dumps({"restored": dataclasses.asdict(restored), "check": dataclasses.asdict(report), "is_clean": report.is_clean}))
    else:
        console = Console(highlight=False, soft_wrap=True)
        console.print(f"restored the books of {format_utc(restored.about.made_us)} into {escape(str(folder.root))}")
        if restored.set_aside:
            console.print(f"the index that was there is kept as index.db{restored.set_aside}")
        if restored.users_set_aside:
            console.print(f"the users that were there are kept as access.db{restored.users_set_aside}")
        if restored.devices_set_aside:
            console.print(f"the device book that was there is kept as devices.db{restored.devices_set_aside}")
        for done in report.repaired:
            console.print(f"taken in: {escape(done)}")
        if restored.passwords:
            console.print(f"passwords of cameras put back: {restored.passwords}")
        console.print(_about_users(restored), markup=False)
        console.print(_about_devices(restored), markup=False)
        console.print("The vault was not in the backup: it is what it was. Without its shares nothing that was sealed can be opened.")
        verdict = "[bold green]all agrees[/]" if report.is_clean else "[bold red]not all is well[/]: lamppost check tells what"
        console.print(verdict)
    if not report.is_clean:
        raise typer.Exit(1)


def _about_users(restored: Restored) -> str:
    match restored.users:
        case UsersRestored.PUT_BACK:
            return (
                f"Users: those of then ({restored.user_count}), with passwords, codes and tokens of then; who was removed or disabled "
                "since is back (`lamppost user list`). Everybody is signed out, and links that were not used are void."
            )
        case UsersRestored.LEFT:
            return "Users: left as they are today, since they can be read; with --force they become those of the backup."
        case UsersRestored.ABSENT:
            return (
                "Users: the backup holds none, so nothing was changed; while there are none, `lamppost serve` prints a link for the first."
            )


def _about_devices(restored: Restored) -> str:
    match restored.devices:
        case DevicesRestored.PUT_BACK:
            return "Devices: what was known of them then, with audits and the passwords of cameras of then."
        case DevicesRestored.LEFT:
            return "Devices: left as they are known today, since that can be read; with --force it becomes what is in the backup."
        case DevicesRestored.ABSENT:
            return "Devices: the backup knows of none, so nothing was changed."


def _settings_data(backup: Path, config: Path) -> Path:
    if not config.exists():
        content = configuration_of(backup)
        if content is None:
            raise ConfigError(
                f"there is no configuration at {config}, and none in the backup", remedy="name one with -c, or the data folder with --data"
            )
        write_durable(config, content)
    return load_settings(config).data
