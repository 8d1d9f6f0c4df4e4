"""Acts for who looks at the record: the newest first, page by page. Every view of a picture is one, so there are many."""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import or_, select

from lamppost.model.books import Act
from lamppost.store.index import FOREVER_US
from lamppost.store.index_reader import IndexReader
from lamppost.store.schema import ACTS

After = tuple[int, str]
MOST_SUBJECTS: Final = 500


@dataclass(frozen=True, slots=True)
class ActFilter:
    """Which acts; what is empty stands for all. `subjects` None: whatever they are about."""

    subjects: tuple[str, ...] | None = None
    kinds: tuple[str, ...] = ()
    actor: str = ""
    from_us: int = 0
    to_us: int = FOREVER_US


class ActPages(IndexReader):
    """Read-only view of the acts in the index of a data folder; raises `StoreError`."""

    def page(self, wanted: ActFilter, *, after: After | None = None, limit: int) -> tuple[Act, ...]:
        """The newest first; those of one moment by id."""
        queries = [select(ACTS)] if wanted.subjects is None else [select(ACTS).where(ACTS.c.subject == name) for name in wanted.subjects]
        parts = [self._all(_page_of(query, wanted, after, limit)) for query in queries[:MOST_SUBJECTS]]
        newest = heapq.merge(*parts, key=lambda row: (row.wall_us, row.act_id), reverse=True)
        return tuple(
            Act(row.act_id, row.kind, row.wall_us, row.actor, row.subject, row.detail) for row, _ in zip(newest, range(limit), strict=False)
        )

    def kinds(self) -> tuple[str, ...]:
        """Every kind of act that there is, found without reading them all."""
        found: list[str] = []
        while rows := self._all(select(ACTS.c.kind).where(ACTS.c.kind > (found[-1] if found else "")).order_by(ACTS.c.kind).limit(1)):
            found.append(rows[0].kind)
        return tuple(found)


def _page_of(query: Any, wanted: ActFilter, after: After | None, limit: int) -> Any:
    query = query.where(ACTS.c.wall_us >= wanted.from_us)
    if wanted.kinds:
        query = query.where(ACTS.c.kind.in_(wanted.kinds))
    if wanted.actor:
        query = query.where(ACTS.c.actor == wanted.actor)
    # One bound on either side: of two the database would take the first that it sees, and read all up to the other.
    if after is None or after[0] >= wanted.to_us:
        query = query.where(ACTS.c.wall_us < wanted.to_us)
    else:
        at_us, act_id = after
        query = query.where(ACTS.c.wall_us <= at_us, or_(ACTS.c.wall_us < at_us, ACTS.c.act_id < act_id))
    return query.order_by(ACTS.c.wall_us.desc(), ACTS.c.act_id.desc()).limit(limit)
