"""Does what retention decided: shares first, then the books, then the bytes; each step may be the last before a crash.

The order, and what is known to the index at each point:

1. `destroying` names the epochs that go whole. From here on nothing brings them back.
2. Their shares are destroyed, on every mirror.
3. In one transaction the segments become `garbage`, and `forgotten`, `destroyed_epochs`,
   `stored` and an act say so.
4. The files are unlinked, their folders synced.
5. The rows of the garbage are dropped.

After a crash the next pass goes on at 2 for what `destroying` names, and at 4 for what is garbage.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, delete, exists, func, insert, literal, select, update

from lamppost.base.clock import Clock, format_utc
from lamppost.base.durable import remove_durable, sync_directory, write_durable
from lamppost.base.errors import StoreError
from lamppost.base.ids import timed_id
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.applying import count_stored
from lamppost.store.forgotten import Past, book_forgotten
from lamppost.store.retention import Cause
from lamppost.store.schema import ACTS, DESTROYED_EPOCHS, DESTROYING, EPOCH_SHARES, EPOCHS, SEGMENTS
from lamppost.store.transactions import Transactions
from lamppost.store.vault import Vault

SWEEP_LIMIT: Final = 100
_CHUNK: Final = 500  # parameters of one statement


@dataclass(frozen=True, slots=True)
class Going:
    """A segment on its way out, and why."""

    segment_id: str
    cause: Cause


@dataclass(frozen=True, slots=True)
class Epoch:
    """An epoch whose shares go."""

    epoch_id: str
    camera: str
    start_us: int


class Forgetting:
    """Takes the steps, each of which may be taken again; raises `StoreError` for what could not be done.

    `step` is told before each one; tests end the process there.
    """

    def __init__(
        self,
        folder: DataFolder,
        books: Transactions,
        clock: Clock,
        *,
        vault: Vault | None = None,
        step: Callable[[str], None] | None = None,
    ) -> None:
        self._folder = folder
        self._books = books
        self._clock = clock
        self._vault = vault or Vault(folder.vault)
        self._step: Callable[[str], None] = step or (lambda _name: None)
        self.forgotten_segments = 0
        self.forgotten_bytes = 0

    def resume(self) -> None:
        """Go on with epochs whose destruction was begun."""
        begun = self._books.read(_epochs().where(EPOCHS.c.epoch_id.in_(select(DESTROYING.c.epoch_id))))
        if begun:
            self._destroy([Epoch(row.epoch_id, row.camera, row.start_us) for row in begun], [])

    def forget(self, going: Sequence[Going], epoch_ids: Iterable[str]) -> None:
        """Forget segments, and the epochs of which nothing is left then."""
        wanted = tuple(epoch_ids)
        epochs = [Epoch(r.epoch_id, r.camera, r.start_us) for ids in _chunks(wanted) for r in self._books.read(_epochs(ids))]
        if epochs:
            self._step("begin")
            with self._books.write() as connection:
                connection.execute(insert(DESTROYING), [{"epoch_id": e.epoch_id, "begun_us": self._clock.wall_us()} for e in epochs])
        self._destroy(epochs, going)

    def sweep(self, is_due: Callable[[], bool]) -> bool:
        """Unlink what is garbage, a folder at a time while `is_due`; true when none is left.

        What was lost, and never forgotten, is not touched.
        """
        query = select(SEGMENTS).where(SEGMENTS.c.state == "garbage", SEGMENTS.c.record_sha256.is_not(None)).limit(SWEEP_LIMIT)
        folders: dict[Path, list[Any]] = {}
        rows = self._books.read(query)
        for row in rows:
            folders.setdefault((self._folder.root / row.path).parent, []).append(row)
        gone: list[str] = []
        try:
            for folder, inside in folders.items():
                if not is_due():
                    break
                self._keep_newest(inside)
                self._unlink(folder, inside)
                gone += [row.segment_id for row in inside]
        finally:
            self._drop(gone)
        return len(gone) == len(rows) < SWEEP_LIMIT

    def drop_lost(self, is_due: Callable[[str, Rendition, int, int], bool]) -> None:
        """Drop what was lost long ago, as its time comes; it was never footage that could be opened."""
        query = select(SEGMENTS).where(SEGMENTS.c.state == "garbage", SEGMENTS.c.record_sha256.is_(None)).limit(SWEEP_LIMIT)
        rows = [row for row in self._books.read(query) if is_due(row.camera, Rendition(row.rendition), row.start_us, row.end_us)]
        for row in rows:
            path = self._folder.root / row.path
            if path.parent.is_dir():
                remove_durable(path)
        self._drop([row.segment_id for row in rows])

    def destroy_unused(self, epochs: Sequence[Epoch]) -> None:
        """Destroy epochs that nothing is sealed to."""
        known = {row.epoch_id for ids in _chunks([e.epoch_id for e in epochs]) for row in self._books.read(_destroyed(ids))}
        for epoch in epochs:
            if epoch.epoch_id in known:  # shares that came back with a copy of the vault
                self._vault.delete(epoch.camera, epoch.epoch_id, keep_note=self._is_newest(epoch))
        self.forget([], [epoch.epoch_id for epoch in epochs if epoch.epoch_id not in known])

    def _destroy(self, epochs: Sequence[Epoch], going: Sequence[Going]) -> None:
        failure: StoreError | None = None
        destroyed: list[Epoch] = []
        for epoch in epochs:
            self._step("destroy")
            try:
                self._vault.delete(epoch.camera, epoch.epoch_id, keep_note=self._is_newest(epoch))
                self._drop_older_note(epoch)
                destroyed.append(epoch)
            except StoreError as error:
                failure = error
        kept = {epoch.epoch_id for epoch in epochs} - {epoch.epoch_id for epoch in destroyed}
        self._step("book")
        with self._books.write() as connection:
            rows = _closed(connection, going, destroyed, kept)
            self._book(connection, rows, destroyed, {g.segment_id: g.cause for g in going})
        self.forgotten_segments += len(rows)
        self.forgotten_bytes += sum(row.size_bytes for row in rows)
        if failure is not None:
            raise failure

    def _book(self, connection: Connection, rows: Sequence[Any], destroyed: Sequence[Epoch], causes: dict[str, Cause]) -> None:
        now_us = self._clock.wall_us()
        places: dict[tuple[str, str], list[Any]] = {}
        for row in rows:
            places.setdefault((row.camera, row.rendition), []).append(row)
        for (camera, rendition), inside in places.items():
            pasts = [Past(row.start_us, row.end_us, row.run_id, row.sequence, row.size_bytes) for row in inside]
            book_forgotten(connection, camera, rendition, pasts)
            count_stored(connection, camera, rendition, segments=-len(inside), size_bytes=-sum(row.size_bytes for row in inside))
        for ids in _chunks([row.segment_id for row in rows]):
            connection.execute(update(SEGMENTS).where(SEGMENTS.c.segment_id.in_(ids)).values(state="garbage"))
        for ids in _chunks([epoch.epoch_id for epoch in destroyed]):
            again = ~exists().where(DESTROYED_EPOCHS.c.epoch_id == EPOCHS.c.epoch_id)
            new = select(EPOCHS.c.epoch_id, literal(now_us)).where(EPOCHS.c.epoch_id.in_(ids), again)
            connection.execute(insert(DESTROYED_EPOCHS).from_select(["epoch_id", "destroyed_us"], new))
            connection.execute(delete(EPOCH_SHARES).where(EPOCH_SHARES.c.epoch_id.in_(ids)))
            connection.execute(delete(DESTROYING).where(DESTROYING.c.epoch_id.in_(ids)))
        for camera in sorted({row.camera for row in rows} | {epoch.camera for epoch in destroyed}):
            ids = sorted(epoch.epoch_id for epoch in destroyed if epoch.camera == camera)
            connection.execute(insert(ACTS).values(_act(camera, [row for row in rows if row.camera == camera], ids, causes, now_us)))

    def _drop_older_note(self, epoch: Epoch) -> None:
        """Remove the note of the one that was the newest destroyed one of its camera until now."""
        query = _epochs().where(EPOCHS.c.camera == epoch.camera, EPOCHS.c.start_us < epoch.start_us)
        query = query.where(exists().where(DESTROYED_EPOCHS.c.epoch_id == EPOCHS.c.epoch_id))
        for row in self._books.read(query.order_by(EPOCHS.c.start_us.desc()).limit(1)):
            self._vault.delete(epoch.camera, row.epoch_id)

    def _is_newest(self, epoch: Epoch) -> bool:
        """Whether the camera has no later epoch: the recorder counts on from the note of the newest."""
        return not self._books.read(_epochs().where(EPOCHS.c.camera == epoch.camera, EPOCHS.c.start_us > epoch.start_us).limit(1))

    def _keep_newest(self, rows: Sequence[Any]) -> None:
        """Copy the newest record of a camera before its segment goes: the chain goes on from it."""
        camera, rendition = rows[0].camera, Rendition(rows[0].rendition)
        place = (SEGMENTS.c.camera == camera, SEGMENTS.c.rendition == rendition.value, SEGMENTS.c.record_sha256.is_not(None))
        newest = self._books.read(select(SEGMENTS.c.segment_id).where(*place).order_by(SEGMENTS.c.start_us.desc()).limit(1))
        if not newest or newest[0].segment_id not in {row.segment_id for row in rows}:
            return
        last = max(rows, key=lambda row: row.sequence)
        try:
            note = (self._folder.root / last.path).with_suffix(".record").read_bytes()
        except FileNotFoundError:
            return  # an earlier pass was cut off after this, and the copy is there
        except OSError as error:
            raise StoreError(f"cannot read the record of {last.path}: {error.strerror}") from error
        self._step("keep record")
        write_durable(self._folder.last_record(camera, rendition), note)

    def _unlink(self, folder: Path, rows: Sequence[Any]) -> None:
        try:
            for row in rows:
                # The record last: a file of footage without one could be nobody's.
                for path in (self._folder.root / row.path, (self._folder.root / row.path).with_suffix(".record")):
                    self._step("unlink")
                    path.unlink(missing_ok=True)
            self._step("sync")
            if folder.is_dir():
                sync_directory(folder)
        except OSError as error:
            raise StoreError(f"cannot remove footage in {folder}: {error.strerror}", remedy="is the disk read-only or failing?") from error

    def _drop(self, segment_ids: Sequence[str]) -> None:
        if segment_ids:
            self._step("drop")
            with self._books.write() as connection:
                for ids in _chunks(segment_ids):
                    connection.execute(delete(SEGMENTS).where(SEGMENTS.c.segment_id.in_(ids), SEGMENTS.c.state == "garbage"))


def kept_counts(books: Transactions, epoch_ids: Sequence[str]) -> dict[str, int]:
    """How many segments of each epoch are neither garbage nor lost."""
    counts: dict[str, int] = {}
    for ids in _chunks(epoch_ids):
        query = select(SEGMENTS.c.epoch_id, func.count().label("count")).where(SEGMENTS.c.epoch_id.in_(ids), SEGMENTS.c.state != "garbage")
        counts |= {row.epoch_id: row.count for row in books.read(query.group_by(SEGMENTS.c.epoch_id))}
    return counts


def _closed(connection: Connection, going: Sequence[Going], destroyed: Sequence[Epoch], kept: set[str]) -> list[Any]:
    """The rows of what goes, and of all that was sealed to what is destroyed; not those of epochs whose shares are still there."""
    rows: dict[str, Any] = {}
    # Not `state = 'closed'` as well: SQLite would take the index of states, and read nearly all there is.
    for ids in _chunks([epoch.epoch_id for epoch in destroyed]):
        rows |= {row.segment_id: row for row in connection.execute(select(SEGMENTS).where(SEGMENTS.c.epoch_id.in_(ids)))}
    for ids in _chunks([one.segment_id for one in going]):
        found = connection.execute(select(SEGMENTS).where(SEGMENTS.c.segment_id.in_(ids)))
        rows |= {row.segment_id: row for row in found if row.epoch_id not in kept}
    return [row for row in rows.values() if row.state == "closed"]


def _act(camera: str, rows: Sequence[Any], epoch_ids: Sequence[str], causes: dict[str, Cause], now_us: int) -> dict[str, Any]:
    detail: dict[str, Any] = {"epochs": list(epoch_ids)}
    for rendition in Rendition:
        inside = [row for row in rows if row.rendition == rendition.value]
        if inside:
            detail[rendition.value] = {
                "segments": len(inside),
                "size_bytes": sum(row.size_bytes for row in inside),
                "from": format_utc(min(row.start_us for row in inside)),
                "to": format_utc(max(row.end_us for row in inside)),
            }
    detail["causes"] = sorted({causes.get(row.segment_id, Cause.AGE).value for row in rows})
    return {
        "act_id": timed_id(now_us),
        "kind": "footage_forgotten",
        "wall_us": now_us,
        "actor": "retention",
        "subject": camera,
        "detail": json.dumps(detail),
    }


def _epochs(ids: Sequence[str] | None = None) -> Any:
    query = select(EPOCHS.c.epoch_id, EPOCHS.c.camera, EPOCHS.c.start_us)
    return query if ids is None else query.where(EPOCHS.c.epoch_id.in_(ids))


def _destroyed(ids: Sequence[str]) -> Any:
    return select(DESTROYED_EPOCHS.c.epoch_id).where(DESTROYED_EPOCHS.c.epoch_id.in_(ids))


def _chunks(ids: Sequence[str]) -> Iterable[Sequence[str]]:
    return (ids[start : start + _CHUNK] for start in range(0, len(ids), _CHUNK))
