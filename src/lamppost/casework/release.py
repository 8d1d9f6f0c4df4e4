"""Opens the originals of an interval with k custodians' keys, away from the server.

What comes out is what the camera sent, bit by bit, or nothing: every signature
and hash is checked, and a failure leaves no file behind.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lamppost.base.clock import Clock, SystemClock, format_utc
from lamppost.base.durable import sync_directory, write_durable
from lamppost.base.errors import ConfigError, ShareMismatch, StoreError
from lamppost.base.ids import compact_utc
from lamppost.casework.past import Past
from lamppost.casework.sealed_segments import FoundSegment, SealedPart, find_segments, group_runs
from lamppost.model.layout import DataFolder
from lamppost.record.fmp4 import opens_with_keyframe
from lamppost.seal.custodians import CustodianKey, read_key_file
from lamppost.seal.notes import VerifierKey
from lamppost.seal.opening import open_epoch, read_seal
from lamppost.seal.shares import EpochKey
from lamppost.store.vault import Vault

_GAP_US = 200_000  # between two pictures; a run has none longer unless a segment is missing
_MAX_CANDIDATE_EPOCHS = 16


@dataclass(frozen=True, slots=True)
class ReleasedFile:
    """One run's part of the interval as a video file; times are UTC in microseconds."""

    name: str
    sha256: str
    size_bytes: int
    start_us: int
    end_us: int
    segments: tuple[FoundSegment, ...]


@dataclass(frozen=True, slots=True)
class Release:
    """What came out, and what of the interval was not there."""

    camera: str
    from_us: int
    to_us: int
    files: tuple[ReleasedFile, ...]
    gaps: tuple[tuple[int, int], ...]
    unsigned_segments: tuple[str, ...]
    forgotten: tuple[tuple[int, int], ...] = ()  # of the gaps: recorded once, and deleted when its time was over


@dataclass(frozen=True, slots=True)
class _Selected:
    """The parts of one segment that are wanted, and the key that opens them."""

    segment: FoundSegment
    key: EpochKey
    init: bytes
    parts: tuple[SealedPart, ...]


def open_interval(
    folder: DataFolder,
    camera: str,
    from_us: int,
    to_us: int,
    key_files: Sequence[Path],
    out: Path,
    *,
    clock: Clock | None = None,
    recorder: VerifierKey | None = None,
    progress: Callable[[int, int], None] | None = None,
) -> Release:
    """Write the originals of [`from_us`, `to_us`) to `out`.

    `out` becomes a folder with an MP4 file for each run and `manifest.json`; if
    its name ends in `.mp4` and the interval lies in one run, that one file. A
    file starts with the keyframe before `from_us`, since nothing decodes
    without it. `progress` is told fragments done and fragments in all.

    Raises `ConfigError`, `KeyFileError`, `NotEnoughShares`, `ShareMismatch` or
    `StoreError`; then `out` does not exist.
    """
    if from_us >= to_us:
        raise ConfigError(f"the interval ends ({format_utc(to_us)}) before it begins ({format_utc(from_us)})", remedy="swap the two")
    _refuse_existing(out)
    keys = [key for path in key_files for key in read_key_file(path)]
    public = recorder or VerifierKey.load(folder.keys / "recorder.pub")
    segments = find_segments(folder, camera, from_us, to_us, public)
    past = Past.read(folder)
    forgotten = past.forgotten(camera, from_us, to_us)
    if not segments and forgotten:
        raise ConfigError(
            f"camera {camera}: what was recorded between {format_utc(from_us)} and {format_utc(to_us)} was deleted when its time was over",
            remedy="nobody can open it any more, nor any copy of it whose epoch was destroyed",
        )
    if not segments:
        raise ConfigError(
            f"camera {camera}: nothing was recorded between {format_utc(from_us)} and {format_utc(to_us)}",
            remedy="times are UTC; `lamppost check` shows what was recorded",
        )
    runs = group_runs(segments)
    is_single = out.suffix.lower() == ".mp4"
    if is_single and len(runs) > 1:
        raise ConfigError(f"camera {camera}: the interval lies in {len(runs)} runs with gaps between", remedy="name a folder, not a file")
    opener = _Opener(Vault(folder.vault), camera, keys, public, past)
    selected = [[opener.select(segment, from_us, to_us) for segment in run] for run in runs]
    writing = _Writing(camera, from_us, to_us, progress, sum(len(s.parts) for run in selected for s in run), forgotten)
    if is_single:
        return writing.to_file(selected[0], out)
    opened_us = (clock or SystemClock()).wall_us()
    return writing.to_folder(selected, out, opened_us, public, opener.used)


