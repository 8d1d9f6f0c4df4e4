"""Measures on this machine, in a few seconds, what recording and masking one camera costs.

Nothing here is a constant of some other machine: a street is filmed, recorded,
sealed, decoded, masked and encoded by the very code that a node runs, and the
processor's time is read. Files go to a folder on the disk in question, and are
removed.
"""

from __future__ import annotations

import contextlib
import ctypes
import gc
import os
import resource
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from lamppost.base.clock import TICKS_PER_S, US_PER_S, SystemClock, us_from_90k
from lamppost.base.durable import write_all
from lamppost.base.errors import StoreError, StreamEnded
from lamppost.base.machine import existing_parent
from lamppost.decode.packets import PacketDecoder
from lamppost.detect.faces import FaceDetector
from lamppost.detect.motion import MotionDetector
from lamppost.ingest.session import open_session
from lamppost.mask.encoder import MaskedEncoder
from lamppost.model.books import Rendition, SegmentEnd
from lamppost.model.layout import DataFolder
from lamppost.model.media import Packet, RunStarted, StreamParameters
from lamppost.model.networks import CameraNetworks
from lamppost.model.vision import Detection, Frame, Preset, Region
from lamppost.pipeline.masking import REFRESH_S, MaskingPipeline
from lamppost.record.segments import RecordChain, SealingEpoch, SegmentWriter
from lamppost.seal.age import AgeSealer
from lamppost.seal.notes import create_signer
from lamppost.seal.shares import new_epoch_key
from lamppost.store.journal import JournalWriter

FILM_FPS: Final = 15
FILM_S: Final = 4
STREET: Final = f"sim://plaza?seed=8&people=4&vehicles=2&noise=1&fps={FILM_FPS}&seconds={FILM_S}&pace=0"
LOOK_BACK_S, DETECT_INTERVAL_S = 0.5, 0.2
_RECORD_S: Final = 8  # of video, for each way of recording
_SYNC_BUDGET_S: Final = 0.7
_WRITE_BYTES: Final = 64 * 1024 * 1024
_SEAL_BYTES: Final = 1 << 20
_MANY_WRITERS: Final = 16
_CHILD_PATIENCE_S: Final = 60.0
_BASE_PROGRAM: Final = {
    "recorder": "import lamppost.pipeline.recorder",
    "analyst": "import lamppost.pipeline.analyst; from lamppost.detect.faces import FaceDetector; faces = FaceDetector(threads=1)",
}
_TELL_MEMORY: Final = "import resource; print(open('/proc/self/statm').read().split()[1], resource.getpagesize())"


@dataclass(frozen=True, slots=True)
class Figures:
    """What was measured here. Processor time is of one core, per second of one camera's video, or per frame."""

    recording_s_per_s: float  # fragments, age, hashes, files and journal, at the asked frames and bits a second
    sealed_ratio: float  # bytes on the disk for each byte that the camera sent
    seal_bytes_per_s: float
    frame_s: float  # decode, look for motion, paint and encode one 720p frame
    looking_s_per_s: float  # look for faces: at what changed in the film, and at whole frames now and then
    masked_bytes_per_frame: float
    write_bytes_per_s: float
    syncs_per_s: float
    recorder_base_bytes: int
    recorder_camera_bytes: int
    analyst_base_bytes: int
    analyst_camera_bytes: int


def measure(place: Path, *, fps: float, mbps: float) -> Figures:
    """Measure on the disk of `place` for cameras of `fps` and `mbps`; raises `StoreError` when nothing can be written there."""
    parameters, packets = film()
    try:
        with tempfile.TemporaryDirectory(prefix=".lamppost-plan-", dir=existing_parent(place)) as scratch:
            root = Path(scratch)
            write_bytes_per_s, syncs_per_s = _measure_disk(root)
            recording_s, sealed_ratio = _measure_recording(root, parameters, packets, fps, mbps)
            recorder_camera = _measure_writers(root, parameters, packets, fps, mbps)
    except OSError as error:
        raise StoreError(f"cannot measure in {place}: {error.strerror}", remedy="name a folder that this user may write to") from error
    frame_s, looking_s, masked_bytes, analyst_camera = _measure_masking(parameters, packets)
    return Figures(
        recording_s_per_s=recording_s,
        sealed_ratio=sealed_ratio,
        seal_bytes_per_s=_measure_seal(),
        frame_s=frame_s,
        looking_s_per_s=looking_s,
        masked_bytes_per_frame=masked_bytes,
        write_bytes_per_s=write_bytes_per_s,
        syncs_per_s=syncs_per_s,
        recorder_base_bytes=_measure_base("recorder"),
        recorder_camera_bytes=recorder_camera,
        analyst_base_bytes=_measure_base("analyst"),
        analyst_camera_bytes=analyst_camera,
    )


