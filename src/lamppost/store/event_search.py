"""How a page of events is found among many millions, whatever is asked for.

A search has arms: each reads one index backwards in time, from an equality or
from one of the few kinds of events that have an index of their own. What else is
asked is looked at row by row, and then no arm goes further back than a horizon:
so a page costs the same whether what it seeks is common, rare, or not there.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

from sqlalchemy import Column, or_, select
from sqlalchemy.sql.elements import ColumnElement

from lamppost.model.books import Severity
from lamppost.store.index import FOREVER_US
from lamppost.store.schema import ACKNOWLEDGED, EVENTS, OPEN, URGENT

MOST_ARMS: Final = 64
MOST_ROWS: Final = 20_000  # that a page looks at, where it has to see the row itself
MOST_ENTRIES: Final = 200_000  # the same, where the index has all that is asked

State = Literal["open", "acknowledged", "unacknowledged"]
After = tuple[int, str]
"""The last of the page before: when it began, and its id."""

_Condition = ColumnElement[bool]


@dataclass(frozen=True, slots=True)
class EventFilter:
    """Which events; what is empty stands for all. `cameras` None: of all cameras and of the node."""

    cameras: tuple[str, ...] | None = None
    has_node: bool = True  # with those that concern no camera
    types: tuple[str, ...] = ()
    severities: tuple[Severity, ...] = ()
    state: State | None = None
    rule: str = ""
    from_us: int = 0
    to_us: int = FOREVER_US

    @property
    def is_urgent(self) -> bool:
        """Whether it is about the few events that are more than information."""
        return bool(self.severities) and Severity.INFO not in self.severities


Arm = tuple[Any, ...]
"""What must hold, and is found by one index."""


@dataclass(frozen=True, slots=True)
class Search:
    """The arms of a search; what else must hold; and how many entries of its index each arm reads at most, None: as many as it takes."""

    arms: tuple[Arm, ...]
    rest: tuple[_Condition, ...]
    depth: int | None
    from_us: int
    to_us: int
    after: After | None

    def horizon(self, arm: Arm, depth: int) -> Any:
        """When the event began before which the arm does not look; no row where it sees everything."""
        query = select(EVENTS.c.start_us).where(*arm, *self._in_time(self.from_us))
        return query.order_by(EVENTS.c.start_us.desc()).offset(depth).limit(1)

    def newest(self, arm: Arm, from_us: int | None, limit: int) -> Any:
        """The newest of the arm that all holds of, down to the horizon where there is one."""
        query = select(EVENTS).where(*arm, *self._in_time(self.from_us if from_us is None else from_us), *self.rest)
        return query.order_by(EVENTS.c.start_us.desc(), EVENTS.c.event_id.desc()).limit(limit)

    def _in_time(self, from_us: int) -> tuple[_Condition, ...]:
        """One bound on either side: of two the database would take the first that it sees, and read all up to the other."""
        if self.after is None or self.after[0] >= self.to_us:
            return EVENTS.c.start_us >= from_us, EVENTS.c.start_us < self.to_us
        at_us, event_id = self.after
        is_later = or_(EVENTS.c.start_us < at_us, EVENTS.c.event_id < event_id)
        return EVENTS.c.start_us >= from_us, EVENTS.c.start_us <= at_us, is_later


def search_for(wanted: EventFilter, after: After | None) -> Search:
    """The search for what is wanted, after the last of the page before."""
    arms: tuple[Arm, ...]
    if wanted.state in ("open", "acknowledged"):
        arms = (_arm(OPEN if wanted.state == "open" else ACKNOWLEDGED),)
        rest = (*_cameras(wanted), *_types(wanted), *_severities(wanted))
    elif wanted.is_urgent:
        arms = tuple(_arm(URGENT, EVENTS.c.severity == severity.value) for severity in dict.fromkeys(wanted.severities))
        rest = (*_cameras(wanted), *_types(wanted))
    else:
        arms, rest = _of_all(wanted)
        rest = (*rest, *_severities(wanted))
    is_few = wanted.state in ("open", "acknowledged") or wanted.is_urgent
    if wanted.state == "unacknowledged":
        rest = (*rest, EVENTS.c.acknowledged_us.is_(None))
    if wanted.rule:
        # The words in which `detail_of` writes it; both databases know LIKE.
        rest = (*rest, EVENTS.c.detail.contains(json.dumps({"rule": wanted.rule})[1:-1], autoescape=True))
    most = MOST_ENTRIES if is_few and not wanted.rule else MOST_ROWS
    depth = -(-most // len(arms)) if rest and arms else None
    return Search(arms, rest, depth, wanted.from_us, wanted.to_us, after)


def unindexed(column: Column[str]) -> ColumnElement[str]:
    """The column, in words by which no index is chosen: a database without statistics takes the wrong one for the better."""
    return column.concat("")


def _arm(*conditions: Any) -> Arm:
    return conditions


def _of_all(wanted: EventFilter) -> tuple[tuple[Arm, ...], tuple[_Condition, ...]]:
    """Arms by camera and type where they are few enough, else by one of them; and what is left over."""
    types = tuple(_arm(EVENTS.c.kind == kind) for kind in dict.fromkeys(wanted.types)) or (_arm(),)
    if wanted.cameras is None and wanted.has_node:
        return (types, ()) if len(types) <= MOST_ARMS else ((_arm(),), _types(wanted))
    if wanted.cameras is not None:
        cameras = [_arm(EVENTS.c.camera == camera) for camera in dict.fromkeys(wanted.cameras)]
        cameras += [_arm(EVENTS.c.camera.is_(None))] if wanted.has_node else []
        if len(cameras) * len(types) <= MOST_ARMS:
            return tuple((*camera, *kind) for camera in cameras for kind in types), ()
        if len(cameras) <= MOST_ARMS:
            return tuple(cameras), _types(wanted)
    return (types, _cameras(wanted)) if len(types) <= MOST_ARMS else ((_arm(),), (*_cameras(wanted), *_types(wanted)))


def _cameras(wanted: EventFilter) -> tuple[_Condition, ...]:
    if wanted.cameras is None:
        return () if wanted.has_node else (EVENTS.c.camera.is_not(None),)
    of_them = unindexed(EVENTS.c.camera).in_(wanted.cameras)
    return (or_(of_them, EVENTS.c.camera.is_(None)),) if wanted.has_node else (of_them,)


def _types(wanted: EventFilter) -> tuple[_Condition, ...]:
    return (unindexed(EVENTS.c.kind).in_(wanted.types),) if wanted.types else ()


def _severities(wanted: EventFilter) -> tuple[_Condition, ...]:
    few: Sequence[str] = [severity.value for severity in dict.fromkeys(wanted.severities)]
    return (unindexed(EVENTS.c.severity).in_(few),) if 0 < len(few) < len(Severity) else ()
