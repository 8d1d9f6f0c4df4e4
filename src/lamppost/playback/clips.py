"""Makes one masked MP4 of an interval out of the files as they are: a head is written, the pictures are passed on.

Nothing is encoded again, and no temporary file is made: all that is new is the
head, which knows beforehand where each picture will stand.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby
from typing import BinaryIO, Final, Self

from lamppost.base.clock import US_PER_S, format_utc, us_from_90k
from lamppost.base.errors import StoreError
from lamppost.playback.boxes import Pictures, read_moof
from lamppost.playback.clip_boxes import ClipFacts, SampleTable, make_head
from lamppost.playback.parts import Part
from lamppost.playback.segment_bytes import BLOCK_BYTES, blocks_of, open_segment, read_at
from lamppost.playback.stretch import Piece, Stretch
from lamppost.store.intervals import Span

LONGEST_CLIP_US: Final = 3600 * US_PER_S
MASKED_BY: Final = "masked by Lamppost"
_MOST_FILES: Final = 1000
_MOST_GAPS_TOLD: Final = 20
_LARGEST_MOOF: Final = 1 << 20


class NothingThere(Exception):
    """The interval has no picture."""


class FilesGone(Exception):
    """A file was deleted between the look into the index and now; asked again, the clip is made without it."""


class TooManyFiles(Exception):
    """The interval has more files than are opened at once; a shorter one has fewer."""


class SizesDiffer(Exception):
    """The pictures do not have one size. `spans` are the intervals in which they do, each with its size."""

    def __init__(self, spans: tuple[tuple[Span, int, int], ...]) -> None:
        super().__init__(f"the size of the picture changes {len(spans) - 1} times")
        self.spans = spans


@dataclass(frozen=True, slots=True)
class _Run:
    """Bytes of a file that are passed on."""

    file: BinaryIO
    offset: int
    length: int


class Clip:
    """A clip that is ready to be read, as often as one likes; a context manager.

    Its files are open, so that retention may delete them meanwhile. The same
    interval of the same files gives the same bytes.
    """

    def __init__(self, head: bytes, runs: tuple[_Run, ...], holes: tuple[Span, ...]) -> None:
        self.head, self.holes = head, holes
        self._runs = runs
        self.size_bytes = len(head) + sum(run.length for run in runs)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        for file in {id(run.file): run.file for run in self._runs}.values():
            file.close()

    def blocks(self) -> Iterator[bytes]:
        """Its bytes, a megabyte at a time or less; raises `StoreError` when a file cannot be read."""
        yield self.head
        waiting, held = list[bytes](), 0
        for run in self._runs:
            for block in blocks_of(run.file, run.offset, run.length):
                waiting.append(block)
                held += len(block)
                if held >= BLOCK_BYTES:
                    yield b"".join(waiting)
                    waiting, held = list[bytes](), 0
        if waiting:
            yield b"".join(waiting)

    def sha256(self) -> str:
        """Of all its bytes."""
        digest = hashlib.sha256()
        for block in self.blocks():
            digest.update(block)
        return digest.hexdigest()


def make_clip(stretch: Stretch) -> Clip:
    """The clip of what there is in `stretch`, which its caller closes.

    It begins with the keyframe at or before the beginning, and an edit list says
    from which picture on it is shown; it ends with the last picture before the
    end. What is missing is left out, and the comment in the file says what that
    is. Raises `NothingThere`, `SizesDiffer`, `TooManyFiles`, `FilesGone` and
    `StoreError`.
    """
    if not stretch.pieces:
        raise NothingThere
    if len(stretch.pieces) > _MOST_FILES:
        raise TooManyFiles
    _require_one_size(stretch)
    files: list[BinaryIO] = []
    try:
        files += [_open(piece) for piece in stretch.pieces]
        return _compose(stretch, files)
    except BaseException:
        for file in files:
            file.close()
        raise


def _compose(stretch: Stretch, files: list[BinaryIO]) -> Clip:
    table, runs = SampleTable(), list[_Run]()
    entries: list[bytes] = []
    skip_90k = 0
    for piece, file in zip(stretch.pieces, files, strict=True):
        if piece.file.pictures.entry not in entries:
            entries.append(piece.file.pictures.entry)
        for part in piece.parts:
            run, early_90k = _add_part(table, file, part, stretch, 1 + entries.index(piece.file.pictures.entry))
            skip_90k += early_90k
            if run is not None:
                runs.append(run)
    if not runs:
        raise NothingThere
    pictures, holes = stretch.pieces[0].file.pictures, stretch.holes
    title, comment = _texts(stretch, holes)
    shown_from_us = max(stretch.from_us, stretch.pieces[0].start_us)
    facts = ClipFacts(pictures.width_px, pictures.height_px, tuple(entries), shown_from_us, skip_90k, title, comment)
    return Clip(make_head(facts, table), tuple(runs), holes)


def _add_part(table: SampleTable, file: BinaryIO, part: Part, stretch: Stretch, entry: int) -> tuple[_Run | None, int]:
    """Add the pictures of a fragment that were taken before the end; also tells how much of it lies before the beginning."""
    length = int.from_bytes(read_at(file, part.offset, 4), "big")
    moof = read_moof(read_at(file, part.offset, min(length, part.length, _LARGEST_MOOF)))
    passed_90k = early_90k = kept = kept_bytes = 0
    for sample in moof.samples:
        end_us = part.start_us + us_from_90k(passed_90k + sample.duration_90k)
        if part.start_us + us_from_90k(passed_90k) >= stretch.to_us:
            break
        if end_us <= stretch.from_us:
            early_90k += sample.duration_90k
        passed_90k += sample.duration_90k
        table.add(sample.length, sample.duration_90k, sample.composition_90k, is_sync=sample.is_sync)
        kept, kept_bytes = kept + 1, kept_bytes + sample.length
    if not kept:
        return None, 0
    if moof.samples[0].offset + kept_bytes > part.length:
        raise StoreError(f"a fragment of the segment {file.name} is not what its record says", remedy="run `lamppost check`")
    table.chunks.append((kept_bytes, kept, entry))
    return _Run(file, part.offset + moof.samples[0].offset, kept_bytes), early_90k


def _require_one_size(stretch: Stretch) -> None:
    def size(piece: Piece) -> tuple[int, int]:
        pictures: Pictures = piece.file.pictures
        return pictures.width_px, pictures.height_px

    groups = [(key, list(group)) for key, group in groupby(stretch.pieces, size)]
    if len(groups) > 1:
        starts = [stretch.from_us, *(group[0].start_us for _, group in groups[1:]), stretch.to_us]
        raise SizesDiffer(tuple(((starts[n], starts[n + 1]), *key) for n, (key, _) in enumerate(groups)))


def _texts(stretch: Stretch, holes: tuple[Span, ...]) -> tuple[str, str]:
    """Title and comment: whose pictures, of when, what is missing, and that they are masked."""
    interval = f"{format_utc(stretch.from_us)} to {format_utc(stretch.to_us)}"
    told = ", ".join(f"{format_utc(start)} to {format_utc(end)}" for start, end in holes[:_MOST_GAPS_TOLD])
    more = f", and {len(holes) - _MOST_GAPS_TOLD} more" if len(holes) > _MOST_GAPS_TOLD else ""
    missing = f"without pictures, and left out: {told}{more}" if holes else "nothing left out"
    return f"{stretch.camera}, {interval}", f"Camera {stretch.camera}, {interval} (UTC); {missing}; {MASKED_BY}"


def _open(piece: Piece) -> BinaryIO:
    file = open_segment(piece.file)
    if file is None:
        raise FilesGone
    return file
