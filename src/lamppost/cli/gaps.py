"""`lamppost camera gaps`: what became of every moment of every camera."""

from __future__ import annotations

import dataclasses
import json
import re
from collections import Counter
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import US_PER_S, SystemClock, format_utc, parse_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.model.layout import DataFolder
from lamppost.pipeline.configuration import load_settings
from lamppost.store.account import Account
from lamppost.store.check import is_written
from lamppost.store.index import Index, Interval

_AGO = re.compile(r"(\d+(?:\.\d+)?)(s|m|h|d)")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}
MOST_LISTED = 200


@one_line_errors
def camera_gaps(
    camera: Annotated[str | None, typer.Argument(help="One camera; all where none is named.")] = None,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    since: Annotated[str | None, typer.Option("--since", help="From there on: 2026-11-23T10:00 (UTC), or 24h, 7d ago.")] = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Account for every moment: recorded, masked, covered, in a declared gap with its cause, or unexplained.

    Exit code 0: nothing is unexplained. 1: something is; it should never happen.
    """
    folder = DataFolder(load_settings(config).data)
    clock = SystemClock()
    from_us = 0 if since is None else _parse_since(since, clock.wall_us())
    with Index(folder) as index:
        known = index.cameras()
        if camera is not None and camera not in known:
            raise ConfigError(f"nothing is known of a camera {camera!r}", remedy=f"known: {', '.join(known[:20]) or 'none'}")
        names = known if camera is None else (camera,)
        # While recorders run the index is a moment behind them; what it does not know yet is no gap.
        until_us = None if is_written(folder) else clock.wall_us()
        accounts = [account for name in names if (account := index.account(name, until_us, from_us=from_us)) is not None]
        gaps = {account.camera: index.gaps(account.camera, from_us, limit=MOST_LISTED + 1) for account in accounts}
    if as_json:
        typer.echo(json.dumps([_to_json(account, gaps[account.camera]) for account in accounts], indent=2))
    else:
        _print(accounts, gaps, is_detailed=camera is not None or len(accounts) == 1)
    if any(account.unexplained_us for account in accounts):
        raise typer.Exit(1)


def _parse_since(text: str, now_us: int) -> int:
    ago = _AGO.fullmatch(text.strip())
    if ago is not None:
        return now_us - round(float(ago[1]) * _SECONDS[ago[2]] * US_PER_S)
    try:
        return parse_utc(text)
    except ValueError as error:
        raise ConfigError(f"--since {text!r} is not a time", remedy="write it as 2026-11-23T10:00:00 (UTC), or as 24h") from error


def _to_json(account: Account, gaps: tuple[Interval, ...]) -> dict[str, Any]:
    return dataclasses.asdict(account) | {
        "gaps": [
            {"from": format_utc(gap.start_us), "to": format_utc(gap.end_us) if gap.end_us is not None else None, "cause": gap.cause,
             "detail": gap.detail}
            for gap in gaps[:MOST_LISTED]
        ]
    }  # fmt: skip


def _print(accounts: list[Account], gaps: dict[str, tuple[Interval, ...]], *, is_detailed: bool) -> None:
    console = Console(highlight=False)
    table = Table("camera", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("span", "recorded", "masked", "covered", "gaps", "unexplained"):
        table.add_column(heading, justify="right", no_wrap=True)
    for account in accounts:
        span_us = account.until_us - account.first_us
        unexplained = f"{account.unexplained_us / US_PER_S:.3f} s"
        table.add_row(
            escape(account.camera),
            _duration(span_us),
            _share(account.recorded_us, span_us),
            _share(account.masked_us, span_us),
            _share(account.covered_us, span_us),
            _duration(account.gap_us),
            f"[bold red]{unexplained}[/]" if account.unexplained_us else unexplained,
        )
    console.print(table if accounts else "nothing was recorded yet")
    if is_detailed:
        for account in accounts:
            _print_gaps(console, gaps[account.camera])
    elif accounts:
        unexplained_us = sum(account.unexplained_us for account in accounts)
        console.print(f"{len(accounts)} cameras, gaps by cause: {_causes(accounts)}; unexplained {unexplained_us / US_PER_S:.3f} s")


def _causes(accounts: list[Account]) -> str:
    totals: Counter[str] = Counter()
    for account in accounts:
        totals.update(dict(account.gap_us_by_cause))
    return ", ".join(f"{cause} {_duration(us)}" for cause, us in sorted(totals.items()) if us) or "none"


def _print_gaps(console: Console, gaps: tuple[Interval, ...]) -> None:
    for gap in gaps[:MOST_LISTED]:
        end = "now" if gap.end_us is None else format_utc(gap.end_us)
        length = "" if gap.end_us is None else f" ({_duration(gap.end_us - gap.start_us)})"
        detail = f": {gap.detail}" if gap.detail else ""
        console.print(escape(f"{format_utc(gap.start_us)} to {end}{length} {gap.cause}{detail}"), soft_wrap=True)
    if len(gaps) > MOST_LISTED:
        console.print("… and more: see --json, or ask for less with --since")


def _duration(us: int) -> str:
    seconds = us / US_PER_S
    if seconds < 60:
        return f"{seconds:.1f} s"
    if seconds < 7200:
        return f"{seconds / 60:.1f} min"
    return f"{seconds / 3600:.1f} h"


def _share(us: int, span_us: int) -> str:
    return f"{100 * us / span_us:.2f}%" if span_us else "-"
