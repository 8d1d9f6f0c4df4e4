"""Streams that no camera should send, made of real ones; the same seed makes the same bytes.

As a module: `Sources` and `mutate`. As a program it is the child of `tests/faults/test_mutated_streams.py`:

    .venv/bin/python tests/assets/mutate_streams.py --work mask|record --sources FOLDER --scratch FOLDER

reads seeds from standard input, one a line, does with each stream what `lamppost mask` does (`mask`), or what
a recorder and an analyst do with the access units of a camera (`record`), and answers each seed with lines:
`begin SEED`, `alive` now and then, `end SEED OUTCOME MEGABYTES`. An outcome is `done`, `nothing` (no packet came
out), a name of Lamppost's own errors, or `FAULT:` and the traceback of anything else on one line. A child that
dies tells by not answering.
"""

from __future__ import annotations

import argparse
import resource
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from random import Random

START_CODE = b"\x00\x00\x00\x01"
LONGEST_BYTES = 120_000  # of a stream before it is mutated: many short ones find more than a few long ones
SEED_SHARE_OF_MOTION = 40  # one of so many streams is masked with detectors, the others are covered whole
MOST_UNITS = 60
ALIVE_FRAMES = 10
CAP_BYTES = 2 * 1024**3


@dataclass(frozen=True, slots=True)
class Source:
    """A whole stream; `suffix` says what it is."""

    name: str
    suffix: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Mutant:
    """A stream as it comes out of `mutate`; `story` names what was done to it."""

    seed: int
    suffix: str
    content: bytes
    story: str


def load_sources(folder: Path) -> list[Source]:
    """The streams in `folder` (raw H.264 and H.265, MP4), each cut to a length that is quick to decode."""
    sources = []
    for path in sorted(folder.rglob("*")):
        suffix = {".jsv": ".264", ".h264": ".264", ".hevc": ".265", ".h265": ".265"}.get(path.suffix, path.suffix)
        if suffix not in (".264", ".265", ".mp4") or not path.is_file():
            continue
        content = path.read_bytes()
        if suffix != ".mp4":
            content = b"".join(START_CODE + unit for unit in _first_units(content))
        elif len(content) > LONGEST_BYTES:
            continue  # an MP4 cannot be cut without a muxer
        if content:
            sources.append(Source(path.name, suffix, content))
    return sources


def mutate(sources: Sequence[Source], seed: int) -> Mutant:
    """One stream, damaged in one to three ways, told by `seed` alone."""
    dice = Random(seed)
    source = sources[seed % len(sources)]
    others = [other for other in sources if other.suffix == source.suffix]
    content, story = source.content, [source.name]
    ways = _MP4_WAYS if source.suffix == ".mp4" else _STREAM_WAYS
    for _ in range(dice.choice((1, 1, 2, 3))):
        way = dice.choice(ways)
        content = way(content, dice, dice.choice(others).content)
        story.append(way.__name__.strip("_"))
    return Mutant(seed, source.suffix, content[: 4 * LONGEST_BYTES], ", ".join(story))


# The ways


def _flip_bits(content: bytes, dice: Random, _other: bytes) -> bytes:
    damaged = bytearray(content)
    for _ in range(dice.choice((1, 4, 16, 256))):
        if damaged:
            damaged[dice.randrange(len(damaged))] ^= 1 << dice.randrange(8)
    return bytes(damaged)


def _overwrite(content: bytes, dice: Random, _other: bytes) -> bytes:
    length = dice.choice((1, 2, 8, 64, 1024))
    start = dice.randrange(max(1, len(content)))
    filling = dice.choice((b"\x00", b"\xff", b"\x80", b"\x7f"))
    rest = content[start + length :]
    return content[:start] + (filling * length if dice.random() < 0.5 else dice.randbytes(length)) + rest


def _truncate(content: bytes, dice: Random, _other: bytes) -> bytes:
    return content[: dice.randrange(len(content) + 1)]


