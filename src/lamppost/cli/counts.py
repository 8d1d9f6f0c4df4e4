"""`lamppost counts export` and `plot`: what was counted, as a table and as a picture. What was not seen stays unknown."""

from __future__ import annotations

import contextlib
import os
import sys
from collections.abc import Generator
from enum import StrEnum
from pathlib import Path
from typing import Annotated, BinaryIO, Final, TextIO, cast
from zoneinfo import ZoneInfo

import typer

from lamppost.base.clock import SystemClock
from lamppost.base.errors import ConfigError
from lamppost.base.ids import timed_id
from lamppost.cli.configuration import DEFAULT_CONFIG
from lamppost.cli.count_files import write_csv, write_parquet
from lamppost.cli.count_plot import draw
from lamppost.cli.errors import one_line_errors
from lamppost.cli.targets import check_target
from lamppost.cli.times import parse_moment
from lamppost.model.happening import Measure
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.model.schedule import find_zone
from lamppost.model.settings import Settings
from lamppost.pipeline.configuration import load_settings
from lamppost.store.counting import Bucket, CountReader, Wanted, first_of_day

_PICTURES: Final = (".png", ".svg")


class TableFormat(StrEnum):
    """How a table of counts is written."""

    CSV = "csv"
    PARQUET = "parquet"


class Counted(StrEnum):
    """What stands in a table: all measures but a heat map, which is a grid."""

    FORWARD = "forward"
    BACKWARD = "backward"
    ENTRIES = "entries"
    EXITS = "exits"
    OCCUPANCY = "occupancy"
    DENSITY = "density"
    QUEUE = "queue"
    DWELL = "dwell"
    SPEED = "speed"


SinceOption = Annotated[
    str | None,
    typer.Option("--since", help="From there on: 2026-11-23, 2026-11-23T10:00 (on the zone's clock), or 24h ago. Yesterday otherwise."),
]
UntilOption = Annotated[str | None, typer.Option("--until", help="Up to there, which is outside: likewise. Now otherwise.")]
ByOption = Annotated[Bucket, typer.Option("--by", help="What is put together: minutes, quarters of an hour, hours, or days of the zone.")]
CameraOption = Annotated[list[str] | None, typer.Option("--camera", help="This camera alone; may be given again.")]
PlaceOption = Annotated[list[str] | None, typer.Option("--place", help="This line or zone alone; may be given again.")]
MeasureOption = Annotated[list[Counted] | None, typer.Option("--measure", help="This measure alone; may be given again.")]
KindOption = Annotated[
    list[CountedKind] | None, typer.Option("--kind", help="This kind alone, without what is of all together; may be given again.")
]
ZoneOption = Annotated[str | None, typer.Option("--timezone", help="Whose hours and days, such as Europe/Berlin. The site's otherwise.")]
ConfigOption = Annotated[Path, typer.Option("--config", "-c", help="The configuration file; it names the data folder.")]
OverwriteOption = Annotated[bool, typer.Option("--overwrite", help="Replace a file that exists.")]


@one_line_errors
def counts_export(
    output: Annotated[Path | None, typer.Option("--output", "-o", help="The file to write; CSV goes to standard output without.")] = None,
    since: SinceOption = None,
    until: UntilOption = None,
    by: ByOption = Bucket.HOUR,
    camera: CameraOption = None,
    place: PlaceOption = None,
    measure: MeasureOption = None,
    kind: KindOption = None,
    table_format: Annotated[TableFormat | None, typer.Option("--format", help="By the file's name otherwise, or else CSV.")] = None,
    timezone: ZoneOption = None,
    is_overwriting: OverwriteOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Write counts as a table: a row for each place, measure, kind and bucket of time.

    What was not seen has no count, and `observed_s` says how much of each bucket was.
    """
    is_parquet = table_format is TableFormat.PARQUET or (
        table_format is None and output is not None and output.suffix.lower() == ".parquet"
    )
    if is_parquet and output is None:
        raise ConfigError("Parquet does not go to standard output", remedy="name a file with -o")
    check_target(output, is_overwriting=is_overwriting)
    settings = load_settings(config)
    wanted = _wanted(settings, since, until, by, timezone, (camera, place, measure, kind))
    with CountReader(DataFolder(settings.data)) as reader:
        counts = reader.read(wanted)
        if output is None:
            write_csv(counts, wanted.zone, sys.stdout)
            return
        with _whole_file(output) as stream:
            if is_parquet:
                write_parquet(counts, wanted.zone, stream)
            else:
                text = cast("TextIO", os.fdopen(os.dup(stream.fileno()), "w", encoding="utf-8", newline=""))
                with text:
                    write_csv(counts, wanted.zone, text)


@one_line_errors
def counts_plot(
    output: Annotated[Path, typer.Option("--output", "-o", help="The picture to write: a .png or an .svg.")],
    since: SinceOption = None,
    until: UntilOption = None,
    by: ByOption = Bucket.HOUR,
    camera: CameraOption = None,
    place: PlaceOption = None,
    measure: MeasureOption = None,
    kind: KindOption = None,
    timezone: ZoneOption = None,
    is_overwriting: OverwriteOption = False,
    config: ConfigOption = DEFAULT_CONFIG,
) -> None:
    """Draw counts over time: a panel for each place and what is measured there.

    What was not seen is hatched, and is not zero.
    """
    if output.suffix.lower() not in _PICTURES:
        raise ConfigError(f"{output} is no picture that is written", remedy="call it something.png or something.svg")
    check_target(output, is_overwriting=is_overwriting)
    settings = load_settings(config)
    wanted = _wanted(settings, since, until, by, timezone, (camera, place, measure, kind))
    with CountReader(DataFolder(settings.data)) as reader, _whole_file(output) as stream:
        draw(reader.read(wanted), wanted, stream, picture_format=output.suffix.lower()[1:], site=settings.site)


_Chosen = tuple[list[str] | None, list[str] | None, list[Counted] | None, list[CountedKind] | None]


def _wanted(settings: Settings, since: str | None, until: str | None, by: Bucket, timezone: str | None, chosen: _Chosen) -> Wanted:
    zone: ZoneInfo = find_zone(timezone if timezone is not None else settings.timezone)
    now_us = SystemClock().wall_us()
    cameras, places, measures, kinds = chosen
    return Wanted(
        since_us=first_of_day(now_us, zone, days=-1) if since is None else parse_moment(since, zone, now_us, "--since"),
        until_us=now_us if until is None else parse_moment(until, zone, now_us, "--until"),
        by=by,
        zone=zone,
        cameras=tuple(cameras or ()),
        places=tuple(places or ()),
        measures=tuple(Measure(measure.value) for measure in measures or ()),
        kinds=tuple(kinds or ()),
    )


@contextlib.contextmanager
def _whole_file(path: Path) -> Generator[BinaryIO]:
    """A file beside `path` that takes its name when all is written, and is gone when it is not."""
    if path.exists() and not path.is_file():
        raise ConfigError(f"{path} is no file", remedy="name one")
    part = path.with_name(f".{path.name}.{timed_id(SystemClock().wall_us())}")
    try:
        with part.open("xb") as stream:
            yield stream
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
