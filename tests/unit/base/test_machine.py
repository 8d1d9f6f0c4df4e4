"""Swap that is encrypted or in memory is told from swap that is not; the other questions answer what the kernel says."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from lamppost.base import machine

HEADING = "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n"


@pytest.fixture
def sys(tmp_path: Path) -> Path:
    return tmp_path / "sys"


def swaps(tmp_path: Path, *areas: Path) -> Path:
    path = tmp_path / "swaps"
    path.write_text(HEADING + "".join(f"{str(area).replace(' ', chr(92) + '040')} file 1024 0 -2\n" for area in areas))
    return path


def swap_file(tmp_path: Path, sys: Path, name: str = "swap file") -> tuple[Path, Path]:
    """A file on the disk of the tests, and the folder of sysfs of that disk."""
    area = tmp_path / name
    area.write_bytes(b"")
    number = area.stat().st_dev
    device = sys / "dev" / "block" / f"{os.major(number)}:{os.minor(number)}"
    device.mkdir(parents=True)
    return area, device


def layer(device: Path, uuid: str) -> None:
    (device / "dm").mkdir(parents=True)
    (device / "dm" / "uuid").write_text(uuid)


def test_no_swap_is_no_concern(tmp_path: Path, sys: Path) -> None:
    assert machine.plain_swap(swaps(tmp_path), sys) == ()
    assert machine.plain_swap(tmp_path / "absent", sys) == ()


def test_a_swap_file_on_a_plain_disk_is_named(tmp_path: Path, sys: Path) -> None:
    area, _device = swap_file(tmp_path, sys)
    assert machine.plain_swap(swaps(tmp_path, area), sys) == (str(area),)


def test_a_swap_file_on_an_encrypted_disk_is_fine(tmp_path: Path, sys: Path) -> None:
    area, device = swap_file(tmp_path, sys)
    layer(device, "CRYPT-LUKS2-0123-root")
    assert machine.plain_swap(swaps(tmp_path, area), sys) == ()


@pytest.mark.parametrize(("below", "is_fine"), [(["CRYPT-PLAIN-a"], True), (["CRYPT-LUKS2-a", "LVM-b"], False), ([], False)])
def test_a_volume_counts_as_what_it_lies_on(tmp_path: Path, sys: Path, below: list[str], is_fine: bool) -> None:
    area, device = swap_file(tmp_path, sys)
    layer(device, "LVM-abc")
    for number, uuid in enumerate(below):
        layer(device / "slaves" / f"dm-{number}", uuid)
    assert (machine.plain_swap(swaps(tmp_path, area), sys) == ()) is is_fine


def test_compressed_memory_is_no_disk(tmp_path: Path, sys: Path) -> None:
    assert machine.plain_swap(swaps(tmp_path, Path("/dev/zram0")), sys) == ()
    assert machine.plain_swap(swaps(tmp_path, Path("/dev/absent-sda2")), sys) == ("/dev/absent-sda2",)


def test_a_ring_of_layers_ends(tmp_path: Path) -> None:
    device = tmp_path / "dm-0"
    (device / "slaves").mkdir(parents=True)
    (device / "slaves" / "dm-0").symlink_to(device)
    assert not machine.is_encrypted(device)


def test_the_clock_is_asked_and_not_touched() -> None:
    assert machine.is_clock_synchronised() in (True, False, None)


@pytest.mark.parametrize(("state", "status", "said"), [(0, 0, True), (0, 0x40, False), (5, 0, False), (-1, 0, None), (1, 0x2001, True)])
def test_what_the_kernel_says_of_the_clock(monkeypatch: pytest.MonkeyPatch, state: int, status: int, said: bool | None) -> None:
    class Libc:
        def __init__(self, *_: object, **__: object) -> None: ...

        @staticmethod
        def adjtimex(timex: object) -> int:
            timex._obj.status = status  # type: ignore[attr-defined]
            return state

    monkeypatch.setattr(machine.ctypes, "CDLL", Libc)
    assert machine.is_clock_synchronised() is said


def test_files_and_disks(tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("x")
    for mode, is_open in ((0o600, False), (0o640, False), (0o644, True), (0o602, True)):
        secret.chmod(mode)
        assert machine.is_open_to_others(secret) is is_open
    assert not machine.is_open_to_others(tmp_path / "absent")
    assert machine.free_bytes(tmp_path / "not" / "yet") > 0
    assert machine.is_same_disk(tmp_path, tmp_path / "not" / "yet")
    assert machine.may_write(tmp_path)
    assert machine.memory_bytes() > 2**20
    assert machine.usable_cores() >= 1
