"""The parent's side of sealing: starts the child that makes an epoch's key, and collects its word.

Only public things come back. Nothing here waits.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from lamppost.base.clock import Clock
from lamppost.base.errors import SealError
from lamppost.base.ids import timed_id
from lamppost.base.logging import redact
from lamppost.model.books import EpochSealed
from lamppost.model.layout import DataFolder
from lamppost.seal.sealer import SealRequest

TIMEOUT_S = 30.0
_MAX_OUTPUT_BYTES = 64 * 1024


class EpochPreparation:
    """One epoch in the making. Poll it; once it has returned or raised, it is over.

    A child that is killed has stored a whole epoch or none.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        output: IO[bytes],
        complaint: IO[bytes],
        request: SealRequest,
        deadline_s: float,
        clock: Clock,
    ) -> None:
        self._process, self._output, self._complaint = process, output, complaint
        self._request, self._deadline_s, self._clock = request, deadline_s, clock

    @classmethod
    def start(
        cls,
        *,
        folder: DataFolder,
        camera: str,
        sequence: int,
        start_us: int,
        end_us: int,
        custodians: Sequence[str],
        threshold: int,
        clock: Clock,
        mirrors: Sequence[Path] = (),
        timeout_s: float = TIMEOUT_S,
    ) -> EpochPreparation:
        """Start the child; raises `SealError` when the machine cannot start one."""
        root = folder.root.absolute()
        request = SealRequest(
            camera=camera,
            epoch_id=timed_id(start_us),
            sequence=sequence,
            start_us=start_us,
            end_us=end_us,
            threshold=threshold,
            custodians=tuple(custodians),
            signing_key=str(DataFolder(root).keys / "recorder.key"),
            vault=str(DataFolder(root).vault),
            mirrors=tuple(str(mirror.absolute()) for mirror in mirrors),
        )
        return cls.launch(request, clock=clock, timeout_s=timeout_s)

    @classmethod
    def launch(cls, request: SealRequest, *, clock: Clock, timeout_s: float = TIMEOUT_S) -> EpochPreparation:
        """Start the child for a request that is made already."""
        # Files instead of pipes: a full pipe could stop the child, and nobody waits here. The request names no secret.
        try:
            with tempfile.TemporaryFile() as given:
                given.write(request.to_json())
                given.seek(0)
                output, complaint = tempfile.TemporaryFile(), tempfile.TemporaryFile()  # noqa: SIM115  # closed by `_end`
                process = subprocess.Popen(
                    [sys.executable, "-m", "lamppost.seal.sealer"], stdin=given, stdout=output, stderr=complaint, start_new_session=True
                )
        except OSError as error:
            raise SealError(
                f"camera {request.camera}: cannot start the sealer: {error.strerror}", remedy="is the machine out of memory or processes?"
            ) from error
        return cls(process, output, complaint, request, clock.monotonic_s() + timeout_s, clock)

    @property
    def process_id(self) -> int:
        """Of the child."""
        return self._process.pid

    def poll(self) -> EpochSealed | None:
        """The sealed epoch, or None while the child works; raises `SealError` when it failed or took too long."""
        status = self._process.poll()
        if status is None:
            if self._clock.monotonic_s() < self._deadline_s:
                return None
            self.kill()
            raise SealError(
                f"camera {self._request.camera}: sealing an epoch took too long and was stopped", remedy="is the vault's disk failing?"
            )
        self._output.seek(0)
        self._complaint.seek(0)
        output, complaint = self._output.read(_MAX_OUTPUT_BYTES), self._complaint.read(_MAX_OUTPUT_BYTES)
        self._end()
        if status != 0:
            lines = complaint.decode("utf-8", "replace").strip().splitlines()
            reason = redact(lines[-1]) if lines else f"it ended with status {status}"
            raise SealError(f"camera {self._request.camera}: cannot seal an epoch: {reason}")
        return self._read(output)

    def kill(self) -> None:
        """End the child now; what it has stored stays, whole."""
        self._process.kill()
        self._process.wait()
        self._end()

    def _end(self) -> None:
        self._output.close()
        self._complaint.close()

    def _read(self, output: bytes) -> EpochSealed:
        try:
            fields: dict[str, Any] = json.loads(output)
            fields["share_sha256s"] = tuple(fields["share_sha256s"])
            sealed = EpochSealed(**fields)
        except (ValueError, TypeError, KeyError) as error:
            raise SealError(f"camera {self._request.camera}: the sealer's answer cannot be read") from error
        if (sealed.camera, sealed.epoch_id) != (self._request.camera, self._request.epoch_id):
            raise SealError(f"camera {self._request.camera}: the sealer answered for another epoch")
        return sealed
