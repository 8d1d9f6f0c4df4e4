"""How long a seek takes in thirty days of masked video: from the click to the bytes of the first picture.

`python -m benchmarks.seek` makes an index of 43,200 masked segments of a minute
each, real files for those that are sought, serves them on loopback, and asks as
a player does: what there is, the header, the first fragment. The floor is one
`pread` of the same bytes from the same files.
"""

from __future__ import annotations

import os
import statistics
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final

import httpx
import numpy as np
from sqlalchemy import insert

from benchmarks.figures import Figure, middle_and_p95, table
from benchmarks.served import served, settings_of
from lamppost.access.desk import SignedIn
from lamppost.base.clock import US_PER_S, ManualClock, SystemClock, format_utc, us_from_90k
from lamppost.mask.encoder import MaskedEncoder
from lamppost.mask.paint import Palette, paint
from lamppost.model.access import Grant, Role, Scope
from lamppost.model.books import Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import MaskedPacket, StreamParameters
from lamppost.model.vision import Frame
from lamppost.record.chain import RecordChain
from lamppost.record.segments import SegmentWriter
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.journal import JournalWriter
from lamppost.store.schema import SEGMENTS

SEEKS: Final = 100
_EXPIRES_US: Final = 4_102_444_800_000_000
SEGMENTS_COUNT: Final = 43_200
SEGMENT_US: Final = 60 * US_PER_S
CAMERA: Final = "plaza"
WIDTH_PX, HEIGHT_PX, INTERVAL_90K = 1280, 720, 9000
DAY_US: Final = 86_400 * US_PER_S


class OneOperator:
    """Takes everybody for the same operator: signing in is measured elsewhere."""

    def of_session(self, cookie: str, *, is_use: bool = True) -> SignedIn | None:
        return None

    def of_token(self, token: str) -> SignedIn | None:
        return SignedIn("id", "operator", "Operator", (Grant(Role.OPERATOR, Scope.parse("*")),), None, "", _EXPIRES_US)


@dataclass(frozen=True, slots=True)
class Site:
    """The node as a player sees it, and when its thirty days begin."""

    client: httpx.Client
    root: Path
    begin_us: int
    sought: tuple[int, ...]  # numbers of the segments that have files


def measure(seeks: int = SEEKS) -> list[Figure]:
    """The rows of the table."""
    with tempfile.TemporaryDirectory() as root:
        folder = DataFolder(Path(root) / "data")
        now_us = SystemClock().wall_us()
        begin_us = now_us - now_us % US_PER_S - SEGMENTS_COUNT * SEGMENT_US
        sought = tuple(int(n) for n in np.sort(np.random.default_rng(7).choice(SEGMENTS_COUNT, seeks, replace=False)))
        _record(folder, begin_us, sought)
        with (
            served(folder, settings_of(folder, {CAMERA: ""}), OneOperator()) as address,
            httpx.Client(base_url=f"{address}/api/v1", headers={"Authorization": "Bearer x"}, timeout=30) as client,
        ):
            return list(_measure(Site(client, folder.root, begin_us, sought)))


def main(seeks: int = SEEKS) -> None:
    """Measure, and print."""
    print(table(f"Seeking among {SEGMENTS_COUNT:,} masked segments", measure(seeks)))


def _measure(site: Site) -> Iterator[Figure]:
    asked = {"cameras": [CAMERA], "from": format_utc(site.begin_us), "to": format_utc(site.begin_us + 30 * DAY_US), "reason": "benchmark"}
    view = site.client.post("/views", json=asked).raise_for_status().json()["id"]
    times_us = [site.begin_us + number * SEGMENT_US + 17_300_000 for number in site.sought]
    times_us = [times_us[n] for n in np.random.default_rng(8).permutation(len(times_us))]
    found = [_seek(site, view, at_us) for at_us in times_us]
    again_ms = [_seek(site, view, at_us)[0] for at_us in times_us]
    floor_ms = [_pread(site.root, *each[1:]) for each in found]
    yield _figure("seek, never asked for before", [each[0] for each in found], floor_ms, "goal ≤ 200 ms; against `pread` of the same bytes")
    yield _figure("seek, again", again_ms, floor_ms, "goal ≤ 200 ms; the same")
    empty_ms = [_ask(site, "/session") for _ in times_us]
    pages = f"/cameras/{CAMERA}"
    thumbnails_ms = [_ask(site, f"{pages}/thumbnail.jpg", at=format_utc(at_us), view=view) for at_us in times_us]
    yield _figure("thumbnail of 160 pixels", thumbnails_ms, empty_ms, "against an answer with next to nothing in it")
    for days, note in ((1, "goal ≤ 50 ms"), (30, "")):
        begins = [site.begin_us + (n % (31 - days)) * DAY_US for n in range(20)]
        spans = [{"from": format_utc(at_us), "to": format_utc(at_us + days * DAY_US)} for at_us in begins]
        timelines_ms = [_ask(site, f"{pages}/timeline", **span) for span in spans]
        yield _figure(f"timeline of {days} d, without events", timelines_ms, empty_ms, note)


