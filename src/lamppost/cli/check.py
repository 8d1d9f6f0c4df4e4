"""`lamppost check`: whether index, journals, files and vault agree, and every moment is accounted for."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape

from lamppost.base.clock import US_PER_S
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.errors import one_line_errors
from lamppost.cli.progress import format_bytes
from lamppost.model.layout import DataFolder
from lamppost.pipeline.checking import check_folder
from lamppost.pipeline.configuration import load_settings
from lamppost.store.account import Account
from lamppost.store.check_report import CheckReport, Severity

COLOURS = {Severity.ERROR: "bold red", Severity.WARNING: "bold yellow", Severity.NOTE: "dim"}


@one_line_errors
def check(
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
    data: Annotated[Path | None, typer.Option("--data", help="The data folder, where there is no configuration.")] = None,
    repair: Annotated[bool, typer.Option("--repair", help="Mend first what can be mended; only while nothing records.")] = False,
    quick: Annotated[bool, typer.Option("--quick", help="Compare sizes only; do not read every byte.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
) -> None:
    """Prove that index, journals, files and vault agree.

    Exit code 0: they do, and every moment is recorded or a declared gap. 1:
    something is wrong, and is named. No key is needed, and nothing is opened.
    """
    folder = DataFolder(data.resolve() if data is not None else load_settings(config).data)
    if not (folder.keys / "recorder.pub").is_file():
        raise ConfigError(f"{folder.root} is not a data folder", remedy="name it with --data, or create one with `lamppost init`")
    report = check_folder(folder, repair=repair, deep=not quick)
    if as_json:
        typer.echo(json.dumps(_to_json(report), indent=2))
    else:
        _print(report)
    if not report.is_clean:
        raise typer.Exit(1)


def _to_json(report: CheckReport) -> dict[str, Any]:
    return dataclasses.asdict(report) | {"is_clean": report.is_clean}


def _print(report: CheckReport) -> None:
    console = Console(highlight=False, soft_wrap=True)
    for done in report.repaired:
        console.print(f"repaired: {escape(done)}")
    for finding in report.findings:
        remedy = f" — {finding.remedy}" if finding.remedy else ""
        console.print(f"[{COLOURS[finding.severity]}]{finding.severity.value}:[/] {escape(f'{finding.where}: {finding.what}{remedy}')}")
    if report.findings_left_out:
        console.print(f"… and {report.findings_left_out} more")
    for account in report.accounts:
        _print_account(console, account)
    counts = report.counts
    console.print(
        f"looked at {counts.segments} segments, {counts.fragments} fragments ({format_bytes(counts.hashed_bytes)} hashed), "
        f"{counts.epochs} epochs, {counts.shares} shares, {counts.destroyed_epochs} destroyed epochs, "
        f"{counts.gaps} gaps, {counts.covers} covers, {counts.acts} acts"
    )
    if report.is_live:
        console.print("Lamppost is running: what it has open was not judged.")
    console.print("[bold green]all agrees[/]" if report.is_clean else "[bold red]not all is well[/]")


def _print_account(console: Console, account: Account) -> None:
    causes = ", ".join(f"{cause} {us / US_PER_S:.1f} s" for cause, us in account.gap_us_by_cause) or "none"
    maskable_us = account.recorded_us - account.masked_forgotten_us
    share = 100 * account.masked_us / maskable_us if maskable_us else 0.0
    past = "".join(f", {what} {us / US_PER_S:.1f} s" for what, us in (("forgotten", account.forgotten_us), ("held", account.held_us)) if us)
    console.print(
        f"[bold]{account.camera}[/]: recorded {account.recorded_us / US_PER_S:.1f} s, masked {share:.1f}% of it, "
        f"covered {account.covered_us / US_PER_S:.1f} s{_reductions(account)}{past}; gaps: {causes}; "
        f"unexplained {account.unexplained_us / US_PER_S:.3f} s"
    )


def _reductions(account: Account) -> str:
    """What overload took of the masked video; nothing where it took nothing."""
    steps = [f"{step} {us / US_PER_S:.1f} s" for step, us in account.reduced_us_by_step if us]
    return f", reduced by overload: {', '.join(steps)}" if steps else ""
