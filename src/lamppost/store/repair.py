"""Mends what a crash, or the loss of the index, leaves in a data folder.

It invents nothing, and deletes only what is proven to hold no footage.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator

from lamppost.base.clock import Clock
from lamppost.base.durable import remove_durable, sync_directory
from lamppost.base.errors import SealError, StoreError
from lamppost.base.ids import compact_utc
from lamppost.model.books import Act, JournalRecord, Rendition, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.check_report import CheckTools, RecordView
from lamppost.store.check_vault import vault_folders
from lamppost.store.index import Index
from lamppost.store.journal import writers
from lamppost.store.orphans import holds_footage, segment_files
from lamppost.store.recovery import read_books
from lamppost.store.settling import closed_of, settle
from lamppost.store.vault import SEAL_NOTE, Vault

RESTORED = "restored/record"  # where restored rows were "opened": no journal has that name


def repair_folder(folder: DataFolder, clock: Clock, tools: CheckTools) -> tuple[str, ...]:
    """Recover every writer, bring the index up to journals, records and seal notes; returns what was done.

    The caller has made sure that no process writes. Raises `StoreError`.
    """
    done = list(_set_damaged_index_aside(folder, clock))
    for writer in writers(folder.journal):
        books = read_books(folder, writer)
        if books.segments:
            done.append(f"recovered {writer}: {len(books.segments)} open segments")
        tools.recover(writer)
    with Bookkeeper(folder, clock) as bookkeeper:
        applied = bookkeeper.apply_new()
        if applied:
            done.append(f"applied {applied} journal records")
        with Index(folder) as index:
            known_epochs = {epoch.epoch_id for epoch in index.epochs()}
            known_paths = set(index.all_paths())
        for records, what in (*_lost_epochs(folder, known_epochs, tools), *_lost_segments(folder, known_paths, tools)):
            bookkeeper.add(records, RESTORED)
            done.append(what)
        done += settle(folder, bookkeeper, clock, tools)
        for act in _orphans(folder, known_paths, clock):
            bookkeeper.add([act], RESTORED)
            remove_durable(folder.root / act.subject)
            done.append(f"removed {act.subject}, which held no footage")
        bookkeeper.recount()
    stale = Vault(folder.vault).remove_stale()
    if stale:
        done.append(f"removed {stale} epochs that a killed sealer left half-written")
    return tuple(done)


def _set_damaged_index_aside(folder: DataFolder, clock: Clock) -> Iterator[str]:
    if not folder.index.is_file():
        yield "made the index anew"
        return
    try:
        with Index(folder) as index:
            broken = index.integrity()
    except StoreError as error:
        broken = (error.problem,)
    if not broken:
        return
    suffix = f".damaged-{compact_utc(clock.wall_us())}"
    for name in ("index.db", "index.db-wal", "index.db-shm"):
        path = folder.index.with_name(name)
        if path.exists():
            path.rename(path.with_name(name + suffix))
    sync_directory(folder.index.parent)
    yield f"set the damaged index aside (*{suffix}) and made it anew: {broken[0]}"


def _lost_epochs(folder: DataFolder, known: set[str], tools: CheckTools) -> Iterator[tuple[list[JournalRecord], str]]:
    for place in vault_folders(folder):
        if place.name in known:
            continue
        try:
            epoch = tools.read_seal((place / SEAL_NOTE).read_bytes())
        except (FileNotFoundError, SealError):
            continue  # `check` tells of it
        yield [epoch], f"restored epoch {epoch.epoch_id} from its seal note"


def _lost_segments(folder: DataFolder, known: set[str], tools: CheckTools) -> Iterator[tuple[list[JournalRecord], str]]:
    for rendition in Rendition:
        for path in segment_files(folder, rendition):
            relative = folder.relative(path)
            if relative in known:
                continue
            try:
                note = path.with_suffix(".record").read_bytes()
                record = tools.read_record(note)
            except (FileNotFoundError, SealError):
                continue  # `check` tells of it
            yield _records_of(record, relative, hashlib.sha256(note).hexdigest()), f"restored the row of {relative} from its record"


def _records_of(record: RecordView, path: str, record_sha256: str) -> list[JournalRecord]:
    opened = SegmentOpened(
        segment_id=record.segment_id,
        camera=record.camera,
        rendition=record.rendition,
        path=path,
        run_id=record.run_id,
        epoch_id=record.epoch_id,
        sequence=record.sequence,
        wall_us=record.start_us,
        header_bytes=record.header_bytes,
        header_sha256=record.header_sha256,
    )
    return [opened, closed_of(record, record_sha256)]


def _orphans(folder: DataFolder, known: set[str], clock: Clock) -> Iterator[Act]:
    """An act for each file that no row and no record names, and that holds no footage."""
    for rendition in Rendition:
        for path in segment_files(folder, rendition):
            relative = folder.relative(path)
            if relative in known or path.with_suffix(".record").exists() or holds_footage(path, rendition):
                continue
            yield Act(f"orphan-{path.stem}", "orphan_dropped", clock.wall_us(), "lamppost", relative, json.dumps({"path": relative}))