def _cut_out(content: bytes, dice: Random, _other: bytes) -> bytes:
    start = dice.randrange(max(1, len(content)))
    return content[:start] + content[start + dice.randrange(1, 20_000) :]


def _splice(content: bytes, dice: Random, other: bytes) -> bytes:
    """The first part of one and the last part of another: sizes and parameter sets change in mid-stream."""
    return content[: dice.randrange(len(content) + 1)] + other[dice.randrange(len(other) + 1) :]


def _splice_units(content: bytes, dice: Random, other: bytes) -> bytes:
    ours, theirs = list(_units(content)), list(_units(other))
    ours = ours[: dice.randrange(len(ours) + 1)] + theirs[dice.randrange(len(theirs) + 1) :]
    return _joined(ours)


def _shuffle_units(content: bytes, dice: Random, _other: bytes) -> bytes:
    units = list(_units(content))
    for _ in range(dice.choice((1, 3, 20))):
        if len(units) > 1:
            units.insert(dice.randrange(len(units)), units.pop(dice.randrange(len(units))))
    return _joined(units)


def _drop_units(content: bytes, dice: Random, _other: bytes) -> bytes:
    share = dice.choice((0.02, 0.2, 0.6))
    return _joined([unit for unit in _units(content) if dice.random() > share])


def _repeat_units(content: bytes, dice: Random, _other: bytes) -> bytes:
    return _joined([unit for unit in _units(content) for _ in range(dice.choice((1, 1, 1, 2, 5)))])


def _damage_headers(content: bytes, dice: Random, _other: bytes) -> bytes:
    """The first bytes of units: types, parameter sets, slice headers."""
    units = [bytearray(unit) for unit in _units(content)]
    for _ in range(dice.choice((1, 2, 8))):
        unit = dice.choice(units) if dice.random() < 0.5 else units[dice.randrange(min(3, len(units)))]
        unit[dice.randrange(min(len(unit), 24))] ^= 1 << dice.randrange(8)
    return _joined(units)


def _grow_unit(content: bytes, dice: Random, _other: bytes) -> bytes:
    units = list(_units(content))
    units.insert(dice.randrange(len(units) + 1), bytes([dice.randrange(256)]) + dice.randbytes(dice.choice((0, 1, 30, 70_000))))
    return _joined(units)


def _damage_boxes(content: bytes, dice: Random, _other: bytes) -> bytes:
    """Sizes and fields of an MP4's boxes, wherever their names are."""
    damaged = bytearray(content)
    names = (b"moov", b"trak", b"stbl", b"stsd", b"avc1", b"avcC", b"stts", b"ctts", b"stsc", b"stsz", b"stco", b"elst", b"tkhd", b"mdat")
    for _ in range(dice.choice((1, 2, 6))):
        place = content.find(dice.choice(names))
        if place >= 4:
            at = place - 4 + dice.choice((0, 1, 2, 3, *range(8, 40)))
            if at < len(damaged):
                damaged[at] = dice.choice((0, 1, 0x7F, 0x80, 0xFF, dice.randrange(256)))
    return bytes(damaged)


_BYTE_WAYS = (_flip_bits, _overwrite, _truncate, _cut_out, _splice)
_Way = Callable[[bytes, Random, bytes], bytes]
_STREAM_WAYS: tuple[_Way, ...] = (
    *_BYTE_WAYS, _splice_units, _shuffle_units, _drop_units, _repeat_units, _damage_headers, _damage_headers, _grow_unit,
)  # fmt: skip
_MP4_WAYS: tuple[_Way, ...] = (*_BYTE_WAYS, _damage_boxes, _damage_boxes, _damage_boxes)


def _units(content: bytes) -> Iterator[bytes]:
    parts = content.replace(START_CODE, START_CODE[1:]).split(START_CODE[1:])
    yield from [part for part in parts if part] or [b"\x00"]


