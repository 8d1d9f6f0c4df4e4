"""A recorder in miniature for tests of the store: real files and journals, no video.

It follows the segment writer's order: bytes first, then the journal; the signed
record first, then the closing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from lamppost.base.clock import Clock, ManualClock
from lamppost.base.durable import make_directory, sync_directory
from lamppost.base.errors import ShareMismatch
from lamppost.base.ids import timed_id
from lamppost.model.books import EpochSealed, FragmentWritten, GapOpened, Rendition, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.record.chain import load_chain, previous_record_sha256
from lamppost.record.segment_record import SegmentRecord, finish_segment, verify_record
from lamppost.record.tar import BLOCK_BYTES, INIT_NAME, member, part_name
from lamppost.store.check_report import CheckTools
from lamppost.store.journal import JournalWriter
from lamppost.store.journal_lines import decode_line, encode_line
from lamppost.store.recovery import Recovered, recover_writer
from lamppost.store.vault import SEAL_NOTE, Vault

AGE_HEAD = b"age-encryption.org/v1\n"
FRAGMENT_US = 1_000_000
FRAMES = 25


def sign(text: bytes) -> bytes:
    return text + b"\n\xe2\x80\x94 test c2lnbmF0dXJl\n"


def verify(note: bytes) -> bytes:
    text, _, signature = note.rpartition(b"\n\n")
    if signature != sign(b"x\n").partition(b"\n\n")[2]:
        raise ShareMismatch("not signed by the recorder")
    return text + b"\n"


def read_seal(note: bytes) -> EpochSealed:
    """What stands for a seal note here: one journal line."""
    try:
        epoch = decode_line(note.removesuffix(b"\n"))
    except ValueError as error:
        raise ShareMismatch("a seal note cannot be read") from error
    assert isinstance(epoch, EpochSealed)
    return epoch


def recover(folder: DataFolder, writer: str, clock: Clock) -> Recovered:
    """What the writer's next start does first."""
    with JournalWriter(folder.journal / writer, clock=clock) as journal:
        return recover_writer(folder, writer, finish=finisher(folder), journal=journal, clock=clock)


def read_record(note: bytes) -> SegmentRecord:
    return verify_record(note, verify)


def check_tools(folder: DataFolder, clock: Clock) -> CheckTools:
    """What `check` is given."""
    return CheckTools(read_record, read_seal, lambda writer: recover(folder, writer, clock))


def finisher(folder: DataFolder):
    """What recovery is given to end a segment."""

    def finish(opened: SegmentOpened, fragments: Sequence[FragmentWritten], end: SegmentEnd) -> SegmentClosed:
        previous = previous_record_sha256(folder, opened)
        return finish_segment(folder=folder, opened=opened, fragments=fragments, end=end, previous_sha256=previous, sign=sign)

    return finish


@dataclass
class Street:
    """One camera's recording into `folder`, a second of fake video at a time."""

    folder: DataFolder
    journal: JournalWriter
    clock: Clock
    camera: str = "plaza"
    rendition: Rendition = Rendition.SEALED
    run_id: str = "run-1"
    epoch_id: str | None = None
    is_real_time: bool = False
    last_end_us: int = 0
    open_gap: GapOpened | None = None
    opened: SegmentOpened | None = None
    fragments: list[FragmentWritten] = field(default_factory=list)
    size: int = 0
    epochs: int = 0
    fragment_bytes: int = 0  # at least; what it takes to fill a disk

    def seal_epoch(self, shares: int = 3, *, is_journalled: bool = True) -> EpochSealed:
        """An epoch with its share files in the vault, journalled."""
        start_us = self.clock.wall_us()
        self.epoch_id = timed_id(start_us)
        contents = [AGE_HEAD + f"{self.epoch_id} {n}".encode() for n in range(1, shares + 1)]
        hashes = tuple(hashlib.sha256(content).hexdigest() for content in contents)
        epoch = EpochSealed(self.epoch_id, self.camera, self.epochs, start_us, start_us + 600_000_000, "age1x", 2, shares, hashes)
        self.epochs += 1
        files = {f"share-{number}.age": content for number, content in enumerate(contents, 1)}
        Vault(self.folder.vault).put(self.camera, self.epoch_id, files | {SEAL_NOTE: encode_line(epoch)})
        if is_journalled:
            self.journal.append(epoch)
        return epoch

    @property
    def path(self) -> Path:
        assert self.opened is not None
        return self.folder.root / self.opened.path

    def open(self, *, is_journalled: bool = True) -> SegmentOpened:
        is_sealed = self.rendition is Rendition.SEALED
        if is_sealed and self.epoch_id is None:
            self.seal_epoch()
        wall_us = self._now_us()
        segment_id = timed_id(wall_us)
        header = member(INIT_NAME, AGE_HEAD + b"init", 0) if is_sealed else box(b"ftyp", b"isom") + box(b"moov", b"init")
        path = self.folder.segment(self.camera, self.rendition, segment_id, wall_us)
        make_directory(path.parent)
        path.write_bytes(header)
        sync_directory(path.parent)
        self.size, self.fragments = len(header), []
        self.opened = SegmentOpened(
            segment_id, self.camera, self.rendition, self.folder.relative(path), self.run_id, self.epoch_id if is_sealed else None,
            load_chain(self.folder, self.camera, self.rendition).take(), wall_us, len(header), hashlib.sha256(header).hexdigest(),
        )  # fmt: skip
        if is_journalled:
            self.journal.append(self.opened)
        return self.opened

    def write(self, *, is_journalled: bool = True) -> FragmentWritten:
        """A second of video; the clock goes on by as much."""
        assert self.opened is not None
        start_us = self._now_us() if self.fragments else self.opened.wall_us
        number = len(self.fragments) + 1
        body = f"{self.opened.segment_id} {number} ".encode() * (10 + number)
        body = body.ljust(self.fragment_bytes, b".")
        if self.rendition is Rendition.SEALED:
            content = AGE_HEAD + body
            written, offset = member(part_name(number), content, 0), self.size + BLOCK_BYTES
        else:
            content = box(b"moof", b"x") + box(b"mdat", body)
            written, offset = content, self.size
        with self.path.open("ab") as file:
            file.write(written)
        self.size += len(written)
        digest = hashlib.sha256(content).hexdigest()
        if isinstance(self.clock, ManualClock):
            self.clock.advance(FRAGMENT_US / 1e6)
        end_us = max(start_us, self.clock.wall_us())
        fragment = FragmentWritten(self.opened.segment_id, offset, len(content), digest, start_us, end_us, number * 90_000, FRAMES, True)
        self.last_end_us = end_us
        if is_journalled:
            self.journal.append(fragment)
            self.fragments.append(fragment)
        return fragment

    def _now_us(self) -> int:
        """In real time each fragment starts where the one before it ended."""
        return self.last_end_us if self.is_real_time and self.last_end_us else self.clock.wall_us()

    def close(self, end: SegmentEnd = SegmentEnd.ROTATED) -> SegmentClosed:
        assert self.opened is not None
        closed = finisher(self.folder)(self.opened, self.fragments, end)
        self.journal.append(closed)
        self.opened = None
        return closed

    def record(self, fragments: int = 3) -> SegmentClosed:
        """A whole segment."""
        self.open()
        for _ in range(fragments):
            self.write()
        return self.close()


def box(kind: bytes, content: bytes) -> bytes:
    """One box of ISO/IEC 14496-12."""
    return (len(content) + 8).to_bytes(4, "big") + kind + content
