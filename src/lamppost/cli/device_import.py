"""`lamppost camera import|export|profiles`: many cameras from one table, and what they have in common."""

from __future__ import annotations

import json
import os
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.base.logging import redact
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.layout import DataFolder
from lamppost.pipeline.camera_columns import IN_PROFILES
from lamppost.pipeline.camera_export import export_table, template_table
from lamppost.pipeline.camera_import import Action, ImportPlan, Options, kept_passwords, put
from lamppost.pipeline.camera_table import read_table_file
from lamppost.pipeline.config_file import ConfigFile
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.folder_books import FolderBooks
from lamppost.pipeline.import_books import ImportBooks, planned
from lamppost.pipeline.import_profiles import check_profile
from lamppost.store.acts import record_act, record_acts

TAKEN_OVER = "A running `lamppost serve` takes them over within some seconds."

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
ProfileArgument = Annotated[str, typer.Argument(help="The profile's name.")]


@one_line_errors
def camera_import(
    file: Annotated[Path | None, typer.Argument(help="A CSV file with a header and a row for each camera.")] = None,
    config: ConfigOption = DEFAULT_CONFIG,
    profile: Annotated[str | None, typer.Option("--profile", help="Fills what rows leave out.")] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only look, and say what would be done.")] = False,
    update: Annotated[bool, typer.Option("--update", help="Change cameras that are there, too.")] = False,
    template: Annotated[bool, typer.Option("--template", help="Print a header with every column, and examples.")] = False,
    as_json: JsonOption = False,
) -> None:
    """Add the cameras of a CSV file, all of them or none. Every mistake of the whole file is told before anything is written.

    Given once more, the same file changes nothing. Exit code 2: the file has mistakes.
    """
    if template:
        typer.echo(template_table(), nl=False)
        return
    if file is None:
        raise ConfigError("no file was given", remedy="name a CSV file; --template prints a header to begin with")
    content = read_table_file(file)
    with _books(config) as books:
        fields = _profile(books, profile)
        options = Options(fields, may_update=update, allows_files=True, environment=os.environ)
        plan, planned_on = planned(content, config, options, books)
        if not plan.problems and plan.has_work and not dry_run:
            _write(plan, planned_on, books)
    if as_json:
        typer.echo(json.dumps({"dry_run": dry_run} | plan.to_json(), indent=2))
    else:
        _tell(plan, file, is_done=not dry_run)
    if plan.problems:
        raise typer.Exit(ConfigError.exit_code)


@one_line_errors
def camera_export(config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Print all cameras as CSV, without passwords; `lamppost camera import` takes it back."""
    settings = load_settings(config)
    with _books(config) as books:
        typer.echo(export_table(settings, books.origins()), nl=False)


@one_line_errors
def profiles_list(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List the profiles: what fills the rows of a table that leave it out."""
    with _books(config) as books:
        profiles = books.profiles()
    if as_json:
        typer.echo(json.dumps([{"name": name, "fields": dict(profiles[name])} for name in sorted(profiles)], indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for name in sorted(profiles):
        console.print(f"{name}: " + "; ".join(f"{key}={text}" for key, text in sorted(profiles[name].items())), markup=False)
    if not profiles:
        console.print("there is no profile yet: see `lamppost camera profiles set --help`", markup=False)


@one_line_errors
def profiles_set(
    name: ProfileArgument,
    fields: Annotated[list[str], typer.Argument(help=f"column=text, each of: {', '.join(IN_PROFILES)}.")],
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Make a profile, or another of it: `lamppost camera profiles set dome preset=faces site="Old Town" stream_path=/live{channel}`."""
    given: dict[str, str] = {}
    for field in fields:
        key, equals, text = field.partition("=")
        if not equals:
            raise ConfigError(f"{field[:60]!r} is no field", remedy="write it as column=text")
        given[key.strip()] = text
    kept = check_profile(name, given)
    with _books(config) as books:
        books.set_profile(name, kept, lambda: _act(config, name, {"fields": kept}))
    typer.echo(f"profile {name} was kept: {', '.join(kept)}")


@one_line_errors
def profiles_remove(name: ProfileArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Remove a profile; cameras that were made with it stay as they are."""
    with _books(config) as books:
        if not books.remove_profile(name, lambda: _act(config, name, {"removed": True})):
            raise _unknown(books, name)
    typer.echo(f"profile {name} was removed")


@contextmanager
def _books(config: Path) -> Generator[ImportBooks]:
    books = FolderBooks(DataFolder(load_settings(config).data), SystemClock())
    try:
        yield books
    finally:
        books.close()


def _profile(books: ImportBooks, name: str | None) -> dict[str, str]:
    if name is None:
        return {}
    found = books.profiles().get(name)
    if found is None:
        raise _unknown(books, name)
    return dict(found)


def _unknown(books: ImportBooks, name: str) -> ConfigError:
    return ConfigError(f"there is no profile {name!r}", remedy=f"there are: {', '.join(sorted(books.profiles())) or 'none'}")


def _write(plan: ImportPlan, file: ConfigFile, books: ImportBooks) -> None:
    folder, clock = DataFolder(file.before.data), SystemClock()

    def on_record() -> None:
        record_acts(folder, clock, plan.acts(user_name(), clock))

    with kept_passwords(plan, books) as credentials:
        if plan.added or plan.changed or credentials:
            put(plan, file, credentials)
            file.replace(first=on_record)
        else:
            on_record()
    books.set_origins(plan.origins)


def _act(config: Path, name: str, detail: dict[str, object]) -> None:
    folder = DataFolder(load_settings(config).data)
    record_act(folder, SystemClock(), kind="import_profile_changed", actor=user_name(), subject=name, detail=detail)


def _tell(plan: ImportPlan, file: Path, *, is_done: bool) -> None:
    console = Console(highlight=False, soft_wrap=True)
    if plan.problems:
        errors = Console(stderr=True, highlight=False, soft_wrap=True)
        for problem in plan.problems:
            errors.print(escape(redact(f"{file}: {problem}")))
        count = len(plan.problems)
        errors.print(f"[bold red]lamppost:[/] {count} mistake{'s' if count > 1 else ''} in {escape(str(file))}; nothing was written")
        return
    verbs = {Action.ADD: "added", Action.CHANGE: "changed", Action.UNCHANGED: "unchanged"}
    if not is_done:
        for camera in plan.cameras:
            console.print(f"line {camera.line}: {camera.name} {camera.action.value} {camera.url} {camera.site}", markup=False)
    told = ", ".join(f"{plan.count(action)} {verb}" for action, verb in verbs.items())
    if is_done:
        console.print(f"{told}." + (f" {TAKEN_OVER}" if plan.has_work else ""), markup=False)
    else:
        console.print(f"A dry run, nothing was written. It would be: {told}.", markup=False)
