"""The signed record of a segment: what its file holds, so that nobody can change it unseen.

age says nothing about who encrypted, so the recorder signs. The text, one
`key: value` a line, always in this order:

```
lamppost segment record v1
segment: 20261123T100000Z-0a1b2c3d
camera: plaza
rendition: sealed
run: 20261123T095500Z-99aabbcc
epoch: 20261123T095000Z-11223344        (- for the masked rendition)
sequence: 12                            (per camera and rendition)
start-us: 1795514400000000              (UTC, microseconds since 1970)
end-us: 1795514460000000
frames: 1500
size: 15728640                          (bytes of the whole file)
header: 1536 SHA256                     (bytes before the first fragment, and their hash)
end: rotated                            (rotated, run_ended, stopped or recovered)
previous: SHA256                        (of the record file before; - for the first)
fragments: 60
fragment: OFFSET LENGTH SHA256 START-US END-US FRAMES FIRST-PTS-90K SYNC
```

and a `fragment` line for each (SYNC is 1 or 0). It travels as a signed note
(https://c2sp.org/signed-note) in `ID.record` beside the segment's file.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from lamppost.base.durable import sync_directory, write_all, write_durable
from lamppost.base.errors import ShareMismatch, StoreError
from lamppost.model.books import FragmentWritten, Rendition, SegmentClosed, SegmentEnd, SegmentOpened
from lamppost.model.layout import DataFolder
from lamppost.record.tar import END_OF_ARCHIVE, padded

_TITLE = "lamppost segment record v1"
_KEYS = (
    "segment", "camera", "rendition", "run", "epoch", "sequence", "start-us", "end-us",
    "frames", "size", "header", "end", "previous", "fragments",
)  # fmt: skip
_MAX_BYTES = 16 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class SegmentRecord:
    """A segment's record; `epoch_id` is None for the masked rendition, `previous_sha256` empty for the first."""

    segment_id: str
    camera: str
    rendition: Rendition
    run_id: str
    epoch_id: str | None
    sequence: int
    start_us: int
    end_us: int
    frames: int
    size_bytes: int
    header_bytes: int
    header_sha256: str
    end: SegmentEnd
    previous_sha256: str
    fragments: tuple[FragmentWritten, ...]

    def to_text(self) -> bytes:
        """The canonical text, ending in a newline."""
        values = (
            self.segment_id, self.camera, self.rendition.value, self.run_id, self.epoch_id or "-", self.sequence,
            self.start_us, self.end_us, self.frames, self.size_bytes, f"{self.header_bytes} {self.header_sha256}",
            self.end.value, self.previous_sha256 or "-", len(self.fragments),
        )  # fmt: skip
        lines = [_TITLE, *(f"{key}: {value}" for key, value in zip(_KEYS, values, strict=True))]
        for part in self.fragments:
            lines.append(
                f"fragment: {part.offset} {part.length} {part.sha256} {part.start_us} {part.end_us}"
                f" {part.frames} {part.first_pts_90k} {int(part.is_sync)}"
            )
        return ("\n".join(lines) + "\n").encode("ascii")


def record_path(segment_path: Path) -> Path:
    """Where the record of the segment at `segment_path` lies."""
    return segment_path.with_suffix(".record")


def verify_record(note: bytes, verify: Callable[[bytes], bytes]) -> SegmentRecord:
    """The record in a signed note. `verify` returns the text or raises `ShareMismatch`, as this does."""
    return _parse(verify(note))


def read_unverified(note: bytes) -> SegmentRecord:
    """The record in a note whose signature is not looked at; raises `ShareMismatch` when it is none."""
    text, separator, _ = note.rpartition(b"\n\n")
    if not separator:
        raise ShareMismatch("a segment record is no signed note")
    return _parse(text + b"\n")


def recorded_end(segment_path: Path, fragments: Sequence[FragmentWritten]) -> SegmentEnd | None:
    """Why the segment was ended, when a record of exactly these fragments lies beside it; else None.

    Its writer then died between the record and the journal. To end it again for
    the same reason gives the same bytes, since Ed25519 is deterministic, so the
    next record's link to it stays true.
    """
    try:
        record = read_unverified(record_path(segment_path).read_bytes())
    except (OSError, ShareMismatch):
        return None
    return record.end if record.fragments == tuple(fragments) else None


def whole_length(opened: SegmentOpened, fragments: Sequence[FragmentWritten]) -> int:
    """The bytes of the segment's file up to the end of its last whole fragment, padding included."""
    if not fragments:
        return opened.header_bytes
    end = fragments[-1].offset + fragments[-1].length
    return padded(end) if opened.rendition is Rendition.SEALED else end


