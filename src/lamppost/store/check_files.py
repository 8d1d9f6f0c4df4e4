"""Checks that every segment is the file that its record and its row say, and every file a segment."""

from __future__ import annotations

import hashlib
import tarfile
from collections.abc import Callable, Collection, Sequence
from pathlib import Path
from typing import BinaryIO, Final

from lamppost.base.errors import SealError
from lamppost.model.books import Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.store.check_report import CheckTools, Findings, RecordView
from lamppost.store.index import SegmentRow
from lamppost.store.intervals import Spans
from lamppost.store.orphans import holds_footage, segment_files
from lamppost.store.recovery import range_sha256

AGE_HEAD: Final = b"age-encryption.org/v1\n"
_TAR_BLOCK_BYTES: Final = 512
_REPAIR: Final = "`lamppost check --repair` or the next start mends it"
_UNREADABLE: Final = "let this user read the data folder, or look at the disk"
_RESTORE: Final = "restore the file from a backup; what is lost stays on the record"


class FileCheck:
    """Looks at the files of one data folder; what it finds goes to `findings`."""

    def __init__(self, folder: DataFolder, tools: CheckTools, findings: Findings, *, deep: bool) -> None:
        self._folder = folder
        self._tools = tools
        self._findings = findings
        self._deep = deep
        # A segment may be deleted while it is looked at; whether its row is still there is asked again then.
        self.is_still_there: Callable[[SegmentRow], bool] = lambda _row: True
        self.fragments = 0
        self.hashed_bytes = 0

    def check_closed(self, row: SegmentRow) -> tuple[RecordView, str] | None:
        """Check a closed segment; return its record and that one's hash, or None when it has no valid one."""
        try:
            return self._check_closed(row)
        except OSError as error:  # one unreadable file must not keep the others from being checked
            self._findings.error(f"it cannot be read: {error.strerror}", row.path, _UNREADABLE)
            return None

    def _check_closed(self, row: SegmentRow) -> tuple[RecordView, str] | None:
        path = self._folder.root / row.path
        try:
            size_bytes = path.stat().st_size
        except FileNotFoundError:
            if self.is_still_there(row):
                self._findings.error("the file of a segment is missing", row.path, _RESTORE)
            return None
        if size_bytes != row.size_bytes:
            self._findings.error(f"the file has {size_bytes} bytes, and should have {row.size_bytes}", row.path, _RESTORE)
        record_path = path.with_suffix(".record")
        where = self._folder.relative(record_path)
        try:
            note = record_path.read_bytes()
            record = self._tools.read_record(note)
        except FileNotFoundError:
            if self.is_still_there(row):
                self._findings.error("a segment has no record", where, _RESTORE)
            return None
        except SealError as error:
            self._findings.error(error.problem, where, error.remedy or _RESTORE)
            return None
        sha256 = hashlib.sha256(note).hexdigest()
        if sha256 != row.record_sha256:
            self._findings.error("the record is not the one that was journalled", where)
        for name, is_said in _differences(row, record):
            self._findings.error(f"the index and the signed record differ in {name}", where, f"the record says {is_said}")
        self.fragments += len(record.fragments)
        with path.open("rb") as file:
            self._check_content(file, row.path, record)
        return record, sha256

    def last_record(self, camera: str, rendition: Rendition) -> tuple[RecordView, str] | None:
        """The copy that was kept of the newest record among those of deleted segments, if there is one."""
        path = self._folder.last_record(camera, rendition)
        where = self._folder.relative(path)
        try:
            note = path.read_bytes()
            record = self._tools.read_record(note)
        except FileNotFoundError:
            return None
        except SealError as error:
            self._findings.error(error.problem, where, error.remedy or _RESTORE)
            return None
        if (record.camera, record.rendition) != (camera, rendition):
            self._findings.error("the record is of another camera or rendition", where, _RESTORE)
            return None
        return record, hashlib.sha256(note).hexdigest()

    def check_chain(self, place: str, records: Sequence[tuple[RecordView, str]], gone: Spans = ()) -> None:
        """Check that each record names the one before it; `records` of one camera and rendition.

        Records may be missing where `gone`, the spans that were forgotten, has something between their neighbours.
        """
        expected, previous, is_late = {""}, -1, False
        earlier: RecordView | None = None
        for record, sha256 in sorted(records, key=lambda item: item[0].sequence):
            # A segment that a full disk kept from ending is ended by recovery, after its successors' records were
            # written: they follow the one before it, or, where only the journal was full, its first record.
            is_next = record.previous_sha256 in expected or (is_late and record.sequence == previous + 1)
            if not is_next and not (record.sequence > previous + 1 and _is_forgotten_between(earlier, record, gone)):
                what = f"record {record.sequence} ({record.segment_id}) does not follow record {previous}" if previous >= 0 else (
                    f"the first record there is, {record.sequence} ({record.segment_id}), follows another one"
                )  # fmt: skip
                self._findings.error(f"the chain is broken: {what}", place, "a segment was taken out, or its record is damaged")
            is_late = record.end is SegmentEnd.RECOVERED
            expected = {sha256, *(expected if is_late else ())}
            previous, earlier = record.sequence, record

    def check_unlisted(self, path: Path, rendition: Rendition) -> None:
        """Tell of a segment file that neither index nor journal knows."""
        where = self._folder.relative(path)
        if path.with_suffix(".record").exists():
            self._findings.error("a segment is not in the index", where, "`lamppost check --repair` restores its row from its record")
        elif holds_footage(path, rendition):
            self._findings.error(
                "a file with footage that no journal names", where, "no row can be made of it; keep it or remove it by hand"
            )
        else:
            self._findings.warning("a file without footage that no journal names", where, _REPAIR)

    def check_strangers(self, garbage: Collection[str] = ()) -> None:
        """Tell of what lies among the segments and is none; records of `garbage` are on their way out."""
        for rendition in Rendition:
            known = {path.stem for path in segment_files(self._folder, rendition)} | set(garbage)
            suffix = "tar" if rendition is Rendition.SEALED else "mp4"
            for path in sorted((self._folder.root / rendition.value).rglob("*")):
                where = self._folder.relative(path)
                if path.is_dir() or path.suffix == f".{suffix}" or (path.name.startswith(".") and path.suffix == ".tmp"):
                    continue  # the last: what a killed `write_durable` leaves
                if path.suffix != ".record":
                    self._findings.error(f"no {rendition.value} segment, and nothing else belongs here", where, "move it away")
                elif path.stem not in known and path != self._folder.last_record(path.parent.name, rendition):
                    self._findings.error("the file of a record is missing", where, _RESTORE)

    def _check_content(self, file: BinaryIO, where: str, record: RecordView) -> None:
        ranges = [(0, record.header_bytes, record.header_sha256, "header")]
        ranges += [(part.offset, part.length, part.sha256, f"fragment {n}") for n, part in enumerate(record.fragments, 1)]
        if self._deep:
            for offset, length, sha256, name in ranges:
                self.hashed_bytes += length
                if range_sha256(file, offset, length) != sha256:
                    self._findings.error(f"{name} (byte {offset}, {length} bytes) is not what was written", where, _RESTORE)
        if record.rendition is Rendition.SEALED:
            self._check_sealed(file, where, record)

    def _check_sealed(self, file: BinaryIO, where: str, record: RecordView) -> None:
        for offset in (_TAR_BLOCK_BYTES, *(part.offset for part in record.fragments)):
            file.seek(offset)
            if file.read(len(AGE_HEAD)) != AGE_HEAD:
                self._findings.error(
                    f"what starts at byte {offset} is not encrypted with age", where, "treat it as plaintext: it must not lie here"
                )
        file.seek(0)
        try:
            with tarfile.open(fileobj=file, mode="r:") as archive:
                members = [(member.offset_data, member.size) for member in archive.getmembers()]
        except tarfile.TarError as error:
            self._findings.error(f"tar cannot read it: {error}", where, _RESTORE)
            return
        if members[1:] != [(part.offset, part.length) for part in record.fragments]:
            self._findings.error("the members of the tar are not the fragments of the record", where, _RESTORE)


def _is_forgotten_between(earlier: RecordView | None, later: RecordView, gone: Spans) -> bool:
    first_us = min(earlier.start_us, later.start_us) if earlier is not None else min((start for start, _ in gone), default=0)
    return any(start < max(later.start_us, first_us) and end > first_us for start, end in gone)


def _differences(row: SegmentRow, record: RecordView) -> list[tuple[str, object]]:
    pairs = (
        ("segment", row.segment_id, record.segment_id),
        ("camera", row.camera, record.camera),
        ("rendition", row.rendition, record.rendition),
        ("epoch", row.epoch_id, record.epoch_id),
        ("run", row.run_id, record.run_id),
        ("sequence", row.sequence, record.sequence),
        ("start", row.start_us, record.start_us),
        ("end", row.end_us, max(record.start_us, record.end_us)),
        ("size", row.size_bytes, record.size_bytes),
        ("frames", row.frames, record.frames),
        ("fragments", row.fragments, len(record.fragments)),
        ("end reason", row.end_reason, record.end.value),
    )
    return [(name, said) for name, known, said in pairs if known != said]
