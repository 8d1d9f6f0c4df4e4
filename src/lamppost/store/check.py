"""`lamppost check`: proves that index, journals, files and vault agree, or says where they do not.

Every test of the store ends with it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import Final

from lamppost.base.clock import US_PER_S, Clock, format_utc
from lamppost.base.errors import DataFolderBusy, StoreError
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.store.account import Account
from lamppost.store.check_files import FileCheck
from lamppost.store.check_report import CheckCounts, CheckReport, CheckTools, Findings, RecordView
from lamppost.store.check_snapshots import check_snapshots
from lamppost.store.check_vault import check_vault
from lamppost.store.index import Index, SegmentRow
from lamppost.store.journal import is_locked, journal_files, scan_journal, writers
from lamppost.store.orphans import segment_files
from lamppost.store.recovery import read_books
from lamppost.store.repair import repair_folder

_REPAIR: Final = "`lamppost check --repair` or the next start mends it"
_GARBAGE: Final = "the next start removes it"


def check(folder: DataFolder, *, clock: Clock, tools: CheckTools, repair: bool = False, deep: bool = True) -> CheckReport:
    """Look at everything in `folder`; with `repair`, mend first what can be mended without inventing anything.

    `deep` hashes every byte that was recorded. While processes write, what they
    have open is not judged, and `repair` raises `DataFolderBusy`. Raises
    `StoreError` when there is no index, or it cannot be read.
    """
    is_live = is_written(folder)
    if repair and is_live:
        raise DataFolderBusy(f"{folder.root} is in use", remedy="stop `lamppost serve` first")
    repaired = repair_folder(folder, clock, tools) if repair else ()
    findings = Findings()
    # Files first, journals second, index last: what is new in between is known to the later one.
    files = {folder.relative(path): rendition for rendition in Rendition for path in segment_files(folder, rendition)}
    journalled = _journalled_paths(folder)
    with Index(folder) as index:
        for line in index.integrity():
            findings.error(f"the index is damaged: {line}", str(folder.index), "`lamppost check --repair` makes it anew")
        file_count, is_behind = _check_journals(folder, index, findings, is_live=is_live)
        file_check = FileCheck(folder, tools, findings, deep=deep)
        rows = index.all_paths()
        file_check.is_still_there = lambda row: index.segment_state(row.segment_id) in ("open", "closed")
        _check_segments(folder, index, rows, file_check, findings, is_live=is_live)
        _check_stored(index, rows, findings)
        for path, rendition in files.items():
            is_awaited = path in journalled and is_behind
            if path not in rows and not is_awaited and not is_live:
                file_check.check_unlisted(folder.root / path, rendition)
        if not is_live:
            file_check.check_strangers({row.segment_id for row in rows.values() if row.state == "garbage"})
            check_snapshots(folder, index, findings, is_behind=is_behind, deep=deep)
        used = {row.epoch_id for row in rows.values() if row.epoch_id is not None and row.state != "garbage"}
        vault = check_vault(folder, index, used, tools, findings)
        accounts = tuple(_accounts(index, findings, None if is_live else clock.wall_us()))
        counts = CheckCounts(
            segments=sum(row.state == "closed" for row in rows.values()),
            open_segments=sum(row.state == "open" for row in rows.values()),
            fragments=file_check.fragments,
            hashed_bytes=file_check.hashed_bytes,
            gaps=len(index.gaps()),
            covers=len(index.covered()),
            epochs=vault.epochs,
            shares=vault.shares,
            destroyed_epochs=vault.destroyed,
            acts=len(index.acts()),
            journal_files=file_count,
        )
    return CheckReport(tuple(findings.found), findings.left_out, counts, accounts, repaired, is_live)


def is_written(folder: DataFolder) -> bool:
    """Whether some process holds a journal or the bookkeeper's lock."""
    locks = [folder.run / "bookkeeper.lock", *(folder.journal / writer / "lock" for writer in writers(folder.journal))]
    return any(is_locked(path) for path in locks)


def _journalled_paths(folder: DataFolder) -> set[str]:
    paths: set[str] = set()
    for writer in writers(folder.journal):
        paths |= read_books(folder, writer).paths
    return paths


def _check_journals(folder: DataFolder, index: Index, findings: Findings, *, is_live: bool) -> tuple[int, bool]:
    """Every journal can be read, and the index has applied it; returns the number of files, and whether it is behind."""
    offsets = index.journal_offsets()
    count, is_behind = 0, False
    for writer in writers(folder.journal):
        for path in journal_files(folder.journal / writer):
            count += 1
            where = folder.relative(path)
            try:
                scan = scan_journal(path, skip_damage=True)
            except StoreError as error:
                if path.exists():  # else the bookkeeper has just removed it
                    findings.error(error.problem, where)
                continue
            for damage in scan.damages:
                findings.error(f"byte {damage.start} to {damage.end}: {damage.reason}", where, damage.to_error().remedy)
            if scan.is_torn and not is_live:
                findings.note("a torn tail: the writer was cut off there", where)
            applied = offsets.get((writer, path.name), 0)
            is_behind = is_behind or applied < scan.next_offset
            if applied < scan.next_offset and not is_live:
                findings.warning(f"{scan.next_offset - applied} bytes of it are not in the index yet", where, _REPAIR)
            elif applied > scan.next_offset and not is_live:
                findings.note("the index knows more than the journal: a power loss took its end", where)
    return count, is_behind


def _check_segments(
    folder: DataFolder, index: Index, rows: dict[str, SegmentRow], file_check: FileCheck, findings: Findings, *, is_live: bool
) -> None:
    chains: dict[tuple[Rendition, str], list[tuple[RecordView, str]]] = {}
    for row in rows.values():
        if row.state == "closed":
            record = file_check.check_closed(row)
            if record is not None:
                chains.setdefault((row.rendition, row.camera), []).append(record)
        elif row.state == "open" and not is_live:
            findings.warning("a segment was never ended", row.path, _REPAIR)
        elif row.state == "garbage" and not is_live:
            path = folder.root / row.path
            if path.exists() or path.with_suffix(".record").exists():
                findings.warning("garbage was not removed", row.path, _GARBAGE)
    for (rendition, camera), records in sorted(chains.items()):
        last = file_check.last_record(camera, rendition)
        gone = [(span.start_us, span.end_us) for span in index.forgotten(camera, rendition)]
        file_check.check_chain(f"{rendition.value}/{camera}", [*records, *([last] if last is not None else [])], gone)


def _check_stored(index: Index, rows: dict[str, SegmentRow], findings: Findings) -> None:
    """What retention goes by is what there is."""
    counted: Counter[tuple[str, Rendition]] = Counter()
    for row in rows.values():
        if row.state == "closed":
            counted[(row.camera, row.rendition)] += row.size_bytes
    for place, (_, size_bytes) in index.stored().items():
        if counted[place] != size_bytes and index.all_paths() == rows:  # else the bookkeeper goes on meanwhile
            findings.error(f"the index adds up {size_bytes} bytes, and its rows {counted[place]}", "/".join(place), "report it")


def _accounts(index: Index, findings: Findings, until_us: int | None) -> Iterator[Account]:
    for camera in index.cameras():
        account = index.account(camera, until_us)
        if account is None:
            continue
        yield account
        for start, end in account.unexplained[:10]:
            findings.error(
                f"{(end - start) / US_PER_S:.3f} s from {format_utc(start)} are neither recorded nor a declared gap",
                f"camera {camera}",
                "look at the log of that time, and report it",
            )