def _first_units(content: bytes) -> Iterator[bytes]:
    length = 0
    for number, unit in enumerate(_units(content)):
        length += len(unit)
        if length > LONGEST_BYTES or number == MOST_UNITS:
            return
        yield unit


def _joined(units: Sequence[bytes | bytearray]) -> bytes:
    return b"".join(START_CODE + unit for unit in units)


# The child


class Masker:
    """Does what `lamppost mask` does with a file."""

    def __init__(self, scratch: Path) -> None:
        from lamppost.base.clock import SystemClock
        from lamppost.model.vision import Preset
        from lamppost.pipeline.clip_masking import MaskSettings
        from lamppost.pipeline.mask_files import FileMasker

        self._scratch = scratch
        self._covering = FileMasker(MaskSettings(preset=Preset.ALL, threads=1), SystemClock())
        self._moving = FileMasker(MaskSettings(preset=Preset.MOTION, threads=1), SystemClock())

    def __call__(self, mutant: Mutant) -> str:
        from lamppost.pipeline.mask_jobs import MaskJob

        source, target = self._scratch / f"in{mutant.suffix}", self._scratch / "out.mp4"
        source.write_bytes(mutant.content)
        target.unlink(missing_ok=True)
        masker = self._moving if mutant.seed % SEED_SHARE_OF_MOTION == 0 else self._covering
        watch = _Watch()
        totals = masker.run([MaskJob(source, target, is_picture=False)], watch, None)
        if target.exists() == bool(totals.failed):
            raise AssertionError("a failure leaves nothing, a success something")
        left = [path.name for path in self._scratch.iterdir() if path.name not in (source.name, target.name, "in.264", "in.265", "in.mp4")]
        if left:
            raise AssertionError(f"left behind: {left}")
        return watch.outcome


class _Watch:
    """Keeps how it ended, and says that it goes on."""

    outcome = "done"
    _frames = 0

    def started(self, job: object, nominal_frames: int) -> None: ...
    def advanced(self, frames: int) -> None:
        self._frames += frames
        if self._frames % ALIVE_FRAMES == 0:
            sys.stdout.write("alive\n")
            sys.stdout.flush()

    def ended(self, job: object, tally: object, notes: object, error: Exception | None) -> None:
        self.outcome = "done" if error is None else type(error).__name__


class Recorder:
    """Does what a recorder does with a camera's access units, and an analyst with the recorder's packets."""

    def __call__(self, mutant: Mutant) -> str:
        from lamppost.base.errors import CameraError
        from lamppost.ingest.runs import RunBuilder
        from lamppost.model.media import Codec

        codec = Codec.HEVC if mutant.suffix == ".265" else Codec.H264
        builder = RunBuilder(codec, nominal_interval_90k=3600)
        taker = _PacketTaker()
        try:
            for unit in _access_units(mutant, codec):
                for item in builder.push(unit):
                    taker.take(item)
        except CameraError as error:
            taker.outcome = type(error).__name__
        taker.end_run()
        return taker.outcome


class _PacketTaker:
    """Fragments, and covered pictures, of the items of a session."""

    def __init__(self) -> None:
        from lamppost.decode.packets import PacketDecoder
        from lamppost.record.fragments import FragmentMuxer

        self.outcome = "nothing"
        self._muxer: FragmentMuxer | None = None
        self._decoder: PacketDecoder | None = None

    def take(self, item: object) -> None:
        from lamppost.decode.packets import PacketDecoder
        from lamppost.model.media import Packet, RunStarted
        from lamppost.record.fragments import FragmentMuxer

        if isinstance(item, RunStarted):
            self.end_run()
            self._muxer, self._decoder = FragmentMuxer(item.parameters), PacketDecoder(item.parameters)
        elif isinstance(item, Packet) and self._muxer is not None:
            self.outcome = "done"
            for fragment in self._muxer.write(item):
                if not fragment.frames or fragment.end_us <= fragment.start_us:
                    raise AssertionError(f"an empty fragment: {fragment.frames} frames, {fragment.start_us} to {fragment.end_us}")
            self._decode(item)

    def _decode(self, packet: object) -> None:
        from lamppost.base.errors import UnsupportedStream
        from lamppost.model.media import Packet

        if self._decoder is not None and isinstance(packet, Packet):
            try:
                self._decoder.decode(packet)
            except UnsupportedStream:
                self._decoder = None  # the analyst covers until the next run

    def end_run(self) -> None:
        from lamppost.base.errors import UnsupportedStream

        muxer, self._muxer = self._muxer, None
        decoder, self._decoder = self._decoder, None
        if muxer is not None:
            muxer.close()
        if decoder is not None:
            try:
                decoder.flush()
            except UnsupportedStream:
                self.outcome = "UnsupportedStream"
            decoder.close()


