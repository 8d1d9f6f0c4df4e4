"""Makes `docs/images/counts.png`: two days of a simulated street, counted, with an hour of which nothing was seen.

`python docs/make_counts_image.py` draws it anew; the numbers come from a fixed seed.
"""

from __future__ import annotations

import math
import random
import tempfile
from collections.abc import Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from lamppost.base.clock import US_PER_S, SystemClock
from lamppost.cli.count_plot import draw
from lamppost.cli.times import parse_moment
from lamppost.model.books import MinuteCounted
from lamppost.model.happening import Measure, Tally
from lamppost.model.layout import DataFolder
from lamppost.model.rules import CountedKind
from lamppost.model.tallies import tally_to_json
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.counting import Bucket, CountReader, Wanted
from lamppost.store.journal import JournalWriter

IMAGE = Path(__file__).parent / "images" / "counts.png"
ZONE = ZoneInfo("Europe/Berlin")
SINCE_US = parse_moment("2026-11-23", ZONE, 0, "since")
UNTIL_US = parse_moment("2026-11-25", ZONE, 0, "until")
MINUTE_US = 60 * US_PER_S
# Most in an hour of each kind, forward and backward, and when it peaks.
FLOWS = {
    CountedKind.PERSON: ((140, 17.5), (120, 8.5)),
    CountedKind.BICYCLE: ((60, 17.0), (75, 8.0)),
    CountedKind.VEHICLE: ((90, 16.5), (80, 7.5)),
}


def minutes(seed: int = 7) -> Iterator[MinuteCounted]:
    """Minutes of a line and a zone; the camera is away on the first day from 13:00 to 15:00, and often in the hour after."""
    random_of = random.Random(seed)  # noqa: S311 — a picture, and no secret
    for number, minute_us in enumerate(range(SINCE_US, UNTIL_US, MINUTE_US)):
        hour = (minute_us - SINCE_US) / (3600 * US_PER_S)
        if 13 <= hour < 15 or (15 <= hour < 16 and number % 3):
            continue
        tallies = [
            Tally(measure, kind, count)
            for kind, ways in FLOWS.items()
            for measure, (most, peak) in zip((Measure.FORWARD, Measure.BACKWARD), ways, strict=True)
            if (count := _poisson(random_of, most / 60 * _busy(hour, peak)))
        ]
        yield _record(f"line-{number}", "line", "north-gate", minute_us, tallies)
        yield _record(f"zone-{number}", "zone", "bus-stop", minute_us, _zone(random_of, hour))


def _zone(random_of: random.Random, hour: float) -> list[Tally]:
    came = _poisson(random_of, 1.4 * (_busy(hour, 8.0) + _busy(hour, 17.2)))
    if not came:
        return []
    stays_s = [random_of.lognormvariate(math.log(170), 0.6) for _ in range(came)]
    present, person = min(28.0, sum(stays_s) / 60), CountedKind.PERSON
    return [
        Tally(Measure.ENTRIES, person, came),
        Tally(Measure.EXITS, person, came),
        Tally(Measure.OCCUPANCY, None, 60, present * 60, math.ceil(present) + random_of.randrange(3)),
        Tally(Measure.DWELL, person, came, sum(stays_s), max(stays_s)),
    ]


def _busy(hour: float, peak: float) -> float:
    """From 0 to 1 over a day, most at `peak`, some of it through the day."""
    away = (hour - peak + 12) % 24 - 12
    return 0.65 * math.exp(-(away**2) / 5) + 0.35 * max(0.0, math.sin(math.pi * (hour % 24 - 5) / 18)) + 0.01


def _poisson(random_of: random.Random, mean: float) -> int:
    count, left = 0, math.exp(-mean)
    share = random_of.random()
    while share > left and count < 1000:
        share *= random_of.random()
        count += 1
    return count


def _record(minute_id: str, place_kind: str, place: str, minute_us: int, tallies: list[Tally]) -> MinuteCounted:
    return MinuteCounted(minute_id, "plaza", place_kind, place, minute_us, 60_000, tuple(tally_to_json(tally) for tally in tallies))


def main() -> None:
    """Write the picture."""
    clock = SystemClock()
    with tempfile.TemporaryDirectory() as root:
        folder = DataFolder(Path(root))
        with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
            for record in minutes():
                journal.append(record)
        with Bookkeeper(folder, clock) as bookkeeper:
            bookkeeper.apply_new()
        with CountReader(folder) as reader, IMAGE.open("wb") as stream:
            wanted = Wanted(SINCE_US, UNTIL_US, Bucket.HOUR, ZONE)
            draw(reader.read(wanted), wanted, stream, picture_format="png", site="Old Town, simulated")


if __name__ == "__main__":
    main()
