"""Reads the outbox: what is due to whom, and how it stands. Changes nothing, and waits for nobody."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Select, exists, func, select

from lamppost.model.books import NoticeBuried, NoticeDelivered, NoticeFailed, Severity
from lamppost.model.happening import Phase
from lamppost.model.layout import DataFolder
from lamppost.store.index import Index
from lamppost.store.index_reader import IndexReader
from lamppost.store.journal import journal_files, scan_journal
from lamppost.store.schema import DELIVERIES, EVENTS, NOTICES, SNAPSHOTS

_MOST_DEAD: Final = 1000


@dataclass(frozen=True, slots=True)
class Delivery:
    """A notice of an event on its way to one carrier, and what it is made of.

    `severity` and `detail` are those of the event when it happened; `snapshot` is the path of its masked picture,
    relative to the data folder, None where there is none yet.
    """

    carrier: str
    event_id: str
    sequence: int
    phase: Phase
    at_us: int
    kind: str
    camera: str | None
    start_us: int
    severity: Severity
    detail: str
    snapshot: str | None
    attempts: int
    since_us: int
    problem: str = ""
    snapshot_sha256: str | None = None

    @property
    def key(self) -> tuple[str, int]:
        """Event and number: the notice."""
        return self.event_id, self.sequence


@dataclass(frozen=True, slots=True)
class Settled:
    """What was journalled of a delivery last, while the index does not know it: when, and after how many attempts."""

    wall_us: int
    attempts: int

    def is_news_of(self, delivery: Delivery) -> bool:
        """Whether the index, which shows `delivery`, does not know it yet."""
        return delivery.since_us <= self.wall_us and delivery.attempts < self.attempts


FOR_GOOD: Final = 2**31  # attempts of what is not offered again


@dataclass(frozen=True, slots=True)
class OutboxTally:
    """How many notices of a carrier wait, since when the oldest does, and how many are dead letters."""

    waiting: int = 0
    oldest_us: int | None = None
    dead: int = 0


class OutboxView(IndexReader):
    """Read-only view of the outbox in the index of a data folder; raises `StoreError`."""

    subject = "outbox"

    def due(self, carrier: str, now_us: int, limit: int) -> tuple[Delivery, ...]:
        """What may be delivered now, the longest due first; of each event only the earliest notice that is not settled."""
        earlier = DELIVERIES.alias()
        waits = exists().where(
            earlier.c.carrier == DELIVERIES.c.carrier,
            earlier.c.event_id == DELIVERIES.c.event_id,
            earlier.c.sequence < DELIVERIES.c.sequence,
            earlier.c.state == "pending",
        )
        query = _deliveries(carrier, "pending").where(DELIVERIES.c.next_us <= now_us, ~waits)
        return self._read(query.order_by(DELIVERIES.c.next_us, DELIVERIES.c.event_id, DELIVERIES.c.sequence).limit(limit))

    def overdue(self, carrier: str, before_us: int, limit: int) -> tuple[Delivery, ...]:
        """What has been pending since before that moment, the oldest first."""
        query = _deliveries(carrier, "pending").where(DELIVERIES.c.since_us < before_us)
        return self._read(query.order_by(DELIVERIES.c.since_us, DELIVERIES.c.event_id, DELIVERIES.c.sequence).limit(limit))

    def dead(self, carrier: str, limit: int = _MOST_DEAD) -> tuple[Delivery, ...]:
        """Its dead letters, the oldest first."""
        query = _deliveries(carrier, "dead")
        return self._read(query.order_by(DELIVERIES.c.settled_us, DELIVERIES.c.event_id, DELIVERIES.c.sequence).limit(limit))

    def tallies(self) -> dict[str, OutboxTally]:
        """How it stands, by carrier; those that nothing waits for are left out."""
        columns = (DELIVERIES.c.carrier, DELIVERIES.c.state)
        query = select(*columns, func.count().label("count"), func.min(DELIVERIES.c.since_us).label("oldest_us"))
        rows = self._all(query.where(DELIVERIES.c.state != "delivered").group_by(*columns))
        found: dict[str, dict[str, Any]] = {}
        for row in rows:
            entry = found.setdefault(row.carrier, {})
            entry.update({"waiting": row.count, "oldest_us": row.oldest_us} if row.state == "pending" else {"dead": row.count})
        return {carrier: OutboxTally(**entry) for carrier, entry in found.items()}

    def delivered(self) -> dict[str, int]:
        """How many notices each carrier has taken, as far back as the index keeps them."""
        query = select(DELIVERIES.c.carrier, func.count().label("count")).where(DELIVERIES.c.state == "delivered")
        return {row.carrier: row.count for row in self._all(query.group_by(DELIVERIES.c.carrier))}

    def problem(self, carrier: str) -> str:
        """Why the carrier did not take what was offered last, among what it has not taken since; empty where it has taken all."""
        query = select(DELIVERIES.c.problem).where(
            DELIVERIES.c.carrier == carrier, DELIVERIES.c.state != "delivered", DELIVERIES.c.problem != ""
        )
        rows = self._all(query.order_by(func.coalesce(DELIVERIES.c.settled_us, DELIVERIES.c.next_us).desc()).limit(1))
        return str(rows[0].problem) if rows else ""

    def _read(self, query: Select[*tuple[Any, ...]]) -> tuple[Delivery, ...]:
        return tuple(_delivery(row) for row in self._all(query))


def unapplied(folder: DataFolder, writer: str) -> dict[str, dict[tuple[str, int], Settled]]:
    """What the journal of `writer` says of deliveries, by carrier and notice, behind what the index has taken in.

    Raises `StoreError`. So who delivers, and was killed, knows what it had delivered.
    """
    with Index(folder) as index:
        offsets = index.journal_offsets()
    found: dict[str, dict[tuple[str, int], Settled]] = {}
    for path in journal_files(folder.journal / writer):
        for record in scan_journal(path, offsets.get((writer, path.name), 0), skip_damage=True).records:
            if isinstance(record, NoticeDelivered | NoticeFailed | NoticeBuried):
                attempts = record.attempt if isinstance(record, NoticeFailed) else FOR_GOOD
                found.setdefault(record.carrier, {})[record.event_id, record.sequence] = Settled(record.wall_us, attempts)
    return found


def _deliveries(carrier: str, state: str) -> Select[*tuple[Any, ...]]:
    is_its_notice = (NOTICES.c.event_id == DELIVERIES.c.event_id) & (NOTICES.c.sequence == DELIVERIES.c.sequence)
    columns = [
        *(DELIVERIES.c[name] for name in ("carrier", "event_id", "sequence", "attempts", "since_us", "problem")),
        *(NOTICES.c[name] for name in ("phase", "at_us", "severity", "detail", "snapshot")),
        *(EVENTS.c[name] for name in ("kind", "camera", "start_us")),
        SNAPSHOTS.c.sha256.label("snapshot_sha256"),
    ]
    joined = DELIVERIES.join(NOTICES, is_its_notice).join(EVENTS, EVENTS.c.event_id == NOTICES.c.event_id)
    joined = joined.outerjoin(SNAPSHOTS, SNAPSHOTS.c.event_id == NOTICES.c.event_id)
    return select(*columns).select_from(joined).where(DELIVERIES.c.carrier == carrier, DELIVERIES.c.state == state)


def _delivery(row: Any) -> Delivery:
    values: dict[str, Any] = {name: getattr(row, name) for name in Delivery.__slots__}
    values |= {"phase": Phase(row.phase), "severity": Severity(row.severity)}
    return Delivery(**values)
