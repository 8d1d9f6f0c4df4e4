"""`lamppost camera uptime`: how much of the time that cameras were to be recorded they were."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated

import typer
from rich.box import SIMPLE_HEAD
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import SystemClock, format_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.tables import table_console
from lamppost.cli.times import parse_moment
from lamppost.model.layout import DataFolder
from lamppost.model.schedule import find_zone
from lamppost.pipeline.configuration import load_settings
from lamppost.pipeline.uptime_report import By, ReportLine, report_csv, report_lines
from lamppost.store.uptime import UptimeReader


@one_line_errors
def camera_uptime(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    from_: Annotated[
        str, typer.Option("--from", help="From there on: 2026-11-01, 2026-11-01T10:00 (on the site's clock), or 24h, 30d ago.")
    ] = "30d",
    to: Annotated[str | None, typer.Option("--to", help="Up to there, which is outside: likewise. Now otherwise.")] = None,
    by: Annotated[By, typer.Option("--by", help="A line for each site, or for each camera.")] = By.SITE,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV, for spreadsheets.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Report how much of the time that cameras were to be recorded they were, how often they failed, and why.

    What the schedule leaves out, and what Lamppost left out on purpose, counts for nothing. What is unknown is empty.
    """
    if as_csv and as_json:
        raise ConfigError("--csv and --json are both given", remedy="give one of them")
    settings = load_settings(config)
    now_us, zone = SystemClock().wall_us(), find_zone(settings.timezone)
    from_us = parse_moment(from_, zone, now_us, "--from")
    to_us = now_us if to is None else min(now_us, parse_moment(to, zone, now_us, "--to"))
    if from_us >= to_us:
        raise ConfigError("--from is not before --to, or not in the past", remedy="look at both")
    with UptimeReader(DataFolder(settings.data)) as reader:
        uptimes = reader.read([camera.name for camera in settings.camera], from_us, to_us)
    lines = report_lines(settings, settings.camera, uptimes, by)
    if as_csv:
        typer.echo(report_csv(lines), nl=False)
    elif as_json:
        told = {"from": format_utc(from_us), "to": format_utc(to_us), "by": by.value, "items": [line.to_json() for line in lines]}
        typer.echo(json.dumps(told, indent=2))
    else:
        _print(lines, from_us, to_us)


def _print(lines: tuple[ReportLine, ...], from_us: int, to_us: int) -> None:
    console = table_console()
    table = Table("site", box=SIMPLE_HEAD, pad_edge=False)
    for heading in ("camera", "uptime", "recorded", "outages", "longest", "causes"):
        table.add_column(heading, justify="left" if heading in ("camera", "causes") else "right", no_wrap=heading != "causes")
    for line in lines:
        told = line.to_json()
        causes = ", ".join(f"{cause} {_hours(seconds)}" for cause, seconds in told["by_cause"].items())
        table.add_row(
            escape(line.site or "-"),
            escape(line.camera or str(line.uptime.cameras)),
            "?" if told["uptime"] is None else f"{100 * told['uptime']:.3f}%",
            f"{_hours(told['recorded_s'])} of {_hours(told['scheduled_s'])}",
            "?" if told["outages"] is None else str(told["outages"]),
            _hours(told["longest_outage_s"]),
            escape(causes),
        )
    console.print(f"{format_utc(from_us)} to {format_utc(to_us)}", markup=False)
    console.print(table if lines else "there are no cameras")


def _hours(seconds: float | None) -> str:
    if seconds is None:
        return "?"
    if seconds < 120:
        return f"{seconds:.1f} s"
    return f"{seconds / 60:.1f} min" if seconds < 7200 else f"{seconds / 3600:.1f} h"
