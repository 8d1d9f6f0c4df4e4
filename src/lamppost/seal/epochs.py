"""The parent's side of sealing: has children make epochs' keys, several in one life, and collects their word.

Only public things come back. Nothing here waits.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any, Final

from lamppost.base.clock import Clock
from lamppost.base.errors import SealError
from lamppost.base.ids import timed_id
from lamppost.base.logging import redact
from lamppost.model.books import EpochSealed
from lamppost.model.layout import DataFolder
from lamppost.seal.sealer import MAX_REQUESTS, SealRequest

TIMEOUT_S: Final = 30.0
GATHER_S: Final = 0.05  # requests that come so soon after one another share a child
_MAX_OUTPUT_BYTES: Final = 64 * 1024 * MAX_REQUESTS


def seal_request(
    *,
    folder: DataFolder,
    camera: str,
    sequence: int,
    start_us: int,
    end_us: int,
    custodians: Sequence[str],
    threshold: int,
    mirrors: Sequence[Path] = (),
) -> SealRequest:
    """What to ask for: an epoch of `camera` from `start_us` to `end_us`."""
    root = DataFolder(folder.root.absolute())
    return SealRequest(
        camera=camera,
        epoch_id=timed_id(start_us),
        sequence=sequence,
        start_us=start_us,
        end_us=end_us,
        threshold=threshold,
        custodians=tuple(custodians),
        signing_key=str(root.keys / "recorder.key"),
        vault=str(root.vault),
        mirrors=tuple(str(mirror.absolute()) for mirror in mirrors),
    )


class SealingDesk:
    """Takes requests from many cameras and threads, and has them made by few children.

    An interpreter takes longer to start than a key takes to make, so requests that
    come together share one: a hundred cameras that start at once cost seven children.
    """

    def __init__(self, clock: Clock, *, timeout_s: float = TIMEOUT_S, gather_s: float = GATHER_S) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._gather_s = gather_s
        self._lock = threading.Lock()
        self._gathering: _Batch | None = None

    def request(self, request: SealRequest) -> EpochPreparation:
        """Have `request` made; poll what is returned."""
        with self._lock:
            batch = self._gathering
            if batch is None or not batch.add(request):
                batch = self._gathering = _Batch(self._clock, self._timeout_s, self._clock.monotonic_s() + self._gather_s)
                batch.add(request)
        return EpochPreparation(batch, request)


class EpochPreparation:
    """One epoch in the making. Poll it; once it has returned or raised, it is over.

    A child that is killed has stored a whole epoch or none.
    """

    def __init__(self, batch: _Batch, request: SealRequest) -> None:
        self._batch, self._request = batch, request

    @property
    def process_id(self) -> int | None:
        """Of the child; None while more requests are waited for."""
        return self._batch.process_id

    def poll(self) -> EpochSealed | None:
        """The sealed epoch, or None while the child works; raises `SealError` when it failed or took too long."""
        answer = self._batch.poll(self._request)
        if answer is None:
            return None
        if "error" in answer:
            raise SealError(f"camera {self._request.camera}: {answer['error']}")
        return self._read(answer)

    def kill(self) -> None:
        """Wait for it no more; the child ends when nobody waits. What it has stored stays, whole."""
        self._batch.leave(self._request)

    def _read(self, answer: dict[str, Any]) -> EpochSealed:
        try:
            fields: dict[str, Any] = answer["sealed"]
            fields["share_sha256s"] = tuple(fields["share_sha256s"])
            sealed = EpochSealed(**fields)
        except (TypeError, KeyError) as error:
            raise SealError(f"camera {self._request.camera}: the sealer's answer cannot be read") from error
        if (sealed.camera, sealed.epoch_id) != (self._request.camera, self._request.epoch_id):
            raise SealError(f"camera {self._request.camera}: the sealer answered for another epoch")
        return sealed


class _Batch:
    """One child and those who wait for it; threads may share it."""

    def __init__(self, clock: Clock, timeout_s: float, launch_at_s: float) -> None:
        self._clock = clock
        self._timeout_s = timeout_s
        self._launch_at_s = launch_at_s
        self._deadline_s = 0.0
        self._lock = threading.Lock()
        self._waiting: dict[str, SealRequest] = {}
        self._answers: dict[str, dict[str, Any]] = {}
        self._process: subprocess.Popen[bytes] | None = None
        self._output: IO[bytes] | None = None
        self._complaint: IO[bytes] | None = None
        self._is_launched = False

    @property
    def process_id(self) -> int | None:
        return self._process.pid if self._process is not None else None

    def add(self, request: SealRequest) -> bool:
        """False when it is too late, or when there are enough."""
        with self._lock:
            if self._is_launched or len(self._waiting) >= MAX_REQUESTS:
                return False
            self._waiting[request.epoch_id + request.camera] = request
            return True

    def leave(self, request: SealRequest) -> None:
        with self._lock:
            self._waiting.pop(request.epoch_id + request.camera, None)
            if not self._waiting:
                self._is_launched = True
                self._end(kill=True)

    def poll(self, request: SealRequest) -> dict[str, Any] | None:
        """The answer for `request`: `{"sealed": ...}` or `{"error": ...}`; None while it is awaited."""
        with self._lock:
            key = request.epoch_id + request.camera
            if key not in self._answers:
                self._look()
            answer = self._answers.pop(key, None)
            if answer is not None:
                self._waiting.pop(key, None)
            if not self._waiting and self._is_launched:
                # All is answered, and durable: nobody would ask again, and see the child end.
                self._end(kill=True)
            return answer

    def _look(self) -> None:
        now_s = self._clock.monotonic_s()
        if not self._is_launched:
            if now_s >= self._launch_at_s:
                self._launch(now_s)
            return
        if self._process is None:
            return
        status = self._process.poll()
        self._read_output()
        if status is not None:
            self._fail_rest(self._why(status))
            self._end(kill=False)
        elif now_s >= self._deadline_s:
            self._fail_rest("sealing an epoch took too long and was stopped — is the vault's disk failing?")
            self._end(kill=True)

    def _launch(self, now_s: float) -> None:
        self._is_launched = True
        self._deadline_s = now_s + self._timeout_s
        # Files instead of pipes: a full pipe could stop the child, and nobody waits here. The request names no secret.
        try:
            with tempfile.TemporaryFile() as given:
                given.writelines(request.to_json() + b"\n" for request in self._waiting.values())
                given.seek(0)
                self._output, self._complaint = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115  # closed by `_end`
                self._process = subprocess.Popen(
                    [sys.executable, "-m", "lamppost.seal.sealer"],
                    stdin=given, stdout=self._output, stderr=self._complaint, start_new_session=True,
                )  # fmt: skip
        except OSError as error:
            self._fail_rest(f"cannot start the sealer: {error.strerror} — is the machine out of memory or processes?")
            self._end(kill=False)

    def _read_output(self) -> None:
        """Take the answers so far; the child appends whole lines."""
        if self._output is None:
            return
        # By position: the child writes through the same open file.
        written = os.pread(self._output.fileno(), _MAX_OUTPUT_BYTES, 0)
        for line in written.split(b"\n")[:-1]:
            try:
                answer: dict[str, Any] = json.loads(line)
                key = str(answer["epoch_id"]) + str(answer["camera"])
            except (ValueError, TypeError, KeyError):
                continue
            if key in self._waiting:
                self._answers.setdefault(key, answer)

    def _fail_rest(self, why: str) -> None:
        for key in self._waiting:
            self._answers.setdefault(key, {"error": why})

    def _why(self, status: int) -> str:
        complaint = b"" if self._complaint is None else os.pread(self._complaint.fileno(), 64 * 1024, 0)
        lines = complaint.decode("utf-8", "replace").strip().splitlines()
        return f"cannot seal an epoch: {redact(lines[-1]) if lines else f'it ended with status {status}'}"

    def _end(self, *, kill: bool) -> None:
        if self._process is not None and kill:
            self._process.kill()
            self._process.wait()
        for file in (self._output, self._complaint):
            if file is not None:
                file.close()
        self._process = self._output = self._complaint = None
