"""Which models of a node's catalogue find what a preset wants, and what none of them finds.

Nothing is fetched here: a model counts when its file lies in the models folder, or came with Lamppost.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from lamppost.detect.entry import ModelEntry
from lamppost.model.vision import Kind


@dataclass(frozen=True, slots=True)
class Choice:
    """The `entries` to open for what was wanted, the kinds that they report, and those that stay `missing`."""

    entries: tuple[ModelEntry, ...]
    covered: frozenset[Kind]
    missing: frozenset[Kind]


def choose_detectors(present: Sequence[ModelEntry], wanted: Iterable[Kind]) -> Choice:
    """As few of the `present` entries as find all that is `wanted`, as far as they can.

    Each time the one that adds most is taken, of equals the first. A `person` is not a `head`, and neither stands for the other.
    """
    missing = set(wanted)
    chosen: list[ModelEntry] = []
    while missing:
        best = max(present, key=lambda entry: len(missing.intersection(entry.reported_kinds)), default=None)
        if best is None or not missing.intersection(best.reported_kinds):
            break
        chosen.append(best)
        missing.difference_update(best.reported_kinds)
    covered = frozenset(kind for entry in chosen for kind in entry.reported_kinds)
    return Choice(tuple(chosen), covered, frozenset(missing))
