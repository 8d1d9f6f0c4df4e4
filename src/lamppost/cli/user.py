"""`lamppost user`: who may sign in, from the machine itself; also while the node runs."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Generator
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from lamppost.access.desk import Desk, LinkKind
from lamppost.base.clock import Clock, SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.pipeline.configuration import load_settings
from lamppost.store.access_book import UserRow
from lamppost.store.acts import record_act

ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]
NameArgument = Annotated[str, typer.Argument(help="The user's name.")]


@one_line_errors
def user_list(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List who may sign in, and what they may."""
    with _open(config) as (desk, _settings):
        users = desk.book.users()
    if as_json:
        typer.echo(json.dumps([_to_json(user) for user in users], indent=2))
        return
    console = Console(highlight=False, soft_wrap=True)
    for user in users:
        grants = ", ".join(f"{grant.role.value} of {grant.scope.text}" for grant in user.grants) or "nothing"
        seen = "never seen" if user.last_seen_us is None else f"last seen {format_utc(user.last_seen_us)}"
        console.print(f"{user.name}: {grants}; {_state(user)}; {seen}", markup=False)
    if not users:
        console.print("There is no user yet: `lamppost serve` prints the link that sets up the first.", markup=False)


@one_line_errors
def user_add(
    name: NameArgument,
    role: Annotated[list[Role], typer.Option("--role", help="What they are; repeat for each.")],
    config: ConfigOption = DEFAULT_CONFIG,
    scope: Annotated[str, typer.Option("--scope", help="Where: *, site:ID or camera:NAME.")] = "*",
    display_name: Annotated[str, typer.Option("--display-name", help="What others read.")] = "",
) -> None:
    """Add somebody, and print the link by which they choose a password. It is good once, for three days."""
    with _open(config) as (desk, settings):
        user = desk.new_user(name, display_name, [Grant(each, Scope.parse(scope)) for each in role])
        told = {"grants": [f"{each.value} of {scope}" for each in role]}
        word = desk.invite(user, first=lambda: _act(settings, "user_added", user.name, told))
    _tell_link(settings, "setup", word)


@one_line_errors
def user_link(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    password: Annotated[bool, typer.Option("--password", help="A link by which they choose a new password.")] = False,
) -> None:
    """Print a link that signs somebody in once, within an hour: for who cannot get in any more."""
    with _open(config) as (desk, settings):
        user = _find(desk, name)
        kind = LinkKind.PASSWORD if password else LinkKind.SIGN_IN
        word = desk.make_link(user, kind, first=lambda: _act(settings, "link_made", user.name, {"kind": kind.value}))
    _tell_link(settings, "setup" if password else "sign-in", word)


@one_line_errors
def user_disable(
    name: NameArgument,
    config: ConfigOption = DEFAULT_CONFIG,
    undo: Annotated[bool, typer.Option("--undo", help="Let them sign in again.")] = False,
) -> None:
    """Keep somebody out, at once."""
    with _open(config) as (desk, settings):
        user = _find(desk, name)
        told = {"is_disabled": not undo}
        desk.book.change_user(user.user_id, first=lambda: _act(settings, "user_changed", user.name, told), is_disabled=int(not undo))
        if not undo:
            desk.book.end_sessions_of(user.user_id)
    typer.echo(f"{user.name} can sign in again." if undo else f"{user.name} is signed out, and cannot sign in.")


@one_line_errors
def user_remove(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Remove somebody. What they did stays on the record."""
    with _open(config) as (desk, settings):
        user = _find(desk, name)
        desk.book.remove_user(user.user_id, first=lambda: _act(settings, "user_removed", user.name, {}))
    typer.echo(f"{user.name} is removed.")


def sign_in_word(folder: DataFolder, name: str, clock: Clock) -> str:
    """The word of a link that signs `name` in once; made as administrator and operator of everything where there is none."""
    desk = Desk(folder, clock)
    try:
        user = desk.book.user_named(name.strip().lower())
        if user is None:
            everything = Scope("*")
            user = desk.new_user(name, "", [Grant(Role.ADMINISTRATOR, everything), Grant(Role.OPERATOR, everything)])
            name, detail = user.name, {"by": "lamppost serve --sign-in"}
            desk.book.add_user(
                user, first=lambda: record_act(folder, clock, kind="user_added", actor=user_name(), subject=name, detail=detail)
            )
        return desk.make_link(user, LinkKind.SIGN_IN)
    finally:
        desk.close()


@contextlib.contextmanager
def _open(config: Path) -> Generator[tuple[Desk, Settings]]:
    """The desk of a configuration's data folder, and the settings."""
    settings = load_settings(config)
    folder = DataFolder(settings.data)
    if not (folder.keys / "recorder.pub").is_file():
        raise ConfigError(f"{folder.root} is not a data folder", remedy="create one with `lamppost init`")
    with contextlib.closing(Desk(folder, SystemClock())) as desk:
        yield desk, settings


def _find(desk: Desk, name: str) -> UserRow:
    user = desk.book.user_named(name.strip().lower())
    if user is None:
        raise ConfigError(f"there is no user {name!r}", remedy="`lamppost user list` shows those there are")
    return user


def _act(settings: Settings, kind: str, subject: str, detail: dict[str, Any]) -> None:
    record_act(DataFolder(settings.data), SystemClock(), kind=kind, actor=user_name(), subject=subject, detail=detail)


def _tell_link(settings: Settings, page: str, word: str) -> None:
    server = settings.server
    base = server.public_url or f"{'https' if server.certificate_file else 'http'}://{server.listen}"
    typer.echo(f"{base}/{page}#token={word}")


def _state(user: UserRow) -> str:
    if user.is_disabled:
        return "disabled"
    if user.password_hash is None:
        return "invited"
    return "active, with a code" if user.totp_sealed is not None else "active"


def _to_json(user: UserRow) -> dict[str, Any]:
    return {
        "name": user.name,
        "display_name": user.display_name,
        "grants": [{"role": grant.role.value, "scope": grant.scope.text} for grant in user.grants],
        "is_disabled": user.is_disabled,
        "has_password": user.password_hash is not None,
        "has_code": user.totp_sealed is not None,
        "last_seen": None if user.last_seen_us is None else format_utc(user.last_seen_us),
    }