def _figure(what: str, ours_ms: list[float], floor_ms: list[float], note: str) -> Figure:
    ratio = statistics.median(ours_ms) / statistics.median(floor_ms)
    return Figure(what, middle_and_p95(ours_ms), middle_and_p95(floor_ms), f"{ratio:.1f}×", note)


def _seek(site: Site, view: str, at_us: int) -> tuple[float, str, int, int]:
    """Milliseconds to the bytes of the first picture; and which bytes of which file they were."""
    began = time.perf_counter()
    span = {"from": format_utc(at_us), "to": format_utc(at_us + 30 * US_PER_S), "view": view}
    part = site.client.get(f"/cameras/{CAMERA}/media", params=span).raise_for_status().json()["parts"][0]
    address = part["url"].removeprefix("/api/v1")
    offset, length = part["fragments"][0][:2]
    for first, count in ((0, part["init"]["length"]), (offset, length)):
        content = site.client.get(address, headers={"Range": f"bytes={first}-{first + count - 1}"}).raise_for_status().content
        if len(content) != count:
            raise RuntimeError(f"{len(content)} bytes came, {count} were asked for")
    return 1000 * (time.perf_counter() - began), part["id"], offset, length


def _pread(root: Path, segment_id: str, offset: int, length: int) -> float:
    (path,) = root.glob(f"masked/*/*/{segment_id}.mp4")
    began = time.perf_counter()
    descriptor = os.open(path, os.O_RDONLY)
    os.pread(descriptor, length, offset)
    os.close(descriptor)
    return 1000 * (time.perf_counter() - began)


def _ask(site: Site, path: str, **parameters: str) -> float:
    began = time.perf_counter()
    site.client.get(path, params=parameters).raise_for_status()
    return 1000 * (time.perf_counter() - began)


def _record(folder: DataFolder, begin_us: int, sought: tuple[int, ...]) -> None:
    """Files for the segments that are sought; rows for all of them."""
    parameters, packets = _minute()
    clock = ManualClock(begin_us)
    with JournalWriter(folder.journal / "analyst", clock=clock) as journal:
        chain = RecordChain()
        for number in sought:
            writer = SegmentWriter(
                camera=CAMERA,
                rendition=Rendition.MASKED,
                folder=folder,
                run_id="run",
                parameters=parameters,
                journal=journal.append,
                chain=chain,
                sign=lambda text: text + b"\n\xe2\x80\x94 benchmark c2lnbmF0dXJl\n",
                clock=clock,
            )
            for packet in packets:
                writer.write(replace(packet, wall_us=begin_us + number * SEGMENT_US + us_from_90k(packet.pts_90k)))
            writer.close(SegmentEnd.ROTATED)
    with Bookkeeper(folder, clock) as bookkeeper:
        bookkeeper.apply_new()
        with bookkeeper.transactions.write() as connection:
            connection.execute(insert(SEGMENTS), list(_rows(begin_us, set(sought))))


def _rows(begin_us: int, sought: set[int]) -> Iterator[dict[str, Any]]:
    for number in range(SEGMENTS_COUNT):
        if number in sought:
            continue
        start_us = begin_us + number * SEGMENT_US
        row: dict[str, Any] = {"segment_id": f"row-{number}", "camera": CAMERA, "rendition": "masked", "state": "closed"}
        row |= {"path": f"masked/{CAMERA}/{number}.mp4", "run_id": "run", "epoch_id": None, "sequence": 10**6 + number}
        row |= {"start_us": start_us, "end_us": start_us + SEGMENT_US, "header_bytes": 700, "size_bytes": 1_500_000, "frames": 600}
        yield row | {"fragments": 60, "end_reason": "rotated", "record_sha256": "0" * 64, "opened_in": "restored/record"}


def _minute() -> tuple[StreamParameters, tuple[MaskedPacket, ...]]:
    """A minute of noise that moves, ten pictures a second: as large as a busy street."""
    encoder = MaskedEncoder(WIDTH_PX, HEIGHT_PX, is_live=True)
    small = np.random.default_rng(1).integers(16, 235, (HEIGHT_PX * 3 // 2 // 8, WIDTH_PX // 8), np.uint8)
    noise = np.repeat(np.repeat(small, 8, 0), 8, 1)
    packets: list[MaskedPacket] = []
    for number in range(600):
        frame = Frame(np.ascontiguousarray(np.roll(noise, 2 * number, 1)), number * INTERVAL_90K, 0)
        packets += encoder.encode(paint(frame, [], Palette()))
    packets += encoder.flush()
    return encoder.parameters, tuple(packets)


if __name__ == "__main__":
    main(*(int(argument) for argument in sys.argv[1:2]))
