"""What the machine is like, as far as footage and keys depend on it: swap, clock, disks, limits.

Each question takes the place it looks at, so that a test can show it another machine.
"""

from __future__ import annotations

import ctypes
import errno
import os
import resource
import shutil
import stat
from pathlib import Path
from typing import Final

PROC_SWAPS: Final = Path("/proc/swaps")
SYS: Final = Path("/sys")
_STA_UNSYNC: Final = 0x0040  # <linux/timex.h>
_TIME_ERROR: Final = 5
_MOST_LAYERS: Final = 8


def plain_swap(proc_swaps: Path = PROC_SWAPS, sys: Path = SYS) -> tuple[str, ...]:
    """The swap areas in use whose content reaches a disk unencrypted; memory that is compressed (zram) does not."""
    try:
        lines = proc_swaps.read_text().splitlines()[1:]
    except OSError:
        return ()  # a system without swap, or without /proc
    names = [line.split()[0].replace("\\040", " ") for line in lines if line.strip()]
    return tuple(name for name in names if not _is_safe(Path(name), sys))


def _is_safe(area: Path, sys: Path) -> bool:
    try:
        status = area.stat()
    except OSError:
        return area.name.startswith("zram")  # its node may be hidden from this process
    number = status.st_rdev if stat.S_ISBLK(status.st_mode) else status.st_dev
    device = sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    return area.name.startswith("zram") or is_encrypted(device.resolve())


def is_encrypted(device: Path, layers: int = _MOST_LAYERS) -> bool:
    """Whether the block device at `device` (a folder of sysfs) is, or lies wholly on, dm-crypt."""
    try:
        if (device / "dm" / "uuid").read_text().startswith("CRYPT-"):
            return True
    except OSError:
        pass  # no device mapper at this layer: a partition, a disk, or a raid
    below = sorted((device / "slaves").glob("*"))
    return bool(below) and layers > 0 and all(is_encrypted(slave.resolve(), layers - 1) for slave in below)


class _Timex(ctypes.Structure):
    """`struct timex` of Linux, up to what is read; the kernel fills 208 bytes on 64-bit machines."""

    _fields_ = (
        ("modes", ctypes.c_uint),
        ("offset", ctypes.c_long),
        ("freq", ctypes.c_long),
        ("maxerror", ctypes.c_long),
        ("esterror", ctypes.c_long),
        ("status", ctypes.c_int),
        ("rest", ctypes.c_char * 256),
    )


def is_clock_synchronised() -> bool | None:
    """Whether the kernel knows the wall clock to be synchronised; None where it cannot be asked."""
    try:
        adjtimex = ctypes.CDLL(None, use_errno=True).adjtimex
    except (OSError, AttributeError):
        return None
    timex = _Timex()  # modes 0: asks, and changes nothing
    state = adjtimex(ctypes.byref(timex))
    if state < 0:
        return None  # a sandbox that forbids it
    return state != _TIME_ERROR and not timex.status & _STA_UNSYNC


def existing_parent(path: Path) -> Path:
    """`path`, or what of it exists."""
    while not path.exists() and path != path.parent:
        path = path.parent
    return path


def free_bytes(path: Path) -> int:
    """Bytes free for this user on the disk of `path`, which need not exist yet; raises `OSError`."""
    return shutil.disk_usage(existing_parent(path)).free


def is_same_disk(one: Path, other: Path) -> bool:
    """Whether both lie in one file system; raises `OSError`."""
    return existing_parent(one).stat().st_dev == existing_parent(other).stat().st_dev


def may_write(folder: Path) -> bool:
    """Whether this user may make files in `folder`, which exists; a disk mounted read-only counts."""
    return os.access(folder, os.W_OK | os.X_OK, effective_ids=os.access in os.supports_effective_ids)


def is_open_to_others(path: Path) -> bool:
    """Whether users beside owner and group may read or write the file; a missing one is not."""
    try:
        return bool(path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH))
    except OSError as error:
        if error.errno in (errno.ENOENT, errno.ENOTDIR, errno.EACCES):
            return False
        raise


def most_descriptors() -> int:
    """The hard limit of open files, to which a process may raise its own."""
    return resource.getrlimit(resource.RLIMIT_NOFILE)[1]


def memory_bytes() -> int:
    """The machine's memory."""
    return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")


def usable_cores() -> int:
    """The cores that this process may use."""
    return len(os.sched_getaffinity(0))
