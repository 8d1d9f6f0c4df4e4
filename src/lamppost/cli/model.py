"""`lamppost model list|pull|add|verify`: which models may run here, where they come from, and whether they are unaltered."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError, ModelError
from lamppost.base.machine import usable_cores
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.detect.entry import ModelEntry
from lamppost.detect.entry_file import MOST_BYTES
from lamppost.detect.fetching import fetch
from lamppost.detect.shelf import ModelShelf, State
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings

MIRROR = "LAMPPOST_MODEL_MIRROR"

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the models folder.")]
FolderOption = Annotated[Path | None, typer.Option("--folder", help="The models folder, where there is no configuration.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@one_line_errors
def model_list(config: ConfigOption = DEFAULT_CONFIG, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """List the models of the catalogue: what each finds, whose it is, whether it is here, and what would run it."""
    shelf = _shelf(config, folder)
    providers, threads = _hardware(config, folder)
    rows = [_to_json(entry, shelf.state(entry)) for entry in shelf.entries()]
    if as_json:
        typer.echo(json.dumps([row | {"runs_on": providers, "threads": threads} for row in rows], indent=2))
        return
    console = Console(highlight=False)
    table = Table(*(Column(title, overflow="fold") for title in ("model", "finds", "here", "licence", "trained on")))
    for row in rows:
        table.add_row(*(escape(text) for text in (row["name"], ", ".join(row["kinds"]), row["state"], row["licence"], row["trained_on"])))
    console.print(table)
    others = f"; where it cannot, {' or '.join(providers[1:])}" if providers[1:] else ""
    console.print(f"runs on: {providers[0]} ({threads} thread{'s' * (threads != 1)}){others}", soft_wrap=True)
    console.print("`lamppost model pull NAME` fetches what is absent.", soft_wrap=True)


@one_line_errors
def model_pull(
    names: Annotated[list[str], typer.Argument(metavar="NAME...", help="Models, as `lamppost model list` shows them.")],
    config: ConfigOption = DEFAULT_CONFIG,
    folder: FolderOption = None,
    mirror: Annotated[
        str | None,
        typer.Option("--mirror", envvar=MIRROR, help=f"A folder or an http(s) URL to take files from; {MIRROR} otherwise, or the source."),
    ] = None,
) -> None:
    """Fetch models into the models folder.

    A file is kept only when its hash is the pinned one; one that is there
    and unaltered is not fetched again. Read its licence and the terms of what
    it was trained on first: `lamppost model list`.
    """
    shelf, clock = _shelf(config, folder), SystemClock()
    # All are known before the first is fetched.
    for entry in [shelf.find(name) for name in dict.fromkeys(names)]:
        if entry.is_bundled:
            typer.echo(f"{entry.name}: comes with Lamppost, there is nothing to fetch")
        elif shelf.is_good(entry):
            typer.echo(f"{entry.name}: is here and unaltered")
        else:
            place = shelf.put(entry, fetch(entry, mirror or None, clock))
            typer.echo(f"{entry.name}: {place}; {entry.licence}; trained on {entry.trained_on}")


@one_line_errors
def model_add(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="A description of the model, in TOML; docs/reference/models.md has the format.")
    ],
    config: ConfigOption = DEFAULT_CONFIG,
    folder: FolderOption = None,
) -> None:
    """Take a model of your own into the catalogue. Its file comes by `lamppost model pull`.

    Detectors alone are taken in: boxes and scores of things, in a layout that
    is read here. Every mistake has its line, and nothing is written then.
    """
    try:
        with file.open("rb") as source:
            content = source.read(MOST_BYTES + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read: {error.strerror}", remedy="name a file that describes a model") from error
    entry = _shelf(config, folder).add(content, str(file))
    typer.echo(f"{entry.name}: taken in, finds {', '.join(entry.reported_kinds)}. Next: lamppost model pull {entry.name}")


@one_line_errors
def model_verify(config: ConfigOption = DEFAULT_CONFIG, folder: FolderOption = None, as_json: JsonOption = False) -> None:
    """Hash every model that is here again, and read every added entry again.

    Exit code 0: all is as the catalogue says. 1: something is altered, refused,
    or known to nobody; none of that is ever loaded.
    """
    verdicts = _shelf(config, folder).verify()
    if as_json:
        typer.echo(json.dumps([{"name": each.name, "is_good": not each.problem, "problem": each.problem} for each in verdicts], indent=2))
    else:
        errors = Console(file=sys.stderr, highlight=False, soft_wrap=True)
        for each in verdicts:
            if each.problem:
                errors.print(f"[bold red]lamppost:[/] {escape(str(ModelError(each.problem, remedy=each.remedy)))}")
            else:
                typer.echo(f"{each.name}: unaltered")
    if any(each.problem for each in verdicts):
        raise typer.Exit(1)


def _shelf(config: Path, folder: Path | None) -> ModelShelf:
    if folder is not None:
        return ModelShelf(folder.resolve())
    settings = load_settings(config)
    if settings.models.folder is not None:
        return ModelShelf(settings.models.folder)
    data = DataFolder(settings.data)
    if not (data.keys / "recorder.pub").is_file():
        raise ConfigError(f"{data.root} is not a data folder", remedy="create one with `lamppost init`, or name a folder with --folder")
    return ModelShelf(data.models)


def _hardware(config: Path, folder: Path | None) -> tuple[list[str], int]:
    """The execution providers that a model is tried on, in their order, and its threads; without a configuration as `mask` has them."""
    # Imported here: the other commands of this file run no model, and need not wait for the runtime.
    from lamppost.detect.network import InstalledRuntime
    from lamppost.detect.providers import AUTO, NAMES, choose_providers

    settings = load_settings(config) if folder is None else None
    wanted, threads = (settings.models.wanted_providers, settings.masking.threads) if settings else (AUTO, usable_cores())
    return [NAMES[provider] for provider in choose_providers(wanted, InstalledRuntime().available())], threads


def _to_json(entry: ModelEntry, state: State) -> dict[str, Any]:
    return {
        "name": entry.name,
        "state": state.value,
        "purpose": entry.purpose.value,
        "kinds": [kind.value for kind in entry.reported_kinds],
        "layout": entry.layout.value,
        "licence": entry.licence,
        "trained_on": entry.trained_on,
        "source": entry.source_url,
        "file": entry.file,
        "sha256": entry.sha256,
        "outputs": list(entry.output_names),
    }
