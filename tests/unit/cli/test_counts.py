"""`lamppost counts` and `lamppost event list` tell what was counted and what happened; what is unknown stays empty."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pyarrow.parquet
import pytest
from typer.testing import Result

from lamppost.base.clock import US_PER_S, ManualClock, parse_utc
from lamppost.base.errors import ConfigError
from lamppost.cli.count_plot import draw
from lamppost.cli.times import parse_moment
from lamppost.model.books import EventEnded, EventOpened, JournalRecord, MinuteCounted, Severity
from lamppost.model.happening import Measure, PlaceKind, Tally
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.counting import Bucket, Count, Place, Wanted
from lamppost.store.journal import JournalWriter

Lamppost = Callable[..., Result]
BERLIN = ZoneInfo("Europe/Berlin")
START_US = parse_utc("2026-10-24T23:00")  # one o'clock in Berlin; two hours later it is two for the second time
MINUTE_US = 60 * US_PER_S
PERSON = CountedKind.PERSON
SPAN = ("--since", "2026-10-25T01:00+02:00", "--until", "2026-10-25T03:00+01:00")


def write(site: Path, *records: JournalRecord) -> None:
    folder, clock = DataFolder(site / "lamppost-data"), ManualClock(START_US)
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        for record in records:
            journal.append(record)
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()


def minute(number: int, kind: str, place: str, *tallies: Tally) -> MinuteCounted:
    start_us = START_US + number * MINUTE_US
    return MinuteCounted(f"{place}-{number}", "plaza", kind, place, start_us, 60_000, tuple(map(tally_to_json, tallies)))


@pytest.fixture
def site(lamppost: Lamppost, here: Path) -> Path:
    """A site in Berlin on the night that has an hour twice: seen from one to two, and in the second hour from two to three."""
    lamppost("init", "--camera", "plaza=sim://plaza")
    config = here / "lamppost.toml"
    config.write_text(config.read_text().replace('# timezone = "UTC"', 'timezone = "Europe/Berlin"'))
    write(
        here,
        minute(0, "line", "gate", Tally(Measure.FORWARD, PERSON, 2)),
        minute(1, "line", "gate", Tally(Measure.FORWARD, PERSON, 3)),
        minute(120, "line", "gate", Tally(Measure.FORWARD, PERSON, 7)),
        minute(0, "zone", "stop", Tally(Measure.OCCUPANCY, None, 60, 90.0, 4.0), Tally(Measure.DWELL, PERSON, 2, 25.0, 20.0)),
        minute(1, "zone", "stop"),
    )
    return here


def table(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(text)))


def test_the_table_tells_hours_of_the_zone_and_leaves_out_what_is_unknown(lamppost: Lamppost, site: Path) -> None:
    result = lamppost("counts", "export", *SPAN, "--measure", "forward")
    assert result.exit_code == 0, result.output
    assert result.output.splitlines() == [
        "start,end,camera,place_kind,place,measure,kind,unit,count,mean,most,observed_s,span_s",
        "2026-10-25T01:00:00+02:00,2026-10-25T02:00:00+02:00,plaza,line,gate,forward,person,,5,,,120,3600",
        "2026-10-25T02:00:00+02:00,2026-10-25T02:00:00+01:00,plaza,line,gate,forward,person,,,,,0,3600",
        "2026-10-25T02:00:00+01:00,2026-10-25T03:00:00+01:00,plaza,line,gate,forward,person,,7,,,60,3600",
    ]


def test_means_are_told_with_their_unit(lamppost: Lamppost, site: Path) -> None:
    rows = table(lamppost("counts", "export", *SPAN, "--by", "day", "--place", "stop").output)
    told = {(row["measure"], row["kind"]): tuple(row[name] for name in ("unit", "count", "mean", "most", "span_s")) for row in rows}
    assert told[("occupancy", "")] == ("things", "120", "0.75", "4", "90000")
    assert told[("dwell", "person")] == ("s", "2", "12.5", "20", "90000")
    assert told[("entries", "")] == ("", "0", "", "", "90000")


def test_parquet_holds_the_same_with_types(lamppost: Lamppost, site: Path) -> None:
    assert lamppost("counts", "export", *SPAN, "-o", "counts.parquet").exit_code == 0
    assert lamppost("counts", "export", *SPAN, "-o", "counts.csv").exit_code == 0
    rows: list[dict[str, Any]] = pyarrow.parquet.read_table("counts.parquet").to_pylist()
    expected = table((site / "counts.csv").read_text())
    assert [*rows[0]] == [*expected[0]]
    for row, line in zip(rows, expected, strict=True):
        assert row["start"].isoformat() == line["start"]
        for name in ("camera", "measure", "kind", "unit"):
            assert (row[name] or "") == line[name]
        for name in ("count", "mean", "most", "observed_s"):
            assert row[name] == (float(line[name]) if line[name] else None)
    assert {path.name for path in site.iterdir()} >= {"counts.parquet", "counts.csv"}
    assert not [path for path in site.iterdir() if path.name.startswith(".counts")]


def test_a_file_that_exists_stays_unless_told(lamppost: Lamppost, site: Path) -> None:
    (site / "out.csv").write_text("mine")
    assert lamppost("counts", "export", "-o", "out.csv").exit_code == 2
    assert (site / "out.csv").read_text() == "mine"
    assert lamppost("counts", "export", *SPAN, "-o", "out.csv", "--camera", "nobody", "--overwrite").exit_code == 2
    assert (site / "out.csv").read_text() == "mine"
    assert lamppost("counts", "export", *SPAN, "-o", "out.csv", "--overwrite").exit_code == 0
    assert (site / "out.csv").read_text().startswith("start,")


@pytest.mark.parametrize("name", ["counts.png", "counts.svg"])
def test_a_picture_is_drawn_and_names_what_is_unknown(lamppost: Lamppost, site: Path, name: str) -> None:
    result = lamppost("counts", "plot", *SPAN, "-o", name)
    assert result.exit_code == 0, result.output
    content = (site / name).read_bytes()
    assert content.startswith(b"\x89PNG" if name.endswith("png") else b"<?xml")
    assert lamppost("counts", "plot", *SPAN, "-o", name, "--overwrite").exit_code == 0
    assert (site / name).read_bytes() == content, "the same counts are the same file"
    if name.endswith("svg"):
        words = content.decode()
        for told in ("unknown: nothing was seen", "plaza, line gate: crossings", "clock of Europe/Berlin", "backward"):
            assert told in words, told


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("export", "--since", "2026-10-25T02:30"), "comes twice"),
        (("export", "--since", "2026-03-29T02:30"), "does not exist"),
        (("export", "--since", "yesterday"), "is not a time"),
        (("export", "--until", "9999-12-31"), "of no year"),
        (("export", "--since", "2026-10-25", "--until", "2026-10-24"), "ends before it begins"),
        (("export", "--timezone", "Europe/Nowhere"), "Europe/Nowhere"),
        (("export", *SPAN, "--place", "door"), "gate"),
        (("export", "--format", "parquet"), "-o"),
        (("export", "-o", "nowhere/counts.csv"), "does not exist"),
        (("plot", "-o", "counts.pdf"), ".svg"),
        (("plot", *SPAN, "-o", "counts.png", "--kind", "bicycle"), "nothing to draw"),
    ],
)
def test_what_cannot_be_told_is_one_line(lamppost: Lamppost, site: Path, arguments: tuple[str, ...], words: str) -> None:
    before = set(site.iterdir())
    result = lamppost("counts", *arguments)
    assert result.exit_code == 2, result.output
    assert words in result.output
    assert len(result.output.splitlines()) == 1
    assert set(site.iterdir()) == before


def test_times_are_those_of_the_zone_or_so_long_ago() -> None:
    now_us = parse_utc("2026-11-23T12:00")
    assert parse_moment("2026-11-23T10:00", BERLIN, now_us, "--since") == parse_utc("2026-11-23T09:00")
    assert parse_moment("2026-11-23T10:00Z", BERLIN, now_us, "--since") == parse_utc("2026-11-23T10:00")
    assert parse_moment("1.5h", BERLIN, now_us, "--since") == parse_utc("2026-11-23T10:30")
    # Midnight does not exist on that day in Cairo: a date is the first moment of its day all the same.
    assert parse_moment("2026-04-24", ZoneInfo("Africa/Cairo"), now_us, "--since") == parse_utc("2026-04-23T22:00")
    with pytest.raises(ConfigError, match=r"2026-10-25T02:30:00\+02:00 or 2026-10-25T02:30:00\+01:00"):
        parse_moment("2026-10-25T02:30", BERLIN, now_us, "--since")


def test_too_many_panels_are_refused() -> None:
    counts = [
        Count(Place("plaza", PlaceKind.LINE, f"line-{number}"), 0, MINUTE_US, 60.0, Measure.FORWARD, None, Tally(Measure.FORWARD, None, 1))
        for number in range(25)
    ]
    with pytest.raises(ConfigError, match="24 panels"):
        draw(counts, Wanted(0, MINUTE_US, Bucket.MINUTE, BERLIN), io.BytesIO(), picture_format="png")


def events(site: Path) -> None:
    detail = json.dumps({"rule": "no-entry", "place": "yard", "count": 2, "kind": "person", "track": 17})
    lost = json.dumps({"problem": "no route to rtsp://admin:secret@camera/"})
    write(
        site,
        EventOpened("e1", "zone_entered", Severity.WARNING, "plaza", START_US, detail),
        EventEnded("e1", START_US + 90 * US_PER_S, detail),
        EventOpened("e2", "camera_lost", Severity.ALARM, "park", START_US + 200 * US_PER_S, lost),
    )


def test_events_are_listed_and_tell_nothing_but_what_is_published(lamppost: Lamppost, site: Path) -> None:
    events(site)
    result = lamppost("event", "list", "--since", "2026-10-25", "--json")
    assert result.exit_code == 0, result.output
    first, last = json.loads(result.output)
    assert (first["id"], first["type"], first["place"], first["count"], first["kind"]) == ("e1", "zone_entered", "yard", 2, "person")
    assert (first["started"], first["ended"]) == ("2026-10-24T23:00:00.000Z", "2026-10-24T23:01:30.000Z")
    assert "track" not in first
    assert (last["camera"], last["severity"], last["ended"]) == ("park", "alarm", None)
    text = lamppost("event", "list", "--since", "2026-10-25").output
    for words in ("2026-10-25 01:00:00 +0200", "90.0 s", "still", "2 x person", "no route"):
        assert words in text
    assert "secret" not in result.output + text


def test_events_are_chosen_by_camera_type_and_number(lamppost: Lamppost, site: Path) -> None:
    events(site)

    def ids(*arguments: str) -> list[str]:
        return [event["id"] for event in json.loads(lamppost("event", "list", "--since", "2026-10-25", "--json", *arguments).output)]

    assert ids("--camera", "plaza") == ["e1"]
    assert ids("--kind", "camera_lost") == ["e2"]
    assert ids("--limit", "1") == ["e2"]
    assert "latest 1" in lamppost("event", "list", "--since", "2026-10-25", "--limit", "1").output
    assert lamppost("event", "list", "--camera", "nowhere").exit_code == 2
    assert "there are: line_crossed" in lamppost("event", "list", "--kind", "line_cross").output
    assert lamppost("event", "list", "--since", "2026-11-01", "--camera", "plaza").output == "no event\n"
