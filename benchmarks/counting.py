"""How exactly things are counted: on clips with a known number, in corridors where only the light changes, on a simulated street.

The street knows its truth: who crosses each of five lines in ten minutes. It is counted three times: from its own truth with the
errors of a good detector, by YOLOX-nano where that is at hand, and by motion alone.
"""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import numpy as np

from benchmarks.clips import shared_data
from benchmarks.figures import Figure
from lamppost.decode.files import FileFrames
from lamppost.detect.detectors import open_detector
from lamppost.detect.shelf import ModelShelf
from lamppost.detect.values import shrink
from lamppost.ingest.street import Street, StreetSettings
from lamppost.model.rules import Anchor, CountedKind, Line, RuleBook, Zone
from lamppost.model.vision import Box, Detection, Frame, Kind, Region
from lamppost.pipeline.clip_counting import ClipCounter, ClipWitness
from lamppost.pipeline.equipment import WEAK_SCORE
from lamppost.pipeline.sight import Detector
from lamppost.pipeline.street_clip import StreetFrames
from lamppost.pipeline.watching import Ledgers, StreetWatch

SECONDS: Final = int(os.environ.get("LAMPPOST_BENCH_STREET_S", "600"))
_STREET: Final = StreetSettings(people=8, vehicles=4)
_PLACES: Final = (0.2, 0.35, 0.5, 0.65, 0.8)
_LINES: Final = RuleBook(
    line=tuple(Line(name=f"at-{share * 100:.0f}", points=((share, 0), (share, 1)), anchor=Anchor.CENTRE) for share in _PLACES)
)
_PICTURE: Final = RuleBook(zone=(Zone(name="picture", points=((0, 0), (1, 0), (1, 1), (0, 1)), anchor=Anchor.CENTRE),))
_KNOWN: Final = (("intel_car-detection.mp4", 4, "vehicle"), ("intel_one-by-one-person-detection.mp4", 6, "person"))
_INFRARED: Final = tuple(f"frigate_ir_motion-{number}.mp4" for number in (1, 2, 3))


class _TrueDetector:
    """Says what is in the street, as a good detector would: boxes off by 3%, one thing in ten unseen each time, hidden things too."""

    start_score: float = 0.5

    def __init__(self) -> None:
        self._street = Street(_STREET)
        self._random = np.random.default_rng(5)

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        del regions
        found: list[Detection] = []
        for truth in self._street.truth(round(frame.pts_90k * _STREET.fps / 90_000)):
            if truth.kind is Kind.FACE or self._random.random() < 0.1:
                continue
            off = self._random.normal(0, 0.03, 4) * (truth.box.width, truth.box.height, truth.box.width, truth.box.height)
            box = Box(truth.box.x0 + off[0], truth.box.y0 + off[1], truth.box.x1 + off[2], truth.box.y1 + off[3])
            found.append(Detection(truth.kind, box, 0.9))
        return tuple(found)


def measure() -> list[Figure]:
    """All rows."""
    with tempfile.TemporaryDirectory() as folder:
        network = _network(Path(folder))
        return [*_known_numbers(network), *_light(), *_street(network)]


def _network(folder: Path) -> Detector | None:
    data = shared_data()
    if data is None:
        return None
    for entry in ModelShelf(folder).entries():
        source = data / "models" / entry.file
        if entry.name == "yolox-nano" and source.is_file():
            (folder / entry.file).write_bytes(source.read_bytes())
            return open_detector(entry, models=folder, threads=2, weak_score=WEAK_SCORE)
    return None


def _known_numbers(network: Detector | None) -> list[Figure]:
    figures: list[Figure] = []
    for name, number, kind in _KNOWN:
        for detector, by, wanted in ((None, "motion", "object"), (network, "YOLOX-nano", kind)):
            path = _clip(name)
            if path is None or (by != "motion" and detector is None):
                continue
            things = _count(path, detector)
            told = ", ".join(f"{count} {each.value}" for each, count in sorted(things.items()))
            figures.append(
                Figure(f"{name}, {by}", told, f"{number} {wanted} (by eye)", f"{things[CountedKind(wanted)] / number:.2f}", "goal: exact")
            )
    return figures


def _light() -> list[Figure]:
    figures: list[Figure] = []
    for name in _INFRARED:
        path = _clip(name)
        if path is not None:
            real = 1 if name == _INFRARED[1] else 0  # a person mops the floor in the second
            things = _count(path, None).total()
            figures.append(Figure(f"{name}: things that moved", str(things), f"{real} (by eye)", "–", "goal: no false ones"))
    return figures


def _count(path: Path, detector: Detector | None) -> Counter[CountedKind]:
    with FileFrames(path, threads=2) as frames:
        counter = ClipCounter(_PICTURE, detector=detector, interval_s=0.1)
        counter.run(frames, lambda: None)
    return counter.counts.things


def _street(network: Detector | None) -> list[Figure]:
    true = _true_crossings()
    by_truth = _watch(_TrueDetector(), with_motion=False)
    rows = [("the street's truth with a detector's errors", by_truth, "goal: within 2%")]
    if network is not None:
        rows.append(("YOLOX-nano and motion", _watch(network, with_motion=True), "the drawn cars look like none to it"))
    rows.append(("motion alone", _watch(None, with_motion=True), "things side by side are one"))
    figures: list[Figure] = []
    for name, found, note in rows:
        wanted, got = true.total(), found.total()
        off = sum(abs(true[key] - found[key]) for key in {*true, *found}) / wanted
        figures.append(
            Figure(
                f"simulated street, {SECONDS // 60} min, {name}",
                f"{got} crossings",
                f"{wanted}",
                f"{got / wanted:.3f}",
                f"{off:.1%} off line by line; {note}",
            )
        )
    return figures


def _watch(detector: Detector | None, *, with_motion: bool) -> Counter[tuple[str, str]]:
    """Crossings by line and way."""
    frames = StreetFrames(_STREET, SECONDS)
    if with_motion:
        counter = ClipCounter(_LINES, detector=detector, interval_s=0.1)
        counter.run(frames, lambda: None)
        crossings = counter.counts.crossings
    else:
        witness, ledgers = ClipWitness(0), Ledgers(_LINES)
        watch = StreetWatch(_LINES, ledgers, witness, detector=detector, interval_s=0.1)
        for frame in frames:
            watch.see(frame, shrink(frame), None)
        watch.finish()
        crossings = witness.counts.crossings
    return Counter((crossing.line, crossing.way.value) for crossing in crossings)


def _true_crossings() -> Counter[tuple[str, str]]:
    street, found = Street(_STREET), Counter[tuple[str, str]]()
    last: dict[int, float] = {}
    for index in range(SECONDS * _STREET.fps):
        now = street.centres(index)
        for object_id, centre in now.items():
            before = last.get(object_id)
            if before is None or abs(centre - before) > 0.3:  # it begins its next way at the other side
                continue
            for line, share in zip(_LINES.line, _PLACES, strict=True):
                if before < share <= centre:
                    found[line.name, "backward"] += 1
                elif centre <= share < before:
                    found[line.name, "forward"] += 1
        last = now
    return found


def _clip(name: str) -> Path | None:
    data = shared_data()
    path = data / "clips" / name if data is not None else None
    return path if path is not None and path.is_file() else None
