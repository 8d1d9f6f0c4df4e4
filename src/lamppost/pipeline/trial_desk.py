"""Has rules tried, one order at a time, and keeps for a while what came of each."""

from __future__ import annotations

import contextlib
import json
import secrets
import subprocess
import sys
import threading
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from lamppost.base.clock import Clock
from lamppost.model.rules import RuleBook
from lamppost.pipeline.rule_trial import TrialOrder
from lamppost.pipeline.trial_child import order_to_json

KEPT_S: Final = 600.0
MOST_KEPT: Final = 20
GRACE_S: Final = 30.0  # beyond the order's own patience; then the process is ended


class TrialState(StrEnum):
    """How far a trial is."""

    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Trial:
    """One trial as it is now; `result` is that of `trial_to_json`."""

    id: str
    camera: str
    book: RuleBook
    state: TrialState
    progress: float
    began_s: float
    result: dict[str, Any] | None = None
    problem: str = ""


class TrialDesk:
    """Runs one trial at a time in a process of its own; from any thread.

    A process that dies, hangs or is cancelled leaves a failed trial, and makes room for the next.
    """

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._trials: dict[str, Trial] = {}
        self._running: tuple[str, subprocess.Popen[str], threading.Thread] | None = None

    def start(self, camera: str, order: TrialOrder) -> Trial | None:
        """Begin to try `order`; None while another trial runs. Raises `OSError`."""
        with self._lock:
            self._forget_old()
            if self._running is not None:
                return None
            process = subprocess.Popen(
                [sys.executable, "-m", "lamppost.pipeline.trial_child"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.DEVNULL,
                text=True,
            )
            trial = Trial(secrets.token_hex(8), camera, order.book, TrialState.RUNNING, 0.0, self._clock.monotonic_s())
            self._trials[trial.id] = trial
            follower = threading.Thread(target=self._follow, args=(trial.id, process, order), name="trial", daemon=True)
            self._running = trial.id, process, follower
            follower.start()
        return trial

    def find(self, camera: str, trial_id: str) -> Trial | None:
        """The trial, while it is kept."""
        with self._lock:
            self._forget_old()
            trial = self._trials.get(trial_id)
        return trial if trial is not None and trial.camera == camera else None

    def cancel(self, trial_id: str) -> None:
        """End a trial that runs; does nothing where it does not."""
        with self._lock:
            running = self._running
        if running is not None and running[0] == trial_id:
            running[1].kill()
            running[2].join()

    def wait(self, timeout_s: float) -> bool:
        """Until nothing runs; false where something still does."""
        with self._lock:
            running = self._running
        if running is not None:
            running[2].join(timeout_s)
        return running is None or not running[2].is_alive()

    def close(self) -> None:
        """End what runs."""
        with self._lock:
            running = self._running
        if running is not None:
            self.cancel(running[0])

    def _follow(self, trial_id: str, process: subprocess.Popen[str], order: TrialOrder) -> None:
        ender = threading.Timer(order.patience_s + GRACE_S, process.kill)
        ender.daemon = True
        ender.start()
        try:
            self._listen(trial_id, process, order)
        finally:
            ender.cancel()
            process.kill()
            process.wait()
            with self._lock:
                trial = self._trials[trial_id]
                if trial.state is TrialState.RUNNING:
                    self._trials[trial_id] = replace(trial, state=TrialState.FAILED, problem="it was ended before its time")
                self._running = None

    def _listen(self, trial_id: str, process: subprocess.Popen[str], order: TrialOrder) -> None:
        if process.stdin is None or process.stdout is None:
            return
        with contextlib.suppress(BrokenPipeError):  # it died already; its end tells
            process.stdin.write(order_to_json(order) + "\n")
            process.stdin.flush()
        with contextlib.suppress(BrokenPipeError):  # what could not be written is tried once more
            process.stdin.close()
        with process.stdout:
            for line in process.stdout:
                if line.endswith("\n"):  # who was killed has cut its last line short
                    self._note(trial_id, json.loads(line))

    def _note(self, trial_id: str, message: dict[str, Any]) -> None:
        with self._lock:
            trial = self._trials[trial_id]
            if "progress" in message:
                trial = replace(trial, progress=min(1.0, float(message["progress"])))
            elif "problem" in message:
                trial = replace(trial, state=TrialState.FAILED, problem=str(message["problem"]))
            else:
                trial = replace(trial, state=TrialState.DONE, progress=1.0, result=message["result"])
            self._trials[trial_id] = trial

    def _forget_old(self) -> None:
        now_s = self._clock.monotonic_s()
        kept = [trial for trial in self._trials.values() if trial.state is TrialState.RUNNING or now_s - trial.began_s < KEPT_S]
        self._trials = {trial.id: trial for trial in kept[-MOST_KEPT:]}