def film() -> tuple[StreamParameters, tuple[Packet, ...]]:
    """Some seconds of a simulated street, 1280x720, as a camera would send them."""
    parameters: StreamParameters | None = None
    packets: list[Packet] = []
    with open_session(STREET, clock=SystemClock(), stop=threading.Event(), networks=CameraNetworks()) as session:
        try:
            for item in session.items():
                if isinstance(item, RunStarted):
                    parameters = item.parameters
                elif isinstance(item, Packet):
                    packets.append(item)
        except StreamEnded:
            pass  # after the seconds that were asked for
    if parameters is None or not packets:
        raise RuntimeError("the simulated street gave no picture")
    return parameters, tuple(packets)


def resized(packets: Sequence[Packet], *, fps: float, mbps: float, seconds: float) -> tuple[Packet, ...]:
    """Packets of the asked rate made of those filmed: as many a second, of that size on average, a keyframe each second."""
    interval_90k, gop = round(TICKS_PER_S / fps), max(1, round(fps))
    size_bytes = max(64, round(mbps * 1e6 / 8 / fps))
    start_us = SystemClock().wall_us()
    keyframe = next(packet for packet in packets if packet.is_keyframe)
    other = next((packet for packet in packets if not packet.is_keyframe), keyframe)
    made: list[Packet] = []
    for index in range(round(fps * seconds)):
        is_keyframe = index % gop == 0
        source, at_90k = (keyframe if is_keyframe else other), index * interval_90k
        # A filler that looks like no start code: nobody decodes it, and everybody copies, hashes and seals it.
        content = source.data[:size_bytes] + b"\x55" * (size_bytes - len(source.data))
        made.append(Packet(content, at_90k, at_90k, interval_90k, start_us + us_from_90k(at_90k), is_keyframe))
    return tuple(made)


