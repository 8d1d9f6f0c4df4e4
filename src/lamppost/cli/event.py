"""`lamppost event list`: what happened in front of cameras, to them, and to the node."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from lamppost.base.clock import US_PER_S, SystemClock
from lamppost.base.errors import ConfigError
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.count_files import local_time
from lamppost.cli.errors import one_line_errors
from lamppost.cli.times import parse_moment
from lamppost.model.event_document import KNOWN_TYPES, EventDocument, document_of
from lamppost.model.happening import Phase
from lamppost.model.layout import DataFolder
from lamppost.model.schedule import find_zone
from lamppost.pipeline.configuration import load_settings
from lamppost.store.index import EventRow, Index

_MOST: Final = 100_000
_STYLES: Final = {"info": "", "warning": "yellow", "alarm": "bold red"}


@one_line_errors
def event_list(
    since: Annotated[
        str, typer.Option("--since", help="From there on: 2026-11-23, 2026-11-23T10:00 (on the site's clock), or 24h, 7d ago.")
    ] = "24h",
    camera: Annotated[str | None, typer.Option("--camera", help="Of this camera alone.")] = None,
    kind: Annotated[list[str] | None, typer.Option("--kind", help="Of this type alone, such as line_crossed; may be given again.")] = None,
    limit: Annotated[int, typer.Option("--limit", min=1, max=_MOST, help="So many, the latest ones.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="Print JSON, for scripts.")] = False,
    config: Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")] = DEFAULT_CONFIG,
) -> None:
    """List events, the latest last. One that lasts from before --since is among them.

    Times are on the site's clock; in JSON they are UTC.
    """
    settings = load_settings(config)
    zone = find_zone(settings.timezone)
    now_us = SystemClock().wall_us()
    from_us = parse_moment(since, zone, now_us, "--since")
    with Index(DataFolder(settings.data)) as index:
        if camera is not None and camera not in (known := index.cameras()):
            raise ConfigError(f"nothing is known of a camera {camera!r}", remedy=f"known: {', '.join(known[:20]) or 'none'}")
        newest = index.events(from_us, camera=camera, kinds=tuple(kind or ()), is_newest_first=True, limit=limit + 1)
    rows, is_cut = newest[:limit][::-1], len(newest) > limit
    # A type that a later version wrote is listed; one that nobody ever wrote is likely a slip.
    unknown = [name for name in kind or () if name not in KNOWN_TYPES]
    if not rows and unknown:
        raise ConfigError(f"there are no events of a type {unknown[0]!r}", remedy=f"there are: {', '.join(KNOWN_TYPES)}")
    if as_json:
        typer.echo(json.dumps([_to_json(row) for row in rows], indent=2))
        return
    console = Console(highlight=False)
    if not rows:
        console.print("no event")
        return
    table = Table("began", "lasted", "severity", "type", "camera", "place", "what", box=SIMPLE_HEAD, pad_edge=False)
    for row in rows:
        document = _document(row)
        lasted = "[bold]still[/]" if row.end_us is None else f"{(row.end_us - row.start_us) / US_PER_S:.1f} s"
        severity = f"[{style}]{row.severity.value}[/]" if (style := _STYLES[row.severity.value]) else row.severity.value
        words = (row.kind, row.camera or "-", document.place or "-", _told(document))
        table.add_row(f"{local_time(row.start_us, zone):%Y-%m-%d %H:%M:%S %z}", lasted, severity, *map(escape, words))
    console.print(table)
    if is_cut:
        console.print(f"… and more before: these are the latest {limit}, see --limit")


def _document(row: EventRow) -> EventDocument:
    """What others are told of the event: the same document, so that nothing else gets out here either."""
    return document_of(
        event_id=row.event_id,
        sequence=0,
        phase=Phase.START if row.end_us is None else Phase.END,
        kind=row.kind,
        severity=row.severity,
        camera=row.camera,
        start_us=row.start_us,
        end_us=row.end_us,
        detail=row.detail,
    )


def _to_json(row: EventRow) -> dict[str, Any]:
    content: dict[str, Any] = json.loads(_document(row).model_dump_json())
    # These belong to one message, and not to what is stored of the event.
    return {name: value for name, value in content.items() if name not in ("schema", "sequence", "phase", "updated", "site", "snapshot")}


def _told(document: EventDocument) -> str:
    unit = {"per_m2": "/m²"}.get(document.unit or "", document.unit or "")
    value = None if document.value is None else f"{document.value:g} {unit}".strip()
    words = [
        f"{document.count} x {document.kind.value}" if document.count is not None and document.kind else None,
        str(document.count) if document.count is not None and document.kind is None else None,
        "/".join(way.value for way in document.ways) or None,
        value and (f"{value} (limit {document.limit:g})" if document.limit is not None else value),
        document.note or None,
    ]
    return ", ".join(filter(None, words))