@dataclass
class _Opener:
    """Finds the key of each segment's epoch; opens each epoch once."""

    vault: Vault
    camera: str
    keys: list[CustodianKey]
    recorder: VerifierKey
    past: Past
    used: dict[str, EpochKey] = field(default_factory=dict[str, EpochKey])

    def select(self, segment: FoundSegment, from_us: int, to_us: int) -> _Selected:
        """The wanted parts of `segment`, from the keyframe before `from_us` on."""
        key, init = self._key_for(segment)
        first = next(index for index, part in enumerate(segment.parts) if part.end_us > from_us)
        last = max(index for index, part in enumerate(segment.parts) if part.start_us < to_us)
        while first > 0 and not self._is_sync(segment, segment.parts[first], key):
            first -= 1
        return _Selected(segment, key, init, segment.parts[first : last + 1])

    def _is_sync(self, segment: FoundSegment, part: SealedPart, key: EpochKey) -> bool:
        return part.is_sync if part.is_sync is not None else opens_with_keyframe(_open_part(segment, part, key))

    def _key_for(self, segment: FoundSegment) -> tuple[EpochKey, bytes]:
        sealed_init = _read_at(segment, segment.init_offset, segment.init_length)
        if segment.record is not None:
            key = self._open(str(segment.record.epoch_id))
            return key, _open_bytes(segment, sealed_init, key, "its init")
        # No record names the epoch of a segment that is still being written: try those of its time.
        for epoch_id in self._epochs_near(segment.parts[0].start_us):
            key = self._open(epoch_id)
            with contextlib.suppress(ShareMismatch):
                return key, key.open(sealed_init)
        raise ShareMismatch(f"segment {segment.segment_id} of camera {self.camera} has no record, and no epoch in the vault opens it")

    def _epochs_near(self, wall_us: int) -> list[str]:
        starts: list[tuple[int, str]] = []
        for camera, epoch_id in self.vault.epochs(self.camera):
            sealed = read_seal(self.vault.read(camera, epoch_id), self.recorder).sealed
            starts.append((abs(wall_us - (sealed.start_us + sealed.end_us) // 2), epoch_id))
        return [epoch_id for _, epoch_id in sorted(starts)[:_MAX_CANDIDATE_EPOCHS]]

    def _open(self, epoch_id: str) -> EpochKey:
        if epoch_id not in self.used:
            self.past.refuse_destroyed(self.camera, epoch_id)
            files = self.vault.read(self.camera, epoch_id)
            sealed = read_seal(files, self.recorder).sealed
            if (sealed.camera, sealed.epoch_id) != (self.camera, epoch_id):
                raise ShareMismatch(f"the vault's folder of epoch {epoch_id} of camera {self.camera} holds another epoch")
            self.used[epoch_id] = open_epoch(files, self.keys, self.recorder)
        return self.used[epoch_id]


@dataclass
class _Writing:
    """Writes opened runs under a temporary name; what is not whole is removed."""

    camera: str
    from_us: int
    to_us: int
    progress: Callable[[int, int], None] | None
    total: int
    forgotten: tuple[tuple[int, int], ...]
    done: int = 0

    def to_file(self, run: list[_Selected], out: Path) -> Release:
        staging = _staging(out)
        try:
            released = self._write_run(run, staging, out.name)
            _publish(staging, out)
        except OSError as error:
            raise _failure(out, error) from error
        finally:
            staging.unlink(missing_ok=True)
        return self._release([run], [released])

    def to_folder(
        self, runs: list[list[_Selected]], out: Path, opened_us: int, recorder: VerifierKey, used: dict[str, EpochKey]
    ) -> Release:
        staging = _staging(out)
        try:
            staging.mkdir(0o700)
            names = _names(self.camera, runs)
            files = [self._write_run(run, staging / name, name) for run, name in zip(runs, names, strict=True)]
            release = self._release(runs, files)
            manifest = _manifest(release, opened_us, recorder, used)
            write_durable(staging / "manifest.json", (json.dumps(manifest, indent=2) + "\n").encode(), mode=0o600)
            _refuse_existing(out)
            staging.rename(out)
            sync_directory(out.parent)
        except OSError as error:
            raise _failure(out, error) from error
        finally:
            shutil.rmtree(staging, ignore_errors=True)
        return release

    def _write_run(self, run: list[_Selected], path: Path, name: str) -> ReleasedFile:
        digest, size = hashlib.sha256(), 0
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in self._pieces(run):
                digest.update(piece)
                size += file.write(piece)
            file.flush()
            os.fsync(file.fileno())
        parts = [part for selected in run for part in selected.parts]
        return ReleasedFile(
            name=name,
            sha256=digest.hexdigest(),
            size_bytes=size,
            start_us=min(part.start_us for part in parts),
            end_us=max(part.end_us for part in parts),
            segments=tuple(selected.segment for selected in run),
        )

    def _pieces(self, run: list[_Selected]) -> Iterator[bytes]:
        yield run[0].init
        for selected in run:
            if selected.init != run[0].init:
                raise ShareMismatch(f"segment {selected.segment.segment_id} has another init than its run", remedy="use an intact copy")
            for part in selected.parts:
                yield _open_part(selected.segment, part, selected.key)
                self.done += 1
                if self.progress is not None:
                    self.progress(self.done, self.total)

    def _release(self, runs: list[list[_Selected]], files: list[ReleasedFile]) -> Release:
        spans = sorted((part.start_us, part.end_us) for run in runs for selected in run for part in selected.parts)
        gaps: list[tuple[int, int]] = []
        until_us = self.from_us
        for start_us, end_us in spans:
            if start_us - until_us > _GAP_US:
                gaps.append((until_us, start_us))
            until_us = max(until_us, end_us)
        if self.to_us - until_us > _GAP_US:
            gaps.append((until_us, self.to_us))
        unsigned = tuple(s.segment.segment_id for run in runs for s in run if s.segment.record is None)
        return Release(self.camera, self.from_us, self.to_us, tuple(files), tuple(gaps), unsigned, self.forgotten)


def _open_part(segment: FoundSegment, part: SealedPart, key: EpochKey) -> bytes:
    content = _read_at(segment, part.offset, part.length)
    where = f"the fragment at byte {part.offset}"
    if part.sha256 and hashlib.sha256(content).hexdigest() != part.sha256:
        raise ShareMismatch(
            f"segment {segment.segment_id}: {where} ({format_utc(part.start_us)}) is not what was recorded",
            remedy="use an intact copy; nothing was written",
        )
    return _open_bytes(segment, content, key, where)


def _open_bytes(segment: FoundSegment, content: bytes, key: EpochKey, where: str) -> bytes:
    try:
        return key.open(content)
    except ShareMismatch as error:
        raise ShareMismatch(f"segment {segment.segment_id}: {where}: {error.problem}", remedy="use an intact copy") from error


def _read_at(segment: FoundSegment, offset: int, length: int) -> bytes:
    try:
        with segment.path.open("rb") as file:
            file.seek(offset)
            return file.read(length)
    except OSError as error:
        raise StoreError(f"cannot read the segment {segment.path}: {error.strerror}", remedy="check the copy") from error


def _names(camera: str, runs: list[list[_Selected]]) -> list[str]:
    names: list[str] = []
    for run in runs:
        stem = f"{camera}-{compact_utc(run[0].parts[0].start_us)}"
        same = sum(name.startswith(stem) for name in names)
        names.append(f"{stem}-{same + 1}.mp4" if same else f"{stem}.mp4")
    return names


def _refuse_existing(out: Path) -> None:
    if out.exists() or out.is_symlink():
        raise ConfigError(f"{out} exists", remedy="nothing is overwritten; choose another name")


def _publish(staging: Path, out: Path) -> None:
    try:
        # A link, unlike a rename, never replaces a file that has appeared meanwhile.
        os.link(staging, out)
    except FileExistsError:
        _refuse_existing(out)
        raise
    except OSError:
        # A stick formatted as FAT knows no links.
        _refuse_existing(out)
        staging.rename(out)
    sync_directory(out.parent)


def _staging(out: Path) -> Path:
    return out.with_name(f".{out.name}.{secrets.token_hex(4)}.tmp")


def _failure(out: Path, error: OSError) -> StoreError:
    return StoreError(f"cannot write {out}: {error.strerror}", remedy="is there such a folder, and room in it?")


def _manifest(release: Release, opened_us: int, recorder: VerifierKey, used: dict[str, EpochKey]) -> dict[str, Any]:
    return {
        "format": "lamppost release v1",
        "camera": release.camera,
        "from": format_utc(release.from_us),
        "to": format_utc(release.to_us),
        "opened": format_utc(opened_us),
        "files": [_file_entry(file) for file in release.files],
        "gaps": [{"start": format_utc(start), "end": format_utc(end)} for start, end in release.gaps],
        "forgotten": [{"start": format_utc(start), "end": format_utc(end)} for start, end in release.forgotten],
        "epochs": [{"epoch": epoch_id, "recipient": key.recipient} for epoch_id, key in used.items()],
        "recorder": str(recorder),
        "verified": {
            "segment_records": "signature by the recorder, and the chain between neighbours",
            "fragments": "SHA-256 of the ciphertext as recorded, and age's own authentication",
            "shares": "signature, SHA-256 and recipient as sealed",
            "segments_without_record": list(release.unsigned_segments),
        },
    }


def _file_entry(file: ReleasedFile) -> dict[str, Any]:
    return {
        "name": file.name,
        "sha256": file.sha256,
        "size_bytes": file.size_bytes,
        "start": format_utc(file.start_us),
        "end": format_utc(file.end_us),
        "start_us": file.start_us,
        "end_us": file.end_us,
        "segments": [
            {
                "segment": segment.segment_id,
                "sequence": segment.record.sequence if segment.record else None,
                "epoch": segment.record.epoch_id if segment.record else None,
                "record_sha256": segment.record_sha256 or None,
            }
            for segment in file.segments
        ],
    }
