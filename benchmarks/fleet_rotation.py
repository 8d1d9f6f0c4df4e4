"""Ten thousand changes of segment, as fast as the disk can, and whether a frame is missing."""

from __future__ import annotations

import re
import tarfile
import time
from pathlib import Path

from benchmarks.figures import Figure
from lamppost.base.clock import US_PER_S, SystemClock
from lamppost.ingest.nal import inspect
from lamppost.ingest.parameters import ParameterSets
from lamppost.ingest.simulation import StreetEncoder
from lamppost.ingest.street import StreetSettings
from lamppost.model.books import Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import Codec, Packet, StreamParameters
from lamppost.record.chain import RecordChain
from lamppost.record.segments import SealingEpoch, SegmentWriter
from lamppost.seal.age import AgeSealer
from lamppost.seal.notes import create_signer
from lamppost.seal.shares import EpochKey, new_epoch_key
from lamppost.store.journal import JournalWriter

GOP, FPS = 5, 25
INTERVAL_90K, INTERVAL_US = 90_000 // FPS, US_PER_S // FPS
MARK = re.compile(rb"LAMPPOST-NUMBER-([0-9]{10})")


def measure(folder: Path, rotations: int) -> list[Figure]:
    """Write `rotations` + 1 segments of `GOP` numbered frames each, sealed; open them all and count."""
    data, key, clock = DataFolder(folder / "data"), new_epoch_key(), SystemClock()
    signer = create_signer(data.keys / "recorder.key")
    parameters, units = _gop()
    start_us = clock.wall_us()
    epoch = SealingEpoch("rotation", 2**62, AgeSealer(key.recipient).seal)
    began_s = time.monotonic()
    with JournalWriter(data.journal / "recorder", clock=clock) as journal:
        writer = SegmentWriter(
            camera="cam0",
            rendition=Rendition.SEALED,
            folder=data,
            run_id="run",
            parameters=parameters,
            journal=journal.append,
            chain=RecordChain(),
            sign=signer.sign,
            clock=clock,
            sealing=lambda _wall_us: epoch,
            segment_s=GOP / FPS,
        )
        frames = (rotations + 1) * GOP
        for number in range(frames):
            writer.write(_packet(units[number % GOP], number, start_us))
        writer.close(SegmentEnd.STOPPED)
    took_s = time.monotonic() - began_s
    paths = sorted((data.root / "sealed" / "cam0").rglob("*.tar"))
    found = [number for path in paths for number in _numbers(path, key)]
    missing = len(set(range(frames)) - set(found))
    is_exact = sorted(found) == list(range(frames))
    return [
        Figure(
            f"frames missing after {len(paths) - 1} changes of segment",
            f"{missing} of {frames}",
            "0",
            "met" if is_exact and len(paths) == rotations + 1 else "missed",
            f"{len(paths) / took_s:.0f} segments/s, each sealed, signed and synced; all opened and counted",
        )
    ]


def _gop() -> tuple[StreamParameters, list[bytes]]:
    encoder = StreetEncoder(StreetSettings(people=0, vehicles=0, width_px=320, height_px=180, fps=FPS), Codec.H264)
    units = [encoder.encode(index) for index in range(GOP)]
    sets = ParameterSets(Codec.H264)
    sets.update(inspect(Codec.H264, units[0]).parameter_sets)
    return sets.parameters(None, INTERVAL_90K), units


def _packet(unit: bytes, number: int, start_us: int) -> Packet:
    message = b"LAMPPOST-NUMBER-%010d" % number
    numbered = unit + b"\x00\x00\x00\x01\x06\x05" + bytes([len(message)]) + message + b"\x80"
    pts_90k = number * INTERVAL_90K
    return Packet(numbered, pts_90k, pts_90k, INTERVAL_90K, start_us + number * INTERVAL_US, number % GOP == 0)


def _numbers(path: Path, key: EpochKey) -> list[int]:
    found: list[int] = []
    with tarfile.open(path) as tar:
        for member in tar.getmembers():
            content = tar.extractfile(member)
            if content is not None:
                found += [int(match) for match in MARK.findall(key.open(content.read()))]
    return found
