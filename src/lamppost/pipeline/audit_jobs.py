"""Audits many cameras, some at a time, and tells how far it is."""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from lamppost.base.errors import LamppostError, StoreError
from lamppost.base.logging import redact

MOST_AT_ONCE: Final = 8
MOST_KEPT: Final = 20


class JobState(StrEnum):
    """How far a job is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"  # the books take nothing any more


@dataclass(frozen=True, slots=True)
class Job:
    """A job as it is now. `problems`: cameras that could not be audited, and why."""

    id: str
    state: JobState
    done: int
    total: int
    problems: tuple[tuple[str, str], ...] = ()


class AuditJobs:
    """Runs one job at a time, and remembers the last ones; from any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: dict[str, Job] = {}
        self._thread: threading.Thread | None = None
        self._stop = threading.Event()

    def start(self, cameras: Sequence[str], audit: Callable[[str], str]) -> Job | None:
        """Audit `cameras`; None while another job runs. `audit` returns a problem, or nothing, and may raise `LamppostError`."""
        with self._lock:
            if self._thread is not None and self._thread.is_alive():
                return None
            job = Job(secrets.token_hex(8), JobState.RUNNING, 0, len(cameras))
            self._jobs[job.id] = job
            for old in list(self._jobs)[:-MOST_KEPT]:
                del self._jobs[old]
            self._thread = threading.Thread(target=self._run, args=(job.id, tuple(cameras), audit), name="audits", daemon=True)
            self._thread.start()
        return job

    def find(self, job_id: str) -> Job | None:
        """The job, while it is remembered."""
        with self._lock:
            return self._jobs.get(job_id)

    def close(self) -> None:
        """Begin no further camera, and wait for those that are asked just now."""
        self._stop.set()
        if self._thread is not None:
            self._thread.join()

    def _run(self, job_id: str, cameras: Sequence[str], audit: Callable[[str], str]) -> None:
        with ThreadPoolExecutor(MOST_AT_ONCE, thread_name_prefix="audit") as pool:
            asked = [(camera, pool.submit(self._one, job_id, camera, audit)) for camera in cameras]
            for camera, asking in asked:
                trouble = asking.result()
                with self._lock:
                    job = self._jobs[job_id]
                    problems = (*job.problems, (camera, trouble)) if trouble else job.problems
                    self._jobs[job_id] = replace(job, done=job.done + 1, problems=problems)
        with self._lock:
            job = self._jobs[job_id]
            ended = JobState.FAILED if job.state is JobState.FAILED else JobState.DONE
            self._jobs[job_id] = replace(job, state=ended)

    def _one(self, job_id: str, camera: str, audit: Callable[[str], str]) -> str:
        if self._stop.is_set():
            return "the server is ending"
        try:
            return audit(camera)
        except LamppostError as error:
            if isinstance(error, StoreError):
                with self._lock:
                    self._jobs[job_id] = replace(self._jobs[job_id], state=JobState.FAILED)
            return redact(str(error))