def _access_units(mutant: Mutant, codec: object) -> Iterator[object]:
    """As a depacketizer hands them on: cut where a picture's first slice begins, with times that are sometimes absurd."""
    from lamppost.ingest.nal import is_picture, nal_type, split_annex_b
    from lamppost.ingest.units import AccessUnit
    from lamppost.model.media import Codec

    assert isinstance(codec, Codec)
    dice = Random(mutant.seed ^ 0x5EED)
    is_absurd = dice.random() < 0.3
    held: list[bytes] = []
    pts, number, arrival_s = dice.choice((0, 2**32 - 40_000, 12_345)), 0, 1000.0
    has_slice = False
    first_byte = 2 if codec is Codec.HEVC else 1
    for unit in [*split_annex_b(mutant.content), b""]:
        is_slice = bool(unit) and is_picture(codec, nal_type(codec, unit))
        is_first = is_slice and len(unit) > first_byte and bool(unit[first_byte] & 0x80)
        if held and has_slice and (not unit or is_first or not is_slice):
            number, arrival_s = number + 1, arrival_s + 0.04
            pts += 3600 if not is_absurd or dice.random() < 0.8 else dice.choice((0, -3600, 900_000, 2**31, 3601, -90_000))
            clock_us = round(arrival_s * 1e6) + (dice.choice((0, 3_600_000_000)) if is_absurd and dice.random() < 0.02 else 0)
            told = None if is_absurd and dice.random() < 0.1 else pts
            yield AccessUnit(_joined(held), told, None, 0, dice.random() < 0.02, 1_700_000_000_000_000 + clock_us, arrival_s)
            held, has_slice = [], False
        held.append(unit)
        has_slice = has_slice or is_slice


def _limit_memory() -> None:
    # What numerical libraries reserve at their start counts as well, so what is taken from here on is what is capped.
    size_pages = int(Path("/proc/self/statm").read_text().split()[0])
    cap = size_pages * resource.getpagesize() + CAP_BYTES
    resource.setrlimit(resource.RLIMIT_AS, (cap, cap))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--work", choices=("mask", "record"), required=True)
    parser.add_argument("--sources", type=Path, required=True)
    parser.add_argument("--scratch", type=Path, required=True)
    arguments = parser.parse_args()
    import av.logging

    from lamppost.base.errors import LamppostError

    av.logging.set_level(None)
    sources = load_sources(arguments.sources)
    work: Callable[[Mutant], str] = Masker(arguments.scratch) if arguments.work == "mask" else Recorder()
    _limit_memory()
    for line in sys.stdin:
        seed = int(line)
        sys.stdout.write(f"begin {seed}\n")
        sys.stdout.flush()
        try:
            outcome = work(mutate(sources, seed))
        except LamppostError as error:
            outcome = f"FAULT:{type(error).__name__} came out: {error}"
        except Exception:  # noqa: BLE001  # whatever comes out is what this looks for
            outcome = "FAULT:" + traceback.format_exc().replace("\n", " ⏎ ")
        megabytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
        sys.stdout.write(f"end {seed} {outcome.replace(' ', '_')} {megabytes}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
