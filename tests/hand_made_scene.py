"""Scenes made by hand, and a camera whose rules are asked of them one after the other."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from lamppost.events.rule_keeper import RuleKeeper
from lamppost.events.scene import Crossing, Moving, SceneNow, Staying, ZoneNow
from lamppost.model.happening import EventChange, Phase
from lamppost.model.rules import CountedKind, RuleBook, Way
from lamppost.model.vision import Box

PERSON, BICYCLE, VEHICLE, OBJECT = CountedKind.PERSON, CountedKind.BICYCLE, CountedKind.VEHICLE, CountedKind.OBJECT
T0_US = 1_700_000_000_000_000
PLAZA = [(0.0, 0.0), (1.0, 0.0), (1.0, 1.0), (0.0, 1.0)]
CALIBRATION = {"points": [{"image": [x, y], "map_m": [10 * x, 10 * y]} for x, y in PLAZA]}


def us(at_s: float) -> int:
    return T0_US + round(at_s * 1_000_000)


def book(*rules: dict[str, Any], **zone: Any) -> RuleBook:
    """A rule book with the line `gate` and the zone `plaza`, and with `rules` on them, called by their type."""
    parts = {
        "line": [{"name": "gate", "points": [(0.5, 0.0), (0.5, 1.0)]}],
        "zone": [{"name": "plaza", "points": PLAZA, **zone}],
        "rule": [{"name": rule["type"], "line" if rule["type"] == "line_crossed" else "zone": _place(rule)} | rule for rule in rules],
        "calibration": CALIBRATION,
    }
    return RuleBook.model_validate(parts)


def _place(rule: dict[str, Any]) -> str:
    return "gate" if rule["type"] == "line_crossed" else "plaza"


def box_at(x: float, y: float, size: float = 0.05) -> Box:
    """A box that stands on the point."""
    return Box(x - size / 2, y - size, x + size / 2, y)


def moving(
    track_id: int = 1,
    kind: CountedKind = PERSON,
    at: tuple[float, float] = (0.5, 0.5),
    still_since_s: float | None = None,
    ground_m: tuple[float, float] | None = None,
    is_seen: bool = True,
) -> Moving:
    return Moving(track_id, kind, box_at(*at), is_seen, 0.0, still_since_s, None, ground_m)


def staying(thing: Moving | None = None, since_s: float = 0.0) -> Staying:
    return Staying(thing or moving(), since_s)


def scene(
    at_s: float,
    there: Iterable[Staying] = (),
    *,
    crossings: Iterable[Crossing] = (),
    beside: Iterable[Moving] = (),
    uncovered: Iterable[Box] = (),
    area_m2: float | None = None,
) -> SceneNow:
    """The scene at `at_s`, with `there` in the zone `plaza`, and `beside` outside of it."""
    inside = tuple(there)
    in_view = (*(one.moving for one in inside), *beside)
    return SceneNow(at_s, us(at_s), in_view, tuple(crossings), (ZoneNow("plaza", inside, area_m2=area_m2),), tuple(uncovered))


def crossing(way: Way = Way.FORWARD, kind: CountedKind = PERSON, line: str = "gate") -> Crossing:
    return Crossing(line, way, kind)


def judge_all(keeper: RuleKeeper, make: Callable[[float], SceneNow], from_s: float, to_s: float, step_s: float = 0.2) -> list[EventChange]:
    """Every change of the scenes that `make` makes, from `from_s` up to and with `to_s`."""
    changes: list[EventChange] = []
    for step in range(round((to_s - from_s) / step_s) + 1):
        changes += keeper.judge(make(round(from_s + step * step_s, 6)))
    return changes


def phases(changes: Iterable[EventChange]) -> list[str]:
    return [change.phase.value for change in changes]


def lives(changes: Iterable[EventChange]) -> dict[str, list[EventChange]]:
    """The changes of each event by its id."""
    found: dict[str, list[EventChange]] = {}
    for change in changes:
        found.setdefault(change.event_id, []).append(change)
    return found


def assert_is_a_life(changes: list[EventChange], *, is_over: bool) -> None:
    """One start, then updates, one end; time and numbers only rise."""
    assert changes[0].phase is Phase.START
    assert all(change.phase is Phase.UPDATE for change in changes[1 : -1 if is_over else None])
    if is_over:
        assert changes[-1].phase is Phase.END
    assert [change.wall_us for change in changes] == sorted(change.wall_us for change in changes)
    order = ["info", "warning", "alarm"]
    urgencies = [order.index(change.severity.value) for change in changes]
    assert urgencies == sorted(urgencies)
    for name in ("count", "level", "value"):
        numbers = [getattr(change.findings, name) or 0 for change in changes]
        assert numbers == sorted(numbers), name