def _measure_disk(root: Path) -> tuple[float, float]:
    """Bytes a second written and synced, and syncs a second of a small file that grows."""
    block = os.urandom(1 << 20)
    descriptor = os.open(root / "bytes", os.O_WRONLY | os.O_CREAT, 0o600)
    try:
        started_s = SystemClock().monotonic_s()
        for number in range(_WRITE_BYTES // len(block)):
            write_all(descriptor, block)
            if number % 8 == 7:
                os.fdatasync(descriptor)
        bytes_per_s = _WRITE_BYTES / (SystemClock().monotonic_s() - started_s)
        syncs, started_s = 0, SystemClock().monotonic_s()
        while SystemClock().monotonic_s() - started_s < _SYNC_BUDGET_S:
            write_all(descriptor, block[:512])
            os.fdatasync(descriptor)
            syncs += 1
        return bytes_per_s, syncs / (SystemClock().monotonic_s() - started_s)
    finally:
        os.close(descriptor)
        (root / "bytes").unlink()


def _measure_seal() -> float:
    sealer, content = AgeSealer(new_epoch_key().recipient), os.urandom(_SEAL_BYTES)
    started_s = time.process_time()
    rounds = 0
    while time.process_time() - started_s < 0.3:
        sealer.seal(content)
        rounds += 1
    return rounds * _SEAL_BYTES / (time.process_time() - started_s)


def _open_writer(root: Path, camera: str, parameters: StreamParameters, journal: JournalWriter) -> SegmentWriter:
    sealer = AgeSealer(new_epoch_key().recipient)
    epoch = SealingEpoch("planning", SystemClock().wall_us() + 86_400 * US_PER_S, sealer.seal)
    key = root / "keys" / f"{camera}.key"
    return SegmentWriter(
        camera=camera,
        rendition=Rendition.SEALED,
        folder=DataFolder(root),
        run_id="planning",
        parameters=parameters,
        journal=journal.append,
        chain=RecordChain(),
        sign=create_signer(key).sign,
        clock=SystemClock(),
        sealing=lambda _wall_us: epoch,
    )


def _measure_recording(root: Path, parameters: StreamParameters, packets: Sequence[Packet], fps: float, mbps: float) -> tuple[float, float]:
    """Processor time a second of video, and bytes on the disk for each byte sent."""
    made = resized(packets, fps=fps, mbps=mbps, seconds=_RECORD_S)
    with JournalWriter(root / "journal" / "one", clock=SystemClock()) as journal:
        writer = _open_writer(root, "one", replace(parameters, frame_interval_90k=made[0].duration_90k), journal)
        started_s = time.process_time()
        for packet in made:
            writer.write(packet)
        writer.close(SegmentEnd.STOPPED)
        took_s = time.process_time() - started_s
    stored = sum(path.stat().st_size for path in (root / "sealed" / "one").rglob("*") if path.is_file())
    return took_s / _RECORD_S, stored / sum(len(packet.data) for packet in made)


def _measure_writers(root: Path, parameters: StreamParameters, packets: Sequence[Packet], fps: float, mbps: float) -> int:
    """What one more camera takes of a recorder's memory: its writer, with most of a fragment waiting in it."""
    made = resized(packets, fps=fps, mbps=mbps, seconds=1.9)
    with JournalWriter(root / "journal" / "many", clock=SystemClock()) as journal:
        before = _resident_bytes()
        writers = [_open_writer(root, f"many-{number}", parameters, journal) for number in range(_MANY_WRITERS)]
        for writer in writers:
            for packet in made:
                writer.write(replace(packet, data=bytes(bytearray(packet.data))))  # bytes of its own, as a socket's are
        grown = _resident_bytes() - before
        for writer in writers:
            writer.close(SegmentEnd.STOPPED)
    return max(0, grown // _MANY_WRITERS)


def _measure_masking(parameters: StreamParameters, packets: Sequence[Packet]) -> tuple[float, float, float, int]:
    """Processor time of a frame, and of looking for a second; bytes of a masked frame, and memory of one more camera."""
    timed, before = _TimedFaces(FaceDetector(threads=1)), _resident_bytes()
    started_s = time.process_time()
    masked, size_bytes, grown = _mask(parameters, packets, timed, before)
    took_s = time.process_time() - started_s - sum(timed.looks_s)
    film_s = len(packets) / FILM_FPS
    # The first look is at everything, as every refresh is.
    looking_s = sum(timed.looks_s[1:]) / film_s + sum(timed.looks_s[:1]) / REFRESH_S
    return max(0.0, took_s) / masked, looking_s, size_bytes / masked, max(0, grown)


class _TimedFaces:
    """A face detector that notes how long each look took."""

    def __init__(self, faces: FaceDetector) -> None:
        self._faces = faces
        self.start_score = faces.start_score
        self.looks_s: list[float] = []

    def detect_regions(self, frame: Frame, regions: Sequence[Region]) -> tuple[Detection, ...]:
        started_s = time.process_time()
        found = self._faces.detect_regions(frame, regions)
        self.looks_s.append(time.process_time() - started_s)
        return found


def _mask(parameters: StreamParameters, packets: Sequence[Packet], faces: _TimedFaces, before: int) -> tuple[int, int, int]:
    """Frames masked, bytes encoded, and how much more memory is in use before it is let go."""
    masking = MaskingPipeline(
        preset=Preset.MOTION,
        faces=faces,
        motion=MotionDetector(),
        look_back_s=LOOK_BACK_S,
        detect_interval_s=DETECT_INTERVAL_S,
        clock=SystemClock(),
        is_live=False,
    )
    decoder, encoder = PacketDecoder(parameters, threads=1), None
    masked_frames = size_bytes = 0
    for packet in packets:
        for frame in decoder.decode(packet):
            for masked in masking.push(frame):
                if encoder is None:
                    encoder = MaskedEncoder(
                        masked.width_px,
                        masked.height_px,
                        frame_interval_90k=parameters.frame_interval_90k,
                        is_full_range=masked.is_full_range,
                        threads=1,
                        is_live=True,
                    )
                masked_frames += 1
                size_bytes += sum(len(encoded.data) for encoded in encoder.encode(masked))
    grown = _resident_bytes() - before
    decoder.close()
    if encoder is not None:
        size_bytes += sum(len(encoded.data) for encoded in encoder.flush())
    return max(1, masked_frames), size_bytes, grown


def _measure_base(process: str) -> int:
    """Memory of such a process before it has a camera."""
    program = f"{_BASE_PROGRAM[process]}\n{_TELL_MEMORY}"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=_CHILD_PATIENCE_S, check=True)
    pages, page_bytes = done.stdout.split()[-2:]
    return int(pages) * int(page_bytes)


def _resident_bytes() -> int:
    """Memory in use, once what the allocator keeps for later is given back, so that growth shows."""
    gc.collect()
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)
    return int(Path("/proc/self/statm").read_text().split()[1]) * resource.getpagesize()
