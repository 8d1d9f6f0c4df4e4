"""The process that `test_device_lock_kill.py` kills: `lock_child.py FOLDER SHARED ROUNDS` works on the device of `gate` again and again.

While it does, its number stands in the file SHARED, and nobody else's may. With no rounds, it stays in the first one.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from lamppost.base.clock import SystemClock
from lamppost.model.layout import DataFolder
from lamppost.store.device_locks import DeviceLocks, DeviceWork

PATIENCE_S = 200.0
LOOKS = 20

if __name__ == "__main__":
    root, shared, rounds = sys.argv[1:]
    locks = DeviceLocks(DataFolder(Path(root)), SystemClock(), "a child")
    file, mine = os.open(shared, os.O_RDWR | os.O_CREAT), f"{os.getpid():08d}".encode()
    os.write(1, b"ready\n")
    for _ in range(int(rounds) or 1):
        with locks.hold("gate", DeviceWork.DISARM, patience_s=PATIENCE_S):
            os.pwrite(file, mine, 0)
            if rounds == "0":
                os.write(1, b"held\n")
                sys.stdin.read()
            for _ in range(LOOKS):
                os.sched_yield()
                if os.pread(file, 8, 0) != mine:
                    sys.exit("two work on one device")
        os.write(1, b"done\n")
