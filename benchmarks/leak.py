"""What masks let through, for every preset and for `deface`, on the clips and pictures whose truth is in `benchmarks/truth`.

The same as `lamppost bench leak --truth benchmarks/truth --media …`; the boxes are ours, the pictures are not, and where they are
not there nothing is measured. `--json` and `--plot` are passed on: `python -m benchmarks.leak --json leak.json --plot leak.png`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

from benchmarks.clips import shared_data
from benchmarks.figures import Figure, table
from lamppost.base.clock import SystemClock
from lamppost.bench import plot
from lamppost.bench.leak import Result, leak_rate, measure, over_masked, to_json, track_rate
from lamppost.bench.rates import Rate, percentile
from lamppost.bench.scores import Size
from lamppost.bench.sets import find_sets
from lamppost.bench.subjects import DefaceSubject, LamppostSubject
from lamppost.bench.truth import Label, TruthSet
from lamppost.model.vision import Preset

TRUTH = Path(__file__).with_name("truth")
_GOALS = {Size.LARGE: "goal ≤ 0.1%", Size.SMALL: "goal ≤ 1%"}
_LABELS = (Label.FACE, Label.HEAD)


def run() -> tuple[Result, ...]:
    """Mask every set with every subject; the models of `LAMPPOST_TEST_DATA` stand in for pulled ones."""
    data = shared_data()
    if data is None:
        return ()
    clock, models = SystemClock(), data / "models"
    bundled = [LamppostSubject(preset, None, clock) for preset in (Preset.MOTION, Preset.FACES, Preset.ALL)]
    pulled = [LamppostSubject(preset, models, clock) for preset in (Preset.MOTION, Preset.HEADS, Preset.PERSONS)]
    sets: tuple[TruthSet, ...] = (*find_sets(TRUTH, data), *find_sets(data / "faces"))
    return measure(sets, [*bundled, *pulled, DefaceSubject()], lambda _set, _subject, _count: None)


def measure_figures() -> list[Figure]:
    """The rows for docs/benchmarks.md: each subject beside the peer."""
    return figures(run())


def figures(results: Sequence[Result]) -> list[Figure]:
    """One row for each subject and each rate."""
    names = list(dict.fromkeys(result.subject.name for result in results))
    if not names:
        return []
    peer, rows = names[-1], list[Figure]()
    for name in names[:-1]:
        for of_clips, place in ((True, "clips"), (False, "stills")):
            for label in _LABELS:
                for size in (Size.LARGE, Size.SMALL):
                    ours, theirs = (leak_rate(results, each, label, size, of_clips=of_clips) for each in (name, peer))
                    if ours.n:
                        goal = _GOALS[size] if of_clips and name == "lamppost motion" else ""
                        rows.append(_row(f"{name}: {label.value}s leaking, {size.value} px, {place}", ours, theirs, goal))
        for label in _LABELS:
            (ours, runs_ms), (theirs, _) = (track_rate(results, each, label) for each in (name, peer))
            if ours.n:
                note = f"99th percentile of the longest leak {percentile(runs_ms, 0.99):.0f} ms"
                rows.append(_row(f"{name}: {label.value} tracks leaking twice in a row", ours, theirs, note))
        whole, shown = (over_masked(results, name, is_covered_counted=counted).value for counted in (True, False))
        if whole is not None:
            theirs_over = over_masked(results, peer, is_covered_counted=True).value
            note = "" if shown is None else f"{shown:.1%} without covered frames"
            rows.append(Figure(f"{name}: over-masked pixels, clips", f"{whole:.1%}", f"{theirs_over or 0:.1%} ({peer})", "–", note))
    return rows


def _row(what: str, ours: Rate, theirs: Rate, note: str) -> Figure:
    ratio = "–" if not theirs.k or not theirs.n else f"{(ours.k / ours.n) / (theirs.k / theirs.n):.2f}"
    return Figure(what, _text(ours), _text(theirs), ratio, note)


def _text(rate: Rate) -> str:
    return f"{rate.k / rate.n:.2%} ({rate.low:.2%}–{rate.high:.2%}), {rate.k} of {rate.n}" if rate.n else "–"


def main() -> None:
    """Print the table, and write what was asked for."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path)
    parser.add_argument("--plot", type=Path)
    chosen = parser.parse_args()
    results = run()
    print(table("Leaks", figures(results)))
    if chosen.json:
        chosen.json.write_text(json.dumps(to_json(results, (), SystemClock()), indent=1) + "\n")
    if chosen.plot:
        plot.draw(results, chosen.plot)


if __name__ == "__main__":
    main()
