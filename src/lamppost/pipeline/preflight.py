"""What an operator should know before recording: what of the machine does not fit what is asked of it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol
from urllib.parse import urlsplit

from lamppost.base import machine
from lamppost.base.clock import US_PER_S
from lamppost.base.errors import StoreError
from lamppost.base.names import is_number
from lamppost.model.books import Rendition
from lamppost.model.layout import DataFolder
from lamppost.model.networks import REFUSED_REMEDY
from lamppost.model.schedule import Schedule
from lamppost.model.settings import CameraSettings, Settings
from lamppost.pipeline.credentials import CredentialKeeper
from lamppost.store.rates import Rate, camera_rates

ASSUMED_MBPS: Final = {Rendition.SEALED: 4.0, Rendition.MASKED: 2.0}
DESCRIPTORS_PER_CAMERA: Final = 8  # in the process that has most of it: sockets, the open segment, the way to the analyst
DESCRIPTORS_BESIDE: Final = 64
_BYTES_PER_GB: Final = 1_000_000_000
_DAY_S: Final = 86_400
_MONDAY_US: Final = 4 * _DAY_S * US_PER_S  # 5 January 1970


@dataclass(frozen=True, slots=True)
class Concern:
    """One line: what is not as it should be, where, and what to do about it."""

    what: str
    where: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what} — {self.remedy}"


class Machine(Protocol):
    """The questions of `base.machine` that are asked here."""

    def plain_swap(self) -> tuple[str, ...]: ...
    def is_clock_synchronised(self) -> bool | None: ...
    def free_bytes(self, path: Path, /) -> int: ...
    def is_same_disk(self, one: Path, other: Path, /) -> bool: ...
    def may_write(self, folder: Path, /) -> bool: ...
    def is_open_to_others(self, path: Path, /) -> bool: ...
    def most_descriptors(self) -> int: ...


def look(settings: Settings, here: Machine = machine) -> tuple[Concern, ...]:
    """Every concern, the gravest first. Nothing is changed, and what cannot be asked is passed over."""
    return (
        *_memory(here),
        *_folder(settings, here),
        *_time(here),
        *_secrets(settings, here),
        *_passwords(settings),
        *_networks(settings),
        *_descriptors(settings, here),
        *_disk(settings, here),
    )


def _memory(here: Machine) -> Iterator[Concern]:
    for area in here.plain_swap():
        yield Concern(
            "swap is used and not encrypted: pictures and keys may reach the disk", area, "swapoff it, or encrypt it, or use zram"
        )


def _time(here: Machine) -> Iterator[Concern]:
    if here.is_clock_synchronised() is False:
        remedy = "run a time service (chrony or systemd-timesyncd): footage is found and opened by its time"
        yield Concern("it is not synchronised", "the clock", remedy)


def _folder(settings: Settings, here: Machine) -> Iterator[Concern]:
    folder = DataFolder(settings.data)
    if not folder.root.is_dir():
        yield Concern("there is no data folder", str(folder.root), "`lamppost init` makes one; is its disk mounted?")
        return
    places = [folder.root, folder.index.parent, folder.journal, folder.vault]
    for place in places:
        if place.is_dir() and not here.may_write(place):
            yield Concern("this user may not write there", str(place), "run as the user that `serve` runs as, or give it the folder")
    with contextlib.suppress(OSError):
        if here.is_same_disk(folder.vault, folder.root / Rendition.SEALED.value):
            remedy = "put the vault on a disk of its own: the loss or theft of one disk is then not that of both"
            yield Concern("the vault lies on the same disk as the footage", str(folder.vault), remedy)


def _secrets(settings: Settings, here: Machine) -> Iterator[Concern]:
    files = [camera.password_file for camera in settings.camera if camera.password_file is not None]
    of_carriers = (
        getattr(carrier, key) for carrier in settings.notify for key in ("password_file", "secret_file", "key_file", "urls_file")
    )
    files += [path for path in of_carriers if path is not None]
    for path in dict.fromkeys((*files, settings.data / "keys" / "recorder.key", DataFolder(settings.data).camera_key)):
        if here.is_open_to_others(path):
            yield Concern("other users of this machine may read it", str(path), f"chmod o= {path}")


def _passwords(settings: Settings) -> Iterator[Concern]:
    """Passwords that are kept encrypted and cannot be read."""
    with CredentialKeeper(DataFolder(settings.data)) as keeper:
        for camera in settings.camera:
            if camera.credential is not None:
                try:
                    keeper.password(camera.credential, camera.name)
                except StoreError as error:
                    yield Concern(error.problem, f"camera {camera.name}", error.remedy)


def _networks(settings: Settings) -> Iterator[Concern]:
    """Cameras whose address is a number outside the networks; where names lead is seen when they are connected to."""
    networks = settings.devices.camera_networks
    for camera in settings.camera:
        for url in (camera.url, camera.sub_url, camera.device_url):
            host = _host(url)
            if is_number(host) and (why := networks.why_not(host)):
                yield Concern(f"nothing connects to {host}: {why}", f"camera {camera.name}", REFUSED_REMEDY)
                break


def _host(url: str | None) -> str:
    try:
        return urlsplit(url or "").hostname or ""
    except ValueError:
        return ""  # that is told elsewhere


def _descriptors(settings: Settings, here: Machine) -> Iterator[Concern]:
    needed, limit = needed_descriptors(len(settings.camera)), here.most_descriptors()
    if 0 <= limit < needed:
        what = f"the hard limit of open files is {limit}, and {len(settings.camera)} cameras may need {needed}"
        yield Concern(what, "this user", "raise it: LimitNOFILE= in the unit, or ulimit -Hn")


def needed_descriptors(cameras: int) -> int:
    """Open files of one process that has all `cameras`; an assumption, on the safe side."""
    return DESCRIPTORS_BESIDE + DESCRIPTORS_PER_CAMERA * cameras


def _disk(settings: Settings, here: Machine) -> Iterator[Concern]:
    folder = DataFolder(settings.data)
    try:
        rates = camera_rates(folder)
    except StoreError as error:
        yield Concern(error.problem, str(folder.index), error.remedy)
        rates = {}
    needs = [_camera_need(camera, settings, rates) for camera in settings.camera]
    needed = sum(need for need, _ in needs)
    assumed = sum(is_assumed for _, is_assumed in needs)
    stored = sum(rate.stored_bytes for rate in rates.values())
    try:
        free = here.free_bytes(folder.root)
    except OSError:
        return
    usable = stored + free - settings.retention.keep_free_gb * _BYTES_PER_GB
    if needed <= usable:
        return
    basis = f"; {assumed} camera(s) not measured yet are taken for {ASSUMED_MBPS[Rendition.SEALED]:g} Mbit/s" if assumed else ""
    what = (
        f"the retention asked takes {needed / _BYTES_PER_GB:.0f} GB, and there is room for {max(0.0, usable) / _BYTES_PER_GB:.0f} GB "
        f"with what is stored{basis}"
    )
    yield Concern(what, str(folder.root), "keep fewer days, set max_gb, or add disk: the oldest would be deleted before its time")


def _camera_need(camera: CameraSettings, settings: Settings, rates: Mapping[tuple[str, Rendition], Rate]) -> tuple[float, bool]:
    """Bytes that the camera's retention takes once it is full, and whether any of it is assumed."""
    days = {
        Rendition.SEALED: camera.sealed_days or settings.retention.sealed_days,
        Rendition.MASKED: camera.masked_days or settings.retention.masked_days,
    }
    share = week_share(camera.schedule, settings.timezone)
    total, is_assumed = 0.0, False
    for rendition in Rendition:
        rate = rates.get((camera.name, rendition))
        measured = None if rate is None else rate.bytes_per_s
        is_assumed = is_assumed or measured is None
        bytes_per_s = ASSUMED_MBPS[rendition] * 1e6 / 8 if measured is None else measured
        total += bytes_per_s * share * days[rendition] * _DAY_S
    most_gb = settings.retention.max_gb if camera.max_gb is None else camera.max_gb
    return (min(total, most_gb * _BYTES_PER_GB) if most_gb else total), is_assumed


def week_share(schedule: tuple[str, ...], zone: str) -> float:
    """The part of a week in which the schedule records, 0 to 1."""
    plan, cursor_us, on_us = Schedule(schedule, zone), _MONDAY_US, 0
    end_us = cursor_us + 7 * _DAY_S * US_PER_S
    while cursor_us < end_us:
        next_us = min(plan.next_change_us(cursor_us) or end_us, end_us)
        on_us += (next_us - cursor_us) if plan.is_on(cursor_us) else 0
        cursor_us = next_us
    return on_us / (7 * _DAY_S * US_PER_S)
