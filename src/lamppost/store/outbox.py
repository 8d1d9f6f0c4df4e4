"""Writes the outbox: what is to be told of an event stands in the transaction that changes the event.

Two steps, so that nothing is lost where nobody knows the configuration (a
repair, a restore): each change of an event makes a *notice*, and whoever knows
the carriers makes a *delivery* of it for each one that wants it. A running
bookkeeper does both in one transaction.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, and_, bindparam, case, delete, exists, func, insert, or_, select, update

from lamppost.base.clock import US_PER_S
from lamppost.model.books import NoticeBuried, NoticeDelivered, NoticeFailed, NoticesRevived, Severity, SnapshotTaken
from lamppost.model.carriers import NotifySettings
from lamppost.model.happening import Phase
from lamppost.store.schema import DELIVERIES, EVENTS, NOTICES

NOTIFY_FAILING: Final = "notify_failing"  # the event that a carrier fails: that carrier is not told of it
SNAPSHOT_PATIENCE_US: Final = 2 * US_PER_S
KEPT_ROUTED_US: Final = 600 * US_PER_S
KEPT_DELIVERED_US: Final = 7 * 86_400 * US_PER_S
KEPT_DEAD_US: Final = 30 * 86_400 * US_PER_S
_SEVERITIES: Final = tuple(Severity)
_US_PER_H: Final = 3600 * US_PER_S

NoticeRecord = NoticeDelivered | NoticeFailed | NoticeBuried | NoticesRevived


@dataclass(frozen=True, slots=True)
class Wish:
    """What one carrier wants to be told of; empty `types` and `cameras` stand for all."""

    carrier: str
    least: Severity = Severity.INFO
    types: frozenset[str] = frozenset()
    cameras: frozenset[str] = frozenset()
    give_up_us: int = 24 * _US_PER_H

    @staticmethod
    def of(settings: NotifySettings) -> Wish:
        return Wish(
            settings.name, settings.severity, frozenset(settings.types), frozenset(settings.cameras), round(settings.give_up_h * _US_PER_H)
        )

    def covers(self, kind: str, camera: str | None) -> bool:
        """Whether it is for events of that kind and camera, whatever their severity."""
        return (not self.types or kind in self.types) and (not self.cameras or camera in self.cameras)

    def is_for(self, severity: Severity) -> bool:
        return _SEVERITIES.index(severity) >= _SEVERITIES.index(self.least)


def note_change(connection: Connection, event_id: str, phase: Phase, at_us: int, now_us: int) -> None:
    """Make the notice of what happened to an event, which stands in the index as it now is; the same once more changes nothing."""
    is_same = and_(NOTICES.c.phase == phase.value, NOTICES.c.at_us == at_us)
    known = connection.execute(
        select(
            func.coalesce(func.max(NOTICES.c.sequence), -1).label("last"),
            func.max(NOTICES.c.snapshot).label("snapshot"),
            func.coalesce(func.sum(case((is_same, 1), else_=0)), 0).label("same"),
        ).where(NOTICES.c.event_id == event_id)
    ).one()
    event = connection.execute(select(EVENTS.c.severity, EVENTS.c.detail).where(EVENTS.c.event_id == event_id)).first()
    if event is None or known.same:
        return
    connection.execute(
        insert(NOTICES).values(
            event_id=event_id,
            sequence=known.last + 1,
            phase=phase.value,
            at_us=at_us,
            severity=event.severity,
            detail=event.detail,
            snapshot=known.snapshot,
            created_us=now_us,
            routed_us=None,
        )
    )


def note_snapshot(connection: Connection, taken: SnapshotTaken, now_us: int) -> None:
    """Give the notices of an event their picture; what waited for it waits no longer."""
    without = (NOTICES.c.event_id == taken.event_id, NOTICES.c.snapshot.is_(None))
    connection.execute(update(NOTICES).where(*without).values(snapshot=taken.path))
    waiting = (DELIVERIES.c.event_id == taken.event_id, DELIVERIES.c.state == "pending", DELIVERIES.c.attempts == 0)
    connection.execute(update(DELIVERIES).where(*waiting, DELIVERIES.c.next_us > now_us).values(next_us=now_us))


def note_outcome(connection: Connection, record: NoticeRecord) -> None:
    """Book what became of a delivery; records may come twice, and a delivery that was made stays made."""
    if isinstance(record, NoticesRevived):
        _revive(connection, record)
        return
    place = (
        DELIVERIES.c.carrier == record.carrier,
        DELIVERIES.c.event_id == record.event_id,
        DELIVERIES.c.sequence == record.sequence,
    )
    attempts = case((DELIVERIES.c.attempts > record.attempt, DELIVERIES.c.attempts), else_=record.attempt)
    is_pending = (*place, DELIVERIES.c.state == "pending", DELIVERIES.c.since_us <= record.wall_us)
    match record:
        case NoticeDelivered():
            change = update(DELIVERIES).where(*place, DELIVERIES.c.state != "delivered")
            values = {"state": "delivered", "attempts": attempts, "settled_us": record.wall_us, "problem": ""}
            if not connection.execute(change.values(values)).rowcount:
                _remember_delivered(connection, record)
        case NoticeFailed():
            is_new = (*is_pending, DELIVERIES.c.attempts < record.attempt)
            values = {"attempts": record.attempt, "next_us": record.next_us, "problem": record.problem}
            connection.execute(update(DELIVERIES).where(*is_new).values(values))
        case NoticeBuried():
            values = {"state": "dead", "attempts": attempts, "settled_us": record.wall_us, "problem": record.problem}
            connection.execute(update(DELIVERIES).where(*is_pending).values(values))


def _remember_delivered(connection: Connection, record: NoticeDelivered) -> None:
    """After the loss of the index the carrier's journal may be read before the event's: it must not be told again."""
    key = {"carrier": record.carrier, "event_id": record.event_id, "sequence": record.sequence}
    rest = {"attempts": record.attempt, "since_us": record.wall_us, "next_us": record.wall_us, "settled_us": record.wall_us}
    _add_delivery(connection, key | rest | {"state": "delivered", "problem": ""})


def _revive(connection: Connection, record: NoticesRevived) -> None:
    dead = (DELIVERIES.c.carrier == record.carrier, DELIVERIES.c.state == "dead", DELIVERIES.c.settled_us <= record.wall_us)
    values = {"state": "pending", "attempts": 0, "since_us": record.wall_us, "next_us": record.wall_us, "settled_us": None}
    connection.execute(update(DELIVERIES).where(*dead).values(values))


class Router:
    """Makes the deliveries of new notices, for the carriers of the configuration."""

    def __init__(self, wishes: Sequence[Wish]) -> None:
        self._wishes = tuple(wishes)

    def route(self, connection: Connection, now_us: int) -> None:
        """Make what is missing. A notice that nobody wants stays for those who follow events as they happen, until `forget`."""
        query = select(NOTICES, EVENTS.c.kind, EVENTS.c.camera).join_from(NOTICES, EVENTS).where(NOTICES.c.routed_us.is_(None))
        for notice in connection.execute(query.order_by(NOTICES.c.created_us, NOTICES.c.event_id, NOTICES.c.sequence)).all():
            key = (NOTICES.c.event_id == notice.event_id, NOTICES.c.sequence == notice.sequence)
            for wish in self._wishes:
                if _wants(connection, wish, notice):
                    _add_delivery(connection, _delivery(wish, notice, now_us))
            connection.execute(update(NOTICES).where(*key).values(routed_us=now_us))

    def forget(self, connection: Connection, now_us: int) -> None:
        """Drop what was settled long ago; an event that lasts keeps all of its own, for its numbers go on."""
        self._bury_the_unknown(connection, now_us)
        lasts = exists().where(EVENTS.c.event_id == DELIVERIES.c.event_id, EVENTS.c.end_us.is_(None))
        is_old = or_(
            and_(DELIVERIES.c.state == "delivered", DELIVERIES.c.settled_us < now_us - KEPT_DELIVERED_US),
            and_(DELIVERIES.c.state == "dead", DELIVERIES.c.settled_us < now_us - KEPT_DEAD_US),
        )
        connection.execute(delete(DELIVERIES).where(is_old, ~lasts))
        is_wanted = exists().where(DELIVERIES.c.event_id == NOTICES.c.event_id, DELIVERIES.c.sequence == NOTICES.c.sequence)
        is_lasting = exists().where(EVENTS.c.event_id == NOTICES.c.event_id, EVENTS.c.end_us.is_(None))
        connection.execute(
            delete(NOTICES).where(NOTICES.c.routed_us < now_us - KEPT_ROUTED_US, ~is_wanted, ~is_lasting),
        )

    def _bury_the_unknown(self, connection: Connection, now_us: int) -> None:
        """A carrier that is gone from the configuration gives up as well."""
        names = [wish.carrier for wish in self._wishes]
        is_given_up = (DELIVERIES.c.state == "pending", DELIVERIES.c.since_us < now_us - Wish("").give_up_us)
        values = {"state": "dead", "settled_us": now_us, "problem": "there is no carrier of that name any more"}
        connection.execute(update(DELIVERIES).where(*is_given_up, DELIVERIES.c.carrier.not_in(names)).values(values))


def _wants(connection: Connection, wish: Wish, notice: Any) -> bool:
    if not wish.covers(notice.kind, notice.camera) or (notice.kind == NOTIFY_FAILING and _carrier_of(notice.detail) == wish.carrier):
        return False
    if wish.is_for(Severity(notice.severity)):
        return True
    # Who was told of its beginning, or that it was urgent, is told of its end as well.
    told = exists().where(DELIVERIES.c.carrier == wish.carrier, DELIVERIES.c.event_id == notice.event_id)
    return bool(connection.execute(select(told)).scalar_one())


def _carrier_of(detail: str) -> str:
    try:
        return str(json.loads(detail).get("carrier", ""))
    except (ValueError, AttributeError):
        return ""


def _delivery(wish: Wish, notice: Any, now_us: int) -> dict[str, Any]:
    waits = notice.phase == Phase.START.value and notice.camera is not None and notice.snapshot is None
    row: dict[str, Any] = {"carrier": wish.carrier, "event_id": notice.event_id, "sequence": notice.sequence, "attempts": 0}
    row |= {"since_us": now_us, "next_us": now_us + (SNAPSHOT_PATIENCE_US if waits else 0)}
    if notice.at_us < now_us - wish.give_up_us:
        return row | {"state": "dead", "settled_us": now_us, "problem": "it was too old already when the index learnt of it"}
    return row | {"state": "pending", "settled_us": None, "problem": ""}


_KEY: Final = tuple(DELIVERIES.primary_key.columns)
_ADD: Final = insert(DELIVERIES).from_select(
    [column.name for column in DELIVERIES.columns],
    select(*(bindparam(column.name, type_=column.type) for column in DELIVERIES.columns)).where(
        ~exists(select(1).select_from(DELIVERIES).where(*(column == bindparam(column.name, type_=column.type) for column in _KEY)))
    ),
)


def _add_delivery(connection: Connection, row: dict[str, Any]) -> None:
    """Unless there is one of that key."""
    connection.execute(_ADD, row)
