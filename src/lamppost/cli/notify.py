"""`lamppost notify test`, `list` and `retry`: who is told of events, whether it works, and what did not arrive."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.who import user_name
from lamppost.model.carriers import NotifySettings
from lamppost.model.layout import DataFolder
from lamppost.model.settings import Settings
from lamppost.notify.trial import send_test
from lamppost.pipeline.configuration import load_settings
from lamppost.store.outbox_view import Delivery, OutboxTally, OutboxView
from lamppost.store.reviving import await_none_dead, revive

_COLUMNS: Final = ("name", "type", "address", "waiting", "oldest", "dead")
_SHOWN_DEAD: Final = 20

NameArgument = Annotated[str, typer.Argument(help="The carrier's name in the configuration.", metavar="NAME")]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")]


@one_line_errors
def notify_test(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Send a test message to one carrier, at once and past the outbox; its type is `test`.

    Exit code 0: the other side has taken it. 1: it has not, and the line says why.
    """
    settings = load_settings(config)
    sent = send_test(_find(settings, name), site=settings.site, root=settings.data, now_us=SystemClock().wall_us())
    Console(highlight=False, soft_wrap=True).print(f"{escape(name)} has taken the test message {sent}.")


@one_line_errors
def notify_list(config: ConfigOption = DEFAULT_CONFIG, as_json: JsonOption = False) -> None:
    """List the carriers, what waits for each, and the dead letters."""
    settings = load_settings(config)
    folder = DataFolder(settings.data)
    configured = {carrier.name: carrier for carrier in settings.notify}
    tallies: dict[str, OutboxTally] = {}
    dead: dict[str, tuple[Delivery, ...]] = {}
    if folder.index.is_file():
        with OutboxView(folder) as view:
            tallies = view.tallies()
            dead = {name: view.dead(name) for name, tally in tallies.items() if tally.dead}
    names = [*configured, *sorted(tallies.keys() - configured.keys())]
    rows = [_row(name, configured.get(name), tallies.get(name, OutboxTally()), dead.get(name, ())) for name in names]
    if as_json:
        typer.echo(json.dumps(rows, indent=2))
        return
    console = Console(highlight=False)
    if not rows:
        console.print(f"{escape(str(config))} names nobody who is told of events: add a table \\[\\[notify]].")
        return
    table = Table("carrier", "type", "address", "waiting", "oldest", "dead")
    for row in rows:
        table.add_row(*(escape(str(row[key] if row[key] is not None else "-")) for key in _COLUMNS))
    console.print(table)
    for row in rows:
        for letter in row["dead_letters"][:_SHOWN_DEAD]:
            console.print(escape(f"{row['name']}: {letter['id']} {letter['type']} of {letter['at']}: {letter['problem']}"), soft_wrap=True)


@one_line_errors
def notify_retry(name: NameArgument, config: ConfigOption = DEFAULT_CONFIG) -> None:
    """Offer the dead letters of a carrier once more; each has its whole time again."""
    settings = load_settings(config)
    folder, clock = DataFolder(settings.data), SystemClock()
    with OutboxView(folder) as view:
        tally = view.tallies().get(name, OutboxTally())
    console = Console(highlight=False, soft_wrap=True)
    if not tally.dead:
        _find(settings, name)
        console.print(f"{escape(name)} has no dead letters.")
        return
    revive(folder, name, actor=user_name(), clock=clock)
    if await_none_dead(folder, name, clock):
        console.print(f"{tally.dead} dead letter(s) of {escape(name)} are offered again.")
    else:
        console.print(f"{tally.dead} dead letter(s) of {escape(name)} are offered again when Lamppost runs.")
    if name not in {carrier.name for carrier in settings.notify}:
        console.print(f"[bold yellow]warning:[/] {escape(str(config))} has no carrier of that name: nobody offers them")


def _find(settings: Settings, name: str) -> NotifySettings:
    found = next((carrier for carrier in settings.notify if carrier.name == name), None)
    if found is None:
        known = ", ".join(carrier.name for carrier in settings.notify) or "none"
        raise ConfigError(f"there is no carrier {name!r}", remedy=f"there are: {known}")
    return found


def _row(name: str, carrier: NotifySettings | None, tally: OutboxTally, dead: tuple[Delivery, ...]) -> dict[str, Any]:
    letters = [
        {
            "id": f"{one.event_id}-{one.sequence}",
            "type": one.kind,
            "camera": one.camera,
            "at": format_utc(one.at_us),
            "problem": one.problem,
        }
        for one in dead
    ]
    return {
        "name": name,
        "type": carrier.type if carrier else "not configured",
        "address": carrier.address if carrier else None,
        "waiting": tally.waiting,
        "oldest": format_utc(tally.oldest_us) if tally.oldest_us is not None else None,
        "dead": tally.dead,
        "dead_letters": letters,
    }
