"""The bookkeeper that `test_retention_kill.py` kills: `retention_child.py FOLDER NOW_US STEP` dies before its STEPth step."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path

from lamppost.base.clock import US_PER_S, ManualClock
from lamppost.model.layout import DataFolder
from lamppost.store.bookkeeping import Bookkeeper
from lamppost.store.retaining import Retention
from lamppost.store.retention import CameraLimits, RetentionLimits

LIMITS = RetentionLimits(CameraLimits(60 * US_PER_S, 60 * US_PER_S, 0), {}, 0)
PASSES = 6


def forget(folder: DataFolder, now_us: int, dies_at: int = 0) -> int:
    """All that is due; returns how many steps it took."""
    taken = 0

    def step(_name: str) -> None:
        nonlocal taken
        taken += 1
        if taken == dies_at:
            os.kill(os.getpid(), signal.SIGKILL)

    clock = ManualClock(now_us)
    with Bookkeeper(folder, clock) as bookkeeper:
        retention = Retention(folder, bookkeeper, clock, LIMITS, free_bytes=lambda _: 10**15, step=step)
        for _ in range(PASSES):
            retention.run_pass()
        assert retention.status.problem == ""
    return taken


if __name__ == "__main__":
    forget(DataFolder(Path(sys.argv[1])), int(sys.argv[2]), int(sys.argv[3]))
