"""The sums of SQL are those of whoever looks at every second: gaps that touch, overlap, last, and reach in from before."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Engine, delete, insert

from lamppost.model.layout import DataFolder
from lamppost.store.index_file import make_index
from lamppost.store.schema import CAMERAS, FORGOTTEN, GAPS, SEGMENTS
from lamppost.store.uptime import Uptime, UptimeReader, together

S = 1_000_000
CAUSES = ("camera_unreachable", "starting", "damaged", "not_scheduled", "held", "stopped", "removed")
ON_PURPOSE = {"not_scheduled", "held", "stopped", "removed"}
Gap = tuple[str, int, int | None]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> DataFolder:
    return DataFolder(tmp_path_factory.mktemp("uptime"))


@pytest.fixture(scope="module")
def engine(folder: DataFolder) -> Engine:
    return make_index(folder.index)


@pytest.fixture(scope="module")
def reader(folder: DataFolder, engine: Engine) -> UptimeReader:
    return UptimeReader(folder)


def fill(engine: Engine, books: Mapping[str, tuple[Sequence[Gap], Sequence[tuple[int, int]], Sequence[tuple[int, int]]]]) -> None:
    """By camera: gaps, segments, and what was forgotten; seconds."""
    number = itertools.count()
    with engine.begin() as connection:
        for table in (GAPS, SEGMENTS, FORGOTTEN, CAMERAS):
            connection.execute(delete(table))
        for camera, (gaps, segments, forgotten) in books.items():
            connection.execute(insert(CAMERAS), {"camera": camera})
            for cause, start, end in gaps:
                row = {"gap_id": str(next(number)), "camera": camera, "cause": cause, "start_us": start * S, "detail": "", "opened_in": "-"}
                connection.execute(insert(GAPS), row | {"end_us": None if end is None else end * S})
            for start, end in segments:
                connection.execute(insert(SEGMENTS), segment(f"s{next(number)}", camera, start, end))
            for start, end in forgotten:
                place = {"camera": camera, "rendition": "sealed", "segments": 1, "size_bytes": 1}
                connection.execute(insert(FORGOTTEN), place | {"start_us": start * S, "end_us": end * S})


def segment(name: str, camera: str, start: int, end: int) -> dict[str, object]:
    numbers = dict.fromkeys(("sequence", "header_bytes", "size_bytes", "frames", "fragments"), 1)
    words = {"segment_id": name, "camera": camera, "rendition": "sealed", "state": "closed", "path": name, "run_id": name, "epoch_id": "e"}
    ended = {"end_reason": "rotated", "record_sha256": "0" * 64, "opened_in": "-"}
    return {**numbers, **words, **ended, "start_us": start * S, "end_us": end * S}


def slow(gaps: Sequence[Gap], footage: Sequence[tuple[int, int]], window: tuple[int, int]) -> Uptime:
    """Looks at every second."""
    from_s, to_s = window
    ends = [(start, to_s if end is None else end) for _, start, end in gaps] + list(footage)
    if not ends or min(start for start, _ in ends) >= to_s:
        return Uptime(1, (to_s - from_s) * S)
    first, last = min(start for start, _ in ends), max(end for _, end in ends)
    seconds = range(max(from_s, first), max(max(from_s, first), min(to_s, last)))
    causes: dict[str, int] = {}
    outage = outages = longest = recorded = scheduled = 0
    for second in seconds:
        lying = sorted((start, to_s if end is None else min(end, to_s), cause) for cause, start, end in gaps)
        here = [cause for start, end, cause in lying if start <= second < end]
        recorded += not here
        if here:
            causes[here[0]] = causes.get(here[0], 0) + S
        scheduled += not here or here[0] not in ON_PURPOSE
        is_out = any(cause not in ON_PURPOSE for cause in here)
        outages += is_out and not outage
        outage = outage + 1 if is_out else 0
        longest = max(longest, outage)
    return Uptime(
        1, (to_s - from_s) * S, len(seconds) * S, scheduled * S, recorded * S, outages, longest * S, tuple(sorted(causes.items()))
    )


_spans = st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], pair[0] + pair[1]))
# As a recorder writes them: one after the other.
_footage = st.lists(_spans, max_size=2).map(
    lambda spans: [span for n, span in enumerate(sorted(spans)) if not n or span[0] >= sorted(spans)[0][1]]
)
_gaps = st.lists(
    st.tuples(st.sampled_from(CAUSES), _spans, st.integers(0, 5)).map(lambda each: (each[0], each[1][0], each[1][1] if each[2] else None)),
    max_size=8,
    unique_by=lambda gap: gap[1],
)


@settings(max_examples=150, deadline=None)
@given(st.lists(st.tuples(_gaps, _footage), min_size=1, max_size=3), st.integers(0, 50), st.integers(1, 40), st.booleans())
def test_it_is_what_every_second_says(
    reader: UptimeReader,
    engine: Engine,
    cameras: list[tuple[list[Gap], list[tuple[int, int]]]],
    from_s: int,
    length_s: int,
    is_forgotten: bool,
) -> None:
    books = {f"c{n}": (gaps, [] if is_forgotten else spans, spans[:1] if is_forgotten else []) for n, (gaps, spans) in enumerate(cameras)}
    fill(engine, books)
    found = reader.read([*books, "never-seen"], from_s * S, (from_s + length_s) * S)
    wanted = {name: slow(gaps, [*kept, *gone], (from_s, from_s + length_s)) for name, (gaps, kept, gone) in books.items()}
    assert found == wanted | {"never-seen": Uptime(1, length_s * S)}
    assert all(each.recorded_us <= each.scheduled_us <= each.known_us <= each.asked_us for each in found.values())


def test_what_nobody_wanted_counts_for_nothing_and_what_is_unknown_is_none(reader: UptimeReader, engine: Engine) -> None:
    off: list[Gap] = [("not_scheduled", 0, 50), ("camera_unreachable", 60, 65), ("camera_refused", 65, 70), ("starting", 80, 85)]
    fill(engine, {"plaza": (off, [(50, 60), (70, 80), (85, 100)], []), "night": ([("not_scheduled", 0, None)], [], [])})
    found = reader.read(["plaza", "night", "new"], 0, 200 * S)
    plaza = found["plaza"]
    assert (plaza.asked_us, plaza.known_us, plaza.scheduled_us, plaza.recorded_us) == (200 * S, 100 * S, 50 * S, 35 * S)
    assert (plaza.outages, plaza.longest_outage_us, plaza.share) == (2, 10 * S, 0.7)
    assert (found["night"].known_us, found["night"].share, found["new"].share) == (200 * S, None, None)
    both = together([plaza, found["night"]])
    assert both == replace(
        plaza,
        cameras=2,
        asked_us=400 * S,
        known_us=300 * S,
        us_by_cause=(*plaza.us_by_cause[:2], ("not_scheduled", 250 * S), ("starting", 5 * S)),
    )


def test_many_short_gaps_before_do_not_hide_a_long_one_that_reaches_in(reader: UptimeReader, engine: Engine) -> None:
    gaps: list[Gap] = [("damaged", start, start + 1) for start in range(0, 400, 2)]
    fill(engine, {"plaza": ([*gaps, ("camera_unreachable", 401, 900)], [(0, 401), (900, 1000)], [])})
    assert reader.read(["plaza"], 500 * S, 1000 * S)["plaza"].recorded_us == 100 * S