def finish_segment(
    *,
    folder: DataFolder,
    opened: SegmentOpened,
    fragments: Sequence[FragmentWritten],
    end: SegmentEnd,
    previous_sha256: str,
    sign: Callable[[bytes], bytes],
) -> SegmentClosed:
    """Cut the file after its last whole fragment, end the archive, write the record; all durable on return.

    Serves the writer and, after a crash, recovery: doing it twice does no harm.
    `fragments` are those known to be whole, in order. Raises `StoreError`.
    """
    path = folder.root / opened.path
    size_bytes = _end_file(path, whole_length(opened, fragments), is_archive=opened.rendition is Rendition.SEALED)
    record = SegmentRecord(
        segment_id=opened.segment_id,
        camera=opened.camera,
        rendition=opened.rendition,
        run_id=opened.run_id,
        epoch_id=opened.epoch_id,
        sequence=opened.sequence,
        start_us=opened.wall_us,
        end_us=max((part.end_us for part in fragments), default=opened.wall_us),
        frames=sum(part.frames for part in fragments),
        size_bytes=size_bytes,
        header_bytes=opened.header_bytes,
        header_sha256=opened.header_sha256,
        end=end,
        previous_sha256=previous_sha256,
        fragments=tuple(fragments),
    )
    note = sign(record.to_text())
    write_durable(record_path(path), note)
    return SegmentClosed(
        segment_id=opened.segment_id,
        end_us=record.end_us,
        size_bytes=size_bytes,
        frames=record.frames,
        fragments=len(fragments),
        end=end,
        record_sha256=hashlib.sha256(note).hexdigest(),
    )


def _end_file(path: Path, whole_bytes: int, *, is_archive: bool) -> int:
    try:
        descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        try:
            size = os.fstat(descriptor).st_size
            if size < whole_bytes:
                raise StoreError(f"{path} has {size} bytes, its fragments need {whole_bytes}", remedy="run `lamppost check --repair`")
            os.ftruncate(descriptor, whole_bytes)
            if is_archive:
                os.lseek(descriptor, 0, os.SEEK_END)
                write_all(descriptor, END_OF_ARCHIVE)
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
        sync_directory(path.parent)
    except OSError as error:
        raise StoreError(f"cannot end the segment {path}: {error.strerror}", remedy="is the disk full or read-only?") from error
    return whole_bytes + (len(END_OF_ARCHIVE) if is_archive else 0)


def _parse(text: bytes) -> SegmentRecord:
    if len(text) > _MAX_BYTES:
        raise ShareMismatch(f"a segment record has {len(text)} bytes, more than {_MAX_BYTES}")
    try:
        record = _from_lines(text.decode("ascii").split("\n"))
    except (ValueError, IndexError, KeyError) as error:
        raise ShareMismatch(f"a segment record cannot be read: {error}") from error
    # One text for one meaning: what is not written as we write it is refused.
    if record.to_text() != text:
        raise ShareMismatch(f"the record of segment {record.segment_id} is not in canonical form")
    return record


def _from_lines(lines: list[str]) -> SegmentRecord:
    if lines[0] != _TITLE:
        raise ValueError(f"it does not start with {_TITLE!r}")
    values = dict(line.split(": ", 1) for line in lines[1 : 1 + len(_KEYS)])
    header_bytes, header_sha256 = values["header"].split(" ")
    return SegmentRecord(
        segment_id=values["segment"],
        camera=values["camera"],
        rendition=Rendition(values["rendition"]),
        run_id=values["run"],
        epoch_id=None if values["epoch"] == "-" else values["epoch"],
        sequence=int(values["sequence"]),
        start_us=int(values["start-us"]),
        end_us=int(values["end-us"]),
        frames=int(values["frames"]),
        size_bytes=int(values["size"]),
        header_bytes=int(header_bytes),
        header_sha256=header_sha256,
        end=SegmentEnd(values["end"]),
        previous_sha256="" if values["previous"] == "-" else values["previous"],
        fragments=tuple(_fragment(values["segment"], line) for line in lines[1 + len(_KEYS) : -1]),
    )


def _fragment(segment_id: str, line: str) -> FragmentWritten:
    key, offset, length, sha256, start_us, end_us, frames, first_pts_90k, is_sync = line.split(" ")
    if key != "fragment:":
        raise ValueError(f"unknown line {key!r}")
    return FragmentWritten(
        segment_id=segment_id,
        offset=int(offset),
        length=int(length),
        sha256=sha256,
        start_us=int(start_us),
        end_us=int(end_us),
        first_pts_90k=int(first_pts_90k),
        frames=int(frames),
        is_sync=is_sync == "1",
    )
